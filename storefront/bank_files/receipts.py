"""What a bank file says: a receipt for each transfer, an error with its line for everything else. Pure records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Receipt:
    """One transfer that arrived. `amount_minor` in minor units; `payer` as the bank wrote it, half-width kana."""

    on: date
    amount_minor: int
    payer: str
    payer_code: str = ""  # the code of a virtual account, where the bank gives one to each customer
    edi: str = ""  # what the payer's bank passed on, often an invoice or order number
    reference: str = ""  # the bank's own number of the transfer
    account: str = ""  # bank, branch and account it arrived in
    line: int = 0

    def key(self, repeated: int) -> str:
        """Names this transfer, so that a file read twice is not booked twice.

        `repeated` counts equal transfers of one file: two customers may well send the same on the same day.
        """
        parts = (self.on.isoformat(), str(self.amount_minor), self.payer, self.payer_code, self.edi,
                 self.reference, self.account, str(repeated))  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that was not understood. `error` is a key of storefront.bank_files.words.ERRORS."""

    line: int
    error: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class BankFile:
    receipts: tuple[Receipt, ...]
    errors: tuple[LineError, ...]


def keys_of(receipts: tuple[Receipt, ...]) -> list[str]:
    """The key of each receipt of one file, equal ones counted."""
    seen: dict[str, int] = {}
    keys = []
    for receipt in receipts:
        plain = receipt.key(0)
        seen[plain] = seen.get(plain, -1) + 1
        keys.append(receipt.key(seen[plain]))
    return keys
