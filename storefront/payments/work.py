"""Payment work of the outbox: what a dead process left undone, what gave no answer, and what is to be voided."""

from __future__ import annotations

from flask import current_app

from plugins.contract import Result
from plugins.guard import Failure
from storefront import jobs
from storefront.database import write
from storefront.orders.models import Order
from storefront.payments.attempts import apply, begin, payment_of, start_for, view_of
from storefront.payments.models import OPEN, UNKNOWN, Payment


@jobs.handles("payment.start")
def start_again(job: jobs.Job) -> None:
    """Starts a payment that nobody started, because the process died after the order was placed."""
    start_for(int(job.payload["order_id"]))


@jobs.handles("payment.ask")
def ask_again(job: jobs.Job) -> None:
    """Find out what became of a payment that gave no answer: ask for it, else begin it again under the same key.

    One key is one payment at the provider, so this never charges twice. Without an answer the job comes back later.
    """
    shop = current_app.extensions["koguchi"]
    with write() as session:
        payment = session.get_one(Payment, int(job.payload["payment_id"]))
        order = session.get_one(Order, payment.order_id)
        if payment.state != "pending" or payment.code != UNKNOWN:
            return
        view = view_of(order, payment)
    if payment.provider not in shop.plugins.payments:
        raise LookupError(f"the plugin {payment.provider} is not active")
    found = shop.plugins.fetch(payment.provider, view)
    result = None if isinstance(found, Failure) else found.value
    if result is None or result.status == "pending":
        result = begin(shop, order.number, payment, view)
    if result is None:
        raise ConnectionError(f"{payment.provider} gives no answer about {order.number}")
    with write() as session:
        apply(session, payment.id, result, actor=payment.provider)


@jobs.handles("payment.void")
def void(job: jobs.Job) -> None:
    """Give up the open payment of a cancelled order."""
    shop = current_app.extensions["koguchi"]
    with write() as session:
        order = session.get_one(Order, int(job.payload["order_id"]))
        payment = payment_of(session, order.id)
        if payment is None or payment.state not in OPEN:
            return
        view = view_of(order, payment)
    key = f"{payment.id}:void:1"
    if payment.provider in shop.plugins.payments and payment.state != "created":
        answer = shop.plugins.void(payment.provider, view, key=key)
        if isinstance(answer, Failure):
            raise RuntimeError(f"{payment.provider} could not void: {answer.kind}")
        result = answer.value
    else:
        result = Result("canceled", payment.provider_ref, view.amount, key)
    with write() as session:
        apply(session, payment.id, result, actor="system")
