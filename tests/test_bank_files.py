"""Bank files: what arrived is read to the yen, matched only where it is certain, and left to a person otherwise."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.bank_files.kana import comparable
from storefront.bank_files.matching import FEES, OpenItem, match
from storefront.bank_files.receipts import Receipt, keys_of
from storefront.bank_files.table import read_table
from storefront.bank_files.values import read_amount, read_day, read_era_day
from storefront.bank_files.zengin import LENGTH, is_zengin, read_zengin

TODAY = date(2026, 11, 20)


def padded(text: str, width: int) -> bytes:
    return text.encode("cp932").ljust(width)[:width]


def header(kind: str = "01") -> bytes:
    record = b"1" + kind.encode() + b"0" + b"081120" * 3 + b"0005" + padded("ﾋｶﾞｼｵｵｻｶ", 15) + b"123"
    return (record + padded("ﾎﾝﾏﾁ", 15) + b"1" + b"7654321" + padded("ｶ)ｱｵﾔｷﾞ", 40)).ljust(LENGTH)


def data(
    amount: int,
    name: str,
    *,
    day: str = "081119",
    code: str = "",
    edi: str = "",
    cancel: str = " ",
    number: int = 1,
) -> bytes:
    record = b"2" + f"{number:06}".encode() + day.encode() * 2 + f"{amount:010}".encode() + b"0" * 10
    record += padded(code, 10) + padded(name, 48) + padded("ﾐﾂﾋﾞｼ", 15) + padded("ﾎﾝﾃﾝ", 15)
    return (record + cancel.encode() + padded(edi, 20)).ljust(LENGTH)


def trailer(count: int, amount: int) -> bytes:
    return (b"8" + f"{count:06}{amount:012}".encode()).ljust(LENGTH)


def whole(*records: bytes, ends: bytes = b"\r\n") -> bytes:
    return ends.join((*records, b"9".ljust(LENGTH))) + ends


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r", b""])
def test_a_notice_of_transfers_is_read_with_and_without_line_ends(ends: bytes) -> None:
    content = whole(
        header(),
        data(11000, "ﾊﾔｼｺｳｻｸｼﾖ", edi="A-10001"),
        data(550, "ｷﾀﾊﾏ", number=2),
        trailer(2, 11550),
        ends=ends,
    )
    assert is_zengin(content)
    found = read_zengin(content, TODAY)
    assert found.errors == ()
    first, second = found.receipts
    assert (first.on, first.amount_minor, first.payer) == (date(2026, 11, 19), 11000, "ﾊﾔｼｺｳｻｸｼﾖ")
    assert (first.edi, first.account, first.reference) == ("A-10001", "0005-123-7654321", "000001")
    assert (second.amount_minor, second.line) == (550, 3)


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (b"2" + b" " * 100, "length"),
        (data(100, "ｱ", day="089919"), "field"),
        (data(100, "ｱ").replace(b"0000000100", b"00000001x0"), "field"),
        (data(100, "ｱ", cancel="1"), "cancelled"),
        (b"7".ljust(LENGTH), "record"),
    ],
)
def test_a_record_that_is_not_understood_is_named_and_the_others_are_read(record: bytes, error: str) -> None:
    found = read_zengin(whole(header(), data(300, "ﾊﾔｼ"), record), TODAY)
    assert [receipt.amount_minor for receipt in found.receipts] == [300]
    assert [(one.line, one.error) for one in found.errors] == [(3, error)]


def test_a_sum_of_the_bank_that_is_not_ours_is_told() -> None:
    found = read_zengin(whole(header(), data(300, "ﾊﾔｼ"), trailer(1, 301)), TODAY)
    assert [one.error for one in found.errors] == ["sum"]


@given(st.binary(max_size=900))
def test_no_bytes_at_all_stop_the_readers(content: bytes) -> None:
    read_zengin(content, TODAY)
    read_table(content)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1,200", 1200), ("¥1,200", 1200), ("￥１，２００", 1200), ("1200円", 1200), ("▲300", -300),
     ("(300)", -300), ("-300", -300),
     ("1200.00", 1200), ("０", 0)],
)  # fmt: skip
def test_amounts_are_read_as_banks_write_them(text: str, amount: int) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["", "1,20", "12,00,000", "(300", "1.5", "1e3", "--3", "▲(300)", "百円", "1 200 3x"]
)
def test_what_is_no_amount_is_no_guess(text: str) -> None:
    with pytest.raises(ValueError):
        read_amount(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-01",
        "2026/4/1",
        "20260401",
        "2026.4.1",
        "2026年4月1日",
        "R8.4.1",
        "令和8年4月1日",
        "Ｒ８．４．１",
    ],
)
def test_days_are_read_in_every_usual_form(text: str) -> None:
    assert read_day(text) == date(2026, 4, 1)


def test_the_first_year_of_an_era_and_a_banks_short_year_are_read() -> None:
    assert read_day("令和元年5月1日") == date(2019, 5, 1)
    assert read_era_day("081119", TODAY) == date(2026, 11, 19)
    assert read_era_day("261119", TODAY) == date(2026, 11, 19)
    for text in ("2026-13-01", "R8.2.30", "yesterday", ""):
        with pytest.raises(ValueError):
            read_day(text)


def test_a_table_is_read_below_its_headings_and_money_that_went_out_is_passed_over() -> None:
    rows = (
        "口座,普通 7654321",
        "取引日,摘要,お支払金額,お預り金額",
        '2026/11/19,ｶ)ﾊﾔｼｺｳｻｸｼﾖ,,"11,000"',
        "R8.11.20,電気代,5000,",
        "2026/11/20,ｷﾀﾊﾏ,,x",
    )
    text = "".join(f"{row}\r\n" for row in rows)
    for content in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("cp932")):
        found = read_table(content)
        assert [(one.on, one.amount_minor, one.payer, one.line) for one in found.receipts] == [
            (date(2026, 11, 19), 11000, "ｶ)ﾊﾔｼｺｳｻｸｼﾖ", 3)
        ]
        assert [(one.line, one.error, one.value) for one in found.errors] == [(5, "amount", "x")]
    assert [one.error for one in read_table(b"a,b\n1,2\n").errors] == ["headings"]
    assert [one.error for one in read_table(b"\xff\xfe\x00").errors] == ["encoding"]


@pytest.mark.parametrize(
    "name",
    [
        "ｶ)ｱｵﾔｷﾞﾗｼｾｲｻｸｼﾖ",
        "カブシキガイシャ アオヤギラシセイサクショ",
        "(カ)アオヤギ　ラシ セイサクシヨ",
        "ｱｵﾔｷﾗｼｾｲｻｸｼｮ(ｶ",
        "あおやぎらしせいさくしょ",
    ],
)
def test_one_name_written_in_many_ways_is_one_name(name: str) -> None:
    assert comparable(name) == "アオヤキラシセイサクシヨ"


def test_a_name_that_only_ends_like_a_company_form_keeps_its_end() -> None:
    assert comparable("フジカ") == "フシカ"
    assert comparable("カネコ") == "カネコ"


# --- matching -----------------------------------------------------------------------------------------------------


def item(
    number: int,
    amount: int,
    *,
    company: int = 1,
    name: str = "ハヤシコウサクショ",
    codes: tuple[str, ...] = (),
) -> OpenItem:
    return OpenItem(number, f"A-{10000 + number}", company, (name,), amount, codes)


def receipt(amount: int, payer: str = "ﾊﾔｼｺｳｻｸｼﾖ", *, code: str = "", edi: str = "") -> Receipt:
    return Receipt(TODAY, amount, payer, code, edi)


def ways(found: object, *items: OpenItem) -> list[tuple[str | None, list[int], int]]:
    receipts = found if isinstance(found, list) else [found]
    return [(one.how, [each.payment_id for each in one.items], one.missing) for one in match(receipts, items)]


def test_the_code_of_a_virtual_account_comes_first() -> None:
    items = (item(1, 500, codes=("777",)), item(2, 500, company=2))
    assert ways(receipt(500, "ﾀﾞﾚｶ", code="777"), *items) == [("code", [1], 0)]


def test_an_order_number_in_the_payers_text_is_believed_with_its_amount() -> None:
    items = (item(1, 500), item(2, 500))
    assert ways(receipt(500, "ﾀﾞﾚｶ", edi="CHUMON A-10002"), *items) == [("number", [2], 0)]
    assert ways(receipt(500, "A-10001 ﾊﾔｼ"), *items) == [("number", [1], 0)]
    assert ways(receipt(500, "ﾀﾞﾚｶ", edi="A-100022"), *items) == [(None, [], 0)]


def test_amount_and_name_match_where_only_one_order_can_be_meant() -> None:
    assert ways(receipt(500), item(1, 500), item(2, 700)) == [("name", [1], 0)]
    assert ways(receipt(500), item(1, 500), item(2, 500)) == [(None, [], 0)]
    assert ways(receipt(500, "ｷﾀﾊﾏ"), item(1, 500)) == [(None, [], 0)]


def test_the_sum_of_everything_a_company_owes_is_one_transfer() -> None:
    assert ways(receipt(1200), item(1, 500), item(2, 700)) == [("sum", [1, 2], 0)]
    assert ways(receipt(1200), item(1, 500), item(2, 700), item(3, 100)) == [(None, [], 0)]


@pytest.mark.parametrize("fee", FEES)
def test_a_fee_that_the_bank_kept_is_told(fee: int) -> None:
    assert ways(receipt(5000 - fee), item(1, 5000)) == [("fee", [1], fee)]
    assert ways(receipt(5000 - fee - 1), item(1, 5000)) == [(None, [], 0)]
    assert ways(receipt(5000 + fee), item(1, 5000)) == [(None, [], 0)]


def test_two_companies_of_one_name_are_left_to_a_person_with_both_as_candidates() -> None:
    (found,) = match([receipt(500)], [item(1, 500, company=1), item(2, 500, company=2)])
    assert found.how is None
    assert [one.payment_id for one in found.candidates] == [1, 2]


def test_an_order_is_paid_once_however_often_the_money_comes() -> None:
    assert ways([receipt(500), receipt(500)], item(1, 500)) == [("name", [1], 0), (None, [], 0)]


@given(st.data())
def test_nothing_is_matched_that_could_mean_two_things(data: st.DataObject) -> None:
    """Whatever is matched is alone among all items with that amount (or sum, or fee) and that signature."""
    names = ("ハヤシ", "キタハマ", "ハヤシ")
    items = [
        item(
            number,
            data.draw(st.sampled_from((500, 700, 1200, 1420))),
            company=company + 1,
            name=names[company],
        )
        for number, company in enumerate(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=6)))
    ]
    came = receipt(
        data.draw(st.sampled_from((280, 500, 700, 1200, 1420, 1900))),
        data.draw(st.sampled_from(("ﾊﾔｼ", "ｷﾀﾊﾏ", "ｶ)ﾊﾔｼ"))),
    )
    (found,) = match([came], items)
    signed = [one for one in items if comparable(one.names[0]) == comparable(came.payer)]
    if found.how == "name":
        assert [one for one in signed if one.amount_minor == came.amount_minor] == list(found.items)
    elif found.how == "sum":
        assert sum(one.amount_minor for one in signed) == came.amount_minor
        assert len({one.company_id for one in signed}) == 1
    elif found.how == "fee":
        assert sum(one.amount_minor - came.amount_minor in FEES for one in signed) == 1
    else:
        assert found.items == ()


def test_equal_transfers_of_one_file_are_two_and_a_file_read_again_is_none() -> None:
    one = (receipt(500), receipt(500), receipt(501))
    assert len(set(keys_of(one))) == 3
    assert keys_of(one) == keys_of(one)
