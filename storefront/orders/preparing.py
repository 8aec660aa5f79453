"""A cart made ready to be ordered: priced with shipping quotes and payment methods, and one of each chosen.

Asks plugins, so it is called outside every write transaction. It decides nothing; rules do, through pricing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy.orm import Session

from plugins.contract import Place
from rules import Method, ShipTo
from rules.decision import Offered
from storefront import payments
from storefront.accounts import Company
from storefront.clock import now
from storefront.lead_times import TierOffer, usual
from storefront.payments import PaymentOption
from storefront.pricing import PricedCart, Wanted, price, products_by_sku
from storefront.shipping import quoting as shipping
from storefront.shipping.quoting import Destination, ShippingOption
from storefront.shop import Shop


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a checkout page shows and what placing evaluates again: the same methods, the same choice."""

    priced: PricedCart
    shipping_options: tuple[ShippingOption, ...]
    payment_options: tuple[PaymentOption, ...]
    shipping_quotes: tuple[Method, ...] | None
    payment_methods: tuple[Method, ...] | None
    shipping: str | None
    payment: str | None
    lead_time: str | None = None

    def shipping_offer(self, code: str) -> Offered | None:
        return next((each for each in self.priced.decision.shipping if each.code == code), None)

    def payment_offer(self, code: str) -> Offered | None:
        return next((each for each in self.priced.decision.payment if each.code == code), None)


def ship_to_facts(to: Destination | None) -> ShipTo:
    """A destination as facts for the rules."""
    if to is None:
        return ShipTo()
    return ShipTo(to.country or None, to.region or None, to.postcode or None)


def prepare(
    session: Session,
    shop: Shop,
    company: Company | None,
    wanted: Sequence[Wanted],
    *,
    to: Destination | None,
    shipping_code: str | None = None,
    payment_code: str | None = None,
    lead_time_code: str | None = None,
    on: date,
    moment: datetime | None = None,
    channel: str = "web",
    delivery: date | None = None,
    fixes: bool = True,
    is_strict: bool = True,
) -> Prepared | None:
    """Price with everything that can be chosen. What was not chosen is the first that is offered.

    A chosen method stays chosen even when it is refused, so that the refusal is said; a page that only looks is not
    strict and takes the first that is offered instead. `moment` is when the order is placed, else now: lead times
    promise their days from it. None: nothing to price.
    """
    rows = products_by_sku(session, {each.sku for each in wanted})  # read once for all questions
    asking = partial(
        price, session, company, wanted, shop=shop, on=on, moment=moment or now(), channel=channel,
        delivery=delivery, ship_to=ship_to_facts(to), rows=rows,
    )  # fmt: skip
    found = _with_lead_time(asking, lead_time_code, is_strict)
    if found is None:
        return None
    plain, tier = found
    options = _carriers(shop, plain, to, company, on, moment)
    quotes = None if options is None else shipping.methods(options, plain.decision.currency)
    quoted = [option.code for option in options or () if option.answer == "quoted"]
    ship = (shipping_code if is_strict or shipping_code in quoted else None) or _first(quoted)
    ways, methods = _ways_to_pay(shop, plain, _carriage(options, ship), to, company, on)
    ready = [option.code for option in ways if option.is_available]
    pay = (payment_code if is_strict or payment_code in ready else None) or _first(ready)
    settled = partial(
        asking, shipping_quotes=quotes, payment_methods=methods, lead_time=tier,
        fixes=fixes and methods is not None,
    )  # fmt: skip
    keeps_ship, keeps_pay = (is_strict and bool(code) for code in (shipping_code, payment_code))
    priced, ship, pay = _settled(settled, ship, pay, keeps_ship=keeps_ship, keeps_pay=keeps_pay)
    return Prepared(priced, tuple(options or ()), tuple(ways), quotes, methods, ship, pay, tier)


def _settled(
    asking: Callable[..., PricedCart | None],
    ship: str | None,
    pay: str | None,
    *,
    keeps_ship: bool,
    keeps_pay: bool,
) -> tuple[PricedCart, str | None, str | None]:
    """The cart with both methods; one that the rules refuse gives way to the first they offer, unless it is kept."""
    priced = asking(shipping=ship, payment=pay)
    assert priced is not None  # the same lines as before
    better_ship = ship if keeps_ship else _offered(priced.decision.shipping, ship)
    better_pay = pay if keeps_pay else _offered(priced.decision.payment, pay)
    if (better_ship, better_pay) != (ship, pay):
        priced = asking(shipping=better_ship, payment=better_pay)
        assert priced is not None
    return priced, better_ship, better_pay


def _carriage(options: Sequence[ShippingOption] | None, code: str | None) -> int:
    """What the carrier of that code asks, in minor units."""
    return next((option.amount_minor or 0 for option in options or () if option.code == code), 0)


def _ways_to_pay(
    shop: Shop,
    plain: PricedCart,
    carriage_minor: int,
    to: Destination | None,
    company: Company | None,
    on: date,
) -> tuple[list[PaymentOption], tuple[Method, ...] | None]:
    """What the payment plugins answer, and what of it the rules may choose from; None where the shop has no plugin."""
    decision = plain.decision
    ways = payments.offered(
        shop,
        company,
        total_minor=decision.total + carriage_minor,
        goods_minor=decision.goods,
        on=on,
        to=None if to is None else Place(to.country, to.region, to.postcode),
        terms=decision.terms.values if decision.terms else None,
    )
    methods = payments.methods(ways, decision.currency) if ways or shop.plugins.payments else None
    return ways, methods


def _carriers(
    shop: Shop,
    plain: PricedCart,
    to: Destination | None,
    company: Company | None,
    on: date,
    moment: datetime | None,
) -> list[ShippingOption] | None:
    """What the carriers answer for the day the goods are ready; None where the shop ships without plugins."""
    if not shipping.is_wanted(shop):
        return None
    if to is None:
        return []
    made = plain.lead_time.promise if plain.lead_time is not None else None
    return shipping.quotes(
        shop,
        [(each.product, each.line.quantity) for each in plain.lines],
        to,
        company=company,
        goods_minor=plain.decision.goods,
        on=on,
        ship_on=made.ready_on if made is not None else None,
        moment=moment,
    )


def _with_lead_time(
    asking: Callable[..., PricedCart | None], wish: str | None, is_strict: bool
) -> tuple[PricedCart, str | None] | None:
    """The cart without methods, with the lead time that it is to have: ways to pay are asked about its whole total."""
    plain = asking(lead_time=wish, fixes=False)
    if plain is None:
        return None
    tier = _tier(plain.lead_times, wish, is_strict)
    if tier != wish:
        plain = asking(lead_time=tier, fixes=False)
        assert plain is not None  # the same lines
    return plain, tier


def _tier(offers: Sequence[TierOffer], wish: str | None, is_strict: bool) -> str | None:
    """The tier to price with: the wish where it is offered or has to be refused by name, else the usual one."""
    if not offers:
        return None
    if wish is not None and (is_strict or any(each.code == wish and each.is_offered for each in offers)):
        return wish
    return usual(offers)


def _first(codes: Sequence[str]) -> str | None:
    return codes[0] if codes else None


def _offered(offers: Sequence[Offered], picked: str | None) -> str | None:
    """The picked method when the rules offer it, else the first they offer, else none."""
    codes = [each.code for each in offers if each.offered]
    return picked if picked in codes else _first(codes)
