"""Rules at the desk: every rule as a sentence, what the last load said, and one rule with file, cases and reach.

Looks only: rule_editor and rule_history write. A broken file is shown beside the set that serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as Redirect

from rules import Catalog, Finding, Rule, RuleException, Ruleset
from rules.reach import may_concern_customer, may_concern_product
from rules.ruleset import GROUPS
from rules.sentences import rule_sentence
from storefront.access import staff
from storefront.admin.cases import CaseResult, case_results
from storefront.admin.desk import asked, bp
from storefront.admin.rule_files import Change, last_changes, names_of, path_of, removed_rules, waiting_drafts
from storefront.clock import in_shop_zone, today
from storefront.database import get_session
from storefront.language import N_, _, language, text
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop
from storefront.shop_folder.files import is_allowed, is_writable, remember, remember_all
from storefront.shop_folder.versions import versions

MODES = {
    "live": ("ok", N_("In force")),
    "shadow": ("made", N_("Trial (logged only)")),
    "off": ("none", N_("Switched off")),
}
KINDS = {
    "CA": N_("Catalog"),
    "PR": N_("Prices"),
    "QT": N_("Quantities"),
    "SC": N_("Fees"),
    "DC": N_("Discounts"),
    "OR": N_("Whole orders"),
    "LT": N_("Lead times"),
    "SH": N_("Shipping"),
    "PM": N_("Payment"),
    "FU": N_("Follow-ups"),
}
MOST_SOURCE = 200_000  # bytes of a file that a page shows


@dataclass(frozen=True)
class Health:
    """How the rules stand: the set that serves, since when, and what the last load found."""

    ruleset: Ruleset | None
    loaded_at: datetime | None
    stale_since: datetime | None
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    is_copy: bool = False  # served from the copy of the last good files, after a restart beside a broken one

    @property
    def exceptions(self) -> tuple[RuleException, ...]:
        return self.ruleset.exceptions if self.ruleset is not None else ()


def health() -> Health:
    """Looks for changed files first, as every page does."""
    book = current_shop().rulebook
    try:
        edition = book.edition()
    except NoRulesError:
        edition = None
    errors = tuple(found for found in book.findings if found.severity == "error")
    warnings = tuple(found for found in book.findings if found.severity != "error")
    if edition is None:
        return Health(None, None, book.stale_since, errors, warnings)
    return Health(
        edition.ruleset, edition.loaded_at, book.stale_since, errors, warnings, edition.is_last_good_copy
    )


@dataclass(frozen=True)
class Shown:
    """A rule of the list: how it looks, what it says, and what the last load said about its file."""

    rule: Rule
    look: str
    word: str
    sentence: str
    errors: tuple[Finding, ...]
    changed_at: datetime | None
    who: str = ""

    @property
    def cases(self) -> int:
        return len(self.rule.cases)


@bp.get("/rules")
@staff
def rules() -> str:
    """Every rule of the set in force; files that could not be loaded stand on top with line and hint."""
    now = health()
    remember_all(current_shop(), "rules")
    changes = last_changes()
    found = now.ruleset.rules if now.ruleset is not None else ()
    kind, state, words = asked("kind", 2), asked("state", 8), asked("q")
    listed = [_shown(rule, now.errors, changes) for rule in found if kind in ("", rule.group)]
    listed = [one for one in listed if state in ("", one.rule.mode) and _has(one, words)]
    return render_template(
        "admin/rules.html",
        rules=listed,
        total=len(found),
        health=now,
        kinds=[("", _("All")), *((code, f"{code} {_(word)}") for code, word in KINDS.items())],
        modes=[("", _("All")), *((mode, _(word)) for mode, (_mark, word) in MODES.items())],
        filters={"kind": kind, "state": state, "q": words},
        exceptions=[(one, is_current(one)) for one in now.exceptions],
        drafts=waiting_drafts(),
        removed=removed_rules(),
        new_at=_new_rule_at(),
        is_writable=is_writable(current_shop(), "rules/QT10.toml"),
    )


def _new_rule_at() -> str:
    """Where a new rule is begun; "" when no page offers it."""
    known = "admin.rule_patterns" in current_app.view_functions
    return url_for("admin.rule_patterns") if known else ""


def _has(shown: Shown, words: str) -> bool:
    """The search looks into code, name, sentence and file."""
    inside = f"{shown.rule.code} {text(shown.rule.name)} {shown.sentence} {shown.rule.path}".casefold()
    return all(word in inside for word in words.casefold().split())


def _shown(rule: Rule, errors: Iterable[Finding], changes: Mapping[str, Change]) -> Shown:
    look, word = MODES[rule.mode]
    on = today()
    mine = tuple(found for found in errors if found.file == rule.path)
    if rule.until_on is not None and rule.until_on < on:
        look, word = "none", N_("Ended")
    elif rule.from_on is not None and rule.from_on > on:
        look, word = "none", N_("Not yet in force")
    if mine:
        look, word = "block", N_("An older version is in force")
    change = changes.get(rule.path)
    sentence = rule_sentence(rule, language())
    if change is None:
        return Shown(rule, look, word, sentence, mine, _changed_at(rule.path))
    return Shown(rule, look, word, sentence, mine, in_shop_zone(change.at), change.who)


def is_current(exception: RuleException) -> bool:
    """Whether an exception counts today."""
    return exception.is_in_force(today())


def _file(path: str) -> Path:
    return current_shop().settings.folder / path


def _changed_at(path: str) -> datetime | None:
    """When the file was last written; None when it is gone."""
    try:
        stamp = _file(path).stat().st_mtime
    except OSError:
        return None
    return in_shop_zone(datetime.fromtimestamp(stamp, UTC))


@dataclass(frozen=True)
class SourceLine:
    number: int
    text: str
    is_bad: bool


def source_of(path: str, errors: Sequence[Finding]) -> tuple[SourceLine, ...]:
    """The file as it stands on the disk, line by line, the faulty ones marked; empty when it cannot be read."""
    try:
        content = _file(path).read_bytes()[:MOST_SOURCE].decode("utf-8", errors="replace")
    except OSError:
        return ()
    bad = {found.line for found in errors}
    return tuple(
        SourceLine(number, line, number in bad) for number, line in enumerate(content.splitlines(), 1)
    )


@dataclass(frozen=True)
class Reach:
    """Whom a rule can concern: counted over all known products and customers; None where none are known.

    Conditions on quantities, amounts and the order are left out, they depend on the cart.
    """

    products: int | None
    of_products: int
    customers: int | None
    of_customers: int


def reach_of(rule: Rule, catalog: Catalog) -> Reach:
    """Count the products and customers that satisfy what the rule says about them."""
    products, customers = catalog.products, catalog.customers
    return Reach(
        None if products is None else sum(may_concern_product(rule, one) for one in products.values()),
        len(products or ()),
        None if customers is None else sum(may_concern_customer(rule, one) for one in customers.values()),
        len(customers or ()),
    )


@bp.get("/rules/<code>")
@staff
def rule(code: str) -> str | Redirect:
    """One rule: its sentence in both languages, its file with the faulty line, its cases, its reach, its history."""
    now = health()
    found = (
        next((one for one in now.ruleset.rules if one.code == code), None)
        if now.ruleset is not None
        else None
    )
    errors = tuple(
        one for one in now.errors if one.rule == code or (found is not None and one.file == found.path)
    )
    if found is None and not errors:
        path_of(code)  # 404 for a code that nobody ever wrote
        return redirect(url_for("admin.rule_history", code=code))
    path = found.path if found is not None else errors[0].file
    catalog = current_shop().rulebook.catalog()
    results: list[CaseResult] = []
    if found is not None and now.ruleset is not None:
        results = case_results(now.ruleset, found, catalog, today())
    return render_template(
        "admin/rule.html",
        code=code,
        rule=found,
        shown=_shown(found, errors, {}) if found is not None else None,
        sentences=[(lang, rule_sentence(found, lang)) for lang in ("ja", "en")] if found is not None else [],
        path=path,
        errors=errors,
        source=source_of(path, errors),
        cases=results,
        reach=reach_of(found, catalog) if found is not None else None,
        exceptions=[(one, is_current(one)) for one in now.exceptions if one.rule == code],
        health=now,
        group=_(KINDS[code[:2]]) if code[:2] in GROUPS else "",
        modes=[(mode, _(word)) for mode, (_mark, word) in MODES.items()],
        **_past(path),
    )


def _past(path: str) -> dict[str, Any]:
    """The last versions of the file and the drafts that wait; nothing where the desk does not write."""
    if not is_allowed(path):
        return {"file": None, "known": [], "drafts": [], "names": {}, "is_writable": False}
    file = remember(current_shop(), path)
    known = versions(get_session(), path, 4)
    return {
        "file": file,
        "known": known,
        "names": names_of(one.actor for one in known),
        "drafts": waiting_drafts(path),
        "is_writable": is_writable(current_shop(), path),
    }
