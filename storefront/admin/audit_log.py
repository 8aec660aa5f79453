"""Changes: who changed what, when, before and after. A list to look at; entries cannot be changed here or anywhere."""

from __future__ import annotations

from flask import render_template
from sqlalchemy import select

from storefront.access import staff
from storefront.admin.desk import asked, bp, contains, page_of
from storefront.audit import AuditEntry
from storefront.database import get_session


@bp.get("/audit")
@staff
def audit() -> str:
    """The newest changes first; search by person, subject and action."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    text = asked("q")
    if text:
        query = query.where(contains(text, AuditEntry.actor, AuditEntry.subject, AuditEntry.action))
    return render_template("admin/audit.html", page=page_of(get_session(), query), text=text)
