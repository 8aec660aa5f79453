"""A rule made ready: its conditions as tests over facts, sorted by what they look at.

Compiling decides nothing; it happens once for each period of a rule set.
"""

from collections.abc import Callable, Iterable
from copy import copy
from decimal import Decimal
from typing import Any

from rules.ranking import Rank, specificity
from rules.reading import (
    COUNTED,
    LATE,
    SHARED,
    LineFacts,
    Predicate,
    Reader,
    is_cart_fact,
    predicate,
    reader_of,
    when_facts,
)
from rules.ruleset import AnyOf, Rule, RuleException, WhenLine

Test = Callable[[LineFacts], bool]


class CompiledRule:
    """A rule with its conditions as tests, ready for many carts. `ordinal` is its place by code."""

    __slots__ = (
        "cart_tests", "code", "counted", "effect", "exceptions", "group", "is_late", "line_tests", "matching_tests",
        "ordinal", "rank", "rule", "shared", "steady_tests",
    )  # fmt: skip

    def __init__(self, rule: Rule, ordinal: int, exceptions: tuple[RuleException, ...]) -> None:
        facts = when_facts(rule.when)
        self.rule = rule
        self.ordinal = ordinal
        self.code = rule.code
        self.group = rule.group
        self.effect: Any = rule.effect
        self.exceptions = exceptions
        self.rank: Rank = specificity(rule.when)
        self.is_late = bool(facts & LATE)
        self.shared = bool(facts & SHARED)
        self.counted = bool(facts & COUNTED)
        cart_tests: list[Test] = []
        line_tests: list[Test] = []
        steady_tests: list[Test] = []
        matching_tests: list[Callable[[LineFacts, Matching], bool]] = []
        for entry in rule.when:
            named = when_facts((entry,))
            if any(fact.startswith("matching.") for fact in named):
                matching_tests.append(_matching_test(entry))
                continue
            test = test_of(entry)
            (cart_tests if all(is_cart_fact(fact) for fact in named) else line_tests).append(test)
            if not named & COUNTED:
                steady_tests.append(test)
        self.cart_tests = tuple(cart_tests)
        self.line_tests = tuple(line_tests)
        self.steady_tests = tuple(steady_tests)  # those that no quantity changes
        self.matching_tests = tuple(matching_tests)

    def at(self, ordinal: int) -> "CompiledRule":
        """The same rule at another place."""
        if ordinal == self.ordinal:
            return self
        moved = copy(self)
        moved.ordinal = ordinal
        return moved

    def why(self) -> Any:
        """What the buyer reads: the reason, else the name."""
        return self.rule.because or self.rule.name


def test_of(entry: WhenLine | AnyOf) -> Test:
    """The test of one line of [when] that names no matching fact."""
    if isinstance(entry, AnyOf):
        tables = [[test_of(line) for line in table] for table in entry.tables]
        return lambda line: any(all(test(line) for test in table) for table in tables)
    read = reader_of(entry.fact)
    tests = [predicate(condition) for condition in entry.conditions]
    if len(tests) == 1:
        return _single(read, tests[0])
    return lambda line: all(test(read(line)) for test in tests)


def _single(read: Reader, test: Predicate) -> Test:
    return lambda line: test(read(line))


class Matching:
    """The sums over the lines that satisfy every other line of one rule (rule-semantics 26)."""

    __slots__ = ("amount", "quantity")

    def __init__(self, lines: Iterable[LineFacts]) -> None:
        self.quantity = 0
        self.amount: Decimal | None = Decimal(0)
        for line in lines:
            self.quantity += line.quantity
            self.amount = None if self.amount is None or line.amount is None else self.amount + line.amount

    def value(self, fact: str) -> Any:
        return self.quantity if fact == "matching.quantity" else self.amount


def _matching_test(entry: WhenLine | AnyOf) -> Callable[[LineFacts, Matching], bool]:
    """A test of a [when] line that names a matching fact, alone or inside `any`."""
    if isinstance(entry, AnyOf):
        tables = [[_matching_test(line) for line in table] for table in entry.tables]
        return lambda line, sums: any(all(test(line, sums) for test in table) for table in tables)
    tests = [predicate(condition) for condition in entry.conditions]
    if entry.fact.startswith("matching."):
        fact = entry.fact
        return lambda line, sums: all(test(sums.value(fact)) for test in tests)
    read = reader_of(entry.fact)
    return lambda line, sums: all(test(read(line)) for test in tests)
