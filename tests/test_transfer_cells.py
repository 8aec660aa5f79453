"""Cells of CSV files: formulas are made harmless and come back exactly; every type reads what people type."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.transfer import cells, sheet
from storefront.transfer.cells import CellError
from storefront.transfer.records import Limits

FORMULAS = [
    "=1+1",
    "+81-3-1234",
    "-cmd|x",
    "@sum",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－x",
    "＠a",
    "  =1",
    "'=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_written_behind_an_apostrophe(text: str) -> None:
    assert cells.neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "-0.25", "0", "M4-10", "a=b", "'quoted'", "", "林工作所", "-1200.50"])
def test_negative_numbers_and_plain_texts_are_written_as_they_are(text: str) -> None:
    assert cells.neutralise(text) == text


@given(st.text(st.sampled_from("'=+-@＝＋－＠ \u3000\t\r\n-15.a林"), max_size=8))
def test_every_text_comes_back_from_its_neutralised_form(text: str) -> None:
    assert cells.restore(cells.neutralise(text)) == text


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6), min_size=2, max_size=2)
    )
)
def test_a_written_sheet_reads_back_as_the_same_cells(rows: list[list[str]]) -> None:
    table = sheet.parse(sheet.write(("a", "b"), rows), Limits())
    kept = [tuple(row) for row in rows if any(cell.strip() for cell in row)]
    assert [row for _line, row in table.rows] == kept


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1200", "1200"),
        ("1,200", "1200"),
        ("￥1,200", "1200"),
        ("¥97.5", "97.5"),
        ("１２０", "120"),
        ("0", "0"),
    ],
)
def test_prices_are_read_as_people_type_them(cell: str, value: str) -> None:
    assert cells.price(cell) == Decimal(value)


@pytest.mark.parametrize(
    "cell",
    [
        "-1",
        "1e3",
        "00123",
        "1,20",
        "NaN",
        "Infinity",
        "1.1234567",
        "1234567890123",
        "1_000",
        "²",
        "九",
        "1 000",
    ],
)
def test_what_is_no_plain_price_is_refused(cell: str) -> None:
    with pytest.raises(CellError) as refused:
        cells.price(cell)
    assert refused.value.problem == "price"


@pytest.mark.parametrize("cell", ["1.5", "-1", "1e9", "9" * 400, "true", "٣", "1000000000"])
def test_what_is_no_whole_number_in_range_is_refused(cell: str) -> None:
    with pytest.raises(CellError):
        cells.whole(0, 999_999_999)(cell)


def test_attributes_take_the_type_of_their_value() -> None:
    read = [cells.attribute(cell) for cell in ("true", "8", "1.50", "A2", "00123", "1e3")]
    assert read == [True, 8, Decimal("1.50"), "A2", "00123", "1e3"]


def test_shift_jis_utf8_and_bom_are_told_apart() -> None:
    text = "a,b\r\n髙﨑,①\r\n"
    for data, encoding in (
        (text.encode(), "utf-8"),
        (text.encode("utf-8-sig"), "utf-8"),
        (text.encode("cp932"), "cp932"),
    ):
        table = sheet.parse(data, Limits())
        assert (table.encoding, table.rows[0]) == (encoding, (2, ("髙﨑", "①")))


def test_cp932_names_the_characters_it_cannot_hold_and_their_line() -> None:
    with pytest.raises(sheet.UncodableError) as refused:
        sheet.write(("a",), [["林"], ["𠮷野😀"]], "cp932")
    assert (refused.value.characters, refused.value.line) == ("😀𠮷", 3) or set(refused.value.characters) == {
        "😀",
        "𠮷",
    }
    assert refused.value.line == 3


def test_wave_dash_and_yen_sign_of_a_mac_fit_into_cp932() -> None:
    assert sheet.write(("a",), [["1〜5"], ["¥100"]], "cp932").decode("cp932").split() == [
        "a",
        "1～5",
        "￥100",
    ]


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"", 1, "empty"),
        (b"a,b\nx\0,1\n", 2, "nul"),
        ("a,b\n".encode("utf-16"), 1, "utf16"),
        (b"a,b\nok,1\n\x81\xff,1\n", 3, "encoding"),
        (b'a,b\nok,1\n"open,1\nmore,2\n', 3, "quote"),
        (b'a,b\n"x"y,1\n', 2, "quote"),
        (b"a,b\n1,2,3\n", 2, "cell_count"),
        (b"a,b\n" + b"x" * 200_000 + b",1\n", 2, "cell_too_long_or_open"),
        (b"a,b\nok,1\n" + b"x" * 30_000 + b",1\n", 3, "too_long"),
        (b"a,b\nx\x07,1\n", 2, "control"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_its_line(data: bytes, line: int, problem: str) -> None:
    errors = sheet.parse(data, Limits()).errors
    assert [(error.line, error.problem) for error in errors[:1]] == [(line, problem)]


def test_size_and_rows_are_bounded() -> None:
    assert sheet.parse(b"a\n1\n", Limits(size=3)).errors[0].problem == "file_too_big"
    assert sheet.parse(b"a\n1\n2\n3\n", Limits(rows=2)).errors[0].problem == "too_many_rows"
    assert not sheet.parse(b"a\n1\n2\n", Limits(rows=2)).errors


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines() -> None:
    table = sheet.parse(b'a,b\r\n"two\r\nlines",1\r\n\r\n,\r\nlast,2\r\n', Limits())
    assert [line for line, _row in table.rows] == [2, 6]
    assert table.rows[0][1][0] == "two\r\nlines"
