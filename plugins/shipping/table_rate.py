"""A dated tariff: regions to zones, size by three sides and by weight, extra for islands and for keeping it cold.

Free-from amounts belong to rules, not here. The tariff that comes with it is a sample and says so.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from plugins import Config, Quoted, RateRequest, ShippingProvider, ShopFile, hookimpl
from plugins.shipping.tariff import quote, read_tariff

PLUGIN_API = 1
SAMPLE = Path(__file__).with_name("sample_tariff.toml")


class Settings(Config):
    tariffs: tuple[ShopFile, ...] = Field(
        default=(), description="tariff files; without any the sample is used"
    )


class TableRate:
    id = "table_rate"
    label = {"ja": "宅配便", "en": "Parcel service"}
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.tariffs = tuple(read_tariff(path) for path in settings.tariffs or (SAMPLE,))

    def quote(self, request: RateRequest) -> Quoted:
        """One rate from the tariff in force on the shipping date, the sum over all parcels."""
        return quote(self.tariffs, request, self.id)


@hookimpl
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:
    return [TableRate]
