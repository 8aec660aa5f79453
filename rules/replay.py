"""Past orders under the rules of today, or under two rule sets side by side: what they bring, which are refused.

Pure: orders come in as carts, a summary comes out. It never looks up anything and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rules.comparison import Comparison
from rules.comparison import merged as merged  # beside compare, for those who share the work
from rules.decision import OUTCOMES, Decision
from rules.errors import CartError, TieError
from rules.evaluate import evaluate
from rules.money import amount_text
from rules.past_order import PastOrder as PastOrder
from rules.ruleset import Ruleset
from rules.side_by_side import SideBySide


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
