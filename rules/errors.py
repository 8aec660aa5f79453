"""Findings about files and faults of input: records with file, line, what is wrong and what is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of `koguchi rules check`; the fields are rule-semantics 143. severity is error or warning."""

    file: str
    line: int
    check: str
    rule: str | None
    severity: str
    message: str
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def said(self, language: str) -> tuple[str, str]:
        """Message and hint for a reader of that language ("ja", "en")."""
        return self.message, self.hint

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {self.severity} {self.check}: {self.message}{hint}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a cart: `field` such as lines[0].quantity, and a sentence."""

    field: str
    message: str


class CartError(ValueError):
    """The cart cannot be evaluated (rule-semantics 121); every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class TieError(Exception):
    """Two rules of equal rank disagree on a line of this cart (rule-semantics 43); both files are named."""

    def __init__(self, first: str, second: str, line_id: str) -> None:
        super().__init__(
            f"{first} and {second} have the same rank, meet on line {line_id} and disagree; "
            f"say which one wins with beats = [...]"
        )
        self.first, self.second, self.line_id = first, second, line_id


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
