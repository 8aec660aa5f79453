"""Shipping quotes: what each shipping plugin asks for these goods to this place, before rules have their say.

A plugin that fails is left out. Answers are remembered by everything they depend on; a price is never made here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from weakref import WeakKeyDictionary

from plugins.contract import (
    Money,
    NeedsQuotation,
    Parcel,
    Place,
    Quoted,
    Rate,
    RateRequest,
    ShippedLine,
    Unavailable,
)
from plugins.guard import Failure
from plugins.loader import Plugins
from rules import Method, Ruleset
from rules.money import to_major
from rules.promise import Calendar, add_business_days
from storefront.accounts import Company
from storefront.clock import now
from storefront.shipping import packing
from storefront.shipping.origin import origin_place
from storefront.shipping.packing import Ware
from storefront.shipping.remote import is_remote
from storefront.shop import Shop

REMEMBERED = 2_000
LOOKED_AHEAD = 100  # days after leaving of which plugins are told whether they are business days

Answer = Literal["quoted", "quotation", "unavailable"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an order goes, as the buyer wrote it and as it is kept with the order."""

    recipient: str
    postcode: str
    region: str
    city: str
    street: str
    phone: str = ""
    label: str = ""
    country: str = "JP"

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """One way to ship and its quoted price without tax; no price when a person must quote or it cannot go."""

    code: str
    label: Mapping[str, str]
    answer: Answer
    amount_minor: int | None = None
    tax: str | None = None
    reason: Mapping[str, str] | None = None
    earliest: date | None = None
    latest: date | None = None
    slots: tuple[str, ...] = ()
    leaves_on: date | None = None
    cutoff: str | None = None  # only where the order leaves today if it is placed by then


def quotes(
    shop: Shop,
    lines: Sequence[tuple[Any, int]],
    to: Destination,
    *,
    company: Company | None,
    goods_minor: int,
    on: date,
    ship_on: date | None = None,
    moment: datetime | None = None,
    only: str | None = None,
) -> list[ShippingOption]:
    """Every plugin's answer for (product row, pieces) lines, in the shop's order of plugins; or that of `only` one.

    `ship_on` is the day the goods are ready, where one is promised; they leave on that business day or the next.
    `moment` is when the order is placed: after a carrier's cutoff they leave a business day later.
    """
    ruleset = shop.rulebook.current()
    currency = ruleset.policy.currency
    request = RateRequest(
        origin=origin_place(shop.settings),
        destination=place_of(shop, to.country, to.region, to.postcode, to.city),
        parcels=parcels(lines),
        lines=tuple(
            ShippedLine(product.sku, quantity, product.weight_g, tuple(product.tags or ()))
            for product, quantity in lines
        ),
        subtotal=Money(goods_minor, currency),
        ship_on=ship_on or on,
        currency=currency,
        customer_group=company.group if company is not None else None,
    )
    return ask(shop, request, on=on, moment=moment, only=only)


def place_of(
    shop: Shop, country: str, region: str | None, postcode: str | None, city: str | None = None
) -> Place:
    """A place as plugins are told it, with whether carriers may charge extra there."""
    remote = is_remote(country, postcode, shop.settings.shipping.remote_postcodes)
    return Place(country, region or None, postcode or None, city or None, remote)


def ask(
    shop: Shop,
    request: RateRequest,
    *,
    on: date,
    moment: datetime | None = None,
    own_only: bool = False,
    only: str | None = None,
) -> list[ShippingOption]:
    """What each plugin answers; with `own_only` those alone that ask no other server."""
    calendar = shop.calendar.current()
    local = (moment or now()).astimezone(shop.settings.zone)
    request = _leaving(calendar, request, request.ship_on)
    ruleset = shop.rulebook.current()
    options = [
        _ask(shop.plugins, name, request, ruleset, on, local, calendar)
        for name in shop.plugins.shipping
        if only in (None, name) and not (own_only and shop.plugins.asks_a_server(name))
    ]
    return [option for option in options if option is not None]


def leaving_on(calendar: Calendar, first: date) -> date:
    """The first business day from `first` on; `first` itself where the calendar knows none."""
    return add_business_days(first, 0, calendar) or first


def leaving(shop: Shop, request: RateRequest) -> RateRequest:
    """The same request for the first business day from its `ship_on` on, with the closed days after it."""
    return _leaving(shop.calendar.current(), request, request.ship_on)


def _leaving(calendar: Calendar, request: RateRequest, first: date) -> RateRequest:
    day = leaving_on(calendar, first)
    return replace(request, ship_on=day, closed_on=_closed_after(calendar, day))


_closed: tuple[Calendar | None, dict[date, tuple[date, ...]]] = (None, {})


def _closed_after(calendar: Calendar, day: date) -> tuple[date, ...]:
    """The closed days after `day`, found once for a calendar: a changed closures.csv makes another one."""
    global _closed
    known, found = _closed
    if known is not calendar:
        _closed = (calendar, found := {})
    if day not in found:
        after = (day + timedelta(days=each) for each in range(1, LOOKED_AHEAD + 1))
        found[day] = tuple(each for each in after if calendar.closed(each) is not None)
    return found[day]


def is_wanted(shop: Shop) -> bool:
    """Whether this shop ships by plugin at all; a plugin that failed to load counts, so nothing ships unpriced."""
    return bool(shop.plugins.shipping) or any(each.state == "failed" for each in shop.plugins.installed)


def methods(options: Sequence[ShippingOption], currency: str) -> tuple[Method, ...]:
    """The quoted options as facts for the rules."""
    return tuple(
        Method(option.code, to_major(option.amount_minor, currency), option.tax)
        for option in options
        if option.amount_minor is not None
    )


def parcels(lines: Sequence[tuple[Any, int]]) -> tuple[Parcel, ...]:
    """How (product row, pieces) lines travel."""
    return packing.parcels([ware_of(product, quantity) for product, quantity in lines])


def ware_of(product: Any, quantity: int) -> Ware:
    """A product's row as packing takes it; one side unknown is all three unknown."""
    sides = (product.length_mm, product.width_mm, product.height_mm)
    return Ware(
        quantity,
        product.weight_g,
        None if None in sides else sides,
        product.pieces_per_case,
        packing.temperature_of(product.tags or ()),
    )


def tax_category(ruleset: Ruleset, rate: Decimal | None, on: date) -> str | None:
    """The category with this rate on that day, the default one first; None is the shop's default."""
    if rate is None:
        return None
    rates = ruleset.policy.rates_on(on)
    ordered = sorted(rates, key=lambda category: (category != ruleset.policy.tax_default, category))
    return next((category for category in ordered if rates[category] == rate), None)


def _ask(
    plugins: Plugins,
    name: str,
    request: RateRequest,
    ruleset: Ruleset,
    on: date,
    local: datetime,
    calendar: Calendar,
) -> ShippingOption | None:
    quoted = _remembered(plugins, name, request)
    if request.ship_on == local.date() and _is_late(quoted, local):
        request = _leaving(calendar, request, request.ship_on + timedelta(days=1))
        quoted = _remembered(plugins, name, request)
    label = plugins.shipping[name].label
    if quoted is None:
        return None
    if isinstance(quoted, NeedsQuotation):
        return ShippingOption(name, label, "quotation", reason=quoted.reason)
    if isinstance(quoted, Unavailable):
        return ShippingOption(name, label, "unavailable", reason=quoted.reason)
    rate = cheapest(quoted)
    return ShippingOption(
        name,
        rate.label,
        "quoted",
        rate.price.minor,
        tax_category(ruleset, rate.tax_rate, on),
        earliest=rate.earliest,
        latest=rate.latest,
        slots=tuple(rate.slots),
        leaves_on=request.ship_on,
        cutoff=rate.cutoff if request.ship_on == local.date() else None,
    )


def cheapest(rates: Sequence[Rate]) -> Rate:
    """Of several rates of one plugin the one that counts."""
    return min(rates, key=lambda each: (each.price.minor, each.code))


def _is_late(quoted: Quoted | None, local: datetime) -> bool:
    """Whether the carrier's cutoff has passed; one that is no time of day never does."""
    cutoff = cheapest(quoted).cutoff if isinstance(quoted, list) else None
    try:
        return cutoff is not None and local.time() > time.fromisoformat(cutoff)
    except ValueError:
        return False


_memory: WeakKeyDictionary[Plugins, OrderedDict[tuple[str, RateRequest], Quoted]] = WeakKeyDictionary()
_lock = threading.Lock()


def _remembered(plugins: Plugins, name: str, request: RateRequest) -> Quoted | None:
    """The answer to this very question, asked once per process; a failure is not remembered."""
    if plugins.asks_a_server(name):  # what it answers may change at any moment: it remembers for itself
        answer = plugins.quote(name, request)
        return None if isinstance(answer, Failure) else answer.value
    key = (name, request)
    with _lock:
        known = _memory.setdefault(plugins, OrderedDict())
        if key in known:
            known.move_to_end(key)
            return known[key]
    answer = plugins.quote(name, request)
    if isinstance(answer, Failure):
        return None
    with _lock:
        known[key] = answer.value
        if len(known) > REMEMBERED:
            known.popitem(last=False)
    return answer.value
