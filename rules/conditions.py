"""Reads [when] into conditions: facts, operators and values of the fact's type (rule-semantics 14 to 22).

Only reads and refuses; whether a condition holds for a cart is matching.py.
"""

import re
from collections.abc import Mapping
from typing import Any

from rules.money import CURRENCIES
from rules.report import BadValue, Source, nearest, shown, suggestion
from rules.ruleset import AnyOf, Condition, WhenLine
from rules.said import both, say
from rules.values import date_value, list_value, must_be, number_value, text_value, whole_value
from rules.vocabulary import (
    OPERATORS,
    TYPES,
    Fact,
    fact_names,
    find_fact,
    is_known_at,
    operators_of,
)

_COUNTRY = re.compile(r"[A-Z]{2}", re.A)
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.A)
_POSTCODE = re.compile(r"[0-9A-Za-z]+", re.A)
_CATEGORY = re.compile(r"[^/]+(?:/[^/]+)*")


def read_when(source: Source, data: Any, path: str = "when") -> tuple[WhenLine | AnyOf, ...]:
    """The lines of [when] in file order; what is wrong is a finding and left out."""
    if not isinstance(data, Mapping):
        source.problem("wrong-type", path, say("key.not-a-table", table=f"[{path}]", value=shown(data)))
        return ()
    lines: list[WhenLine | AnyOf] = []
    for word, value in data.items():
        here = f"{path}.{word}"
        found = _read_any(source, value, here) if word == "any" else read_line(source, word, value, here)
        if found is not None:
            lines.append(found)
    return tuple(lines)


def _read_any(source: Source, value: Any, path: str) -> AnyOf | None:
    if not isinstance(value, list) or not value or not all(isinstance(table, Mapping) for table in value):
        source.problem("wrong-type", path, say("when.any"))
        return None
    tables: list[tuple[WhenLine, ...]] = []
    for place, table in enumerate(value):
        here = f"{path}.{place}"
        if not table:
            source.problem("empty-value", here, say("when.any-empty"))
        if "any" in table:
            source.problem("unknown-key", f"{here}.any", say("when.any-inside"))
        lines = [
            read_line(source, word, inner, f"{here}.{word}") for word, inner in table.items() if word != "any"
        ]
        tables.append(tuple(line for line in lines if line is not None))
    return AnyOf(tuple(tables))


def read_line(source: Source, word: str, value: Any, path: str) -> WhenLine | None:
    """One fact with its comparison; None when it cannot be used."""
    fact = find_fact(word)
    if fact is None:
        _unknown_fact(source, word, value, path)
        return None
    if not is_known_at(fact, source.stage):
        source.problem(
            "fact-too-early",
            path,
            say("when.too-early", fact=word, known=fact.stage, stage=source.stage),
        )
        return None
    pairs = [("eq", value)]
    if isinstance(value, Mapping):
        pairs = list(value.items())
        if not pairs:
            source.problem("empty-value", path, say("when.empty", fact=word))
    elif isinstance(value, list):
        pairs = [("one_of", value)]
    conditions = [_condition(source, fact, word, op, inner, path) for op, inner in pairs]
    kept = tuple(condition for condition in conditions if condition is not None)
    return WhenLine(word, kept) if kept else None


def _unknown_fact(source: Source, word: str, value: Any, path: str) -> None:
    hint = nearest(word, fact_names())
    if isinstance(value, Mapping) and value and find_fact(f"{word}.{next(iter(value))}") is not None:
        hint = say("hint.quoted-fact", fact=f"{word}.{next(iter(value))}")
    source.problem("unknown-fact", path, say("when.no-fact", word=shown(word)), hint)


def _condition(source: Source, fact: Fact, name: str, op: str, value: Any, path: str) -> Condition | None:
    here = f"{path}.{op}" if op not in ("eq", "one_of") else path
    if op not in ("eq", "one_of"):
        operator = OPERATORS.get(op)
        if operator is None or op not in operators_of(fact):
            said = say("when.no-operator", op=shown(op))
            if operator is not None:
                said = say("when.operator-type", fact=name, kind=both(*TYPES[fact.type]), op=shown(op))
            source.problem("unknown-operator", here, said, suggestion(op, operators_of(fact)))
            return None
    try:
        return Condition(name, op, _value(fact, op, value))
    except BadValue as bad:
        label = name if op in ("eq", "one_of") else say("when.operator", fact=name, op=op)
        source.problem(bad.check, here, say("of", path=label, what=bad.said), bad.hint)
        return None


def _value(fact: Fact, op: str, value: Any) -> Any:
    takes = OPERATORS[op].takes if op in OPERATORS else {"eq": "one", "one_of": "list"}[op]
    if takes == "bool":
        if not isinstance(value, bool):
            raise BadValue("wrong-type", must_be(say("kind.bool"), value))
        return value
    if takes == "either":
        return tuple(
            single_value(fact, one) for one in (list_value(value) if isinstance(value, list) else [value])
        )
    if takes == "list":
        return tuple(single_value(fact, one) for one in list_value(value))
    if takes == "two":
        return _two(fact, value)
    if isinstance(value, (list, Mapping)):
        raise BadValue("wrong-type", say("value.one", value=shown(value)))
    if op == "starts_with":
        return text_value(value)
    if op in ("lt", "le", "gt", "ge") and fact.type == "attribute":
        return number_value(value)
    return single_value(fact, value)


def _two(fact: Fact, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadValue("wrong-type", say("value.two", value=shown(value)))
    low, high = (number_value(one) if fact.type == "attribute" else single_value(fact, one) for one in value)
    if low > high:
        raise BadValue("wrong-value", say("value.reversed", low=shown(low), high=shown(high)))
    return low, high


def single_value(fact: Fact, value: Any, as_json: bool = False) -> Any:
    """One value of the fact's type, normalised; BadValue otherwise."""
    match fact.type:
        case "pieces":
            return _pieces(fact, value)
        case "number" | "money":
            return number_value(value, as_json and fact.type == "money")
        case "date":
            return date_value(value, as_json)
        case "bool":
            if not isinstance(value, bool):
                said = say("value.is-type", kind=say("kind.bool"), value=shown(value))
                raise BadValue("wrong-type", said)
            return value
        case "attribute":
            return attribute_value(value)
    return _word(fact, text_value(value, both(*TYPES[fact.type])))


def _pieces(fact: Fact, value: Any) -> int:
    """Counts: a decimal such as 3.0 is taken only where no pieces are counted (rule-semantics 5)."""
    number = number_value(value)
    if fact.unit not in ("pieces", "cases") and number == int(number):
        return int(number)
    return whole_value(value, -(10**9))


def attribute_value(value: Any) -> Any:
    """Attributes are typed by their value: text, number, or true or false (rule-semantics 19)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text_value(value)
    try:
        number = number_value(value)
    except BadValue as bad:
        if bad.check == "wrong-type":
            said = say("value.is-type", kind=both(*TYPES["attribute"]), value=shown(value))
            raise BadValue("wrong-type", said) from None
        raise
    return value if type(value) is int else number


def _word(fact: Fact, word: str) -> str:
    match fact.type:
        case "choice" if word not in fact.values:
            said = say("value.unknown-word", word=shown(word))
            raise BadValue("wrong-value", said, suggestion(word, fact.values))
        case "country" if not _COUNTRY.fullmatch(word):
            raise BadValue("wrong-value", say("value.country", value=shown(word)))
        case "region" if not _REGION.fullmatch(word):
            raise BadValue("wrong-value", say("value.region", value=shown(word)))
        case "postcode" if not _POSTCODE.fullmatch(word):
            hint = say("hint.write", value=shown(word.replace("-", ""))) if "-" in word else None
            raise BadValue("wrong-value", say("value.postcode", value=shown(word)), hint)
        case "currency" if word not in CURRENCIES:
            said = say("value.no-currency", code=shown(word))
            raise BadValue("wrong-value", said, nearest(word, CURRENCIES))
        case "category" if not _CATEGORY.fullmatch(word):
            raise BadValue("wrong-value", say("value.category", value=shown(word)))
    return word
