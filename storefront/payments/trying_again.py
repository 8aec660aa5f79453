"""Another try after a payment failed: a new attempt with a key of its own, by the same way of paying or another.

The order stays as it was confirmed, so what would change its total is shown with its reason and not begun.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import format, jobs
from storefront.accounts import Company
from storefront.clock import now
from storefront.database import get_session, locked, write
from storefront.language import _, text
from storefront.orders.credit import NET_TERMS, exposure_minor
from storefront.orders.models import Order
from storefront.payments import telling
from storefront.payments.attempts import create, payment_of, start_for
from storefront.payments.models import ASK_AGAIN_AFTER
from storefront.payments.offering import PaymentOption, offered, terms_of
from storefront.payments.transition import hold
from storefront.shop import current_shop


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay that the rules allowed for this order; `why_not` is empty where it can be chosen now."""

    option: PaymentOption
    why_not: str = ""

    @property
    def is_open(self) -> bool:
        return not self.why_not


def ways_again(order: Order) -> list[Way]:
    """Every way that rules allowed when the order was placed and plugins show now, with why some are closed.

    What the rules hid then is not named. Nothing is priced again.
    """
    allowed = {each["code"] for each in order.decision.get("payment", ()) if each.get("offered")}
    allowed.add(order.payment_code or "")
    return [
        Way(option, _why_not(order, option))
        for option in offered(
            current_shop(),
            order.company,
            total_minor=order.total_minor,
            goods_minor=order.goods_minor,
            on=order.on,
            terms=terms_of(order),
        )
        if option.code in allowed
    ]


def _why_not(order: Order, option: PaymentOption) -> str:
    fee = option.fee_minor or 0
    if not option.is_available:
        return text(option.reason) if option.reason else _("This way of paying is not open at the moment.")
    if fee != order.payment_fee_minor:
        asked, has = (format.money(each, order.currency) for each in (fee, order.payment_fee_minor))
        return _(
            "Its fee is %(fee)s without tax, and this order was confirmed with %(confirmed)s.",
            fee=asked,
            confirmed=has,
        )
    if option.code != order.payment_code and "order.payment" in current_shop().rulebook.edition().facts_used:
        return _("The prices of this order depend on the way to pay.")
    if option.code == NET_TERMS and not _has_credit(get_session(), order, order.company):
        return _("This order is more than what is left of your credit.")
    return ""


def _has_credit(session: Session, order: Order, company: Company) -> bool:
    limit = company.credit_limit_minor
    return limit is None or exposure_minor(session, company.id) + order.total_minor <= limit


def try_again(order: Order, method: str, actor: str) -> str | None:
    """Begin a new attempt; its state, or that of the attempt somebody else began. None: not offered."""
    way = next((each for each in ways_again(order) if each.option.code == method and each.is_open), None)
    if way is None:
        return None
    newest = payment_of(get_session(), order.id)
    assert newest is not None
    with write() as session:
        held, _payment = hold(session, newest.id)
        latest = payment_of(session, held.id)
        if held.state != "awaiting_payment" or latest is None or latest.state != "failed":
            return latest.state if latest is not None else None
        if method == NET_TERMS and not _has_credit_now(session, held):
            return None
        held.payment_code, held.payment_label = way.option.code, dict(way.option.label)
        begun = create(session, held, way.option.code)
        session.flush()
        telling.instruct_later(session, begun)  # the order's own mail told how to pay the first way
        jobs.enqueue(session, "payment.start", {"order_id": held.id}, at=now() + ASK_AGAIN_AFTER)
    return start_for(order.id)


def _has_credit_now(session: Session, order: Order) -> bool:
    """Asked under the company's lock, as when an order is placed; above the limit it is refused here, not held."""
    company = session.scalars(locked(select(Company).where(Company.id == order.company_id))).one()
    return _has_credit(session, order, company)
