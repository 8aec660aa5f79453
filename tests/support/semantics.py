"""Short words for the tests that follow rule-semantics.md number by number."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rules import load_ruleset
from support.rulesets import CATALOG, METHODS, ON, folder

ROOT = Path(__file__).resolve().parents[2]


def checks(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """The codes of the errors that these files have."""
    tmp_path.mkdir(parents=True, exist_ok=True)
    return [one.check for one in load_ruleset(folder(tmp_path, files), CATALOG, METHODS, ON).errors]


def warnings(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """The codes of the warnings, of files without errors."""
    loaded = load_ruleset(folder(tmp_path, files), CATALOG, METHODS, ON)
    assert not loaded.errors, loaded.errors
    return [one.check for one in loaded.findings]


def codes_of(parts: Iterable[Any]) -> list[str]:
    return [one.code for one in parts]


def koguchi(*arguments: str, given: str | bytes = "") -> tuple[int, str, str]:
    """`koguchi rules ...` as a process: exit code, what it printed, what it complained of."""
    text = given.encode() if isinstance(given, str) else given
    command = [sys.executable, "-m", "storefront.cli", "rules", *arguments]
    done = subprocess.run(command, input=text, capture_output=True, cwd=ROOT, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def evaluated(shop: Path, cart: Any, *more: str) -> Any:
    """The JSON that `koguchi rules evaluate` prints for a cart."""
    code, out, err = koguchi("evaluate", str(shop), "--cart", "-", *more, given=json.dumps(cart))
    assert code == 0, err
    return json.loads(out)
