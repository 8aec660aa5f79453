"""The owner guide says what is so: its files are a shop without findings, its mistakes give the messages it prints."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from rules import load_ruleset
from storefront import cli
from support.rule_folders import write

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = {"en": DOCS / "owner-guide.md", "ja": DOCS / "owner-guide.ja.md"}
FILE = re.compile(r"^`([\w/]+\.(?:toml|csv))`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
MISTAKE = re.compile(r"^<!-- mistake (\S+) \| (.*?) \| (.*?) ?-->\n```check\n(.*?)\n```$", re.M | re.S)
WHOLE = re.compile(r"(?<!-->\n)^```check\n(.*?)\n```$", re.M | re.S)
ON = date(2026, 12, 1)


def files(language: str) -> dict[str, str]:
    return dict(FILE.findall(GUIDES[language].read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", GUIDES)
def test_the_files_of_the_guide_are_a_shop_without_findings_and_with_every_rule_covered(
    tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = write(tmp_path / "minato", files(language))
    assert len(list((shop / "rules").iterdir())) == 6
    loaded = load_ruleset(shop, methods={"flat_rate"}, today=ON)
    assert list(loaded.findings) == []
    assert {case.rule for case in loaded.cases if case.passed and case.covered} == {
        rule.code for rule in loaded.ruleset.rules
    }  # fmt: skip
    (printed,) = WHOLE.findall(GUIDES[language].read_text(encoding="utf-8"))
    assert cli.main(["rules", "check", str(shop), "--lang", language]) == 0
    assert capsys.readouterr().out.strip() == printed


@pytest.mark.parametrize("language", GUIDES)
def test_each_mistake_of_the_guide_gives_the_message_it_prints(
    tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mistakes = MISTAKE.findall(GUIDES[language].read_text(encoding="utf-8"))
    assert len(mistakes) == 5
    for place, (path, right, wrong, message) in enumerate(mistakes):
        shop = write(tmp_path / str(place), files(language))
        text = (shop / path).read_text(encoding="utf-8")
        right, wrong = (part.replace("\\n", "\n").strip(" ") for part in (right, wrong))
        assert right in text
        (shop / path).write_text(text.replace(right, wrong, 1), encoding="utf-8")
        cli.main(["rules", "check", str(shop), "--lang", language])
        assert capsys.readouterr().out.splitlines()[0] == message


def test_both_languages_teach_the_same_files() -> None:
    assert files("ja") == files("en")


@pytest.mark.parametrize("language", GUIDES)
def test_every_page_that_the_guide_leads_to_is_there(language: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDES[language].read_text(encoding="utf-8")):
        assert (DOCS / link).is_file(), link
