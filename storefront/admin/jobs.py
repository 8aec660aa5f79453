"""Work that did not succeed: what is tried again and when, what was given up, and the button that tries it now.

A mail that no server took, an event that no receiver took, a payment that nobody answered for: nothing is lost.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import or_, select
from werkzeug.wrappers import Response

from storefront import audit
from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp, page_of
from storefront.database import get_session, locked, write
from storefront.jobs import Outbox, revive, waiting
from storefront.language import N_, _
from storefront.orders import Order

WORDS = {
    "mail": N_("A mail"),
    "order.mail": N_("A mail about an order"),
    "quotation.mail": N_("A mail about a quotation"),
    "payment.mail": N_("A mail about a payment"),
    "payment.alarm": N_("A mail about a payment"),
    "payment.start": N_("The start of a payment"),
    "payment.ask": N_("A look at a payment"),
    "payment.event": N_("A message from a payment provider"),
    "payment.capture": N_("Taking a payment"),
    "payment.void": N_("Giving up a payment"),
    "payment.refund": N_("A refund"),
    "bank.capture": N_("A bank transfer booked"),
    "plugin.event": N_("An event for a plugin"),
    "rules.replay": N_("A comparison of rules"),
}


@bp.get("/jobs")
@staff
def jobs() -> str:
    """What was given up first, then what is tried again, the next first."""
    query = (
        select(Outbox)
        .where(Outbox.done_at.is_(None), or_(Outbox.dead_at.is_not(None), Outbox.error != ""))
        .order_by(Outbox.dead_at.is_(None), Outbox.available_at, Outbox.id)
    )
    session = get_session()
    page = page_of(session, query)
    ids = {order_id for job in page.items if isinstance(order_id := job.payload.get("order_id"), int)}
    found = session.execute(select(Order.id, Order.number).where(Order.id.in_(ids))) if ids else ()
    numbers = {row.id: row.number for row in found}
    return render_template(
        "admin/jobs.html", page=page, counts=waiting(session), words=WORDS, about=about, numbers=numbers
    )


def about(job: Outbox, *, without: tuple[str, ...] = ()) -> str:
    """What the job is about, in the words of its payload: the plugin and the event, or the numbers of its rows."""
    told = {name: value for name, value in job.payload.items() if name not in ("id", "at", *without)}
    return ", ".join(f"{name}: {value}" for name, value in told.items())[:200]


@bp.post("/jobs/<int:number>/again")
@owner
def job_again(number: int) -> Response:
    """Give a job all its attempts back, from now on, under the same event id."""
    with write() as session:
        job = session.scalars(locked(select(Outbox).where(Outbox.id == number))).one_or_none()
        if job is None or job.done_at is not None:
            abort(404)
        revive(session, number)
        audit.record(
            session, current_person(), "again", f"job:{number}", {"kind": job.kind, "error": job.error[:500]}
        )
    flash(_("It is tried again within the minute."), "ok")
    return redirect(url_for("admin.jobs"), 303)
