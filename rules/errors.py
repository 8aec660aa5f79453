"""Findings about files and faults of input: records with file, line, what is wrong and what is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.said import Sentence, hint_of, in_language, joined, say

_SEVERITIES = {"error": say("finding.error"), "warning": say("finding.warning")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of `koguchi rules check` (rule-semantics 143). severity is error or warning.

    Sentence and advice are filled when they are read: `message` and `hint` in English, `said` in any language.
    """

    file: str
    line: int
    check: str
    rule: str | None
    severity: str
    sentence: Sentence
    advice: Sentence | None = None

    @property
    def message(self) -> str:
        return in_language(self.sentence, "en")

    @property
    def hint(self) -> str:
        return self.said("en")[1]

    def said(self, language: str) -> tuple[str, str]:
        """Message and hint for a reader of that language ("ja", "en"); most checks have a hint of their own."""
        hint = self.advice if self.advice is not None else hint_of(self.check)
        return in_language(self.sentence, language), in_language(hint, language)

    def as_json(self, language: str = "en") -> dict[str, Any]:
        message, hint = self.said(language)
        return {
            "file": self.file,
            "line": self.line,
            "check": self.check,
            "rule": self.rule,
            "severity": self.severity,
            "message": message,
            "hint": hint,
        }

    def printed(self, language: str = "en") -> str:
        """The line of the command, file and line first so that editors can follow it."""
        message, hint = self.said(language)
        severity = _SEVERITIES[self.severity].text(language)
        return f"{self.file}:{self.line}: {severity} {self.check}: {f'{message} {hint}'.strip()}"

    def __str__(self) -> str:
        return self.printed()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a cart: `field` such as lines[0].quantity, a sentence, and perhaps what to do."""

    field: str
    sentence: Sentence
    advice: Sentence | None = None

    @property
    def message(self) -> str:
        return self.said("en")

    @property
    def whole(self) -> Sentence:
        """The sentence with its advice."""
        if self.advice is None:
            return self.sentence
        return joined("join.more", (self.sentence, self.advice))

    def said(self, language: str) -> str:
        """The sentence, with its advice, for a reader of that language ("ja", "en")."""
        return in_language(self.whole, language)


class CartError(ValueError):
    """The cart cannot be evaluated (rule-semantics 121); every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class TieError(Exception):
    """Two rules of equal rank disagree on a line of this cart (rule-semantics 43); both files are named."""

    def __init__(self, first: str, second: str, line_id: str) -> None:
        self.sentence = say("tie.met", first=first, second=second, line=line_id)
        super().__init__(str(self.sentence))
        self.first, self.second, self.line_id = first, second, line_id
        self.detail = {"first": first, "second": second, "line": line_id}  # plain JSON for the incident

    def said(self, language: str) -> str:
        """The sentence for a reader of that language ("ja", "en")."""
        return self.sentence.text(language)


class RulesetError(Exception):
    """The shop folder has errors and is not evaluated (rule-semantics 13)."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class MatcherError(Exception):
    """No answer to which rules match: never to be read as "no rule applies". The cart must be refused.

    `detail` is plain JSON for the incident: line ids, SKUs and rule codes, nothing about the customer.
    """

    def __init__(self, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.detail: Mapping[str, Any] = detail or {}


class MatcherFailed(MatcherError):
    """The deciding matcher broke down, or did not answer in time."""


class MatcherDisagreement(MatcherError):
    """The deciding matcher and the one that checks it name different rules; `detail` has both answers."""
