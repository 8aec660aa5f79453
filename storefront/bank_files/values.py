"""Amounts and dates as banks and spreadsheets write them. Anything else is an error, never a guess. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

# The first year of each era, for dates such as R8.4.1.
_ERAS = {"M": 1868, "T": 1912, "S": 1926, "H": 1989, "R": 2019,
         "明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[-▲△−])?(?:[¥\\$])?(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:\.0*)?円?(?P<close>\))?"
)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_ERA_DAY = re.compile(r"([MTSHR]|明治|大正|昭和|平成|令和)\.?(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


def read_amount(text: str) -> int:
    """Yen from ¥1,200, 1,200, 1200円, ▲300, (300), with digits of any width. Raises ValueError."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").replace("￥", "¥")
    found = _AMOUNT.fullmatch(plain)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["open"] and found["sign"]):
        raise ValueError(text)
    amount = int(found["number"].replace(",", ""))
    return -amount if found["sign"] or found["open"] else amount


def read_day(text: str) -> date:
    """A day from 2026-04-01, 2026/4/1, 20260401, 2026年4月1日, R8.4.1, 令和8年4月1日. Raises ValueError."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if re.fullmatch(r"\d{8}", plain):
        return date.fromisoformat(plain)
    if found := _DAY.fullmatch(plain):
        return date(*(int(part) for part in found.groups()))
    if found := _ERA_DAY.fullmatch(plain):
        era, year, month, day = found.groups()
        return date(_ERAS[era] + (1 if year == "元" else int(year)) - 1, int(month), int(day))
    raise ValueError(text)


def read_era_day(text: str, today: date) -> date:
    """YYMMDD of a bank's file: the year is of the era, 080401 is 1 April 2026. Raises ValueError.

    Some banks write the last two digits of the Christian year; the reading that lies nearer to today is taken.
    """
    if not re.fullmatch(r"\d{6}", text):
        raise ValueError(text)
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    readings = [date(base + year, month, day) for base in (_ERAS["R"] - 1, 2000)]
    return min(readings, key=lambda one: abs((today - one).days))
