"""Collects findings while files are read: where, what, what is allowed, and the nearest right word.

A Source is one file being read; a BadValue is one value refused. Nothing here decides, it only words.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rules.check_table import CHECKS
from rules.errors import Finding
from rules.said import Said, Sentence, joined, say

MOST_FINDINGS = 500  # errors of one load, and as many warnings; more would help nobody
_MANY_NAMES = 2_000  # beyond this, only names with the same beginning are compared


class BadValue(Exception):
    """One value is refused: the code of the check, a sentence, and what to do."""

    def __init__(self, check: str, said: Said, hint: Said | None = None) -> None:
        super().__init__(said)
        self.check, self.said, self.hint = check, said, hint


@dataclass(slots=True)
class Report:
    """All findings of one load, in the order in which they were met."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Said] = field(default_factory=list)  # checks that could not be made
    errors: int = 0
    warnings: int = 0
    accepted: dict[str, Collection[str]] = field(default_factory=dict)  # by rule: warnings that are meant
    silenced: set[tuple[str, str]] = field(default_factory=set)  # rule and warning, where that happened

    def add(
        self,
        check: str,
        file: str,
        line: int,
        said: Sentence,
        hint: Sentence | None = None,
        rule: str | None = None,
    ) -> None:
        severity = CHECKS[check].severity
        if severity == "warning" and rule is not None and check in self.accepted.get(rule, ()):
            self.silenced.add((rule, check))
            return
        if severity == "error":
            self.errors += 1
            is_kept = self.errors <= MOST_FINDINGS
        else:
            self.warnings += 1
            is_kept = self.warnings <= MOST_FINDINGS
        if is_kept:
            self.findings.append(Finding(file, line, check, rule, severity, said, hint))

    @property
    def is_full(self) -> bool:
        return self.errors >= MOST_FINDINGS


@dataclass(slots=True)
class Source:
    """One file while it is read: says where a key path stands. `lines` may be empty (carts, tests)."""

    report: Report
    file: str
    lines: Mapping[str, int] = field(default_factory=dict)
    rule: str | None = None
    currency: str | None = None  # of [policy]; None when that could not be read
    stage: str = "catalog"  # of the rule, for facts and placeholders
    as_json: bool = False  # dates and money may be strings, as in carts

    def line(self, path: str) -> int:
        """The line of a key path, else of the nearest table around it, else 1."""
        while path:
            if (line := self.lines.get(path)) is not None:
                return line
            path = path.rpartition(".")[0]
        return 1

    def problem(self, check: str, path: str, said: Said, hint: Said | None = None) -> None:
        self.report.add(check, self.file, self.line(path), said, hint, self.rule)


def nearest(word: str, known: Iterable[str]) -> Said | None:
    """'Did you mean "minimum"?' or None."""
    from difflib import get_close_matches  # only needed when something is wrong

    folded = _fold(word)
    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(_fold(name), name)
    candidates: Collection[str] = by_fold
    if len(by_fold) > _MANY_NAMES:
        candidates = [name for name in by_fold if name[:2] == folded[:2]][:_MANY_NAMES]
    cutoff = 0.6 if len(folded) > 4 else 0.5
    found = get_close_matches(folded[:80], candidates, n=1, cutoff=cutoff)
    return say("hint.nearest", name=by_fold[found[0]]) if found else None


def is_near(word: str, name: str) -> bool:
    """Whether a word is probably meant to be that name."""
    return nearest(word, (name,)) is not None


def allowed(words: Iterable[str], limit: int = 24) -> Said:
    """ "Allowed: a, b, c." with a long list cut."""
    names = list(words)
    listed = joined("join.comma", names[:limit])
    if len(names) > limit:
        return say("hint.allowed-cut", names=listed, more=len(names) - limit)
    return say("hint.allowed", names=listed)


def suggestion(word: str, known: Iterable[str]) -> Said | None:
    """The nearest word and, when there is room for them, all allowed words."""
    names = list(known)
    near = nearest(word, names)
    if len(names) > 24:
        return near
    return joined("join.more", [part for part in (near, allowed(names)) if part is not None])


def written_number(value: str) -> str | None:
    """The digits of a number that was written as text, with its unit or its commas: "10%", "1,000", "￥800"."""
    text = unicodedata.normalize("NFKC", value).strip().replace(",", "")
    found = re.fullmatch(r"[¥$]?\s*\+?(-?\d{1,12}(?:\.\d{1,6})?)\s*[^\d\s]{0,8}", text, re.A)
    return found.group(1) if found else None


def written_factor(value: str) -> str | None:
    """A share of the list price, said as 65%, as 0.65: "65%", "6.5掛", "65"."""
    number = written_number(value)
    if number is None or Decimal(number) <= 0:
        return None
    is_tenth = value.rstrip().endswith(("掛", "掛け", "割")) and Decimal(number) <= 10
    is_percent = value.rstrip().endswith(("%", "％")) or Decimal(number) > 10
    factor = Decimal(number) / (10 if is_tenth else 100 if is_percent else 1)
    return f"{factor.normalize():f}" if factor <= 10 else None


def at_places(places: Sequence[Said]) -> Said:
    """ " for product M4 and customer ACME", or nothing where no place is known."""
    return say("tie.where", places=joined("join.where", places)) if places else say("tie.nowhere")


def shown(value: Any) -> Sentence:
    """A value for a message: short, printable, never expensive (a TOML integer may have a million digits)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text) + '"'
    if isinstance(value, int):
        return str(value) if value.bit_length() < 100 else say("shown.large-number")
    if isinstance(value, Decimal):
        if not value.is_finite() or len(value.as_tuple().digits) < 40:
            return str(value)
        return say("shown.many-digits")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return say("shown.table")
    if isinstance(value, (list, tuple)):
        return say("shown.list")
    return say("shown.nothing") if value is None else say("shown.type", name=type(value).__name__)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
