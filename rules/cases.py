"""Runs the [[case]] tables inside rule files: each against the whole rule set, on its day (rule-semantics 125 to 127).

A case that fails is an error of the load; a rule that no case of its own file reaches is a warning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.carts import read_cart
from rules.catalog import Catalog
from rules.decision import Decision
from rules.errors import CartError, TieError
from rules.evaluate import evaluate
from rules.report import Report, shown
from rules.ruleset import Rule, Ruleset
from rules.said import Said, Sentence, in_language, joined, say

_NO_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case came to. `wrong` is empty when it passed; `covered` as rule-semantics 133."""

    rule: str
    title: Sentence
    file: str
    line: int
    passed: bool
    wrong: tuple[Said, ...]
    decision: Decision | None
    covered: bool

    @property
    def name(self) -> str:
        return in_language(self.title, "en")

    @property
    def problems(self) -> tuple[str, ...]:
        return self.said("en")

    def said(self, language: str) -> tuple[str, ...]:
        """What is wrong, for a reader of that language ("ja", "en")."""
        return tuple(one.text(language) for one in self.wrong)


def run_cases(ruleset: Ruleset, catalog: Catalog, today: date | None) -> Iterator[CaseResult]:
    """Every case of every rule, in the order of codes and files. FU rules take no part in evaluate."""
    day = today or latest_start(ruleset)
    for rule in ruleset.rules:
        if rule.cases and rule.group != "FU":
            variant = with_rule_live(ruleset, rule)
            for place in range(len(rule.cases)):
                yield run_case(variant, rule, place, catalog, day)


def latest_start(ruleset: Ruleset) -> date:
    """A day that is not yesterday's when nobody says which day it is: the last on which a rule begins."""
    return max((rule.from_on for rule in ruleset.rules if rule.from_on), default=_NO_DAY)


def with_rule_live(ruleset: Ruleset, rule: Rule) -> Ruleset:
    """The rule set with this rule live and its scope ignored; the same object when it already is."""
    if rule.mode == "live" and rule.scope is None:
        return ruleset
    live = replace(rule, mode="live", scope=None)
    rules = tuple(live if one is rule else one for one in ruleset.rules)
    return replace(ruleset, rules=rules, compiled={})


def run_case(ruleset: Ruleset, rule: Rule, place: int, catalog: Catalog, today: date) -> CaseResult:
    """One case of a rule; faults of its cart and ties are problems like any other."""
    case = rule.cases[place]
    line = rule.lines.get(f"case.{place}", 1)
    title = str(case["name"]) if case.get("name") else say("case.nameless", place=place + 1)
    data = {word: value for word, value in case.items() if word not in ("name", "expect", "cart")}
    if "cart" in case:
        data["lines"] = case["cart"]
    decision, covered = None, False
    wrong: list[Said] = []
    try:
        cart, on = read_cart(data, ruleset, catalog, today=rule.from_on or today)
        # Every rule on every line is asked for only where the case says something of them: it takes long.
        explain = True if "considered" in case["expect"] else rule.code
        # So do rules that only watch, each with a compiled set of its own.
        watched = "shadow" in case["expect"]
        decision = evaluate(ruleset, cart, on or rule.from_on or today, explain=explain, shadow=watched)
    except CartError as error:
        wrong = [say("case.bad-cart", field=fault.field, fault=fault.whole) for fault in error.faults]
    except TieError as error:
        wrong = [error.sentence]
    else:
        wrong = list(mismatches(case["expect"], decision.as_json(), rule.code))
        covered = any(
            entry.get("code") == rule.code and entry.get("status") == "applied"
            for entry in decision.considered
        )
    return CaseResult(rule.code, title, rule.path, line, not wrong, tuple(wrong), decision, covered)


def mismatches(expected: Any, actual: Any, code: str, path: str = "") -> Iterator[Said]:
    """Sentences on what of `expected` does not hold of `actual` (rule-semantics 126)."""
    if isinstance(expected, Mapping):
        yield from _table_mismatches(expected, actual, code, path)
    elif isinstance(expected, list):
        yield from _list_mismatches(expected, actual, code, path)
    elif not _equals(expected, actual):
        yield say("case.differs", path=path, actual=shown(actual), expected=shown(expected))


def _table_mismatches(expected: Mapping[str, Any], actual: Any, code: str, path: str) -> Iterator[Said]:
    if not isinstance(actual, Mapping):
        yield say("case.no-table", path=path, actual=shown(actual))
        return
    for word, value in expected.items():
        here = f"{path}.{word}" if path else word
        if word not in actual:
            yield say("case.not-there", path=here, expected=shown(value))
        else:
            yield from mismatches(value, actual[word], code, here)


def _list_mismatches(expected: list[Any], actual: Any, code: str, path: str) -> Iterator[Said]:
    if not isinstance(actual, list):
        yield say("case.no-list", path=path, actual=shown(actual))
        return
    if path.rpartition(".")[2] == "fixes" and not any(isinstance(one, Mapping) for one in expected):
        quantities = sorted(fix["quantity"] for fix in actual)
        if len(expected) != len(quantities) or not all(map(_equals, sorted_numbers(expected), quantities)):
            wanted = str([_plain(one) for one in expected])
            yield say("case.fixes", path=path, actual=str(quantities), expected=wanted)
        return
    if not expected:
        carrying = [one for one in actual if not isinstance(one, Mapping) or _carries(one, code)]
        if carrying:
            yield say("case.not-empty", path=path, element=_summary(carrying[0]), code=code)
        return
    for one in expected:
        tried = [list(mismatches(one, there, code, path)) for there in actual]
        if not all(tried):
            continue
        nearest = min(tried, key=len, default=[])
        if not isinstance(one, Mapping):
            why = say("case.only", there=str([_plain(there) for there in actual]))
        elif nearest:
            why = say("case.nearest", problems=joined("join.semicolon", nearest[:3]))
        else:
            why = say("case.empty", path=path)
        yield say("case.no-element", path=path, element=_summary(one), why=why)


def sorted_numbers(values: list[Any]) -> list[Any]:
    """Numbers ascending; what holds anything else stays as it is and will not be equal."""
    return sorted(values) if all(isinstance(one, int | Decimal) for one in values) else values


def _carries(element: Any, code: str) -> bool:
    """Whether the rule's code stands anywhere in an element, as code or by."""
    if isinstance(element, Mapping):
        return any(
            (word in ("code", "by") and value == code) or _carries(value, code)
            for word, value in element.items()
        )
    return isinstance(element, list) and any(_carries(one, code) for one in element)


def _equals(expected: Any, actual: Any) -> bool:
    """Numbers by value, so 800 is "800" and "800.00"; dates as written in JSON; everything else exactly."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, date):
        return bool(actual == expected.isoformat())
    if isinstance(expected, int | Decimal) or (
        isinstance(actual, int | Decimal) and isinstance(expected, str)
    ):
        first, second = _number(expected), _number(actual)
        return first is not None and first == second
    return bool(expected == actual)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, int | str | Decimal):
        try:
            number = Decimal(value)
        except (InvalidOperation, ValueError):
            return None
        return number if number.is_finite() else None
    return None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _summary(value: Any) -> Sentence:
    if not isinstance(value, Mapping):
        return shown(value)
    parts = [
        say("case.summary", word=word, value=shown(one))
        for word, one in value.items()
        if not isinstance(one, Mapping | list)
    ]
    return say("case.element", parts=joined("join.comma", parts[:4]))


def _failure(result: CaseResult) -> tuple[Said, Said | None]:
    """What a failing case says; a cart that cannot be read is the case's own fault, and not the rule's."""
    problems = result.wrong[:5]
    if any(one.key == "case.bad-cart" for one in problems):
        said = say("case.unreadable", name=result.title, problems=joined("join.more", problems))
        return said, say("case.mend-cart")
    return say("case.fails", name=result.title, problems=joined("join.semicolon", problems)), None


def check_cases(
    report: Report, ruleset: Ruleset, catalog: Catalog, today: date | None
) -> tuple[CaseResult, ...]:
    """Runs all cases; failing ones and rules that none reaches become findings."""
    results = tuple(run_cases(ruleset, catalog, today))
    covered = {result.rule for result in results if result.covered}
    for result in results:
        if not result.passed:
            said, hint = _failure(result)
            report.add("case-fails", result.file, result.line, said, hint, rule=result.rule)
    covered |= {str(finding.rule) for finding in report.findings if finding.check == "never-applies"}
    for rule in ruleset.rules:
        if rule.group == "FU" or rule.code in covered:
            continue
        if rule.cases:
            line = rule.lines.get("case.0", 1)
            said = say("case.not-covered", code=rule.code)
            report.add("rule-not-covered", rule.path, line, said, rule=rule.code)
        else:
            said = say("case.none", code=rule.code)
            report.add("rule-without-case", rule.path, 1, said, rule=rule.code)
    return results
