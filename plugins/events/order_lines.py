"""The lines of an order as CSV for an office in Japan: CRLF, and UTF-8 with BOM or CP932."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from plugins import OrderView

COLUMNS = (
    "order_number", "ordered_on", "purchase_order_number", "customer_code", "customer", "deliver_on", "position",
    "kind", "code", "name", "quantity", "unit", "unit_price", "per", "amount", "currency", "tax",
)  # fmt: skip
# Characters that CP932 has under another number than the one usually typed.
_SAME = str.maketrans({"〜": "～", "−": "－", "‖": "∥", "—": "―", "¢": "￠", "£": "￡", "¬": "￢"})
MISSING = "〓"  # printers' sign for a character that is not at hand


def order_csv(order: OrderView, encoding: str) -> bytes:
    """Goods, charges, shipping, fee and taxes, one row each: their amounts add up to the order's total."""
    lines = io.StringIO(newline="")
    write = csv.writer(lines, lineterminator="\r\n")
    write.writerow(COLUMNS)
    head = (
        order.number, order.on.isoformat(), order.purchase_order_number, order.buyer.code, order.company,
        order.deliver_on.isoformat() if order.deliver_on else "",
    )  # fmt: skip
    for row in _rows(order):
        write.writerow([_safe(cell) for cell in (*head, *row)])
    text = lines.getvalue()
    if encoding == "utf-8":
        return text.encode("utf-8-sig")
    return "".join(_in_cp932(sign) for sign in text.translate(_SAME)).encode("cp932")


def _in_cp932(sign: str) -> str:
    try:
        sign.encode("cp932")
    except UnicodeEncodeError:
        return MISSING
    return sign


def _rows(order: OrderView) -> Iterator[Sequence[str | int]]:
    currency = order.total.currency
    for line in order.lines:
        price = "" if line.unit_price is None else f"{line.unit_price:f}"
        yield (
            line.position, "goods", line.sku, _one(line.name), line.quantity, _one(line.unit), price, line.per,
            line.amount.minor, currency, line.tax,
        )  # fmt: skip
    rest: list[tuple[str, str, str, int, str]] = [
        ("charge", each.code, _one(each.label), each.amount.minor, each.tax) for each in order.charges
    ]
    if order.shipping.minor:
        rest.append(("shipping", order.shipping_code or "", "", order.shipping.minor, ""))
    if order.payment_fee.minor:
        rest.append(("payment_fee", order.payment_code or "", "", order.payment_fee.minor, ""))
    rest += [("tax", each.category, "", each.amount.minor, each.category) for each in order.taxes]
    for position, (kind, code, name, minor, tax) in enumerate(rest, len(order.lines) + 1):
        yield position, kind, code, name, "", "", "", "", minor, currency, tax


def _one(texts: Mapping[str, str] | None) -> str:
    return "" if not texts else texts.get("ja") or next(iter(texts.values()))


def _safe(cell: str | int) -> str | int:
    """A spreadsheet must not take a text for a formula; a line break would be another row for many readers."""
    if isinstance(cell, int):
        return cell
    text = " ".join(cell.split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
