"""Exceptions at the desk: who has one, what it changes, until when and what it cost; a new one, an end, more time.

Files stay the truth: everything is written through storefront.shop_folder.files, with the checks of `rules check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rules import Finding, Rule, RuleException
from rules.sentences import rule_sentence
from storefront.access import current_person, staff
from storefront.accounts import Company
from storefront.admin.desk import PAGE, Page, asked, asked_page, bp
from storefront.admin.rules import health
from storefront.catalog import Product
from storefront.clock import today
from storefront.database import get_session
from storefront.exceptions import words
from storefront.exceptions.costs import Cost, costs, look_through
from storefront.exceptions.fields import fields_of, read_change
from storefront.exceptions.files import NewException, path_of, text_of, with_until
from storefront.forms import clean
from storefront.language import _, language, text
from storefront.shop import current_shop
from storefront.shop_folder import files as shop_files

bp.add_app_template_filter(words.allowed_word)
LONGEST = 366  # days from today that a clerk may give; the owner may give more
_ORDER = {"current": 0, "later": 1, "gone": 2, "expired": 3}


@dataclass(frozen=True)
class Shown:
    """One exception of the list."""

    exception: RuleException
    rule: Rule | None
    state: str
    company: Company | None
    changes: Sequence[words.Change]
    cost: Cost

    @property
    def may_change(self) -> bool:
        """Whether its file can be ended or prolonged from here."""
        return bool(self.exception.path) and self.state in ("current", "later", "expired")


@dataclass
class Typed:
    """The form of a new exception as it was typed, with a sentence for each field that was not understood."""

    rule: str = ""
    customer: str = ""
    sku: str = ""
    reason: str = ""
    starts: str = ""
    until: str = ""
    order: str = ""
    change: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[tuple[str, str]]:
        return list(self.errors.items())


@bp.get("/exceptions")
@staff
def exceptions() -> str:
    """The list, those in force first, each with what it changed on the orders that name it."""
    session, shop = get_session(), current_shop()
    now = health()
    is_unfinished = look_through(session, shop) if now.ruleset is not None else False
    found = _shown(now.exceptions, _rules_by_code())
    state, who = asked("state", 8), asked("q")
    listed = [one for one in found if state in ("", one.state) and _has(one, who)]
    number, pages = asked_page(), max(-(-len(listed) // PAGE), 1)
    number = min(number, pages)
    return render_template(
        "admin/exceptions.html",
        page=Page(listed[(number - 1) * PAGE : number * PAGE], number, pages, len(listed), PAGE),
        total=len(found),
        states=[("", _("All")), *((key, _(word)) for key, (_mark, word) in words.STATES.items())],
        looks=words.STATES,
        filters={"state": state, "q": who},
        is_unfinished=is_unfinished,
        health=now,
        last_day=_last_day(),
        tomorrow=today() + timedelta(days=1),
    )


def _rules_by_code() -> dict[str, Rule]:
    ruleset = health().ruleset
    return {rule.code: rule for rule in ruleset.rules} if ruleset is not None else {}


def _shown(found: Sequence[RuleException], rules: dict[str, Rule]) -> list[Shown]:
    session, on = get_session(), today()
    codes = {one.customer for one in found if one.customer}
    companies = (
        {one.code: one for one in session.scalars(select(Company).where(Company.code.in_(codes)))}
        if codes
        else {}
    )
    spent = costs(session)
    shown = []
    for one in found:
        rule = rules.get(one.rule)
        shown.append(
            Shown(
                one,
                rule,
                words.state_of(one, on, rules),
                companies.get(one.customer or ""),
                words.changes_of(rule, one) if rule is not None else (),
                spent.get(one.id, Cost()),
            )
        )
    return sorted(
        shown, key=lambda one: (_ORDER[one.state], one.exception.until_on or date.max, one.exception.id)
    )


def _has(shown: Shown, text_wanted: str) -> bool:
    one = shown.exception
    name = shown.company.name if shown.company is not None else ""
    inside = f"{one.customer or ''} {name} {one.sku or ''} {one.rule} {one.reason} {one.id}".casefold()
    return all(word in inside for word in text_wanted.casefold().split())


@bp.app_template_global()
def may_except() -> bool:
    """Whether this person may make exceptions: [rules] exceptions_by in shop.toml is "staff" or "owner"."""
    person = current_person()
    return person is not None and (person.role == "owner" or current_shop().settings.exceptions_by == "staff")


def _only_who_may() -> None:
    if not may_except():
        abort(403)


def _last_day() -> date | None:
    """The last day this person may give; None for the owner."""
    person = current_person()
    return None if person is not None and person.role == "owner" else today() + timedelta(days=LONGEST)


@bp.get("/exceptions/new")
@staff
def exception_form() -> ResponseReturnValue:
    """Choose rule, customer and product; then the keys of that rule. Links from orders and requests fill it in."""
    _only_who_may()
    typed = Typed(
        rule=asked("rule", 16), customer=asked("customer", 64), sku=asked("sku", 64), order=asked("order", 32),
        starts=today().isoformat(),
    )  # fmt: skip
    return _form(typed)


def _form(typed: Typed, findings: Sequence[Finding] = (), status: int = 200) -> ResponseReturnValue:
    rules = _rules_by_code()
    rule = rules.get(typed.rule)
    if typed.rule and rule is None:
        abort(404)
    codes = (
        get_session().execute(select(Company.code, Company.name).order_by(Company.code).limit(1_000)).all()
    )
    page = render_template(
        "admin/exception_form.html",
        typed=typed,
        rule=rule,
        sentence=rule_sentence(rule, language()) if rule is not None else "",
        fields=fields_of(rule) if rule is not None else (),
        rules=[
            ("", _("Choose")),
            *((one.code, f"{one.code} {text(one.name)}") for one in rules.values() if one.group != "FU"),
        ],
        companies=codes,
        findings=said(findings),
        last_day=_last_day(),
        on=today(),
    )
    return page, status


def _choices(rules: dict[str, Rule]) -> list[tuple[str, str]]:
    """Every rule that can have an exception, with its name."""
    return [(one.code, f"{one.code} {text(one.name)}") for one in rules.values() if one.group != "FU"]


def said(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """(file:line, message, hint) of what the check says, in the reader's language."""
    return [(f"{one.file}:{one.line}", *one.said(language())) for one in findings]


@bp.post("/exceptions/new")
@staff
def exception_add() -> ResponseReturnValue:
    """Write the file, or show the form again with what speaks against it."""
    _only_who_may()
    form = request.form
    typed = Typed(
        rule=clean(form.get("rule"))[:16],
        customer=clean(form.get("customer"))[:64],
        sku=clean(form.get("sku"))[:64],
        reason=clean(form.get("reason"), lines=True),
        starts=clean(form.get("starts"))[:10],
        until=clean(form.get("until"))[:10],
        order=clean(form.get("order"))[:32],
        change={key: value[:500] for key, value in form.items() if key.startswith("change-")},
    )
    rule = _rules_by_code().get(typed.rule)
    if rule is None or rule.group == "FU":
        abort(404)
    new = _read(rule, typed)
    if new is None:
        return _form(typed, status=422)
    return _written(typed, new)


def _read(rule: Rule, typed: Typed) -> NewException | None:
    """The exception that was typed, or None with the reasons in `typed.errors`."""
    person = current_person()
    assert person is not None
    change, typed.errors = read_change(rule, typed.change)
    if not change and not typed.errors:
        typed.errors[f"change-{fields_of(rule)[0].key}" if fields_of(rule) else "reason"] = _(
            "Change at least one figure of the rule."
        )
    _judge_who(typed)
    if not typed.reason:
        typed.errors["reason"] = _("Write why; it is kept with the exception.")
    elif len(typed.reason) > 500:
        typed.errors["reason"] = _("At most %(most)s characters.", most=500)
    starts = read_day(typed.starts, "starts", typed.errors)
    until = read_day(typed.until, "until", typed.errors)
    if starts and until:
        judge_until(until, starts, "until", typed.errors)
    if typed.errors or starts is None or until is None:
        return None
    return NewException(
        rule.code, typed.customer or None, typed.sku or None, change, typed.reason, person.name or person.email,
        starts, until, note=typed.order,
    )  # fmt: skip


def _judge_who(typed: Typed) -> None:
    """Customer and product must exist, and one of them must be named."""
    session = get_session()
    if not typed.customer and not typed.sku:
        typed.errors["customer"] = _("Name a customer, a SKU or both.")
    if (
        typed.customer
        and session.scalars(select(Company.id).where(Company.code == typed.customer)).first() is None
    ):
        typed.errors["customer"] = _("There is no customer with this code.")
    if typed.sku and session.scalars(select(Product.id).where(Product.sku == typed.sku)).first() is None:
        typed.errors["sku"] = _("There is no product with this SKU.")


def read_day(typed: str, name: str, errors: dict[str, str]) -> date | None:
    """A day as a date field sends it; else a sentence in `errors`."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        errors[name] = _("Enter a day, like %(day)s.", day=today().isoformat())
        return None


def judge_until(until: date, starts: date, name: str, errors: dict[str, str]) -> None:
    """The last day lies not before the first nor before today, and not further than this person may give."""
    last = _last_day()
    if until < starts or until < today():
        errors[name] = _("The last day lies before the first, or is over.")
    elif last is not None and until > last:
        errors[name] = _("At most until %(day)s; the owner may give more.", day=last.isoformat())


def _written(typed: Typed, new: NewException) -> ResponseReturnValue:
    person, shop = current_person(), current_shop()
    assert person is not None
    path = path_of(new.rule, new.customer, today(), taken_paths())
    done = shop_files.save(shop, path, text_of(new), expected="", actor=person.email, reason=new.reason)
    if isinstance(done, shop_files.Invalid):
        return _form(typed, done.findings, 422)
    if isinstance(done, shop_files.Conflict):  # somebody took the name in this very moment
        flash(_("Somebody else wrote this file in the meantime. Press the button again."), "warn")
        return _form(typed, status=409)
    flash(_("The exception is written; it ends after %(day)s.", day=new.until_on.isoformat()), "ok")
    warn_of_others(done)
    if typed.order:
        return redirect(url_for("admin.order", number=typed.order), 303)
    return redirect(url_for("admin.exceptions"), 303)


def warn_of_others(saved: shop_files.Saved) -> None:
    """Errors that stand elsewhere keep the old rules serving, so what was written does not count yet."""
    if saved.others:
        flash(_("Another rule file has an error; until it is mended, this does not take effect."), "warn")


def taken_paths() -> set[str]:
    """Names of exception files that stand in the folder, also of those that could not be loaded."""
    folder = current_shop().settings.folder / "exceptions"
    return {f"exceptions/{path.name}" for path in folder.glob("*.toml")} if folder.is_dir() else set()


def _own(name: str) -> RuleException:
    """The exception of that id, for whoever may change it."""
    _only_who_may()
    found = next((one for one in health().exceptions if one.id == name and one.path), None)
    if found is None:
        abort(404)
    return found


@bp.post("/exceptions/<name>/end")
@staff
def exception_end(name: str) -> ResponseReturnValue:
    """End it: yesterday becomes its last day; one that began today or later is taken away. Its history stays."""
    found = _own(name)
    reason = clean(request.form.get("reason"))[:500]
    if not reason:
        flash(_("Write why it ends; it is kept with the file."), "block")
        return redirect(url_for("admin.exceptions"), 303)
    yesterday = today() - timedelta(days=1)
    if found.until_on is not None and found.until_on <= yesterday:
        flash(_("It has ended already."), "warn")
        return redirect(url_for("admin.exceptions"), 303)
    is_gone = found.from_on is not None and found.from_on > yesterday
    return _rewrite(found, None if is_gone else yesterday, reason, _("The exception has ended."))


@bp.post("/exceptions/<name>/prolong")
@staff
def exception_prolong(name: str) -> ResponseReturnValue:
    """Give it more time, with a reason."""
    found = _own(name)
    reason = clean(request.form.get("reason"))[:500]
    errors: dict[str, str] = {}
    until = read_day(clean(request.form.get("until"))[:10], "until", errors)
    if until is not None:
        judge_until(until, found.from_on or today(), "until", errors)
    if until is not None and found.until_on is not None and until <= found.until_on:
        errors["until"] = _(
            "It lasts until %(day)s already; choose a later day.", day=found.until_on.isoformat()
        )
    if not reason:
        errors["reason"] = _("Write why it gets more time; it is kept with the file.")
    if errors or until is None:
        flash(" ".join(errors.values()), "block")
        return redirect(url_for("admin.exceptions"), 303)
    done = _("The exception now lasts until %(day)s.", day=until.isoformat())
    return _rewrite(found, until, reason, done)


def _rewrite(found: RuleException, until: date | None, reason: str, done: str) -> ResponseReturnValue:
    """Put another last day into the file, or take the file away (None)."""
    person, shop = current_person(), current_shop()
    assert person is not None
    there = shop_files.read(shop, found.path)
    if not there.exists:
        abort(404)
    changed = None if until is None else with_until(there.text, until, f"{today().isoformat()} {reason}")
    saved = shop_files.save(shop, found.path, changed, expected=there.etag, actor=person.email, reason=reason)
    if isinstance(saved, shop_files.Invalid):
        told = " ".join(f"{place} {message} {hint}" for place, message, hint in said(saved.findings))
        flash(told, "block")
    elif isinstance(saved, shop_files.Conflict):
        flash(_("Somebody else changed this file in the meantime. Look again."), "warn")
    else:
        flash(done, "ok")
        warn_of_others(saved)
    return redirect(url_for("admin.exceptions"), 303)
