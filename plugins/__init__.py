"""What a plugin author imports: the markers, the records, and nothing of the shop.

A plugin names itself in the entry-point group `koguchi` and writes PLUGIN_API = 1. See docs/plugins.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from plugins.contract import (
    API,
    Address,
    AdminPage,
    Availability,
    Available,
    Block,
    BlockContext,
    Buyer,
    Capability,
    Charge,
    CheckoutContext,
    Config,
    Disabled,
    Event,
    EventName,
    Health,
    Hidden,
    Link,
    Money,
    NeedsQuotation,
    OrderApproved,
    OrderLine,
    OrderPlaced,
    OrderView,
    PageView,
    Parcel,
    PaymentChanged,
    PaymentProvider,
    PaymentView,
    Place,
    Quoted,
    Rate,
    RateRequest,
    RawRequest,
    Result,
    ShipmentCreated,
    ShippedLine,
    ShippingProvider,
    SignatureError,
    Slot,
    Status,
    TableView,
    TaxedMoney,
    TaxLine,
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
        raise PydanticCustomError("outside", "{name} lies outside the shop folder", {"name": str(name)})
    if not inside.is_file():
        raise PydanticCustomError(
            "no_file", "there is no file {name} in the shop folder", {"name": str(name)}
        )
    return inside


def _of_shop(name: Path, info: ValidationInfo) -> Path:
    folder = info.context.get("folder") if isinstance(info.context, Mapping) else None
    if name.is_absolute() or folder is None:
        return name
    inside = (Path(folder) / name).resolve()
    root = Path(folder).resolve()
    if not inside.is_relative_to(root) or inside == root:
        raise PydanticCustomError(
            "outside_folder",
            "{name} lies outside the shop folder: write a folder in it, or an absolute path",
            {"name": str(name)},
        )
    return inside


ShopFile = Annotated[Path, AfterValidator(_in_shop)]
"""A file of the shop folder, as the type of a Config field: relative, inside the folder, and there."""

ShopFolder = Annotated[Path, AfterValidator(_of_shop)]
"""A folder to write into: relative and then inside the shop folder, or absolute. It need not be there yet."""

__all__ = [
    "API",
    "Address",
    "AdminPage",
    "Availability",
    "Available",
    "Block",
    "BlockContext",
    "Buyer",
    "Capability",
    "Charge",
    "CheckoutContext",
    "Config",
    "Disabled",
    "Event",
    "EventName",
    "Health",
    "Hidden",
    "Link",
    "Money",
    "NeedsQuotation",
    "OrderApproved",
    "OrderLine",
    "OrderPlaced",
    "OrderView",
    "PageView",
    "Parcel",
    "PaymentChanged",
    "PaymentProvider",
    "PaymentView",
    "Place",
    "Quoted",
    "Rate",
    "RateRequest",
    "RawRequest",
    "Result",
    "ShipmentCreated",
    "ShippedLine",
    "ShippingProvider",
    "ShopFile",
    "ShopFolder",
    "SignatureError",
    "Slot",
    "Status",
    "TableView",
    "TaxLine",
    "TaxedMoney",
    "Texts",
    "Unavailable",
    "WebhookEvent",
    "hookimpl",
]
