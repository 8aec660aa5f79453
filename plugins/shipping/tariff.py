"""A dated tariff: zones, sizes by three sides and by weight, extras, cool surcharges, and how long it travels.

Read by tariff_files.py. Free-from amounts belong to rules, not here.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from plugins import Money, NeedsQuotation, Parcel, Quoted, Rate, RateRequest, Texts, Unavailable

PREFECTURES = tuple(f"JP-{number:02}" for number in range(1, 48))
MOST_BUSINESS = 30  # the shop tells of some months which days are no business days
SAMPLE = {"ja": "見本料金", "en": "sample tariff"}
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


def _known(regions: tuple[str, ...]) -> tuple[str, ...]:
    for region in regions:
        if region.startswith("JP") and region not in PREFECTURES:
            raise ValueError(f"{region} is no prefecture; they are JP-01 to JP-47")
    return regions


Regions = Annotated[tuple[str, ...], AfterValidator(_known)]


class Size(BaseModel):
    """A parcel is of this size when its three sides and its weight are not above these."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sum_cm: int = Field(gt=0)
    weight_g: int = Field(gt=0)


class Extra(BaseModel):
    """An amount added per parcel: for postcodes that begin so, for regions, or wherever the shop marks it remote.

    However many of these fit, one extra is added once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: dict[str, str]
    amount_minor: Amount
    postcodes: tuple[Annotated[str, Field(pattern=r"^[0-9]{1,7}$")], ...] = ()
    regions: Regions = ()
    remote: bool = False

    @model_validator(mode="after")
    def for_somewhere(self) -> "Extra":
        if not (self.postcodes or self.regions or self.remote):
            raise ValueError("say where it is added: postcodes, regions, or remote = true")
        return self

    def applies(self, request: RateRequest) -> bool:
        to = request.destination
        return (
            (self.remote and to.remote)
            or to.region in self.regions
            or (to.postcode or "-").startswith(self.postcodes or ("?",))
        )


class Tariff(BaseModel):
    """One dated tariff. `prices` is size to zone to minor units; or `table`, a CSV zone,size,price_minor.

    `days` are counted by `transit` from leaving to arrival; on `closed` days the carrier delivers nothing.
    """

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
    transit: Literal["calendar", "business"] = "calendar"
    closed: tuple[date, ...] = ()
    zones: dict[str, tuple[str, ...]]
    not_served: Regions = ()
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
            for region in _known(regions):
                if region in seen:
                    raise ValueError(f"{region} stands in zones {seen[region]} and {zone}")
                seen[region] = zone
        return zones

    @field_validator("slots")
    @classmethod
    def with_single_blanks(cls, slots: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(" ".join(slot.split()) for slot in slots)

    @field_validator("days")
    @classmethod
    def first_before_last(cls, days: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        for zone, (first, last) in days.items():
            if not 0 <= first <= last <= 90:
                raise ValueError(f"{zone}: write the first and the last day, from 0 to 90, such as [1, 2]")
        return days

    @model_validator(mode="after")
    def every_price_there(self, info: ValidationInfo) -> "Tariff":
        for region in self.not_served:
            if self.zone_of(region):
                raise ValueError(f"not_served: {region} stands in zone {self.zone_of(region)}")
        if self.transit == "business" and any(last > MOST_BUSINESS for _first, last in self.days.values()):
            raise ValueError(f"days: at most {MOST_BUSINESS} business days")
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

    def left_out(self) -> list[str]:
        """Prefectures that no zone has and `not_served` does not name; none where the tariff is not for Japan."""
        named = {region for regions in self.zones.values() for region in regions}
        if not named & set(PREFECTURES):
            return []
        return [each for each in PREFECTURES if each not in named and each not in self.not_served]

    def shown_label(self) -> Texts:
        """The label; a sample says so in every language, whatever its label says."""
        if not self.sample:
            return self.label
        return {
            language: text if (mark := SAMPLE.get(language, SAMPLE["en"])) in text else f"{text} ({mark})"
            for language, text in self.label.items()
        }

    def arrival(self, days: int, request: RateRequest) -> date:
        """So many days after leaving; where the carrier delivers nothing, the next day on which it does."""
        closed = {*self.closed, *(request.closed_on if self.transit == "business" else ())}
        if self.transit == "calendar":
            return next(day for day in _days(request.ship_on + timedelta(days=days)) if day not in closed)
        if days == 0:
            return request.ship_on
        worked = (day for day in _days(request.ship_on + timedelta(days=1)) if day not in closed)
        return next(islice(worked, days - 1, None))

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

    def net(self, price: int) -> int:
        """A price of the tariff as the contract wants it."""
        return without_tax(price, self.tax_rate if self.prices_include_tax else None)


def without_tax(price: int | Decimal, tax_rate: Decimal | None) -> int:
    """Minor units without the tax that is in them; half a unit is rounded up."""
    return int((price / (1 + (tax_rate or Decimal(0)))).quantize(Decimal(1), ROUND_HALF_UP))


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=each) for each in range(1_000))


def notices(tariffs: Sequence[Tariff]) -> list[Texts]:
    """What the owner should know of tariffs that can be used: samples, and places or days that were left out."""
    found: list[Texts] = []
    for tariff in tariffs:
        since = f"{tariff.start}: "
        if tariff.sample:
            found.append(
                {
                    "ja": since + "見本の料金表です。金額は作りもので、実際の運賃ではありません",
                    "en": since + "this is the sample tariff; its prices are made up",
                }
            )
        if left_out := ", ".join(tariff.left_out()):
            found.append(
                {
                    "ja": since + f"どの地帯にもない都道府県: {left_out}",
                    "en": since + f"prefectures in no zone: {left_out}",
                }
            )
        if silent := ", ".join(zone for zone in tariff.zones if zone not in tariff.days):
            found.append(
                {
                    "ja": since + f"到着日の目安(days)がない地帯: {silent}",
                    "en": since + f"zones without days, so that no arrival is promised: {silent}",
                }
            )
    return found


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
    days = tariff.days.get(zone)
    return [
        Rate(
            code=code,
            label=tariff.shown_label(),
            price=Money(tariff.net(total), request.currency),
            tax_rate=tariff.tax_rate,
            earliest=tariff.arrival(days[0], request) if days else None,
            latest=tariff.arrival(days[1], request) if days else None,
            slots=tariff.slots,
            cutoff=tariff.cutoff,
            carrier=tariff.carrier,
        )
    ]
