"""Price tables: every wrong row is named with its CSV line, and rows answer by key."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rules.ruleset import PriceTable, Row, Ruleset
from support.rule_folders import errors, loaded, only_error, rules

RULE = rules(PR10='[price]\ntable = "prices/a.csv"\n')


def with_table(text: str | bytes) -> dict[str, str | bytes]:
    return {**RULE, "prices/a.csv": text}


def table_of(ruleset: Ruleset) -> PriceTable:
    table = ruleset.rule("PR10").effect.table  # type: ignore[union-attr]
    assert isinstance(table, PriceTable)
    return table


def test_rows_answer_by_customer_group_sku_and_category(tmp_path: Path) -> None:
    text = (
        "customer,group,sku,category,from,unit,rate,per,valid_from,valid_until,currency\n"
        "ACME,,M4,,100,98,,,,,\n"
        "ACME,,M4,,,120.50,,100,2026-01-01,2026-12-31,JPY\n"
        ",standard,,screws/pan,,,0.65,,,,\n"
        ",,M4,,,5,,,,,USD\n"
    )
    table = table_of(loaded(tmp_path, with_table(text)))
    assert table.path == "prices/a.csv"
    assert table.rows["ACME", None, "M4", None] == (
        Row(1, "unit", Decimal("120.50"), 100, date(2026, 1, 1), date(2026, 12, 31), 3),
        Row(100, "unit", Decimal(98), None, None, None, 2),
    )
    assert table.rows.get((None, "standard", None, "screws/pan")) == (
        Row(1, "rate", Decimal("0.65"), None, None, None, 4),
    )
    assert table.rows.get((None, None, "M4", None)) is None
    assert table.shapes == ((True, False, True, 0), (False, True, False, 2))
    assert set(table.rows) == {("ACME", None, "M4", None), (None, "standard", None, "screws/pan")}


def test_cells_are_trimmed_quoted_and_normalised(tmp_path: Path) -> None:
    text = '\ufeffsku , unit\r\n" M4, zinc" , 98\r\ne\u0301,5\r\n\r\n'
    table = table_of(loaded(tmp_path, with_table(text.replace('" M4', '"M4').replace(" , 98", ", 98"))))
    assert sorted(str(key[2]) for key in table.rows) == ["M4, zinc", "\u00e9"]


@pytest.mark.parametrize(
    ("row", "check", "words"),
    [
        ("M4,1,,", "table-row", "exactly one of unit and rate"),
        ("M4,1,5,0.5", "table-row", "exactly one of unit and rate"),
        ("M4,0,5,", "table-row", "from must be a whole number"),
        ("M4,1.5,5,", "table-row", "from must be a whole number"),
        ("M4,1e3,5,", "table-row", "from must be a whole number"),
        ("M4,\uff11,5,", "table-row", "from must be a whole number"),
        ("M4,1,-5,", "table-row", "plain digits"),
        ("M4,1,1e3,", "table-row", "plain digits"),
        ("M4,1,NaN,", "table-row", "plain digits"),
        ('M4,1,"1,000",', "table-row", "plain digits"),
        ("M4,1,5.,", "table-row", "plain digits"),
        ("M4,1,007,", "table-row", "needless 0"),
        ("M4,1,0.1234567,", "too-many-decimals", "6 after it"),
        ("M4,1,1234567890123,", "too-many-decimals", "12 digits"),
        ("M4,1,,11", "wrong-value", "factor from 0 to 10"),
        ("M4,1,5", "table-row", "3 cells where the header has 4"),
        ('M4,1,"5"x,', "table-row", "cannot be read"),
        ("M4,1,5,\n\nM4,1,6,", "repeated-row", "overlaps line 3"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, row: str, check: str, words: str) -> None:
    finding = only_error(tmp_path, with_table(f"sku,from,unit,rate\nN4,1,5,\n{row}\n"))
    assert (finding.check, finding.file) == (check, "prices/a.csv")
    assert finding.line == (5 if check == "repeated-row" else 3)
    assert words in finding.message


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("sku,unti", 'no column "unti"'),
        ("sku,unit,unit", "twice"),
        ("sku,from", "needs the column unit or rate"),
        ("", "no header"),
    ],
)
def test_a_wrong_header_is_named(tmp_path: Path, header: str, words: str) -> None:
    assert any(words in finding.message for finding in errors(tmp_path, with_table(header + "\n")))


def test_dates_and_currencies_of_rows_are_checked(tmp_path: Path) -> None:
    head = "sku,unit,valid_from,valid_until,currency\n"
    text = head + "A,1,2026-02-30,,\nB,1,2026-12-01,2026-01-01,\nC,1,,,YEN\nD,1,20260101,,\n"
    found = errors(tmp_path, with_table(text))
    assert [(one.line, one.check) for one in found] == [
        (2, "table-row"), (3, "reversed-dates"), (4, "table-row"), (5, "table-row")
    ]  # fmt: skip


def test_rows_overlap_only_when_all_cells_are_equal_and_their_dates_share_a_day(tmp_path: Path) -> None:
    head = "sku,from,unit,valid_from,valid_until,currency\n"
    apart = "M4,1,5,,2026-06-30,\nM4,1,6,2026-07-01,,\nM4,10,6,,,\nM4,1,7,,,USD\nM5,1,5,,,\n"
    assert errors(tmp_path / "a", with_table(head + apart)) == []
    finding = only_error(
        tmp_path / "b", with_table(head + "M4,1,5,2026-01-01,2026-12-31,USD\nM4,1,6,2026-12-31,,USD\n")
    )
    assert (finding.check, finding.line) == ("repeated-row", 3)
    long = "M4,1,1,2026-01-01,2026-12-31,\nM4,1,2,2027-02-01,2027-03-01,\n"
    long += "M4,1,3,2026-02-01,2026-03-01,\nM4,1,4,2026-06-01,2026-06-02,\n"
    assert len(errors(tmp_path / "c", with_table(head + long))) == 2


def test_names_of_rows_are_checked_against_products_and_customers(tmp_path: Path) -> None:
    files = {
        **with_table("customer,group,sku,category,unit\nACMEE,,,,1\n,standart,,,1\n,,M5,,1\n,,,screw,1\n"),
        "products.csv": "sku,category\nM4,screws/pan\n",
        "customers.csv": "code,group\nACME,standard\n",
    }
    found = errors(tmp_path, files)
    assert [one.check for one in found] == [
        "unknown-customer",
        "unknown-group",
        "unknown-sku",
        "unknown-category",
    ]
    assert [one.hint for one in found][:2] == ['Did you mean "ACME"?', 'Did you mean "standard"?']


def test_a_field_of_a_megabyte_and_a_nul_are_refused_with_their_line(tmp_path: Path) -> None:
    big = only_error(tmp_path / "a", with_table("sku,unit\nM4,5\n" + "x" * 1_000_000 + ",5\n"))
    assert (big.check, big.line) == ("table-row", 3)
    nul = only_error(tmp_path / "b", with_table(b"sku,unit\nM4,5\nM\0,5\n"))
    assert (nul.check, nul.line) == ("table-row", 3)
    latin = only_error(tmp_path / "c", with_table(b"sku,unit\nM4,5\nM\xe9,5\n"))
    assert (latin.check, latin.line) == ("not-utf8", 3)
    assert errors(tmp_path / "d", with_table('sku,unit\nM4,"5'))[0].check == "table-row"


def test_every_row_of_a_long_table_is_loaded(tmp_path: Path) -> None:
    rows = "".join(f"C{place % 500},S{place},{place % 97 + 1}.{place % 100:02d}\n" for place in range(20_000))
    table = table_of(loaded(tmp_path, with_table("customer,sku,unit\n" + rows)))
    assert len(table.rows) == 20_000
