"""What a person decides of a payment in review: it is taken as paid, or given up. No money is moved by either."""

from __future__ import annotations

from storefront.clock import now
from storefront.database import write
from storefront.payments import refunds
from storefront.payments.transition import change, hold, tell_order


def resolve(payment_id: int, *, is_paid: bool, reason: str, actor: str) -> str | None:
    """Take a payment in review as paid, or give it up; its state, None when it is in review no more.

    What the provider took stays noted, so that a refund can never be more; what went back already is told as such.
    """
    with write() as session:
        order, payment = hold(session, payment_id)
        if payment.state != "review":
            return None
        to = "captured" if is_paid else "canceled"
        change(session, payment, to, actor, reason)
        payment.code, payment.ask_at, payment.updated_at = "reviewed", None, now()
        if is_paid and payment.captured_minor is None:
            payment.captured_minor = payment.amount_minor
        tell_order(session, order, payment, "review")
        back = refunds.paid_back_minor(session, payment) if is_paid else 0
        if back:
            to = "refunded" if back >= refunds.captured_minor(payment) else "partially_refunded"
            change(session, payment, to, actor, "")
        return to
