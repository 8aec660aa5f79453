"""Reads tariffs: a TOML file, with its prices in it or in a CSV beside it, which may hold several dated ones.

Every fault is a ValueError with file:line and what is allowed, for the shop's owner.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plugins.shipping.tariff import Tariff

COLUMNS = ("zone", "size", "price_minor")
DATED = ("from", *COLUMNS)
LARGEST = 1_000_000  # bytes of a file
MOST = 10**12  # minor units of one price


def read_tariffs(path: Path) -> tuple[Tariff, ...]:
    """The tariffs of one file, by their first day. Raises ValueError or OSError."""
    text = _text(path)
    try:
        data: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        at = line.group(1) if line else len(text.splitlines())
        raise ValueError(f"{path.name}:{at}: {str(error).partition(' (at ')[0]}") from error
    if "table" not in data:
        return (_checked(path, text, data),)
    where = f"{path.name}:{line_of(text, ('table',))}: table"
    if "prices" in data:
        raise ValueError(f"{where}: the prices stand in this file and in {data['table']}; keep one of them")
    beside = (path.parent / str(data["table"])).resolve()
    if not beside.is_relative_to(path.parent.resolve()):
        raise ValueError(f"{where}: {data['table']} lies outside the folder of {path.name}")
    zones, sizes = _known(data)
    made_up = {size: dict.fromkeys(zones, 0) for size in sizes}  # so that this file is judged by itself first
    _checked(path, text, {"from": date.min} | data | {"prices": made_up})
    tables = _read_tables(beside, data, f"{path.name}:{line_of(text, ('from',))}")
    return tuple(
        _checked(path, text, data | {"from": table.start or data.get("from"), "prices": table.prices})
        for table in sorted(tables, key=lambda each: each.start or date.min)
    )


def _checked(path: Path, text: str, data: Mapping[str, Any]) -> Tariff:
    try:
        return Tariff.model_validate(data)
    except ValidationError as error:
        told = [
            f"{path.name}:{line_of(text, each['loc'])}: "
            f"{'.'.join(map(str, each['loc'])) or 'tariff'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError("; ".join(told[:5])) from error


def _text(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise ValueError(f"{path.name}:1: the file has more than {LARGEST:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path.name}:{line}: this line is not UTF-8") from error


# ---- the CSV


@dataclass
class _Table:
    """The prices of one date of a CSV, and the line on which they begin."""

    start: date | None
    line: int
    prices: dict[int, dict[str, int]] = field(default_factory=dict)


def _read_tables(path: Path, data: Mapping[str, Any], toml: str) -> list[_Table]:
    """The prices by their date, whole: every zone of every size. `toml` is where the TOML file says `from`."""
    zones, sizes = _known(data)
    tables: dict[date | None, _Table] = {}
    for line, row in _rows(path):
        where = f"{path.name}:{line}"
        start = _day(where, row["from"]) if "from" in row else None
        if start is not None and "from" in data:
            raise ValueError(f"{toml}: from stands here and in a column of {path.name}; keep one of them")
        size, price, zone = (
            _number(where, row["size"]),
            _number(where, row["price_minor"]),
            row["zone"].strip(),
        )
        if zones and zone not in zones:
            raise ValueError(f"{where}: {zone or 'an empty cell'} is no zone; zones are {', '.join(zones)}")
        if sizes and size not in sizes:
            raise ValueError(f"{where}: {size} is no size; sizes are {', '.join(map(str, sorted(sizes)))}")
        table = tables.setdefault(start, _Table(start, line))
        if zone in table.prices.setdefault(size, {}):
            since = f" from {start}" if start else ""
            raise ValueError(f"{where}: size {size} in zone {zone} is priced twice{since}")
        table.prices[size][zone] = price
    if not tables:
        raise ValueError(f"{path.name}:1: the file has no prices")
    for table in tables.values():
        for size in sorted(sizes):
            missing = [zone for zone in zones if zone not in table.prices.get(size, {})]
            if missing:
                since = f"from {table.start}: " if table.start else ""
                raise ValueError(
                    f"{path.name}:{table.line}: {since}no price for size {size} in zone {', '.join(missing)}"
                )
    return list(tables.values())


def _known(data: Mapping[str, Any]) -> tuple[list[str], set[int]]:
    """Zones and sizes as the TOML file names them; what is wrong with those is told when it is checked."""
    zones, sizes = data.get("zones"), data.get("sizes")
    named = (
        [each.get("sum_cm") for each in sizes if isinstance(each, dict)] if isinstance(sizes, list) else []
    )
    return list(zones) if isinstance(zones, dict) else [], {each for each in named if type(each) is int}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(_text(path).splitlines(), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) not in (sorted(COLUMNS), sorted(DATED)):
            raise ValueError(
                f"{path.name}:1: the columns are {', '.join(COLUMNS)}, and from where prices are dated"
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise ValueError(
                    f"{path.name}:{reader.line_num}: this row has {len(cells)} cells; the heading has {len(header)}"
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"{path.name}:{reader.line_num}: {error}") from error


def _number(where: str, written: str) -> int:
    plain = written.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 13 and int(plain) <= MOST):
        raise ValueError(
            f"{where}: size and price_minor are whole numbers, not below zero: {plain[:20] or 'empty'}"
        )
    return int(plain)


def _day(where: str, written: str) -> date:
    plain = written.strip()
    try:
        if len(plain) != 10:
            raise ValueError
        return date.fromisoformat(plain)
    except ValueError:
        raise ValueError(f"{where}: from is {plain[:20] or 'empty'}; write a date like 2026-12-01") from None


def line_of(text: str, path: tuple[int | str, ...]) -> int:
    """The line where a key stands, or as near as can be said: its table, its first part, the file."""
    words, best, deepest = [str(part) for part in path], 1, 0
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*(\[\[?)\s*([\w.\-\"]+)\s*\]", line)
        key = re.match(r"\s*([\w.\-\"]+)\s*=", line)
        if header:
            name = header.group(2).replace('"', "")
            table = name.split(".")
            if header.group(1) == "[[":
                table.append(str(seen.get(name, 0)))
                seen[name] = seen.get(name, 0) + 1
            here = table
        elif key:
            here = [*table, *key.group(1).replace('"', "").split(".")]
        else:
            continue
        common = min(len(here), len(words))
        if common > deepest and here[:common] == words[:common]:
            best, deepest = number, common
    return best
