"""Rules from patterns: what comes out loads without a finding, its cases pass, and wrong values are named."""

from datetime import date

import pytest

from rules import load_ruleset
from storefront.patterns import PATTERNS, PatternError, next_code, read_values, write_rule
from support import patterns_page

TODAY = date(2026, 11, 20)


def load(tmp_path, code, text):
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / f"rules/{code}.toml").write_text(text, "utf-8")
    return load_ruleset(tmp_path, today=TODAY)


def test_a_minimum_with_a_small_lot_fee_loads_and_its_cases_cover_it(tmp_path):
    text = write_rule(
        "minimum",
        {"category": "screws", "minimum": 100, "multiple": 10, "fee_from": "60", "amount": "800"},
        code="QT10",
    )
    loaded = load(tmp_path, "QT10", text)
    assert loaded.findings == ()
    assert [case.name for case in loaded.cases] == [
        "60個は手数料で通る",
        "90個もまだ手数料",
        "50個は止まり、注文できる数を勧める",
        "100個はそのまま通る",
        "101個は10個単位でないので止まる",
        "ほかの品には効かない",
    ]


def test_a_wrong_value_is_refused_with_field_and_bound():
    with pytest.raises(PatternError) as refused:
        write_rule("minimum", {"minimum": "0", "category": "screws"}, code="QT10")
    (fault,) = refused.value.faults
    assert fault.field == "minimum"
    assert fault.said.en == "Minimum: “0” cannot be used. Allowed is a whole number from 2."
    assert fault.said.ja == "最低数:「0」は使えません。入れられるのは 2以上の整数 です。"


def test_a_free_code_is_the_next_ten_of_its_group():
    assert next_code([], "QT") == "QT10"
    assert next_code(["QT10", "QT16", "SC90"], "QT") == "QT20"
    assert next_code(["QT999990"], "QT") == "QT1"


def test_control_each_pattern_stands_on_one_shelf() -> None:
    from storefront.admin.rule_patterns import SHELVES

    groups = [group for _title, shelf in SHELVES for group in shelf]
    assert sorted(groups) == sorted({one.group for one in PATTERNS.values()})


def test_every_pattern_belongs_to_a_group_and_says_what_it_is_in_both_languages():
    for one in PATTERNS.values():
        assert one.effect
        for said in (one.title, one.about, one.example, *(field.label for field in one.fields)):
            assert said.ja and said.en


def test_every_pattern_has_a_sample() -> None:
    assert patterns_page.SAMPLES.keys() == PATTERNS.keys()


@pytest.mark.parametrize("language", patterns_page.PAGES)
def test_the_page_of_patterns_is_current(language: str) -> None:
    """Make it again with `python tests/support/patterns_page.py`."""
    assert patterns_page.PAGES[language].read_text("utf-8") == patterns_page.page(language)


NUMBERS = [
    (pattern.id, field.name)
    for pattern in PATTERNS.values()
    for field in pattern.fields
    if field.kind in ("pieces", "count", "money", "percent", "number")
]


@pytest.mark.parametrize(("pattern_id", "name"), NUMBERS)
def test_a_number_out_of_bounds_is_refused_by_name_in_both_languages(pattern_id: str, name: str) -> None:
    pattern = PATTERNS[pattern_id]
    field = pattern.field(name)
    typed = {**patterns_page.SAMPLES[pattern_id], name: "-1"}
    typed |= {field.only_with: 5} if field.only_with else {}
    _values, faults = read_values(pattern, typed)
    (fault,) = [one for one in faults if one.field == name]
    for language in ("ja", "en"):
        said = fault.said.in_(language)
        assert field.label.in_(language) in said
        assert field.bound().in_(language) in said


def test_full_width_digits_and_commas_are_numbers() -> None:
    values, faults = read_values(PATTERNS["maximum"], {"maximum": "１,２００個"})
    assert faults == ()
    assert values["maximum"] == 1200
