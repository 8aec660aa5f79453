"""Forms of the desk are made of the same columns as the CSV files, so that both refuse the same things.

A form shows what was typed again; only what differs is written, with its audit entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storefront.language import _
from storefront.transfer import messages
from storefront.transfer.cells import CellError, control_character, plain
from storefront.transfer.columns import Kind, column_of
from storefront.transfer.records import Change, Record, RowError


@dataclass
class Filled:
    """A form as posted: what was typed, the values understood, and a sentence for each field that was not."""

    typed: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """For the list on top of the form: field and sentence."""
        return list(self.errors.items())

    def record(self, key: str, name: str) -> Record:
        """The values as the record of a file would be."""
        return Record(0, {key: name, **self.values})

    def refuse(self, errors: Iterable[RowError], first: str) -> None:
        """Add what is wrong with the row as a whole; a fault without a field stands at `first`."""
        for error in errors:
            self.errors.setdefault(error.column or first, messages.say(error))


def read(kind: Kind, names: Sequence[str], posted: Mapping[str, str]) -> Filled:
    """The fields `names` of a posted form, read as the cells of those columns."""
    filled = Filled()
    for name in names:
        column = column_of(kind, name)
        cell = posted.get(name, "")
        filled.typed[name] = "".join(one for one in cell if not control_character(one))
        control = control_character(cell)
        try:
            if control:
                raise CellError("control", character=control)
            if len(cell) > 20_000:
                raise CellError("too_long", have=len(cell), limit=20_000)
            if cell.strip():
                filled.values[name] = column.parse(cell)
            elif column.required:
                raise CellError("required")
            elif not column.keeps:
                filled.values[name] = column.empty
        except CellError as fault:
            filled.errors[name] = messages.say(RowError(0, name, fault.problem, fault.values))
    return filled


def shown(kind: Kind, names: Sequence[str], row: Any) -> dict[str, str]:
    """The fields of a form as they stand on a row."""
    return {name: plain(column_of(kind, name).get(row)) for name in names}


def seal(kind: Kind, names: Sequence[str], row: Any) -> str:
    """Names exactly what a form was filled from, to notice a change by somebody else in between."""
    content = "\0".join(f"{name}={value}" for name, value in sorted(shown(kind, names, row).items()))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def changed_meanwhile() -> str:
    """What to say when the seal does not fit."""
    return _("Somebody else has changed this in the meantime. Compare, and save again if yours is right.")


def before_and_after(change: Change) -> tuple[dict[str, str], dict[str, str]]:
    """What the audit keeps of a change."""
    return {part.column: part.old for part in change.fields}, {
        part.column: part.new for part in change.fields
    }
