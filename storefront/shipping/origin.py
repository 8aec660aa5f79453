"""Where parcels leave: the sender of [slips], else the shop's own name, address and phone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plugins.contract import Place
from storefront.regions import REGIONS, read_postcode
from storefront.settings import Settings

_POSTCODE = re.compile(r"〒?\s*([0-9０-９]{3}[-－‐−ー]?[0-9０-９]{4})\s*")


@dataclass(frozen=True, slots=True)
class Origin:
    """The sender as shop.toml has it. `postcode` is seven digits or "", `region` a code or None."""

    name: str
    postcode: str
    region: str | None
    address: str  # in one text, without the postcode
    phone: str


def origin_of(settings: Settings) -> Origin:
    """[slips] of shop.toml; what it leaves out is the shop's. A postcode may stand before the address."""
    slips = settings.slips
    address, postcode = slips.address or settings.address.ja, ""
    found = _POSTCODE.match(address)
    if found:
        postcode, address = read_postcode(found[1]) or "", address[found.end() :]
    return Origin(
        slips.name or (settings.legal_name or settings.name)["ja"],
        read_postcode(slips.postcode) or postcode,
        region_of(address),
        address,
        slips.phone or settings.phone,
    )


def region_of(address: str) -> str | None:
    """The prefecture that a Japanese address begins with; None where it is left out."""
    begun = address.strip()
    return next((code for code, names in REGIONS.items() if begun.startswith(names["ja"])), None)


def origin_place(settings: Settings) -> Place:
    """The same as shipping plugins are told it: no name, street or phone."""
    origin = origin_of(settings)
    return Place(settings.country, origin.region, origin.postcode or None)
