"""Pickup: the buyer fetches the goods at the shop. Free unless said otherwise, and only where the shop is near.

[plugins.pickup] takes the place and its hours for the buyer, business days until ready, and optionally regions.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice

from pydantic import Field

from plugins import Config, Money, Quoted, Rate, RateRequest, ShippingProvider, Unavailable, hookimpl

PLUGIN_API = 1


class Settings(Config):
    label: dict[str, str] = {"ja": "店頭でお受け取り", "en": "Pickup at the shop"}
    price_minor: int = Field(
        default=0,
        ge=0,
        description="minor units of the shop's currency, without tax",
        json_schema_extra={"ja": "税抜の料金。円ならそのまま、小数のある通貨なら補助単位"},
    )
    days: int = Field(
        default=0,
        ge=0,
        le=90,
        description="business days until the goods can be fetched",
        json_schema_extra={"ja": "引き取れるまでの営業日数"},
    )
    hours: tuple[str, ...] = Field(
        default=(),
        description='time slots, such as "09:00-12:00"',
        json_schema_extra={"ja": "時間帯。09:00-12:00 など"},
    )
    regions: tuple[str, ...] = Field(
        default=(),
        description="only for buyers there, such as JP-27; empty: everywhere",
        json_schema_extra={"ja": "この地域の購入者だけ。JP-27 など。空ならどこでも"},
    )


class Pickup:
    id = "pickup"
    label = {"ja": "店頭でお受け取り", "en": "Pickup at the shop"}
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def quote(self, request: RateRequest) -> Quoted:
        """One rate; Unavailable for buyers of other regions."""
        regions = self.settings.regions
        if regions and request.destination.region not in regions:
            return Unavailable(
                {"ja": "店頭受け取りは近隣のお客さまに限ります", "en": "Pickup is for buyers nearby"}
            )
        ready = self._ready(request)
        price = Money(self.settings.price_minor, request.currency)
        return [Rate(self.id, self.settings.label, price, earliest=ready, slots=self.settings.hours)]

    def _ready(self, request: RateRequest) -> date:
        """So many business days after leaving: nobody fetches at a closed door."""
        after = (request.ship_on + timedelta(days=each) for each in range(1, 1_000))
        worked = (day for day in after if day not in request.closed_on)
        return next(islice(worked, self.settings.days - 1, None)) if self.settings.days else request.ship_on


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [Pickup]
