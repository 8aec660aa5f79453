"""Mails about an order: received, confirmed, shipped, cancelled. Rendered when sent, from the order's own rows.

The recipient is looked up at that moment; a person who left gets nothing.
"""

from __future__ import annotations

from flask import current_app

from storefront import jobs, mail
from storefront.accounts import User
from storefront.clock import now
from storefront.database import write
from storefront.language import _, speak
from storefront.lead_times.kept import promise_of
from storefront.orders.address import corrections_of
from storefront.orders.approval import approval_of
from storefront.orders.models import Order
from storefront.orders.moves import DECLINED_AT_ONCE
from storefront.orders.view import instruction_rows
from storefront.payments import payment_of, refunds, telling
from storefront.payments.models import Payment
from storefront.shipments import shipments_of
from storefront.shop import current_shop


@jobs.handles("order.mail")
def about_order(job: jobs.Job) -> None:
    """Write one mail about one order; the same job again writes none."""
    event = str(job.payload["event"])
    with write() as session:
        order = session.get_one(Order, int(job.payload["order_id"]))
        person = recipient(order)
        if person is None or _is_over(event, order):
            return
        speak(person.language)
        payment = payment_of(session, order.id)
        instructions = instruction_rows(payment)
        if payment is not None and payment.state == "pending" and instructions:
            payment.told_at = now()
        elif payment is not None and payment.state == "created" and order.state == "awaiting_payment":
            telling.instruct_later(session, payment)
        # Not render_template: who is signed in and what is in the cart are no part of a mail.
        body = current_app.jinja_env.get_template("orders/mail.txt").render(
            order=order,
            event=event,
            payment=payment,
            instructions=instructions,
            paid_minor=_paid_minor(payment),
            was_not_paid=order.state == "cancelled" and order.moves[-1].reason.startswith("payment"),
            person=person,
            approval=approval_of(session, order),
            promise=promise_of(order),
            shipments=shipments_of(session, order.id) if event == "shipped" else [],
            corrections=corrections_of(session, order.id) if event == "address" else [],
            link=f"{current_shop().settings.base_url}/orders/{order.number}",
        )
        mail.send(session, person.email, _subject(event, order), body, person.language, event_id=job.event_id)


def _is_over(event: str, order: Order) -> bool:
    """What the next mail says, or what the buyer read at the checkout."""
    if event == "approved":
        return order.state != "awaiting_payment"
    if event == "cancelled":
        return order.moves[-1].reason == DECLINED_AT_ONCE
    return event == "received" and order.state == "cancelled"


def _paid_minor(payment: Payment | None) -> int:
    """What the buyer has paid; 0 for what is promised, open, or back already."""
    has_paid = payment is not None and payment.state in refunds.REFUNDABLE
    return refunds.captured_minor(payment) if payment is not None and has_paid else 0


def recipient(order: Order) -> User | None:
    """Who ordered, or for whom staff wrote it down; without such a person whoever manages the company's account."""
    named = order.contact or order.user
    if named is None or named.is_staff:
        here = [user for user in order.company.users if user.active]
        named = min(here, key=lambda user: (user.role != "company_admin", user.id), default=None)
    return named if named is not None and named.active and named.company_id == order.company_id else None


def _subject(event: str, order: Order) -> str:
    words = {
        "approved": _("We have approved your order %(number)s", number=order.number),
        "confirmed": _("Your order %(number)s is confirmed", number=order.number),
        "shipped": _("Your order %(number)s has been shipped", number=order.number),
        "cancelled": _("Your order %(number)s is cancelled", number=order.number),
        "address": _("Your order %(number)s: the delivery address is corrected", number=order.number),
    }
    return words.get(event) or _("We have received your order %(number)s", number=order.number)
