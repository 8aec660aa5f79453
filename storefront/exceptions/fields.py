"""The form of an exception: made of the keys of the rule's own effect table, so that only what may change is offered.

Values are read here; whether they make sense together is the rules' own check, asked before anything is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from rules import Rule
from rules.keys import KEY_TYPES, TABLES, Key
from rules.ruleset import GROUPS
from storefront.exceptions.words import allowed_word, words
from storefront.language import _, language

NUMBERS = frozenset(
    (
        "whole", "count", "price", "amount", "positive_amount", "signed_amount", "factor", "percent", "percent_100",
        "percent_signed", "positive",
    )
)  # fmt: skip
WHOLE = frozenset(("whole", "count"))
LISTS = frozenset(("wholes", "names"))
OFFERED = NUMBERS | LISTS | {"choice", "true", "false"}
_FIXED = frozenset(("lane", "tiers"))  # an exception keeps the lane of its rule


@dataclass(frozen=True, slots=True)
class Field:
    """One key that may change: `now` is what the rule says, `options` the allowed words of a choice."""

    key: str
    type: str
    word: str
    hint: str
    now: str
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the form."""
        return f"change-{self.key}"


def fields_of(rule: Rule) -> list[Field]:
    """The keys of the rule's table that a form can change; tables within it are changed in the file."""
    table = GROUPS[rule.group]
    ja = language() == "ja"
    return [
        Field(
            key.name,
            key.type,
            key.ja if ja else key.en[:1].upper() + key.en[1:],
            "" if key.type in ("choice", "true", "false") else KEY_TYPES[key.type][1 if ja else 0],
            _now(rule, key),
            _options(key),
        )
        for key in TABLES[table].values()
        if key.type in OFFERED and key.name not in _FIXED
    ]


def _options(key: Key) -> tuple[str, ...]:
    return {"true": ("true",), "false": ("false",)}.get(key.type, key.values)


def _now(rule: Rule, key: Key) -> str:
    value = rule.raw.get(key.name)
    if value is None:
        return ""
    if key.type == "choice":
        return allowed_word(str(value))[1]
    return words(tuple(value) if isinstance(value, list) else value)


def read_change(rule: Rule, posted: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The [change] of a posted form, and a sentence for each field that is no value of its type."""
    change: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields_of(rule):
        typed = unicodedata.normalize("NFKC", posted.get(field.name, ""))[:500].strip()
        if not typed:
            continue
        value = _value(field, typed)
        if value is None:
            errors[field.name] = _refusal(field)
        else:
            change[field.key] = value
    return change, errors


def _value(field: Field, typed: str) -> Any:
    """What was typed as a value of the field's type; None when it is none."""
    if field.type in NUMBERS:
        return _number(typed, is_whole=field.type in WHOLE)
    if field.type == "wholes":
        found = [_number(part, is_whole=True) for part in re.split(r"[\s,、;]+", typed) if part]
        return None if None in found else found
    if field.type == "names":
        return [part for part in re.split(r"[\s,、;]+", typed) if part]
    if typed not in field.options:
        return None
    return {"true": True, "false": False}.get(typed, typed) if field.type != "choice" else typed


def _number(typed: str, *, is_whole: bool) -> int | Decimal | None:
    plain = typed.replace(",", "").replace("−", "-")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", plain):
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    if number == number.to_integral_value():
        return int(number)
    return None if is_whole else number


def _refusal(field: Field) -> str:
    if field.type in WHOLE or field.type == "wholes":
        return _("Enter whole numbers, like 30.")
    if field.type in NUMBERS:
        return _("Enter a number, like 1,200 or 0.65.")
    return _("Choose one of: %(options)s.", options=", ".join(field.options))
