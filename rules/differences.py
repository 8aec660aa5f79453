"""Which rules two rule sets do not share. Names, reasons and cases aside: what a rule decides is compared.

A rule that is switched off or only watches counts as absent.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rules.ruleset import Effect, PriceEffect, PriceTable, Rule, RuleException, Ruleset
from rules.tables import TableRows

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


def rule_differences(live: Ruleset, draft: Ruleset) -> dict[str, str]:
    """Code to added, removed or changed, in order of codes; a changed exception changes its rule."""
    before, after = _deciding(live), _deciding(draft)
    exceptions = _exceptions(live), _exceptions(draft)
    found = {}
    for code in sorted(before.keys() | after.keys()):
        if code not in before:
            found[code] = ADDED
        elif code not in after:
            found[code] = REMOVED
        elif not same_rule(before[code], after[code]) or not _same_exceptions(
            exceptions[0][code], exceptions[1][code]
        ):
            found[code] = CHANGED
    return found


def same_rule(one: Rule, other: Rule) -> bool:
    """Whether two rules of one code decide alike, exceptions aside."""
    return (one.when, one.scope, one.from_on, one.until_on, one.beats) == (
        other.when,
        other.scope,
        other.from_on,
        other.until_on,
        other.beats,
    ) and same_effect(one.effect, other.effect)


def same_effect(one: Effect, other: Effect) -> bool:
    """Price tables are compared row by row: each load reads its own."""
    if not isinstance(one, PriceEffect) or not isinstance(other, PriceEffect):
        return one == other
    if replace(one, table=None) != replace(other, table=None):
        return False
    if one.table is None or other.table is None:
        return one.table is other.table
    return _same_table(one.table, other.table)


def same_ties(live: Ruleset, draft: Ruleset) -> bool:
    """Whether `beats` settles the same ties; it reaches through rules in any mode."""
    return {rule.code: rule.beats for rule in live.rules if rule.beats} == {
        rule.code: rule.beats for rule in draft.rules if rule.beats
    }


def _deciding(ruleset: Ruleset) -> dict[str, Rule]:
    return {rule.code: rule for rule in ruleset.rules if rule.mode == "live" and rule.group != "FU"}


def _exceptions(ruleset: Ruleset) -> defaultdict[str, list[RuleException]]:
    found: defaultdict[str, list[RuleException]] = defaultdict(list)
    for one in ruleset.exceptions:
        found[one.rule].append(one)
    return found


def _same_exceptions(one: Iterable[RuleException], other: Iterable[RuleException]) -> bool:
    before, after = list(one), list(other)
    return len(before) == len(after) and all(
        _cells(first) == _cells(second) and same_effect(first.effect, second.effect)
        for first, second in zip(before, after, strict=True)
    )


def _cells(one: RuleException) -> tuple[Any, ...]:
    return one.id, one.customer, one.sku, one.from_on, one.until_on


def _same_table(one: PriceTable, other: PriceTable) -> bool:
    if one.rows is other.rows:
        return True
    if not isinstance(one.rows, TableRows) or not isinstance(other.rows, TableRows):
        return dict(one.rows) == dict(other.rows)
    mine, theirs = one.rows, other.rows  # the columns themselves: a million records would take seconds
    return (
        mine.places == theirs.places
        and mine.starts == theirs.starts
        and mine.prices == theirs.prices
        and mine.pers == theirs.pers
        and mine.periods == theirs.periods
    )
