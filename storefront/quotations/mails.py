"""Mails about a quotation request: to the shop when one comes in, to the company when it is received and answered.

Rendered when sent, from the request's own rows; a person who left gets nothing.
"""

from __future__ import annotations

from flask import current_app
from sqlalchemy.orm import Session

from storefront import jobs, mail
from storefront.database import write
from storefront.language import _, speak
from storefront.quotations.models import QuotationRequest
from storefront.quotations.words import PURPOSES
from storefront.shop import current_shop

EVENTS = ("asked", "received", "answered", "declined")  # asked: to the shop


def tell(session: Session, request: QuotationRequest, event: str) -> None:
    """Put a mail about the request into the outbox, in the caller's transaction."""
    jobs.enqueue(session, "quotation.mail", {"request_id": request.id, "event": event})


@jobs.handles("quotation.mail")
def about_request(job: jobs.Job) -> None:
    """Write one mail about one request; the same job again writes none."""
    event, settings = str(job.payload["event"]), current_shop().settings
    with write() as session:
        request = session.get_one(QuotationRequest, int(job.payload["request_id"]))
        person = request.user
        is_to_shop = event == "asked"
        if not is_to_shop and not (person.active and person.company_id == request.company_id):
            return
        to, spoken = (
            (settings.email, settings.default_language) if is_to_shop else (person.email, person.language)
        )
        speak(spoken)
        path = f"/admin/quotations/{request.number}" if is_to_shop else f"/quotations/{request.number}"
        body = current_app.jinja_env.get_template("quotations/mail.txt").render(
            request=request,
            event=event,
            purpose=_(PURPOSES[request.purpose]),
            person=person,
            link=f"{settings.base_url}{path}",
        )
        mail.send(session, to, _subject(event, request), body, spoken, event_id=job.event_id)


def _subject(event: str, request: QuotationRequest) -> str:
    words = {
        "asked": _(
            "%(company)s asks for a quotation (%(number)s)",
            company=request.company.name,
            number=request.number,
        ),
        "answered": _("Our quotation for your request %(number)s", number=request.number),
        "declined": _("About your quotation request %(number)s", number=request.number),
    }
    return words.get(event) or _("We have received your quotation request %(number)s", number=request.number)
