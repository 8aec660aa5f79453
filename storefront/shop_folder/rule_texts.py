"""Works on the text of a rule file: the obvious correction, dates and mode, what differs, the lines around a mistake.

Texts in, texts out: no file, no database, no page. What it cannot do it leaves to the person who types.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rules import Finding

_NEAREST = re.compile(r'Did you mean "([^"\n]+)"\?')
_QUOTED = re.compile(r'"([^"\n]+)"')
_PHRASE = re.compile(r"[^、。「」()\s]+[、。「」()\s]*|[、。「」()\s]+")
_LONGEST = 100_000  # characters that tomlkit, which keeps comments, reads while somebody waits
MODES = ("live", "shadow", "off")


@dataclass(frozen=True)
class Correction:
    """One word of one line that should be another."""

    line: int
    wrong: str
    right: str

    @property
    def value(self) -> str:
        """As the value of a button; read back by correction_of."""
        return f"{self.line}:{self.wrong}:{self.right}"


def correction_of(value: str) -> Correction | None:
    """What a button said; None when it makes no sense."""
    line, _colon, words = value.partition(":")
    wrong, _colon, right = words.partition(":")
    if not (line.isascii() and line.isdigit() and len(line) < 7 and wrong and right):
        return None
    return Correction(int(line), wrong, right)


def correction_for(text: str, found: Finding) -> Correction | None:
    """The nearest right word in place of the wrong one, when it stands exactly once on the line."""
    nearest = _NEAREST.search(found.hint)
    lines = text.split("\n")
    if nearest is None or not 1 <= found.line <= len(lines):
        return None
    line = lines[found.line - 1]
    wrongs = _QUOTED.findall(found.message) or line.split()[-1:]
    for wrong in wrongs:
        if len(_places(line, wrong)) == 1 and wrong != nearest[1] and ":" not in wrong:
            return Correction(found.line, wrong, nearest[1])
    return None


def corrected(text: str, correction: Correction) -> str:
    """The text with the correction made; as it was where the word is not there exactly once."""
    lines = text.split("\n")
    if not 1 <= correction.line <= len(lines):
        return text
    line = lines[correction.line - 1]
    places = _places(line, correction.wrong)
    if len(places) == 1:
        start = places[0]
        lines[correction.line - 1] = line[:start] + correction.right + line[start + len(correction.wrong) :]
    return "\n".join(lines)


def _places(line: str, word: str) -> list[int]:
    """Where the word stands by itself on the line."""
    whole = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
    return [match.start() for match in re.finditer(whole, line)]


@dataclass(frozen=True)
class Excerpt:
    """One line beside a mistake, cut where the faulty word stands; `wrong` is "" on the lines around it."""

    number: int
    before: str
    wrong: str = ""
    after: str = ""


def excerpt(text: str, line: int, word: str = "", around: int = 1) -> tuple[Excerpt, ...]:
    """The faulty line with its neighbours; the word, or the whole line, stands apart to be marked."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return ()
    shown = []
    for number in range(max(line - around, 1), min(line + around, len(lines)) + 1):
        there = lines[number - 1][:300]
        if number != line:
            shown.append(Excerpt(number, there))
        elif word and word in there:
            before, wrong, after = there.partition(word)
            shown.append(Excerpt(number, before, wrong, after))
        else:
            shown.append(Excerpt(number, "", there or " "))
    return tuple(shown)


def faulty_word(text: str, found: Finding) -> str:
    """The word of the line that the message quotes, or ""."""
    lines = text.split("\n")
    line = lines[found.line - 1] if 1 <= found.line <= len(lines) else ""
    return next((word for word in _QUOTED.findall(found.message) if word in line), "")


@dataclass(frozen=True)
class Head:
    """What the controls beside a file show of it: its first day and its mode."""

    from_on: str = ""
    mode: str = "live"


def head_of(text: str) -> Head | None:
    """None when the text is no TOML."""
    document = _parsed(text)
    if document is None:
        return None
    first, mode = document.get("from"), document.get("mode", "live")
    shown = first.isoformat() if isinstance(first, date) and not isinstance(first, datetime) else ""
    return Head(shown, str(mode))


def with_head(text: str, *, from_on: str | None = None, mode: str | None = None) -> str | None:
    """The text with another first day ("" takes it away) or mode; comments and order stay. None: no TOML, no date."""
    document = _parsed(text)
    if document is None:
        return None
    try:
        if from_on:
            _put(document, "from", date.fromisoformat(from_on), ("because", "name", "code"))
        elif from_on is not None:
            document.pop("from", None)
        if mode is not None and mode != str(document.get("mode", "live")):
            _put(document, "mode", mode, ("until", "from", "because", "name", "code"))
        return tomlkit.dumps(document)
    except (ValueError, TOMLKitError):
        return None


def _parsed(text: str) -> tomlkit.TOMLDocument | None:
    if len(text) > _LONGEST:
        return None
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
        return None


def _put(document: tomlkit.TOMLDocument, key: str, value: Any, after: Sequence[str]) -> None:
    """Change the value where it stands, or add a line behind the first of `after` that is there."""
    if key in document:
        document[key] = value
        return
    behind = next((name for name in after if name in document), None)
    if behind is None:
        document.add(key, value)
    else:
        document._insert_after(behind, key, value)


@dataclass(frozen=True)
class Difference:
    """One line of a difference: `kind` is same, added, removed or gap."""

    kind: str
    text: str


def difference(old: str, new: str, around: int = 2) -> tuple[Difference, ...]:
    """What was taken away and what was added, with the lines around; empty when nothing differs."""
    return tuple(_difference(old, new, around))


def _difference(old: str, new: str, around: int) -> Iterator[Difference]:
    kinds = {"+": "added", "-": "removed", " ": "same"}
    told = difflib.unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=around)
    for place, line in enumerate(told):
        if place < 2:
            continue  # the names of the files
        if line.startswith("@@"):
            if place > 2:
                yield Difference("gap", "…")
        else:
            yield Difference(kinds[line[0]], line[1:])


def marked(old: str, new: str) -> tuple[tuple[str, bool], ...]:
    """A sentence in pieces, each with whether the older sentence did not say it."""
    before, after = _PHRASE.findall(old), _PHRASE.findall(new)
    parts: list[tuple[str, bool]] = []
    for word, _i1, _i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if piece := "".join(after[j1:j2]):
            parts.append((piece, word != "equal" and bool(old)))
    return tuple(parts)
