"""What an exception changes, in words: each key of its rule that differs, with what it was and what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from rules import Rule, RuleException
from rules.keys import TABLES
from rules.ruleset import GROUPS, Effect, PriceEffect, SurchargeEffect
from storefront import format
from storefront.language import N_, _, language

STATES = {
    "current": ("ok", N_("In force")),
    "later": ("half", N_("Not yet in force")),
    "expired": ("none", N_("Expired")),
    "gone": ("block", N_("Its rule is gone")),
}
_KINDS = ("kind", "value", "table", "breaks", "lot")


@dataclass(frozen=True, slots=True)
class Change:
    """One key: its name in the file, its word, and what stands there without and with the exception."""

    key: str
    word: str
    before: str
    after: str


def state_of(exception: RuleException, on: date, rules: dict[str, Rule]) -> str:
    """A key of STATES."""
    if exception.rule not in rules:
        return "gone"
    if exception.until_on is not None and exception.until_on < on:
        return "expired"
    return "later" if exception.from_on is not None and exception.from_on > on else "current"


def changes_of(rule: Rule, exception: RuleException) -> list[Change]:
    """Every key in which the exception's effect differs from its rule's."""
    return list(_changes(GROUPS[rule.group], rule.effect, exception.effect))


def key_word(table: str, key: str) -> str:
    """最低数量, the least that can be ordered: the word of a key in the reader's language."""
    known = TABLES.get(table, {}).get(key)
    return key if known is None else known.ja if language() == "ja" else known.en


def _changes(table: str, before: Effect, after: Effect) -> Iterator[Change]:
    names = [one.name for one in fields(after)]
    if isinstance(after, PriceEffect | SurchargeEffect) or "kind" in names:
        if any(getattr(before, name, None) != getattr(after, name, None) for name in _KINDS if name in names):
            kind = getattr(after, "kind")  # noqa: B009  (only some effects have one)
            yield Change(kind, key_word(table, kind), _price_words(table, before), _price_words(table, after))
        names = [name for name in names if name not in _KINDS]
    for name in names:
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield Change(name, key_word(table, name), words(was), words(now))


def _price_words(table: str, effect: Any) -> str:
    """The kind that makes the figure, with its figure: unit price 120, factor of the list price 0.65."""
    word = key_word(table, effect.kind)
    if getattr(effect, "table", None) is not None:
        return f"{word} {effect.table.path}"
    if getattr(effect, "breaks", ()):
        told = ", ".join(
            f"{one.start:,}: {key_word('price.breaks', one.kind)} {words(one.value)}" for one in effect.breaks
        )
        return f"{word} ({told})"
    lot = f" / {effect.lot:,}" if getattr(effect, "lot", None) else ""
    return f"{word} {words(effect.value)}{lot}"


def words(value: Any) -> str:
    """A value of a key as text; what is absent is a dash."""
    if value is None or value == ():
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | Decimal):
        return format.number(value)
    if isinstance(value, tuple | list):
        return ", ".join(words(one) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        told = ((one.name, getattr(value, one.name)) for one in fields(value))
        return " ".join(f"{name} {words(part)}" for name, part in told if part is not None)
    return allowed_word(str(value))[1]


ALLOWED = {
    "block": N_("refuse"),
    "quotation": N_("ask for a quotation"),
    "approval": N_("ask us first"),
    "warn": N_("warn only"),
    "line": N_("by line"),
    "product": N_("by product"),
    "batch": N_("by batch"),
    "matching": N_("all lines of the rule"),
    "order": N_("the whole order"),
    "zero": N_("from zero"),
    "minimum": N_("from the minimum"),
    "login": N_("shown after sign-in"),
    "true": N_("yes"),
    "false": N_("no"),
}


def allowed_word(value: str) -> tuple[str, str]:
    """An allowed value of a key with its word, for a list of choices."""
    return value, _(ALLOWED[value]) if value in ALLOWED else value
