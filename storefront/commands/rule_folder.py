"""A shop folder as the commands see it: its rules, what its database knows of products and customers, and its today.

A bare folder has no database, and then nothing of the web application is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rules import Catalog, Loaded
    from rules.said import Said

FOLDER_HAS_ERRORS = 1


class InstalledMethods(Collection[str]):
    """The ids of installed plugins, looked up only when some rule names a method: it takes a while."""

    def __init__(self) -> None:
        self._found: Collection[str] | None = None

    def _ids(self) -> Collection[str]:
        if self._found is None:
            from plugins.loader import installed_ids

            self._found = installed_ids()
        return self._found

    def __contains__(self, name: object) -> bool:
        return name in self._ids()

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids())

    def __len__(self) -> int:
        return len(self._ids())


def has_database(folder: Path) -> bool:
    """Whether the shop has a database of its own, or the environment names one."""
    return (folder / "var" / "shop.sqlite").is_file() or "DATABASE_URL" in os.environ


def shop_catalog(folder: Path) -> Catalog:
    """What the shop knows of products and customers: its CSV files, overridden row by row by its database.

    A bare folder has no database, and then nothing of the web application is imported.
    """
    from rules import read_catalog

    files = read_catalog(folder)
    if not has_database(folder):
        return files
    from storefront.pricing import catalog_facts
    from storefront.settings import SettingsError, load_settings
    from storefront.shop import Shop

    try:
        shop = Shop(load_settings(folder))
    except SettingsError as error:
        print(f"note: the database is not asked: {error}", file=sys.stderr)
        return files
    try:
        return replace(catalog_facts(shop, files), findings=files.findings, lines=files.lines)
    finally:
        shop.close()


def shop_today(folder: Path) -> date:
    """Today in the shop's time zone; the checks say so when shop.toml names a wrong one."""
    from rules.folder import ShopFolder
    from rules.report import Report
    from rules.shop_toml import read_policy

    # Not storefront.clock, which brings Flask; nothing of the decision but its date depends on it.
    policy, _, _ = read_policy(ShopFolder(folder, Report()))
    return datetime.now(UTC).astimezone(ZoneInfo(policy.timezone)).date()


def load(folder: Path, run_cases: bool = False) -> tuple[Loaded, date]:
    """The folder as the commands see it, and its today."""
    from rules import load_ruleset

    today = shop_today(folder)
    return load_ruleset(folder, shop_catalog(folder), InstalledMethods(), today, run_cases=run_cases), today


def own_language() -> str:
    """The language of whoever sits at this terminal: "ja" where the locale says so, else "en"."""
    chosen = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ja" if next((name for name in chosen if name), "").startswith("ja") else "en"


def summary(loaded: Loaded) -> Said:
    """The last line of a check: how many rules, cases, errors and warnings."""
    from rules.said import say

    wrong = len(loaded.errors)
    doubtful = len(loaded.findings) - wrong
    errors = say("count.error") if wrong == 1 else say("count.errors", count=wrong)
    warnings = say("count.warning") if doubtful == 1 else say("count.warnings", count=doubtful)
    if loaded.ruleset is None:
        return say("summary.bad", errors=errors, warnings=warnings)
    number, run = len(loaded.ruleset.rules), len(loaded.cases)
    rules = say("count.rule") if number == 1 else say("count.rules", count=number)
    cases = say("count.case") if run == 1 else say("count.cases", count=run)
    return say("summary.good", rules=rules, cases=cases, errors=errors, warnings=warnings)


def refused(loaded: Loaded, language: str = "en") -> int:
    """A folder with any error is not evaluated (rule-semantics 13)."""
    for finding in loaded.errors:
        print(finding.printed(language), file=sys.stderr)
    print(summary(loaded).text(language), file=sys.stderr)
    return FOLDER_HAS_ERRORS
