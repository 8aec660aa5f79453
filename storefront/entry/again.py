"""Ordering again: an old order's lines begun anew, and what each of them says beside what was paid then.

The same, another price, another quantity needed, replaced, or gone. Prices are today's; the old ones are only told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import format
from storefront.accounts import User
from storefront.catalog import Product, shelf
from storefront.database import get_session
from storefront.entry import store
from storefront.entry.models import Entry
from storefront.language import _
from storefront.orders.models import Order, OrderLine
from storefront.quantity import MAX_QUANTITY
from storefront.quick_order.answers import AnswerRow

REPLACED_BY = "replaced_by"  # a product's attribute: the SKU that is sold in its place


def begin_again(session: Session, order: Order, person: User) -> Entry:
    """A new entry with the order's goods; lines of one SKU are added up."""
    pieces: dict[str, int] = {}
    for line in order.lines:
        pieces[line.sku] = min(pieces.get(line.sku, 0) + line.quantity, MAX_QUANTITY)
    text = "\n".join(f"{sku}\t{quantity}" for sku, quantity in pieces.items())
    return store.begin(
        session, company_id=order.company_id, person=person, channel="reorder", text=text, again_id=order.id
    )


def beside_the_old(entry: Entry) -> Any:
    """For work.begin: adds to each answer what the old order says about it."""
    session = get_session()
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == entry.again_id))
    old: dict[str, list[OrderLine]] = {}
    for line in lines:
        old.setdefault(line.sku, []).append(line)

    def told(rows: Sequence[AnswerRow]) -> Sequence[AnswerRow]:
        successors = _successors(session, [row.typed_sku for row in rows if not row.sku])
        return [
            _gone(row, old[row.typed_sku][0], successors.get(row.typed_sku))
            if not row.sku and row.typed_sku in old
            else _compared(row, old.get(row.sku, []))
            for row in rows
        ]

    return told


def _successors(session: Session, skus: Sequence[str]) -> dict[str, str]:
    """For SKUs that are no longer sold, the one that is sold in their place; one that is there."""
    known = [sku for sku in skus if sku.isprintable()]
    if not known:
        return {}
    found = session.execute(select(Product.sku, Product.attributes).where(Product.sku.in_(known)))
    named = {sku: str((attributes or {}).get(REPLACED_BY, "")) for sku, attributes in found}
    there = shelf.rows_of(session, [each for each in named.values() if each.isprintable()])
    return {sku: each for sku, each in named.items() if each in there}


def _gone(row: AnswerRow, line: OrderLine, successor: str | None) -> AnswerRow:
    name = _named(line)
    if successor is None:
        return replace(row, word=_("No longer sold"), details=[name], near=())
    detail = _("%(sku)s is sold in its place.", sku=successor)
    return replace(row, word=_("Replaced"), details=[name, detail], near=(successor,))


def _named(line: OrderLine) -> str:
    from storefront.language import text

    return f"{text(line.name)}, {format.quantity(line.quantity, line.unit)}"


def _compared(row: AnswerRow, lines: Sequence[OrderLine]) -> AnswerRow:
    """What was paid for it, when that was another price; nothing for a line that the old order has not."""
    if not lines or not row.sku:
        return row
    before = {_price(line) for line in lines}
    ordered = sum(line.quantity for line in lines)
    details = list(row.details)
    if row.quantity and row.quantity != ordered:
        details.insert(0, _("Last time %(quantity)s", quantity=format.quantity(ordered, lines[0].unit)))
    if row.price and before != {row.price}:
        details.insert(0, _("Price changed: last time %(price)s", price=", ".join(sorted(before))))
    elif row.price and row.is_orderable and row.quantity == ordered:
        details.insert(0, _("The same as last time"))
    return replace(row, details=details)


def _price(line: OrderLine) -> str:
    if line.unit_price is None:
        return "—"
    return format.unit_price(Decimal(line.unit_price), line.per, line.unit)
