"""Quantities as buyers type them: read to the letter or refused with a sentence (faults F15)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.quantity import QuantityRefused, QuantityText, both_ways, parse_quantity


@dataclass(frozen=True)
class Goods:
    pieces_per_case: int | None = None
    unit: str | None = None
    pieces_per_unit: Decimal | None = None
    sales_unit: Mapping[str, str] | None = None


SCREWS = Goods(pieces_per_case=12)
LOOSE = Goods(sales_unit={"ja": "本", "en": "pcs"})
BOXES = Goods(sales_unit={"ja": "箱", "en": "boxes"}, pieces_per_case=10)
TUBE = Goods(unit="m", pieces_per_unit=Decimal(100), sales_unit={"ja": "cm", "en": "cm"})
WIRE = Goods(unit="kg", pieces_per_unit=Decimal(3))


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [
        ("100", 100),
        ("1,000", 1000),
        ("1,234,567", 1234567),
        ("999999999", 999_999_999),
        (" 80\t", 80),
        ("80個", 80),
        ("80 本", 80),
        ("80pcs", 80),
        ("007", 7),
        (60, 60),
    ],
)
def test_plain_quantities_are_read(typed: object, pieces: int) -> None:
    answer = parse_quantity(typed, LOOSE)
    assert isinstance(answer, QuantityText)
    assert answer.quantity == pieces


@pytest.mark.parametrize(
    ("typed", "pieces"), [("１００", 100), ("１，０００", 1000), ("　３０　", 30), ("100\u00a0", 100)]
)
def test_full_width_digits_are_normalised_and_echoed(typed: str, pieces: int) -> None:
    answer = parse_quantity(typed, LOOSE)
    assert isinstance(answer, QuantityText)
    assert (answer.quantity, answer.typed, answer.is_normalised) == (pieces, typed, True)


def test_a_plainly_typed_quantity_is_not_echoed() -> None:
    answer = parse_quantity("100", LOOSE)
    assert isinstance(answer, QuantityText)
    assert not answer.is_normalised


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (None, "empty"),
        ("0", "zero"),
        ("000", "zero"),
        (0, "zero"),
        (-1, "negative"),
        ("-1", "negative"),
        ("−5", "negative"),
        ("－５", "negative"),
        ("1.5", "decimals"),
        ("1.0", "decimals"),
        ("1e309", "number"),
        ("1e3", "number"),
        ("1E3", "number"),
        ("NaN", "number"),
        ("Infinity", "number"),
        ("inf", "number"),
        ("+5", "number"),
        ("0x10", "number"),
        ("1_000", "number"),
        ("1,00", "number"),
        ("1,0000", "number"),
        (",100", "number"),
        ("1 000", "number"),
        ("1.5.2", "number"),
        ("1/2", "number"),
        ([5], "number"),
        (True, "number"),
        (5.0, "number"),
        (float("nan"), "number"),
        ({}, "number"),
        ("9" * 400, "large"),
        ("9" * 39, "large"),
        ("1000000000", "large"),
        (2**31, "large"),
        (2**63, "large"),
        (str(2**31), "large"),
        (10**400, "large"),
        ("٣٠", "digits"),
        ("3٠", "digits"),
        ("3²", "digits"),
        ("²", "digits"),
        ("½", "digits"),
        ("五", "digits"),
        ("①", "digits"),
        ("1\u200b0", "hidden"),
        ("10\ufeff", "hidden"),
        ("1\x000", "hidden"),
        ("\u202e100", "hidden"),
        ("1\n0", "hidden"),
        ("2.5m", "unit"),
        ("3箱", "cases"),
        ("3 fathoms", "unit"),
        ("'; DROP TABLE products; --", "number"),
    ],
)
def test_what_only_looks_like_a_quantity_is_refused_with_a_sentence(typed: object, reason: str) -> None:
    answer = parse_quantity(typed, LOOSE)
    assert isinstance(answer, QuantityRefused), answer
    assert answer.reason == reason
    assert len(answer.sentence) > 20
    assert "\x00" not in answer.typed


@pytest.mark.parametrize("typed", ["3箱", "3 cases", "3c/s", "３ケース", "3 CASES", "3ｹｰｽ"])
def test_cases_become_pieces_where_the_case_size_is_known(typed: str) -> None:
    answer = parse_quantity(typed, SCREWS)
    assert isinstance(answer, QuantityText), answer
    assert (answer.quantity, answer.is_converted, answer.is_normalised) == (36, True, True)


def test_goods_sold_by_the_box_count_boxes_not_cases() -> None:
    assert parse_quantity("3箱", BOXES) == QuantityText("3箱", 3)


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [
        ("2.5m", 250),
        ("2.5 m", 250),
        ("２．５ｍ", 250),
        ("2.5 M", 250),
        ("3メートル", 300),
        ("250 cm", 250),
        ("250", 250),
        ("0.01m", 1),
        ("1,000 m", 100_000),
        ("2㍍", 200),
    ],
)
def test_goods_by_length_take_their_unit_or_whole_pieces(typed: str, pieces: int) -> None:
    answer = parse_quantity(typed, TUBE)
    assert isinstance(answer, QuantityText), answer
    assert answer.quantity == pieces


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("2.505m", "part"), ("2.5", "decimals"), ("0 m", "zero"), ("2.5kg", "unit"), ("99999999m", "large")],
)
def test_a_length_that_is_no_whole_number_of_pieces_is_refused(typed: str, reason: str) -> None:
    answer = parse_quantity(typed, TUBE)
    assert isinstance(answer, QuantityRefused)
    assert answer.reason == reason
    assert typed in answer.sentence or reason != "part"


def test_thirds_of_a_kilogram_stay_exact() -> None:
    assert parse_quantity("0.333333kg", WIRE) == QuantityRefused(
        "0.333333kg", "part", {"typed": "0.333333kg", "piece": "0.333333 kg"}
    )
    assert parse_quantity("2 kg", WIRE) == QuantityText("2 kg", 6, True)


def test_both_ways_shows_the_other_measure() -> None:
    assert both_ways(36, SCREWS, piece="個", case="箱") == "36個 = 3箱"
    assert both_ways(40, SCREWS, piece="pcs", case="cases") == "40 pcs = 3 cases + 4 pcs"
    assert both_ways(5, SCREWS, piece="個", case="箱") is None
    assert both_ways(200, TUBE, piece="cm", case="") == "200 cm = 2 m"
    assert both_ways(250, TUBE, piece="cm", case="") == "250 cm = 2.5 m"
    assert both_ways(5, LOOSE, piece="個", case="箱") is None


@given(st.one_of(st.text(max_size=60), st.integers(), st.floats(), st.booleans(), st.none(), st.binary()))
def test_nothing_typed_ever_raises(value: object) -> None:
    for goods in (LOOSE, SCREWS, BOXES, TUBE, WIRE):
        answer = parse_quantity(value, goods)
        if isinstance(answer, QuantityRefused):
            assert answer.sentence
        else:
            assert 1 <= answer.quantity <= 999_999_999


@given(st.text(alphabet="0123456789,._-+eE ０１９٣²\u200b\x00,箱個m", max_size=14))
def test_only_plain_numbers_are_ever_accepted(typed: str) -> None:
    answer = parse_quantity(typed, Goods())
    if isinstance(answer, QuantityText):
        narrow = typed.strip().translate({0xFF10 + n: 0x30 + n for n in range(10)})
        assert re.fullmatch(r"(\d+|\d{1,3}(,\d{3})+) ?個?", narrow, re.ASCII)
        assert answer.quantity == int(re.sub(r"[ ,個]", "", narrow))
