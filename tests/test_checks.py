"""Every check finds its bad folder and nothing else, and is silent when the folder is put right."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from rules import load_ruleset
from rules.check_table import CHECKS
from rules.errors import Finding
from support import checks_page
from support.rulesets import CATALOG, folder

BAD_RULES = Path(__file__).parent / "bad_rules"
METHODS = ("bank_transfer", "dummy", "flat_rate", "net_terms", "table_rate")
TODAY = date(2026, 12, 1)


def findings_of(folder: Path) -> tuple[Finding, ...]:
    return load_ruleset(folder, methods=METHODS, today=TODAY).findings


def test_every_check_has_a_bad_folder_and_every_bad_folder_a_check() -> None:
    assert {folder.name for folder in BAD_RULES.iterdir()} == set(CHECKS)


@pytest.mark.parametrize("code", sorted(CHECKS))
def test_a_bad_folder_has_exactly_the_finding_it_is_named_after(code: str) -> None:
    findings = findings_of(BAD_RULES / code)
    assert [finding.check for finding in findings] == [code], [str(one) for one in findings]
    finding = findings[0]
    assert finding.severity == CHECKS[code].severity
    assert (BAD_RULES / code / finding.file).exists()
    assert finding.line >= 1


@pytest.mark.parametrize("code", sorted(CHECKS))
def test_the_right_file_in_its_place_has_no_such_finding(code: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(BAD_RULES / code, folder)
    wrong = findings_of(folder)[0].file
    right = next(folder.glob("right.*"))
    if code in ("file-name", "repeated-code"):  # the name of the file was wrong
        (folder / wrong).unlink()
        wrong = "rules/QT10.toml" if code == "file-name" else "rules/QT20.toml"
    shutil.copy(right, folder / wrong)
    assert code not in [finding.check for finding in findings_of(folder)]


def test_everything_the_book_promises_to_check_has_a_check_and_no_check_stands_outside_it() -> None:
    promised = {code for codes in checks_page.BOOK.values() for code in codes}
    assert promised == set(CHECKS)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_of_checks_is_the_one_the_checks_make(language: str) -> None:
    """Make it again with `python tests/support/checks_page.py`."""
    assert checks_page.PAGES[language].read_text() == checks_page.page(language)


MANY = '[when]\n"product.category" = "screws"\n"line.quantity" = {ge = 100}\n'
ALL = 'beats = ["PR10"]\n[when]\n"product.category" = "screws"\n'


def never_applying(folder_path: Path, beaten: str, winner: str) -> list[str]:
    shop = folder(folder_path, {"PR10": beaten, "PR20": winner})
    found = load_ruleset(shop, CATALOG, methods=METHODS, today=TODAY).findings
    return [one.message for one in found if one.check == "never-applies"]


def test_a_rule_that_another_beats_wherever_it_holds_can_never_apply(tmp_path: Path) -> None:
    rate, other = "[price]\nrate = 0.9\n", "[price]\nrate = 0.8\n"
    assert never_applying(tmp_path / "a", MANY + rate, ALL + other) == [
        "PR10 can never apply: PR20 (rules/PR20.toml) beats it wherever it holds."
    ]
    assert (
        never_applying(
            tmp_path / "b", ALL.replace('beats = ["PR10"]\n', "") + rate, 'beats = ["PR10"]\n' + MANY + other
        )
        == []
    )
    assert never_applying(tmp_path / "c", MANY + rate, "until = 2027-03-31\n" + ALL + other) == []
    breaks = "[price]\nbreaks = [{from = 500, unit = 80}]\nlane = 'agreed'\n"
    assert never_applying(tmp_path / "d", MANY + rate, ALL + breaks) == []
