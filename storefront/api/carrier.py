"""POST /api/v1/carrier/rates: Shopify's CarrierService request answered by this shop's own shipping plugins.

Nothing is stored. Plugins that ask a server themselves are left out: two shops could ask each other for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from plugins.contract import Money, Place, RateRequest, ShippedLine
from rules.facts import MAX_QUANTITY
from rules.money import CURRENCIES
from storefront.access import api
from storefront.api import bp
from storefront.api.evaluate import read_body
from storefront.api.keys import RATES
from storefront.clock import today
from storefront.database import get_session
from storefront.pricing import products_by_sku
from storefront.problems import Problem
from storefront.rulebook import NoRulesError
from storefront.shipping import packing
from storefront.shipping import quoting as shipping
from storefront.shipping.origin import origin_place
from storefront.shipping.packing import Ware
from storefront.shipping.quoting import ShippingOption
from storefront.shop import Shop, current_shop

MOST_ITEMS = 500
MOST_GRAMS = 10_000_000  # of one piece
MOST_MONEY = 10**15


@bp.post("/carrier/rates")
@api(RATES)
def carrier_rates() -> Response:
    """Every way to ship with its price without tax; none where nothing goes there or a person must quote."""
    shop = current_shop()
    try:
        currency = shop.rulebook.current().policy.currency
        request = _request(shop, read_body(), currency)
        options = shipping.ask(shop, request, on=today(), own_only=True)
    except NoRulesError:
        raise Problem(503, "The shop's rules cannot be read just now, so nothing can be priced.") from None
    return jsonify({"rates": [_rate(shop, each, currency) for each in options if each.answer == "quoted"]})


def _rate(shop: Shop, option: ShippingOption, currency: str) -> dict[str, str]:
    label = option.label.get("ja") or option.label.get("en") or option.code
    told = {
        "service_name": label,
        "service_code": option.code,
        "total_price": str((option.amount_minor or 0) * _hundredths(currency)),
        "currency": currency,
        "description": option.label.get("en") or label,
    }
    if option.earliest is not None:
        told["min_delivery_date"] = _noon(shop, option.earliest)
        told["max_delivery_date"] = _noon(shop, option.latest or option.earliest)
    return told


def _noon(shop: Shop, day: date) -> str:
    return datetime.combine(day, time(12), shop.settings.zone).strftime("%Y-%m-%d %H:%M:%S %z")


def _hundredths(currency: str) -> int:
    """The format multiplies amounts without a subunit by 100."""
    return 100 if CURRENCIES[currency] == 0 else 1


def _request(shop: Shop, data: Any, currency: str) -> RateRequest:
    """The request as the plugins take it. Raises Problem with every field that is wrong."""
    wrong: list[tuple[str, str]] = []
    rate = _table(data, "rate", "rate", wrong)
    to = _place(shop, _table(rate, "destination", "rate.destination", wrong), wrong, "destination")
    origin = _origin(shop, rate.get("origin"), wrong)
    items = _items(rate.get("items"), wrong)
    if rate.get("currency") != currency:
        wrong.append(("rate.currency", f"is {currency} in this shop."))
    totals = rate.get("order_totals")
    told = totals.get("subtotal_price") if isinstance(totals, Mapping) else None
    subtotal = int(told) if isinstance(told, str) and told.isascii() and told[:16].isdigit() else told
    if subtotal is not None and not (type(subtotal) is int and 0 <= subtotal < MOST_MONEY):
        wrong.append(("rate.order_totals.subtotal_price", "is a whole number of hundredths."))
        subtotal = None
    if wrong:
        raise Problem(422, "; ".join(f"{field}: {sentence}" for field, sentence in wrong[:10]), wrong)
    if subtotal is None:
        subtotal = sum(price * quantity for _, quantity, _, price in items)
    known = products_by_sku(get_session(), {sku for sku, *_ in items})
    return RateRequest(
        origin=origin,
        destination=to,
        parcels=packing.parcels(
            [_ware(known.get(sku), quantity, grams) for sku, quantity, grams, _ in items]
        ),
        lines=tuple(ShippedLine(sku, quantity, Decimal(grams)) for sku, quantity, grams, _ in items),
        subtotal=Money(subtotal // _hundredths(currency), currency),
        ship_on=today(),
        currency=currency,
    )


def _ware(product: Any, quantity: int, grams: int) -> Ware:
    """Sizes of goods this shop knows, weights as they are told; 0 grams are a weight nobody told."""
    if product is not None:
        ware = shipping.ware_of(product, quantity)
        return ware if not grams else Ware(
            quantity, Decimal(grams), ware.sides_mm, ware.per_case, ware.temperature
        )  # fmt: skip
    return Ware(quantity, Decimal(grams) if grams else None)


def _table(data: Any, name: str, path: str, wrong: list[tuple[str, str]]) -> Mapping[str, Any]:
    found = data.get(name) if isinstance(data, Mapping) else None
    if isinstance(found, Mapping):
        return found
    wrong.append((path, "is missing or no object."))
    return {}


def _origin(shop: Shop, told: Any, wrong: list[tuple[str, str]]) -> Place:
    """Where the caller's parcels leave; nothing, or a country alone, is the shop's own place."""
    if not isinstance(told, Mapping) or not (told.get("province") or told.get("postal_code")):
        return origin_place(shop.settings)
    return _place(shop, told, wrong, "origin")


def _place(shop: Shop, to: Mapping[str, Any], wrong: list[tuple[str, str]], what: str) -> Place:
    country, region, postcode, city = (
        _text(to.get(name)) for name in ("country", "province", "postal_code", "city")
    )
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        wrong.append((f"rate.{what}.country", "is two capital letters, such as JP."))
    if region and "-" not in region:
        region = f"{country}-{region}"  # some callers leave the country out
    digits = "".join(one for one in postcode if one.isascii() and one.isdigit())
    return shipping.place_of(shop, country, region, digits, city)


def _text(told: Any) -> str:
    return told.strip()[:100] if isinstance(told, str) else ""


def _items(told: Any, wrong: list[tuple[str, str]]) -> list[tuple[str, int, int, int]]:
    """(SKU, pieces, grams of one, its price in hundredths) of what is shipped at all."""
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_ITEMS:
        wrong.append(("rate.items", f"is an array of 1 to {MOST_ITEMS} items."))
        return []
    found = []
    for place, item in enumerate(told):
        if not isinstance(item, Mapping):
            wrong.append((f"rate.items[{place}]", "is no object."))
            continue
        if item.get("requires_shipping") is False:
            continue
        numbers = []
        for name, least, most in (
            ("quantity", 1, MAX_QUANTITY),
            ("grams", 0, MOST_GRAMS),
            ("price", 0, MOST_MONEY),
        ):
            number = item.get(name, None if name == "quantity" else 0)
            if type(number) is not int or not least <= number <= most:
                wrong.append((f"rate.items[{place}].{name}", f"is a whole number from {least} to {most}."))
                number = least
            numbers.append(number)
        sku = _text(item.get("sku"))
        found.append((sku if sku.isprintable() else "", *numbers))
    return found  # type: ignore[return-value]
