"""A bank's or a spreadsheet's CSV of arrivals: UTF-8 or CP932, columns found by their headings in Japanese or English.

Pure. Rows of money going out are passed over; a row that is not understood is an error with its line.
"""

from __future__ import annotations

import csv
import io
import unicodedata

from storefront.bank_files.receipts import BankFile, LineError, Receipt
from storefront.bank_files.values import read_amount, read_day

_HEADINGS = {
    "on": ("日付", "取引日", "入金日", "勘定日", "お取引日", "年月日", "date", "received on"),
    "amount": ("入金金額", "入金額", "お預入", "お預り金額", "預入金額", "金額", "入金", "amount", "credit"),
    "payer": (
        "振込依頼人名",
        "依頼人名",
        "摘要",
        "お名前",
        "内容",
        "取引内容",
        "payer",
        "name",
        "description",
    ),
    "payer_code": ("振込依頼人コード", "依頼人コード", "payer code"),
    "edi": ("edi情報", "edi", "備考", "メモ", "reference", "memo"),
}
_NEEDED = ("on", "amount", "payer")


def read_table(content: bytes) -> BankFile:
    """Every arrival of the file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp932")
        except UnicodeDecodeError:
            return BankFile((), (LineError(1, "encoding"),))
    if "\0" in text:
        return BankFile((), (LineError(1, "encoding"),))
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    receipts: list[Receipt] = []
    errors: list[LineError] = []
    columns: dict[str, int] | None = None
    try:
        for cells in rows:
            if columns is None:
                columns = _columns(cells)  # banks put a few lines of their own before the headings
            elif any(cell.strip() for cell in cells):
                found = _receipt(cells, columns, rows.line_num)
                if isinstance(found, LineError):
                    errors.append(found)
                elif found is not None:
                    receipts.append(found)
    except csv.Error as error:
        errors.append(LineError(rows.line_num, "csv", str(error)))
    if columns is None:
        return BankFile((), (LineError(1, "headings"),))
    return BankFile(tuple(receipts), tuple(errors))


def _columns(cells: list[str]) -> dict[str, int] | None:
    names = [unicodedata.normalize("NFKC", cell).strip().casefold() for cell in cells]
    found = {
        field: next(names.index(heading) for heading in headings if heading in names)
        for field, headings in _HEADINGS.items()
        if any(heading in names for heading in headings)
    }
    return found if all(field in found for field in _NEEDED) else None


def _receipt(cells: list[str], columns: dict[str, int], line: int) -> Receipt | LineError | None:
    def cell(field: str) -> str:
        place = columns.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    if not cell("amount") or cell("amount") in ("-", "0"):
        return None  # money that went out stands in another column
    try:
        amount = read_amount(cell("amount"))
    except ValueError:
        return LineError(line, "amount", cell("amount"))
    try:
        on = read_day(cell("on"))
    except ValueError:
        return LineError(line, "day", cell("on"))
    if amount <= 0:
        return None
    return Receipt(on, amount, cell("payer"), cell("payer_code"), cell("edi"), line=line)
