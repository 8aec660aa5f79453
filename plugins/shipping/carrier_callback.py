"""Asks any server that answers Shopify's CarrierService request; a tariff of the shop stands in when it does not.

https alone, to public addresses alone, no redirect followed, the answer bounded in time and size, and remembered for
a while by what was asked. Amounts travel as hundredths, also yen, as that format wants it.
"""

import hashlib
import http.client
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from plugins import (
    Config,
    Health,
    Money,
    Place,
    Quoted,
    Rate,
    RateRequest,
    ShippingProvider,
    ShopFile,
    Unavailable,
    hookimpl,
)
from plugins.guard import DeadlineError, bounded
from plugins.outgoing import checked_url, post, reach, refuse_private_setting
from plugins.shipping.tariff import Tariff, quote, without_tax
from plugins.shipping.tariff_files import read_tariffs

PLUGIN_API = 1
MOST_RATES = 100
REMEMBERED = 1_000
REST = 20.0  # seconds without asking after a failure, so that not every buyer waits for a server that is down
# Currencies without a subunit: the format has them multiplied by 100 as if they had one.
WHOLE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_WITHOUT_SERVER = {
    True: {"ja": "予備の運賃表で答えています", "en": "The fallback tariff answers"},
    False: {"ja": "この配送方法は出ません", "en": "The method is not offered"},
}
log = logging.getLogger("koguchi.plugins")


class Settings(Config):
    model_config = ConfigDict(validate_default=True)  # so that the url is looked at in any case

    url: str = Field(
        max_length=2_000,
        description="where the server answers, https",
        json_schema_extra={"ja": "答えるサーバーの https のアドレス"},
    )
    token: SecretStr | None = Field(
        default=None,
        description="sent as Authorization: Bearer",
        json_schema_extra={"ja": "Authorization: Bearer として送ります"},
    )
    label: dict[str, str] = {"ja": "宅配便", "en": "Parcel service"}
    timeout_seconds: float = Field(
        default=3.0,
        gt=0,
        le=3,
        description="how long the server may take",
        json_schema_extra={"ja": "サーバーを待つ秒数"},
    )
    remember_seconds: int = Field(
        default=900,
        ge=0,
        le=86_400,
        description="how long an answer is used again",
        json_schema_extra={"ja": "答えを使い回す秒数"},
    )
    fallback: ShopFile | None = Field(
        default=None,
        description="a tariff file for when the server fails",
        json_schema_extra={"ja": "サーバーが答えないときの運賃表のファイル"},
    )
    tax_rate: Decimal | None = Field(default=None, ge=0, le=1)
    prices_include_tax: bool = Field(
        default=False,
        description="whether the server answers with tax",
        json_schema_extra={"ja": "サーバーの答えが税込かどうか"},
    )
    origin: dict[str, str] = Field(
        default={},
        description="where parcels leave: country, postal_code, province, city, address1",
        json_schema_extra={"ja": "発送元。country, postal_code, province, city, address1"},
    )
    allow_insecure: bool = Field(
        default=False,
        description="http and private addresses too: for tests and a server beside the shop",
        json_schema_extra={"ja": "http や内部のアドレスも使います。試験や、ショップのそばのサーバー用"},
    )

    @model_validator(mode="after")
    def url_is_safe(self) -> Self:
        if not self.allow_insecure:
            refuse_private_setting(self.url, type(self).__name__)
        return self

    @field_validator("url")
    @classmethod
    def url_is_whole(cls, url: str) -> str:
        return checked_url(url, "https://rates.example.com/quote")


class CarrierCallback:
    """`over_http` gives a quote the longer deadline; within it the fallback tariff still has its turn."""

    id = "carrier_callback"
    label = {"ja": "宅配便", "en": "Parcel service"}
    config = Settings
    over_http = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.fallback: tuple[Tariff, ...] = read_tariffs(Path(settings.fallback)) if settings.fallback else ()
        self.ticks = time.monotonic
        self._known: OrderedDict[str, tuple[float, Quoted]] = OrderedDict()
        self._lock = threading.Lock()
        self._rests_until = 0.0

    def quote(self, request: RateRequest) -> Quoted:
        """The server's rates; the fallback tariff's when it does not answer well. Raises when there is none."""
        body = json.dumps(rate_json(request, self.settings), sort_keys=True).encode()
        key = hashlib.sha256(body + request.ship_on.isoformat().encode()).hexdigest()
        with self._lock:
            known = self._known.get(key)
            is_resting = self.ticks() < self._rests_until
        if known is not None and self.ticks() < known[0]:
            return known[1]
        if is_resting:
            return self._instead(request, "the server failed a moment ago")
        try:
            quoted = bounded(lambda: self._read(self._ask(body), request), self.settings.timeout_seconds)
        except (OSError, ValueError, RecursionError, http.client.HTTPException, DeadlineError) as error:
            with self._lock:
                self._rests_until = self.ticks() + REST
            return self._instead(request, f"{type(error).__name__}: {str(error)[:200]}")
        self._remember(key, quoted)
        return quoted

    def _remember(self, key: str, quoted: Quoted) -> None:
        with self._lock:
            self._known[key] = (self.ticks() + self.settings.remember_seconds, quoted)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _instead(self, request: RateRequest, why: str) -> Quoted:
        if not self.fallback:
            raise RuntimeError(f"no answer and no fallback tariff: {why}")
        log.warning("plugin carrier_callback: the fallback tariff answers: %s", why)
        return quote(self.fallback, request, self.id)

    def _ask(self, body: bytes) -> bytes:
        """The body of the server's answer. Raises OSError, HTTPException or ValueError."""
        settings = self.settings
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        return post(
            settings.url,
            body,
            headers,
            seconds=settings.timeout_seconds,
            allow_insecure=settings.allow_insecure,
        )

    def _read(self, content: bytes, request: RateRequest) -> Quoted:
        """The answer's rates in the currency asked for; ValueError when it offers none that can be read."""
        data = json.loads(content)
        rates = data.get("rates") if isinstance(data, dict) else None
        if not isinstance(rates, list) or len(rates) > MOST_RATES:
            raise ValueError("the answer has no list of rates")
        if not rates:
            return Unavailable(
                {"ja": "この宛先へはお届けできません", "en": "It cannot be delivered to this address"}
            )
        found: dict[str, Rate] = {}
        for each in rates:
            rate = self._rate(each, request)
            if rate is not None:
                found.setdefault(rate.code, rate)
        if not found:
            raise ValueError(f"no rate in {request.currency} that can be read")
        return list(found.values())

    def _rate(self, each: Any, request: RateRequest) -> Rate | None:
        if not isinstance(each, dict) or each.get("currency") != request.currency:
            return None
        price = _minor(each.get("total_price"), request.currency)
        name, code = _text(each.get("service_name")), _text(each.get("service_code"))
        if price is None or not name or not code:
            return None
        tax_inside = self.settings.tax_rate if self.settings.prices_include_tax else None
        first, last = _day(each.get("min_delivery_date")), _day(each.get("max_delivery_date"))
        if first is None or first < request.ship_on:
            first = last = None
        if first is not None and last is not None and last < first:
            last = None
        return Rate(
            code=code,
            label={"ja": name, "en": name},
            price=Money(without_tax(price, tax_inside), request.currency),
            tax_rate=self.settings.tax_rate,
            earliest=first,
            latest=last,
            carrier=name,
        )


# ---- the format


def rate_json(request: RateRequest, settings: Settings) -> dict[str, Any]:
    """The request as the format has it. Names and streets of buyers are not sent: nobody prices by them."""
    items = [
        _item(line.sku, line.quantity, int((line.weight_g or Decimal(0)).to_integral_value(ROUND_HALF_UP)))
        for line in request.lines
    ] or [_item("parcel", parcel.count, parcel.weight_g or 0) for parcel in request.parcels]
    return {
        "rate": {
            "origin": _place(request.origin) | settings.origin,
            "destination": _place(request.destination),
            "items": items,
            "currency": request.currency,
            "locale": "ja",
            "order_totals": {"subtotal_price": wire(request.subtotal.minor, request.currency)},
        }
    }


def _item(sku: str, quantity: int, grams: int) -> dict[str, Any]:
    return {
        "name": sku,
        "sku": sku,
        "quantity": quantity,
        "grams": grams,
        "price": 0,  # the whole stands in order_totals
        "requires_shipping": True,
        "taxable": True,
    }


def _place(place: Place) -> dict[str, str | None]:
    return {
        "country": place.country,
        "postal_code": place.postcode,
        "province": place.region,
        "city": place.city,
    }


def wire(minor: int, currency: str) -> int:
    """Minor units as the format writes them."""
    return minor * 100 if currency in WHOLE else minor


def _minor(told: object, currency: str) -> Decimal | None:
    """A price as the server wrote it, in minor units; None for what is none. Half a unit is rounded up."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= 15:
        told = int(told)
    if type(told) is not int or not 0 <= told < 10**15:
        return None
    return (Decimal(told) / (100 if currency in WHOLE else 1)).quantize(Decimal(1), ROUND_HALF_UP)


def _text(told: object) -> str:
    return " ".join(told.split())[:200] if isinstance(told, str) and told.isprintable() else ""


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(told[:10]) if isinstance(told, str) else None
    except ValueError:
        return None


@hookimpl
def health(settings: Settings) -> Health:
    """Whether the server can be reached; no rate is asked for."""
    try:
        reach(settings.url, seconds=settings.timeout_seconds, allow_insecure=settings.allow_insecure)
    except (OSError, ValueError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        instead = _WITHOUT_SERVER[settings.fallback is not None]
        return Health(
            False,
            {
                "ja": f"サーバーに接続できません({why})。{instead['ja']}",
                "en": f"The server cannot be reached ({why}). {instead['en']}",
            },
        )
    return Health(True, {"ja": "サーバーに接続できます", "en": "The server can be reached"})


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [CarrierCallback]
