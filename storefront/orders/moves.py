"""The life of an order: which move is allowed from where, and the one function that moves.

Every move is recorded with who and when; what goes with it (stock, mail, payment) is in the same transaction.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from storefront import jobs, lead_times, stock
from storefront.clock import now
from storefront.database import locked, write
from storefront.orders import arrival
from storefront.orders.models import Order, OrderMove
from storefront.plugins import events as plugin_events
from storefront.shop import current_shop

log = logging.getLogger("koguchi.orders")

ALLOWED: dict[str, frozenset[str]] = {
    "": frozenset({"awaiting_approval", "awaiting_payment"}),
    "awaiting_approval": frozenset({"awaiting_payment", "cancelled"}),
    "awaiting_payment": frozenset({"confirmed", "cancelled"}),
    "confirmed": frozenset({"in_production", "shipped", "cancelled"}),
    "in_production": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered", "closed"}),
    "delivered": frozenset({"closed"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}
BUYER_MAY_CANCEL = frozenset({"awaiting_approval", "awaiting_payment", "confirmed"})
DECLINED_AT_ONCE = "payment failed"  # why an order was cancelled whose payment was declined at the checkout
PAYMENT_GRACE = timedelta(days=3)  # a transfer sent on the last day arrives later
START_AGAIN_AFTER = timedelta(minutes=2)  # the outbox starts a payment that the process did not
UNPAID = timedelta(days=30)  # how long stock waits for a payment whose provider names no end
# Which states tell the buyer so by mail.
_MAILS = {"confirmed", "shipped", "cancelled"}
_NOTE = insert(cast(Table, OrderMove.__table__))


@dataclass(frozen=True, slots=True)
class Moved:
    number: str
    from_state: str
    to_state: str


@dataclass(frozen=True, slots=True)
class NotMoved:
    """The move is not allowed from where the order stands now, or goods are missing (`skus`)."""

    number: str
    state: str
    skus: tuple[str, ...] = ()


def move(
    session: Session, order: Order | int, to: str, actor: str, reason: str = "", *, by_buyer: bool = False
) -> Moved | NotMoved:
    """Move an order inside the caller's write transaction. Of two moves at once the second sees the first's result.

    Stock: cancelling gives reserved pieces back, shipping takes them out of the house.
    """
    order_id = order if isinstance(order, int) else order.id
    held = session.scalars(locked(select(Order).where(Order.id == order_id))).one()
    if to not in ALLOWED[held.state] or (by_buyer and not (to == "cancelled" and may_cancel(held))):
        return NotMoved(held.number, held.state)
    if to == "shipped":
        try:
            stock.ship(session, held.id, actor=actor)
        except stock.NotThereError as missing:
            return NotMoved(held.number, held.state, tuple(missing.skus))
    elif to == "cancelled":
        stock.release(session, held.id, actor=actor, reason=reason)
        lead_times.release(session, held.id)
        held.cancelled_at = now()
        jobs.enqueue(session, "payment.void", {"order_id": held.id})
    elif to == "confirmed":
        stock.keep_until(session, held.id, None)
        _promise_again(session, held)
    from_state, held.state = held.state, to
    record(session, held, from_state, actor, reason)
    if to in _MAILS:
        jobs.enqueue(session, "order.mail", {"order_id": held.id, "event": to})
    return Moved(held.number, from_state, to)


def take_back(session: Session, order: Order, actor: str, reason: str = "") -> Moved | NotMoved:
    """A shipped order did not leave after all: it stands where it stood, its goods set aside for it again.

    Not in ALLOWED: a payment captured after shipping moves to confirmed, and must never unship.
    """
    held = session.scalars(locked(select(Order).where(Order.id == order.id))).one()
    if held.state != "shipped":
        return NotMoved(held.number, held.state)
    last = select(OrderMove.from_state).where(OrderMove.order_id == held.id, OrderMove.to_state == "shipped")
    stood = session.scalars(last.order_by(OrderMove.id.desc()).limit(1)).first()
    stock.unship(session, held.id, actor=actor, reason=reason)
    held.state = stood if stood in ("confirmed", "in_production") else "confirmed"
    record(session, held, "shipped", actor, reason)
    return Moved(held.number, "shipped", held.state)


def _promise_again(session: Session, order: Order) -> None:
    """An order that waited for approval or payment past the day it was counted from is promised a new day."""
    arrival.ask_again(session, order, now())
    if order.lead_time is None:
        return
    made = lead_times.promise_anew(
        session, current_shop(), order.id, order.lead_time, placed_at=order.placed_at, moment=now()
    )
    if made is not None:
        order.lead_time, order.promised_on = made, date.fromisoformat(made["promised_on"])


def record(session: Session, order: Order, from_state: str, actor: str, reason: str = "") -> None:
    """Note where an order now stands and who brought it there."""
    session.execute(
        _NOTE,
        {
            "order_id": order.id,
            "from_state": from_state,
            "to_state": order.state,
            "actor": actor[:254],
            "at": now(),
            "reason": reason[:1000],
        },
    )


def may_cancel(order: Order) -> bool:
    """Whether its buyer may still cancel: before production begins."""
    return order.state in BUYER_MAY_CANCEL


def approve(order_id: int, actor: str, reason: str = "") -> Moved | NotMoved:
    """The owner lets a held order go on: its payment starts at once. Opens its own transactions."""
    from storefront import payments

    with write() as session:
        done = move(session, order_id, "awaiting_payment", actor, reason)
        if isinstance(done, Moved):
            stock.keep_until(session, order_id, now() + UNPAID)
            jobs.enqueue(session, "payment.start", {"order_id": order_id}, at=now() + START_AGAIN_AFTER)
            jobs.enqueue(session, "order.mail", {"order_id": order_id, "event": "approved"})
            told = {"order_id": order_id, "by": actor, "reason": reason}
            plugin_events.emit(session, "order_approved", told)
    if isinstance(done, Moved):
        payments.start_for(order_id)
    return done


def _give_up(order_id: int) -> bool:
    from storefront.payments import reconcile

    if not reconcile.may_give_up(order_id):
        return False
    with write() as session:
        held = session.scalars(locked(select(Order).where(Order.id == order_id))).one()
        if held.state != "awaiting_payment":  # paid since, or ended by somebody else's hand
            return False
        return isinstance(move(session, order_id, "cancelled", "system", "payment time ran out"), Moved)


def cancel_unpaid() -> int:
    """Cancel orders whose time to pay has run out, and give their stock back; how many. For the worker.

    The provider is asked once more before: money whose notice was lost is not sent away.
    """
    from storefront.payments import reconcile

    with write() as session:
        statement = select(stock.Reservation.order_id).where(stock.Reservation.expires_at <= now()).distinct()
        late = [*session.scalars(statement.limit(200)), *reconcile.overdue(session)]
    cancelled = 0
    for order_id in late:
        try:
            cancelled += _give_up(order_id)
        except Exception:  # one that cannot be ended must not keep the others from it
            log.exception("the unpaid order %s could not be ended", order_id)
    return cancelled
