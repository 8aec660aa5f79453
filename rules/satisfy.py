"""Whether some value of a fact satisfies several conditions: the ground of ties and of rules that never apply.

Tries the values that matter: those the conditions name, their neighbours, one that nobody names, and none at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, product
from typing import Any

from rules.facts import MAX_QUANTITY
from rules.reading import predicate
from rules.ruleset import AnyOf, Condition, WhenLine
from rules.vocabulary import Fact, find_fact

Conditions = Mapping[str, Sequence[Condition]]  # by fact
MOST_ALTERNATIVES = 64  # combinations of any tables that are tried
_FRESH = "\N{LATIN SMALL LETTER EZH}"  # a text that no rule names
_FINE = Decimal("0.000001")
# Facts every cart has, so that `known = false` can never hold for them.
_PRESENT = frozenset(
    "customer.known product.sku line.quantity product.quantity batch.quantity batch.lines matching.quantity "
    "order.quantity order.lines order.channel order.purpose order.currency order.on order.weekday".split()
)


def alternatives(when: Iterable[WhenLine | AnyOf]) -> Iterator[dict[str, list[Condition]]]:
    """Every way in which a [when] can hold, as conditions by fact; more than one only with `any`."""
    direct: list[WhenLine] = []
    choices: list[tuple[tuple[WhenLine, ...], ...]] = []
    for entry in when:
        if isinstance(entry, AnyOf):
            choices.append(entry.tables)
        else:
            direct.append(entry)
    for chosen in islice(product(*choices), MOST_ALTERNATIVES):
        found: dict[str, list[Condition]] = {}
        for line in (*direct, *(line for table in chosen for line in table)):
            found.setdefault(line.fact, []).extend(line.conditions)
        yield found


def can_hold(conditions: Sequence[Condition]) -> bool:
    """Whether some value of the fact, or its absence, satisfies all of them."""
    fact = find_fact(conditions[0].fact)
    if fact is None:
        return True
    tests = [predicate(condition) for condition in conditions]
    return any(all(test(value) for test in tests) for value in _candidates(fact, conditions))


def _named(conditions: Iterable[Condition], *ops: str) -> list[Any]:
    found: list[Any] = []
    for condition in conditions:
        if condition.op != "known" and (not ops or condition.op in ops):
            found.extend(condition.value if isinstance(condition.value, tuple) else (condition.value,))
    return found


def _candidates(fact: Fact, conditions: Sequence[Condition]) -> Iterator[Any]:
    named = _named(conditions)
    match fact.type:
        case "bool":
            yield from (True, False)
        case "choice":
            yield from fact.values
        case "list":
            denied = set(_named(conditions, "not", "not_in"))
            yield tuple(value for value in named if value not in denied)
        case "pieces" | "number" | "money":
            yield from _numbers(fact, named)
        case "date":
            yield from _dates(named)
        case "attribute":
            yield from (True, False, _FRESH)
            yield from _texts([value for value in named if isinstance(value, str)])
            yield from _numbers(fact, [one for one in named if not isinstance(one, str | bool)])
        case _:
            yield from _texts(named)
            yield _FRESH
    if fact.name not in _PRESENT:
        yield None


def _texts(named: Iterable[str]) -> Iterator[str]:
    for value in named:
        yield value
        yield f"{value}/{_FRESH}"
        yield f"{value}{_FRESH}"


def _numbers(fact: Fact, named: Iterable[Any]) -> Iterator[Any]:
    least: int | None = None if fact.name == "customer.credit_left" or fact.type == "attribute" else 0
    if fact.type == "pieces" and fact.name.endswith((".quantity", ".lines")):
        least = 1
    step: Any = 1 if fact.type == "pieces" else _FINE
    for value in (*named, 1):
        for near in (value - step, value, value + step):
            if (least is None or near >= least) and (fact.type != "pieces" or near <= MAX_QUANTITY * 1000):
                yield near


def _dates(named: Iterable[date]) -> Iterator[date]:
    day = timedelta(days=1)
    for value in (*named, date(2026, 1, 1)):
        yield value
        if value > date.min:
            yield value - day
        if value < date.max:
            yield value + day
