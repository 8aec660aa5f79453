"""Mails about payments: how to pay, what failed, what was taken and paid back; and to the owner what stakes money.

Rendered when sent, from the payment's own rows; the recipient is looked up at that moment.
"""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from flask import current_app

from plugins.contract import Capability
from storefront import format, jobs, mail
from storefront.clock import in_shop_zone, now
from storefront.database import write
from storefront.language import N_, _, speak
from storefront.orders.mails import recipient
from storefront.orders.models import Order
from storefront.orders.view import instruction_rows
from storefront.payments.attempts import payment_of
from storefront.payments.captures import released_minor
from storefront.payments.models import RETRY_WITHIN, Payment, Refund
from storefront.payments.refunds import captured_minor, left_minor
from storefront.payments.transition import hold
from storefront.shop import current_shop

SUBJECTS = {
    "instructions": N_("How to pay for your order %(number)s"),
    "failed": N_("The payment of your order %(number)s did not go through"),
    "received": N_("We have received your payment for order %(number)s"),
    "part": N_("Your payment for order %(number)s: less was taken than you promised"),
    "refunded": N_("We have paid money back for your order %(number)s"),
    "refund_waits": N_("A refund for your order %(number)s is on its way"),
}
# what happened, and what the owner does about it
ALARMS = {
    "payment_review": (
        N_("A payment does not fit"),
        N_("The provider said something else than was asked. It counts as paid only if you decide so."),
    ),
    "payment_disputed": (
        N_("A payment is disputed"),
        N_("The customer's bank wants the money back. Answer on the provider's page; there is a deadline."),
    ),
    "paid_after_cancel": (
        N_("A cancelled order was paid"),
        N_("The money is here, and the goods are not set aside any more. Pay it back, or call the customer."),
    ),
    "paid_and_cancelled": (
        N_("A paid order was cancelled"),
        N_("The customer's money is still here. Pay it back, as far as it is the customer's."),
    ),
    "paid_twice": (
        N_("An order was paid twice"),
        N_("More than one payment of this order was taken. Pay one of them back."),
    ),
    "payment_lost": (
        N_("A promised payment is gone"),
        N_("The order goes on, but its payment ended before it was taken: nothing comes of it any more."),
    ),
    "refund_failed": (
        N_("A refund failed"),
        N_("The customer did not get the money. Try again, or send it by hand and note it."),
    ),
    "refund_review": (
        N_("A refund does not fit"),
        N_(
            "The provider says that it paid back another amount than was asked. Look at it and note what is true."
        ),
    ),
}


def _plainly(moment: datetime) -> str:
    """A moment for a mail, which has no markup."""
    here = in_shop_zone(moment)
    return f"{format.day_text(here)} {here:%H:%M}"


@jobs.handles("payment.mail")
def about_payment(job: jobs.Job) -> None:
    """Write one mail to the buyer; the same job again writes none."""
    event = str(job.payload["event"])
    with write() as session:
        order, payment = hold(session, int(job.payload["payment_id"]))
        newest = payment_of(session, order.id)
        person = recipient(order)
        if person is None or not _is_due(event, order, payment, newest):
            return
        speak(person.language)
        named = job.payload.get("refund_id")
        refund = session.get(Refund, named) if named is not None else None
        body = current_app.jinja_env.get_template("payments/mail.txt").render(
            event=event,
            order=order,
            payment=payment,
            person=person,
            refund=refund,
            is_sent_by_shop=_is_sent_by_shop(payment, refund),
            taken=captured_minor(payment),
            released=released_minor(session, payment),
            left=left_minor(session, payment),
            instructions=instruction_rows(payment),
            until=_plainly(payment.updated_at + RETRY_WITHIN),
            link=f"{current_shop().settings.base_url}/orders/{order.number}",
        )
        subject = _(SUBJECTS[event], number=order.number)
        mail.send(session, person.email, subject, body, person.language, event_id=job.event_id)
        if event in ("instructions", "failed"):
            payment.told_at = now()


def _is_due(event: str, order: Order, payment: Payment, newest: Payment | None) -> bool:
    """What was overtaken, or told meanwhile by a page or the order's own mail, is not told again."""
    if event not in ("instructions", "failed"):
        return True
    is_open = order.state == "awaiting_payment" and newest is not None and newest.id == payment.id
    state = "pending" if event == "instructions" else "failed"
    is_there = event == "failed" or bool(payment.instructions)
    return is_open and payment.state == state and payment.told_at is None and is_there


def _is_sent_by_shop(payment: Payment, refund: Refund | None) -> bool:
    """Whether the owner sends the money, and no provider does."""
    plugins = current_shop().plugins
    is_by_hand = refund is not None and refund.code == "by_hand"
    return is_by_hand or plugins.can(payment.provider, Capability.OFFLINE)


def seen(payment_id: int) -> None:
    """The buyer reads in the browser how the payment stands."""
    with write() as session:
        _order, payment = hold(session, payment_id)
        payment.told_at = now()


@jobs.handles("payment.alarm")
def alarm(job: jobs.Job) -> None:
    """Write one mail to the owner; the same job again writes none."""
    kind, settings = str(job.payload["kind"]), current_shop().settings
    with write() as session:
        order, payment = hold(session, int(job.payload["payment_id"]))
        speak(settings.default_language)
        what, todo = (_(each) for each in ALARMS[kind])
        named = job.payload.get("refund")
        body = current_app.jinja_env.get_template("payments/alarm.txt").render(
            what=what,
            todo=todo,
            order=order,
            payment=payment,
            refund=session.get(Refund, named) if named is not None else None,
            link=f"{settings.base_url}/admin/orders/{order.number}#payments",
        )
        event_id = (
            str(uuid5(NAMESPACE_URL, f"{kind}:{payment.id}")) if job.payload.get("once") else job.event_id
        )
        subject = f"{what}: {order.number}"
        mail.send(session, settings.email, subject, body, settings.default_language, event_id=event_id)
