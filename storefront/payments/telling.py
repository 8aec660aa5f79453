"""Which mails a change of a payment calls for, put into the outbox with the change; mails.py writes them.

What a buyer saw happen in the browser is not told again; what stakes the owner's money is told the owner at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from storefront import jobs
from storefront.clock import now
from storefront.incidents import record_incident
from storefront.orders.credit import NET_TERMS
from storefront.orders.models import Order
from storefront.payments.models import Payment, Refund

# So long the buyer may still be in the browser, and a payment may take to be begun.
SEEN_WITHIN = timedelta(minutes=5)


def after_move(session: Session, order: Order, payment: Payment, before: str) -> None:
    """A payment moved, and its order with it. The order's own mails say confirmed and cancelled."""
    if payment.state == "failed" and order.state == "awaiting_payment":
        _buyer(session, payment, "failed", SEEN_WITHIN)
    elif payment.state == "captured" and before == "authorized":
        if payment.captured_minor is not None and payment.captured_minor < payment.amount_minor:
            _buyer(session, payment, "part")
        elif payment.provider == NET_TERMS:
            _buyer(session, payment, "received")


def instructed(session: Session, payment: Payment, before: str) -> None:
    """How to pay is known, or is another than before. What start answers stands in the mail about the order."""
    if payment.state == "pending":
        payment.told_at = None
        if before != "created":
            _buyer(session, payment, "instructions")


def instruct_later(session: Session, payment: Payment) -> None:
    """The mail about the order was written before its payment was begun: how to pay comes in one of its own."""
    _buyer(session, payment, "instructions", SEEN_WITHIN)


def refunded(session: Session, payment: Payment, refund: Refund) -> None:
    """Money went back; the mail says how much, and when it arrives."""
    _buyer(session, payment, "refunded", refund_id=refund.id)


def refund_waits(session: Session, payment: Payment, refund: Refund) -> None:
    """The provider took a refund up and has something to say to the buyer, such as to name an account."""
    _buyer(session, payment, "refund_waits", refund_id=refund.id)


def _buyer(
    session: Session, payment: Payment, event: str, after: timedelta | None = None, **more: Any
) -> None:
    payload = {"payment_id": payment.id, "event": event, **more}
    jobs.enqueue(session, "payment.mail", payload, at=None if after is None else now() + after)


def alarm(
    session: Session, kind: str, summary: str, payment: Payment, *, once: bool = False, **detail: Any
) -> None:
    """An incident at the desk, and one mail to the owner: money is at stake, and there may be a deadline.

    `once` for what a job says, which may run twice: of a payment it is mailed once only.
    """
    record_incident(session, kind, summary, {"payment": payment.id, **detail})
    payload = {"payment_id": payment.id, "kind": kind, "once": once, **detail}
    jobs.enqueue(session, "payment.alarm", payload)
