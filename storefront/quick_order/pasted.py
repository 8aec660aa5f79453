"""Pasted or uploaded order lines, taken apart: what was meant as SKU and what as quantity.

Reads text only; whether a SKU exists and a quantity is allowed is answered by quick_order.py. Nothing typed is lost.
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass

from storefront.language import _

MOST_LINES = 500
LONGEST_TEXT = 100_000  # characters
LONGEST_LINE = 300
BIGGEST_FILE = 500_000  # bytes

_SEPARATORS = str.maketrans({"，": ",", "、": ",", "；": ";", "\u3000": " ", "\u00a0": " "})
_NUMBER = r"(?:[×xX*＊] ?)?[-+−－]?\d[^\s\t;]*"  # begins like a number; parse_quantity judges it
_UNIT = r"(?: ?[^\W\d][\w/.]{0,8})?"
_LAST = re.compile(rf"(?P<sku>\S.*?)[\s,;]+(?P<quantity>{_NUMBER}{_UNIT})[\s,;]*")
_BULLETS = "・･•‣●○■□◆◇▪※*-–—> "
_TIMES = re.compile(r"^[×xX*＊]\s*(?=[-+−－]?\d)")
_HEADINGS = ("sku", "品番", "商品コード", "型番", "part", "item", "code", "product")


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One line as pasted: its number, the text, and the two parts; `quantity` is None when none was given."""

    number: int
    text: str
    sku: str
    quantity: str | None


@dataclass(frozen=True, slots=True)
class FileText:
    """An uploaded file as lines to paste, or the sentence that says why it cannot be read."""

    text: str = ""
    fault: str | None = None


def read_lines(text: str) -> list[PastedLine]:
    """Every line that holds something, numbered as pasted. Lines too long to be an order are cut."""
    numbered = enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1)
    return [_line(number, line[:LONGEST_LINE]) for number, line in numbered if line.strip(" \t,;\u3000")]


def fault_of(text: str) -> str | None:
    """Why this much cannot be read at once, as a sentence; None when it can."""
    lines = sum(1 for line in text.splitlines() if line.strip())
    if lines > MOST_LINES:
        return _("%(num)s lines are too many at once. Paste up to %(most)s lines, then the rest.",
                 num=f"{lines:,}", most=MOST_LINES)  # fmt: skip
    if len(text) > LONGEST_TEXT:
        return _("This text is too long. Paste up to %(most)s lines, one item on each.", most=MOST_LINES)
    return None


def _line(number: int, line: str) -> PastedLine:
    shown = "".join(char for char in line if char == "\t" or char.isprintable() or char.isspace()).strip()
    plain = shown.translate(_SEPARATORS)
    if plain.startswith('"'):  # a line copied out of a CSV file
        plain = plain.replace('"', " ")
    if "\t" in plain:
        sku, quantity = _of_cells(plain.split("\t"))
        return PastedLine(number, shown, sku, quantity)
    plain = plain.strip(" ,;")
    plain = plain.lstrip(_BULLETS) or plain  # a mail lists with bullets and quotes with >
    found = _LAST.fullmatch(plain)
    if found is None:
        return PastedLine(number, shown, plain.strip(" ,;\"'"), None)
    return PastedLine(number, shown, found["sku"].strip(" ,;:：\"'"), _TIMES.sub("", found["quantity"]))


def _of_cells(cells: list[str]) -> tuple[str, str | None]:
    """SKU first; the quantity is the first later cell that begins like a number, else whatever stands second."""
    filled = [cell.strip(" \"'") for cell in cells if cell.strip(" \"'")]
    if not filled:
        return "", None
    later = [cell for cell in filled[1:] if re.match(_NUMBER, cell)] or filled[1:2]
    return filled[0], _TIMES.sub("", later[0]) if later else None


def read_file(data: bytes) -> FileText:
    """A CSV or text file as lines to paste: UTF-8 with or without BOM, or CP932 as Excel writes it in Japan."""
    if len(data) > BIGGEST_FILE:
        return FileText(fault=_("This file is larger than %(size)s kB. Split it.", size=BIGGEST_FILE // 1000))
    text = _decoded(data)
    if text is None or "\x00" in text:
        return FileText(fault=_("This file is no text. Save it as CSV in UTF-8 or Shift_JIS."))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error:
        return FileText(
            fault=_("This file cannot be read as CSV. Save it again as CSV with one item on each line.")
        )
    lines = []
    for place, row in enumerate(rows):
        cells = [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in row]
        if place == 0 and cells and any(cells[0].casefold().startswith(word) for word in _HEADINGS):
            continue
        if any(cells):
            lines.append("\t".join(cells) if len(cells) > 1 else cells[0])
    return FileText("\n".join(lines))


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max("\t;,", key=first.count) if any(mark in first for mark in "\t;,") else ","
