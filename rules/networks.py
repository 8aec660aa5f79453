"""Rules as networks for durable-rules: conditions as comparisons of whole numbers, lines as facts of whole numbers.

Pure translation, durable.py runs it. What the engine cannot compare exactly is asked in Python and posted as 0 or 1.
The limits below keep far from those at which the engine hangs, crashes or forgets (each has a test).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from rules.compiled import CompiledRule, test_of
from rules.in_force import is_in_scope
from rules.money import EXACT
from rules.reading import CATEGORY, TAGS, LineFacts, is_cart_fact, predicate, reader_of, when_facts
from rules.ruleset import AnyOf, Condition, Scope, WhenLine

MOST_RULES = 60  # one fact that satisfies 65 first conditions is an error in the engine
MOST_ALTERNATIVES = 60  # from 513 alternatives at a node on, it never returns
MOST_PROPERTIES = 180  # a fact holds at most 255
MOST_VALUES = 15  # of a list; longer ones are asked in Python, which has sets
MOST_CHOICES = 10  # an expression holds 32 operators, and a choice takes two
MOST_LINES = 200  # posted at once; `cap` hands over that many matches of a rule in one answer
CATCH_ALL = "all"
_LIMIT = 2**53  # beyond this a number may be read as a float
_DECIMALS = 6

ReadNumber = Callable[[LineFacts], int | None]


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """A number posted with a line; None is absent, and the engine finds no comparison with it true."""

    read: ReadNumber
    of_cart: bool  # the same for every line


@dataclass(frozen=True, slots=True)
class Comparison:
    fact: Property
    op: str  # eq, not, lt, le, gt, ge
    number: int


Clause = tuple[Comparison, ...]  # at least one must hold, and at most one can


class Translator:
    """Turns [when] into clauses. Texts become numbers; a fact's numbers become whole ones, exactly."""

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self._texts: dict[str, int] = {}
        self._properties: dict[Any, Property] = {}
        self._decimals: dict[str, int] = {}
        for compiled in rules:
            for condition in conditions_of(compiled):
                if _kind(condition) == "number":
                    most = max(map(_decimals, values_of(condition)), default=0)
                    self._decimals[condition.fact] = max(self._decimals.get(condition.fact, 0), most)

    def clauses(self, compiled: CompiledRule) -> list[Clause]:
        """Every condition of a rule but those on matching.*; cart facts first, for they rule out most."""
        found: list[Clause] = []
        rule = compiled.rule
        if rule.scope is not None:
            found.append(self._scope(compiled.ordinal, rule.scope))
        for entry in rule.when:
            if any(fact.startswith("matching.") for fact in when_facts((entry,))):
                continue
            if isinstance(entry, AnyOf):
                found.append(self._flag(("any", repr(entry)), test_of(entry), _is_of_cart(entry)))
            else:
                for condition in entry.conditions:
                    found += self._condition(condition)
        choices = [clause for clause in found if len(clause) > 1]
        if len(found) > MOST_PROPERTIES // 2 or len(choices) > MOST_CHOICES:
            return [self._whole(compiled)]
        return sorted(found, key=lambda clause: not clause[0].fact.of_cart)

    def _whole(self, compiled: CompiledRule) -> Clause:
        tests = compiled.cart_tests + compiled.line_tests
        scope = compiled.rule.scope
        return self._flag(
            ("rule", compiled.code),
            lambda line: (
                (scope is None or is_in_scope(scope, line.facts.customer)) and all(t(line) for t in tests)
            ),
            False,
        )

    def _scope(self, ordinal: int, scope: Scope) -> Clause:
        return self._flag(("scope", ordinal), lambda line: is_in_scope(scope, line.facts.customer), True)

    def _flag(self, key: Any, test: Callable[[LineFacts], bool], of_cart: bool) -> Clause:
        """What is asked in Python: posted as 1 when it holds, else as 0."""
        return (Comparison(self._property(key, lambda line: int(test(line)), of_cart), "eq", 1),)

    def _property(self, key: Any, read: ReadNumber, of_cart: bool) -> Property:
        known = self._properties.get(key)
        if known is None:
            known = self._properties[key] = Property(read, of_cart)
        return known

    def _condition(self, condition: Condition) -> list[Clause]:
        compared = self._compared(condition)
        if compared is not None:
            return compared
        read, test = reader_of(condition.fact), predicate(condition)
        key = (condition.fact, condition.op, repr(condition.value))
        return [self._flag(key, lambda line: test(read(line)), is_cart_fact(condition.fact))]

    def _compared(self, condition: Condition) -> list[Clause] | None:
        """The condition as the engine's own comparisons; None when it cannot make them."""
        op, fact = condition.op, condition.fact
        kind = _kind(condition)
        if kind is None or not 1 <= len(values_of(condition)) <= MOST_VALUES:
            return None
        if kind == "category":
            numbers = [
                (self._category(value), self._text(value)) for value in _outermost(values_of(condition))
            ]
        else:
            held = self._held(fact, kind)
            numbers = []
            for value in values_of(condition):
                number = self._number(fact, kind, value)
                if number is None:
                    return None
                numbers.append((held, number))
        numbers = list(dict.fromkeys(numbers))
        if op in ("eq", "one_of", "has"):
            return [tuple(Comparison(held, "eq", number) for held, number in numbers)]
        if op in ("not", "not_in"):
            return [(Comparison(held, "not", number),) for held, number in numbers]
        if op == "between":
            (held, low), (_, high) = numbers[0], numbers[-1]
            return [(Comparison(held, "ge", low),), (Comparison(held, "le", high),)]
        return [(Comparison(numbers[0][0], op, numbers[0][1]),)]

    def _text(self, value: str) -> int:
        return self._texts.setdefault(value, len(self._texts) + 1)

    def _number(self, fact: str, kind: str, value: Any) -> int | None:
        """The number a condition compares with; None when it is not exact or too large."""
        if kind == "text":
            return self._text(value)
        if kind == "truth":
            return int(value)
        if kind == "day":
            return int(value.toordinal())
        number = exact_number(value, self._decimals.get(fact, 0))
        return None if number % 2 or abs(number) >= _LIMIT // 2 else number

    def _held(self, fact: str, kind: str) -> Property:
        """What a line holds of a fact, as a number of that kind."""
        read, holds, encode = reader_of(fact), _HOLDS[kind], self._encoder(fact, kind)
        is_attribute = ".attributes." in fact

        def read_number(line: LineFacts) -> int | None:
            value = read(line)
            if value is None:
                return None
            if holds(value):
                return encode(value)
            if is_attribute:
                return None  # of another type, so compared with nothing (rule-semantics 19)
            raise TypeError(f"{fact} holds a {type(value).__name__}, not a {kind}")

        return self._property((fact, kind), read_number, is_cart_fact(fact))

    def _encoder(self, fact: str, kind: str) -> Callable[[Any], int]:
        if kind == "text":
            texts = self._texts
            return lambda value: texts.get(value, 0)  # 0: a text that no condition names
        if kind == "number":
            decimals = self._decimals.get(fact, 0)
            return lambda value: exact_number(value, decimals)
        return int if kind == "truth" else date.toordinal

    def _category(self, path: str) -> Property:
        """A line's category cut to as many levels as the path has; 0 when it has fewer (rule-semantics 17)."""
        levels = path.count("/") + 1
        texts = self._texts

        def read_number(line: LineFacts) -> int | None:
            category = line.product.category
            if category is None:
                return None
            parts = category.split("/")
            return 0 if len(parts) < levels else texts.get("/".join(parts[:levels]), 0)

        return self._property((CATEGORY, levels), read_number, False)


def exact_number(value: int | Decimal, decimals: int) -> int:
    """Twice the value in units of `decimals` places, odd when something is left over; so every order is kept.

    A condition's number has no more places than that and is even: 2.5 is 50, and 2.51 at one place is 51.
    """
    if isinstance(value, int):
        number = 2 * value * int(10**decimals)
    elif abs(value) >= _LIMIT:
        number = _LIMIT if value > 0 else -_LIMIT
    else:
        scaled = value.scaleb(decimals, EXACT)
        whole = scaled.to_integral_value(ROUND_FLOOR, EXACT)
        number = 2 * int(whole) + (scaled != whole)
    return max(-_LIMIT + 1, min(_LIMIT - 1, number))


_HOLDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | Decimal) and not isinstance(value, bool),
    "truth": lambda value: isinstance(value, bool),
    "day": lambda value: isinstance(value, date),
}


def _is_of_cart(entry: WhenLine | AnyOf) -> bool:
    return all(is_cart_fact(fact) for fact in when_facts((entry,)))


def conditions_of(compiled: CompiledRule) -> Iterator[Condition]:
    for entry in compiled.rule.when:
        if isinstance(entry, WhenLine):
            yield from entry.conditions


def values_of(condition: Condition) -> tuple[Any, ...]:
    value = condition.value
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _decimals(value: int | Decimal) -> int:
    exponent = value.normalize(EXACT).as_tuple().exponent if isinstance(value, Decimal) else 0
    return min(max(-exponent, 0), _DECIMALS) if isinstance(exponent, int) else 0


def _kind(condition: Condition) -> str | None:
    """The kind of values a condition compares; None: the engine has no such comparison, or they are mixed."""
    if condition.fact in TAGS or condition.op in ("known", "starts_with"):
        return None
    kinds = {_kind_of(value) for value in values_of(condition)}
    kind = kinds.pop() if len(kinds) == 1 else None
    if condition.op in ("lt", "le", "gt", "ge", "between"):
        return kind if kind in ("number", "day") else None
    return "category" if condition.fact == CATEGORY and kind == "text" else kind


def _kind_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | Decimal):
        return "number"
    if isinstance(value, str):
        return "text"
    return "day" if isinstance(value, date) else None


def _outermost(paths: tuple[str, ...]) -> list[str]:
    """Without the categories inside another of them, so that at most one can hold."""
    return [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]
