"""Every sentence of the checks stands in one table, in two languages with the same values, and none outside it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Formatter

import pytest

from rules import load_ruleset
from rules.check_table import CHECKS
from rules.errors import Fault, Finding, TieError
from rules.messages import SENTENCES
from rules.said import both, in_language, joined, say
from storefront.cli import main
from storefront.commands.rule_folder import own_language

ROOT = Path(__file__).parents[1]
BAD_RULES = Path(__file__).parent / "bad_rules"
METHODS = ("bank_transfer", "dummy", "flat_rate", "net_terms", "table_rate")
COMMANDS = ROOT / "storefront" / "commands"
SOURCES = [*sorted((ROOT / "rules").glob("*.py")), COMMANDS / "rules.py", COMMANDS / "rule_folder.py"]
# What takes a sentence: a plain text there would be the same in both languages.
TAKES_SENTENCE = {"problem", "add", "fault", "BadValue", "Fault", "TomlFault", "Told", "_without_effect"}
# Names and numbers alone.
SAME_WORDS = {
    "case.element", "case.fails", "case.summary", "dates.on", "name.sku", "names.sku", "of", "quantity.rule",
    "shown.type", "tie.nowhere",
}  # fmt: skip
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龥]")


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """File, name and node of every call in the sources."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield f"{path.name}:{node.lineno}", name, node


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("key", sorted(SENTENCES))
def test_a_sentence_has_both_languages_with_the_same_values(key: str) -> None:
    english, japanese = SENTENCES[key]
    if key == "both":
        return
    assert fields(english) == fields(japanese)
    assert english.isascii()
    if not key.startswith("join.") and key not in SAME_WORDS:
        assert JAPANESE.search(japanese), "the Japanese sentence is not Japanese"


def test_every_sentence_that_is_said_is_in_the_table_with_exactly_its_values() -> None:
    used: set[str] = set()
    for where, name, node in calls():
        if name not in ("say", "joined") or not node.args:
            continue
        key = node.args[0]
        assert isinstance(key, ast.Constant) or where.startswith("said.py"), where
        if isinstance(key, ast.Constant):
            assert key.value in SENTENCES, where
            used.add(str(key.value))
            if name == "say":
                assert {word.arg for word in node.keywords} == fields(SENTENCES[str(key.value)][0]), where
    hints = {key for key in SENTENCES if key.startswith("todo.")}
    assert used | hints | {"both"} == set(SENTENCES), "a sentence that nobody says"
    assert {key.removeprefix("todo.") for key in hints} <= set(CHECKS)


def test_no_sentence_is_written_outside_the_table() -> None:
    for where, name, node in calls():
        if name not in TAKES_SENTENCE or where.startswith("rules.py"):
            continue
        for argument in (*node.args, *(word.value for word in node.keywords)):
            parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
            words = [one.value for one in parts if isinstance(one, ast.Constant)]
            assert not any(isinstance(one, str) and " " in one.strip() for one in words), where


@pytest.mark.parametrize("code", sorted(CHECKS))
def test_every_check_is_told_in_japanese_with_the_same_names_and_numbers(code: str) -> None:
    [finding] = load_ruleset(BAD_RULES / code, methods=METHODS, today=date(2026, 12, 1)).findings
    message, hint = finding.said("ja")
    assert JAPANESE.search(message)
    assert not re.search(r"\b(must|cannot|there is|needs|is not)\b", message + hint)
    assert not hint or JAPANESE.search(hint) or hint.startswith("例")
    quoted = re.findall(r'"[^" ]+"|[A-Z]{2}[0-9]{2}|[0-9]{2,}', finding.message)
    assert [one for one in quoted if one.strip('"') not in message] == []
    assert finding.said("en") == (finding.message, finding.hint)
    assert finding.as_json()["message"] == finding.message
    assert finding.as_json("ja")["message"] == message


def test_a_value_may_be_a_sentence_and_is_said_in_the_same_language() -> None:
    said = say("of", path="quantity.minimum", what=say("value.must-be", kind=say("kind.whole"), value='"5"'))
    assert str(said) == 'quantity.minimum must be a whole number, not "5".'
    assert said.text("ja") == 'quantity.minimum: 整数で書いてください(今は "5")。'
    assert both("a table", "表").text("ja") == "表"
    assert joined("join.and", ["rate", "unit"]).text("ja") == "rate と unit"
    assert in_language("plain", "ja") == "plain"
    assert in_language(None, "ja") == ""


def test_braces_in_a_value_stay_as_they_are() -> None:
    said = say("value.placeholder", name="{order.total} {0}")
    assert "{order.total} {0}" in str(said)
    assert "{order.total} {0}" in said.text("ja")


def test_a_finding_may_still_be_a_plain_text() -> None:
    finding = Finding("closures.csv", 3, "table-row", None, "error", "the day is wrong.")
    assert str(finding) == "closures.csv:3: error table-row: the day is wrong. Mend the row, or take it out."
    assert finding.said("ja") == ("the day is wrong.", "この行を直すか、消してください。")


def test_faults_of_a_cart_and_ties_are_said_in_both_languages() -> None:
    fault = Fault("lines[0].quantity", say("cart.missing"))
    assert (fault.message, fault.said("ja")) == ("is missing.", "必要な項目です。")
    assert Fault("lines", "no lines").said("ja") == "no lines"
    tie = TieError("rules/PR10.toml", "rules/PR20.toml", "1")
    assert "rules/PR10.toml と rules/PR20.toml は同じ強さ" in tie.said("ja")
    assert str(tie) == tie.said("en")


@pytest.mark.parametrize(
    ("names", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP"}, "ja"),
        ({"LC_ALL": "", "LANG": "ja"}, "ja"),
        ({}, "en"),
    ],
)
def test_the_language_of_the_terminal_is_that_of_its_locale(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert own_language() == language


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(["rules", *arguments])
    return capsys.readouterr().out


def test_check_prints_japanese_where_it_is_asked_for_or_the_terminal_speaks_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = str(BAD_RULES / "maximum-below-minimum")
    english = checked(capsys, "check", shop)
    assert "error maximum-below-minimum: the maximum 50 is below the minimum 100." in english
    japanese = checked(capsys, "check", shop, "--lang", "ja")
    assert "誤り maximum-below-minimum: 上限 50 が最低 100 を下回っています。" in japanese
    assert "誤り1件、注意0件。誤りがなくなるまで、このルールは使えません。" in japanese
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert checked(capsys, "check", shop) == japanese
    assert checked(capsys, "check", shop, "--lang", "en") == english


def test_json_is_english_unless_a_language_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = str(BAD_RULES / "maximum-below-minimum")
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    [english] = json.loads(checked(capsys, "check", shop, "--json"))
    assert english["message"] == "the maximum 50 is below the minimum 100."
    [japanese] = json.loads(checked(capsys, "check", shop, "--json", "--lang", "ja"))
    assert japanese == english | {
        "message": "上限 50 が最低 100 を下回っています。",
        "hint": "上限のほうを大きくしてください。",
    }
    assert list(japanese) == ["file", "line", "check", "rule", "severity", "message", "hint"]


def test_cases_that_fail_are_told_in_japanese_too(capsys: pytest.CaptureFixture[str]) -> None:
    shop = str(BAD_RULES / "case-fails")
    [finding] = load_ruleset(BAD_RULES / "case-fails", methods=METHODS, today=date(2026, 12, 1)).findings
    assert "(期待は " in finding.said("ja")[0]
    printed = checked(capsys, "check", shop, "--lang", "ja")
    assert "誤り case-fails: 「" in printed


def test_the_cases_are_listed_in_japanese_too(capsys: pytest.CaptureFixture[str]) -> None:
    printed = checked(capsys, "test", str(ROOT / "examples" / "starter"), "--lang", "ja")
    assert printed.splitlines()[0].startswith("合格 ")
    assert printed.splitlines()[-1] == "合格9件、不合格0件。ルール3件のうち3件に事例が届いています。"
