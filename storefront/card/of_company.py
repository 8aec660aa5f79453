"""The card of a company of this shop, as rules, products and orders stand; needs an application context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.card import card
from storefront import pricing
from storefront.accounts.models import Company
from storefront.card.items import usual_items
from storefront.card.sheet import MOST_ROWS, CardPaper, Names
from storefront.catalog.models import Category, Product
from storefront.database import get_session
from storefront.shop import Shop, current_shop


def company_card(company: Company, on: date, skus: Sequence[str] = ()) -> CardPaper:
    """The card as of a day: for the products named, else for those the company orders most."""
    shop, session = current_shop(), get_session()
    rows = _rows(session, skus) if skus else [row for row, _last in _usual(company, on, MOST_ROWS + 1)]
    facts = pricing.customer_facts(session, company, on, shop)
    made = card(shop.rulebook.current(), facts, map(pricing.product_facts, rows), on)
    settings = shop.settings
    return CardPaper(
        made,
        Names(
            {row.sku: row.name for row in rows},
            {row.sku: row.sales_unit for row in rows},
            _words(session, shop),
        ),
        customer=company.name,
        shop=(settings.legal_name or settings.name).model_dump(),
        contact=" ".join(part for part in (settings.phone, settings.base_url) if part),
        url=f"{settings.base_url.rstrip('/')}/quick-order?card=1",
    )


def order_lines(company: Company, on: date) -> str:
    """What the code of a card opens: its products with the quantity last ordered, else the smallest, one a line."""
    session, shop = get_session(), current_shop()
    items = _usual(company, on, MOST_ROWS)
    offers = pricing.briefs_for(session, company, [row for row, _last in items], shop=shop, on=on)
    return "\n".join(
        f"{row.sku}\t{last or offers[row.sku].first}" for row, last in items if offers[row.sku].rows
    )


def _usual(company: Company, on: date, most: int) -> list[tuple[Any, int | None]]:
    session = get_session()
    hidden = pricing.hidden_skus(session, company, shop=current_shop(), on=on)
    return usual_items(session, company.id, on, most=most, hidden=hidden)


def _rows(session: Session, skus: Sequence[str]) -> list[Any]:
    table = Product.__table__
    found = {row.sku: row for row in session.execute(select(table).where(table.c.sku.in_(skus)))}
    return [found[sku] for sku in skus if sku in found]


def _words(session: Session, shop: Shop) -> dict[str, Mapping[str, str]]:
    """What categories and methods are called, by their code."""
    words = {row.path: row.name for row in session.execute(select(Category.path, Category.name))}
    return words | {
        code: each.label for code, each in (shop.plugins.payments | shop.plugins.shipping).items()
    }
