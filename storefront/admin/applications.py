"""Applications for an account: approve with a customer code and group, or decline with the owner's words."""

from __future__ import annotations

import re

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from storefront.access import current_person, owner, staff
from storefront.accounts import Application, Company
from storefront.accounts import applications as decisions
from storefront.admin.desk import bp, page_of
from storefront.database import get_session, locked, write
from storefront.language import N_, _
from storefront.transfer import messages
from storefront.transfer.cells import CellError, word
from storefront.transfer.records import RowError

LOOKS = {
    "new": ("half", N_("Waiting")),
    "approved": ("ok", N_("Approved")),
    "declined": ("none", N_("Declined")),
}
_code = word(64, forbidden="/\\?#% ")
_group = word(64, forbidden=" ")


@bp.get("/applications")
@staff
def applications() -> str:
    """Those that wait first, then the newest."""
    query = select(Application).order_by(Application.state != "new", Application.id.desc())
    return render_template("admin/applications.html", page=page_of(get_session(), query), looks=LOOKS)


def _application(number: int) -> Application:
    found = get_session().get(Application, number)
    if found is None:
        abort(404)
    return found


@bp.get("/applications/<int:number>")
@staff
def application(number: int) -> str:
    """What the applicant wrote, and the two ways to decide."""
    return _page(_application(number))


def _page(
    found: Application, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> str:
    groups = get_session().scalars(select(Company.group).where(Company.group.is_not(None)).distinct())
    return render_template(
        "admin/application.html",
        application=found,
        looks=LOOKS,
        groups=sorted(group for group in groups if group),
        typed=typed or {"code": _suggested(found.company_name)},
        errors=errors or {},
    )


def _suggested(name: str) -> str:
    """A code from the Latin letters of a name; empty for a name that has none."""
    return re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:20]


@bp.post("/applications/<int:number>/approve")
@owner
def application_approve(number: int) -> Response | tuple[str, int]:
    """Make the company and its first person, who gets a mail to choose a password."""
    found, person = _application(number), current_person()
    typed = {"code": request.form.get("code", ""), "group": request.form.get("group", "")}
    values, errors = {}, {}
    for name, parse in (("code", _code), ("group", _group)):
        try:
            values[name] = parse(typed[name].replace("\0", ""))
        except CellError as fault:
            errors[name] = messages.say(RowError(0, name, fault.problem, fault.values))
    if not errors:
        try:
            with write() as session:
                held = session.scalars(locked(select(Application).where(Application.id == number))).one()
                assert person is not None
                decisions.approve(session, held, code=values["code"], group=values["group"], actor=person)
        except decisions.DecisionError as refused:
            errors["code"] = str(refused)
    if errors:
        return _page(found, typed, errors), 422
    flash(
        _(
            "%(name)s is a customer now; the link to choose a password is on its way.",
            name=found.company_name,
        ),
        "ok",
    )
    return redirect(url_for("admin.customer", code=values["code"]))


@bp.post("/applications/<int:number>/decline")
@owner
def application_decline(number: int) -> Response | tuple[str, int]:
    """Decline; the applicant is told in the owner's words."""
    found, person = _application(number), current_person()
    reason = request.form.get("reason", "").replace("\0", "").strip()[:1000]
    if not reason:
        return _page(found, None, {"reason": _("Write a sentence for the applicant.")}), 422
    try:
        with write() as session:
            held = session.scalars(locked(select(Application).where(Application.id == number))).one()
            assert person is not None
            decisions.decline(session, held, reason=reason, actor=person)
    except decisions.DecisionError as refused:
        flash(str(refused), "warn")
        return redirect(url_for("admin.application", number=number))
    flash(_("Declined; the applicant is told by mail."), "ok")
    return redirect(url_for("admin.applications"))
