"""Another try after a payment failed: a new attempt with a key of its own, by the same way of paying or another.

The order stays as it was confirmed, so only what costs the same fee is offered; on account needs a new order, where
the credit is looked at.
"""

from __future__ import annotations

from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, write
from storefront.orders.credit import NET_TERMS
from storefront.orders.models import Order
from storefront.payments.attempts import create, payment_of, start_for
from storefront.payments.models import ASK_AGAIN_AFTER
from storefront.payments.offering import PaymentOption, offered, terms_of
from storefront.payments.transition import hold
from storefront.shop import current_shop


def methods_again(order: Order) -> list[PaymentOption]:
    """The ways to pay this order that rules allowed when it was placed, plugins offer now, and cost the same."""
    allowed = {each["code"] for each in order.decision.get("payment", ()) if each.get("offered")}
    allowed.add(order.payment_code or "")
    return [
        option
        for option in offered(
            current_shop(),
            order.company,
            total_minor=order.total_minor,
            goods_minor=order.goods_minor,
            on=order.on,
            terms=terms_of(order),
        )
        if option.is_available
        and option.code in allowed
        and option.code != NET_TERMS
        and (option.fee_minor or 0) == order.payment_fee_minor
    ]


def try_again(order: Order, method: str, actor: str) -> str | None:
    """Begin a new attempt; its state, or that of the attempt somebody else began. None: not offered."""
    option = next((each for each in methods_again(order) if each.code == method), None)
    if option is None:
        return None
    newest = payment_of(get_session(), order.id)
    assert newest is not None
    with write() as session:
        held, _ = hold(session, newest.id)
        latest = payment_of(session, held.id)
        if held.state != "awaiting_payment" or latest is None or latest.state != "failed":
            return latest.state if latest is not None else None
        held.payment_code, held.payment_label = option.code, dict(option.label)
        create(session, held, option.code)
        jobs.enqueue(session, "payment.start", {"order_id": held.id}, at=now() + ASK_AGAIN_AFTER)
    return start_for(order.id)
