"""One rule from its text: what a draft says before it is a file."""

from pathlib import Path

from rules import load_ruleset
from rules.one_rule import read_rule, with_rule

STARTER = Path(__file__).resolve().parent.parent / "examples" / "starter"
TEXT = 'code = "QT10"\nname = "Lots"\n[quantity]\nmultiple = 10\n'


def test_a_text_is_read_as_its_file_would_be() -> None:
    rule, findings = read_rule(TEXT, "rules/QT10_lots.toml")
    assert findings == ()
    assert rule is not None
    assert (rule.code, rule.path, rule.effect.multiple) == ("QT10", "rules/QT10_lots.toml", 10)  # type: ignore[union-attr]


def test_a_text_with_an_error_is_no_rule_and_says_file_and_line() -> None:
    rule, findings = read_rule(TEXT.replace("multiple", "multipel"), "rules/QT10.toml")
    assert rule is None
    assert [(found.file, found.line, found.check) for found in findings] == [
        ("rules/QT10.toml", 4, "unknown-key")
    ]


def test_a_rule_takes_the_place_of_the_one_with_its_code() -> None:
    ruleset = load_ruleset(STARTER).ruleset
    rule, _findings = read_rule(TEXT, "rules/QT10.toml")
    assert ruleset is not None
    assert rule is not None
    changed = with_rule(ruleset, rule)
    assert [one.code for one in changed.rules] == [one.code for one in ruleset.rules]
    assert changed.rule("QT10") is rule
    assert ruleset.rule("QT10") is not rule
