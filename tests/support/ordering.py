"""Places orders without a browser: looks at the cart as the checkout page does, then confirms what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront.accounts import Company, User
from storefront.clock import today
from storefront.database import get_session
from storefront.orders import Order
from storefront.orders.placing import CheckoutChoice, Outcome, Placed, place_order
from storefront.orders.preparing import Prepared, prepare
from storefront.pricing import Wanted
from storefront.shipping.quoting import Destination
from storefront.shop import current_shop

OSAKA = Destination(
    recipient="林 美咲",
    postcode="5770000",
    region="JP-27",
    city="東大阪市",
    street="本町 4-5-6",
    phone="06-0000-1111",
    label="本社工場",
)
_keys = count(1)


def wanted(lines: Mapping[str, int]) -> list[Wanted]:
    return [Wanted(sku, quantity, str(place)) for place, (sku, quantity) in enumerate(lines.items(), 1)]


def person(login: str) -> User:
    return get_session().scalars(select(User).where(User.email == f"{login}@example.com")).one()


def look(
    login: str,
    lines: Mapping[str, int],
    *,
    shipping: str = "flat_rate",
    payment: str = "bank_transfer",
    lead_time: str | None = None,
) -> Prepared:
    """What the checkout page shows; needs an application context."""
    session = get_session()
    company = session.get_one(Company, person(login).company_id)
    prepared = prepare(
        session,
        current_shop(),
        company,
        wanted(lines),
        to=OSAKA,
        shipping_code=shipping,
        payment_code=payment,
        lead_time_code=lead_time,
        on=today(),
    )
    assert prepared is not None
    return prepared


def place(
    login: str,
    lines: Mapping[str, int],
    *,
    shipping: str = "flat_rate",
    payment: str = "bank_transfer",
    key: str | None = None,
    fingerprint: str | None = None,
    **choice: Any,
) -> Outcome:
    """Confirm what `look` shows (or another fingerprint); needs an application context."""
    if fingerprint is None:
        tier = choice.get("lead_time")
        seen = look(login, lines, shipping=shipping, payment=payment, lead_time=tier)
        fingerprint = seen.priced.fingerprint
    user = person(login)
    assert user.company_id is not None
    return place_order(
        current_shop(),
        company_id=user.company_id,
        user_id=user.id,
        wanted=wanted(lines),
        choice=CheckoutChoice(OSAKA, shipping, payment, **choice),
        key=key or f"test-key-{next(_keys)}",
        fingerprint=fingerprint,
        on=today(),
        actor=user.email,
    )


def placed(login: str, lines: Mapping[str, int], **options: Any) -> Order:
    """A placed order, loaded."""
    outcome = place(login, lines, **options)
    assert isinstance(outcome, Placed), outcome
    return get_session().get_one(Order, outcome.order_id)


def allow_terms(app: Flask, code: str, limit: int) -> None:
    """Give a company a credit limit and terms."""
    from storefront.database import write

    with app.app_context(), write() as session:
        company = session.scalars(select(Company).where(Company.code == code)).one()
        company.credit_limit_minor = limit
        company.terms = {"closing_day": 20, "pay_month": 1, "pay_day": 31}
