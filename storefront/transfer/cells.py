"""One cell: made harmless for spreadsheets on the way out, read back exactly, parsed by type on the way in.

A parser gets the text of a filled cell and returns the value or raises CellError, a key of messages.py.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

# A spreadsheet takes a cell that begins so for a formula; after blanks and in full width too (Excel).
_FORMULA = re.compile("'*(?:[ \u3000]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"-?(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_MARKS = {"true": True, "yes": True, "1": True, "はい": True, "○": True, "〇": True}
_MARKS |= {"false": False, "no": False, "0": False, "いいえ": False, "×": False}
# Full width to plain, and nothing else: a superscript or another script's digit is no number.
_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFFE5: 0xA5, 0x3000: 0x20, 0x2212: 0x2D}
# Python's cp932 has one of each pair only; Macs and phones type the other.
CP932_TWINS = str.maketrans(
    {"\u301c": "\uff5e", "\u2016": "\u2225", "\u2212": "\uff0d", "\u00a2": "\uffe0", "\u00a3": "\uffe1",
     "\u00ac": "\uffe2", "\u2014": "\u2015", "\u00a5": "\uffe5"}
)  # fmt: skip


class CellError(ValueError):
    """What is wrong with a cell: `problem` names the sentence, `values` what is in its places."""

    def __init__(self, problem: str, **values: Any) -> None:
        super().__init__(problem)
        self.problem, self.values = problem, values


def neutralise(text: str) -> str:
    """The cell as it is written: an apostrophe before what a spreadsheet would run. Numbers stay numbers."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restore(text: str) -> str:
    """The inverse of `neutralise`: takes off the one apostrophe it put on, and no other."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def control_character(text: str) -> str | None:
    """The first character that no cell may hold, as U+0000; line ends and tabs are allowed here."""
    for one in text:
        if (unicodedata.category(one) in ("Cc", "Cs") and one not in "\t\n\r") or "\uf8f0" <= one <= "\uf8f3":
            return f"U+{ord(one):04X}"
    return None


Parser = Callable[[str], Any]


def text(limit: int, *, lines: bool = False) -> Parser:
    """Free text, kept as it is; blanks around a single line are dropped."""

    def parse(cell: str) -> str:
        value = cell.replace("\r\n", "\n").replace("\r", "\n") if lines else cell.strip()
        if not lines and re.search(r"[\r\n\t]", value):
            raise CellError("line_break")
        if len(value) > limit:
            raise CellError("too_long", have=len(value), limit=limit)
        return value

    return parse


def word(limit: int, *, forbidden: str = "") -> Parser:
    """A name that rules compare: NFC, no line ends, none of the `forbidden` characters."""
    single = text(limit)

    def parse(cell: str) -> str:
        value: str = unicodedata.normalize("NFC", single(cell))
        found = [one for one in forbidden if one in value]
        if found:
            shown = " ".join("␣" if one == " " else one for one in found)
            raise CellError("forbidden", value=value, characters=shown)
        return value

    return parse


def words(limit: int) -> Parser:
    """A list separated by blanks, each word once, in the order given."""
    one = word(limit)

    def parse(cell: str) -> list[str]:
        return list(dict.fromkeys(one(part) for part in cell.split()))

    return parse


def category(cell: str) -> str:
    """A path such as fasteners/screws/pan."""
    value = unicodedata.normalize("NFC", cell.strip())
    parts = value.split("/")
    if len(value) > 200 or len(parts) > 8 or any(not part or re.search(r"\s", part) for part in parts):
        raise CellError("category", value=value[:200])
    return value


def _plain_number(cell: str) -> str | None:
    """The digits of a cell as people type them: full width, with a yen sign, grouped by commas."""
    value = cell.translate(_WIDTHS).strip().removeprefix("¥").strip()
    return value.replace(",", "") if _GROUPED.fullmatch(value) else None


def whole(least: int, most: int) -> Parser:
    def parse(cell: str) -> int:
        value = _plain_number(cell) if len(cell) <= 40 else None
        if value is None or "." in value or not least <= int(value) <= most:
            raise CellError("whole", value=cell[:40], least=least, most=most)
        return int(value)

    return parse


def price(cell: str) -> Decimal:
    """An amount in major units from 0: 12 digits before the point and 6 behind it (rule-semantics 5)."""
    value = _plain_number(cell) if len(cell) <= 40 else None
    if value is None or value.startswith("-"):
        raise CellError("price", value=cell[:40])
    before, _, after = value.partition(".")
    if len(before) > 12 or len(after.rstrip("0")) > 6:
        raise CellError("price", value=cell[:40])
    return Decimal(value)


def flag(cell: str) -> bool:
    value = cell.translate(_WIDTHS).strip().casefold()
    if value not in _MARKS:
        raise CellError("flag", value=cell[:40])
    return _MARKS[value]


def one_of(allowed: Collection[str]) -> Parser:
    def parse(cell: str) -> str:
        value = cell.strip()
        if value not in allowed:
            raise CellError("one_of", value=value[:40], allowed=", ".join(allowed))
        return value

    return parse


def pattern(shape: str, example: str) -> Parser:
    compiled = re.compile(shape, re.ASCII)

    def parse(cell: str) -> str:
        value = cell.strip()
        if not compiled.fullmatch(value):
            raise CellError("pattern", value=value[:60], example=example)
        return value

    return parse


def attribute(cell: str) -> str | int | Decimal | bool:
    """Attributes are typed by their value: true and false, a number, else text."""
    value = unicodedata.normalize("NFC", cell.strip())
    if value in ("true", "false"):
        return value == "true"
    if _NUMBER.fullmatch(value) and len(value) <= 18 and value != "-0":
        return Decimal(value) if "." in value else int(value)
    return str(text(500)(value))


def plain(value: Any) -> str:
    """A value as its cell: numbers without exponent or trailing zeros, lists with blanks, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        digits = format(value, "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return "0" if digits in ("-0", "") else digits
    if isinstance(value, list | tuple):
        return " ".join(str(part) for part in value)
    return str(value)
