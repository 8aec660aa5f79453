"""Taking money that was promised: a part or all of it, once. Amount and key are stored before the provider hears of it.

The sum is checked under the order's lock; what is not taken the provider lets go. An unknown outcome stays requested.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from plugins.contract import Capability, Money, PaymentView, Result
from plugins.guard import Failure
from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, retrying, write
from storefront.language import N_
from storefront.orders.models import Order
from storefront.payments.attempts import ask, payment_of, view_of
from storefront.payments.models import OPEN, PAID, UNKNOWN, Capture, Payment
from storefront.payments.transition import apply, hold
from storefront.shop import current_shop

# While the first caller may still be at it nobody else asks; afterwards the outbox does.
TAKEN_UP_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture that was taken up: `done`, `failed`, or `requested` while its outcome is not known."""

    capture_id: int
    state: str
    payment_state: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Nothing was done, and why: a key of WHY."""

    code: str
    payment_state: str


WHY = {
    "amount": N_("The amount is not above zero."),
    "state": N_("Only what was promised can be taken."),
    "too_much": N_("That is more than was promised."),
    "whole": N_("This way of paying can take the whole amount only."),
    "under_way": N_(
        "An earlier try to take another amount has no outcome yet; it is asked about until it has one."
    ),
}


def take(payment_id: int, amount_minor: int | None, reason: str, actor: str) -> Taken | NotTaken:
    """Take a part of what was promised, or all of it (None). Where the plugin is gone the owner's word counts.

    Opens its own transactions: the sum and the key in the first, the provider between, its answer in the last.
    """
    asked = _request(payment_id, amount_minor, reason, actor)
    if isinstance(asked, NotTaken) or asked.state != "requested":
        return asked
    return carry_out(asked.capture_id)


def capture(payment_id: int, actor: str) -> str:
    """Take all the money of a payment; the payment's state afterwards."""
    return take(payment_id, None, "", actor).payment_state


def mark_paid(order_id: int, actor: str) -> str | None:
    """The owner saw the money: capture and confirm the order. The payment's state, None without a payment."""
    payment = payment_of(get_session(), order_id)
    return None if payment is None else capture(payment.id, actor)


@retrying
def _request(payment_id: int, amount_minor: int | None, reason: str, actor: str) -> Taken | NotTaken:
    with write() as session:
        _order, payment = hold(session, payment_id)
        if payment.state not in OPEN:  # what is in review is the owner's to end, and what ended has ended
            return NotTaken("state", payment.state)
        amount = payment.amount_minor if amount_minor is None else amount_minor
        earlier = under_way(session, payment.id)
        if earlier is not None:
            is_same = earlier.amount_minor == amount
            return (
                Taken(earlier.id, earlier.state, payment.state)
                if is_same
                else NotTaken("under_way", payment.state)
            )
        refused = _refused(payment, amount)
        if refused is not None:
            return NotTaken(refused, payment.state)
        return _store(session, payment, amount, reason, actor)


def _store(session: Session, payment: Payment, amount: int, reason: str, actor: str) -> Taken:
    count = session.scalar(select(func.count()).where(Capture.payment_id == payment.id)) or 0
    row = Capture(
        payment_id=payment.id,
        amount_minor=amount,
        key=f"{payment.id}:capture:{count + 1}",
        state="requested",
        reason=reason[:500],
        actor=actor[:254],
        at=now(),
    )
    session.add(row)
    session.flush()
    if payment.provider in current_shop().plugins.payments:
        jobs.enqueue(session, "payment.capture", {"capture_id": row.id}, at=now() + TAKEN_UP_AFTER)
    else:
        seen = Result("captured", payment.provider_ref, Money(amount, payment.currency), row.key)
        apply(session, payment.id, seen, actor=actor)
        session.refresh(row)
    return Taken(row.id, row.state, payment.state)


def _refused(payment: Payment, amount_minor: int) -> str | None:
    if amount_minor <= 0:
        return "amount"
    if amount_minor > payment.amount_minor:
        return "too_much"
    return None if amount_minor == payment.amount_minor or may_take_part(payment) else "whole"


def may_take_part(payment: Payment) -> bool:
    """Whether less than all of it can be taken: only of what a provider holds for the shop."""
    can = current_shop().plugins.can
    return payment.state == "authorized" and can(payment.provider, Capability.PARTIAL_CAPTURE)


def under_way(session: Session, payment_id: int) -> Capture | None:
    """The capture whose outcome is not known yet."""
    waits = select(Capture).where(Capture.payment_id == payment_id, Capture.state == "requested")
    return session.scalars(waits.limit(1)).first()


def released_minor(session: Session, payment: Payment) -> int:
    """What was promised and left when a part was taken: the provider lets go of it.

    Less that was taken without being asked for is what the owner made of it in review, and says nothing of the rest.
    """
    taken = payment.captured_minor
    if payment.state not in PAID or taken is None or taken >= payment.amount_minor:
        return 0
    asked = select(Capture.id).where(
        Capture.payment_id == payment.id, Capture.state == "done", Capture.amount_minor == taken
    )
    return payment.amount_minor - taken if session.scalars(asked.limit(1)).first() is not None else 0


def carry_out(capture_id: int) -> Taken:
    """Ask the provider under the stored key and book its answer. Safe to call again: one key takes once."""
    with write() as session:
        row = session.get_one(Capture, capture_id)
        payment = session.get_one(Payment, row.payment_id)
        if row.state != "requested":
            return Taken(row.id, row.state, payment.state)
        view = view_of(session.get_one(Order, payment.order_id), payment)
    result = _ask(view, payment, row)
    with write() as session:
        _order, payment = hold(session, payment.id)
        row = session.get_one(Capture, capture_id, populate_existing=True)
        is_open = row.state == "requested"  # nobody booked an answer meanwhile
        if is_open and result is not None:
            _book(session, payment, row, result, view.state)
        elif is_open:
            row.code = row.code or UNKNOWN  # what the provider said before still stands
        done = Taken(row.id, row.state, payment.state)
    if result is None or result.status != "failed":
        return done
    # That nothing was taken says nothing about the promise: the provider says how it stands.
    return replace(done, payment_state=ask(payment.id, actor=row.actor) or done.payment_state)


def _ask(view: PaymentView, payment: Payment, row: Capture) -> Result | None:
    plugins = current_shop().plugins
    if payment.provider not in plugins.payments:
        return None
    amount = Money(row.amount_minor, payment.currency)
    answer = plugins.capture(payment.provider, view, amount, key=row.key)
    return None if isinstance(answer, Failure) else answer.value


def _book(session: Session, payment: Payment, row: Capture, result: Result, asked_in: str) -> None:
    """Captured ends the row with the payment's own move; any other word but failed is how the payment stands."""
    if result.status == "pending":
        row.code = result.code or "pending"
        return
    if result.status != "captured":
        row.state, row.code, row.done_at = "failed", result.code or result.status, now()
        session.flush()
    if result.status != "failed":
        apply(session, payment.id, result, actor=row.actor, asked_in=asked_in)
    session.refresh(row)


@jobs.handles("payment.capture")
def take_up(job: jobs.Job) -> None:
    """A capture whose first caller died or got no answer is asked about again, under the same key."""
    capture_id = int(job.payload["capture_id"])
    if carry_out(capture_id).state != "requested":
        return
    row = get_session().get_one(Capture, capture_id, populate_existing=True)
    if row.code in (None, UNKNOWN):
        raise ConnectionError(f"capture {capture_id} has no outcome yet")
    raise jobs.NotNow(f"the provider is at capture {capture_id}", jobs.again(row.at))
