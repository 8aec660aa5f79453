"""The common faults of a TOML text are named with their line and what to do, in both languages."""

from __future__ import annotations

import tomllib

import pytest

from rules.toml_faults import TomlFault, find_fault


def fault(text: str) -> TomlFault:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    return find_fault(text, str(error.value))


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("x = 1\nminimum 100\n", 2, '"=" is missing behind the key: `minimum 100`.', "minimum = 100"),
        ("minimum =\n", 1, 'there is no value behind "="', "Write the value"),
        ("minimum = # later\n", 1, 'there is no value behind "="', "Write the value"),
        ('name = "ねじ\nx = 1\n', 1, "the quotation mark is not closed", 'Put " behind'),
        ("x = 1\nname = 'ねじ\ny = 1\n", 2, "the quotation mark is not closed", "Put ' behind"),
        ('x = 1\nname = """ねじ\ny = 1\n', 2, "the quotation mark is not closed", 'Put """ behind'),
        ('path = "prices\\quick.csv"\n', 1, "a backslash inside quotes", "/ in a path"),
        ("x = 1\na = [1, 2\n[b]\n", 2, '"[" is not closed: `a = [1, 2`.', "Close it with ]."),
        ("a = [\n  {x = 1},\n  {x = 2}\n", 1, '"[" is not closed', "Close it with ]."),
        ("a = {x = 1\nb = 2}\n", 1, '"{" is not closed', "on one line"),
        ("a = {x = 1,}\n", 1, 'a comma stands before "}"', "Leave the comma out."),
        ("a = [1 2]\n", 1, "a comma is missing", "between the entries"),
        ("a = [{x = 1}\n  {x = 2}]\n", 2, "a comma is missing", "between the entries"),
        ("[quantity\nminimum = 5\n", 1, "the name of a table", "Write [quantity]."),
        ("[[case]\n", 1, "the name of a table", "Write [[case]]."),
        ("[quantity]\na = 1\n[quantity]\n", 3, "[quantity] stands there twice, first on line 1.", "Keep one"),
        ("[case]\na = 1\n[case]\n", 3, "[case] stands there twice, first on line 1.", "Write [[case]]."),
        ("a = 1\nb = 2\na = 3\n", 3, "a stands there twice, first on line 1.", "Keep one"),
        ("a = {x = 1, x = 2}\n", 1, "x stands there twice.", "Keep one"),
        ("from = 2026/12/01\n", 1, "the date 2026/12/01 cannot be read.", "Write 2026-12-01."),
        ("from = 2026-12-1\n", 1, "the date 2026-12-1 cannot be read.", "Write 2026-12-01."),
        ("from = 2026年12月1日\n", 1, "the date 2026年12月1日 cannot be read.", "Write 2026-12-01."),
        ("from = 2026-02-30\n", 1, "the date 2026-02-30 cannot be read.", "no such day"),
        ("cutoff = 12:30\n", 1, "the time 12:30 is not in quotes.", 'Write "12:30".'),
        ("minimum = 1,000\n", 1, "the number 1,000 cannot be read.", "Write 1000."),
        ("minimum = 007\n", 1, "the number 007 cannot be read.", "Write 7."),
        ("rate = .5\n", 1, "the number .5 cannot be read.", "Write 0.5."),
        ("rate = 65%\n", 1, "the number 65% cannot be read.", "Write 0.65."),
        ("off_percent = 10%\n", 1, "the number 10% cannot be read.", "Write the number alone: 10."),
        (
            'x = 1\nname = {ja = "ねじ, en = "Screws"}\n',
            2,
            "the quotation mark is not closed",
            "is missing on",
        ),
        ("x = 1\n[数量]\n", 2, "there is no table [数量].", "English words such as [quantity]"),
        ('cart = [{sku = "M4", 数量 = 5}]\n', 1, "this is neither key = value nor [table]", "English words"),
        ("minimum = 100個\n", 1, "the number 100個 cannot be read.", "Write the number alone: 100."),
        ("amount = ￥800\n", 1, "the number ￥800 cannot be read.", "Write 800."),
        ("hide = True\n", 1, "True is no value.", 'Did you mean "true"?'),
        ("name = ねじ\n", 1, "the text ねじ is not in quotes.", 'Write "ねじ".'),
        ("beats = [QT01]\n", 1, "the text QT01 is not in quotes.", 'Write "QT01".'),
        ("最低数量 = 5\n", 1, "this is neither key = value nor [table]", "English words"),
        ("a = 1 b = 2\n", 1, "two keys stand on one line", "a new line for each key"),
        ('name = "a" b"\n', 1, "something stands behind the value", "mend the quotation marks"),
    ],
)
def test_a_common_fault_is_named_with_its_line_and_what_to_do(
    text: str, line: int, message: str, hint: str
) -> None:
    found = fault(text)
    assert found.line == line
    assert message in str(found.said)
    assert found.hint is not None
    assert hint in str(found.hint)
    assert not found.said.text("ja").isascii()
    assert not found.hint.text("ja").isascii() or "Write" in str(found.hint)


@pytest.mark.parametrize(
    ("text", "signs", "half"),
    [
        ("minimum ＝ 100\n", "＝", "="),
        ("minimum = １００\n", "１００", "100"),
        ("rate = ０．６５\n", "０．６５", "0.65"),
        ("name = ”ねじ”\n", "”", '"'),
        ('name = "ねじ”\n', "”", '"'),
        ("name = 「ねじ」\n", "「", '"'),
        ("allowed = [10、20]\n", "、", ","),
        ("allowed = ［10, 20]\n", "［", "["),
        ("＃ memo\n", "＃", "#"),
        ("［quantity］\n", "［", "["),
        ("allowed = [\n  10，\n  20]\n", "，", ","),
    ],
)
def test_a_full_width_sign_is_named_with_the_half_width_one(text: str, signs: str, half: str) -> None:
    found = fault(text)
    assert str(found.said) == f"{signs} is full-width; outside of quotes only half-width signs are read."
    assert str(found.hint) == f"Type {half} in half width."
    assert found.said.text("ja").startswith(f"全角の {signs} があります")


@pytest.mark.parametrize("text", ["\u3000minimum = 100\n", "minimum = 100\u3000\n", "minimum\u3000= 100\n"])
def test_a_full_width_space_is_named_though_nobody_sees_it(text: str) -> None:
    found = fault(text)
    assert "a full-width space stands outside of quotes" in str(found.said)
    assert "全角の空白" in found.said.text("ja")


def test_full_width_signs_in_texts_and_remarks_are_left_alone() -> None:
    assert '"="' in str(fault('name = "全角＝、　"  # ＝と　１\nminimum 100\n').said)
    assert '"="' in str(fault('minimum "全角＝、"  # ＝\n').said)


def test_what_is_not_known_keeps_the_words_of_the_parser() -> None:
    found = fault('a = "x\x01"\n')
    assert "Illegal character" in str(found.said)
    assert found.said.text("ja").startswith("TOMLとして読めません: ")
    assert found.hint is None


def test_a_long_line_is_cut_and_odd_signs_in_it_are_blanks() -> None:
    said = str(fault("minimum " + "x" * 500 + "\u200b\n").said)
    assert len(said) < 130
    assert said.endswith("...`.")
