"""Paying back: the sum is checked under the payment's lock before the provider hears of it, the key is stored first.

An unknown outcome stays requested and counts as paid back until the provider says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from plugins.contract import Capability, Money, PaymentView, Result
from plugins.guard import Failure
from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, retrying, write
from storefront.incidents import record_incident
from storefront.language import N_
from storefront.orders.models import Order
from storefront.payments import telling
from storefront.payments.attempts import view_of
from storefront.payments.models import ALLOWED, BY_HAND, MISMATCH, SETTLED, UNKNOWN, Payment, Refund
from storefront.payments.transition import change, hold, tell_plugins
from storefront.shop import current_shop

# While the first caller may still be at it nobody else asks; afterwards the outbox does.
TAKEN_UP_AFTER = timedelta(minutes=2)
REFUNDABLE = frozenset({"captured", "partially_refunded"})


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund that was taken up: `done`, `failed`, or `requested` while its outcome is not known."""

    refund_id: int
    state: str
    left_minor: int


@dataclass(frozen=True, slots=True)
class NotRefunded:
    """Nothing was done, and why: a msgid; `left_minor` is what could be paid back."""

    code: str
    left_minor: int


WHY = {
    "amount": N_("The amount is not above zero."),
    "state": N_("Only what was paid can be paid back."),
    "too_much": N_("That is more than is left of what was paid."),
    "gone": N_("The plugin of this payment is not active. Pay back by hand and note it here."),
    "unable": N_("This way of paying cannot pay back. Pay back by hand and note it here."),
    "whole": N_("This way of paying can pay back the whole amount only."),
    "settled": N_("Somebody has settled this refund already."),
}


def refund(
    payment_id: int, amount_minor: int, reason: str, actor: str, *, by_hand: bool = False
) -> Refunded | NotRefunded:
    """Pay back a part or all of a payment. `by_hand` notes money that somebody sends without the plugin.

    Opens its own transactions: the sum and the key in the first, the provider between, its answer in the last.
    """
    asked = _request(payment_id, amount_minor, reason, actor, by_hand)
    if isinstance(asked, NotRefunded) or by_hand:
        return asked
    return carry_out(asked.refund_id)


@retrying
def _request(
    payment_id: int, amount_minor: int, reason: str, actor: str, by_hand: bool
) -> Refunded | NotRefunded:
    with write() as session:
        order, payment = hold(session, payment_id)
        left = left_minor(session, payment)
        refused = _refused(payment, amount_minor, left, by_hand)
        if refused is not None:
            return NotRefunded(refused, left)
        count = session.scalar(select(func.count()).where(Refund.payment_id == payment.id)) or 0
        row = Refund(
            payment_id=payment.id,
            amount_minor=amount_minor,
            key=f"{payment.id}:refund:{count + 1}",
            reason=reason[:500],
            actor=actor[:254],
            at=now(),
        )
        session.add(row)
        session.flush()
        if by_hand:
            _settle(session, order, payment, row, "done", BY_HAND)
        else:
            jobs.enqueue(session, "payment.refund", {"refund_id": row.id}, at=now() + TAKEN_UP_AFTER)
        return Refunded(row.id, row.state, left - amount_minor)


def _refused(payment: Payment, amount_minor: int, left: int, by_hand: bool) -> str | None:
    if amount_minor <= 0:
        return "amount"
    if payment.state not in REFUNDABLE:
        return "state"
    if amount_minor > left:
        return "too_much"
    return None if by_hand else unable(payment, amount_minor)


def unable(payment: Payment, amount_minor: int | None = None) -> str | None:
    """Why the plugin cannot pay this back; None when it can."""
    plugins = current_shop().plugins
    if payment.provider not in plugins.payments:
        return "gone"
    if not plugins.can(payment.provider, Capability.REFUND):
        return "unable"
    is_part = amount_minor is not None and amount_minor != captured_minor(payment)
    return "whole" if is_part and not plugins.can(payment.provider, Capability.PARTIAL_REFUND) else None


def captured_minor(payment: Payment) -> int:
    """What the provider took."""
    return payment.amount_minor if payment.captured_minor is None else payment.captured_minor


def left_minor(session: Session, payment: Payment) -> int:
    """What may still be paid back: what was taken less every refund that did not fail."""
    return captured_minor(payment) - _sum(session, payment.id, "requested", "done")


def paid_back_minor(session: Session, payment: Payment) -> int:
    """What went back for certain."""
    return _sum(session, payment.id, "done")


def of_order(session: Session, order_id: int) -> list[Refund]:
    """What was paid back, or is on its way, of an order; oldest first. A refund that failed is not the buyer's."""
    statement = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == order_id, Refund.state != "failed")
        .order_by(Refund.id)
    )
    return list(session.scalars(statement))


def odd(session: Session, payment_id: int) -> list[Refund]:
    """Refunds that only a person can end, until somebody has settled them."""
    mine = (Refund.payment_id == payment_id, _is_odd())
    return list(session.scalars(select(Refund).where(*mine).order_by(Refund.id)))


def _is_odd() -> ColumnElement[bool]:
    """Of a refund under way: the provider says another amount, or its plugin is not there to be asked."""
    paid, active = aliased(Payment), tuple(current_shop().plugins.payments)
    may_be_asked = exists().where(paid.id == Refund.payment_id, paid.provider.in_(active))
    return (Refund.state == "requested") & ((Refund.code == MISMATCH) | ~may_be_asked)


def was_made_good() -> ColumnElement[bool]:
    """Of a refund that failed: another of the same payment followed, or somebody settled it."""
    later = aliased(Refund)
    followed = (later.payment_id == Refund.payment_id, later.id > Refund.id, later.state == "done")
    return exists().where(*followed) | (func.coalesce(Refund.code, "") == SETTLED)


def needs_somebody() -> ColumnElement[bool]:
    """Of a refund: it does not fit, or it failed and the money has not gone back by another."""
    return _is_odd() | ((Refund.state == "failed") & ~was_made_good())


def _sum(session: Session, payment_id: int, *states: str) -> int:
    statement = select(func.coalesce(func.sum(Refund.amount_minor), 0))
    return int(
        session.scalar(statement.where(Refund.payment_id == payment_id, Refund.state.in_(states))) or 0
    )


def carry_out(refund_id: int) -> Refunded:
    """Ask the provider under the stored key and book its answer. Safe to call again: one key is one refund."""
    with write() as session:
        row = session.get_one(Refund, refund_id)
        payment = session.get_one(Payment, row.payment_id)
        if row.state != "requested" or row.code == MISMATCH:
            return Refunded(row.id, row.state, left_minor(session, payment))
        view = view_of(session.get_one(Order, payment.order_id), payment)
    result = _ask(view, payment, row)
    with write() as session:
        order, payment = hold(session, payment.id)
        row = session.get_one(Refund, refund_id, populate_existing=True)
        is_open = row.state == "requested" and row.code != MISMATCH  # nobody booked an answer meanwhile
        if is_open and result is not None:
            _book(session, order, payment, row, result)
        elif is_open:
            row.code = row.code or UNKNOWN  # what the provider said before still stands
        return Refunded(row.id, row.state, left_minor(session, payment))


def _ask(view: PaymentView, payment: Payment, row: Refund) -> Result | None:
    plugins = current_shop().plugins
    if payment.provider not in plugins.payments:
        return None
    amount = Money(row.amount_minor, payment.currency)
    answer = plugins.refund(payment.provider, view, amount, key=row.key, reason=row.reason or None)
    return None if isinstance(answer, Failure) else answer.value


def _book(session: Session, order: Order, payment: Payment, row: Refund, result: Result) -> None:
    row.message = dict(result.buyer_message) if result.buyer_message else None
    is_first = row.code in (None, UNKNOWN)
    if result.status == "refunded" and result.amount != Money(row.amount_minor, payment.currency):
        row.code = MISMATCH  # counts as paid back until somebody has looked
        told = f"asked {row.amount_minor} {payment.currency}, answered {result.amount.minor} {result.amount.currency}"
        is_same = result.amount.currency == payment.currency
        row.answered_minor = result.amount.minor if is_same else None
        telling.alarm(session, "refund_review", f"{order.number}: {told}", payment, refund=row.id)
    elif result.status == "refunded":
        _settle(session, order, payment, row, "done", result.code)
    elif result.status in ("failed", "canceled"):
        _settle(session, order, payment, row, "failed", result.code)
    else:
        row.code = result.code or "pending"
        if is_first and row.message:
            telling.refund_waits(session, payment, row)


def _settle(
    session: Session, order: Order, payment: Payment, row: Refund, state: str, code: str | None = None
) -> None:
    # otherwise the owner, who asked for it, reads on the page that it failed
    has_waited = row.code is not None or now() >= row.at + TAKEN_UP_AFTER
    row.state, row.code, row.done_at = state, code, now()
    if state == "failed":
        words = f"{order.number}: {payment.provider} did not pay back {row.amount_minor} {payment.currency}"
        if has_waited:
            telling.alarm(session, "refund_failed", words, payment, refund=row.id, code=code)
        else:
            record_incident(session, "refund_failed", words, {"refund": row.id, "code": code})
        return
    telling.refunded(session, payment, row)
    session.flush()
    is_all = paid_back_minor(session, payment) >= captured_minor(payment)
    to = "refunded" if is_all else "partially_refunded"
    if to in ALLOWED[payment.state]:  # what is in review or paid back already stays so
        change(session, payment, to, row.actor, f"{row.key} {row.amount_minor}")
        payment.updated_at = now()
    else:
        tell_plugins(session, payment, to)  # the same state, and more of the money is back


def settle(refund_id: int, amount_minor: int, reason: str, actor: str) -> Refunded | NotRefunded:
    """End a refund that does not fit: a person looked, and so much went back; 0 when nothing did. Moves no money."""
    with write() as session:
        order, payment = hold(session, session.get_one(Refund, refund_id).payment_id)
        row = session.get_one(Refund, refund_id, populate_existing=True)
        most = left_minor(session, payment) + row.amount_minor
        is_odd = row.code == MISMATCH or payment.provider not in current_shop().plugins.payments
        if row.state != "requested" or not is_odd:
            return NotRefunded("settled", most - row.amount_minor)
        if not 0 <= amount_minor <= most:
            return NotRefunded("amount" if amount_minor < 0 else "too_much", most)
        row.reason, row.actor = f"{row.reason}; {reason}"[:500], actor[:254]
        if amount_minor:
            row.amount_minor = amount_minor
            _settle(session, order, payment, row, "done", SETTLED)
        else:
            row.state, row.code, row.done_at = "failed", SETTLED, now()
        return Refunded(row.id, row.state, most - amount_minor)


@jobs.handles("payment.refund")
def take_up(job: jobs.Job) -> None:
    """A refund whose first caller died or got no answer is asked about again, under the same key."""
    refund_id = int(job.payload["refund_id"])
    if carry_out(refund_id).state != "requested":
        return
    row = get_session().get_one(Refund, refund_id, populate_existing=True)
    if row.code in (None, UNKNOWN):
        raise ConnectionError(f"refund {refund_id} has no outcome yet")
    if row.code != MISMATCH:  # which is for a person to end
        raise jobs.NotNow(f"the provider is at refund {refund_id}", jobs.again(row.at))
