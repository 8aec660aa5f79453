"""What the desk says of a rule's text before it counts: messages of the check, sentence, cases, other rules it meets.

Looks only; nothing is written. The messages are those of `koguchi rules check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rules import Finding, Loaded, Rule, Ruleset
from rules.one_rule import read_rule, with_rule
from rules.sentences import rule_sentence
from storefront.admin.cases import CaseResult, case_results
from storefront.admin.rule_files import code_of
from storefront.clock import today
from storefront.language import language
from storefront.rulebook import NoRulesError, installed_methods
from storefront.shop import Shop, current_shop
from storefront.shop_folder.files import check_draft, sort_errors
from storefront.shop_folder.rule_texts import (
    Correction,
    Excerpt,
    correction_for,
    excerpt,
    faulty_word,
    marked,
)

COLLISIONS = frozenset(
    {"tie", "order-tie", "repeated-code", "repeated-exception", "beats-circle", "date-gap"}
)
BOTH = ("ja", "en")
MOST = 20  # messages that a page shows


@dataclass(frozen=True)
class Fault:
    """One message in the reader's language, its lines where it stands in the text at hand, and the way out."""

    file: str
    line: int
    check: str
    message: str
    hint: str
    lines: tuple[Excerpt, ...] = ()
    correction: Correction | None = None
    is_here: bool = True

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def code(self) -> str:
        """The rule of another file, which has an editor of its own; "" for this one and for tables."""
        return "" if self.is_here else code_of(self.file)


@dataclass(frozen=True)
class Checked:
    """A text, looked at: `faults` stop it, `others` stand elsewhere anyway, `warnings` stop nothing."""

    faults: tuple[Fault, ...] = ()
    others: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    sentences: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...] = ()  # language, pieces with "is new"
    cases: tuple[CaseResult, ...] = ()
    is_toml: bool = True
    rule: Rule | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the text itself is right, so that cases and collisions could be looked at."""
        return self.rule is not None

    @property
    def collisions(self) -> tuple[Fault, ...]:
        return tuple(one for one in (*self.faults, *self.warnings) if one.check in COLLISIONS)

    @property
    def failing(self) -> int:
        return sum(not case.passed for case in self.cases)

    @property
    def lines(self) -> frozenset[int]:
        """The faulty lines of the text at hand."""
        return frozenset(one.line for one in self.faults if one.is_here)


def look_at(shop: Shop, path: str, text: str, old: str = "") -> Checked:
    """The text of a file as it would stand in the folder; `old` is the text that stands there now."""
    loaded = check_draft(shop, {path: text})
    brought, others = sort_errors(shop, loaded, {path: text})
    rule = one_rule(shop, path, text)
    before = one_rule(shop, path, old) if old and rule is not None else None
    return Checked(
        faults=tuple(fault(found, path, text) for found in brought[:MOST]),
        others=tuple(fault(found, path, text) for found in others[:MOST]),
        warnings=tuple(fault(found, path, text) for found in _warnings(shop, path, loaded)),
        sentences=tuple(
            (lang, marked(rule_sentence(before, lang) if before else "", rule_sentence(rule, lang)))
            for lang in BOTH
        )
        if rule is not None
        else (),
        cases=_cases(shop, loaded, rule),
        is_toml=not any(found.check in ("toml-syntax", "not-utf8", "too-deep") for found in brought),
        rule=rule,
    )


def fault(found: Finding, path: str, text: str) -> Fault:
    """A message as a page shows it; excerpt and correction only for the text at hand."""
    message, hint = found.said(language())
    shown = Fault(found.file, found.line, found.check, message, hint, is_here=found.file == path)
    if not shown.is_here:
        return shown
    return replace(
        shown,
        lines=excerpt(text, found.line, faulty_word(text, found)),
        correction=correction_for(text, found),
    )


def one_rule(shop: Shop, path: str, text: str) -> Rule | None:
    """The rule of a text by itself; None when it has errors, or when the file is none of a rule."""
    if not path.startswith("rules/"):
        return None
    now = _in_force()
    policy = now.policy if now is not None else None
    folder = shop.settings.folder
    methods = installed_methods()
    return read_rule(
        text, path, root=folder, policy=policy, catalog=shop.rulebook.catalog(), methods=methods
    )[0]


def sentence_of(path: str, text: str | None) -> str:
    """What the rule of a text says, in the reader's language; "" where there is none to read."""
    rule = one_rule(current_shop(), path, text) if text else None
    return rule_sentence(rule, language()) if rule is not None else ""


def _in_force() -> Ruleset | None:
    try:
        return current_shop().rulebook.current()  # type: ignore[no-any-return]
    except NoRulesError:
        return None


def _warnings(shop: Shop, path: str, loaded: Loaded) -> Iterable[Finding]:
    """Those of this file, and those of other files that were not there before."""
    known = {(one.file, one.check, one.message) for one in shop.rulebook.findings}
    told = [one for one in loaded.findings if one.severity != "error"]
    return [one for one in told if one.file == path or (one.file, one.check, one.message) not in known][:MOST]


def _cases(shop: Shop, loaded: Loaded, rule: Rule | None) -> tuple[CaseResult, ...]:
    """The cases of the rule, run among the other rules as they would be, or else as they are."""
    if rule is None:
        return ()
    among = loaded.parsed
    if among is None:
        now = _in_force()
        if now is None:
            return ()
        among = with_rule(now, rule)
    mine = next(one for one in among.rules if one.code == rule.code)
    return tuple(case_results(among, mine, loaded.catalog, today()))
