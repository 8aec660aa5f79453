"""Tracking numbers read back from the carriers' files, and links to look them up."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.slips import CARRIERS, check_digit_fits, link, read_tracking

YAMATO, SAGAWA = CARRIERS["yamato"], CARRIERS["sagawa"]


def issued(carrier: object, rows: list[tuple[str, str]], encoding: str = "cp932") -> bytes:
    """What the software gives back: the same layout with its numbers filled in."""
    names = [column.name for column in carrier.columns]  # type: ignore[attr-defined]
    ours, theirs = ("お客様管理番号", "伝票番号" if "伝票番号" in names else "お問い合せ送り状No.")
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({ours: number, theirs: tracking} for number, tracking in rows)
    return out.getvalue().encode(encoding)


@pytest.mark.parametrize("carrier", [YAMATO, SAGAWA], ids=["yamato", "sagawa"])
def test_tracking_numbers_are_read_back_from_the_layout_with_and_without_headings(carrier: object) -> None:
    data = issued(carrier, [("26-00042", "1234-5678-9014"), ("26-00043", "123456789025")])
    for given_back in (data, data.split(b"\r\n", 1)[1]):
        found, errors = read_tracking(carrier, given_back)  # type: ignore[arg-type]
        assert errors == []
        assert [(one.number, one.tracking) for one in found] == [
            ("26-00042", "123456789014"),
            ("26-00043", "123456789025"),
        ]


def test_a_check_digit_that_does_not_fit_warns_and_a_number_out_of_a_spreadsheet_is_an_error() -> None:
    assert check_digit_fits("123456789014") is (12345678901 % 7 == 4)
    good = f"12345678901{12345678901 % 7}"
    bad = f"12345678901{(12345678901 + 1) % 7}"
    found, errors = read_tracking(
        YAMATO, issued(YAMATO, [("A", good), ("B", bad), ("C", "1.23457E+11"), ("", good)])
    )
    assert [(one.number, one.is_odd) for one in found] == [("A", False), ("B", True)]
    assert [(error.line, error.problem) for error in errors] == [(4, "tracking"), (5, "number")]


def test_one_tracking_number_is_never_two_orders() -> None:
    _found, errors = read_tracking(SAGAWA, issued(SAGAWA, [("A", "123456789014"), ("B", "123456789014")]))
    assert [(error.line, error.problem) for error in errors] == [(3, "twice")]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for carrier in CARRIERS.values():
        read_tracking(carrier, data)


def test_links_lead_to_the_carrier_and_hold_digits_alone() -> None:
    assert (
        link("yamato", "123456789014")
        == "https://toi.kuronekoyamato.co.jp/cgi-bin/tneko?number00=1&number01=123456789014"
    )
    assert str(link("sagawa", "123456789014")).endswith("okurijoNo=123456789014")
    assert link("sagawa", "1234&x=1") is None
    assert link("nobody", "123456789014") is None
