"""Incidents: what somebody must look at, with both sides: both answers of the matchers, both rules of a tie."""

from __future__ import annotations

import json

from flask import abort, redirect, render_template, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from rules import TieError
from storefront import audit
from storefront.access import current_person, staff
from storefront.admin.desk import bp, page_of
from storefront.clock import now
from storefront.database import get_session, locked, write
from storefront.incidents import Incident
from storefront.language import language


@bp.get("/incidents")
@staff
def incidents() -> str:
    """The newest first; those that nobody has looked at are marked."""
    query = select(Incident).order_by(Incident.id.desc())
    return render_template("admin/incidents.html", page=page_of(get_session(), query), summary=summary)


@bp.get("/incidents/<int:number>")
@staff
def incident(number: int) -> str:
    """One incident with every part of its detail."""
    found = get_session().get(Incident, number)
    if found is None:
        abort(404)
    parts = [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))
        for name, value in (found.detail or {}).items()
    ]
    return render_template("admin/incident.html", incident=found, parts=parts, summary=summary)


def summary(found: Incident) -> str:
    """The incident in one sentence; that of a tie in the reader's language."""
    detail = found.detail or {}
    if found.kind == "tie" and {"first", "second", "line"} <= detail.keys():
        return TieError(detail["first"], detail["second"], detail["line"]).said(language())
    return found.summary


@bp.post("/incidents/<int:number>/seen")
@staff
def incident_seen(number: int) -> Response:
    """Somebody has looked at it and done what was needed."""
    with write() as session:
        found = session.scalars(locked(select(Incident).where(Incident.id == number))).one_or_none()
        if found is None:
            abort(404)
        if found.seen_at is None:
            found.seen_at = now()
            audit.record(session, current_person(), "see", f"incident:{number}")
    return redirect(url_for("admin.incidents"))
