"""Which order a transfer pays. Certain matches only: whatever could mean two things is left to a person. Pure.

Looked at in this order: code of the payer, number in the payer's text, amount and name, sum, amount less a fee.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from storefront.bank_files.kana import comparable
from storefront.bank_files.receipts import Receipt

FEES = (110, 220, 330, 440, 550, 660, 770, 880)  # yen that Japanese banks keep from a transfer
_LEAST_NUMBER = 4  # a shorter order number may stand in any text by chance


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something a company owes. `names` are how its transfers may be signed: name, kana, aliases learnt."""

    payment_id: int
    number: str
    company_id: int
    names: tuple[str, ...]
    amount_minor: int
    payer_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """`how` is code, number, name, sum or fee, and `missing` what the bank kept; None: a person must choose."""

    receipt: Receipt
    items: tuple[OpenItem, ...]
    how: str | None
    missing: int = 0
    candidates: tuple[OpenItem, ...] = ()


def match(
    receipts: Iterable[Receipt], items: Sequence[OpenItem], fees: Collection[int] = FEES
) -> list[Match]:
    """One match for each receipt, in their order; an item is paid once."""
    left = {item.payment_id: item for item in items}
    found = []
    for receipt in receipts:
        one = _match(receipt, list(left.values()), fees)
        for item in one.items:
            del left[item.payment_id]
        found.append(one)
    return found


def _match(receipt: Receipt, items: Sequence[OpenItem], fees: Collection[int]) -> Match:
    by_code = [item for item in items if receipt.payer_code and receipt.payer_code in item.payer_codes]
    by_number = [item for item in items if _names(receipt, item.number)]
    by_name = [item for item in items if _is_signed(receipt, item)]
    for how, some in (("code", by_code), ("number", by_number), ("name", by_name)):
        exact = [item for item in some if item.amount_minor == receipt.amount_minor]
        if len(exact) == 1:
            return Match(receipt, (exact[0],), how)
        if len(exact) > 1:
            return Match(receipt, (), None, candidates=tuple(exact))
    known = by_code or by_number or by_name
    is_one_company = len({item.company_id for item in known}) == 1
    if is_one_company and len(known) > 1 and sum(item.amount_minor for item in known) == receipt.amount_minor:
        return Match(receipt, tuple(known), "sum")
    short = [item for item in known if item.amount_minor - receipt.amount_minor in fees]
    if len(short) == 1:
        return Match(receipt, (short[0],), "fee", short[0].amount_minor - receipt.amount_minor)
    same_amount = [item for item in items if item.amount_minor == receipt.amount_minor]
    return Match(receipt, (), None, candidates=tuple(dict.fromkeys((*known, *same_amount))))


def _names(receipt: Receipt, number: str) -> bool:
    """Whether the payer's text holds the order number as a word of its own."""
    digits = number.strip()
    if len(digits) < _LEAST_NUMBER:
        return False
    pattern = rf"(?<![0-9A-Z]){re.escape(digits)}(?![0-9A-Z])"
    return any(re.search(pattern, text.upper()) for text in (receipt.edi, receipt.payer))


def _is_signed(receipt: Receipt, item: OpenItem) -> bool:
    """Whether the transfer is signed with a name of the company; an order number beside the name does not disturb."""
    signed = comparable(receipt.payer.upper().replace(item.number.upper(), " "))
    return bool(signed) and signed in {comparable(name) for name in item.names if name}
