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

from rules.report import Report
from rules.said import say
from rules.toml_faults import find_fault
from rules.toml_lines import Lines, too_deep

MOST_BYTES = 1_000_000
MOST_TABLE_BYTES = 200_000_000
MOST_LEVELS = 6


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
            said = say("folder.unreadable", folder=folder, reason=_reason(error))
            self.report.add("unreadable", folder, 1, said)
            return []
        if not self._is_inside(folder):
            self.report.add("outside-folder", folder, 1, say("folder.outside", path=folder))
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
            self.report.add("too-large", path, 1, say("folder.too-large", path=path, limit=limit))
            return None
        return content

    def _read_from_disk(self, path: str, limit: int) -> bytes | None:
        """One byte more than the limit at most."""
        target = self.root / path
        try:
            if os.path.islink(target) and not self._is_inside(path):
                self.report.add("outside-folder", path, 1, say("folder.link-outside", path=path))
                return None
            if not stat.S_ISREG(os.stat(target).st_mode):
                self.report.add("unreadable", path, 1, say("folder.not-a-file", path=path))
                return None
            with open(target, "rb") as file:
                return file.read(limit + 1)
        except (OSError, ValueError) as error:
            said = say("folder.cannot-read", path=path, reason=_reason(error))
            self.report.add("unreadable", path, 1, said)
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
            said = say("folder.not-utf8", byte=error.start + 1)
            self.report.add("not-utf8", path, line, said, say("folder.save-as-utf8"))
            return None
        if line := too_deep(text, MOST_LEVELS):
            self.report.add("too-deep", path, line, say("folder.too-deep", levels=MOST_LEVELS))
            return None
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            fault = find_fault(text, str(error))
            self.report.add("toml-syntax", path, fault.line, fault.said, fault.hint)
            return None
        except (ValueError, InvalidOperation, RecursionError):  # a number that no number type holds
            self.report.add("toml-syntax", path, 1, say("toml.too-large"))
            return None
        return TomlFile(path, content, data, Lines(text))


def _is_read(name: str) -> bool:
    """Whether a rule or exception file of that name is read (rule-semantics 6)."""
    return name.endswith(".toml") and name[0] not in "._"


def _reason(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
