"""A rule file as a form, and a form's values back into its file: comments, order and untouched keys stay as they are.

What the form cannot show stays untouched, and is named. Texts only; nothing is read from the disk.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from rules.keys import EFFECTS
from rules.toml_lines import Lines
from storefront.patterns.kinds import (
    LANGUAGES,
    Fault,
    Field,
    Path,
    Pattern,
    PatternError,
    Values,
    _read,
    read_values,
)
from storefront.patterns.table import PATTERNS
from storefront.patterns.writing import path_rank, toml

_BESIDE = (
    "code",
    "case",
    "note",
    "mode",
    "scope",
    "accept",
)  # never part of a form; cases tell themselves


@dataclass(frozen=True, slots=True)
class Form:
    """A rule file as the form of a pattern. `untouched` are keys of the file that the form does not show."""

    pattern: Pattern
    code: str
    values: Values
    untouched: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.untouched


def read_form(text: str, currency: str = "JPY") -> Form | None:
    """The form of the pattern that shows most of a rule file; None when none can, or the file cannot be read."""
    data = _parsed(text)
    if data is None or not isinstance(data.get("code"), str):
        return None
    code = data["code"]
    forms = [
        form
        for pattern in PATTERNS.values()
        if pattern.group == code[:2] and (form := _form(pattern, code, data, currency)) is not None
    ]
    # the pattern that leaves least aside; of equal ones that with fewer fields, which says the same more simply
    return min(forms, key=lambda form: (len(form.untouched), len(form.pattern.fields)), default=None)


def apply_form(text: str, raw: Mapping[str, Any], currency: str = "JPY") -> str:
    """The file with the values of its form; a value that did not change leaves its line byte for byte.

    PatternError names wrong values; ValueError when the text has no form.
    """
    form = read_form(text, currency)
    if form is None:
        raise ValueError("no pattern can show this file as a form")
    pattern = form.pattern
    values, faults = read_values(pattern, raw, currency, defaults=False)
    if faults:
        raise PatternError(faults)
    filled, _faults = read_values(pattern, raw, currency)
    for one in pattern.fields:  # what goes with a field that is new, such as the name of a fee
        if one.only_with in values and one.only_with not in form.values and one.name in filled:
            values[one.name] = filled[one.name]
    for language in LANGUAGES:  # a rule without a name does not load
        if f"name_{language}" in form.values and f"name_{language}" not in values:
            values[f"name_{language}"] = pattern.name(values).in_(language)
    before, after = _places(pattern, form.values), _places(pattern, values)
    if before == after:
        return text
    gone = [path for path in before if path not in after]
    new = sorted(
        (path for path in after if before.get(path) != after[path]), key=lambda p: path_rank(pattern, p)
    )
    if any(path[0] == "when" for path in new):
        text = _with_when(text, pattern.effect)
    doc = tomlkit.parse(text)
    for path in sorted(gone, key=lambda p: path_rank(pattern, p), reverse=True):
        _remove(doc, path)
    for path in new:
        _set(doc, path, after[path])
    return tomlkit.dumps(doc)


# reading


def _parsed(text: str) -> dict[str, Any] | None:
    """The file's tables; None when it is broken, or when it could not be written back as it is."""
    try:
        if tomlkit.dumps(tomlkit.parse(text)) != text:
            return None
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, TOMLKitError, ValueError, RecursionError):
        return None


def _form(pattern: Pattern, code: str, data: Mapping[str, Any], currency: str) -> Form | None:
    """The file as this pattern's form; None when it is another kind of rule."""
    values: Values = {}
    for one in pattern.fields:
        value = _value(one, data, currency)
        if value is not None:
            values[one.name] = value
    shown = _places(pattern, values)
    for fixed in pattern.fixed:
        if not fixed.only_with and _get(data, fixed.at) != fixed.value:
            return None
        if fixed.only_with in values and _get(data, fixed.at) != fixed.value:
            return None
    _values, faults = read_values(pattern, values, currency, defaults=False)
    if faults:
        return None
    rest = [".".join(map(str, path)) for path in _leaves(data) if not _is_shown(path, shown)]
    return Form(pattern, code, values, tuple(dict.fromkeys(_plainly(word) for word in rest)))


def _plainly(word: str) -> str:
    """A key path as it is written: any instead of any.0.customer.code.not."""
    return ".".join(part for part in word.split(".") if not part.isdecimal())


def _value(one: Field, data: Mapping[str, Any], currency: str) -> Any:
    """The value of a field as the file has it; None when it is not there or has another shape."""
    raw = _get(data, one.at)
    if raw is None:
        return None
    faults: list[Fault] = []
    if one.kind == "rows":
        if not isinstance(raw, list) or not all(isinstance(row, Mapping) for row in raw):
            return None
        skip = len(one.at) + 1
        raw = [{c.name: _get(row, c.at[skip:]) for c in one.columns} for row in raw]
    elif one.many:
        raw = [raw] if isinstance(raw, str) else raw
        if not isinstance(raw, list) or not all(isinstance(part, str) and "," not in part for part in raw):
            return None
    elif isinstance(raw, bool | list | Mapping):
        return None
    value = _read(one, raw, currency, one.name, faults)
    same = value == (_rows_given(raw) if one.kind == "rows" else raw)
    return value if not faults and same else None


def _rows_given(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{word: value for word, value in row.items() if value is not None} for row in rows]


def _get(data: Any, path: Path) -> Any:
    """What stands at a place; a plain text stands for both languages."""
    here = data
    for part in path:
        if isinstance(here, str) and part in LANGUAGES:
            continue
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return here


def _leaves(data: Mapping[str, Any]) -> list[Path]:
    """Every place of the file that holds a value, without what stands beside every form."""
    found: list[Path] = []

    def walk(value: Any, path: Path) -> None:
        if isinstance(value, Mapping) and value:
            for word, inner in value.items():
                walk(inner, (*path, word))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for place, inner in enumerate(value):
                walk(inner, (*path, place))
        else:
            found.append(path)

    for word, value in data.items():
        if word not in _BESIDE:
            walk(value, (word,))
    return found


def _is_shown(path: Path, shown: Mapping[Path, Any]) -> bool:
    """Whether a place is a field's or a fixed one; a plain text is its two languages."""
    return path in shown or (*path, LANGUAGES[0]) in shown


# writing


def _places(pattern: Pattern, values: Values) -> dict[Path, Any]:
    """Every place with its value, single cells of rows too, and the fixed values that go with what is filled in."""
    found: dict[Path, Any] = {}
    for one in pattern.fields:
        if one.name not in values:
            continue
        value = values[one.name]
        if one.kind == "rows":
            for place, row in enumerate(value):
                for column in one.columns:
                    if column.name in row:
                        found[(*one.at, place, *column.at[len(one.at) + 1 :])] = row[column.name]
        elif one.many and one.at[0] == "when" and len(value) == 1:
            found[one.at] = value[0]
        else:
            found[one.at] = value
    for fixed in pattern.fixed:
        if not fixed.only_with or fixed.only_with in values:
            found[fixed.at] = fixed.value
    return found


def _with_when(text: str, effect: str) -> str:
    """The text with a [when], which stands before the effect; tomlkit would put it behind the cases."""
    lines = Lines(text)
    if "when" in lines or any(path.startswith("when.") for path in lines):
        return text
    before = next((lines[word] for word in (effect, *EFFECTS) if word in lines), None)
    if before is None:
        return text
    parts = text.split("\n")
    start = before - 1
    while start and parts[start - 1].startswith("#"):
        start -= 1  # the comment over a table stays with it
    return "\n".join([*parts[:start], "[when]", "", *parts[start:]])


def _set(doc: Any, path: Path, value: Any) -> None:
    here = doc
    for depth, (part, after) in enumerate(pairwise(path)):
        if isinstance(part, int):
            while len(here) <= part:
                here.append(tomlkit.table() if isinstance(here, AoT) else tomlkit.inline_table())
            here = here[part]
            continue
        if part not in here:
            here[part] = _container(path, depth, after)
        elif isinstance(here[part], str) and after in LANGUAGES:
            plain = tomlkit.inline_table()
            plain.update({language: str(here[part]) for language in LANGUAGES})
            here[part] = plain
        here = here[part]
    here[path[-1]] = tomlkit.value(toml(value))


def _container(path: Path, depth: int, after: str | int) -> Any:
    """What a new place is put into: [[quantity.below]] in an effect, [a, b] inside a condition, else a table."""
    if isinstance(after, int):
        return tomlkit.aot() if depth == 1 and path[0] != "when" else tomlkit.array()
    return tomlkit.table() if depth == 0 and after not in LANGUAGES else tomlkit.inline_table()


def _remove(doc: Any, path: Path) -> None:
    """Take a value out, and the tables around it that are empty then; effects stay."""
    chain = [doc]
    for part in path[:-1]:
        chain.append(chain[-1][part])
    for here, part in zip(reversed(chain), reversed(path), strict=True):
        if isinstance(here, str):
            continue
        del here[part]
        if len(here) or here is chain[0]:
            return
