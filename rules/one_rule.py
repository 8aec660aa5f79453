"""One rule file from its text, read by the same reader as a folder: for drafts that are not on the disk yet.

Nothing is written and no other file is read; the checks of the whole set are left to the folder's load.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from rules.catalog import Catalog
from rules.errors import Finding
from rules.files import _Loading, _read_rule
from rules.folder import ShopFolder
from rules.names import Names
from rules.report import Report
from rules.ruleset import Policy, Rule, Ruleset


def read_rule(
    text: str,
    path: str,
    *,
    root: Path | str = ".",
    policy: Policy | None = None,
    catalog: Catalog | None = None,
    methods: Collection[str] | None = None,
) -> tuple[Rule | None, tuple[Finding, ...]]:
    """The rule that the text of `path` (rules/QT10.toml) holds; None beside findings when it has errors.

    Price tables are read from `root`, the shop folder.
    """
    report = Report()
    policy = policy or Policy()
    folder = ShopFolder(Path(root), report, {path: text.encode()})
    names = Names(catalog or Catalog(), methods, policy)
    loading = _Loading(folder, report, policy, policy.currency, names)
    _read_rule(loading, path)
    rule = next(iter(loading.rules.values()), None)
    return rule if report.errors == 0 else None, tuple(report.findings)


def with_rule(ruleset: Ruleset, rule: Rule) -> Ruleset:
    """The rule set with this rule instead of the one of its code, or beside the others."""
    rules = sorted([*(one for one in ruleset.rules if one.code != rule.code), rule], key=lambda one: one.code)
    return replace(ruleset, rules=tuple(rules), compiled={})
