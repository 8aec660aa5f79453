"""Slip files: every field within its limit, nothing lost and nothing cut."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.slips import CARRIERS, Sender, Slip, export
from storefront.slips.addresses import address_parts, fill, name_parts
from storefront.slips.fields import DANGEROUS, uncodable, wide, width
from storefront.slips.slots import CODES, OLD_CODES, SLOTS, canonical, code_of
from support.slip_docs import PAGE, tables

SLIP = Slip(
    number="26-00042",
    recipient="林工作所 購買課 林 美咲",
    postcode="5770000",
    region="大阪府",
    city="東大阪市",
    street="本町 4-5-6 小口ビル3F",
    phone="06-0000-1111",
    ship_on=date(2026, 11, 24),
    goods="ねじ",
)
SENDER = Sender(
    "株式会社青柳螺子製作所", "5770000", "大阪府東大阪市高井田1-2-3", "06-0000-0000", "061234567890"
)
YAMATO, SAGAWA = CARRIERS["yamato"], CARRIERS["sagawa"]
BOTH = pytest.mark.parametrize("carrier", [YAMATO, SAGAWA], ids=["yamato", "sagawa"])
# Of six pairs of twins CP932 decodes one only; the others are sampled beside these.
CODABLE = st.characters(codec="cp932", exclude_categories=("Cc", "Cs", "Co"), exclude_characters="¢£¬‖−〜")
LETTERS = st.one_of(
    st.sampled_from("東大阪市本町丁目番地号ビル階室﨑髙①㈱ｱﾊﾟｰﾄｶﾞ0123456789-- 　ABCxyz=+@〜−¢ー・.#"),
    CODABLE,
)
TEXTS = st.text(LETTERS, max_size=70)


def cells(data: bytes | list[object]) -> list[dict[str, str]]:
    assert isinstance(data, bytes), data
    text = data.decode("cp932")
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def told(made: object) -> list[tuple[str, str]]:
    assert isinstance(made, list)
    return [(error.field, error.problem) for error in made]


def without_blanks(text: str) -> str:
    return text.replace("\u3000", "")


def test_a_row_for_b2_cloud_has_the_order_the_day_the_slot_and_the_building_in_its_own_field() -> None:
    slip = replace(SLIP, deliver_on=date(2026, 11, 26), slot="am", temperature="chilled", parcels=2)
    (row,) = cells(export(YAMATO, [slip], SENDER))
    assert len(row) == 95
    assert row["お客様管理番号"] == "26-00042"
    assert (row["送り状種類"], row["クール区分"]) == ("0", "2")
    assert (row["出荷予定日"], row["お届け予定日"], row["配達時間帯"]) == ("2026/11/24", "2026/11/26", "0812")
    assert row["お届け先郵便番号"] == "577-0000"
    assert row["お届け先住所"] == "大阪府東大阪市本町　４－５－６"
    assert row["お届け先アパートマンション名"] == "小口ビル３Ｆ"
    assert row["お届け先名"] == "林工作所　購買課　林　美咲"
    assert (row["発行枚数"], row["個数口表示フラグ"]) == ("2", "3")
    assert (row["請求先顧客コード"], row["運賃管理番号"]) == ("061234567890", "01")


def test_a_row_for_e_hiden_has_three_address_fields_and_its_own_codes() -> None:
    slip = replace(
        SLIP,
        deliver_on=date(2026, 11, 26),
        slot="18-21",
        temperature="frozen",
        collect=11_000,
        collect_tax=1_000,
    )
    (row,) = cells(export(SAGAWA, [slip], SENDER))
    assert len(row) == 74
    assert [row[f"お届け先住所{place}"] for place in (1, 2, 3)] == [
        "大阪府東大阪市本町　４－５－６",
        "",
        "小口ビル３Ｆ",
    ]
    assert (row["クール便指定"], row["配達日"], row["配達指定時間帯"]) == ("003", "20261126", "04")
    assert (row["代引金額"], row["消費税"], row["元着区分"], row["出荷個数"]) == ("11000", "1000", "1", "1")


def test_cash_on_delivery_makes_a_collect_slip_with_the_amount_and_the_tax_in_it() -> None:
    (row,) = cells(export(YAMATO, [replace(SLIP, collect=11_000, collect_tax=1_000)], SENDER))
    assert (row["送り状種類"], row["ｺﾚｸﾄ代金引換額(税込)"], row["内消費税額等"]) == ("2", "11000", "1000")
    twice = export(YAMATO, [replace(SLIP, collect=11_000, parcels=2)], SENDER)
    assert told(twice) == [("parcels", "collect")]  # each label would collect it again


@BOTH
@settings(max_examples=100, deadline=None)
@given(city=TEXTS, street=TEXTS, recipient=TEXTS, goods=TEXTS)
def test_every_exported_field_fits_its_limit_and_runs_in_no_spreadsheet(
    carrier: object, city: str, street: str, recipient: str, goods: str
) -> None:
    slip = replace(SLIP, city=city, street=street, recipient=recipient, goods=goods)
    made = export(carrier, [slip], SENDER)  # type: ignore[arg-type]
    if isinstance(made, list):
        assert made
        return
    (row,) = cells(made)
    for column in carrier.columns:  # type: ignore[attr-defined]
        value = row[column.name]
        assert width(value) == len(value.encode("cp932")) <= column.limit
        assert not value or value[0] not in DANGEROUS
    assert row["品名1"] == wide(goods)


# Whatever a phone, a Mac or an old order system sends: emoji, marks without a shape, kana of half width, lone marks.
ANYTHING = st.text(
    st.one_of(
        st.sampled_from("大阪本町1-2-3丁目ビル 　〜～−－‐–—ｶﾞﾊﾟｱ゙ﾞ﨑髙𠮷😀①㈱Ⅲ¥\\\u200b\ufe0f\u3099\xa0\t\n=+@"),
        st.characters(),
    ),
    max_size=60,
)
DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFF0D], "-") | {0x301C: "~", 0x2016: "\u2225"}


def bare(text: str) -> str:
    """What a reader would call the same text: without width, blanks, and the kinds of dashes and waves."""
    plain = unicodedata.normalize("NFKC", text.translate(DASHES)).translate(DASHES)
    return "".join(one for one in plain if not one.isspace())


FIELDS = {
    "yamato": {
        "address": ("お届け先住所", "お届け先アパートマンション名"),
        "recipient": ("お届け先会社・部門1", "お届け先会社・部門2", "お届け先名"),
        "goods": ("品名1",),
    },
    "sagawa": {
        "address": ("お届け先住所1", "お届け先住所2", "お届け先住所3"),
        "recipient": ("お届け先名称1", "お届け先名称2"),
        "goods": ("品名1",),
    },
}


@BOTH
@settings(max_examples=200, deadline=None)
@given(city=ANYTHING, street=ANYTHING, recipient=ANYTHING, goods=ANYTHING)
def test_every_character_is_in_the_file_or_its_field_is_in_the_list_of_errors(
    carrier: Any, city: str, street: str, recipient: str, goods: str
) -> None:
    slip = replace(SLIP, city=city, street=street, recipient=recipient, goods=goods)
    made = carrier.row(slip, SENDER)
    wrong = {error.field for error in made.errors}
    whole = {"address": f"大阪府{city}{street}", "recipient": recipient, "goods": goods}
    for field, names in FIELDS[carrier.id].items():
        written = "".join(made.cells.get(name, "") for name in names)
        if field not in wrong:
            assert bare(written) == bare(whole[field])
            assert written.encode("cp932").decode("cp932") == written
        else:
            assert isinstance(export(carrier, [slip], SENDER), list)  # and so there is no file at all


def test_control_the_harness_sees_a_character_that_was_cut() -> None:
    (row,) = cells(export(YAMATO, [replace(SLIP, street="本町 4-5-67")], SENDER))
    assert bare(row["お届け先住所"][:-1]) != bare("大阪府東大阪市本町 4-5-67") == bare(row["お届け先住所"])


@BOTH
@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("髙﨑", "髙﨑"),
        ("〜", "～"),
        ("～", "～"),
        ("−", "－"),
        ("－", "－"),
        ("ｶﾞｲｱﾋﾞﾙ", "ガイアビル"),
        ("か\u3099", "が"),
        ("①㈱Ⅲ", "①㈱Ⅲ"),
        ("a\xa0b", "ａ　ｂ"),
        ("𠮷", None),
        ("😀", None),
        ("葛\U000e0100", None),  # a variant of a kanji: its selector has no place in CP932
        ("1\ufe0f", None),
        ("a\u200bb", None),
        ("\u2003", None),
    ],
)
def test_characters_that_the_encoding_lacks_are_named_and_twins_are_written(
    carrier: Any, written: str, there: str | None
) -> None:
    made = carrier.row(replace(SLIP, goods=f"x{written}y"), SENDER)
    if there is None:
        assert [error.field for error in made.errors] == ["goods"]
    else:
        assert made.cells["品名1"] == f"ｘ{there}ｙ"


def test_the_page_of_fields_is_what_the_columns_say() -> None:
    assert tables() in PAGE.read_text("utf-8"), "run python tests/support/slip_docs.py"


@settings(max_examples=150, deadline=None)
@given(text=st.text(LETTERS, max_size=48), limits=st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_a_text_over_fields_is_whole_or_refused(text: str, limits: list[int]) -> None:
    whole = wide(text)
    parts = fill(whole, limits)
    if parts is None:
        assert len(whole) > limits[0]
        return
    assert without_blanks("".join(parts)) == without_blanks(whole)
    assert all(len(part) <= limit for part, limit in zip(parts, limits, strict=False))


@settings(max_examples=150, deadline=None)
@given(text=st.text(CODABLE, max_size=30))
def test_what_cp932_can_hold_can_be_held_in_full_width_too(text: str) -> None:
    assert uncodable(wide(text)) == ""


def test_a_short_plain_text_always_fits() -> None:
    assert address_parts("大阪府", "東大阪市", "本町1", (32, 16)) == ["大阪府東大阪市本町１"]
    assert name_parts("林", (25, 25), 16) == ["", "", "林"]


def test_a_long_address_goes_over_into_the_next_field_and_tears_no_number_apart() -> None:
    street = "字北海岸通り埋立地工業団地第二区画1234-5678番地 第三倉庫"
    parts = address_parts("北海道", "勇払郡厚真町", street, (32, 16))
    assert parts is not None
    assert any("１２３４－５６７８" in part for part in parts)
    assert address_parts("北海道", "勇払郡厚真町", street * 2, (32, 16)) is None


def test_a_long_name_keeps_the_person_in_the_field_of_the_name() -> None:
    name = "独立行政法人産業技術総合研究所中部センター 資材調達課 山田 太郎"
    assert name_parts(name, (25, 25), 16) == [
        "独立行政法人産業技術総合研究所中部センター",
        "",
        "資材調達課　山田　太郎",
    ]


@BOTH
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"street": "本町" * 30}, ("address", "too_long")),
        ({"recipient": "林" * 100}, ("recipient", "too_long")),
        ({"recipient": "𠮷田商店"}, ("recipient", "characters")),
        ({"recipient": "鷗\u2603商店"}, ("recipient", "characters")),
        ({"recipient": "=1+2"}, ("recipient", "formula")),
        ({"goods": "＠sum"}, ("goods", "formula")),
        ({"goods": ""}, ("goods", "missing")),
        ({"goods": "ね\nじ"}, ("goods", "control")),
        ({"phone": ""}, ("phone", "missing")),
        ({"phone": "０６"}, ("phone", "digits")),
        ({"phone": "+81-6-0000"}, ("phone", "formula")),
        ({"number": "A" * 21}, ("number", "too_long")),
        ({"slot": "midnight"}, ("slot", "slot")),
        ({"slot": "15:00-17:00"}, ("slot", "slot")),
    ],
)
def test_what_does_not_fit_is_named_with_its_order_and_nothing_is_exported(
    carrier: object, change: dict[str, str], wanted: tuple[str, str]
) -> None:
    good = replace(SLIP, number="26-00041")
    bad = replace(SLIP, **change)  # type: ignore[arg-type]
    made = export(carrier, [good, bad], SENDER)  # type: ignore[arg-type]
    assert told(made) == [wanted]
    assert made[0].number == bad.number  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "slot"),
    [
        ("", ""),
        ("午前中", "am"),
        ("AM", "am"),
        ("08:00-12:00", "am"),
        ("14:00-16:00", "14-16"),
        ("１４時〜１６時", "14-16"),
        ("14：00～16：00", "14-16"),
        ("16:00 – 18:00", "16-18"),
        ("18時から20時まで", "18-20"),
        ("19-21", "19-21"),
        ("09:00-12:00", "9-12"),  # no carrier's morning: it begins at eight
        ("14:30-16:30", None),
        ("16-14", None),
        ("14-25", None),
        ("in the evening", None),
    ],
)
def test_a_time_of_day_is_read_however_a_tariff_writes_it(written: str, slot: str | None) -> None:
    assert canonical(written) == slot


def test_each_carrier_has_its_own_code_for_the_time_that_was_wished() -> None:
    slip = replace(SLIP, slot="14:00-16:00")
    (yamato,), (sagawa,) = cells(export(YAMATO, [slip], SENDER)), cells(export(SAGAWA, [slip], SENDER))
    assert (yamato["配達時間帯"], sagawa["配達指定時間帯"]) == ("1416", "14")
    assert code_of("yamato", "午前中") == "0812" and code_of("sagawa", "午前中") == "01"


def test_times_that_yamato_gave_up_are_known_and_refused_as_over_by_it_alone() -> None:
    assert OLD_CODES["yamato"] == {"12-14": "1214", "20-21": "2021"}
    (error,) = export(YAMATO, [replace(SLIP, slot="12:00-14:00")], SENDER)
    assert (error.problem, error.value) == ("slot_over", "12:00-14:00")  # type: ignore[union-attr]
    (row,) = cells(export(SAGAWA, [replace(SLIP, slot="12:00-14:00")], SENDER))
    assert row["配達指定時間帯"] == "12"


def test_every_code_belongs_to_a_time_of_day_that_the_desk_offers() -> None:
    for table in (*CODES.values(), *OLD_CODES.values()):
        assert set(table) <= set(SLOTS)
        assert all(canonical(slot) == slot for slot in table)
        assert len(set(table.values())) == len(table)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12) | st.builds("{}:00-{}時".format, st.integers(0, 25), st.integers(0, 25)))
def test_a_wished_time_is_a_code_on_the_slip_or_an_error_and_never_left_out(written: str) -> None:
    for carrier in (YAMATO, SAGAWA):
        made = export(carrier, [replace(SLIP, slot=written)], SENDER)
        if isinstance(made, list):
            assert [error.field for error in made] == ["slot"]
        elif written.strip():
            (row,) = cells(made)
            code = row["配達時間帯" if carrier is YAMATO else "配達指定時間帯"]
            assert code == CODES[carrier.id][str(canonical(written))]


def test_an_error_says_how_long_it_is_and_how_long_it_may_be() -> None:
    (error,) = export(SAGAWA, [replace(SLIP, street="本町" * 30)], SENDER)
    assert (error.have, error.allowed) == (67, 48)  # type: ignore[union-attr]
    (error,) = export(YAMATO, [replace(SLIP, recipient="𠮷田と☃")], SENDER)
    assert error.value == "𠮷☃"  # type: ignore[union-attr]


def test_what_is_wrong_with_the_sender_is_said_once() -> None:
    made = export(YAMATO, [SLIP, replace(SLIP, number="26-00043")], replace(SENDER, phone=""))
    assert told(made) == [("sender_phone", "missing")]
    assert made[0].number == ""  # type: ignore[union-attr]


def test_kanji_of_names_that_cp932_has_stay_what_they_are() -> None:
    (row,) = cells(export(YAMATO, [replace(SLIP, recipient="髙﨑 ㈱")], SENDER))
    assert row["お届け先名"] == "髙﨑　㈱"
