"""全銀 振込入金通知 (kind 01): records of 200 bytes in half-width kana, with or without line ends. Pure.

Layout: the Japanese Bankers Association's format for transfer notices; header 1, data 2, trailer 8, end 9.
"""

from __future__ import annotations

from datetime import date

from storefront.bank_files.receipts import BankFile, LineError, Receipt
from storefront.bank_files.values import read_era_day

LENGTH = 200


def is_zengin(content: bytes) -> bool:
    """Whether this looks like such a file: it begins with a header of kind 01 (or 03) and is long enough."""
    start = content.lstrip(b"\xef\xbb\xbf\r\n")
    return len(start) >= LENGTH and start[:1] == b"1" and start[1:3] in (b"01", b"03")


def read_zengin(content: bytes, today: date) -> BankFile:
    """Every transfer of the file; a record that is not understood is an error with its number from 1."""
    receipts: list[Receipt] = []
    errors: list[LineError] = []
    account, sums = "", [0, 0]
    is_cancelled = 0
    for number, record in enumerate(_records(content), start=1):
        if len(record) != LENGTH:
            errors.append(LineError(number, "length", str(len(record))))
            continue
        kind = record[:1]
        if kind == b"1":
            account = _text(record[22:26]) + "-" + _text(record[41:44]) + "-" + _text(record[60:67])
            if record[1:3] != b"01":
                errors.append(LineError(number, "kind", _text(record[1:3])))
        elif kind == b"2":
            try:
                receipt = _receipt(record, account, number, today)
            except ValueError as error:
                errors.append(LineError(number, "field", str(error)))
                continue
            if record[127:128] == b"1":  # the bank takes an earlier notice back: a person looks at it
                errors.append(LineError(number, "cancelled", f"{receipt.payer} {receipt.amount_minor}"))
                is_cancelled += 1
                continue
            receipts.append(receipt)
            sums = [sums[0] + 1, sums[1] + receipt.amount_minor]
        elif kind == b"8":
            errors += _trailer(record, number, sums, is_cancelled)
            sums, is_cancelled = [0, 0], 0
        elif kind != b"9":
            errors.append(LineError(number, "record", _text(kind)))
    return BankFile(tuple(receipts), tuple(errors))


def _records(content: bytes) -> list[bytes]:
    """Lines where there are line ends, else every 200 bytes."""
    content = content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")
    if b"\n" in content or b"\r" in content:
        return [line for line in content.replace(b"\r", b"\n").split(b"\n") if line]
    return [content[place : place + LENGTH] for place in range(0, len(content), LENGTH)]


def _receipt(record: bytes, account: str, number: int, today: date) -> Receipt:
    day, amount = _text(record[7:13]), _text(record[19:29])
    try:
        on = read_era_day(day, today)
    except ValueError:
        raise ValueError(f"{day!r}") from None
    if not amount.isdigit():
        raise ValueError(f"{amount!r}")
    return Receipt(
        on=on,
        amount_minor=int(amount),
        payer=_text(record[49:97]),
        payer_code=_text(record[39:49]).strip("0 "),
        edi=_text(record[128:148]),
        reference=_text(record[1:7]),
        account=account,
        line=number,
    )


def _trailer(record: bytes, number: int, sums: list[int], cancelled: int) -> list[LineError]:
    """The bank's own count and sum must be ours, unless notices were taken back."""
    count, amount = _text(record[1:7]), _text(record[7:19])
    if cancelled or not (count.isdigit() and amount.isdigit()) or [int(count), int(amount)] == sums:
        return []
    return [LineError(number, "sum", f"{int(count):,} / {int(amount):,}")]


def _text(part: bytes) -> str:
    return part.decode("cp932", errors="replace").strip()
