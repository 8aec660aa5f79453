"""Whether money there, money here, order and stock agree at the end of a life; each disagreement is a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import func, select

from storefront.database import get_session
from storefront.incidents import Incident
from storefront.jobs import Outbox
from storefront.orders.models import Order, OrderMove
from storefront.payments import Payment, PaymentMove
from storefront.payments.models import OPEN, PAID, Refund, WebhookEvent
from storefront.payments.refunds import captured_minor
from storefront.payments.timeline import payments_of
from storefront.stock import Reservation, StockItem
from support.bank import OPEN as OPEN_THERE
from support.bank import Bank
from support.lives import PIECES, Life

TOLD = ("payment_review", "paid_after_cancel", "paid_and_cancelled", "paid_twice", "payment_lost")


def disagreements(life: Life) -> list[str]:
    """What does not fit; needs the life to have settled down."""
    order, session = life.order(), get_session()
    here = payments_of(session, order.id)
    found: list[str] = []
    for payment in here:
        found += [f"{payment.id}: {each}" for each in _money(life.bank, payment)]
        found += [f"{payment.id}: {each}" for each in _history(payment)]
    found += _order(life.bank, order, here, set(session.scalars(select(Incident.kind))))
    found += _stock(order)
    found += _work()
    return found


def _money(bank: Bank, payment: Payment) -> Iterator[str]:
    name = str(payment.id)
    there, taken, back = bank.status(name), bank.taken(name), bank.paid_back(name)
    is_reviewed = payment.code == "reviewed"  # a person's word
    if len(bank.begun.get(name, ())) > 1:
        yield f"begun {len(bank.begun[name])} times"
    if taken and payment.state not in (*PAID, "review") and not is_reviewed:
        yield f"{taken} taken there, {payment.state} here"
    if not taken and payment.state in PAID and not is_reviewed:
        yield f"{there or 'nothing'} there, {payment.state} here"
    if taken and payment.state in PAID and not is_reviewed and captured_minor(payment) != taken:
        yield f"{taken} taken there, {captured_minor(payment)} here"
    rows = get_session().scalars(select(Refund).where(Refund.payment_id == payment.id)).all()
    noted = sum(each.amount_minor for each in rows if each.state == "done" and each.reason != "by hand")
    by_hand = sum(each.amount_minor for each in rows if each.state == "done" and each.reason == "by hand")
    if noted != min(back, taken - by_hand) and payment.state != "review" and not is_reviewed:
        yield f"{back} paid back there, {noted} noted"
    if back > taken or (taken and back + by_hand > taken and bank.is_trusting):
        yield f"{back} and {by_hand} by hand paid back of {taken}"
    if any(each.state == "requested" for each in rows):
        yield "a refund without an end"
    if not is_reviewed and payment.state in PAID and payment.state != "disputed":
        is_all = noted + by_hand >= captured_minor(payment)
        expected = "refunded" if is_all else "partially_refunded" if noted + by_hand else "captured"
        if payment.state != expected:
            yield f"{payment.state}, but {noted + by_hand} of {captured_minor(payment)} are paid back"


def _history(payment: Payment) -> Iterator[str]:
    """Each move begins where the last one ended."""
    rows = get_session().scalars(
        select(PaymentMove).where(PaymentMove.payment_id == payment.id).order_by(PaymentMove.id)
    )
    moves = [("", "created")] + [(each.from_state, each.to_state) for each in rows]
    for (_, to), (begins, _) in pairwise(moves):
        if to != begins:
            yield f"moved to {to}, then from {begins}"
    if moves[-1][1] != payment.state:
        yield f"moved to {moves[-1][1]}, is {payment.state}"


def _order(bank: Bank, order: Order, here: Sequence[Payment], told: set[str]) -> Iterator[str]:
    is_told = bool(told.intersection(TOLD))
    taken = sum(bank.taken(str(each.id)) - bank.paid_back(str(each.id)) for each in here)
    is_paid = any(each.state in (*PAID, "authorized") for each in here)
    if order.state == "confirmed" and not is_paid and not is_told:
        yield "confirmed without a payment, and nobody was told"
    if order.state == "awaiting_payment" and not any(each.state == "review" for each in here):
        yield f"waits for a payment that is {here[-1].state}"
    if order.state == "cancelled" and taken > 0 and not is_told:
        yield f"cancelled, {taken} are kept, and nobody was told"
    if taken > order.total_minor and not is_told:
        yield f"{taken} taken for {order.total_minor}, and nobody was told"
    if order.state == "cancelled":
        for each in here:
            there = bank.status(str(each.id))
            is_known = each.state == "review" or each.code == "reviewed" or "void_untold" in told
            if there in OPEN_THERE and not is_known:
                yield f"{each.id}: cancelled, but {there} there and {each.state} here"
            if each.state in OPEN:
                yield f"{each.id}: cancelled, but {each.state} here"
    moves = get_session().execute(
        select(OrderMove.from_state, OrderMove.to_state)
        .where(OrderMove.order_id == order.id)
        .order_by(OrderMove.id)
    )
    for (_, to), (begins, _) in pairwise(moves.all()):
        if to != begins:
            yield f"order moved to {to}, then from {begins}"


def _stock(order: Order) -> Iterator[str]:
    held = get_session().scalars(select(Reservation.quantity).where(Reservation.order_id == order.id)).all()
    if held != ([] if order.state == "cancelled" else [PIECES]):
        yield f"{order.state} with {held} reserved"
    reserved = get_session().scalar(select(func.sum(Reservation.quantity)))
    counted = get_session().scalar(select(func.sum(StockItem.reserved)))
    if reserved != counted:
        yield f"{reserved} reserved, {counted} counted"
    if set(get_session().scalars(select(StockItem.on_hand))) != {10**6}:
        yield "stock changed though nothing was shipped"


def _work() -> Iterator[str]:
    """Nothing is left to do, and no message was lost sight of."""
    for kind, error in get_session().execute(
        select(Outbox.kind, Outbox.error).where(Outbox.done_at.is_(None))
    ):
        yield f"{kind} was never done: {error}"
    for event in get_session().scalars(select(WebhookEvent.event_id).where(WebhookEvent.state == "new")):
        yield f"the message {event} was never followed"
