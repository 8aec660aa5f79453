"""Times of day: what a tariff or a buyer calls them, made one canonical word, and that word made a carrier's code.

One table for each carrier. What has no code is said, never left out. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

# Canonical: "am" or "14-16", whole hours; the desk lists them in this order.
SLOTS = ("am", "12-14", "14-16", "16-18", "18-20", "18-21", "19-21", "20-21")
CODES: Mapping[str, Mapping[str, str]] = {
    "yamato": {"am": "0812", "14-16": "1416", "16-18": "1618", "18-20": "1820", "19-21": "1921"},
    "sagawa": {
        "am": "01",
        "12-14": "12",
        "14-16": "14",
        "16-18": "16",
        "18-20": "18",
        "18-21": "04",
        "19-21": "19",
    },
}
# Codes of older layouts, which tools and tables still name: known, so that it can be said that they are over.
OLD_CODES: Mapping[str, Mapping[str, str]] = {"yamato": {"12-14": "1214", "20-21": "2021"}, "sagawa": {}}
_MORNING = frozenset({"am", "a.m.", "午前", "午前中", "morning", "inthemorning", "8-12"})
_SPAN = re.compile(r"([0-9]{1,2})(?::00|時)?[-~〜–—−‐―から]+([0-9]{1,2})(?::00|時)?(?:まで|の間)?")


def canonical(written: str) -> str | None:
    """am or 14-16 from 午前中, 14:00-16:00, 14時～16時 and the like; "" from nothing, None from anything else."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", written)).lower()
    if not plain or plain in _MORNING:
        return "am" if plain else ""
    found = _SPAN.fullmatch(plain)
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    if not first < last <= 24:
        return None
    return "am" if (first, last) == (8, 12) else f"{first}-{last}"


def code_of(carrier: str, written: str) -> str | Literal["unknown", "over"]:
    """The carrier's code for a time of day, "" for any time; "unknown" without one, "over" where it had one once."""
    slot = canonical(written)
    if slot == "":
        return ""
    if slot in OLD_CODES[carrier]:
        return "over"
    return CODES[carrier].get(slot or "", "unknown")
