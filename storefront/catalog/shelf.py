"""What stands on the shelf for one question: search, categories, stock and order, in a fixed number of queries.

Reads columns, not objects. Products hidden from this customer take no part in rows, counts or neighbours.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, case, false, func, or_, select
from sqlalchemy.orm import Session

from storefront import search
from storefront.catalog import Category, Product
from storefront.stock import Level, StockItem, available

PER_PAGE = 24
MOST_SORTED_BY_PRICE = (
    2_000  # prices are this customer's own: each product in the list is asked for its price
)
SORTS = ("sku", "name", "price")
_UNREAD = {"description", "search", "created_at", "updated_at"}
_product = Product.__table__.c
_stock = StockItem.__table__.c
COLUMNS = [column for column in _product if column.name not in _UNREAD]
STOCK = [_stock.on_hand, _stock.reserved, _stock.buffer, _stock.backorder_limit, _stock.next_arrival_on]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a catalog page was asked for, made harmless: unknown words fall back, numbers stay in bounds."""

    text: str = ""
    categories: tuple[str, ...] = ()
    in_stock: bool = False
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, args: Any) -> Asked:
        """Read a request's query."""
        page = args.get("page", "")
        sort = args.get("sort", "")
        return cls(
            text=_printable(args.get("q", ""))[: search.LONGEST_QUERY],
            categories=tuple(dict.fromkeys(path[:200] for path in args.getlist("category")[:20] if path)),
            in_stock=args.get("stock") == "1",
            sort=sort if sort in SORTS else "",
            page=min(int(page), 10_000) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with the number of products in it that the question leaves over."""

    path: str
    name: Mapping[str, str] | None
    count: int


def rows_with_stock(*columns: Any) -> Select[Any]:
    """Active products with their stock beside them; a product without a stock row has None there."""
    query = select(*(columns or COLUMNS), *STOCK)
    query = query.select_from(
        Product.__table__.outerjoin(StockItem.__table__, _stock.product_id == _product.id)
    )
    return query.where(_product.is_active)


_OF_SKUS = rows_with_stock().where(_product.sku.in_(bindparam("skus", expanding=True)))


def rows_of(session: Session, skus: Collection[str]) -> dict[str, Row[Any]]:
    """Active products by SKU with their stock, one query whatever their number."""
    return {row.sku: row for row in session.execute(_OF_SKUS, {"skus": list(skus)})}


def conditions(session: Session, asked: Asked, hidden: Collection[str]) -> list[ColumnElement[bool]]:
    """Everything but the categories, so that each category's count says what choosing it would show."""
    found: list[ColumnElement[bool]] = []
    if hidden:
        found.append(_product.sku.not_in(sorted(hidden)))
    if asked.text:
        words = search.matches(asked.text, Product.__table__, session.get_bind().dialect.name)
        key = search.sku_key(asked.text)
        begins = search.starts_with(_product.sku_key, key) if key else false()
        found.append(begins if words is None else or_(words, begins))
    if asked.in_stock:
        free = _stock.on_hand - _stock.reserved - _stock.buffer
        found.append(or_(free > 0, _stock.on_hand.is_(None) & ~_product.made_to_order))
    return found


def shelves(session: Session, where: Sequence[ColumnElement[bool]]) -> list[Shelf]:
    """Every category that has products left, in the shop's order."""
    category = Category.__table__.c
    query = rows_with_stock(_product.category, func.count().label("products"))
    query = query.with_only_columns(_product.category, func.count().label("products")).where(*where)
    counted = query.group_by(_product.category).subquery()
    named = select(counted.c.category, category.name, counted.c.products).select_from(
        counted.outerjoin(Category.__table__, category.path == counted.c.category)
    )
    ordered = named.order_by(category.position, counted.c.category)
    return [Shelf(row.category or "", row.name, row.products) for row in session.execute(ordered)]


def total(all_shelves: Sequence[Shelf], categories: Sequence[str]) -> int:
    """How many products the chosen categories hold; all of them when none is chosen."""
    return sum(shelf.count for shelf in all_shelves if not categories or _is_in(shelf.path, categories))


def _is_in(path: str, categories: Sequence[str]) -> bool:
    return any(path == chosen or path.startswith(f"{chosen}/") for chosen in categories)


def in_categories(categories: Sequence[str]) -> ColumnElement[bool]:
    """Products in one of these categories or below it."""
    return or_(
        *(
            (_product.category == path) | _product.category.startswith(f"{path}/", autoescape=True)
            for path in categories
        )
    )


def matching(session: Session, asked: Asked, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The rows a question is about, without order and page."""
    query = rows_with_stock().where(*where)
    return query.where(in_categories(asked.categories)) if asked.categories else query


def page_of(session: Session, asked: Asked, query: Select[Any], lang: str) -> list[Row[Any]]:
    """One page, sorted by SKU or name, or with a search the closest SKUs first."""
    first = (asked.page - 1) * PER_PAGE
    query = query.order_by(*_order(asked, lang)).limit(PER_PAGE).offset(first)
    return list(session.execute(query))


def _order(asked: Asked, lang: str) -> list[ColumnElement[Any]]:
    if asked.sort == "name":
        name: Any = Product.name
        return [func.coalesce(name[lang].as_string(), name["ja"].as_string()), _product.sku_order]
    if asked.text and not asked.sort:
        key = search.sku_key(asked.text)
        names: Any = Product.name
        words = unicodedata.normalize("NFKC", asked.text).split()[:1]
        named = [
            names[one].as_string().icontains(each, autoescape=True) for one in ("ja", "en") for each in words
        ]
        closeness = case(
            (_product.sku_key == key, 0),
            (search.starts_with(_product.sku_key, key), 1),
            (or_(false(), *named), 2),  # what is called so comes before what only mentions it
            else_=3,
        )
        return [closeness, _product.sku_order]
    return [_product.sku_order, _product.id]


def with_page(asked: Asked, products: int) -> tuple[Asked, int]:
    """The question with a page that exists, and the number of pages."""
    pages = max(1, -(-products // PER_PAGE))
    return replace(asked, page=min(max(asked.page, 1), pages)), pages


def level_of(row: Any) -> Level | None:
    """What can be sold of a row with stock columns; None for a product that is not kept in stock."""
    if row.on_hand is None:
        return None
    free = available(row)
    return Level(max(free, 0), max(free + row.backorder_limit, 0), row.next_arrival_on)


def nearest_skus(session: Session, wanted: Sequence[str], hidden: Collection[str]) -> dict[str, list[str]]:
    """For SKUs nobody has, up to three visible ones spelled nearly so; one query whatever their number."""
    condition = search.near_condition(_product.sku_key, wanted)
    if condition is None:
        return {}
    query = (
        select(_product.sku_key, _product.sku).where(_product.is_active, condition).order_by(_product.sku_key)
    )
    near = {row.sku_key: row.sku for row in session.execute(query.limit(1_000)) if row.sku not in hidden}
    return {sku: [near[key] for key in search.nearest(sku, near)] for sku in wanted}
