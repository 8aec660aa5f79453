"""Which carriers there are, and a file of slips for one of them: CP932 and CRLF, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from storefront.slips import sagawa, yamato
from storefront.slips.fields import Column, Row, Sender, Slip, SlipError

SENDER_FIELDS = frozenset(
    {"sender_name", "sender_address", "sender_postcode", "sender_phone", "customer_code", "fare_number"}
)


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: its file, its codes, and where its parcels are looked up."""

    id: str
    label: Mapping[str, str]
    software: str
    columns: Sequence[Column]
    row: Callable[[Slip, Sender], Row]
    link: str


CARRIERS = {
    "yamato": Carrier(
        "yamato", {"ja": "ヤマト運輸", "en": "Yamato Transport"}, "B2 Cloud", yamato.COLUMNS, yamato.row,
        "https://toi.kuronekoyamato.co.jp/cgi-bin/tneko?number00=1&number01={}",
    ),
    "sagawa": Carrier(
        "sagawa", {"ja": "佐川急便", "en": "Sagawa Express"}, "e-Hiden III", sagawa.COLUMNS, sagawa.row,
        "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={}",
    ),
}  # fmt: skip


def export(carrier: Carrier, slips: Sequence[Slip], sender: Sender) -> bytes | list[SlipError]:
    """The file for the carrier's software; or everything that does not fit, and no file."""
    rows = [carrier.row(slip, sender) for slip in slips]
    errors: dict[SlipError, None] = {}
    for error in (error for made in rows for error in made.errors):
        if error.field in SENDER_FIELDS:  # the same in every row: said once
            error = SlipError(
                "", error.field, error.problem, error.value, error.have, error.allowed, error.unit
            )
        errors[error] = None
    if errors:
        return list(errors)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in carrier.columns])
    writer.writerows(made.line() for made in rows)
    return out.getvalue().encode("cp932")
