"""What a buyer would like to know before ordering: a larger quantity that costs less, and a better price close by.

Fixes mend what is refused; advice is about carts that are fine. Every change is found by evaluating it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from rules.evaluate import subtotal_with, to_subtotal
from rules.evaluation import Evaluation
from rules.facts import Cart, Line
from rules.in_force import rules_in_force
from rules.money import unit
from rules.offers import Offer, OfferRow
from rules.ruleset import Ruleset

_NEAR = Fraction(1, 4)  # a better price is near when it takes at most a quarter more pieces


@dataclass(frozen=True, slots=True)
class Advice:
    """`kind` is cliff (the whole costs less) or step (the piece costs less). `change` is of the subtotal, minor."""

    kind: str
    line: str
    quantity: int
    change: int
    unit_price: Decimal | None
    per: int
    dropped: tuple[str, ...]  # rules whose surcharge goes away
    codes: tuple[str, ...]  # rules that make the price there


def advise(ruleset: Ruleset, cart: Cart, on: date, offers: Mapping[str, Offer]) -> tuple[Advice, ...]:
    """At most one piece of advice a line, in the cart's order. `offers` are the customer's price tables by SKU."""
    found: list[Advice] = []
    work: Evaluation | None = None
    minor = Fraction(unit(ruleset.policy.currency))
    for place, line in enumerate(cart.lines):
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


def _wishes(line: Line, offer: Offer, minor: Fraction) -> list[tuple[OfferRow, OfferRow]]:
    """(row now, row there) of larger quantities that seem cheaper as a whole, or a piece at least and near."""
    now = None
    later = []
    for row in offer.rows:
        if row.start <= line.quantity:
            now = row
        else:
            later.append(row)
    if now is None or now.unit_price is None:
        return []
    cost = _cost(now, line.quantity, minor)
    return [
        (now, row)
        for row in later
        if row.unit_price is not None
        and (
            _cost(row, row.start, minor) < cost
            or (
                row.start - line.quantity <= line.quantity * _NEAR
                and Fraction(row.unit_price) / row.per < Fraction(now.unit_price) / now.per
            )
        )
    ]


def _cost(row: OfferRow, quantity: int, minor: Fraction) -> Fraction:
    """What a quantity costs under a row, its surcharge included, in major units."""
    return Fraction(row.unit_price or 0) * quantity / row.per + row.surcharge * minor


def _best(work: Evaluation, place: int, line: Line, wishes: list[tuple[OfferRow, OfferRow]]) -> Advice | None:
    """The wish that lowers the subtotal most (the smaller quantity when equal), else the nearest better price."""
    tried = [
        (subtotal_with(work, place, row.start) - work.subtotal, row.start, now, row) for now, row in wishes
    ]
    change, _, now, row = min(tried, key=lambda one: (one[0], one[1]))
    if change < 0:
        return _advice("cliff", line, change, now, row)
    change, _, now, row = min(tried, key=lambda one: one[1])
    near = row.start - line.quantity <= line.quantity * _NEAR
    return _advice("step", line, change, now, row) if near else None


def _advice(kind: str, line: Line, change: int, now: OfferRow, row: OfferRow) -> Advice:
    dropped = (
        tuple(code for code in now.codes if code not in row.codes) if row.surcharge < now.surcharge else ()
    )
    return Advice(kind, line.id, row.start, change, row.unit_price, row.per, dropped, row.codes)
