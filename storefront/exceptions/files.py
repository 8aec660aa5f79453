"""The text of an exception file, and the name it gets. Nothing is written here; storefront.shop_folder.files writes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import tomlkit

from rules.money import plain

_ODD = re.compile(r"[^A-Za-z0-9-]+")
FOLDER = "exceptions"


@dataclass(frozen=True, slots=True)
class NewException:
    """What a file says. `change` holds keys of the rule's effect table; whole days, both included."""

    rule: str
    customer: str | None
    sku: str | None
    change: Mapping[str, Any]
    reason: str
    approved_by: str
    from_on: date
    until_on: date
    note: str = ""


def text_of(new: NewException) -> str:
    """The file, as an owner would write it by hand."""
    document = tomlkit.document()
    document.add("rule", _item(new.rule))
    for key, value in (
        ("customer", new.customer),
        ("sku", new.sku),
        ("reason", new.reason),
        ("approved_by", new.approved_by),
        ("note", new.note),
    ):
        if value:
            document.add(key, _item(value))
    document.add("from", _item(new.from_on))
    document.add("until", _item(new.until_on))
    change = tomlkit.table()
    for key, value in new.change.items():
        change.add(key, _item(value))
    document.add("change", change)
    return tomlkit.dumps(document)


def _item(value: Any) -> Any:
    """A value of TOML; a Decimal keeps its digits, a list of tables stands on one line."""
    if isinstance(value, Decimal):
        return tomlkit.value(plain(value))
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for key, part in value.items():
            inline.append(key, _item(part))
        return inline
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for part in value:
            array.append(_item(part))
        return array
    return tomlkit.item(value)


def path_of(rule: str, customer: str | None, on: date, taken: Collection[str]) -> str:
    """exceptions/QT12_NAKANO_2026-11-20.toml; with a number when that stands there already, whatever the case."""
    who = _ODD.sub("-", customer or "").strip("-")[:40] or "all"
    stem = f"{FOLDER}/{rule}_{who}_{on.isoformat()}"
    used = {path.lower() for path in taken}
    names = (f"{stem}.toml", *(f"{stem}-{number}.toml" for number in range(2, 1000)))
    return next(name for name in names if name.lower() not in used)


def with_from(text: str, from_on: date) -> str:
    """The same file with another first day, comments kept."""
    document = tomlkit.parse(text)
    if "from" in document:
        document["from"] = from_on
        return tomlkit.dumps(document)
    return f"from = {from_on.isoformat()}\n{text}"  # behind [change] it would belong to it


def change_of(text: str) -> dict[str, Any]:
    """The [change] of a file as plain values."""
    change: dict[str, Any] = tomlkit.parse(text).unwrap().get("change", {})
    return {key: Decimal(str(value)) if isinstance(value, float) else value for key, value in change.items()}


def with_until(text: str, until_on: date, note: str = "") -> str:
    """The same file with another last day, comments kept; `note` is added to the staff's note."""
    document = tomlkit.parse(text)
    document["until"] = until_on
    if note:
        before = str(document.get("note", ""))
        both = f"{before}\n{note}" if before else note
        if "note" in document:
            document["note"] = both
        else:
            # Behind [change] a plain key would belong to it; before `until` it stays on the top level.
            document = tomlkit.parse(f"note = {tomlkit.item(both).as_string()}\n{tomlkit.dumps(document)}")
    return tomlkit.dumps(document)
