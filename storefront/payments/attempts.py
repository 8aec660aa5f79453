"""Attempts to pay: created with the order, started once, asked about, and tried again after a failure.

Plugins are called outside every transaction. An unknown outcome stays pending.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from plugins.contract import Money, PaymentView, Result
from plugins.guard import Failure
from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, write
from storefront.language import language
from storefront.orders.models import Order
from storefront.payments.models import ASK_AGAIN_AFTER, UNKNOWN, Payment
from storefront.payments.offering import buyer_view, terms_of
from storefront.payments.transition import apply, hold
from storefront.shop import Shop, current_shop


def create(session: Session, order: Order, provider: str | None = None) -> Payment:
    """A payment of an order, with its key, inside the caller's transaction."""
    payment = Payment(
        order_id=order.id,
        provider=provider or order.payment_code or "",
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


_BOTH = (
    select(Payment, Order)
    .join(Order, Order.id == Payment.order_id)
    .options(joinedload(Order.company))
    .order_by(Payment.id.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)
_NEWEST = _BOTH.where(Payment.order_id == bindparam("order"))
_THIS = _BOTH.where(Payment.id == bindparam("payment"))


def start_for(order_id: int) -> str | None:
    """Start the newest payment of an order that waits for it; its state afterwards. Safe to call again.

    Called after the order's commit, and by the outbox for orders whose process died in between.
    """
    shop = current_shop()
    reading = get_session()
    found = reading.execute(_NEWEST, {"order": order_id}).first()
    if found is None:
        return None
    payment, order = found
    if payment.state != "created" or order.state != "awaiting_payment":
        return str(payment.state)
    view = view_of(order, payment)
    reading.commit()  # no snapshot is held while the provider is asked
    result = begin(shop, order.number, payment, view) or _unknown(payment)
    with write() as session:
        held = _let_go_if_canceled(session, payment.id)
        if result.code == UNKNOWN and held.state != "created":
            return held.state  # somebody else had an answer, which says more than none
        if result.code == UNKNOWN:
            later = now() + ASK_AGAIN_AFTER
            jobs.enqueue(session, "payment.ask", {"payment_id": payment.id}, at=later)
        return apply(session, payment.id, result, actor=payment.provider, asked_in=payment.state)


def _let_go_if_canceled(session: Session, payment_id: int) -> Payment:
    """What has just been begun at the provider ends there too when the payment was given up here meanwhile."""
    _order, held = hold(session, payment_id)
    if held.state == "canceled":
        jobs.enqueue(session, "payment.void", {"payment_id": held.id})
    return held


def begin(shop: Shop, number: str, payment: Payment, view: PaymentView) -> Result | None:
    """Call the plugin under the stored key; None when it gave no usable answer."""
    if payment.provider not in shop.plugins.payments:
        return None
    return_url = f"{shop.settings.base_url}/orders/{number}/payment"
    answer = shop.plugins.start(payment.provider, view, key=payment.attempt_key, return_url=return_url)
    return None if isinstance(answer, Failure) else answer.value


def _unknown(payment: Payment) -> Result:
    """No usable answer: whether the provider took the money is not known, so nothing is called failed."""
    amount = Money(payment.amount_minor, payment.currency)
    return Result("pending", payment.provider_ref, amount, payment.attempt_key, code=UNKNOWN)


def view_of(order: Order, payment: Payment) -> PaymentView:
    """What the plugin sees of a payment."""
    return PaymentView(
        id=str(payment.id),
        order_number=order.number,
        amount=Money(payment.amount_minor, payment.currency),
        state=payment.state,
        on=order.on,
        buyer=buyer_view(order.company, payment.currency, terms=terms_of(order)),
        provider_ref=payment.provider_ref,
        language=language(),
    )


def ask(payment_id: int, *, actor: str = "") -> str | None:
    """Ask the provider for the truth and book it; the payment's state, None where there is no usable answer.

    One that may never have arrived is begun again under the same key: one key is one payment at the provider.
    """
    shop, reading = current_shop(), get_session()
    payment, order = reading.execute(_THIS, {"payment": payment_id}).one()
    view = view_of(order, payment)
    reading.commit()
    if payment.provider not in shop.plugins.payments:
        return None
    found = shop.plugins.fetch(payment.provider, view)
    result = None if isinstance(found, Failure) else found.value
    is_unknown = payment.state == "pending" and payment.code == UNKNOWN
    is_wanted = order.state == "awaiting_payment"  # nothing is begun for an order that was given up
    is_begun = is_unknown and is_wanted and (result is None or result.status == "pending")
    if is_begun:
        result = begin(shop, order.number, payment, view)
    if result is None and not is_begun:
        return None
    with write() as session:
        if is_begun:
            _let_go_if_canceled(session, payment.id)
        if result is None:
            return None
        return apply(session, payment.id, result, actor=actor or payment.provider, asked_in=payment.state)


_LATEST = select(Payment).where(Payment.order_id == bindparam("order")).order_by(Payment.id.desc()).limit(1)


def payment_of(session: Session, order_id: int) -> Payment | None:
    """The latest payment of an order."""
    return session.scalars(_LATEST, {"order": order_id}).first()
