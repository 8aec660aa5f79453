"""Carts as JSON, from the API: facts of what they name, one evaluation each. Nothing is stored.

A company asks as itself alone: facts, exceptions and channels that are not its own are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import rules
from rules import Cart, CartError, Catalog, Customer, Decision, Fault, TieError
from rules.advice import Advice, advise
from rules.offers import hidden_skus
from rules.values import clean
from storefront.pricing.facts import customer_facts, product_facts, products_by_sku
from storefront.pricing.offers import remembered_offers

if TYPE_CHECKING:
    from storefront.accounts.models import Company
    from storefront.shop import Shop

OWN_CHANNELS = ("web", "api")  # the others are the shop's own people
_OWN_ONLY = "this key evaluates as its own company only; leave it out."
_NEEDS_ANY = "needs a key with the scope evaluate:any."


@dataclass(frozen=True, slots=True)
class Refused:
    """A cart that was not evaluated. `kind` is cart (wrong input), forbidden (not for this company) or tie."""

    kind: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and when asked for the advice about its lines; None when it was not."""

    decision: Decision
    advice: tuple[Advice, ...] | None = None


def decide(
    session: Session,
    carts: Sequence[Any],
    *,
    shop: Shop,
    today: date,
    company: Company | None,
    explain: bool = False,
    advice: bool = False,
) -> list[Decided | Refused]:
    """A decision for each cart, or why there is none. With `company` all are that company's own.

    `advice` adds to each cart what rules.advice finds: larger quantities that cost less, better prices close by.

    The shop's products and customers that the carts name are read with one query each, whatever their number.
    Raises storefront.rulebook.NoRulesError and rules.errors.MatcherError; the caller refuses then.
    """
    shop.rulebook.edition()  # no question to the database while there are no rules
    rows = products_by_sku(session, _names(sku for cart in carts for sku in _skus(cart)))
    products = {sku: product_facts(row) for sku, row in rows.items()}
    companies = {} if company is not None else _companies(session, carts)
    found: list[Decided | Refused] = []
    for data in carts:
        on = _day(data) or today
        try:
            if company is not None:
                found.append(_as_company(session, data, products, company, shop, on, advice))
            else:
                customers = {
                    code: customer_facts(session, companies[code], on, shop)
                    for code in _codes(data)
                    if code in companies
                }
                catalog = Catalog(products, customers)
                ruleset = shop.rulebook.current()
                cart, _ = rules.read_cart(data, ruleset, catalog, today=on)
                decision = rules.evaluate(ruleset, cart, on, explain=explain)
                found.append(Decided(decision, _advice(ruleset, cart, on) if advice else None))
        except CartError as error:
            found.append(Refused("cart", error.faults))
        except TieError as error:
            found.append(Refused("tie", (Fault("lines", f"{error}."),)))
    return found


def _as_company(
    session: Session,
    data: Any,
    products: Mapping[str, rules.Product],
    company: Company,
    shop: Shop,
    on: date,
    advice: bool,
) -> Decided | Refused:
    """As its cart page would: what rules hide from it does not exist, and trials of rules are not told."""
    if faults := tuple(_not_its_own(data, company)):
        return Refused("forbidden", faults)
    ruleset = shop.rulebook.current()
    customer = customer_facts(session, company, on, shop)
    if isinstance(data, Mapping) and isinstance(data.get("customer"), Mapping):
        data = {word: value for word, value in data.items() if word != "customer"}
    visible = _visible(ruleset, customer, products, set(_skus(data)), on)
    cart, _ = rules.read_cart(data, ruleset, Catalog(visible, {}), today=on)
    cart = replace(cart, customer=customer)
    decision = replace(rules.evaluate(ruleset, cart, on), shadow=())
    return Decided(decision, _advice(ruleset, cart, on) if advice else None)


def _advice(ruleset: rules.Ruleset, cart: Cart, on: date) -> tuple[Advice, ...]:
    products = (line.product for line in cart.lines)
    return advise(ruleset, cart, on, remembered_offers(ruleset, cart.customer, products, on))


def _visible(
    ruleset: rules.Ruleset,
    customer: Customer,
    products: Mapping[str, rules.Product],
    skus: set[str],
    on: date,
) -> dict[str, rules.Product]:
    named = {sku: facts for sku, facts in products.items() if sku in skus}
    hidden = hidden_skus(ruleset, Cart((), customer), named.values(), on)
    return {sku: facts for sku, facts in named.items() if sku not in hidden}


def _not_its_own(data: Any, company: Company) -> Iterator[Fault]:
    """What only the shop itself may say about a cart, by field."""
    if not isinstance(data, Mapping):
        return
    customer = data.get("customer")
    if isinstance(customer, Mapping):
        for word, value in customer.items():
            if word != "code":
                yield Fault(f"customer.{word}"[:100], _NEEDS_ANY)
            elif value is not None and not (isinstance(value, str) and clean(value) == company.code):
                yield Fault("customer.code", _OWN_ONLY)
    for word in ("products", "exceptions"):
        if data.get(word):
            yield Fault(word, _NEEDS_ANY)
    channel = data.get("channel")
    if isinstance(channel, str) and channel in rules.facts.CHANNELS and channel not in OWN_CHANNELS:
        yield Fault("channel", f"is {channel}; this key may say {' or '.join(OWN_CHANNELS)}.")


# what carts name; whatever cannot be read here is refused by read_cart, with its field


def _skus(data: Any) -> Iterator[str]:
    if not isinstance(data, Mapping):
        return
    lines, products = data.get("lines"), data.get("products")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, Mapping) and isinstance(line.get("sku"), str):
            yield clean(line["sku"])
    if isinstance(products, Mapping):
        yield from (clean(sku) for sku in products)


def _codes(data: Any) -> Iterator[str]:
    customer = data.get("customer") if isinstance(data, Mapping) else None
    if isinstance(customer, Mapping) and isinstance(customer.get("code"), str):
        yield clean(customer["code"])


def _names(texts: Iterable[str]) -> set[str]:
    """Those that a database can be asked for: no NUL, no half character."""
    return {text for text in texts if text.isprintable() and len(text) <= 200}


def _companies(session: Session, carts: Iterable[Any]) -> dict[str, Company]:
    from storefront.accounts.models import Company

    codes = _names(code for cart in carts for code in _codes(cart))
    if not codes:
        return {}
    return {one.code: one for one in session.scalars(select(Company).where(Company.code.in_(codes)))}


def _day(data: Any) -> date | None:
    """The cart's own day, when it is one: facts such as customer.since_days are counted to it."""
    written = data.get("on") if isinstance(data, Mapping) else None
    try:
        return date.fromisoformat(written) if isinstance(written, str) and len(written) == 10 else None
    except ValueError:
        return None
