"""Carts decided by another rule set than the one in force: a draft, or the same set without one exception.

For the desk alone: what a change would do, and what an exception has cost. Nothing here prices a buyer's page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import rules
from rules import Cart, CartError, Decision, Line, Product, Ruleset, TieError
from rules.offers import OfferRow, offer
from storefront.pricing.carts import Wanted
from storefront.pricing.facts import PRODUCT_FACTS, customer_facts, product_facts, products_table

if TYPE_CHECKING:
    from storefront.accounts.models import Company
    from storefront.shop import Shop


def facts_by_sku(session: Session, skus: Iterable[str]) -> dict[str, Product]:
    """Facts of products by SKU, those that are no longer sold as well; one query."""
    table = products_table()
    query = select(*(table.c[name] for name in PRODUCT_FACTS)).where(table.c.sku.in_(list(skus)))
    return {row.sku: product_facts(row) for row in session.execute(query)}


def decide_by(
    ruleset: Ruleset,
    session: Session,
    company: Company,
    wanted: Sequence[Wanted],
    *,
    shop: Shop,
    on: date,
    purpose: str = "normal",
    fixes: bool = False,
) -> Decision | None:
    """What `ruleset` decides of this company's lines; None when it cannot (a tie, or every product is gone)."""
    facts = facts_by_sku(session, {line.sku for line in wanted})
    lines = tuple(
        Line(line.line_id, facts[line.sku], line.quantity, line.attributes)
        for line in wanted
        if line.sku in facts
    )
    if not lines:
        return None
    cart = Cart(lines=lines, customer=customer_facts(session, company, on, shop), purpose=purpose)
    return _decided(ruleset, cart, on, fixes=fixes)


def _decided(ruleset: Ruleset, cart: Cart, on: date, *, fixes: bool = False) -> Decision | None:
    try:
        return rules.evaluate(ruleset, cart, on, fixes=fixes)
    except (CartError, TieError):
        return None


def prices_of(
    ruleset: Ruleset, session: Session, company: Company, sku: str, *, shop: Shop, on: date
) -> tuple[OfferRow, ...]:
    """This company's price table for one product; empty for a product that is gone or has no price."""
    facts = facts_by_sku(session, [sku])
    if sku not in facts:
        return ()
    cart = Cart((), customer_facts(session, company, on, shop))
    return offer(ruleset, cart, facts[sku], on).rows


class WithoutException:
    """A rule set with and without single exceptions; each variant is made once."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.known = {one.id for one in ruleset.exceptions}
        self._without: dict[str, Ruleset] = {}

    def decide(self, cart: Cart, on: date, exception: str) -> tuple[Decision | None, Decision | None]:
        """The cart with the exception, as the set stands, and without it."""
        less = self._without.get(exception)
        if less is None:
            kept = tuple(one for one in self.ruleset.exceptions if one.id != exception)
            less = self._without[exception] = replace(self.ruleset, exceptions=kept, compiled={})
        return _decided(self.ruleset, cart, on), _decided(less, cart, on)


def cart_of_order(
    lines: Sequence[tuple[str, int]],
    facts: Mapping[str, Product],
    customer: rules.Customer,
    **more: Any,
) -> Cart:
    """The cart of an order that was placed: its SKUs and pieces, with the facts of today."""
    return Cart(
        lines=tuple(
            Line(str(place), facts.get(sku) or Product(sku), quantity)
            for place, (sku, quantity) in enumerate(lines, 1)
        ),
        customer=customer,
        **more,
    )
