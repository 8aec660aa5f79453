"""Warns of an `accept` entry that silences nothing any more, so that a later fault is not silenced by it unseen.

Asked last, when every check has had its chance; where a check was cut short, nothing is said of it.
"""

from collections.abc import Sequence
from datetime import date

from rules.catalog import Catalog
from rules.report import Report, Source
from rules.ruleset import Rule
from rules.said import Said, say

_OF_PRICES = frozenset({"price-cliff", "below-cost", "above-list", "dearer-lane", "date-gap"})


def check_accepts(
    report: Report, rules: Sequence[Rule], catalog: Catalog, notes: Sequence[Said], today: date | None
) -> None:
    """Adds stale-accept. `notes` are what could not be checked."""
    is_priced = catalog.products is not None and catalog.customers is not None and not notes
    for rule in rules:
        if rule.mode == "off":
            continue
        source = Source(report, rule.path, rule.lines, rule.code)
        for check in rule.accept:
            if (rule.code, check) in report.silenced or check == "stale-accept":
                continue
            if (check in _OF_PRICES and not is_priced) or (check == "expired" and today is None):
                continue
            said = say("accept.stale", check=check, code=rule.code)
            source.problem("stale-accept", "accept", said, say("accept.stale-hint"))
