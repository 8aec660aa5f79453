"""Pasted order lines and uploaded sheets, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.quick_order.pasted import fault_of, read_file, read_lines


@pytest.mark.parametrize(
    ("text", "sku", "quantity"),
    [
        ("M4-10 100", "M4-10", "100"),
        ("M4-20-BK, 200", "M4-20-BK", "200"),
        ("m4ナット\t200", "m4ナット", "200"),
        ("SET-M4", "SET-M4", None),
        ("M4-10,1,000", "M4-10", "1,000"),
        ("M4-10 1,000", "M4-10", "1,000"),
        ("Ｍ４－１０　１００", "Ｍ４－１０", "１００"),
        ("M4-10，100", "M4-10", "100"),
        ("M4-10、100個", "M4-10", "100個"),
        ("M4-10;100", "M4-10", "100"),
        ("M4-10 ×100", "M4-10", "100"),
        ("M4-10 x 3", "M4-10", "3"),
        ("M4-10 3箱", "M4-10", "3箱"),
        ("M4-10 3 cases", "M4-10", "3 cases"),
        ("TUBE-6 2.5 m", "TUBE-6", "2.5 m"),
        ("六角ナット M4 200", "六角ナット M4", "200"),
        ("六角ナット M4", "六角ナット M4", None),
        ("M4-10 -5", "M4-10", "-5"),
        ("M4-10: 50", "M4-10", "50"),
        ("・M4-10　１００個", "M4-10", "１００個"),
        ("> - M4-10 100", "M4-10", "100"),
        ("M4-10\t六角穴付ボルト\t80", "M4-10", "80"),
        ("M4-10\tabc", "M4-10", "abc"),
        ("85123A 6", "85123A", "6"),
        ('"M4-10","100"', "M4-10", "100"),
        ("4901234567894", "4901234567894", None),
    ],
)
def test_a_line_is_a_sku_and_perhaps_a_quantity(text: str, sku: str, quantity: str | None) -> None:
    (line,) = read_lines(text)
    assert (line.sku, line.quantity) == (sku, quantity)


def test_lines_keep_their_numbers_and_empty_ones_are_skipped() -> None:
    assert [(line.number, line.sku) for line in read_lines("A 1\r\n\r\n , \nB 2\rC")] == [
        (1, "A"),
        (4, "B"),
        (5, "C"),
    ]


def test_more_lines_than_a_page_holds_are_refused_with_both_numbers() -> None:
    assert fault_of("A 1\n" * 500) is None
    fault = fault_of("A 1\n" * 501)
    assert fault is not None
    assert "501" in fault and "500" in fault


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_sheet_is_read_in_each_encoding_and_its_heading_is_skipped(encoding: str) -> None:
    file = read_file('品番,数量\r\nM4-10,100\r\n六角ナット,"1,000"\r\n'.encode(encoding))
    assert file.fault is None
    assert [(line.sku, line.quantity) for line in read_lines(file.text)] == [
        ("M4-10", "100"),
        ("六角ナット", "1,000"),
    ]


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02", b"PK\x03\x04" + b"\x00" * 40, b"x" * 600_000, b"\xff\xfe\xfa"]
)
def test_a_file_that_is_no_sheet_is_refused_with_a_sentence(data: bytes) -> None:
    assert read_file(data).fault


@given(st.text(max_size=200))
def test_no_text_ever_raises_and_every_filled_line_is_answered(text: str) -> None:
    for line in read_lines(text):
        assert line.text is not None
        assert "\x00" not in line.text


@given(st.binary(max_size=300))
def test_no_file_ever_raises(data: bytes) -> None:
    read_file(data)
