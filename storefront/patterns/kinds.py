"""What a pattern is: fields that each name a place of the rule file, fixed values, and the cases that show it.

The bounds of a field are those of its place, in rules/keys.py and rules/vocabulary.py. No Flask, no database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.conditions import read_line
from rules.facts import MAX_QUANTITY
from rules.keys import KEY_TYPES, TABLES, Key
from rules.money import CURRENCIES
from rules.report import Report, Source
from rules.ruleset import GROUPS
from rules.values import read_table
from rules.vocabulary import FACTS, TYPES, Fact

Path = tuple[str | int, ...]
Values = dict[str, Any]
LANGUAGES = ("ja", "en")

_LONGEST = 300
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.A)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?", re.A)
_TIME = re.compile(r"\d{1,2}:\d{2}", re.A)


@dataclass(frozen=True, slots=True)
class Said:
    """A text in both languages."""

    ja: str
    en: str

    def in_(self, language: str) -> str:
        return self.ja if language == "ja" else self.en

    def format(self, **values: object) -> Said:
        return Said(self.ja.format(**values), self.en.format(**values))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was typed: the field (rows: NAME.PLACE.COLUMN) and a sentence."""

    field: str
    said: Said


class PatternError(ValueError):
    """The values make no rule; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.said.en}" for one in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `at` is its place in the file; `many` takes several values, a list in the file.

    `kind` says how it is asked: pieces, money, number, percent, sku, category, customer, group, date, time, text,
    method, choice or rows (then `columns` are the fields of one row, `at` of each inside the row).
    """

    name: str
    kind: str
    at: Path
    label: Said
    help: Said | None = None
    required: bool = False
    many: bool = False
    default: Any = None
    least: int | None = None  # where the pattern needs more than its place does
    above_zero: bool = False  # where 0 would say nothing
    choices: tuple[tuple[str, Said], ...] = ()
    columns: tuple[Field, ...] = ()
    one_of: str = ""  # exactly one of the fields with the same word is filled in; "fee:from" only beside from
    only_with: str = ""  # asked for only beside that field

    @property
    def fact(self) -> Fact | None:
        """The fact whose condition this is, when it stands in [when]."""
        if self.at[0] != "when":
            return None
        return next((FACTS[str(part)] for part in self.at[1:] if part in FACTS), None)

    @property
    def key(self) -> Key | None:
        """The key of the file; None for conditions."""
        return None if self.at[0] == "when" else key_at(self.at)

    def bound(self, currency: str = "JPY") -> Said:
        """What is allowed here, as rules/keys.py or the vocabulary has it."""
        if self.least is not None:
            return Said(f"{self.least}以上の整数", f"a whole number from {self.least}")
        fact, key = self.fact, self.key
        if key is not None and key.values:
            words = ", ".join(key.values)
            return Said(f"{words} のどれか", f"one of {words}")
        kind = KEY_TYPES[key.type] if key is not None else TYPES[fact.type] if fact else KEY_TYPES["text"]
        said = Said(kind[1], kind[0])
        if self.above_zero:
            ja, en = said.ja.replace("(0以上)", "").replace("0以上、", ""), said.en.replace(", 0 or more", "")
            said = Said(f"0より大きい{ja}", f"{en}, above 0")
        if self.kind in ("pieces", "count"):
            return Said(f"{said.ja}、{MAX_QUANTITY:,}まで", f"{said.en} to {MAX_QUANTITY:,}")
        if self.kind == "money" and self.is_amount:
            digits = CURRENCIES[currency]
            return Said(f"{said.ja}、小数は{digits}桁まで", f"{said.en}, with at most {digits} decimals")
        return said

    @property
    def is_amount(self) -> bool:
        """An amount has the currency's decimals, a unit price may have more."""
        key, fact = self.key, self.fact
        return (key is not None and "amount" in key.type) or (fact is not None and fact.type == "money")


def key_at(at: Path) -> Key | None:
    """The key of rules/keys.py that stands at a place of a rule file; None when there is none."""
    table, found = "", None
    for part in at:
        if isinstance(part, int):
            continue
        found = TABLES.get(table, {}).get(part)
        table = found.of if found is not None and found.of else f"{table}.{part}" if table else part
    return found


def table_of(at: Path) -> str:
    """The name in rules/keys.py of the table that holds the place."""
    words = [part for part in at[:-1] if isinstance(part, str)]
    return ".".join(words)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that makes the pattern what it is; with `only_with`, written only when that field is filled in."""

    at: Path
    value: Any
    only_with: str = ""
    comment: Said | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A case to be: a cart, and what must hold of the decision. SEEN in it is filled in from the decision."""

    name: Said
    cart: Mapping[str, Any]
    expect: Mapping[str, Any]


SEEN = object()


def shows(ja: str, en: str, cart: Mapping[str, Any], **expect: Any) -> Probe:
    """A case that is to be named so and to come out so."""
    return Probe(Said(ja, en), cart, expect)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of rule that a form can write. `probes(values, scene)` are its cases, `faults(values)` what is odd."""

    id: str
    group: str
    title: Said
    about: Said
    example: Said
    name: Callable[[Values], Said]
    fields: tuple[Field, ...]
    probes: Callable[[Values, Any], Sequence[Probe]]
    fixed: tuple[Fixed, ...] = ()
    accepts: Callable[[Values], bool] = field(default=lambda values: False)  # price-cliff is meant
    faults: Callable[[Values], Sequence[Fault]] = field(default=lambda values: ())

    @property
    def effect(self) -> str:
        return GROUPS[self.group]

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


# reading what was typed


def read_values(
    pattern: Pattern, raw: Mapping[str, Any], currency: str = "JPY", *, defaults: bool = True
) -> tuple[Values, tuple[Fault, ...]]:
    """The values of a pattern from what was typed or given, and every fault. Absent and empty are left out.

    `defaults` fills what a new rule has where nothing was said.
    """
    values: Values = {}
    faults: list[Fault] = []
    known = {one.name for one in pattern.fields}
    for word in raw:
        if word not in known:
            faults.append(
                Fault(word, Said(f"「{word}」という欄はありません。", f"There is no field {word}."))
            )
    for one in pattern.fields:
        if one.only_with and one.only_with not in values:
            continue  # it says nothing without the other
        value = _read(one, raw.get(one.name), currency, one.name, faults)
        if value is None and defaults and one.default is not None and raw.get(one.name) in (None, ""):
            value = one.default
        if value is not None:
            values[one.name] = value
        elif one.required and not any(fault.field.split(".")[0] == one.name for fault in faults):
            faults.append(
                Fault(one.name, Said(f"{one.label.ja}を入れてください。", f"Fill in: {one.label.en}."))
            )
    if not faults:
        faults += _choice_faults(pattern, values)
    if not faults:
        faults += pattern.faults(values)
    return values, tuple(faults)


def _choice_faults(pattern: Pattern, values: Values) -> list[Fault]:
    """Of fields that exclude each other exactly one is filled in, unless what they depend on is empty."""
    faults = []
    for word in dict.fromkeys(one.one_of for one in pattern.fields if one.one_of):
        group = [one for one in pattern.fields if one.one_of == word]
        given = [one for one in group if one.name in values]
        if len(given) == 1:
            continue
        needed_with = word.partition(":")[2]
        if not given and needed_with and needed_with not in values:
            continue
        at = given[1].name if len(given) > 1 else group[0].name
        faults.append(Fault(at, _only_one(group)))
    return faults


def _only_one(group: Sequence[Field]) -> Said:
    ja, en = "、".join(one.label.ja for one in group), ", ".join(one.label.en for one in group)
    return Said(f"{ja} のうち、一つだけを入れてください。", f"Fill in exactly one of: {en}.")


def _read(one: Field, raw: Any, currency: str, place: str, faults: list[Fault]) -> Any:
    """One value; None when absent or wrong, which is then among the faults."""
    if one.kind == "rows":
        return _rows(one, raw, currency, faults)
    if one.many:
        found = raw if isinstance(raw, list | tuple) else re.split(r"[,、\n]", str(raw or ""))
        texts = list(dict.fromkeys(clean(str(part)) for part in found if clean(str(part))))
        value: Any = texts if texts else None
        return value if value is None or _fits(one, value, currency, place, faults) else None
    if raw is None or (isinstance(raw, str) and not clean(raw)):
        return None
    value = typed(one, raw)
    if value is None:
        _refuse(one, raw, currency, place, faults)
        return None
    return value if _fits(one, value, currency, place, faults) else None


def _rows(one: Field, raw: Any, currency: str, faults: list[Fault]) -> list[Values] | None:
    rows: list[Values] = []
    for place, entry in enumerate(raw or ()):
        row: Values = {}
        for column in one.columns:
            value = _read(
                column, entry.get(column.name), currency, f"{one.name}.{place}.{column.name}", faults
            )
            if value is not None:
                row[column.name] = value
        if not row:
            continue  # an empty row of the form
        for column in one.columns:
            here = f"{one.name}.{place}.{column.name}"
            if column.required and column.name not in row and not any(f.field == here for f in faults):
                said = Said(f"{column.label.ja}を入れてください。", f"Fill in: {column.label.en}.")
                faults.append(Fault(here, said))
        kinds = [column for column in one.columns if column.one_of]
        told = any(fault.field.startswith(f"{one.name}.{place}.") for fault in faults)
        if kinds and not told and sum(column.name in row for column in kinds) != 1:
            faults.append(Fault(f"{one.name}.{place}.{kinds[0].name}", _only_one(kinds)))
        rows.append(row)
    return rows or None


def clean(text: str) -> str:
    """One line without control characters and outer blanks; every letter stays as it is."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()


def typed(one: Field, raw: Any) -> Any:
    """The value as its kind; None when the text cannot be one."""
    if not isinstance(raw, str):
        if one.kind == "date":
            return raw if type(raw) is date else None
        if one.kind in ("pieces", "count"):
            return raw if type(raw) is int else None
        if one.kind in ("money", "number", "percent"):
            return number(raw) if isinstance(raw, int | Decimal) and not isinstance(raw, bool) else None
        return None
    text = clean(raw)
    if one.kind in ("pieces", "count", "money", "number", "percent"):
        plain = unicodedata.normalize("NFKC", text).replace(",", "").strip("¥%円個 ").strip()
        if not _NUMBER.fullmatch(plain):
            return None
        value = number(Decimal(plain))
        return value if one.kind not in ("pieces", "count") or isinstance(value, int) else None
    if one.kind == "date":
        try:
            return date.fromisoformat(text) if _DATE.fullmatch(text) else None
        except ValueError:
            return None
    if one.kind == "time":
        plain = unicodedata.normalize("NFKC", text)
        return plain.rjust(5, "0") if _TIME.fullmatch(plain) else None
    return text if len(text) <= _LONGEST else None


def number(value: int | Decimal) -> int | Decimal:
    """A whole number as int, as it is written in a file."""
    try:
        return int(value) if value == int(value) else value
    except (InvalidOperation, OverflowError, ValueError):
        return value


def _fits(one: Field, value: Any, currency: str, place: str, faults: list[Fault]) -> bool:
    """Whether the rule reader itself takes the value at its place, and the pattern too."""
    report = Report()
    if one.fact is not None:
        source = Source(report, "", currency=currency, stage="credit")
        inner: Any = value
        for part in reversed(one.at[2:]):
            inner = {part: inner} if isinstance(part, str) and part not in FACTS else inner
        good = read_line(source, one.fact.name, inner, "when") is not None and not report.findings
    elif isinstance(one.at[-1], str) and one.at[-1] in LANGUAGES:
        read_table(Source(report, ""), "surcharge", {"label": {one.at[-1]: value}}, "")
        good = not report.findings
    else:
        source = Source(report, "", currency=currency)
        key = str(one.at[-1])
        read = read_table(source, table_of(one.at), {key: value}, "")
        good = read is not None and key in read
    if good and one.above_zero:
        good = value > 0
    if good and one.least is not None and not isinstance(value, str | list):
        good = value >= one.least
    if not good:
        _refuse(one, value, currency, place, faults)
    return good


def _refuse(one: Field, value: Any, currency: str, place: str, faults: list[Fault]) -> None:
    bound = one.bound(currency)
    shown = clean(str(value if not isinstance(value, list) else ", ".join(value)))[:40]
    faults.append(
        Fault(
            place,
            Said(
                f"{one.label.ja}:「{shown}」は使えません。入れられるのは {bound.ja} です。",
                f"{one.label.en}: “{shown}” cannot be used. Allowed is {bound.en}.",
            ),
        )
    )
