"""Which past orders are meant: `last:12m`, `last:30d`, `all`, two dates, or a CSV file.

Dates are the shop's; both days of a period belong to it.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

ALLOWED = "all, last:12m (months), last:30d (days), 2025-01-01..2025-12-31, or the name of a CSV file"
_LAST = re.compile(r"last:([1-9][0-9]{0,3})([md])", re.ASCII)


class PeriodError(ValueError):
    """The words name no period and no file; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included; None is open."""

    first: date | None = None
    last: date | None = None

    def __str__(self) -> str:
        if self.first is None and self.last is None:
            return "all"
        return f"{self.first or ''}..{self.last or ''}"

    def has(self, on: date) -> bool:
        return (self.first is None or self.first <= on) and (self.last is None or on <= self.last)


ALL = Period()


def read_source(words: str, today: date, folder: Path | None = None) -> Period | Path:
    """What --orders says. A file may be named from here or from the shop folder. Raises PeriodError."""
    if words == "all":
        return ALL
    if found := _LAST.fullmatch(words):
        return Period(_before(today, int(found[1]), found[2]), today)
    first, dots, last = words.partition("..")
    if dots and not words.endswith(".csv"):
        return _between(words, first, last)
    for path in (Path(words), (folder or Path()) / words):
        if path.is_file():
            return path
    raise PeriodError(f"--orders {words}: there is no such file, and it names no period. Allowed: {ALLOWED}.")


def _between(words: str, first: str, last: str) -> Period:
    try:
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise PeriodError(f"--orders {words}: not two dates. Allowed: {ALLOWED}.") from None
    if first > last:
        raise PeriodError(f"--orders {words}: the first day is after the last one.")
    return period


def _before(today: date, count: int, unit: str) -> date:
    """The first day of a period that ends today and lasts so many days or months."""
    try:
        if unit == "d":
            return today - timedelta(days=count - 1)
        months = today.year * 12 + today.month - 1 - count
        year, month = divmod(months, 12)
        day = min(today.day, monthrange(year, month + 1)[1])
        return date(year, month + 1, day) + timedelta(days=1)
    except (ValueError, OverflowError):
        return date.min
