"""Change keys of one table in a TOML text and leave every other byte as it is. Pure: text in, text out.

The result is read again before it is returned: it holds what was asked for and nothing else has changed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

Path = tuple[str, ...]

_STRING = (
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5})?+' + r"|'''(?:[^']|'(?!''))*+(?:'{3,5})?+"
    r'|"(?:[^"\\\n]|\\.)*+"' + r"|'[^'\n]*+'"
)
_PART = r'(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\')'
_KEY = rf"{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+"
_END = r"[ \t]*+(?:\#[^\n]*+)?(?:\r?\n|\Z)"
_TRIVIA = re.compile(_END)
_HEADER = re.compile(rf"[ \t]*+\[\[?+[ \t]*+({_KEY})[ \t]*+\]\]?+{_END}")
_ASSIGNED = re.compile(rf"([ \t]*+)({_KEY})[ \t]*+=[ \t]*+")
_VALUE = re.compile(rf"(?:{_STRING})|[\[{{]|[\]}}]|\#[^\n]*+|\n|[^\n\[\]{{}}\"'#]++", re.S)


class TomlEditError(ValueError):
    """The text is no TOML, or the change cannot be made without touching something else."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A header or an assignment: its whole path, where it stands, and where its value does."""

    path: Path
    start: int
    end: int
    header: Path
    indent: str = ""
    key: str = ""  # as written, "" for a header
    value: tuple[int, int] = (0, 0)


def read(text: str, number: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    """The values of a text. Raises TomlEditError."""
    try:
        return tomllib.loads(text, parse_float=number)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TomlEditError(str(error)) from error


def with_keys(text: str, table: Sequence[str], changes: Mapping[str, str | None]) -> str:
    """The text with keys of [table] set to values written as TOML; None takes a key away. Raises TomlEditError."""
    table = tuple(table)
    wanted = _wanted(read(text, str), table, changes)
    tries = (_spliced, _by_tomlkit)  # inline tables and the like are rare; tomlkit knows them all
    for way in tries:
        try:
            made = way(text, table, changes)
            if read(made, str) == wanted:
                return made
        except (TomlEditError, TOMLKitError, ValueError, LookupError, TypeError, RecursionError):
            continue
    raise TomlEditError(f"[{'.'.join(table)}] is written in a way that cannot be changed here")


def _wanted(values: dict[str, Any], table: Path, changes: Mapping[str, str | None]) -> dict[str, Any]:
    place = values
    for part in table:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise TomlEditError(f"{part} is no table")
    for key, value in changes.items():
        if value is None:
            place.pop(key, None)
        else:
            place[key] = read(f"value = {value}", str)["value"]
    return values


def _spliced(text: str, table: Path, changes: Mapping[str, str | None]) -> str:
    for key, value in changes.items():
        lines = _lines(text)
        mine = [each for each in lines if each.path[: len(table)] == table]
        about = [each for each in mine if each.path[: len(table) + 1] == (*table, key)]
        if value is not None and len(about) == 1 and about[0].key and len(about[0].path) == len(table) + 1:
            start, end = about[0].value
            text = text[:start] + value + text[end:]
            continue
        for each in reversed(about):
            text = text[: each.start] + text[each.end :]
        if value is not None:
            text = _added(text, table, key, value)
    return text


def _added(text: str, table: Path, key: str, value: str) -> str:
    """A new line behind the last of the table's own ones, or a new table at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    name = tomlkit.key(key).as_string()
    lines = [each for each in _lines(text) if each.path[: len(table)] == table]
    own = [each for each in lines if each.path == table and not each.key]
    assigned = [each for each in lines if each.key and len(each.header) <= len(table)]
    header = f"[{tomlkit.key(list(table)).as_string()}]"
    if assigned:
        last = assigned[-1]
        written = last.indent + _prefix(last, table) + name
    elif own:
        last, written = own[0], name
    elif lines:  # only tables below it
        place = lines[0].start
        return f"{text[:place]}{header}{newline}{name} = {value}{newline}{newline}{text[place:]}"
    else:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        return f"{text}{gap}{header}{newline}{name} = {value}{newline}"
    before = text[: last.end]
    gap = "" if before.endswith("\n") else newline
    return f"{before}{gap}{written} = {value}{newline}{text[last.end :]}"


def _prefix(line: _Line, table: Path) -> str:
    """What stands before the key where the table is written with dots."""
    rest = table[len(line.header) :]
    return "".join(f"{tomlkit.key(part).as_string()}." for part in rest)


def _lines(text: str) -> list[_Line]:
    """Every header and assignment of the text in order. Raises TomlEditError where it can make nothing of it."""
    found: list[_Line] = []
    header: Path = ()
    place = 0
    while place < len(text):
        if (trivia := _TRIVIA.match(text, place)) is not None and trivia.end() > place:
            place = trivia.end()
        elif (head := _HEADER.match(text, place)) is not None:
            header = _parts(head[1])
            found.append(_Line(header, place, head.end(), header))
            place = head.end()
        elif (assigned := _ASSIGNED.match(text, place)) is not None:
            value_end, end = _ends(text, assigned.end())
            path = (*header, *_parts(assigned[2]))
            value = (assigned.end(), value_end)
            found.append(_Line(path, place, end, header, assigned[1], assigned[2], value))
            place = end
        else:
            raise TomlEditError("this cannot be read as TOML")
    return found


def _ends(text: str, place: int) -> tuple[int, int]:
    """Where a value ends, and where its line does."""
    depth, value_end = 0, place
    while place < len(text):
        token = _VALUE.match(text, place)
        if token is None:
            raise TomlEditError("this cannot be read as TOML")
        first = token[0][0]
        if depth == 0 and first in "#\n":
            break
        depth += (first in "[{") - (first in "]}")
        place = token.end()
        if first != "\n" and token[0].strip():
            value_end = token.start() + len(token[0].rstrip())
    rest = _TRIVIA.match(text, value_end)
    if rest is None:
        raise TomlEditError("this cannot be read as TOML")
    return value_end, rest.end()


def _parts(key: str) -> Path:
    place: Any = tomllib.loads(f"{key} = 0")
    parts: list[str] = []
    while isinstance(place, dict):
        name, place = next(iter(place.items()))
        parts.append(name)
    return tuple(parts)


def _by_tomlkit(text: str, table: Path, changes: Mapping[str, str | None]) -> str:
    document = tomlkit.parse(text)
    place: Any = document
    for part in table:
        if part not in place:
            is_inline = isinstance(place, tomlkit.items.InlineTable)
            place[part] = tomlkit.inline_table() if is_inline else tomlkit.table()
        place = place[part]
    for key, value in changes.items():
        if value is None:
            place.pop(key, None)
        else:
            place[key] = tomlkit.value(value)
    return tomlkit.dumps(document)
