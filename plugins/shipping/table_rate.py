"""A dated tariff: regions to zones, size by three sides and by weight, extra for remote places and islands.

Free-from amounts belong to rules, not here. The tariff that comes with it is a sample and says so.
"""

import csv
import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from plugins import (
    Config,
    Money,
    NeedsQuotation,
    Parcel,
    Quoted,
    Rate,
    RateRequest,
    ShippingProvider,
    ShopFile,
    Unavailable,
    hookimpl,
)

PLUGIN_API = 1
SAMPLE = Path(__file__).with_name("sample_tariff.toml")


class Size(BaseModel):
    """A parcel is of this size when its three sides and its weight are not above these."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sum_cm: int = Field(gt=0)
    weight_g: int = Field(gt=0)


class Extra(BaseModel):
    """An amount added per parcel for postcodes that begin so, or for every place the shop marks remote."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: dict[str, str]
    amount_minor: int = Field(ge=0)
    postcodes: tuple[str, ...] = ()
    remote: bool = False


class Tariff(BaseModel):
    """One dated tariff. `prices` is size to zone to minor units; or `table`, a CSV zone,size,price_minor."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start: date = Field(alias="from")
    currency: str
    label: dict[str, str]
    carrier: str | None = None
    sample: bool = False
    tax_rate: Decimal | None = None
    longest_cm: int | None = None
    days: dict[str, tuple[int, int]] = {}
    zones: dict[str, tuple[str, ...]]
    sizes: tuple[Size, ...]
    prices: dict[int, dict[str, int]] = {}
    table: str | None = None
    extras: tuple[Extra, ...] = ()

    @field_validator("zones")
    @classmethod
    def each_region_once(cls, zones: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        seen: dict[str, str] = {}
        for zone, regions in zones.items():
            for region in regions:
                if region in seen:
                    raise ValueError(f"{region} stands in zones {seen[region]} and {zone}")
                seen[region] = zone
        return zones

    @model_validator(mode="after")
    def every_price_there(self, info: ValidationInfo) -> "Tariff":
        for size in self.sizes:
            for zone in self.zones:
                price = self.prices.get(size.sum_cm, {}).get(zone)
                if price is None or price < 0:
                    raise ValueError(f"no price for size {size.sum_cm} in zone {zone}")
        return self

    def zone_of(self, region: str | None) -> str | None:
        return next((zone for zone, regions in self.zones.items() if region in regions), None)

    def size_of(self, parcel: Parcel) -> Size | None:
        """The smallest size that takes it; None when it is too large. An unknown measure does not count."""
        if self.longest_cm and (parcel.longest_cm or 0) > self.longest_cm:
            return None
        for size in sorted(self.sizes, key=lambda each: each.sum_cm):
            if (parcel.sum_cm or 0) <= size.sum_cm and (parcel.weight_g or 0) <= size.weight_g:
                return size
        return None


def read_tariff(path: Path) -> Tariff:
    """A tariff file. Raises ValueError or OSError with a text for the shop's owner."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        if "table" in data:
            data["prices"] = _read_table(path.parent / str(data["table"]))
        return Tariff.model_validate(data)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _read_table(path: Path) -> dict[int, dict[str, int]]:
    prices: dict[int, dict[str, int]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            size, zone = int(row["size"]), row["zone"]
            if zone in prices.setdefault(size, {}):
                raise ValueError(f"{path.name}: size {size} in zone {zone} is priced twice")
            prices[size][zone] = int(row["price_minor"])
    return prices


class Settings(Config):
    tariffs: tuple[ShopFile, ...] = Field(
        default=(), description="tariff files; without any the sample is used"
    )


class TableRate:
    id = "table_rate"
    label = {"ja": "宅配便", "en": "Parcel service"}
    config = Settings

    def __init__(self, settings: Settings) -> None:
        files = settings.tariffs or (SAMPLE,)
        self.tariffs = sorted((read_tariff(path) for path in files), key=lambda tariff: tariff.start)

    def quote(self, request: RateRequest) -> Quoted:
        """One rate from the tariff in force on the shipping date, the sum over all parcels."""
        in_force = [tariff for tariff in self.tariffs if tariff.start <= request.ship_on]
        if not in_force:
            return Unavailable({"ja": "この日の料金表がありません", "en": "There is no tariff for this date"})
        tariff = in_force[-1]
        zone = tariff.zone_of(request.destination.region)
        if zone is None or tariff.currency != request.currency:
            return Unavailable(
                {"ja": "この地域へはお届けできません", "en": "We do not deliver to this region"}
            )
        price = 0
        for parcel in request.parcels:
            size = tariff.size_of(parcel)
            if size is None:
                return NeedsQuotation(
                    {
                        "ja": "荷物が大きいか重いため、送料を見積ります",
                        "en": "The parcel is too large or heavy for the tariff; we will quote the carriage",
                    }
                )
            price += parcel.count * (tariff.prices[size.sum_cm][zone] + _extra(tariff, request))
        first, last = tariff.days.get(zone, (1, 3))
        return [
            Rate(
                code=self.id,
                label=tariff.label,
                price=Money(price, request.currency),
                tax_rate=tariff.tax_rate,
                earliest=request.ship_on + timedelta(days=first),
                latest=request.ship_on + timedelta(days=last),
                carrier=tariff.carrier,
            )
        ]


def _extra(tariff: Tariff, request: RateRequest) -> int:
    """Per parcel; each extra at most once, however many of its conditions hold."""
    to = request.destination
    return sum(
        extra.amount_minor
        for extra in tariff.extras
        if (extra.remote and to.remote) or (to.postcode or "-").startswith(extra.postcodes or ("?",))
    )


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [TableRate]
