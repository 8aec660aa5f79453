"""Two rule sets over the same past orders, added up: in all, by customer, region, month and rule.

Sums of whole numbers only, so that shares counted apart and merged give the bytes of one count.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple

from rules.decision import Texts, signed
from rules.money import amount_text

_MONEY = ("goods", "surcharges", "discounts", "margin", "refused_goods")
SHOWN_ORDERS = 200  # newly refused orders that the JSON lists; their number is told whole


@dataclass(slots=True)
class Sums:
    """What one rule set makes of some orders. Amounts are minor units; an order is refused by the outcome block."""

    accepted: int = 0  # orders that are not refused, those that wait for an approval or a quotation too
    approval: int = 0
    quotation: int = 0
    refused: int = 0
    charged: int = 0  # accepted orders with a surcharge
    goods: int = 0  # of accepted orders
    surcharges: int = 0
    discounts: int = 0
    margin: int = 0  # goods less discounts and costs, of accepted orders whose every cost is known
    refused_goods: int = 0

    @property
    def revenue(self) -> int:
        """Goods of accepted orders with surcharges and without discounts; no tax, no shipping."""
        return self.goods + self.surcharges - self.discounts

    def add(self, judged: "Judged", cost: int | None) -> None:
        """Count one order."""
        if judged.outcome == "block":
            self.refused += 1
            self.refused_goods += judged.goods
            return
        self.accepted += 1
        self.approval += judged.outcome == "approval"
        self.quotation += judged.outcome == "quotation"
        self.charged += judged.surcharges != 0
        self.goods += judged.goods
        self.surcharges += judged.surcharges
        self.discounts += judged.discounts
        if cost is not None:
            self.margin += judged.goods - judged.discounts - cost

    def as_json(self, currency: str) -> dict[str, Any]:
        """Counts as numbers, money as strings in major units."""
        told: dict[str, Any] = {"revenue": amount_text(self.revenue, currency)}
        for one in fields(self):
            value = getattr(self, one.name)
            told[one.name] = amount_text(value, currency) if one.name in _MONEY else value
        return told


class Judged(NamedTuple):
    """What a comparison keeps of one decision: equal ones change nothing."""

    outcome: str
    goods: int
    surcharges: int
    discounts: int


@dataclass(slots=True)
class Pair:
    """The same orders under the live rules and under the draft."""

    orders: int = 0
    changed: int = 0  # orders whose outcome, goods, surcharges or discounts differ; not those refused by both
    newly_refused: int = 0
    newly_accepted: int = 0
    live: Sums = field(default_factory=Sums)
    draft: Sums = field(default_factory=Sums)

    @property
    def change(self) -> int:
        """Revenue under the draft less revenue under the live rules."""
        return self.draft.revenue - self.live.revenue

    def add(self, live: Judged, draft: Judged, cost: int | None) -> None:
        """Count one order."""
        self.orders += 1
        self.changed += live != draft and not live.outcome == draft.outcome == "block"
        self.newly_refused += draft.outcome == "block" != live.outcome
        self.newly_accepted += live.outcome == "block" != draft.outcome
        self.live.add(live, cost)
        self.draft.add(draft, cost)

    def as_json(self, currency: str) -> dict[str, Any]:
        """Counts, both sides, and the difference with its sign."""
        return {
            "orders": self.orders,
            "changed": self.changed,
            "newly_refused": self.newly_refused,
            "newly_accepted": self.newly_accepted,
            "change": {
                **{
                    name: signed(getattr(self.draft, name) - getattr(self.live, name), currency)
                    for name in ("revenue", *_MONEY)
                },
                "refused": self.draft.refused - self.live.refused,
            },
            "live": self.live.as_json(currency),
            "draft": self.draft.as_json(currency),
        }


@dataclass(slots=True)
class RuleSums:
    """What one rule did under one rule set."""

    orders: int = 0  # orders it priced, charged, discounted, held or refused
    refusals: int = 0
    held: int = 0  # approval or quotation
    charges: int = 0
    charged: int = 0  # minor units, as the next two; of accepted orders
    discounted: int = 0
    goods: int = 0  # of lines whose price it was the last to change

    def as_json(self, currency: str) -> dict[str, Any]:
        """Counts as numbers, money as strings."""
        return {
            one.name: amount_text(getattr(self, one.name), currency)
            if one.name in ("charged", "discounted", "goods")
            else getattr(self, one.name)
            for one in fields(self)
        }


@dataclass(slots=True)
class RulePair:
    """One rule on both sides; where a side does not have it, its sums are 0."""

    live: RuleSums = field(default_factory=RuleSums)
    draft: RuleSums = field(default_factory=RuleSums)


class RefusedOrder(NamedTuple):
    """An order that only the draft refuses."""

    on: date
    number: str
    customer: str
    goods: int  # under the live rules
    codes: tuple[str, ...]  # the rules that refuse it


@dataclass(slots=True)
class Comparison:
    """`customers` has a key for every customer, "" being visitors; `hit` are those for whom something changes."""

    live: str  # hash of the rule set
    draft: str
    currency: str
    names: Mapping[str, Texts] = field(default_factory=dict)  # of the rules, the draft's before the live ones
    states: Mapping[str, str] = field(default_factory=dict)  # code to added, removed or changed
    lines: int = 0
    first_on: date | None = None
    last_on: date | None = None
    unknown_cost: int = 0  # orders left out of the margins, because some product has no cost
    left_out: int = 0  # older orders that were not looked at, when somebody set a limit
    total: Pair = field(default_factory=Pair)
    customers: dict[str, Pair] = field(default_factory=dict)
    regions: dict[str, Pair] = field(default_factory=dict)
    months: dict[str, Pair] = field(default_factory=dict)
    rules: dict[str, RulePair] = field(default_factory=dict)
    refused: list[RefusedOrder] = field(default_factory=list)
    faults: dict[tuple[str, str], int] = field(default_factory=dict)  # ("live" or "draft", reason) to orders
    examples: dict[tuple[str, str], str] = field(default_factory=dict)  # the smallest number of these orders

    @property
    def orders(self) -> int:
        """Orders that both rule sets could evaluate."""
        return self.total.orders

    @property
    def hit(self) -> list[tuple[str, Pair]]:
        """Customers for whom some order changes: newly refused ones first, then the largest difference in revenue."""
        return sorted(
            ((code, pair) for code, pair in self.customers.items() if pair.changed),
            key=lambda entry: (-entry[1].newly_refused, -abs(entry[1].change), entry[0]),
        )

    def merge(self, other: "Comparison") -> None:
        """Add a share of the same comparison; ValueError when it is of other rule sets."""
        if (self.live, self.draft, self.currency) != (other.live, other.draft, other.currency):
            raise ValueError("only shares of one comparison can be merged")
        self.lines += other.lines
        self.first_on = min(filter(None, (self.first_on, other.first_on)), default=None)
        self.last_on = max(filter(None, (self.last_on, other.last_on)), default=None)
        self.unknown_cost += other.unknown_cost
        self.left_out += other.left_out
        _add(self.total, other.total)
        for mine, theirs in (
            (self.customers, other.customers),
            (self.regions, other.regions),
            (self.months, other.months),
        ):
            for key, pair in theirs.items():
                _add(mine.setdefault(key, Pair()), pair)
        for code, rule in other.rules.items():
            _add(self.rules.setdefault(code, RulePair()), rule)
        self.refused.extend(other.refused)
        for fault, count in other.faults.items():
            self.fault(*fault, other.examples[fault], count)

    def fault(self, side: str, reason: str, number: str, orders: int = 1) -> None:
        """Note orders that one side cannot evaluate."""
        key = side, reason
        self.faults[key] = self.faults.get(key, 0) + orders
        self.examples[key] = min(number, self.examples.get(key, number))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values in one fixed order, whatever the order of counting."""
        currency = self.currency
        return {
            "live": self.live,
            "draft": self.draft,
            "currency": currency,
            "from": self.first_on and self.first_on.isoformat(),
            "until": self.last_on and self.last_on.isoformat(),
            "lines": self.lines,
            "left_out": self.left_out,
            "unknown_cost": self.unknown_cost,
            "total": self.total.as_json(currency),
            "customers_hit": len(self.hit),
            "customers": [{"customer": code, **pair.as_json(currency)} for code, pair in self.hit],
            "regions": [
                {"region": one, **pair.as_json(currency)} for one, pair in sorted(self.regions.items())
            ],
            "months": [{"month": one, **pair.as_json(currency)} for one, pair in sorted(self.months.items())],
            "rules": [
                {
                    "code": code,
                    "name": dict(self.names.get(code, {})),
                    "state": self.states.get(code, "same"),
                    "live": rule.live.as_json(currency),
                    "draft": rule.draft.as_json(currency),
                }
                for code in sorted(self.rules.keys() | self.states.keys())
                for rule in (self.rules.get(code, RulePair()),)
            ],
            "refused": [
                {
                    "order": one.number,
                    "on": one.on.isoformat(),
                    "customer": one.customer,
                    "goods": amount_text(one.goods, currency),
                    "rules": list(one.codes),
                }
                for one in sorted(self.refused)[:SHOWN_ORDERS]
            ],
            "not_evaluated": [
                {"side": side, "reason": reason, "orders": count, "example": self.examples[side, reason]}
                for (side, reason), count in sorted(self.faults.items())
            ],
        }

    def to_bytes(self) -> bytes:
        """UTF-8 JSON without blanks; equal comparisons have equal bytes."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":")).encode()


def merged(shares: Iterable[Comparison]) -> Comparison:
    """All shares as one; ValueError when there is none or they belong to different comparisons."""
    found: Comparison | None = None
    for share in shares:
        if found is None:
            found = Comparison(share.live, share.draft, share.currency, share.names, share.states)
        found.merge(share)
    if found is None:
        raise ValueError("nothing to merge")
    return found


def _add(into: Any, other: Any) -> None:
    """Add every number of a record of sums, and of the records inside it."""
    for one in fields(into):
        value = getattr(into, one.name)
        if isinstance(value, int):
            setattr(into, one.name, value + getattr(other, one.name))
        else:
            _add(value, getattr(other, one.name))
