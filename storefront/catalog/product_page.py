"""One product for this customer: price table, minimum, lot, surcharges and the total of the quantity typed.

The fragment that htmx asks for while somebody types is the same answer as the page, from the same view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from flask import Blueprint, abort, render_template, request
from markupsafe import Markup
from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from rules.offers import Offer, OfferRow
from storefront import explained, format, pricing
from storefront.access import current_company, public
from storefront.accounts import Company
from storefront.catalog import shelf
from storefront.catalog.entries import (
    drawing_href,
    lot_price,
    lot_sentence,
    quantity_codes,
    state_of,
    stock_word,
)
from storefront.catalog.models import Category, Product
from storefront.clock import today
from storefront.database import get_session
from storefront.language import _, text
from storefront.pricing import PricedCart, Wanted
from storefront.quantity import QuantityRefused, QuantityText, parse_quantity
from storefront.shop import current_shop

bp = Blueprint("product", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the quantities side by side: what it costs in all, and whether a fee is in it."""

    quantity: int
    label: str
    total: str
    note: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A row of the price table."""

    quantities: str
    price: str
    off: str
    fee: str
    is_now: bool
    codes: tuple[str, ...]


@bp.get("/products/<sku>")
@public
def show(sku: str) -> Any:
    """The page, or for htmx the part of it that depends on the quantity."""
    return page(sku, request.args.get("quantity"))


def page(sku: str, typed: str | None) -> tuple[str, int]:
    """The page for the quantity typed, 422 when that is none; what was typed stays in the field."""
    session, company, shop, on = get_session(), current_company(), current_shop(), today()
    row = _product(session, sku)
    if row is None:
        abort(404)
    offer = pricing.offer_for(session, company, row, shop=shop, on=on)
    if offer.is_hidden:
        abort(404)
    asked = QuantityText(str(offer.first), offer.first) if typed is None else parse_quantity(typed, row)
    status = 422 if isinstance(asked, QuantityRefused) else 200
    answer = _answer(session, row, offer, asked, on)
    if "HX-Request" in request.headers:
        return render_template("catalog/_product_live.html", row=row, **answer), status
    last = _last_ordered(session, company, row.sku) if company is not None else None
    body = render_template(
        "catalog/product.html",
        row=row,
        trail=_trail(session, row.category),
        drawing=drawing_href(row.drawing),
        facts=_facts(row, last),
        stock=stock_word(row, shelf.level_of(row), offer.first),
        **answer,
    )
    return body, status


# Statements are built once and run with the values of each request: building one costs more than running it.
_OF_SKU = shelf.rows_with_stock(*shelf.COLUMNS, Product.description).where(
    Product.sku == bindparam("its_sku")
)
_NAMES = select(Category.path, Category.name).where(Category.path.in_(bindparam("paths", expanding=True)))


def _product(session: Session, sku: str) -> Row[Any] | None:
    return session.execute(_OF_SKU, {"its_sku": sku}).one_or_none() if sku.isprintable() else None


def _answer(
    session: Session, row: Row[Any], offer: Offer, asked: QuantityText | QuantityRefused, on: date
) -> dict[str, Any]:
    """Everything that changes with the quantity."""
    shop, level = current_shop(), shelf.level_of(row)
    policy = shop.rulebook.current().policy
    rates: Mapping[str, Decimal] = policy.rates_on(on)
    category = row.tax or policy.tax_default
    quantity = asked.quantity if isinstance(asked, QuantityText) else offer.first
    refused = asked.sentence if isinstance(asked, QuantityRefused) else None
    priced = _priced(session, row, quantity, on, offer=offer)
    decision = priced.decision
    is_priced = state_of(offer) == "price"
    refusal = explained.stock_refusal(quantity, level, row) if is_priced else None
    is_fine = is_priced and refusal is None and _can_go(priced)
    issues = explained.worst(priced.lines[0].issues)
    fixes = explained.possible(priced.lines[0].fixes, level)
    steps = explained.price_steps(priced.lines[0].line, row, decision.currency)
    if decision.surcharges or decision.discounts:
        steps += explained.surcharge_steps(decision.surcharges, decision.currency)
        steps += explained.discount_steps(decision.discounts, decision.currency)
        steps.append(explained.total_step(decision.subtotal, decision.currency))
    return {
        "offer": offer,
        "state": state_of(offer),
        "asked": asked,
        "quantity": quantity,
        "typed": asked.typed if isinstance(asked, QuantityRefused) else str(quantity),
        "refused": refused,
        "echo": explained.pieces(quantity, row) if _shows_echo(asked, row) else None,
        "tax": explained.tax_words(category, rates),
        "lot": lot_sentence(offer, row),
        "lot_codes": quantity_codes(offer),
        "lot_reasons": list(dict.fromkeys(text(one) for one in (offer.reasons or {}).values())),
        "total": format.money(decision.subtotal) if is_fine else None,
        "total_with_tax": format.money(decision.total),
        "is_orderable": is_fine and isinstance(asked, QuantityText),
        "issues": [(one.outcome, one.code, explained.message(one)) for one in issues],
        "order_notes": [
            (one.code, explained.message(one)) for one in explained.worst(priced.issues_of_order())
        ]
        if is_fine
        else [],
        "stock_refusal": refusal,
        "stock_way": _stock_way(level, offer, row) if refusal else None,
        "ways": explained.ways(
            fixes, row, decision.subtotal if is_fine else None, decision.subtotal, decision.currency
        ),
        "choices": _choices(session, row, offer, priced, quantity, refused is None, on) if is_priced else [],
        "cheaper": is_fine
        and explained.advised(priced.lines[0].advice, row, quantity, level, decision.currency),
        "steps": explained.with_sum(steps) if is_fine else [],
        "table": _table(offer, row, quantity, decision.currency) if is_priced else [],
        "table_per": offer.rows[0].per if len({one.per for one in offer.rows}) == 1 else 1,
    }


def _shows_echo(asked: QuantityText | QuantityRefused, row: Any) -> bool:
    if isinstance(asked, QuantityRefused):
        return False
    is_counted_otherwise = bool(row.unit and row.pieces_per_unit) or (row.pieces_per_case or 0) > 1
    return asked.is_normalised or (is_counted_otherwise and asked.quantity >= (row.pieces_per_case or 1))


def _priced(
    session: Session, row: Row[Any], quantity: int, on: date, *, offer: Offer | None = None
) -> PricedCart:
    """The product alone in this quantity, with fixes and advice where its `offer` is given."""
    priced = pricing.price(
        session,
        current_company(),
        [Wanted(row.sku, quantity, "1")],
        shop=current_shop(),
        on=on,
        rows={row.sku: row},
        fixes=offer is not None,
        offers=None if offer is None else {row.sku: offer},
    )
    assert priced is not None  # the row is there
    return priced


def _can_go(priced: PricedCart) -> bool:
    """Whether the product's own line can be ordered; what is asked of a whole order is settled in the cart."""
    return priced.lines[0].line.outcome in explained.ORDERABLE


def _stock_way(level: Any, offer: Offer, row: Any) -> explained.Way | None:
    """The largest orderable quantity that stock can give."""
    most = level.orderable // offer.step * offer.step
    if most < offer.first:
        return None
    label = _("Make it %(quantity)s", quantity=format.quantity(most, row.sales_unit))
    return explained.Way(most, label, _("all that can be sent"))


def _choices(
    session: Session, row: Row[Any], offer: Offer, priced: PricedCart, quantity: int, is_typed: bool, on: date
) -> list[Choice]:
    """Three quantities side by side: the step before, the one typed, the next where something changes."""
    level = shelf.level_of(row)
    starts = [one.start for one in offer.rows if level is None or one.start <= level.orderable]
    before = [start for start in starts if start < quantity][-2:]
    after = [start for start in starts if start > quantity]
    is_fine = _can_go(priced) and (level is None or quantity <= level.orderable)
    wanted = [quantity] if is_fine else []
    for more in (2, 5, 10):  # nothing changes further up: rounder multiples of the lot
        one = -(-quantity * more // offer.step) * offer.step
        if (
            not after
            and (offer.maximum is None or one <= offer.maximum)
            and (level is None or one <= level.orderable)
        ):
            after.append(one)
    picked = sorted((before[-1:] + wanted + after)[:3])
    if len(picked) < 3 and len(before) > 1:
        picked = sorted({before[-2], *picked})
    currency = priced.decision.currency
    fees = bool(priced.decision.surcharges) or any(row.surcharge for row in offer.rows)
    found = []
    for one in picked:
        there = priced if one == quantity else _priced(session, row, one, on)
        if not _can_go(there):
            continue
        decision = there.decision
        fee = sum(charge.amount for charge in decision.surcharges)
        note = _("with fee") if fee else (_("no fee") if fees else "")
        label = format.quantity(one, row.sales_unit)
        total = format.money(decision.subtotal, currency)
        is_now = one == quantity and is_typed
        found.append(Choice(one, label, total, _("chosen") if is_now else note, is_now))
    return found


def _table(offer: Offer, row: Any, quantity: int, currency: str) -> list[PriceRow]:
    """This customer's prices by quantity."""
    return [_price_row(one, offer, row, quantity, currency) for one in offer.rows]


def _price_row(one: OfferRow, offer: Offer, row: Any, quantity: int, currency: str) -> PriceRow:
    last = one.end
    if last is not None and offer.step > 1:
        last = max(one.start, last // offer.step * offer.step)
    if last is None:
        quantities = _("%(start)s or more", start=format.number(one.start))
    elif last == one.start:
        quantities = format.number(one.start)
    else:
        quantities = f"{one.start:,}–{last:,}"
    off = ""
    if offer.list_price and one.unit_price is not None:
        share = 1 - one.unit_price * offer.list_per / (offer.list_price * one.per)
        if share > 0:
            off = f"{format.MINUS}{format.number(round(share * 100, 1).normalize())}%"
    return PriceRow(
        quantities=quantities,
        price=lot_price(one.unit_price, one.per, currency)
        + ("" if one.per == 1 else f"/{format.quantity(one.per, row.sales_unit)}"),
        off=off,
        fee=format.money(one.surcharge, currency) if one.surcharge else _("none"),
        is_now=one.start <= quantity and (one.end is None or quantity <= one.end),
        codes=one.codes,
    )


def _trail(session: Session, path: str | None) -> list[tuple[str, str]]:
    """The categories above a product, by name."""
    if not path:
        return []
    parts = path.split("/")
    paths = ["/".join(parts[: place + 1]) for place in range(len(parts))]
    names = session.execute(_NAMES, {"paths": paths})
    named = {one.path: text(one.name) for one in names}
    return [(one, named.get(one, one.rsplit("/", 1)[-1])) for one in paths]


def _last_ordered(session: Session, company: Company, sku: str) -> Any:
    """When this company last ordered the product, and how many."""
    return session.execute(_orders_of_product(), {"its_company": company.id, "its_sku": sku}).first()


@cache
def _orders_of_product() -> Select[datetime, int]:
    from storefront.orders import Order, OrderLine

    return (
        select(Order.placed_at, func.sum(OrderLine.quantity).label("quantity"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.company_id == bindparam("its_company"),
            OrderLine.sku == bindparam("its_sku"),
            Order.state != "cancelled",
        )
        .group_by(Order.id)
        .order_by(Order.placed_at.desc())
        .limit(1)
    )


def _facts(row: Any, last: Any) -> list[tuple[str, str | Markup]]:
    """Plain facts, each a word and what it says."""
    names = {
        "material": _("Material"),
        "finish": _("Finish"),
        "thread": _("Thread"),
        "length_mm": _("Length (mm)"),
        "diameter_mm": _("Diameter (mm)"),
    }
    facts: list[tuple[str, str | Markup]] = [
        (names.get(key, key), _fact(value)) for key, value in (row.attributes or {}).items()
    ]
    if row.brand:
        facts.append((_("Maker"), row.brand))
    if row.weight_g is not None and (row.weight_g != 1 or text(row.sales_unit) != "g"):  # 1 g weighs 1 g
        one = format.quantity(1, row.sales_unit)
        facts.append((_("Weight"), f"{one} {format.number(row.weight_g)} g"))
    if (row.pieces_per_case or 0) > 1:
        facts.append((_("One case"), format.quantity(row.pieces_per_case, row.sales_unit)))
    if row.unit and row.pieces_per_unit:
        one = format.quantity(int(row.pieces_per_unit), row.sales_unit)
        facts.append((_("Unit"), f"1 {row.unit} = {one}"))
    if last is not None:
        ordered = format.quantity(int(last.quantity), row.sales_unit)
        facts.append((_("Your last order"), Markup("{} {}").format(format.day(last.placed_at), ordered)))
    return facts


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        value = Decimal(repr(value))
    return format.number(value) if isinstance(value, int | Decimal) else str(value)
