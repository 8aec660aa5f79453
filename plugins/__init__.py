"""What a plugin author imports: the markers, the records, and nothing of the shop.

A plugin names itself in the entry-point group `koguchi` and writes PLUGIN_API = 1. See docs/plugins.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from plugins.contract import (
    API,
    Availability,
    Available,
    Buyer,
    Capability,
    CheckoutContext,
    Config,
    Disabled,
    Hidden,
    Money,
    NeedsQuotation,
    Parcel,
    PaymentProvider,
    PaymentView,
    Place,
    Quoted,
    Rate,
    RateRequest,
    RawRequest,
    Result,
    ShippedLine,
    ShippingProvider,
    SignatureError,
    Status,
    TaxedMoney,
    Texts,
    Unavailable,
    WebhookEvent,
    hookimpl,
)


def _in_shop(name: Path, info: ValidationInfo) -> Path:
    folder = info.context.get("folder") if isinstance(info.context, Mapping) else None
    if folder is None:
        return name
    inside = (Path(folder) / name).resolve()
    if not inside.is_relative_to(Path(folder).resolve()):
        raise ValueError(f"{name} lies outside the shop folder")
    if not inside.is_file():
        raise ValueError(f"there is no file {name} in the shop folder")
    return inside


ShopFile = Annotated[Path, AfterValidator(_in_shop)]
"""A file of the shop folder, as the type of a Config field: relative, inside the folder, and there."""

__all__ = [
    "API",
    "Availability",
    "Available",
    "Buyer",
    "Capability",
    "CheckoutContext",
    "Config",
    "Disabled",
    "Hidden",
    "Money",
    "NeedsQuotation",
    "Parcel",
    "PaymentProvider",
    "PaymentView",
    "Place",
    "Quoted",
    "Rate",
    "RateRequest",
    "RawRequest",
    "Result",
    "ShippedLine",
    "ShippingProvider",
    "ShopFile",
    "SignatureError",
    "Status",
    "TaxedMoney",
    "Texts",
    "Unavailable",
    "WebhookEvent",
    "hookimpl",
]
