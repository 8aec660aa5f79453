"""Checks of dates across rules: days between two rules that say the same of the same, on which neither is in force.

Only rules with the very same conditions are compared; a hole that is past is nobody's concern any more.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from rules.report import Report, Source
from rules.ruleset import PriceEffect, Rule, Ruleset
from rules.said import Said, say

_DAY = timedelta(days=1)


def check_gaps(report: Report, ruleset: Ruleset, today: date | None) -> None:
    """Adds date-gap at the rule after the hole, with the days it lasts."""
    alike: dict[Any, list[Rule]] = {}
    for rule in ruleset.rules:
        if rule.mode == "live" and rule.group != "FU":
            alike.setdefault(_subject(rule), []).append(rule)
    for rules in alike.values():
        if len(rules) > 1:
            _check_alike(report, rules, today)


def _subject(rule: Rule) -> Any:
    """What the rule is about: its lane or keys, for whom and what."""
    effect = rule.effect
    says = effect.lane if isinstance(effect, PriceEffect) else frozenset(rule.raw)
    return rule.group, says, frozenset(map(repr, rule.when)), rule.scope


def _check_alike(report: Report, rules: Iterable[Rule], today: date | None) -> None:
    ordered = sorted(rules, key=lambda one: (one.from_on or date.min, one.code))
    longest = ordered[0]
    for after in ordered[1:]:
        last, first = longest.until_on, after.from_on
        if last is None or first is None or (today is not None and first <= today):
            continue
        if hole := days_between(last, first):
            said = say("dates.gap", first=longest.code, path=longest.path, second=after.code, days=hole)
            source = Source(report, after.path, after.lines, after.code)
            source.problem("date-gap", "from", said, say("hint.accept", check="date-gap"))
        longest = max(longest, after, key=lambda one: one.until_on or date.max)


def days_between(last: date, first: date) -> Said | None:
    """The days after a last day and before a first one, in words; None when there are none."""
    if last == date.max or last + _DAY >= first:
        return None
    start, end = last + _DAY, first - _DAY
    if start == end:
        return say("dates.on", day=start)
    return say("dates.from-to", first=start, last=end, days=(end - start).days + 1)
