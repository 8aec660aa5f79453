"""docs/faults.md names tests; each of them must exist under exactly that name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def existing() -> set[str]:
    files = [*ROOT.glob("tests/test_*.py"), *ROOT.glob("tests/e2e/test_*.py")]
    return {
        name
        for file in files
        for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
    }


def named_in(page: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", page))


def test_every_test_named_for_a_fault_exists() -> None:
    named = named_in((ROOT / "docs" / "faults.md").read_text("utf-8"))
    assert len(named) > 100
    assert named - existing() == set()


def test_control_a_name_that_is_no_test_is_seen() -> None:
    assert named_in("| F01 | `test_never_written` |") - existing() == {"test_never_written"}
