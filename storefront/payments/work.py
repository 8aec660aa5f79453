"""Payment work of the outbox: what a dead process left undone, what gave no answer, and what is to be voided."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from plugins.contract import Result
from plugins.guard import Failure
from storefront import jobs
from storefront.database import get_session, write
from storefront.orders.models import Order
from storefront.payments.attempts import ask, start_for, view_of
from storefront.payments.models import OPEN, UNKNOWN, Payment
from storefront.payments.transition import apply


@jobs.handles("payment.start")
def start_again(job: jobs.Job) -> None:
    """Starts a payment that nobody started, because the process died after the order was placed."""
    start_for(int(job.payload["order_id"]))


@jobs.handles("payment.ask")
def ask_again(job: jobs.Job) -> None:
    """Find out what became of a payment that gave no answer. Without an answer the job comes back later."""
    session = get_session()
    payment = session.get_one(Payment, int(job.payload["payment_id"]), populate_existing=True)
    if payment.state != "pending" or payment.code != UNKNOWN:
        return
    provider = payment.provider
    if ask(payment.id) is None:
        raise ConnectionError(f"{provider} gives no answer about payment {payment.id}")


@jobs.handles("payment.void")
def void(job: jobs.Job) -> None:
    """Give up every open payment of a cancelled order."""
    with write() as session:
        statement = select(Payment.id).where(
            Payment.order_id == int(job.payload["order_id"]), Payment.state.in_(OPEN)
        )
        open_ones = list(session.scalars(statement.order_by(Payment.id)))
    for payment_id in open_ones:
        void_one(payment_id)


def void_one(payment_id: int, actor: str = "system") -> str:
    """Give up one open payment; its state afterwards. Raises RuntimeError where the provider gives no answer."""
    shop = current_app.extensions["koguchi"]
    with write() as session:
        payment = session.get_one(Payment, payment_id)
        order = session.get_one(Order, payment.order_id)
        if payment.state not in OPEN:
            return payment.state
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
        return apply(session, payment.id, result, actor=actor)
