"""Columns by name: cells to typed records, records against rows of the database, and back to cells.

Shared by products and customers, which only say what their columns are. A column the file does not have is
left alone; an empty cell empties the value.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storefront.transfer import sheet
from storefront.transfer.cells import CP932_TWINS, CellError, Parser, plain
from storefront.transfer.records import (
    CHANGED,
    NEW,
    SAME,
    Change,
    FieldChange,
    Limits,
    Record,
    RowError,
    Rows,
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its cell is read, and how its value is taken from and put on a row of the database.

    `empty` is what an empty cell means; with `keeps` it means that the value stays as it is.
    """

    name: str
    parse: Parser
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], None]
    required: bool = False
    empty: Any = None
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: columns, key, columns it accepts and ignores, and a family such as attributes.*"""

    name: str
    key: str
    columns: Mapping[str, Column]
    ignored: frozenset[str] = frozenset()
    family: Callable[[str], Column | None] = lambda name: None


def plain_column(name: str, parse: Parser, attribute: str | None = None, **more: Any) -> Column:
    """A column that is one attribute of the row."""
    field = attribute or name
    return Column(
        name, parse, lambda row: getattr(row, field), lambda row, value: setattr(row, field, value), **more
    )


def text_column(name: str, parse: Parser, attribute: str, language: str) -> Column:
    """One language of a {ja, en} text. The table is replaced, never changed in place, so that it is saved."""

    def put(row: Any, value: Any) -> None:
        texts = {key: text for key, text in (getattr(row, attribute) or {}).items() if key != language}
        if value:
            texts[language] = value
        setattr(row, attribute, texts or None)

    return Column(name, parse, lambda row: (getattr(row, attribute) or {}).get(language), put)


def read(data: bytes, kind: Kind, limits: Limits) -> Rows:
    """Every row typed, every fault of a cell named. What rows mean together is for the caller."""
    table = sheet.parse(data, limits)
    errors = list(table.errors)
    columns = _columns(table.header, kind, errors) if table.header else []
    records: list[Record] = []
    first: dict[Any, int] = {}
    broken = {error.line for error in errors}
    if any(error.line == 1 for error in errors):
        return Rows(kind.name, table.header, (), tuple(errors), table.encoding)
    for line, row in table.rows:
        if line in broken:
            continue
        if len(errors) >= limits.errors:
            errors.append(RowError(line, None, "more_errors"))
            break
        before = len(errors)
        values = _record(line, row, columns, errors)
        key = values.get(kind.key)
        if key is not None and key in first:
            errors.append(RowError(line, kind.key, "repeated", {"value": key, "first": first[key]}))
        first.setdefault(key, line)
        if len(errors) == before:
            records.append(Record(line, values))
    ignored = tuple(name for name in table.header if name in kind.ignored)
    names = tuple(column.name for column in columns if column is not None)
    return Rows(
        kind.name,
        names,
        tuple(records),
        tuple(sorted(errors, key=lambda one: one.line)),
        table.encoding,
        ignored,
    )


def _columns(header: Sequence[str], kind: Kind, errors: list[RowError]) -> list[Column | None]:
    """The column of each heading; None for those that are ignored."""
    found: list[Column | None] = []
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        errors.append(RowError(1, None, "separator"))
        return found
    known = [*kind.columns, *sorted(kind.ignored)]
    for place, name in enumerate(header):
        column = kind.columns.get(name) or kind.family(name)
        if column is None and name not in kind.ignored:
            near = difflib.get_close_matches(name, known, 1)
            problem = "unknown_column_near" if near else "unknown_column"
            values = {"value": name, "near": near[0] if near else "", "allowed": ", ".join(kind.columns)}
            errors.append(RowError(1, name or None, problem, values))
        elif name in header[:place]:
            errors.append(RowError(1, name, "column_twice", {"value": name}))
        found.append(column)
    if kind.key not in header:
        errors.append(RowError(1, None, "key_missing", {"column": kind.key}))
    return found


def _record(
    line: int, row: Sequence[str], columns: Sequence[Column | None], errors: list[RowError]
) -> dict[str, Any]:
    """The typed values of a row; cells that are wrong are left out and noted."""
    values: dict[str, Any] = {}
    for column, cell in zip(columns, row, strict=True):
        if column is None:
            continue
        if not cell.strip():
            if column.required:
                errors.append(RowError(line, column.name, "required"))
            elif not column.keeps:
                values[column.name] = column.empty
            continue
        try:
            values[column.name] = column.parse(cell)
        except CellError as fault:
            errors.append(RowError(line, column.name, fault.problem, fault.values))
    return values


def column_of(kind: Kind, name: str) -> Column:
    """The column of that name, of the family when it is no fixed one."""
    column = kind.columns.get(name) or kind.family(name)
    if column is None:
        raise KeyError(name)
    return column


def compare(record: Record, row: Any, kind: Kind, encoding: str) -> Change:
    """What a record would change on a row, or what a new row would hold (`row` is None)."""
    parts = []
    for name, new in record.values.items():
        if name == kind.key:
            continue
        old = column_of(kind, name).get(row) if row is not None else None
        if not is_same(old, new, encoding):
            parts.append(FieldChange(name, plain(old), plain(new)))
    state = NEW if row is None else CHANGED if parts else SAME
    return Change(record.line, str(record.values[kind.key]), state, tuple(parts))


def is_same(old: Any, new: Any, encoding: str) -> bool:
    """Equal as values. A file in CP932 cannot tell a wave dash from a tilde, so neither is a change."""
    if old in (None, "", [], ()) or new in (None, "", [], ()):
        return (old in (None, "", [], (), False)) and (new in (None, "", [], (), False))
    if encoding == "cp932" and isinstance(old, str) and isinstance(new, str):
        return old == new or old.translate(CP932_TWINS) == new
    return bool(list(old) == list(new) if isinstance(old, list | tuple) else old == new)


def put(record: Record, change: Change, row: Any, kind: Kind) -> None:
    """Write what the change names on the row, and nothing else."""
    for part in change.fields:
        column_of(kind, part.column).set(row, record.values[part.column])


def table(rows: Iterable[Any], names: Sequence[str], kind: Kind) -> Iterable[list[str]]:
    """The cells of each row, column by column."""
    chosen = [column_of(kind, name) for name in names]
    for row in rows:
        yield [plain(column.get(row)) for column in chosen]
