"""A dated tariff: regions to zones, size by three sides and by weight, extra for islands and for keeping it cold.

Free-from amounts belong to rules, not here. The tariff that comes with it is a sample and says so.
"""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import Field

from plugins import Config, Health, Quoted, RateRequest, ShippingProvider, ShopFile, hookimpl
from plugins.shipping.tariff import Tariff, notices, quote
from plugins.shipping.tariff_files import read_tariffs

PLUGIN_API = 1
log = logging.getLogger("koguchi.plugins")
SAMPLE = Path(__file__).with_name("sample_tariff.toml")


class Settings(Config):
    tariffs: tuple[ShopFile, ...] = Field(
        default=(),
        description="tariff files; without any the sample is used",
        json_schema_extra={"ja": "運賃表のファイル。なければ見本を使います"},
    )


class TableRate:
    id = "table_rate"
    label = {"ja": "宅配便", "en": "Parcel service"}
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.tariffs = tariffs_of(settings)
        for tariff in self.tariffs:
            if left_out := tariff.left_out():
                log.warning("plugin table_rate: %s: no zone has %s", tariff.start, ", ".join(left_out))

    def quote(self, request: RateRequest) -> Quoted:
        """One rate from the tariff in force on the shipping date, the sum over all parcels."""
        return quote(self.tariffs, request, self.id)


def tariffs_of(settings: Settings) -> tuple[Tariff, ...]:
    """Every tariff of the files. Raises ValueError where two begin on one day: nobody could say which counts."""
    found: dict[date, tuple[Path, Tariff]] = {}
    for path in map(Path, settings.tariffs or (SAMPLE,)):
        for tariff in read_tariffs(path):
            if tariff.start in found:
                raise ValueError(
                    f"{path.name}: {found[tariff.start][0].name} begins on {tariff.start} as well"
                )
            found[tariff.start] = (path, tariff)
    return tuple(found[start][1] for start in sorted(found))


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [TableRate]


@hookimpl
def health(settings: Settings) -> Health:
    """Well as long as its files can be read; says what the owner should know of them."""
    try:
        told = notices(tariffs_of(settings))
    except (OSError, ValueError) as error:
        return Health(False, {"ja": str(error), "en": str(error)})
    said = {language: "; ".join(each[language] for each in told) for language in ("ja", "en")}
    return Health(True, said if told else None)
