"""What the provider says of refunds that nobody asked for here: made on its own page, or sent back by the bank."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from plugins.contract import Result
from storefront.clock import now
from storefront.orders.models import Order
from storefront.payments import telling
from storefront.payments.models import (
    ASK_AGAIN_AFTER,
    BY_HAND,
    CAME_BACK,
    MISMATCH,
    SETTLED,
    Payment,
    Refund,
)

ANSWERS_WITHIN = timedelta(minutes=5)  # an answer may have been asked for so long ago


def has_refund_under_way(session: Session, payment_id: int) -> bool:
    """Whether a refund waits for the provider's word; one that waits for a person's does not count."""
    waits = select(func.count()).where(
        Refund.payment_id == payment_id,
        Refund.state == "requested",
        func.coalesce(Refund.code, "") != MISMATCH,
    )
    return bool(session.scalar(waits))


def note_made_there(session: Session, payment: Payment, result: Result, actor: str) -> None:
    """What was paid back at the provider itself becomes a row too, so that the sum stays right.

    While a refund of ours is on its way nobody knows whether it is in the provider's sum: it is asked once more then.
    """
    if payment.ask_at is None and has_refund_under_way(session, payment.id):
        payment.ask_at = now() + ASK_AGAIN_AFTER
    theirs = func.coalesce(Refund.answered_minor, 0)  # of a refund that does not fit and nobody looked at yet
    counts = case((theirs > Refund.amount_minor, theirs), else_=Refund.amount_minor)
    known = select(func.coalesce(func.sum(counts), 0)).where(
        Refund.payment_id == payment.id, Refund.state != "failed"
    )
    of_all = int(session.scalar(known) or 0)
    by_hand = int(
        session.scalar(known.where(Refund.code == BY_HAND)) or 0
    )  # the provider knows nothing of it
    taken = payment.amount_minor if payment.captured_minor is None else payment.captured_minor
    more = min(result.amount.minor - (of_all - by_hand), taken - of_all)
    if more > 0:
        count = int(session.scalar(select(func.count()).where(Refund.payment_id == payment.id)) or 0)
        made = Refund(
            payment_id=payment.id,
            amount_minor=more,
            key=f"{payment.id}:refund:{count + 1}",
            state="done",
            reason="at the provider",
            actor=actor[:254],
            done_at=now(),
        )
        session.add(made)
        session.flush()
        telling.refunded(session, payment, made)


def note_came_back(session: Session, order: Order, payment: Payment, result: Result) -> str | None:
    """A refund that was done may fail after days: the buyer's bank sent the money back, and the sum there sinks.

    Returns the state of its payment from then on, None where nothing changed. An answer that may be older than the
    newest refund says nothing: it is asked once more then.
    """
    theirs = (Refund.state == "done", func.coalesce(Refund.code, "").not_in((BY_HAND, SETTLED)))
    done = session.scalars(select(Refund).where(Refund.payment_id == payment.id, *theirs)).all()
    there = result.amount.minor if result.status == "refunded" else 0
    missing = sum(each.amount_minor for each in done) - there
    if missing <= 0:
        return None
    if any(each.done_at and each.done_at > now() - ANSWERS_WITHIN for each in done):
        payment.ask_at = payment.ask_at or now() + ANSWERS_WITHIN + ASK_AGAIN_AFTER
        return None
    lost = [each for each in done if each.amount_minor == missing][-1:] if there else done
    for each in lost:
        each.state, each.code = "failed", CAME_BACK
        words = f"{order.number}: {each.amount_minor} {payment.currency} were paid back and came back"
        telling.alarm(session, "refund_failed", words, payment, refund=each.id, code=CAME_BACK)
    if not lost:
        words = f"{order.number}: {missing} {payment.currency} of what was paid back came back"
        telling.alarm(session, "refund_failed", words, payment, once=True)
        return None
    session.flush()
    left = select(func.count()).where(Refund.payment_id == payment.id, Refund.state == "done")
    return "partially_refunded" if session.scalar(left) else "captured"
