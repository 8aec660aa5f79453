"""Tracking numbers out of the file that the carrier's software gives back, and the page that follows a parcel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from storefront.slips.files import CARRIERS, Carrier
from storefront.transfer import sheet
from storefront.transfer.records import Limits

LIMITS = Limits()
# Headings under which the software writes our number, its own number and the parcels; else the layout's places.
_OURS = ("お客様管理番号", "お客様管理ナンバー", "お客様管理No.")
_THEIRS = {
    "yamato": ("伝票番号", "送り状番号"),
    "sagawa": ("お問い合せ送り状No.", "お問い合せ送り状No", "お問い合わせ送り状No.", "問合せNo", "問合せNo."),
}
_COUNT = ("発行枚数", "出荷個数")
_PLACES = {"yamato": (0, 3, 37), "sagawa": (9, 61, 41)}
_PUNCTUATION = re.compile(r"[\s-]")


@dataclass(frozen=True, slots=True)
class Tracked:
    """One parcel number of an order; `is_odd` when its check digit does not fit."""

    line: int
    number: str
    tracking: str
    parcels: int = 1
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class TrackingError:
    line: int
    problem: str  # a problem of transfer.records, or number, tracking, twice, empty
    value: str = ""


def read_tracking(carrier: Carrier, data: bytes) -> tuple[list[Tracked], list[TrackingError]]:
    """Every row of the file with its tracking number; rows without an order number of ours are an error."""
    table = sheet.parse(data, LIMITS)
    errors = [TrackingError(error.line, error.problem, str(error.column or "")) for error in table.errors]
    if errors:
        return [], errors
    ours, theirs, count = _places(carrier, table.header)
    rows = list(table.rows)
    if not any(name in table.header for name in _OURS):  # the software was told to write no headings
        rows.insert(0, (1, table.header))
    found: list[Tracked] = []
    whose: dict[str, str] = {}
    for line, cells in rows:
        number, tracking = _cell(cells, ours), _PUNCTUATION.sub("", _cell(cells, theirs))
        if not number:
            errors.append(TrackingError(line, "number"))
        elif not is_tracking(tracking):
            errors.append(TrackingError(line, "tracking", tracking[:40]))
        elif whose.setdefault(tracking, number) != number:
            errors.append(TrackingError(line, "twice", tracking))
        else:
            parcels = _cell(cells, count)
            pieces = int(parcels) if parcels.isascii() and parcels.isdigit() and len(parcels) < 4 else 1
            odd = carrier.id == "yamato" and not check_digit_fits(tracking)
            found.append(Tracked(line, number, tracking, max(pieces, 1), odd))
    if not rows:
        errors.append(TrackingError(1, "empty"))
    return found, errors


def _places(carrier: Carrier, header: Sequence[str]) -> tuple[int, int, int]:
    known = _PLACES[carrier.id]
    names = (_OURS, _THEIRS[carrier.id], _COUNT)
    at = [next((header.index(name) for name in each if name in header), None) for each in names]
    if at[0] is None:
        return known
    return at[0], known[1] if at[1] is None else at[1], known[2] if at[2] is None else at[2]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def is_tracking(text: str) -> bool:
    """Twelve digits; a spreadsheet makes 1.23E+11 of them, which is refused."""
    return re.fullmatch("[0-9]{12}", text) is not None


def check_digit_fits(tracking: str) -> bool:
    """Whether the last digit is the rest of the others divided by seven."""
    return is_tracking(tracking) and int(tracking[:-1]) % 7 == int(tracking[-1])


def link(carrier: str, tracking: str) -> str | None:
    """The carrier's page of a parcel; None for a carrier that is not known any more."""
    known = CARRIERS.get(carrier)
    return known.link.format(tracking) if known is not None and is_tracking(tracking) else None
