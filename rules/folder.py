"""Opens files of a shop folder: only regular files inside it, only so large, only so deep, never an exception.

What cannot be read is a finding that says why; a reader never waits on a pipe or follows a link out of the shop.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rules.report import Report, nearest
from rules.toml_lines import Lines, too_deep

MOST_BYTES = 1_000_000
MOST_TABLE_BYTES = 200_000_000
MOST_LEVELS = 6
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(slots=True)
class TomlFile:
    path: str  # relative to the shop folder, with /
    content: bytes
    data: dict[str, Any]
    lines: Lines


@dataclass(slots=True)
class ShopFolder:
    """One shop folder that is being read. `overlay`: files as they would be, by path; None is a removed one."""

    root: Path
    report: Report
    overlay: Mapping[str, bytes | None] = field(default_factory=dict)

    def names(self, folder: str) -> list[str]:
        """The .toml files of a sub-folder, sorted; none when it does not exist (rule-semantics 6)."""
        found = set(self._names_on_disk(folder))
        for path, content in self.overlay.items():
            inside, _, name = path.rpartition("/")
            if inside == folder and _is_read(name):
                (found.discard if content is None else found.add)(name)
        return sorted(found)

    def _names_on_disk(self, folder: str) -> list[str]:
        try:
            with os.scandir(self.root / folder) as entries:
                found = [entry.name for entry in entries if _is_read(entry.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            self.report.add("unreadable", folder, 1, f"the folder {folder} cannot be read: {_reason(error)}.")
            return []
        if not self._is_inside(folder):
            self.report.add("outside-folder", folder, 1, f"{folder} leads outside the shop folder.")
            return []
        return found

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder, or would be."""
        return self.overlay[path] is not None if path in self.overlay else (self.root / path).exists()

    def _is_inside(self, path: str) -> bool:
        try:
            root = self.root.resolve()
            return (self.root / path).resolve().is_relative_to(root)
        except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL in the name
            return False

    def read(self, path: str, limit: int = MOST_BYTES) -> bytes | None:
        """The bytes of a file of this folder, or a finding and None."""
        content = self.overlay[path] if path in self.overlay else self._read_from_disk(path, limit)
        if content is not None and len(content) > limit:
            self.report.add("too-large", path, 1, f"{path} is larger than {limit:,} bytes.")
            return None
        return content

    def _read_from_disk(self, path: str, limit: int) -> bytes | None:
        """One byte more than the limit at most."""
        target = self.root / path
        try:
            if os.path.islink(target) and not self._is_inside(path):
                self.report.add(
                    "outside-folder", path, 1, f"{path} is a link that leads outside the shop folder."
                )
                return None
            if not stat.S_ISREG(os.stat(target).st_mode):
                self.report.add("unreadable", path, 1, f"{path} is not an ordinary file.")
                return None
            with open(target, "rb") as file:
                return file.read(limit + 1)
        except (OSError, ValueError) as error:
            self.report.add("unreadable", path, 1, f"{path} cannot be read: {_reason(error)}.")
            return None

    def table_path(self, text: str) -> str | None:
        """A table's path as written, made plain and relative; None when it would leave the folder."""
        if "\0" in text or text.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", text):
            return None
        parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
        if ".." in parts or not parts:
            return None
        path = "/".join(parts)
        return path if self._is_inside(path) or not self.exists(path) else None

    def toml(self, path: str) -> TomlFile | None:
        """A TOML file with decimals and line numbers, or findings and None."""
        content = self.read(path)
        if content is None:
            return None
        try:
            text = content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.report.add(
                "not-utf8", path, line, f"byte {error.start + 1} is not UTF-8.", "Save the file as UTF-8."
            )
            return None
        if line := too_deep(text, MOST_LEVELS):
            self.report.add("too-deep", path, line, f"nested more than {MOST_LEVELS} levels deep.")
            return None
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            self._syntax(path, text, str(error))
            return None
        except (ValueError, InvalidOperation, RecursionError):  # a number that no number type holds
            self.report.add("toml-syntax", path, 1, "a number or value is too large to be read.")
            return None
        return TomlFile(path, content, data, Lines(text))

    def _syntax(self, path: str, text: str, message: str) -> None:
        place = _PLACE.search(message)
        line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
        what = message[: place.start()] if place else message
        words = text.split("\n")[line - 1].split() if line <= text.count("\n") + 1 else []
        hint = ""
        if words and (words[-1] in ("True", "False", "yes", "no", "None", "null")):
            hint = nearest(words[-1], ("true", "false"))
        self.report.add("toml-syntax", path, line, f"{what}.", hint)


def _is_read(name: str) -> bool:
    """Whether a rule or exception file of that name is read (rule-semantics 6)."""
    return name.endswith(".toml") and name[0] not in "._"


def _reason(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
