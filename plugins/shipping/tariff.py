"""A dated tariff file: zones, sizes by three sides and by weight, extras, cool surcharges, and how long it travels.

Faults are told with file and line. Free-from amounts belong to rules, not here.
"""

import csv
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from plugins import Money, NeedsQuotation, Parcel, Quoted, Rate, RateRequest, Unavailable

COLUMNS = ("zone", "size", "price_minor")
LARGEST = 1_000_000  # bytes of a file
Amount = Annotated[int, Field(ge=0, strict=True)]

NO_TARIFF = Unavailable({"ja": "この日の料金表がありません", "en": "There is no tariff for this date"})
NO_ZONE = Unavailable({"ja": "この地域へはお届けできません", "en": "We do not deliver to this region"})
TOO_LARGE = NeedsQuotation(
    {
        "ja": "荷物が大きいか重いため、送料を見積ります",
        "en": "The parcel is too large or heavy for the tariff; we will quote the carriage",
    }
)
NO_COOL = NeedsQuotation(
    {
        "ja": "クール便の料金表にない荷物のため、送料を見積ります",
        "en": "The tariff has no price for keeping this parcel cold; we will quote the carriage",
    }
)


class Size(BaseModel):
    """A parcel is of this size when its three sides and its weight are not above these."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sum_cm: int = Field(gt=0)
    weight_g: int = Field(gt=0)


class Extra(BaseModel):
    """An amount added per parcel: for postcodes that begin so, for regions, or wherever the shop marks it remote."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: dict[str, str]
    amount_minor: Amount
    postcodes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    remote: bool = False

    def applies(self, request: RateRequest) -> bool:
        to = request.destination
        return (
            (self.remote and to.remote)
            or to.region in self.regions
            or (to.postcode or "-").startswith(self.postcodes or ("?",))
        )


class Tariff(BaseModel):
    """One dated tariff. `prices` is size to zone to minor units; or `table`, a CSV zone,size,price_minor."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start: date = Field(alias="from")
    currency: str
    label: dict[str, str]
    carrier: str | None = None
    sample: bool = False
    tax_rate: Decimal | None = Field(default=None, ge=0, le=1)
    prices_include_tax: bool = False
    longest_cm: int | None = Field(default=None, gt=0)
    cutoff: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    slots: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = ()
    days: dict[str, tuple[int, int]] = {}
    zones: dict[str, tuple[str, ...]]
    sizes: tuple[Size, ...] = Field(min_length=1)
    prices: dict[int, dict[str, Amount]] = {}
    table: str | None = None
    cool: dict[Literal["chilled", "frozen"], dict[int, Amount]] = {}
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

    @field_validator("days")
    @classmethod
    def first_before_last(cls, days: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        for zone, (first, last) in days.items():
            if not 0 <= first <= last <= 90:
                raise ValueError(f"{zone}: write the first and the last day, from 0 to 90, such as [1, 2]")
        return days

    @model_validator(mode="after")
    def every_price_there(self, info: ValidationInfo) -> "Tariff":
        known = {size.sum_cm for size in self.sizes}
        for size in self.sizes:
            for zone in self.zones:
                if zone not in self.prices.get(size.sum_cm, {}):
                    raise ValueError(f"no price for size {size.sum_cm} in zone {zone}")
        sized: list[tuple[str, Mapping[int, object]]] = [("prices", self.prices), *self.cool.items()]
        zoned: list[tuple[str, Mapping[str, object]]] = [
            ("days", self.days),
            *((f"prices.{size}", row) for size, row in self.prices.items()),
        ]
        for what, sizes in sized:
            for unknown in sorted(set(sizes) - known):
                raise ValueError(
                    f"{what}: {unknown} is no size; sizes are {', '.join(map(str, sorted(known)))}"
                )
        for what, zones in zoned:
            for zone in sorted(set(zones) - set(self.zones)):
                raise ValueError(f"{what}: {zone} is no zone; zones are {', '.join(self.zones)}")
        if self.prices_include_tax and self.tax_rate is None:
            raise ValueError("prices_include_tax needs tax_rate, such as 0.10")
        return self

    def zone_of(self, region: str | None) -> str | None:
        return next((zone for zone, regions in self.zones.items() if region in regions), None)

    def size_of(self, parcel: Parcel) -> Size | None:
        """The smallest size that takes it; None when it is too large. An unknown measure does not count."""
        if self.longest_cm and (parcel.longest_cm or 0) > self.longest_cm:
            return None
        for size in sorted(self.sizes, key=lambda each: (each.sum_cm, each.weight_g)):
            if (parcel.sum_cm or 0) <= size.sum_cm and (parcel.weight_g or 0) <= size.weight_g:
                return size
        return None

    def price_of(self, parcel: Parcel, zone: str, request: RateRequest) -> int | NeedsQuotation:
        """One parcel with everything that is added to it, as the tariff writes it."""
        size = self.size_of(parcel)
        if size is None:
            return TOO_LARGE
        cool = 0
        if parcel.temperature != "normal":
            known = self.cool.get(parcel.temperature, {}).get(size.sum_cm)
            if known is None:
                return NO_COOL
            cool = known
        extra = sum(each.amount_minor for each in self.extras if each.applies(request))
        return self.prices[size.sum_cm][zone] + cool + extra

    def without_tax(self, price: int) -> int:
        """A price of the tariff as the contract wants it; half a unit is rounded up."""
        if not self.prices_include_tax or self.tax_rate is None:
            return price
        return int((price / (1 + self.tax_rate)).quantize(Decimal(1), ROUND_HALF_UP))


def quote(tariffs: tuple[Tariff, ...], request: RateRequest, code: str) -> Quoted:
    """One rate from the tariff in force on the shipping date, the sum over all parcels."""
    in_force = [tariff for tariff in tariffs if tariff.start <= request.ship_on]
    if not in_force:
        return NO_TARIFF
    tariff = max(in_force, key=lambda each: each.start)
    zone = tariff.zone_of(request.destination.region)
    if zone is None or tariff.currency != request.currency:
        return NO_ZONE
    total = 0
    for parcel in request.parcels:
        price = tariff.price_of(parcel, zone, request)
        if isinstance(price, NeedsQuotation):
            return price
        total += parcel.count * price
    first, last = tariff.days.get(zone, (1, 3))
    return [
        Rate(
            code=code,
            label=tariff.label,
            price=Money(tariff.without_tax(total), request.currency),
            tax_rate=tariff.tax_rate,
            earliest=request.ship_on + timedelta(days=first),
            latest=request.ship_on + timedelta(days=last),
            slots=tariff.slots,
            cutoff=tariff.cutoff,
            carrier=tariff.carrier,
        )
    ]


# ---- reading


def read_tariff(path: Path) -> Tariff:
    """A tariff file. Raises ValueError or OSError with file, line and what is wrong, for the shop's owner."""
    text = _text(path)
    try:
        data: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        at = line.group(1) if line else len(text.splitlines())
        raise ValueError(f"{path.name}:{at}: {str(error).partition(' (at ')[0]}") from error
    if "table" in data:
        data["prices"] = _read_table(path.parent / str(data["table"]))
    try:
        return Tariff.model_validate(data)
    except ValidationError as error:
        told = [
            f"{path.name}:{line_of(text, each['loc'])}: "
            f"{'.'.join(map(str, each['loc'])) or 'tariff'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError("; ".join(told[:5])) from error


def _text(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise ValueError(f"{path.name}:1: the file has more than {LARGEST:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path.name}:{line}: this line is not UTF-8") from error


def _read_table(path: Path) -> dict[int, dict[str, int]]:
    """The prices of a CSV. Raises ValueError with file and line."""
    prices: dict[int, dict[str, int]] = {}
    reader = csv.DictReader(_text(path).splitlines())
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise ValueError(f"{path.name}:1: the columns are {', '.join(COLUMNS)}")
    for row in reader:
        where = f"{path.name}:{reader.line_num}"
        try:
            size, price, zone = int(row["size"]), int(row["price_minor"]), row["zone"].strip()
        except (TypeError, ValueError):
            raise ValueError(f"{where}: size and price_minor are whole numbers") from None
        if price < 0:
            raise ValueError(f"{where}: the price {price} is below zero")
        if zone in prices.setdefault(size, {}):
            raise ValueError(f"{where}: size {size} in zone {zone} is priced twice")
        prices[size][zone] = price
    return prices


def line_of(text: str, path: tuple[int | str, ...]) -> int:
    """The line where a key stands, or as near as can be said: its table, its first part, the file."""
    words, best, deepest = [str(part) for part in path], 1, 0
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*(\[\[?)\s*([\w.\-\"]+)\s*\]", line)
        key = re.match(r"\s*([\w.\-\"]+)\s*=", line)
        if header:
            name = header.group(2).replace('"', "")
            table = name.split(".")
            if header.group(1) == "[[":
                table.append(str(seen.get(name, 0)))
                seen[name] = seen.get(name, 0) + 1
            here = table
        elif key:
            here = [*table, *key.group(1).replace('"', "").split(".")]
        else:
            continue
        depth = next(
            (at for at, pair in enumerate(zip(here, words, strict=False)) if pair[0] != pair[1]), None
        )
        common = min(len(here), len(words)) if depth is None else 0
        if common > deepest:
            best, deepest = number, common
    return best
