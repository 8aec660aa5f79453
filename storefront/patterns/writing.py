"""Values to the text of a rule file: keys in the order of rules/keys.py, each with a short comment, cases at the end.

Text only; which cases there are is scenes.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import tomlkit

from rules.keys import TABLES
from rules.one_rule import read_rule, with_rule
from rules.price_checks import check_prices
from rules.report import Report
from rules.ruleset import Rule
from rules.vocabulary import find_fact
from storefront.patterns.kinds import (
    LANGUAGES,
    Fault,
    Field,
    Path,
    Pattern,
    PatternError,
    Said,
    Values,
    key_at,
    read_values,
)
from storefront.patterns.scenes import Setting, cases_of

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.A)
_COLUMN = 34  # where comments begin, when what stands before them is shorter
_ACCEPT = Said(
    "手数料や数量の段の手前では、多く頼むほうが安くなります。承知のうえです。",
    "Just before a fee ends or a step begins, more pieces cost less. This is meant.",
)


def write(
    pattern: Pattern,
    raw: Mapping[str, object],
    *,
    code: str,
    setting: Setting | None = None,
    language: str = "ja",
) -> str:
    """The rule file as text, comments and case names in `language`. PatternError names every wrong value.

    With a setting the cases use the shop's own products and stand among its rules; without, made-up ones.
    """
    setting = setting or Setting(is_alone=True)
    values, faults = read_values(pattern, raw, setting.currency)
    if faults:
        raise PatternError(faults)
    text = _head(pattern, values, code, language)
    path = f"rules/{code}.toml"
    rule, findings = read_rule(text, path, policy=setting.ruleset.policy)
    errors = [one for one in findings if one.severity == "error"]
    if rule is None or errors:
        ja, en = (" ".join(" ".join(one.said(lang)) for one in errors) for lang in LANGUAGES)
        raise PatternError([Fault(pattern.fields[0].name, Said(ja, en))])
    cases = cases_of(pattern, values, replace(rule, cases=()), setting, language)
    written = "".join(case_text(one) for one in cases)
    whole = read_rule(text + written, path, policy=setting.ruleset.policy)[0]
    if whole is not None and pattern.accepts(values) and _has_cliff(whole, setting):
        text = _head(pattern, values, code, language, accepts=True)
    return text + written


def _has_cliff(rule: Rule, setting: Setting) -> bool:
    """Whether the check of prices would warn of what the pattern means; only then it is accepted in the file."""
    report = Report()
    check_prices(report, with_rule(setting.ruleset, rule), setting.catalog, setting.today)
    return any(found.check == "price-cliff" and found.rule == rule.code for found in report.findings)


def _head(pattern: Pattern, values: Values, code: str, language: str, *, accepts: bool = False) -> str:
    """Everything but the cases."""
    tree, notes = _laid(pattern, values)
    lines = [
        f"# {pattern.title.in_(language)}。{pattern.about.ja}"
        if language == "ja"
        else f"# {pattern.title.en}. {pattern.about.en}"
    ]
    default = pattern.name(values)
    name = {lang: values.get(f"name_{lang}") or default.in_(lang) for lang in LANGUAGES}
    top: dict[str, Any] = {
        "code": code,
        "name": name,
        **{word: tree.pop(word) for word in _TOP if word in tree},
    }
    lines += _entries(top, (), notes, language)
    if accepts:
        lines += [f"# {_ACCEPT.in_(language)}", 'accept = ["price-cliff"]']
    if "when" in tree:
        lines += ["", "[when]", *_entries(tree.pop("when"), ("when",), notes, language)]
    effect = tree[pattern.effect]
    rows = {
        word: one for word, one in effect.items() if _is_tables(one) and (pattern.effect, word) not in notes
    }
    plain = {word: one for word, one in effect.items() if word not in rows}
    lines += ["", f"[{pattern.effect}]", *_entries(plain, (pattern.effect,), notes, language)]
    for word, entries in rows.items():
        for place, entry in enumerate(entries):
            path: Path = (pattern.effect, word, place)
            lines += ["", f"[[{pattern.effect}.{word}]]", *_entries(entry, path, notes, language)]
    return "\n".join(lines) + "\n"


_TOP = ("because", "from", "until", "beats")


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _laid(pattern: Pattern, values: Values) -> tuple[dict[str, Any], dict[Path, Said]]:
    """The values as a tree in the order of the file, and the comments that the pattern itself has."""
    placed: dict[Path, Any] = {}
    notes: dict[Path, Said] = {}
    for one in pattern.fields:
        if one.name not in values or one.name.startswith("name_"):
            continue
        value = values[one.name]
        if one.kind == "rows":
            value = [row_table(one, row) for row in value]
            notes[one.at] = one.help or one.label
        elif one.many and one.at[0] == "when" and len(value) == 1:
            value = value[0]
        placed[one.at] = value
    for fixed in pattern.fixed:
        if not fixed.only_with or fixed.only_with in values:
            placed[fixed.at] = fixed.value
            if fixed.comment is not None:
                notes[fixed.at] = fixed.comment
    tree: dict[str, Any] = {}
    for path in sorted(placed, key=lambda one: path_rank(pattern, one)):
        _lay(tree, path, placed[path])
    return tree, notes


def row_table(rows: Field, row: Values) -> dict[str, Any]:
    """One row of a field as the table of the file."""
    table: dict[str, Any] = {}
    for column in rows.columns:
        if column.name in row:
            _lay(table, column.at[len(rows.at) + 1 :], row[column.name])
    return table


def path_rank(pattern: Pattern, path: Path) -> tuple[Any, ...]:
    """Places in the order of rules/keys.py; conditions in the order of the pattern."""
    rank: list[Any] = []
    table = ""
    for part in path:
        if isinstance(part, int):
            rank.append(part)
            continue
        keys = list(TABLES.get(table, ()))
        rank.append(keys.index(part) if part in keys else len(keys))
        table = f"{table}.{part}" if table else part
    if path[0] == "when":
        places = [*(one.at for one in pattern.fields), *(one.at for one in pattern.fixed)]
        return (0, places.index(path))
    return (0, *rank)


def _lay(tree: dict[str, Any], path: Path, value: Any) -> None:
    here: Any = tree
    for part, after in pairwise(path):
        if isinstance(part, int):
            while len(here) <= part:
                here.append({})
            here = here[part]
        else:
            here = here.setdefault(part, [] if isinstance(after, int) else {})
    here[path[-1]] = value


def _entries(
    table: Mapping[str, Any], path: Path, notes: Mapping[Path, Said], language: str
) -> Iterator[str]:
    for word, value in table.items():
        here = (*path, word)
        if _is_tables(value) and here in notes:  # rows, each on a line of its own
            yield f"# {notes[here].in_(language)}"
            yield f"{_key(word)} = ["
            yield from (f"    {toml(row)}," for row in value)
            yield "]"
            continue
        said = f"{_key(word)} = {toml(value)}"
        note = _note(here, notes, language)
        yield f"{said}{' ' * max(_COLUMN - _width(said), 2)}# {note}" if note else said


def _note(path: Path, notes: Mapping[Path, Said], language: str) -> str:
    """What a key means: the pattern's own words, else those of rules/keys.py or of the vocabulary."""
    if path in (("code",), ("name",)):
        return ""
    for there, said in notes.items():
        if there[: len(path)] == path:
            return said.in_(language)
    if path[0] == "when":
        fact = find_fact(str(path[1])) if len(path) > 1 else None
        return (fact.ja if language == "ja" else fact.en) if fact is not None else ""
    key = key_at(path)
    return (key.ja if language == "ja" else key.en) if key is not None else ""


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def case_text(case: Mapping[str, Any]) -> str:
    return "\n[[case]]\n" + "".join(f"{_key(word)} = {toml(value)}\n" for word, value in case.items())


def _key(word: str) -> str:
    return word if _BARE.fullmatch(word) else toml(word)


def toml(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return tomlkit.item(value).as_string()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(word)} = {toml(one)}" for word, one in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")
