"""Looks after open payments without waiting to be told: asks providers with growing pauses, and gives up what ended.

A lost webhook, a closed browser and a killed process are all mended here.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from plugins.contract import Capability
from storefront.clock import now
from storefront.database import get_session, locked, write
from storefront.orders.models import Order
from storefront.orders.moves import PAYMENT_GRACE, UNPAID, move
from storefront.payments.attempts import ask, payment_of
from storefront.payments.models import ASK_AGAIN_AFTER, ENDED, WAITING, Payment
from storefront.payments.refunds_there import has_refund_under_way
from storefront.payments.transition import hold
from storefront.shop import current_shop
from storefront.stock import Reservation

log = logging.getLogger("koguchi.payments")
LONGEST_PAUSE = timedelta(hours=6)
AT_A_TIME = 20  # a worker that asks a slow provider must get back to its mails


def look_after() -> int:
    """Ask about the open payments that are due, and give up orders nobody paid again; how many. For the worker."""
    session = get_session()
    statement = select(Payment.id).where(Payment.ask_at <= now()).order_by(Payment.ask_at).limit(AT_A_TIME)
    due = list(session.scalars(statement))
    session.commit()
    return sum(_look_after(payment_id) for payment_id in due)


def _look_after(payment_id: int) -> bool:
    """One payment; False when another worker took it or it needs nobody any more."""
    taken = _take(payment_id)
    if taken is None:
        return False
    before, provider = taken
    state = ask(payment_id)  # of an ended one too: money that came after all goes to review, never unseen
    if state is None and provider in current_shop().plugins.payments:
        log.warning("payment %s: its provider gives no answer", payment_id)
        return True
    if before in WAITING:
        return True
    _rest(payment_id, before)
    return _give_up(payment_id) if before in ENDED else True


def _rest(payment_id: int, before: str) -> None:
    """Look no more at a payment that still stands where it stood, unless a refund of it is on its way."""
    with write() as session:
        _order, payment = hold(session, payment_id)
        if payment.state == before and not has_refund_under_way(session, payment_id):
            payment.ask_at = None


def _take(payment_id: int) -> tuple[str, str] | None:
    """Put the next look off before this one, so that no two workers ask at once; its state and its provider.

    A worker that dies of the look, or has no answer, leaves it to the next.
    """
    plugins = current_shop().plugins
    with write() as session:
        payment: Payment = session.scalars(locked(select(Payment).where(Payment.id == payment_id))).one()
        if payment.ask_at is None or payment.ask_at > now():
            return None
        if plugins.can(payment.provider, Capability.OFFLINE) and payment.state not in ENDED:
            payment.ask_at = None  # nobody at the other end knows more than the owner
            return None
        payment.ask_at = _next(payment)
        payment.asks += 1
        return payment.state, payment.provider


def _next(payment: Payment) -> datetime:
    """Twice as long after each look, and once right after the provider's own time to pay has ended."""
    pause = min(ASK_AGAIN_AFTER * 2 ** min(payment.asks + 1, 12), LONGEST_PAUSE)
    then: datetime = now() + pause
    ends = payment.expires_at
    return min(then, ends + ASK_AGAIN_AFTER) if ends is not None and ends >= now() else then


def _give_up(payment_id: int) -> bool:
    """A day after its payment failed an order that nobody paid again is cancelled, and its stock comes back."""
    with write() as session:
        order, payment = hold(session, payment_id)
        latest = payment_of(session, order.id)
        if (
            payment.state != "failed"
            or order.state != "awaiting_payment"
            or latest is None
            or latest.id != payment_id
            or _is_in_review(session, order.id)
        ):
            return False
        move(session, order, "cancelled", "system", "payment failed and was not tried again")
        return True


def _is_in_review(session: Session, order_id: int) -> bool:
    """Whether the owner still has to say of an earlier attempt that it paid the order."""
    of_order = select(Payment.id).where(Payment.order_id == order_id, Payment.state == "review")
    return session.scalars(of_order.limit(1)).first() is not None


def overdue(session: Session) -> list[int]:
    """Orders that wait for a payment whose time is over and hold no stock, whose own end would end them."""
    moment = now()
    holds_stock = exists().where(Reservation.order_id == Order.id)
    is_over = or_(
        Payment.expires_at <= moment - PAYMENT_GRACE,
        Payment.expires_at.is_(None) & (Payment.updated_at <= moment - UNPAID),
    )
    waits = (Order.state == "awaiting_payment", Payment.state.in_(WAITING), is_over, ~holds_stock)
    statement = select(Order.id).join(Payment, Payment.order_id == Order.id).where(*waits).distinct()
    return list(session.scalars(statement.limit(200)))


def may_give_up(order_id: int) -> bool:
    """Whether an order whose time to pay is over may be cancelled: the provider is asked once more before.

    Without an answer it waits, since the money may be there.
    """
    payment = payment_of(get_session(), order_id)
    plugins = current_shop().plugins
    if payment is None or payment.state not in WAITING or payment.provider not in plugins.payments:
        return True
    return plugins.can(payment.provider, Capability.OFFLINE) or ask(payment.id) is not None
