"""One price for every parcel, whatever its size: the simplest way to ship.

[plugins.flat_rate] takes price_minor, in yen or pence without tax, and optionally days, countries, regions.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from plugins import Config, Money, Quoted, Rate, RateRequest, ShippingProvider, Unavailable, hookimpl

PLUGIN_API = 1


class Settings(Config):
    price_minor: int = Field(
        default=0,
        ge=0,
        description="minor units of the shop's currency, without tax",
        json_schema_extra={"ja": "1件の税抜の送料。円ならそのまま、小数のある通貨なら補助単位"},
    )
    label: dict[str, str] = {"ja": "通常配送", "en": "Standard delivery"}
    tax_rate: Decimal | None = Field(
        default=None,
        ge=0,
        le=1,
        description="such as 0.10; empty: the shop’s own",
        json_schema_extra={"ja": "税率。0.10 など。空ならショップの税率"},
    )
    days: tuple[int, int] = Field(
        default=(1, 3),
        description="days until it arrives, at the earliest and the latest",
        json_schema_extra={"ja": "届くまでの日数。早くて、遅くて"},
    )
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(
        default=(),
        description="where it is offered, as JP; empty: everywhere",
        json_schema_extra={"ja": "使える国。JP など。空ならどこでも"},
    )
    regions: dict[str, int] = Field(
        default={},
        description="region to another price_minor, such as JP-47 = 2000",
        json_schema_extra={"ja": "地域ごとの別の送料。JP-47 = 2000 など"},
    )


class FlatRate:
    id = "flat_rate"
    label = {"ja": "通常配送", "en": "Standard delivery"}
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def quote(self, request: RateRequest) -> Quoted:
        """The one price; Unavailable outside `countries`."""
        to = request.destination
        if self.settings.countries and to.country not in self.settings.countries:
            return Unavailable(
                {"ja": "この国へはお届けできません", "en": "We do not deliver to this country"}
            )
        price = self.settings.regions.get(to.region or "", self.settings.price_minor)
        first, last = self.settings.days
        return [
            Rate(
                code=self.id,
                label=self.settings.label,
                price=Money(price, request.currency),
                tax_rate=self.settings.tax_rate,
                earliest=request.ship_on + timedelta(days=first),
                latest=request.ship_on + timedelta(days=last),
            )
        ]


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [FlatRate]
