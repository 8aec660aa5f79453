"""Price tables: CSV files in the prices folder of a shop, in and out. An import replaces one file whole.

Never writes outside <shop>/prices, never a table that the rules refuse, and never half a file.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from rules import load_ruleset
from rules.catalog import Catalog
from rules.errors import Finding
from storefront import audit
from storefront.accounts import User
from storefront.transfer import sheet
from storefront.transfer.records import (
    CHANGED,
    NEW,
    REMOVED,
    SAME,
    Change,
    FieldChange,
    Limits,
    Plan,
    PlanRefusedError,
    Record,
    RowError,
    Rows,
)

FOLDER = "prices"
COLUMNS = (
    "customer", "group", "sku", "category", "from", "unit", "rate", "per", "valid_from", "valid_until", "currency",
)  # fmt: skip
KEY = ("customer", "group", "sku", "category", "from", "valid_from", "currency")
LIMITS = Limits(size=200_000_000, rows=2_000_000)  # rule-semantics 129
_NAME = re.compile(r"[\w][\w.-]{0,98}\.csv")


@dataclass(frozen=True, slots=True)
class TablePlan(Plan):
    """A plan that replaces `path` (relative to the shop folder), now with hash `base`, by `content`."""

    path: str = ""
    content: bytes = b""
    base: str | None = None


def names(folder: Path) -> list[str]:
    """The price tables of a shop folder, by name."""
    return sorted(
        file.name for file in (folder / FOLDER).glob("*.csv") if file.is_file() and _NAME.fullmatch(file.name)
    )


def file_of(folder: Path, name: str) -> Path | None:
    """Where the table of that name stands; None for a name that is not allowed or leads out of the folder."""
    if not _NAME.fullmatch(name):
        return None
    file = folder / FOLDER / name
    inside = (folder.resolve() / FOLDER) == file.resolve().parent
    return file if inside and not file.is_symlink() else None


def read(data: bytes, limits: Limits = LIMITS) -> Rows:
    """The rows of a table as texts. What the cells mean is checked by the rules themselves, in `plan`."""
    table = sheet.parse(data, limits)
    errors = list(table.errors)
    for place, name in enumerate(table.header):
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            values = {"value": name, "near": near[0] if near else "", "allowed": ", ".join(COLUMNS)}
            errors.append(
                RowError(1, name or None, "unknown_column_near" if near else "unknown_column", values)
            )
        elif name in table.header[:place]:
            errors.append(RowError(1, name, "column_twice", {"value": name}))
    records = tuple(
        Record(line, {name: cell.strip() for name, cell in zip(table.header, cells, strict=False)})
        for line, cells in table.rows
    )
    return Rows("price-table", table.header, records, tuple(errors), table.encoding)


def plan(folder: Path, name: str, rows: Rows, catalog: Catalog | None = None, **known: Any) -> TablePlan:
    """What replacing the table would change, and every reason why the rules would refuse it. Writes nothing.

    `catalog` and `known` are passed on to load_ruleset, which tries the whole shop folder with the new table.
    """
    path = f"{FOLDER}/{name}"
    errors = list(rows.errors)
    file = file_of(folder, name)
    if file is None:
        errors.append(RowError(1, None, "table_name", {"value": name}))
        return TablePlan("price-table", rows, (), tuple(errors), path=path)
    old_data = file.read_bytes() if file.is_file() else None
    content = _content(rows)
    if not errors:
        errors += _refusals(folder, path, content, rows, catalog, known)
    old = read(old_data).records if old_data is not None else ()
    base = None if old_data is None else hashlib.sha256(old_data).hexdigest()
    changes = tuple(_changes(old, rows.records))
    return TablePlan("price-table", rows, changes, tuple(errors), path=path, content=content, base=base)


def _content(rows: Rows) -> bytes:
    """The file as it will stand: UTF-8, one line per row, so that line n is record n - 2."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(
        [record.values.get(name, "").replace("\n", " ") for name in rows.columns] for record in rows.records
    )
    return out.getvalue().encode()


def _changes(old: Sequence[Record], new: Sequence[Record]) -> Iterable[Change]:
    """Rows by what they are for: new, with another price, the same, or gone."""
    before = {_key(record): record for record in old}
    for record in new:
        known = before.pop(_key(record), None)
        fields = tuple(_fields(known, record))
        state = NEW if known is None else CHANGED if fields else SAME
        yield Change(record.line, _title(record), state, fields)
    for gone in before.values():
        yield Change(gone.line, _title(gone), REMOVED)


def _key(record: Record) -> tuple[str, ...]:
    return tuple(record.values.get(name, "") for name in KEY)


def _title(record: Record) -> str:
    return " ".join(record.values[name] for name in KEY if record.values.get(name))


def _fields(old: Record | None, new: Record) -> Iterable[FieldChange]:
    for name in COLUMNS:
        before = old.values.get(name, "") if old is not None else ""
        after = new.values.get(name, "")
        if before != after and (old is None or name not in KEY):
            yield FieldChange(name, before, after)


def _refusals(
    folder: Path, path: str, content: bytes, rows: Rows, catalog: Catalog | None, known: Mapping[str, Any]
) -> Iterable[RowError]:
    """What the rules say against the shop folder with this table in it, beyond what they say already."""
    with tempfile.TemporaryDirectory(prefix="koguchi-") as place:
        trial = Path(place)
        _copy(folder, trial)
        today = {
            (found.file, found.check, found.message)
            for found in _errors(load_ruleset(trial, catalog, **known))
        }
        (trial / path).parent.mkdir(exist_ok=True)
        (trial / path).write_bytes(content)
        found = _errors(load_ruleset(trial, catalog, **known))
    for finding in found:
        if finding.file == path and finding.line > 1:
            index = finding.line - 2
            line = rows.records[index].line if index < len(rows.records) else finding.line
            yield RowError(line, None, "rule", _said(finding))
        elif finding.file == path or (finding.file, finding.check, finding.message) not in today:
            yield RowError(1, None, "rule", {"message": str(finding), "ja": finding.printed("ja")})


def _said(finding: Finding) -> dict[str, str]:
    """Message and hint, in English and Japanese: the page knows its reader, the reading of a file does not."""
    return {"message": " ".join(finding.said("en")).strip(), "ja": " ".join(finding.said("ja")).strip()}


def _errors(loaded: Any) -> list[Finding]:
    return [finding for finding in loaded.findings if finding.severity == "error"]


def _copy(folder: Path, trial: Path) -> None:
    """The parts of a shop folder that rules read."""
    for name in ("rules", "exceptions", FOLDER):
        if (folder / name).is_dir():
            shutil.copytree(folder / name, trial / name)
    for name in ("shop.toml", "products.csv", "customers.csv"):
        if (folder / name).is_file():
            shutil.copy2(folder / name, trial / name)


def apply(session: Session, plan: TablePlan, actor: User | None, folder: Path) -> dict[str, int]:
    """Replace the file at once (temp file, then rename) and write the audit entry in the caller's transaction.

    PlanRefusedError when the plan has errors or the file has changed since it was made.
    """
    file = file_of(folder, plan.path.removeprefix(f"{FOLDER}/"))
    if not plan.is_ok or file is None:
        raise PlanRefusedError(plan)
    base = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    if base != plan.base:
        raise PlanRefusedError(plan)
    counts = plan.counts
    if counts[NEW] or counts[CHANGED] or counts[REMOVED]:
        after = {"sha256": hashlib.sha256(plan.content).hexdigest(), **counts}
        audit.record(session, actor, "change", f"price_table:{plan.path}", {"sha256": base}, after)
        session.flush()
        replace_file(file, plan.content)
    return counts


def replace_file(file: Path, content: bytes, sync: Callable[[int], None] = os.fsync) -> None:
    """Write beside the file and rename: a reader sees the old table or the new one, never a part."""
    file.parent.mkdir(exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            sync(out.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def export(folder: Path, name: str, encoding: str = "utf-8") -> bytes | None:
    """The table as CSV with harmless cells; None when there is no such table."""
    file = file_of(folder, name)
    if file is None or not file.is_file():
        return None
    rows = read(file.read_bytes())
    return sheet.write(
        rows.columns, ([record.values.get(n, "") for n in rows.columns] for record in rows.records), encoding
    )
