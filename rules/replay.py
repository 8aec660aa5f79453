"""Past orders under the rules of today, or under two rule sets side by side: what they bring, which are refused.

Pure: orders come in as carts, a summary comes out. It never looks up anything and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from rules.comparison import Comparison, Judged, Pair, RefusedOrder, RulePair, RuleSums
from rules.comparison import merged as merged  # beside compare, for those who share the work
from rules.decision import OUTCOMES, Decision
from rules.errors import CartError, TieError
from rules.evaluate import evaluate
from rules.facts import Cart
from rules.money import amount_text, to_minor
from rules.ruleset import Ruleset


class PastOrder(NamedTuple):
    """An order as it was placed; the amounts are what was charged then, in minor units."""

    number: str
    on: date
    cart: Cart
    goods: int
    surcharges: int


@dataclass(slots=True)
class RuleEffect:
    """What one rule did to the replayed orders."""

    orders: int = 0  # orders in which it charged or found something
    charges: int = 0
    charged: int = 0  # minor units
    findings: dict[str, int] = field(
        default_factory=dict
    )  # outcome to orders: block, quotation, approval, warn
    refused_goods: int = 0  # goods of the orders it refused, at today's prices
    customers: set[str] = field(default_factory=set)  # whom it refused


@dataclass(slots=True)
class Replay:
    """Sums over all orders. Amounts are minor units of the rule set's currency."""

    ruleset: str
    currency: str
    orders: int = 0
    lines: int = 0
    first_on: date | None = None
    last_on: date | None = None
    goods_then: int = 0
    surcharges_then: int = 0
    goods: int = 0  # of all orders at today's prices, refused ones too
    surcharges: int = 0  # of the orders that are not refused
    accepted_goods: int = 0  # of the orders that are not refused
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    rules: dict[str, RuleEffect] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)  # orders that cannot be evaluated, by reason
    fault_examples: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; money as strings in major units."""

        def money(minor: int) -> str:
            return amount_text(minor, self.currency)

        return {
            "ruleset": self.ruleset,
            "currency": self.currency,
            "orders": self.orders,
            "lines": self.lines,
            "from": self.first_on and self.first_on.isoformat(),
            "until": self.last_on and self.last_on.isoformat(),
            "then": {"goods": money(self.goods_then), "surcharges": money(self.surcharges_then)},
            "now": {
                "goods": money(self.goods),
                "accepted_goods": money(self.accepted_goods),
                "refused_goods": money(self.goods - self.accepted_goods),
                "surcharges": money(self.surcharges),
                "revenue": money(self.accepted_goods + self.surcharges),
            },
            "outcomes": dict(self.outcomes),
            "refused": self.outcomes["block"],
            "rules": [
                {
                    "code": code,
                    "orders": effect.orders,
                    "charges": effect.charges,
                    "charged": money(effect.charged),
                    "findings": dict(effect.findings),
                    "refused_goods": money(effect.refused_goods),
                    "customers_refused": len(effect.customers),
                }
                for code, effect in sorted(self.rules.items())
            ],
            "not_evaluated": [
                {"reason": reason, "orders": count, "example": self.fault_examples[reason]}
                for reason, count in sorted(self.faults.items())
            ],
        }


def replay(ruleset: Ruleset, orders: Iterable[PastOrder]) -> Replay:
    """Evaluate every order with these rules on its own date and add up. An order that cannot be is told, not hidden."""
    found = Replay(ruleset.hash, ruleset.policy.currency)
    for order in orders:
        replay_one(ruleset, order, found)
    return found


def replay_one(ruleset: Ruleset, order: PastOrder, found: Replay) -> None:
    """Add one order to the sums."""
    found.orders += 1
    found.lines += len(order.cart.lines)
    found.first_on = order.on if found.first_on is None else min(found.first_on, order.on)
    found.last_on = order.on if found.last_on is None else max(found.last_on, order.on)
    found.goods_then += order.goods
    found.surcharges_then += order.surcharges
    decision = _decide(ruleset, order)
    if not isinstance(decision, Decision):
        for reason in decision:
            found.faults[reason] = found.faults.get(reason, 0) + 1
            found.fault_examples.setdefault(reason, order.number)
        return
    _add(found, decision, order.cart.customer.code)


def _decide(ruleset: Ruleset, order: PastOrder) -> Decision | set[str]:
    """The decision, or the reasons why there is none."""
    try:
        return evaluate(ruleset, order.cart, order.on, fixes=False)
    except CartError as error:
        return {fault.message for fault in error.faults}
    except TieError as error:
        return {str(error)}


def _add(found: Replay, decision: Decision, customer: str | None) -> None:
    refused = decision.outcome == "block"
    found.outcomes[decision.outcome] += 1
    found.goods += decision.goods
    if not refused:
        found.accepted_goods += decision.goods
        found.surcharges += sum(charge.amount for charge in decision.surcharges)
    touched: set[str] = set()
    for charge in decision.surcharges:
        if not refused:
            effect = found.rules.setdefault(charge.code, RuleEffect())
            effect.charges += 1
            effect.charged += charge.amount
            touched.add(charge.code)
    for code, outcome in {(issue.code, issue.outcome) for issue in decision.issues}:
        if outcome == "surcharge":
            continue  # counted as a charge
        effect = found.rules.setdefault(code, RuleEffect())
        effect.findings[outcome] = effect.findings.get(outcome, 0) + 1
        touched.add(code)
        if outcome == "block":
            effect.refused_goods += decision.goods
            if customer is not None:
                effect.customers.add(customer)
    for code in touched:
        found.rules[code].orders += 1


# --- two rule sets --------------------------------------------------------------------------------------------


def compare(live: Ruleset, draft: Ruleset, orders: Iterable[PastOrder]) -> Comparison:
    """Every order under both rule sets on its own date. ValueError when their currencies differ.

    An order that either side cannot evaluate is told among the faults and counted nowhere else.
    """
    side_by_side = SideBySide(live, draft)
    for order in orders:
        side_by_side.add(order)
    return side_by_side.found


class SideBySide:
    """A comparison that grows order by order, for those who tell how far they are."""

    def __init__(self, live: Ruleset, draft: Ruleset) -> None:
        if live.policy.currency != draft.policy.currency:
            raise ValueError(f"the currencies differ: {live.policy.currency} and {draft.policy.currency}")
        self.found = Comparison(live.hash, draft.hash, live.policy.currency)
        self._live = _without_trials(live)
        self._draft = _without_trials(draft)

    def add(self, order: PastOrder) -> None:
        """Count one order."""
        found, cart = self.found, order.cart
        live = _decide(self._live, order)
        draft = _decide(self._draft, order)
        for side, decided in (("live", live), ("draft", draft)):
            for reason in () if isinstance(decided, Decision) else decided:
                found.fault(side, reason, order.number)
        if not isinstance(live, Decision) or not isinstance(draft, Decision):
            return
        found.lines += len(cart.lines)
        found.first_on = order.on if found.first_on is None else min(found.first_on, order.on)
        found.last_on = order.on if found.last_on is None else max(found.last_on, order.on)
        cost = _cost(order, found.currency)
        found.unknown_cost += cost is None
        was, would = Judged.of(live), Judged.of(draft)
        customer = cart.customer.code or ""
        for pair in (
            found.total,
            found.customers.setdefault(customer, Pair()),
            found.regions.setdefault(_region(order), Pair()),
            found.months.setdefault(f"{order.on:%Y-%m}", Pair()),
        ):
            pair.add(was, would, cost)
        for decided, side in ((live, "live"), (draft, "draft")):
            _count_rules(found.rules, decided, side)
        if draft.outcome == "block" != live.outcome:
            codes = tuple(sorted({issue.code for issue in draft.issues if issue.outcome == "block"}))
            found.refused.append(RefusedOrder(order.on, order.number, customer, live.goods, codes))


def _without_trials(ruleset: Ruleset) -> Ruleset:
    """Rules that only watch decide nothing and would cost an evaluation each; `beats` reaches through them still."""
    rules = tuple(replace(rule, mode="off") if rule.mode == "shadow" else rule for rule in ruleset.rules)
    return ruleset if rules == ruleset.rules else replace(ruleset, rules=rules, compiled={})


def _region(order: PastOrder) -> str:
    """Where the goods went as far as is known: a region, else a country, else ""."""
    to, customer = order.cart.ship_to, order.cart.customer
    return to.region or customer.region or to.country or customer.country or ""


def _cost(order: PastOrder, currency: str) -> int | None:
    """What the goods cost the shop in minor units; None when one of them has no cost."""
    cost = Decimal(0)
    for line in order.cart.lines:
        if line.product.cost is None:
            return None
        cost += line.product.cost * line.quantity
    return to_minor(cost, currency)


def _count_rules(rules: dict[str, RulePair], decision: Decision, side: str) -> None:
    """What each rule did to one order."""

    def sums(code: str) -> RuleSums:
        rule = rules.get(code)
        if rule is None:
            rule = rules[code] = RulePair()
        one: RuleSums = getattr(rule, side)
        return one

    is_accepted = decision.outcome != "block"
    touched: set[str] = set()
    priced: dict[str, int] = {}
    for line in decision.lines:
        if line.steps and (code := line.steps[-1].code) is not None:
            priced[code] = priced.get(code, 0) + (line.amount or 0)
    for code, goods in priced.items():
        touched.add(code)
        if is_accepted:
            sums(code).goods += goods
    for charge in decision.surcharges if is_accepted else ():
        touched.add(charge.code)
        one = sums(charge.code)
        one.charges += 1
        one.charged += charge.amount
    for discount in decision.discounts if is_accepted else ():
        touched.add(discount.code)
        sums(discount.code).discounted += discount.amount
    for code, outcome in {(issue.code, issue.outcome) for issue in decision.issues}:
        touched.add(code)
        sums(code).refusals += outcome == "block"
        sums(code).held += outcome in ("approval", "quotation")
    for code in touched:
        sums(code).orders += 1
