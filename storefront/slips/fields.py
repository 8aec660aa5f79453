"""What a slip says, and a row under the limits of a carrier's columns: nothing is cut, what does not fit is named.

Text is measured as the carriers do: a full-width character counts two, a half-width one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from storefront.slips.slots import code_of
from storefront.transfer.cells import CP932_TWINS

Temperature = Literal["normal", "chilled", "frozen"]
TEMPERATURES: tuple[Temperature, ...] = ("normal", "chilled", "frozen")
# The carriers' software prints a protecting apostrophe, so a cell that a spreadsheet would run is refused.
DANGEROUS = frozenset("=+-@\t\r\n＝＋－＠\u2212")
_HALF_KANA = re.compile("[\uff61-\uff9f]+")
_LOOSE_MARK = re.compile("(.)([\u3099\u309a])")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000, 0xA0: 0x3000, 0x09: 0x3000}
_TYPED = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013), 0xFF0D) | {0x3099: 0x309B, 0x309A: 0x309C}


@dataclass(frozen=True, slots=True)
class Slip:
    """One order as handed to a carrier. `collect` is what the driver collects, with tax; `slot` as it was wished."""

    number: str
    recipient: str
    postcode: str
    region: str  # in Japanese, such as 大阪府
    city: str
    street: str
    phone: str
    ship_on: date
    goods: str
    deliver_on: date | None = None
    slot: str = ""
    temperature: Temperature = "normal"
    parcels: int = 1
    collect: int | None = None
    collect_tax: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and the numbers of the contract with the carrier; those may stay empty."""

    name: str
    postcode: str
    address: str
    phone: str
    yamato_customer: str = ""
    yamato_fare: str = "01"
    sagawa_customer: str = ""


@dataclass(frozen=True, slots=True)
class SlipError:
    """Why an order is not exported. `number` is "" for the sender; lengths are in full or half width as `unit` says."""

    number: str
    field: str  # recipient, address, phone, ...: the desk has the words
    problem: str  # missing, too_long, characters, formula, control, digits, slot, slot_over, collect
    value: str = ""
    have: int = 0
    allowed: int = 0
    unit: str = "full"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a carrier's file: at most `limit` half-width characters; `half` takes ASCII alone.

    A limit that is not `published` in descriptions of the layout is to be checked in the carrier's manual.
    """

    name: str
    limit: int
    half: bool = False
    published: bool = False


def width(text: str) -> int:
    """In half-width characters, as CP932 counts bytes; what CP932 lacks counts as full width."""
    return sum(1 if one.isascii() or "\uff61" <= one <= "\uff9f" else 2 for one in text)


def wide(text: str) -> str:
    """The same text in full width, as it stands on a slip: 1-2 Ｂｉｌｌ. Kanji are never exchanged for others."""
    text = _HALF_KANA.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _LOOSE_MARK.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    text = text.translate(CP932_TWINS).translate(_TYPED).translate(_WIDE)
    return re.sub("\u3000+", "\u3000", text).strip("\u3000")


def uncodable(text: str) -> str:
    """The characters that CP932 lacks, each once."""
    return "".join(dict.fromkeys(one for one in text if not _in_cp932(one)))


def _in_cp932(character: str) -> bool:
    try:
        return character.encode("cp932").decode("cp932") == character
    except UnicodeError:
        return False


@dataclass
class Row:
    """One line of a carrier's file while it is filled in; `errors` says what did not fit."""

    number: str
    columns: Sequence[Column]
    cells: dict[str, str] = field(default_factory=dict)
    errors: list[SlipError] = field(default_factory=list)
    _places: dict[str, Column] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._places = {column.name: column for column in self.columns}

    def put(self, name: str, value: str, what: str, *, needed: bool = False) -> None:
        """Write one cell, or note why it cannot be written."""
        column = self._places[name]
        if not value:
            if needed:
                self.fail(what, "missing")
            return
        if self.is_harmless(what, value):
            limit = column.limit if column.half else column.limit // 2
            if column.half and not value.isascii():
                self.fail(what, "digits", value)
            elif width(value) > column.limit:
                have = width(value) if column.half else -(-width(value) // 2)
                self.fail(what, "too_long", value, have, limit, "half" if column.half else "full")
            else:
                self.cells[name] = value

    def spread(self, names: Sequence[str], parts: Sequence[str] | None, what: str, whole: str) -> None:
        """Write a text that goes over several columns; None when no way was found to fit it in."""
        if not whole:
            self.fail(what, "missing")
            return
        if not self.is_harmless(what, whole):
            return
        if parts is None:
            limit = sum(self._places[name].limit for name in names) // 2
            self.fail(what, "too_long", whole, -(-width(whole) // 2), limit)
            return
        for name, part in zip(names, parts, strict=False):
            if part:
                self.put(name, part, what)

    def put_slot(self, carrier: str, name: str, written: str) -> None:
        """The carrier's code for a time of day, or that it has none."""
        code = code_of(carrier, written)
        if code in ("unknown", "over"):
            self.fail("slot", "slot_over" if code == "over" else "slot", written)
        else:
            self.put(name, code, "slot")

    def is_harmless(self, what: str, value: str) -> bool:
        """Whether a text may stand in a cell at all; else why not is noted."""
        if missing := uncodable(value):
            self.fail(what, "control" if not missing.isprintable() else "characters", missing)
        elif any(unicodedata.category(one) == "Cc" for one in value):
            self.fail(what, "control", value)
        elif value[0] in DANGEROUS:
            self.fail(what, "formula", value)
        else:
            return True
        return False

    def fail(
        self, what: str, problem: str, value: str = "", have: int = 0, allowed: int = 0, unit: str = "full"
    ) -> None:
        self.errors.append(SlipError(self.number, what, problem, value, have, allowed, unit))

    def line(self) -> list[str]:
        return [self.cells.get(column.name, "") for column in self.columns]
