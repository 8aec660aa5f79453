"""What a buyer would like to know before ordering: a larger quantity that costs less, and a better price close by.

Fixes mend what is refused; advice is about lines that can be ordered. Every change is found by evaluating it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rules.decision import signed
from rules.evaluate import to_subtotal, with_quantity
from rules.evaluation import Evaluation
from rules.facts import Cart, Line
from rules.in_force import rules_in_force
from rules.money import plain, unit
from rules.offers import Offer, OfferRow
from rules.ruleset import Ruleset

_NEAR = Fraction(1, 4)  # a better price is near when it takes at most a quarter more pieces
_MOST_LINES = 100  # each wish is a cart evaluated: for more lines it would take a second, and nobody reads it


@dataclass(frozen=True, slots=True)
class Advice:
    """`kind` is cliff (the whole costs less), step (the piece costs less) or fee (a fee of now is not charged there).

    `change` is of the subtotal, in minor units.
    """

    kind: str
    line: str
    quantity: int
    change: int
    unit_price: Decimal | None
    per: int
    dropped: tuple[str, ...]  # rules that charge this line now and would not there
    codes: tuple[str, ...]  # rules that make the price there

    def as_json(self, currency: str) -> dict[str, Any]:
        """Plain values; amounts are strings as in the decision, `change` with its sign."""
        return {
            "kind": self.kind,
            "line": self.line,
            "quantity": self.quantity,
            "change": signed(self.change, currency),
            "unit_price": None if self.unit_price is None else plain(self.unit_price),
            "per": self.per,
            "dropped": list(self.dropped),
            "codes": list(self.codes),
        }


def advise(ruleset: Ruleset, cart: Cart, on: date, offers: Mapping[str, Offer]) -> tuple[Advice, ...]:
    """At most one piece of advice a line, for the first hundred lines. `offers` are the price tables by SKU."""
    found: list[Advice] = []
    work: Evaluation | None = None
    minor = Fraction(unit(ruleset.policy.currency))
    for place, line in enumerate(cart.lines[:_MOST_LINES]):
        offer = offers.get(line.product.sku)
        wishes = _wishes(line, offer, minor) if offer is not None else []
        if not wishes:
            continue
        if work is None:
            work = Evaluation(rules_in_force(ruleset, on), cart, on)
            to_subtotal(work)
        if any(
            one.is_quantity and one.outcome != "surcharge" and place in one.places for one in work.findings
        ):
            continue
        best = _best(work, place, line, wishes)
        if best is not None:
            found.append(best)
    return tuple(found)


def _wishes(line: Line, offer: Offer, minor: Fraction) -> list[OfferRow]:
    """Rows of larger quantities, ascending: cheaper as a whole, or a piece and near, or with a smaller fee."""
    now = None
    later = []
    for row in offer.rows:
        if row.start <= line.quantity:
            now = row
        else:
            later.append(row)
    if not later or now is None or now.unit_price is None:
        return []
    cost = _cost(now, line.quantity, minor)
    without_fee = next((row for row in later if row.surcharge < now.surcharge), None)
    return [
        row
        for row in later
        if row.unit_price is not None
        and (
            row is without_fee
            or _cost(row, row.start, minor) < cost
            or (
                _is_near(row, line)
                and Fraction(row.unit_price) / row.per < Fraction(now.unit_price) / now.per
            )
        )
    ]


def _is_near(row: OfferRow, line: Line) -> bool:
    return row.start - line.quantity <= line.quantity * _NEAR


def _cost(row: OfferRow, quantity: int, minor: Fraction) -> Fraction:
    """What a quantity costs under a row, its surcharge included, in major units."""
    return Fraction(row.unit_price or 0) * quantity / row.per + row.surcharge * minor


def _best(work: Evaluation, place: int, line: Line, wishes: list[OfferRow]) -> Advice | None:
    """The wish that lowers the subtotal most (the smaller quantity when equal), else the nearest of the others."""
    tried = [(with_quantity(work, place, row.start), row) for row in wishes]
    there, row = min(tried, key=lambda one: (one[0].subtotal, one[1].start))
    if there.subtotal < work.subtotal:
        return _advice("cliff", work, there, place, row)
    there, row = tried[0]
    if dropped := _fees(work, place) - _fees(there, place):
        return _advice("fee", work, there, place, row, dropped)
    return _advice("step", work, there, place, row) if _is_near(row, line) else None


def _advice(
    kind: str, work: Evaluation, there: Evaluation, place: int, row: OfferRow, dropped: Set[str] | None = None
) -> Advice:
    dropped = _fees(work, place) - _fees(there, place) if dropped is None else dropped
    line = work.cart.lines[place].id
    change = there.subtotal - work.subtotal
    return Advice(kind, line, row.start, change, row.unit_price, row.per, tuple(sorted(dropped)), row.codes)


def _fees(work: Evaluation, place: int) -> Set[str]:
    """Rules that charge this line, alone or together with others."""
    return {charge.surcharge.code for charge in work.charges if place in charge.places}
