"""Customers at the desk: the list, one company with everything the shop knows of it, and its facts as a form.

Group, terms and credit decide about money, so the owner alone changes them. Buyers never see credit or notes.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response

from rules import Rule
from rules.reach import may_concern_customer
from rules.sentences import rule_sentence
from storefront import audit, pricing
from storefront.access import current_person, owner, staff
from storefront.accounts import Company
from storefront.admin import forms
from storefront.admin.desk import asked, bp, contains, page_of
from storefront.admin.orders import LOOKS
from storefront.admin.rules import MODES, health, is_current
from storefront.audit import AuditEntry
from storefront.clock import today
from storefront.database import get_session, locked, write
from storefront.language import _, language
from storefront.orders import Order
from storefront.orders.credit import exposure_minor
from storefront.shop import current_shop
from storefront.transfer import customers as columns
from storefront.transfer.columns import Kind, compare, put

FIELDS = tuple(name for name in columns.KIND.columns if name != columns.KEY)


def _kind() -> Kind:
    return columns.kind(current_shop().settings.currency)


@bp.get("/customers")
@staff
def customers() -> str:
    """The list, by name; search by code, name, kana and group."""
    ordered = (
        select(Order.company_id, func.count().label("orders"), func.max(Order.on).label("last"))
        .where(Order.state != "cancelled")
        .group_by(Order.company_id)
        .subquery()
    )
    query = (
        select(Company, ordered.c.orders, ordered.c.last)
        .outerjoin(ordered, ordered.c.company_id == Company.id)
        .order_by(Company.name_kana, Company.code)
    )
    text, group = asked("q"), asked("group", 64)
    if text:
        query = query.where(contains(text, Company.code, Company.name, Company.name_kana))
    if group:
        query = query.where(Company.group == group)
    groups = get_session().scalars(select(Company.group).where(Company.group.is_not(None)).distinct())
    return render_template(
        "admin/customers.html",
        page=page_of(get_session(), query, rows=True),
        filters={"q": text, "group": group},
        groups=[("", _("All groups")), *((name, name) for name in sorted(name for name in groups if name))],
    )


def company_of_code(code: str) -> Company:
    """The company with its people and addresses; an unknown code is not found."""
    query = select(Company).where(Company.code == code)
    found = (
        get_session()
        .scalars(query.options(selectinload(Company.users), selectinload(Company.addresses)))
        .one_or_none()
    )
    if found is None:
        abort(404)
    return found


@bp.get("/customers/<code>")
@staff
def customer(code: str) -> str:
    """Facts, people, addresses, last orders, the rules that can concern this customer, and the last changes."""
    found = company_of_code(code)
    session = get_session()
    orders = session.scalars(
        select(Order).where(Order.company_id == found.id).order_by(Order.placed_at.desc()).limit(10)
    )
    changes = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == f"company:{code}")
        .order_by(AuditEntry.id.desc())
        .limit(10)
    )
    return render_template(
        "admin/customer.html",
        customer=found,
        owed=exposure_minor(session, found.id),
        orders=list(orders),
        changes=list(changes),
        rules=_rules_for(found),
        exceptions=[one for one in health().exceptions if one.customer == code and is_current(one)],
        looks=LOOKS,
    )


def _rules_for(company: Company) -> list[tuple[Rule, tuple[str, str], str]]:
    """The rules that can concern a company, with their mode and sentence; none while no rule set is in force."""
    ruleset = health().ruleset
    if ruleset is None:
        return []
    facts = pricing.customer_facts(get_session(), company, today(), current_shop())
    return [
        (rule, MODES[rule.mode], rule_sentence(rule, language()))
        for rule in ruleset.rules
        if may_concern_customer(rule, facts)
    ]


@bp.get("/customers/new")
@owner
def customer_new() -> str:
    """An empty form."""
    return _form(None, forms.Filled({"country": "JP", "language": "ja", "status": "active"}), "")


@bp.post("/customers/new")
@owner
def customer_add() -> Response | tuple[str, int]:
    """Make a company; people get accounts by application or by the team page."""
    kind = _kind()
    filled = forms.read(kind, tuple(kind.columns), request.form)
    code = str(filled.values.pop(columns.KEY, ""))
    with write() as session:
        if code and session.scalar(select(Company.id).where(Company.code == code)):
            filled.errors[columns.KEY] = _("The code %(code)s is taken.", code=code)
        company = Company(code=code, name=code, tags=[])
        _refuse(filled, company)
        if not filled.errors:
            session.add(company)
            change = compare(filled.record(columns.KEY, code), None, kind, "utf-8")
            put(filled.record(columns.KEY, code), change, company, kind)
            audit.record(
                session, current_person(), "add", f"company:{code}", None, forms.before_and_after(change)[1]
            )
    if filled.errors:
        return _form(None, filled, ""), 422
    flash(_("%(name)s is a customer now.", name=company.name), "ok")
    return redirect(url_for("admin.customer", code=code))


@bp.get("/customers/<code>/edit")
@owner
def customer_edit(code: str) -> str:
    """The facts as a form."""
    found = company_of_code(code)
    return _form(found, forms.Filled(forms.shown(_kind(), FIELDS, found)), forms.seal(_kind(), FIELDS, found))


@bp.post("/customers/<code>/edit")
@owner
def customer_save(code: str) -> Response | tuple[str, int]:
    """Write what differs, with its audit entry; refuse what somebody else has changed in between."""
    kind, company = _kind(), company_of_code(code)
    filled = forms.read(kind, FIELDS, request.form)
    _refuse(filled, company)
    if filled.errors:
        return _form(company, filled, request.form.get("seal", "")), 422
    with write() as session:
        fresh = session.scalars(locked(select(Company).where(Company.code == code))).one()
        seal = forms.seal(kind, FIELDS, fresh)
        if request.form.get("seal") != seal:
            flash(forms.changed_meanwhile(), "warn")
            return _form(fresh, filled, seal), 409
        change = compare(filled.record(columns.KEY, code), fresh, kind, "utf-8")
        put(filled.record(columns.KEY, code), change, fresh, kind)
        if change.fields:
            audit.record(
                session, current_person(), "change", f"company:{code}", *forms.before_and_after(change)
            )
    flash(_("Saved.") if change.fields else _("Nothing was changed."), "ok")
    return redirect(url_for("admin.customer", code=code))


def _refuse(filled: forms.Filled, company: Company) -> None:
    """What is wrong with the facts taken together: region and country, terms, limits finer than the currency."""
    if not filled.errors:
        currency = current_shop().settings.currency
        filled.refuse(columns.faults(filled.record(columns.KEY, company.code), company, currency), "name")


def _form(company: Company | None, filled: forms.Filled, seal: str) -> str:
    return render_template("admin/customer_form.html", customer=company, filled=filled, seal=seal)
