"""The one function by which a provider's answer changes anything: under the order's lock, from an allowed state.

The same state again changes nothing; a late failure never undoes a capture; an odd answer is for review, never paid.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from plugins.contract import Money, Result
from storefront import jobs, stock
from storefront.clock import now
from storefront.database import locked
from storefront.incidents import record_incident
from storefront.orders.models import Order
from storefront.orders.moves import DECLINED_AT_ONCE, PAYMENT_GRACE, move
from storefront.payments import refunds_there, telling
from storefront.payments.models import (
    ALLOWED,
    ASK_AGAIN_AFTER,
    CAME_BACK,
    ENDED,
    OPEN,
    PAID,
    RETRY_WITHIN,
    WAITING,
    Capture,
    Payment,
    PaymentMove,
)
from storefront.plugins import events as plugin_events

# The order's row is locked first, as everywhere.
_PAYMENT = locked(select(Payment).where(Payment.id == bindparam("payment")))
_ORDER = locked(
    select(Order).where(
        Order.id == select(Payment.order_id).where(Payment.id == bindparam("payment")).scalar_subquery()
    )
)
_OWNER = (
    select(Payment.id)
    .where(
        Payment.provider == bindparam("provider"),
        Payment.provider_ref == bindparam("ref"),
        Payment.order_id != bindparam("order"),
    )
    .limit(1)
)
_LATER = select(func.count()).where(
    Payment.order_id == bindparam("order"), Payment.id > bindparam("payment"), Payment.state != "failed"
)


def hold(session: Session, payment_id: int) -> tuple[Order, Payment]:
    """The payment and its order, locked until the transaction ends and read anew."""
    order: Order = session.scalars(_ORDER, {"payment": payment_id}).one()
    payment: Payment = session.scalars(_PAYMENT, {"payment": payment_id}).one()
    return order, payment


def apply(session: Session, payment_id: int, result: Result, *, actor: str, asked_in: str = "") -> str:
    """Bring a provider's result into the books, inside a write transaction; the payment's state afterwards.

    A move that is not allowed is noted and put up as an incident, never made; another amount, currency or
    reference than asked goes to review, and so does money for a payment that had ended. `asked_in` is the state in
    which the provider was asked: "not yet paid" is old news where somebody else booked more meanwhile.
    """
    order, payment = hold(session, payment_id)
    if result.notice:
        told = result.notice.get("en") or next(iter(result.notice.values()), "")
        record_incident(
            session, "payment_notice", f"{payment.provider}: {told}", {"notice": dict(result.notice)}
        )
    wrong = (
        _mismatch(payment, result, _asked(session, payment, result))
        or _of_another_order(session, payment, result)
        or _too_late(payment, result)
    )
    target = "review" if wrong or payment.state == "review" else _target(payment, result)
    if target == payment.state == "review":
        _keep_what_was_taken(payment, result)  # a person decides, whatever else is said meanwhile
        return payment.state
    if target == payment.state:
        if wrong is None:
            _keep_details(session, payment, result, payment.state)
            if result.status == "refunded":
                refunds_there.note_made_there(session, payment, result, actor)
            if payment.state in ("partially_refunded", "refunded"):
                _note_refunds_that_came_back(session, order, payment, result)
        return payment.state
    if target not in ALLOWED[payment.state]:
        note(session, payment, payment.state, actor, f"refused: {result.status} {wrong or ''}".strip())
        if asked_in and asked_in != payment.state and result.status in OPEN:
            return payment.state
        record_incident(
            session,
            "payment_move",
            f"{order.number}: {payment.provider} says {result.status}, the payment is {payment.state}",
            {"payment": payment.id, "wrong": wrong, "key": result.attempt_key},
        )
        return payment.state
    _make(session, order, payment, target, result, actor, wrong)
    return payment.state


def _make(
    session: Session, order: Order, payment: Payment, to: str, result: Result, actor: str, wrong: str | None
) -> None:
    before = payment.state
    change(session, payment, to, actor, wrong or result.code or "")
    payment.asks, payment.told_at = 0, None
    if before in OPEN and to not in OPEN:
        _end_captures(session, payment, to, result)
    payment.ask_at = _look_again(payment, result)
    _keep_what_was_taken(payment, result)
    if to == "refunded" and before in OPEN:
        payment.captured_minor = result.amount.minor  # it came and went before anybody here heard of it
    if result.status == "refunded" and not wrong:
        refunds_there.note_made_there(session, payment, result, actor)
    if wrong:
        payment.updated_at = now()
        telling.alarm(session, "payment_review", f"{order.number}: {wrong}", payment)
    else:
        _keep_details(session, payment, result, before)
    if to == "disputed":
        telling.alarm(session, "payment_disputed", f"{order.number}: the buyer disputes it", payment)
    tell_order(session, order, payment, before, result.expires_at)
    telling.after_move(session, order, payment, before)


def _end_captures(session: Session, payment: Payment, to: str, result: Result) -> None:
    """Whoever brought the answer: what was asked of this payment is done, or never will be."""
    state, code = ("done" if result.status == "captured" else "failed"), (None if to == "captured" else to)
    waits = (Capture.payment_id == payment.id, Capture.state == "requested")
    session.execute(update(Capture).where(*waits).values(state=state, code=code, done_at=now()))


def _keep_what_was_taken(payment: Payment, result: Result) -> None:
    """Money in another currency is none that can be paid back from here."""
    if result.status == "captured":
        payment.captured_minor = result.amount.minor if result.amount.currency == payment.currency else 0


def _target(payment: Payment, result: Result) -> str:
    """The state that an answer means here. `refunded` carries all that was paid back so far."""
    if result.status == "refunded":
        captured = payment.captured_minor if payment.captured_minor is not None else payment.amount_minor
        if payment.state == "refunded":
            return payment.state  # an answer from before the rest went back
        return "refunded" if result.amount.minor >= captured else "partially_refunded"
    if result.status == "captured" and payment.state in ("partially_refunded", "refunded"):
        return payment.state  # captured it was; what was paid back is known here
    return str(result.status)


def _asked(session: Session, payment: Payment, result: Result) -> Money:
    """What an answer has to say: the order's total, of a capture the part asked for, and afterwards what was taken."""
    minor = payment.amount_minor
    if payment.state == "authorized" and result.status == "captured":
        waits = select(Capture.amount_minor).where(
            Capture.payment_id == payment.id, Capture.state == "requested"
        )
        part = session.scalars(waits.limit(1)).first()
        minor = minor if part is None else part
    elif payment.state in PAID and result.status in ("captured", "refunded"):
        minor = minor if payment.captured_minor is None else payment.captured_minor
    return Money(minor, payment.currency)


def _mismatch(payment: Payment, result: Result, asked: Money) -> str | None:
    got = result.amount
    told = f"{payment.provider} answered {got.minor} {got.currency}, asked {asked.minor} {asked.currency}"
    if result.status in ("authorized", "captured") and result.amount != asked:
        return None if _is_known(payment, result) else told
    if result.status == "refunded" and (
        result.amount.currency != asked.currency
        or result.amount.minor > max(asked.minor, payment.captured_minor or 0)
    ):
        return told
    if result.status == "refunded" and payment.state in OPEN and result.amount.minor < asked.minor:
        return f"{payment.provider} paid back {result.amount.minor} of a payment that was not here yet"
    if payment.provider_ref and result.provider_ref and payment.provider_ref != result.provider_ref:
        return f"{payment.provider} answered with another reference"
    return None


def _of_another_order(session: Session, payment: Payment, result: Result) -> str | None:
    """Money that is told under a reference which is another order's already: one sum does not pay two orders."""
    if result.status not in ("authorized", "captured", "refunded") or not result.provider_ref:
        return None
    asked = {"provider": payment.provider, "ref": result.provider_ref, "order": payment.order_id}
    owner = session.scalar(_OWNER, asked)
    return None if owner is None else f"{payment.provider} answered with the reference of payment {owner}"


def _is_known(payment: Payment, result: Result) -> bool:
    """The owner looked at this other amount and took it as paid."""
    return (
        payment.state not in OPEN
        and result.amount.currency == payment.currency
        and result.amount.minor == payment.captured_minor
    )


def _too_late(payment: Payment, result: Result) -> str | None:
    if payment.state in ENDED and result.status in ("authorized", "captured", "refunded"):
        return f"{payment.provider} says {result.status} after the payment had ended ({payment.state})"
    return None


def _look_again(payment: Payment, result: Result) -> datetime | None:
    if payment.state in WAITING:
        return now() + ASK_AGAIN_AFTER
    return now() + RETRY_WITHIN if payment.state in ENDED else None


def _keep_details(session: Session, payment: Payment, result: Result, before: str) -> None:
    payment.provider_ref = result.provider_ref or payment.provider_ref
    if result.instructions and dict(result.instructions) != payment.instructions:
        payment.instructions = dict(result.instructions)
        telling.instructed(session, payment, before)
    payment.buyer_message = dict(result.buyer_message) if result.buyer_message else payment.buyer_message
    payment.redirect_url = result.redirect_url or payment.redirect_url
    payment.expires_at = result.expires_at or payment.expires_at
    payment.code = result.code
    payment.updated_at = now()


def change(session: Session, payment: Payment, to: str, actor: str, words: str) -> None:
    """The only line that changes a payment's state: kept as a move, and told to the plugins that listen."""
    note(session, payment, to, actor, words)
    before, payment.state = payment.state, to
    tell_plugins(session, payment, before)


def tell_plugins(session: Session, payment: Payment, before: str) -> None:
    """Leave the news of a payment to the plugins that listen."""
    told = {"order_id": payment.order_id, "payment_id": payment.id, "before": before, "after": payment.state}
    plugin_events.emit(session, "payment_changed", told)


def note(session: Session, payment: Payment, to: str, actor: str, words: str) -> None:
    """Keep one move, or one that was refused."""
    session.add(
        PaymentMove(
            payment_id=payment.id,
            from_state=payment.state,
            to_state=to,
            actor=actor[:254],
            at=now(),
            note=words[:500],
        )
    )


def tell_order(
    session: Session, order: Order, payment: Payment, before: str, expires_at: datetime | None = None
) -> None:
    """What a payment's new state means for its order. A newer attempt speaks for the order, an older one does not."""
    if payment.state in ("authorized", "captured") and order.state == "awaiting_payment":
        move(session, order, "confirmed", payment.provider)
        _let_go_of_the_others(session, payment)
    elif payment.state == "authorized" and (
        order.state == "cancelled" or _is_paid_by_another(session, payment)
    ):  # a promise that nobody waits for, of a provider that did not let go of it before
        jobs.enqueue(session, "payment.void", {"payment_id": payment.id})
    elif payment.state == "captured" and order.state == "cancelled":
        telling.alarm(session, "paid_after_cancel", f"{order.number} was cancelled and is now paid", payment)
    elif (
        payment.state == "captured" and before in (*OPEN, "review") and _is_paid_by_another(session, payment)
    ):
        telling.alarm(session, "paid_twice", f"{order.number} is paid by more than one payment", payment)
    elif (
        before == "authorized"
        and payment.state in ENDED
        and order.state != "cancelled"
        and not _is_paid_by_another(session, payment)
    ):
        words = (
            f"{order.number} goes on, but its payment is {payment.state}: {payment.provider} takes nothing"
        )
        telling.alarm(session, "payment_lost", words, payment)
    if order.state != "awaiting_payment" or _has_a_later(session, payment):
        return
    if payment.state == "failed" and before == "created" and _is_first(session, payment):
        move(session, order, "cancelled", payment.provider, DECLINED_AT_ONCE)  # still at the checkout
    elif payment.state in ("canceled", "refunded"):
        move(session, order, "cancelled", payment.provider, f"payment {payment.state}")
    elif payment.state == "review":
        stock.keep_until(session, order.id, None)  # until its owner has decided
    elif expires_at is not None:
        stock.keep_until(session, order.id, expires_at + PAYMENT_GRACE)


def _has_a_later(session: Session, payment: Payment) -> bool:
    return bool(session.scalar(_LATER, {"order": payment.order_id, "payment": payment.id}))


def _others(payment: Payment, *states: str) -> Any:
    return select(func.count()).where(
        Payment.order_id == payment.order_id, Payment.id != payment.id, Payment.state.in_(states)
    )


def _is_paid_by_another(session: Session, payment: Payment) -> bool:
    return bool(session.scalar(_others(payment, "authorized", *PAID)))


def _let_go_of_the_others(session: Session, payment: Payment) -> None:
    """Another attempt that is still open could be paid too."""
    if session.scalar(_others(payment, *OPEN)):
        jobs.enqueue(session, "payment.void", {"order_id": payment.order_id, "but": payment.id})


def _is_first(session: Session, payment: Payment) -> bool:
    earlier: Any = select(func.count()).where(Payment.order_id == payment.order_id, Payment.id < payment.id)
    return not session.scalar(earlier)


def _note_refunds_that_came_back(session: Session, order: Order, payment: Payment, result: Result) -> None:
    to = refunds_there.note_came_back(session, order, payment, result)
    if to == payment.state:
        tell_plugins(session, payment, to)  # the same state, and less of the money is back
    elif to is not None:
        change(session, payment, to, payment.provider, CAME_BACK)
