"""The pages on which products are found: home and the catalog, each product at this customer's own price.

Never shows a product that the rules hide, and never sorts by anything but what this customer sees.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, current_app, render_template, request
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import ServiceUnavailable

from rules import CartError, MatcherError, TieError
from storefront import explained, pricing
from storefront.access import current_company, public
from storefront.catalog import drawings, shelf
from storefront.catalog.entries import Entry, entries
from storefront.catalog.models import Category, Product
from storefront.clock import today
from storefront.database import get_session
from storefront.language import _, language, text
from storefront.rulebook import NoRulesError
from storefront.security import error_page
from storefront.shop import current_shop

bp = Blueprint("catalog", __name__)
FAVOURITES = 6


def init_app(app: Flask) -> None:
    """The drawings belong to the catalog; a page that the rules leave without an answer says so and sells nothing."""
    app.register_blueprint(drawings.bp)
    for error in (CartError, TieError, MatcherError, NoRulesError):
        app.register_error_handler(error, _unpriced)


def _unpriced(error: Exception) -> Any:
    current_app.logger.error("the rules gave no answer: %s", error)
    return error_page(ServiceUnavailable())


@bp.get("/products")
@public
def products() -> Any:
    """Search, filter, sort and page through the catalog."""
    asked = shelf.Asked.of(request.args)
    session, company, shop, on = get_session(), current_company(), current_shop(), today()
    hidden = pricing.hidden_skus(session, company, shop=shop, on=on)
    where = shelf.conditions(session, asked, hidden)
    shelves = shelf.shelves(session, where)
    count = shelf.total(shelves, asked.categories)
    asked, pages = shelf.with_page(asked, count)
    can_sort = count <= shelf.MOST_SORTED_BY_PRICE
    query = shelf.matching(session, asked, where)
    if asked.sort == "price" and can_sort:
        rows, offers = _cheapest_first(session, asked, query)
    else:
        rows = shelf.page_of(session, asked, query, language()) if count else []
        offers = pricing.briefs_for(session, company, rows, shop=shop, on=on) if rows else {}
    near = [] if count or not asked.text else _near(session, asked.text, hidden)
    return render_template(
        "catalog/products.html",
        asked=asked,
        shelves=[(each.path, text(each.name) or each.path, each.count) for each in shelves if each.path],
        count=count,
        pages=pages,
        size=shelf.PER_PAGE,
        can_sort_by_price=can_sort,
        entries=_entries(rows, offers),
        near=near,
        chips=_chips(asked, shelves),
        search_text=asked.text,
        tax_words=explained.tax_words(_default_tax(), _rates()),
    )


def _chips(asked: shelf.Asked, shelves: list[shelf.Shelf]) -> list[tuple[str, str]]:
    """Each filter that is set with the address of the page without it."""
    names = {each.path: text(each.name) or each.path for each in shelves}

    def without(path: str | None, stock: bool) -> str:
        kept = [("q", asked.text), ("sort", asked.sort), ("stock", "1" if stock else "")]
        kept += [("category", one) for one in asked.categories if one != path]
        return f"{request.script_root}/products?{urlencode([pair for pair in kept if pair[1]])}"

    chips = [(names.get(path, path), without(path, asked.in_stock)) for path in asked.categories]
    return chips + ([(_("In stock"), without(None, False))] if asked.in_stock else [])


def _cheapest_first(
    session: Session, asked: shelf.Asked, query: Any
) -> tuple[list[Row[Any]], dict[str, pricing.Offer]]:
    """One page by this customer's first price per piece; what has no price for them comes last."""
    rows = list(session.execute(query.order_by(Product.sku_order).limit(shelf.MOST_SORTED_BY_PRICE)))
    offers = pricing.briefs_for(session, current_company(), rows, shop=current_shop(), on=today())

    def price(row: Row[Any]) -> tuple[bool, Decimal]:
        first = offers[row.sku].rows[0] if offers[row.sku].rows else None
        if first is None or first.unit_price is None:
            return True, Decimal(0)
        return False, first.unit_price / first.per

    rows.sort(key=price)
    first = (asked.page - 1) * shelf.PER_PAGE
    return rows[first : first + shelf.PER_PAGE], offers


def _near(session: Session, words: str, hidden: frozenset[str]) -> list[str]:
    return shelf.nearest_skus(session, [words], hidden).get(words, [])


def _entries(rows: list[Row[Any]], offers: dict[str, pricing.Offer]) -> list[Entry]:
    policy = current_shop().rulebook.current().policy
    return entries(rows, offers, _rates(), policy.tax_default, policy.currency)


def _rates() -> dict[str, Decimal]:
    rates: dict[str, Decimal] = current_shop().rulebook.current().policy.rates_on(today())
    return rates


def _default_tax() -> str:
    return str(current_shop().rulebook.current().policy.tax_default)


@bp.get("/")
@public
def home() -> Any:
    """What this company orders most and last; for a visitor, what the shop has."""
    session, company, shop, on = get_session(), current_company(), current_shop(), today()
    hidden = pricing.hidden_skus(session, company, shop=shop, on=on)
    if company is None:
        return render_template("catalog/welcome.html", shelves=_top_shelves(session, hidden))
    from storefront.orders import Order, OrderLine  # orders know products; the home page knows both

    counted = (
        select(OrderLine.sku, func.count().label("times"), func.max(Order.placed_at).label("last_at"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.company_id == company.id, Order.state != "cancelled")
        .group_by(OrderLine.sku)
        .subquery()
    )
    usual = shelf.rows_with_stock().join(counted, counted.c.sku == Product.__table__.c.sku)
    usual = usual.where(Product.sku.not_in(sorted(hidden))) if hidden else usual
    usual = usual.order_by(counted.c.times.desc(), counted.c.last_at.desc(), Product.sku_order).limit(
        FAVOURITES
    )
    rows = list(session.execute(usual))
    offers = pricing.briefs_for(session, company, rows, shop=shop, on=on) if rows else {}
    last = session.execute(
        select(Order.number, Order.placed_at, Order.subtotal_minor, func.count(OrderLine.id).label("lines"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.company_id == company.id)
        .group_by(Order.id)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(1)
    ).first()
    return render_template(
        "catalog/home.html",
        entries=_entries(rows, offers),
        last=last,
        tax_words=explained.tax_words(_default_tax(), _rates()),
    )


def _top_shelves(session: Session, hidden: frozenset[str]) -> list[tuple[str, str, int]]:
    """Categories of the first level with all that is below them."""
    counts: dict[str, int] = {}
    for each in shelf.shelves(session, shelf.conditions(session, shelf.Asked(), hidden)):
        if each.path:
            top = each.path.split("/")[0]
            counts[top] = counts.get(top, 0) + each.count
    names = session.execute(
        select(Category.path, Category.name)
        .where(Category.path.in_(sorted(counts)))
        .order_by(Category.position)
    )
    named = {row.path: text(row.name) for row in names}
    return [
        (path, named.get(path, path), counts[path]) for path in [*named, *sorted(set(counts) - set(named))]
    ]
