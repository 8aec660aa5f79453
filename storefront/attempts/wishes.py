"""What of a decided cart is a refused wish: who asked, for how many, and how much was missing. Pure.

Payment and shipping methods, credit and warnings are left out: they say nothing about lots and fees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules import Issue, Ruleset
from rules.money import to_minor
from storefront.attempts.models import RANKS


@dataclass(frozen=True, slots=True)
class Wish:
    """One refused wish. `missing` is how far `asked` is from what would have been taken, never below 0."""

    sku: str
    code: str
    kind: str
    field: str
    unit: str
    asked: int
    need: int | None
    missing: int | None
    amount_minor: int | None
    outcome: str

    def as_row(self) -> dict[str, Any]:
        """The columns of an Attempt that say what was wished."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**row, "rank": RANKS[self.outcome]}


def wishes_of(priced: Any, ruleset: Ruleset) -> list[Wish]:
    """Every refused, held or charged wish in a PricedCart: one for each line and rule, the order's with SKU ""."""
    decision = priced.decision
    lines = {line.id: line for line in decision.lines}
    found: dict[tuple[str, str], Wish] = {}
    for issue in decision.issues:
        if issue.outcome not in RANKS:
            continue
        for line_id in issue.lines:
            line = lines[line_id]
            _keep_worst(found, _of_line(issue, line.sku, line.quantity, line.amount, ruleset))
        if not issue.lines and issue.code[:2] == "OR" and issue.field in ("minimum", "maximum"):
            have, need = (
                to_minor(Decimal(text or 0), decision.currency) for text in (issue.have, issue.need)
            )
            wish = Wish("", issue.code, "rule", issue.field, "money", have, need, abs(need - have), decision.goods,
                        issue.outcome)  # fmt: skip
            _keep_worst(found, wish)
    return list(found.values())


def _keep_worst(found: dict[tuple[str, str], Wish], wish: Wish) -> None:
    known = found.get((wish.sku, wish.code))
    if known is None or RANKS[wish.outcome] > RANKS[known.outcome]:
        found[(wish.sku, wish.code)] = wish


def _of_line(issue: Issue, sku: str, quantity: int, amount: int | None, ruleset: Ruleset) -> Wish:
    if issue.code[:2] != "QT":
        field = "price" if issue.code == "no_price" else "catalog"
        return Wish(sku, issue.code, "rule", field, "pieces", quantity, None, None, amount, issue.outcome)
    asked, number = int(issue.have or quantity), int(issue.need or 0)
    field = issue.field or "minimum"
    need = _next_lot(asked, number, issue.code, ruleset) if field == "multiple" else number
    return Wish(
        sku, issue.code, "rule", field, "pieces", asked, need, abs(need - asked), amount, issue.outcome
    )


def _next_lot(asked: int, lot: int, code: str, ruleset: Ruleset) -> int:
    """The smallest quantity on the lot that is not below what was asked."""
    effect: Any = next((rule.effect for rule in ruleset.rules if rule.code == code), None)
    counts_up = getattr(effect, "multiple_from", "zero") == "minimum"
    start = (effect.minimum or 0) if counts_up else 0
    return asked + (-(asked - start)) % max(lot, 1)


def short_of(sku: str, asked: int, there: int, amount: int | None = None) -> Wish:
    """More than the stock can give."""
    return Wish(
        sku, "stock", "stock", "stock", "pieces", asked, there, max(asked - there, 0), amount, "block"
    )


def trials_of(decision: Mapping[str, Any], currency: str) -> list[dict[str, Any]]:
    """What each shadow rule would have made of a decided cart, from the decision's JSON: changes in minor units."""
    subtotal, total = (to_minor(Decimal(decision[name]), currency) for name in ("subtotal", "total"))
    return [
        {
            "code": one["code"],
            "was": decision["outcome"],
            "outcome": one["outcome"],
            "change_minor": to_minor(Decimal(one["subtotal"]), currency) - subtotal,
            "total_change_minor": to_minor(Decimal(one["total"]), currency) - total,
        }
        for one in decision.get("shadow", ())
    ]


def ending_of(
    wish: Any, pieces: Mapping[str, int], goods_minor: int, charged: Iterable[tuple[str, str]]
) -> str:
    """How an order ended a wish: raised to what was needed, taken with the fee, or ordered otherwise.

    `pieces` are the ordered quantities by SKU, `charged` the (rule, SKU) for which a fee was taken.
    """
    if (wish.code, wish.sku) in set(charged):
        return "paid_fee"
    ordered = pieces.get(wish.sku, 0) if wish.sku else goods_minor
    is_raised = wish.field in ("minimum", "multiple", "allowed") and wish.need is not None
    return "raised" if is_raised and ordered >= wish.need and wish.asked < wish.need else "ordered"
