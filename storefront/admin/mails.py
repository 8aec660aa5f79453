"""Mails: what the shop wrote to whom, as text. In the demo, without a mail server, this is where they are read."""

from __future__ import annotations

from flask import abort, render_template
from sqlalchemy import select

from storefront.access import owner, staff
from storefront.admin.desk import asked, bp, contains, page_of
from storefront.database import get_session
from storefront.mail import Mail
from storefront.shop import current_shop


@bp.get("/mails")
@staff
def mails() -> str:
    """The newest first; search by address and subject."""
    query, text = select(Mail).order_by(Mail.id.desc()), asked("q")
    if text:
        query = query.where(contains(text, Mail.to, Mail.subject))
    server = current_shop().settings.mail.server
    return render_template("admin/mails.html", page=page_of(get_session(), query), text=text, server=server)


@bp.get("/mails/<int:number>")
@owner
def mail(number: int) -> str:
    """One mail as it left. For the owner alone: it may hold a link to choose a new password."""
    found = get_session().get(Mail, number)
    if found is None:
        abort(404)
    return render_template("admin/mail.html", mail=found, server=current_shop().settings.mail.server)
