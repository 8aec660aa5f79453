"""What the desk does with a request: answer it, answer it and let it be ordered, decline it, close it.

Files are written first and the request is moved afterwards, so an answer never promises what does not stand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import audit
from storefront.accounts import User
from storefront.clock import now
from storefront.database import locked, write
from storefront.quotations.mails import tell
from storefront.quotations.models import OPEN, QuotationRequest
from storefront.quotations.opening import Offer, Opening


def answer(
    request_id: int,
    person: User,
    *,
    offers: Sequence[Offer],
    text: str,
    valid_until: date,
    opening: Opening | None = None,
) -> bool:
    """Keep the answer and mail it; False when the request was declined or closed in the meantime."""
    with write() as session:
        request = _locked(session, request_id)
        if request.state not in OPEN:
            return False
        before = {"state": request.state}
        request.state, request.answer, request.valid_until = "answered", text, valid_until
        request.answered_by, request.answered_at = person.id, now()
        by_id = {offer.line.id: offer for offer in offers}
        for line in request.lines:
            if line.id in by_id:
                line.unit_price, line.per = by_id[line.id].unit_price, by_id[line.id].per
            if opening is not None:
                line.is_open, line.files = True, opening.by_line.get(line.id, [])
        tell(session, request, "answered")
        after = {"state": "answered", "until": valid_until.isoformat()}
        if opening is not None:
            after["files"] = " ".join(sorted(opening.files))
        audit.record(session, person, "answer", f"quotation:{request.number}", before, after)
    return True


def decline(request_id: int, person: User, reason: str) -> bool:
    """Say no, with the reason in the mail; False when it was decided before."""
    return _end(request_id, person, "declined", reason)


def close(request_id: int, person: User) -> bool:
    """Nothing more is to be done; nobody is told."""
    return _end(request_id, person, "closed", "")


def _end(request_id: int, person: User, state: str, text: str) -> bool:
    with write() as session:
        request = _locked(session, request_id)
        if request.state not in OPEN or (state == "declined" and request.state != "received"):
            return False
        before = {"state": request.state}
        request.state, request.closed_at = state, now()
        if state == "declined":
            request.answer, request.answered_by, request.answered_at = text, person.id, now()
            tell(session, request, "declined")
        audit.record(
            session, person, "decline" if text else "close", f"quotation:{request.number}", before,
            {"state": state, "reason": text},
        )  # fmt: skip
    return True


def _locked(session: Session, request_id: int) -> QuotationRequest:
    query = select(QuotationRequest).where(QuotationRequest.id == request_id)
    found: QuotationRequest = session.scalars(locked(query)).one()
    return found
