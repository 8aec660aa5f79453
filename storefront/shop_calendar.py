"""The shop's calendar: weekends, the public holidays of its country, and the days that closures.csv closes or opens.

A broken closures.csv leaves the days in force that were read before, and is told with file and line.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from rules import Finding
from rules.csv_files import CsvFile
from rules.promise import Closed
from rules.report import Report
from rules.said import both

log = logging.getLogger(__name__)

FILE = "closures.csv"
COLUMNS = ("date", "until", "open", "name_ja", "name_en")
NEEDED = ("date", "name_ja", "name_en")
LONGEST = timedelta(days=92)  # one line closes a quarter of a year at most; more is a slip of the pen
LARGEST = 1_000_000  # bytes
_WEEKEND = Closed()


@dataclass(frozen=True, slots=True)
class ShopCalendar:
    """Which days are business days. `days` are those of closures.csv: None opens a day, anything else closes it."""

    country: str = "JP"
    days: Mapping[date, Closed | None] = field(default_factory=dict)

    def closed(self, day: date) -> Closed | None:
        """Why `day` is no business day; None when it is one."""
        if day in self.days and (own := self.days[day]) is None:
            return None
        if day.weekday() >= 5:
            return _WEEKEND
        return own if day in self.days else public_holidays(self.country, day.year).get(day)


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> Mapping[date, Closed]:
    """A year's public holidays with their names in ja and en, as far as the library knows them."""
    import holidays  # when first asked: few commands need it

    def named(language: str | None) -> Mapping[date, str]:
        return dict(holidays.country_holidays(country, years=year, expand=False, language=language).items())

    known = getattr(holidays, country).supported_languages
    english = next((one for one in known if one.startswith("en")), None)
    other = named(english)
    own = named("ja") if "ja" in known else other
    return {day: Closed({"ja": own[day], "en": other[day]}) for day in other}


def has_holidays(country: str) -> bool:
    """Whether the library knows this country's public holidays."""
    import holidays

    return country in holidays.list_supported_countries()


class _BadLineError(Exception):
    """One line is refused, with why in both languages."""

    def __init__(self, english: str, japanese: str) -> None:
        self.said = both(english, japanese)


def read_closures(content: bytes) -> tuple[dict[date, Closed | None], tuple[Finding, ...]]:
    """The days of a closures.csv, and what is wrong with it. A wrong line is left out."""
    report = Report()
    days: dict[date, Closed | None] = {}
    if len(content) > LARGEST:
        _add(
            report,
            1,
            f"the file has more than {LARGEST:,} bytes.",
            f"ファイルが{LARGEST:,}バイトを超えています。",
        )
        return days, tuple(report.findings)
    file = CsvFile(report, FILE, content)
    if file.is_readable:
        _check_header(report, file.header)
    if report.findings:
        return days, tuple(report.findings)
    for line, cells in file:
        try:
            _read_line(days, _row(file.header, cells))
        except _BadLineError as bad:
            report.add("table-row", FILE, line, bad.said)
    return days, tuple(report.findings)


def _add(report: Report, line: int, english: str, japanese: str) -> None:
    report.add("table-row", FILE, line, both(english, japanese))


def _check_header(report: Report, header: list[str]) -> None:
    for name in header:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            _add(
                report,
                1,
                f'the column "{name}" is unknown; allowed: {known}.',
                f"「{name}」という列はありません。使える列: {known}。",
            )
    for name in NEEDED:
        if name not in header:
            needed = ", ".join(NEEDED)
            _add(
                report,
                1,
                f'the column "{name}" is missing; needed: {needed}.',
                f"「{name}」の列がありません。要る列: {needed}。",
            )


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise _BadLineError(
            f"the row has {len(cells)} cells; the header has {len(header)}.",
            f"この行は{len(cells)}列です。見出しは{len(header)}列です。",
        )
    return dict(zip(header, map(str.strip, cells), strict=True))


def _read_line(days: dict[date, Closed | None], row: Mapping[str, str]) -> None:
    """One line, one day or a row of days."""
    first = _day(row, "date")
    last = _day(row, "until") if row.get("until") else first
    if not first <= last <= first + LONGEST:
        raise _BadLineError(
            f"until is {last}; it lies 0 to {LONGEST.days} days after {first}.",
            f"until が {last} です。{first} から{LONGEST.days}日以内の日にしてください。",
        )
    word = row.get("open", "").lower()
    if word not in ("", "yes", "no"):
        raise _BadLineError(
            f'open is "{row["open"]}"; write yes for a day that is worked, else leave it empty.',
            f"open が「{row['open']}」です。営業する日は yes、それ以外は空にしてください。",
        )
    name = {language: row[f"name_{language}"][:100] for language in ("ja", "en")}
    if not any(name.values()):
        raise _BadLineError(
            "the day has no name; write why it is closed or open in name_ja, name_en or both.",
            "名前がありません。休む(営業する)わけを name_ja か name_en に書いてください。",
        )
    name = {language: text or name["en"] or name["ja"] for language, text in name.items()}
    taken = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    for day in taken:
        if day in days:
            raise _BadLineError(f"{day} stands in the file twice.", f"{day} が2回あります。")
    for day in taken:
        days[day] = None if word == "yes" else Closed(name)


def _day(row: Mapping[str, str], column: str) -> date:
    written = row[column]
    try:
        if len(written) != 10:
            raise ValueError
        return date.fromisoformat(written)
    except ValueError:
        raise _BadLineError(
            f'{column} is "{written}"; write a date like 2026-12-29.',
            f"{column} が「{written}」です。2026-12-29 のように書いてください。",
        ) from None


class CalendarFile:
    """The calendar in force: closures.csv is read again when it changed."""

    def __init__(self, folder: Path, country: str) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._signature: tuple[int, ...] | None = None
        self._calendar = ShopCalendar(country)
        self._has_been_read = False
        self.findings: tuple[Finding, ...] = ()

    def current(self) -> ShopCalendar:
        """The calendar to promise by."""
        signature = self._sign()
        if not self._has_been_read or signature != self._signature:
            with self._lock:
                self._read(signature)
        return self._calendar

    def _sign(self) -> tuple[int, ...]:
        try:
            stat = os.stat(self._path)
        except FileNotFoundError:
            return ()
        except OSError:
            return (-1,)
        return stat.st_size, stat.st_mtime_ns, stat.st_ino

    def _read(self, signature: tuple[int, ...]) -> None:
        try:
            days, findings = read_closures(self._path.read_bytes()) if signature else ({}, ())
        except OSError as error:
            days, findings = {}, (Finding(FILE, 1, "unreadable", None, "error", f"{error.strerror}."),)
        for finding in findings:
            log.error("%s", finding)
        if not findings or not self._has_been_read:  # a broken file keeps what was good before
            self._calendar = ShopCalendar(self._calendar.country, days)
        self.findings, self._signature, self._has_been_read = findings, signature, True
