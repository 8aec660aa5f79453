"""Payment work of the outbox: what a dead process left undone, what gave no answer, and what is to be voided."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from plugins.contract import Result
from plugins.guard import Failure
from storefront import jobs
from storefront.database import get_session, write
from storefront.incidents import record_incident
from storefront.orders.models import Order, OrderMove
from storefront.payments import telling
from storefront.payments.attempts import ask, start_for, view_of
from storefront.payments.models import OPEN, UNKNOWN, Payment
from storefront.payments.refunds import REFUNDABLE, left_minor
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
    """Give up every open payment of a cancelled order, or the one that was begun although it had ended here."""
    if "payment_id" in job.payload:
        void_one(int(job.payload["payment_id"]), though_ended=True)
        return
    with write() as session:
        order = session.get_one(Order, int(job.payload["order_id"]))
        every = list(
            session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id))
        )
        _tell_what_is_kept(session, order, every)
    for payment in every:
        if payment.state in OPEN and payment.id != job.payload.get("but"):
            void_one(payment.id)


def _tell_what_is_kept(session: Session, order: Order, payments: list[Payment]) -> None:
    """Money of a cancelled order is paid back by a person, who has to know of it."""
    paid = [each for each in payments if each.state in REFUNDABLE and left_minor(session, each)]
    if order.state == "cancelled" and paid:
        kept = sum(left_minor(session, each) for each in paid)
        words = f"{order.number} was cancelled, {kept} {order.currency} of it are paid and not paid back"
        telling.alarm(session, "paid_and_cancelled", words, paid[-1], once=True)


def void_one(payment_id: int, actor: str = "system", *, though_ended: bool = False) -> str:
    """Give up one open payment; its state afterwards. Raises RuntimeError where the provider gives no answer.

    One that was perhaps begun by a process that died is let go of at the provider too.
    """
    shop = current_app.extensions["koguchi"]
    with write() as session:
        payment = session.get_one(Payment, payment_id)
        order = session.get_one(Order, payment.order_id)
        if payment.state not in OPEN and not (though_ended and payment.state == "canceled"):
            return payment.state
        view, may_have_begun = view_of(order, payment), _may_have_begun(session, payment)
    key = f"{payment.id}:void:1"
    if payment.provider in shop.plugins.payments and may_have_begun:
        answer = shop.plugins.void(payment.provider, view, key=key)
        if isinstance(answer, Failure):
            raise RuntimeError(f"{payment.provider} could not void: {answer.kind}")
        result = answer.value
    else:
        result = Result("canceled", payment.provider_ref, view.amount, key)
    if result.status == "failed":  # it refused to let go, which does not say how the payment stands
        state = ask(payment.id, actor=actor)
        if state is None:
            raise RuntimeError(f"{payment.provider} refused to void and does not say why")
        return state
    with write() as session:
        if may_have_begun and payment.provider not in shop.plugins.payments:
            words = f"{order.number}: given up here; {payment.provider} is not active and was not told"
            record_incident(session, "void_untold", words, {"payment": payment.id})
        return apply(session, payment.id, result, actor=actor, asked_in=payment.state)


def _may_have_begun(session: Session, payment: Payment) -> bool:
    """Whether its order ever waited for it; one that was never approved was begun by nobody."""
    waited = select(func.count()).where(
        OrderMove.order_id == payment.order_id, OrderMove.to_state == "awaiting_payment"
    )
    return payment.state != "created" or bool(session.scalar(waited))
