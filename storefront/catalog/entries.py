"""A product as one row of a list: this customer's price, stock, and the smallest lot, ready to print.

Formats only; offers come from pricing and levels from stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from flask import request
from markupsafe import Markup, escape

from rules.offers import Offer
from storefront import format
from storefront.catalog import shelf
from storefront.explained import tax_words
from storefront.language import _, text
from storefront.stock import Level

LOW_LOTS = 3  # stock for at most so many smallest orders is called low


@dataclass(frozen=True, slots=True)
class StockWord:
    """Stock by shape and word: full, half, none or made, with a further line."""

    kind: str
    word: str
    note: str | Markup = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list. `state` is price, login, quotation or closed; without a price `price` is empty."""

    sku: str
    href: str
    name: str
    spec: str
    drawing: str | None
    state: str
    price: str
    next_price: str
    tax: str
    stock: StockWord
    quantity: int
    step: int
    unit: str
    lot: str
    codes: tuple[str, ...]
    state_code: str | None


def entries(
    rows: Iterable[Any],
    offers: Mapping[str, Offer],
    rates: Mapping[str, Decimal],
    default_tax: str,
    currency: str,
) -> list[Entry]:
    """The rows of a page, in their order; a product without an offer is left out."""
    return [
        _entry(row, offers[row.sku], rates, default_tax, currency)
        for row in rows
        if row.sku in offers and not offers[row.sku].is_hidden
    ]


def _entry(row: Any, offer: Offer, rates: Mapping[str, Decimal], default_tax: str, currency: str) -> Entry:
    first = offer.rows[0] if offer.rows else None
    cheaper = offer.rows[1] if len(offer.rows) > 1 else None
    next_price = ""
    if cheaper is not None:
        next_price = _(
            "%(price)s from %(quantity)s",
            price=lot_price(cheaper.unit_price, cheaper.per, currency),
            quantity=format.quantity(cheaper.start, row.sales_unit),
        )
    category = row.tax or default_tax
    return Entry(
        sku=row.sku,
        href=product_href(row.sku),
        name=text(row.name),
        spec=text(row.spec),
        drawing=drawing_href(row.drawing),
        state=state_of(offer),
        price=""
        if first is None
        else format.unit_price(first.unit_price, first.per, row.sales_unit, currency),
        next_price=next_price,
        tax="" if category == default_tax else tax_words(category, rates),
        stock=stock_word(row, shelf.level_of(row), offer.first),
        quantity=offer.first,
        step=offer.step,
        unit=format.unit_name(row.sales_unit),
        lot=lot_sentence(offer, row),
        codes=quantity_codes(offer),
        state_code=offer.issue.code if offer.issue is not None else None,
    )


def state_of(offer: Offer) -> str:
    """How a product can be had: price, login (sign in first), quotation, or closed (not at present)."""
    if offer.issue is None:
        return "price"
    if offer.outcome == "quotation":
        return "quotation"
    return "login" if offer.issue.field == "login" else "closed"


def lot_price(price: Decimal | None, per: int, currency: str) -> str:
    """A price without its unit, as under the first price: ¥65.00, and ¥990 for a hundred."""
    if price is None:
        return ""
    return format.price(price, currency, decimals=0 if per > 1 and price == price.to_integral_value() else 2)


def quantity_codes(offer: Offer) -> tuple[str, ...]:
    """The rules that decide the smallest order and its lot, each once."""
    return tuple(dict.fromkeys((offer.codes or {}).values()))


def lot_sentence(offer: Offer, row: Any) -> str:
    """From 20 pcs, in lots of 20; empty when any number can be ordered."""
    if offer.allowed:
        return _("only %(list)s", list=", ".join(format.number(one) for one in offer.allowed))
    first, step = format.quantity(offer.first, row.sales_unit), format.quantity(offer.step, row.sales_unit)
    if offer.first > 1 and offer.step > 1:
        return _("from %(first)s, in lots of %(step)s", first=first, step=step)
    if offer.first > 1:
        return _("from %(first)s", first=first)
    return _("in lots of %(step)s", step=step) if offer.step > 1 else ""


def stock_word(row: Any, level: Level | None, first: int) -> StockWord:
    """In stock, low, out, or made to order, and when more arrives."""
    if level is None:
        return _made(row) if row.made_to_order else StockWord("full", _("Always available"))
    arrives: str | Markup = ""
    if level.next_arrival_on is not None:
        sentence = escape(_("next arrival %(day)s", day="{}"))
        arrives = sentence.format(format.day(level.next_arrival_on))
    if level.available >= max(first, 1):
        there = format.quantity(level.available, row.sales_unit)
        if level.available > LOW_LOTS * first:
            return StockWord("full", _("In stock %(quantity)s", quantity=there))
        return StockWord("half", _("%(quantity)s left", quantity=there), arrives)
    if row.made_to_order:
        return _made(row)
    if level.orderable >= max(first, 1):
        return StockWord("none", _("On backorder"), arrives)
    return StockWord("none", _("Out of stock"), arrives)


def _made(row: Any) -> StockWord:
    days = row.lead_days
    return StockWord("made", _("Made to order"), _("%(days)s working days", days=days) if days else "")


def product_href(sku: str) -> str:
    """The address of a product page."""
    return f"{request.script_root}/products/{quote(sku, safe='')}"


def drawing_href(name: str | None) -> str | None:
    """The address of a drawing, None when there is none that can be shown."""
    if not name or not name.endswith(".svg"):
        return None
    return f"{request.script_root}/drawings/{quote(name, safe='')}"
