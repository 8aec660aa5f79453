"""Attempts to pay: created with the order, started once, and one function by which a result changes anything.

Plugins are called outside every transaction. An unknown outcome stays pending; an odd one is for review, never paid.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from plugins.contract import Money, PaymentView, Result
from plugins.guard import Failure
from storefront import jobs, stock
from storefront.clock import now
from storefront.database import get_session, locked, write
from storefront.incidents import record_incident
from storefront.language import language
from storefront.orders.models import Order
from storefront.orders.moves import PAYMENT_GRACE, move
from storefront.payments.models import ALLOWED, ASK_AGAIN_AFTER, UNKNOWN, Payment, PaymentMove
from storefront.payments.offering import buyer_view
from storefront.shop import Shop, current_shop


def create(session: Session, order: Order) -> Payment:
    """The payment of a new order, with its key, inside the order's own transaction."""
    payment = Payment(
        order_id=order.id,
        provider=order.payment_code or "",
        state="created",
        amount_minor=order.total_minor,
        currency=order.currency,
        created_at=now(),
        updated_at=now(),
    )
    session.add(payment)
    session.flush()
    payment.attempt_key = f"{payment.id}:start:1"
    return payment


_FIRST = (
    select(Payment, Order)
    .join(Order, Order.id == Payment.order_id)
    .options(joinedload(Order.company))
    .where(Payment.order_id == bindparam("order"))
    .order_by(Payment.id)
    .limit(1)
    .execution_options(populate_existing=True)
)


def start_for(order_id: int) -> str | None:
    """Start the payment of an order that waits for it; the payment's state afterwards. Safe to call again.

    Called after the order's commit, and by the outbox for orders whose process died in between.
    """
    shop = current_shop()
    reading = get_session()
    found = reading.execute(_FIRST, {"order": order_id}).first()
    if found is None:
        return None
    payment, order = found
    if payment.state != "created" or order.state != "awaiting_payment":
        return str(payment.state)
    view = view_of(order, payment)
    reading.commit()  # no snapshot is held while the provider is asked
    result = begin(shop, order.number, payment, view) or _unknown(payment)
    with write() as session:
        if result.code == UNKNOWN:
            later = now() + ASK_AGAIN_AFTER
            jobs.enqueue(session, "payment.ask", {"payment_id": payment.id}, at=later)
        return apply(session, payment.id, result, actor=payment.provider)


def begin(shop: Shop, number: str, payment: Payment, view: PaymentView) -> Result | None:
    """Call the plugin under the stored key; None when it gave no usable answer."""
    if payment.provider not in shop.plugins.payments:
        return None
    return_url = f"{shop.settings.base_url}/orders/{number}"
    answer = shop.plugins.start(payment.provider, view, key=payment.attempt_key, return_url=return_url)
    return None if isinstance(answer, Failure) else answer.value


def _unknown(payment: Payment) -> Result:
    """No usable answer: whether the provider took the money is not known, so nothing is called failed."""
    amount = Money(payment.amount_minor, payment.currency)
    return Result("pending", payment.provider_ref, amount, payment.attempt_key, code=UNKNOWN)


def view_of(order: Order, payment: Payment) -> PaymentView:
    return PaymentView(
        id=str(payment.id),
        order_number=order.number,
        amount=Money(payment.amount_minor, payment.currency),
        state=payment.state,
        on=order.on,
        buyer=buyer_view(order.company, payment.currency),
        provider_ref=payment.provider_ref,
        language=language(),
    )


# The order's row is locked first, as everywhere.
_PAYMENT = locked(select(Payment).where(Payment.id == bindparam("payment")))
_ORDER = locked(
    select(Order).where(
        Order.id == select(Payment.order_id).where(Payment.id == bindparam("payment")).scalar_subquery()
    )
)


def apply(session: Session, payment_id: int, result: Result, *, actor: str) -> str:
    """Bring a provider's result into the books, inside a write transaction; the payment's state afterwards.

    The same state again changes nothing; a move that is not allowed is noted and put up as an incident, never made;
    another amount, currency or reference than asked goes to review.
    """
    order: Order = session.scalars(_ORDER, {"payment": payment_id}).one()
    payment: Payment = session.scalars(_PAYMENT, {"payment": payment_id}).one()
    to, note = result.status, result.code or ""
    wrong = _mismatch(payment, result)
    target = "review" if wrong else str(to)
    if target == payment.state and not wrong:
        _keep_details(payment, result)
        return payment.state
    if target not in ALLOWED[payment.state]:
        _note(session, payment, payment.state, actor, f"refused: {to} {wrong or ''}".strip())
        record_incident(
            session,
            "payment_move",
            f"{order.number}: {payment.provider} says {to}, the payment is {payment.state}",
            {"payment": payment.id, "wrong": wrong, "key": result.attempt_key},
        )
        return payment.state
    _note(session, payment, target, actor, wrong or note)
    payment.state = target
    if not wrong:
        _keep_details(payment, result)
    else:
        record_incident(session, "payment_review", f"{order.number}: {wrong}", {"payment": payment.id})
    _tell_order(session, order, payment, result)
    return payment.state


def _mismatch(payment: Payment, result: Result) -> str | None:
    asked = Money(payment.amount_minor, payment.currency)
    if result.status in ("authorized", "captured") and result.amount != asked:
        return (
            f"{payment.provider} answered {result.amount.minor} {result.amount.currency}, "
            f"asked {asked.minor} {asked.currency}"
        )
    if payment.provider_ref and result.provider_ref and payment.provider_ref != result.provider_ref:
        return f"{payment.provider} answered with another reference"
    return None


def _keep_details(payment: Payment, result: Result) -> None:
    payment.provider_ref = result.provider_ref or payment.provider_ref
    payment.instructions = dict(result.instructions) if result.instructions else payment.instructions
    payment.buyer_message = dict(result.buyer_message) if result.buyer_message else payment.buyer_message
    payment.redirect_url = result.redirect_url or payment.redirect_url
    payment.code = result.code
    payment.updated_at = now()


def _note(session: Session, payment: Payment, to: str, actor: str, note: str) -> None:
    session.add(
        PaymentMove(
            payment_id=payment.id,
            from_state=payment.state,
            to_state=to,
            actor=actor[:254],
            at=now(),
            note=note[:500],
        )
    )


def _tell_order(session: Session, order: Order, payment: Payment, result: Result) -> None:
    if order.state != "awaiting_payment":
        if payment.state == "captured" and order.state == "cancelled":
            record_incident(session, "paid_after_cancel", f"{order.number} was cancelled and is now paid")
        return
    if payment.state in ("authorized", "captured"):
        move(session, order, "confirmed", payment.provider)
    elif payment.state in ("failed", "canceled"):
        move(session, order, "cancelled", payment.provider, f"payment {payment.state}")
    elif result.expires_at is not None:
        late = result.expires_at + PAYMENT_GRACE
        stock.keep_until(session, order.id, late)


def mark_paid(order_id: int, actor: str) -> str | None:
    """The owner saw the money: capture and confirm the order. The payment's state, None without a payment."""
    shop = current_shop()
    with write() as session:
        payment = session.scalars(
            select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)
        ).first()
        if payment is None:
            return None
        view = view_of(session.get_one(Order, order_id), payment)
        key = f"{payment.id}:capture:1"
    if payment.provider not in shop.plugins.payments:
        result = Result(
            "captured", payment.provider_ref, view.amount, key
        )  # the plugin is gone, the money is there
    else:
        answer = shop.plugins.capture(payment.provider, view, view.amount, key=key)
        if isinstance(answer, Failure):
            return payment.state
        result = answer.value
    with write() as session:
        return apply(session, payment.id, result, actor=actor)


_LATEST = select(Payment).where(Payment.order_id == bindparam("order")).order_by(Payment.id.desc()).limit(1)


def payment_of(session: Session, order_id: int) -> Payment | None:
    """The latest payment of an order."""
    return session.scalars(_LATEST, {"order": order_id}).first()
