"""Rows to facts: what a rule may look at of a product or a company. One query each, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Select, Table, bindparam, case, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import rules
from rules import VISITOR, Catalog, Customer
from rules import Product as ProductFacts
from rules.money import to_major
from storefront.database import ReadSession

if TYPE_CHECKING:
    from storefront.accounts.models import Company
    from storefront.shop import Shop

PRODUCT_FACTS = (
    "sku", "category", "brand", "tags", "batch", "list_price", "cost", "weight_g", "tax", "cadence", "setup_key",
    "attributes", "pieces_per_case", "unit", "pieces_per_unit",
)  # fmt: skip
_HISTORY_FACTS = frozenset({"customer.orders", "customer.since_days", "customer.credit_left"})
_UNCONFIRMED = ("draft", "awaiting_approval", "awaiting_payment", "cancelled")


def products_by_sku(session: Session, skus: Iterable[str]) -> dict[str, Row[Any]]:
    """Active products by SKU, one query whatever their number."""
    wanted = list(skus)
    if not wanted:
        return {}
    return {row.sku: row for row in session.execute(_by_sku(), {"skus": wanted})}


@cache
def _by_sku() -> Select[Any]:
    table = products_table()
    columns = [column for column in table.c if column.name not in ("description", "search")]  # long, unread
    return select(*columns).where(table.c.sku.in_(bindparam("skus", expanding=True)), table.c.is_active)


def products_table() -> Table:
    """The products' table; imported late because the catalog's pages import this room."""
    from storefront.catalog import Product

    table: Any = Product.__table__
    return table  # type: ignore[no-any-return]


def product_facts(row: Any) -> ProductFacts:
    """A product's row (or record) as facts; an empty text or list is absent."""
    return ProductFacts(
        sku=row.sku,
        category=row.category or None,
        brand=row.brand or None,
        tags=tuple(row.tags) if row.tags else None,
        batch=row.batch or None,
        list_price=row.list_price,
        cost=row.cost,
        weight_g=row.weight_g,
        tax=row.tax or None,
        cadence=row.cadence or None,
        setup_key=row.setup_key or None,
        attributes=_typed(row.attributes),
        pieces_per_case=row.pieces_per_case,
        unit=row.unit or None,
        pieces_per_unit=None if row.pieces_per_unit is None else int(row.pieces_per_unit),
    )


def _typed(attributes: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """JSON knows no decimals, so those come back as floats; rules compare exact numbers."""
    if not attributes:
        return {}
    if not any(isinstance(value, float) for value in attributes.values()):
        return attributes
    return {
        name: Decimal(repr(value)) if isinstance(value, float) else value
        for name, value in attributes.items()
    }


def customer_facts(session: Session, company: Company | None, on: date, shop: Shop) -> Customer:
    """A company as facts; None is a visitor. History and credit are asked only when some rule looks at them."""
    if company is None:
        return VISITOR
    currency = shop.rulebook.current().policy.currency
    facts = _company_facts(company, currency)
    if not has_rules_of_history(shop):
        return facts
    orders, first_on, owed = _history(session, company.id)
    return replace(
        facts,
        orders=orders,
        since_days=None if first_on is None else (on - first_on).days,
        credit_left=None if facts.credit_limit is None else facts.credit_limit - to_major(owed, currency),
    )


def _company_facts(company: Company, currency: str) -> Customer:
    """What stands in the company's own row; its history and what it owes are asked apart."""
    limit = company.credit_limit_minor
    return Customer(
        code=company.code,
        group=company.group or None,
        tags=tuple(company.tags or ()),
        country=company.country or None,
        region=company.region or None,
        credit_limit=None if limit is None else to_major(limit, currency),
        terms=company.terms or None,
    )


def has_rules_of_history(shop: Shop) -> bool:
    """Whether some rule looks at a company's earlier orders or at the credit they leave."""
    edition = shop.rulebook.edition()
    return bool(edition.facts_used & _HISTORY_FACTS) or _has_credit_rule(edition.ruleset)


def _has_credit_rule(ruleset: rules.Ruleset) -> bool:
    return any(rule.group == "OR" and getattr(rule.effect, "credit", None) for rule in ruleset.rules)


def _history(session: Session, company_id: int) -> tuple[int, date | None, int]:
    """Confirmed orders not cancelled, the day of the first, and what open orders on account add up to."""
    from storefront.orders.credit import NET_TERMS, OWED
    from storefront.orders.models import Order

    known = session.info.setdefault("koguchi_history", {})  # a page asks for the same company several times
    if company_id in known and isinstance(session, ReadSession):
        return known[company_id]  # type: ignore[no-any-return]
    confirmed = Order.state.not_in(_UNCONFIRMED)
    is_owed = (Order.payment_code == NET_TERMS) & Order.state.in_(OWED)
    row = session.execute(
        select(
            func.count(case((confirmed, Order.id))),
            func.min(case((confirmed, Order.on))),
            func.coalesce(func.sum(case((is_owed, Order.total_minor), else_=0)), 0),
        ).where(Order.company_id == company_id)
    ).one()
    known[company_id] = (row[0], row[1], int(row[2]))
    return known[company_id]  # type: ignore[no-any-return]


def catalog_facts(shop: Shop, files: Catalog) -> Catalog:
    """The names rules may use: the folder's files, overridden row by row by the database."""
    from storefront.accounts.models import Company

    try:
        with Session(shop.databases.reading) as session:
            table = products_table()
            products = {row.sku: product_facts(row) for row in session.execute(select(table))}
            currency = shop.settings.currency
            customers = {
                company.code: _company_facts(company, currency)
                for company in session.scalars(select(Company))
            }
    except DBAPIError:
        return files  # no tables yet: a shop folder before `koguchi db upgrade`
    return Catalog(
        {**(files.products or {}), **products} or None,
        {**(files.customers or {}), **customers} or None,
    )
