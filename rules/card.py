"""The price and lot sheet of one customer: each product's prices, minimum, lot and fees, and the terms of an order.

Offers come from rules/offers.py; nothing here decides a price of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.evaluate import evaluate
from rules.facts import Cart, Customer, Line, Product
from rules.offers import Offer, offer
from rules.reach import may_concern_customer, may_concern_product
from rules.ruleset import QuantityEffect, Rule, Ruleset, SurchargeEffect

# What holds for whole orders; prices, minima and lots of single products stand in the rows.
_ORDER_GROUPS = ("OR", "SC", "DC", "LT", "SH", "PM")


@dataclass(frozen=True, slots=True)
class Card:
    """`offers` in the order of the products asked for, without hidden ones; `terms` by code."""

    customer: Customer
    on: date
    currency: str
    offers: tuple[Offer, ...]
    terms: tuple[Rule, ...]


def card(ruleset: Ruleset, customer: Customer, products: Iterable[Product], on: date) -> Card:
    """The card of a customer for these products on a date."""
    cart = Cart((), customer)
    wanted = list(products)
    offers = {product.sku: offer(ruleset, cart, product, on) for product in wanted}
    shown = [product for product in wanted if not offers[product.sku].is_hidden]
    return Card(
        customer,
        on,
        ruleset.policy.currency,
        tuple(_without_shared_fees(ruleset, offers[product.sku]) for product in shown),
        tuple(_terms(ruleset, customer, shown, offers, on)),
    )


def _without_shared_fees(ruleset: Ruleset, whole: Offer) -> Offer:
    """Only fees of the line or the product stand beside a price; what an order pays once is a term of the order."""
    own = {rule.code for rule in ruleset.rules if _is_of_one_product(rule)}
    rows = [
        replace(row, surcharge=sum(amount for code, amount in row.charges if code in own))
        for row in whole.rows
    ]
    return replace(whole, rows=tuple(rows))


def _is_of_one_product(rule: Rule) -> bool:
    effect = rule.effect
    if isinstance(effect, QuantityEffect):
        return effect.counts in ("line", "product")
    return isinstance(effect, SurchargeEffect) and effect.per in ("line", "product")


def _terms(
    ruleset: Ruleset, customer: Customer, products: Sequence[Product], offers: dict[str, Offer], on: date
) -> list[Rule]:
    """Live rules about orders that can concern this customer and a product shown, and that none outranks."""
    found = [
        rule
        for rule in ruleset.rules
        if rule.group in _ORDER_GROUPS
        and rule.mode == "live"
        and rule.is_in_force(on)
        and may_concern_customer(rule, customer)
        and any(may_concern_product(rule, product) for product in products)
    ]
    if not found:
        return []
    lines = tuple(
        Line(str(place), product, offers[product.sku].first) for place, product in enumerate(products, 1)
    )
    decision = evaluate(ruleset, Cart(lines, customer), on, fixes=False, explain=True)
    outranked = {one["code"] for one in decision.considered if one["status"] == "outranked_by"}
    won = {one["code"] for one in decision.considered if one["status"] == "applied"}
    return sorted((rule for rule in found if rule.code not in outranked - won), key=lambda rule: rule.code)
