"""What an import is made of: rows read, errors with line and column, and the plan of what would change.

Records only. They know no file, no database and no language; messages.py turns an error into a sentence.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NEW, CHANGED, SAME, REMOVED = "new", "changed", "same", "removed"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file: bytes, rows without the header, characters of one cell, errors that are listed."""

    size: int = 50_000_000
    rows: int = 200_000
    cell: int = 20_000
    errors: int = 200


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the shop allows in a cell: its currency (ISO 4217) and its tax categories."""

    currency: str = "JPY"
    tax_categories: tuple[str, ...] = ("standard", "reduced", "exempt")


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong. `line` is the line of the file where the row begins, the header being line 1.

    `problem` is a key of messages.SENTENCES and `values` fill its placeholders; `column` is None when the
    whole row or file is meant.
    """

    line: int
    column: str | None
    problem: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One row: typed values by column name, only of the columns the file has. None is an empty cell."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A file as read. With errors it can be looked at, never applied. `ignored` are columns that are computed."""

    kind: str
    columns: tuple[str, ...]
    records: tuple[Record, ...]
    errors: tuple[RowError, ...]
    encoding: str = "utf-8"
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldChange:
    column: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one row would do; `fields` name old and new as a person reads them.

    state is new, changed or same, and of price tables, which are replaced whole, also removed.
    """

    line: int
    key: str
    state: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying would do. Any error means that nothing may be written."""

    kind: str
    rows: Rows
    changes: tuple[Change, ...]
    errors: tuple[RowError, ...]
    notices: tuple[RowError, ...] = ()

    @property
    def is_ok(self) -> bool:
        return not self.errors

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are new, changed, same and removed."""
        counts = {NEW: 0, CHANGED: 0, SAME: 0, REMOVED: 0}
        for change in self.changes:
            counts[change.state] += 1
        return counts

    @property
    def fingerprint(self) -> str:
        """Names exactly this set of changes, so that what was shown is what is applied."""
        shown = [
            [change.key, change.state, [[part.column, part.old, part.new] for part in change.fields]]
            for change in self.changes
            if change.state != SAME
        ]
        return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()


class PlanRefusedError(ValueError):
    """apply was called with a plan that has errors, or whose rows no longer meet the same shop."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            f"{len(plan.errors)} errors, the first in line {plan.errors[0].line if plan.errors else 0}"
        )
        self.plan = plan
