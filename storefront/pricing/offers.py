"""A customer's price tables, and which products are hidden from them; equal questions are answered from memory.

Only pure answers are remembered, each under everything it depends on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import rules
from rules import Cart, Customer, Ruleset
from rules.offers import Offer, briefs, offer
from rules.offers import hidden_skus as skus_hidden
from storefront.pricing.facts import PRODUCT_FACTS, customer_facts, product_facts, products_table

if TYPE_CHECKING:
    from storefront.accounts.models import Company
    from storefront.shop import Shop


class _Remembered:
    """The latest answers of a pure function, by everything it depends on. Shared by threads, bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return None

    def put(self, key: Any, value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)


# An offer follows from rule set, date, customer and product alone, so equal ones may be answered from memory.
_BRIEFS = _Remembered(50_000)
_OFFERS = _Remembered(20_000)
_HIDDEN = _Remembered(500)


def _key(facts: Customer) -> Any:
    """A customer as a dictionary key; mappings become sorted pairs."""
    values = (getattr(facts, name) for name in facts.__slots__)
    return tuple(
        tuple(sorted(value.items(), key=lambda pair: pair[0])) if isinstance(value, Mapping) else value
        for value in values
    )


_plain_facts = attrgetter(*(name for name in rules.Product.__slots__ if name != "attributes"))


def _attributes(facts: rules.Product) -> Any:
    # The same Python value can be two facts (1 and True); their types are part of the key.
    found = facts.attributes
    return (
        tuple(sorted((name, type(value).__name__, value) for name, value in found.items())) if found else ()
    )


Ask = Callable[[Ruleset, Cart, list[rules.Product], date], Mapping[str, Offer]]


def _ask(
    memory: _Remembered,
    ask: Ask,
    ruleset: Ruleset,
    customer: Customer,
    products: Iterable[rules.Product],
    on: date,
) -> dict[str, Offer]:
    """Offers by SKU: those in memory, and fresh ones for the rest."""
    who = (ruleset.hash, on, _key(customer))
    found: dict[str, Offer] = {}
    unknown: dict[Any, rules.Product] = {}
    for facts in products:
        key = (who, _plain_facts(facts), _attributes(facts))
        known = memory.get(key)
        if known is None:
            unknown[key] = facts
        else:
            found[facts.sku] = known
    if unknown:
        fresh = ask(ruleset, Cart((), customer), list(unknown.values()), on)
        for key, facts in unknown.items():
            memory.put(key, fresh[facts.sku])
            found[facts.sku] = fresh[facts.sku]
    return found


def _whole(ruleset: Ruleset, cart: Cart, products: list[rules.Product], on: date) -> Mapping[str, Offer]:
    return {facts.sku: offer(ruleset, cart, facts, on) for facts in products}


def remembered_offers(
    ruleset: Ruleset, customer: Customer, products: Iterable[rules.Product], on: date
) -> dict[str, Offer]:
    """The customer's whole price tables by SKU."""
    return _ask(_OFFERS, _whole, ruleset, customer, products, on)


def offer_for(session: Session, company: Company | None, row: Any, *, shop: Shop, on: date) -> Offer:
    """This customer's whole price table, minimum, lot and surcharges for one product."""
    return offers_for(session, company, [row], shop=shop, on=on)[row.sku]


def offers_for(
    session: Session, company: Company | None, rows: Iterable[Any], *, shop: Shop, on: date
) -> dict[str, Offer]:
    """The same for several products, by SKU."""
    customer = customer_facts(session, company, on, shop)
    return remembered_offers(shop.rulebook.current(), customer, map(product_facts, rows), on)


def briefs_for(
    session: Session, company: Company | None, rows: Iterable[Any], *, shop: Shop, on: date
) -> dict[str, Offer]:
    """For catalog pages: this customer's first price and the next cheaper one of each product, by SKU."""
    customer = customer_facts(session, company, on, shop)
    return _ask(_BRIEFS, briefs, shop.rulebook.current(), customer, map(product_facts, rows), on)


def hidden_skus(session: Session, company: Company | None, *, shop: Shop, on: date) -> frozenset[str]:
    """SKUs of active products that the rules hide from this customer; no query when no rule hides anything."""
    ruleset = shop.rulebook.current()
    if not any(rule.group == "CA" and getattr(rule.effect, "hide", False) for rule in ruleset.rules):
        return frozenset()
    customer = customer_facts(session, company, on, shop)
    table = products_table()
    version = session.execute(select(func.count(), func.max(table.c.updated_at)).select_from(table)).one()
    key = (ruleset.hash, on, _key(customer), tuple(version))
    known: frozenset[str] | None = _HIDDEN.get(key)
    if known is None:
        rows = session.execute(select(*(table.c[name] for name in PRODUCT_FACTS)).where(table.c.is_active))
        known = frozenset(skus_hidden(ruleset, Cart((), customer), (product_facts(row) for row in rows), on))
        _HIDDEN.put(key, known)
    return known
