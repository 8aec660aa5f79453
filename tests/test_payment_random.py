"""Random lives of payments: answers, webhooks (doubled, reordered, lost), returns, tries, refunds and dead processes.

Whatever happened, in the end money, order and stock agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import payments
from storefront.database import write
from storefront.incidents import Incident
from storefront.jobs import run_due
from storefront.orders.moves import cancel_unpaid, move
from storefront.payments import Payment, payment_of
from storefront.payments.models import Refund
from storefront.payments.reconcile import look_after
from storefront.payments.refunds import captured_minor, refund
from storefront.payments.timeline import payments_of
from storefront.payments.trying_again import try_again
from storefront.stock import Reservation, StockItem
from support.paying import again, dummy, dummy_shop, newly, order_of, pay_with, post, tell

SEQUENCES, STEPS = 60, 14
STARTS = ("captured", "authorized", "pending", "requires_action", "timeout", "timeout_after_commit")
ENDS = ("captured", "failed", "canceled", "pending", "requires_action")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.db'}") as app:
        app.extensions["koguchi"].plugins._guards["dummy"].allowed = 10**6  # its rest is real time
        with app.app_context(), write() as session:
            for item in session.scalars(select(StockItem)):
                item.on_hand = 10**6
        yield app


def step(app: Flask, first: Payment, dice: Random) -> None:
    """One thing happens, at the provider, in the shop, or to the machine."""
    provider, order = dummy(app), order_of(first)
    newest = payment_of(newly(), order.id)
    assert newest is not None
    any_of = dice.choice(payments_of(newly(), order.id))
    what = dice.randrange(9)
    if what == 0 and str(any_of.id) in provider.latest:
        before = provider.latest[str(any_of.id)].status
        if before not in ("captured", "canceled"):  # a provider does not lose money, or take it after a void
            provider.settle(str(any_of.id), dice.choice(ENDS))
        if before == "failed" and again(any_of).provider_ref:
            post(app.test_client(), again(any_of), "late")
    elif what == 1:
        event = f"{any_of.id}-{dice.randrange(3)}"  # often the same one again
        post(app.test_client(), again(any_of), dice.choice(ENDS), event=event)
    elif what == 2:
        run_due(dice.randrange(4))
    elif what == 3:
        payments.ask(any_of.id)
    elif what == 4:
        tell(
            app, outcome=dice.choice(STARTS), refund_outcome=dice.choice(("refunded", "declined", "timeout"))
        )
        try_again(order, "dummy", "hayashi")
    elif what == 5:
        refund(any_of.id, dice.choice((1, 700, captured_minor(any_of))), "", "owner")
    elif what == 6:
        look_after()
    elif what == 7 and dice.random() < 0.3:
        with write() as session:
            move(session, order.id, "cancelled", "hayashi")
    else:
        app.extensions["koguchi"].clock.forward(minutes=dice.choice((1, 10, 400)))


def settle_down(app: Flask) -> None:
    """The provider answers again, and the worker has all the time it needs."""
    tell(app, outcome="captured", refund_outcome="refunded")
    for _ in range(14):
        app.extensions["koguchi"].clock.forward(hours=7)
        run_due()
        look_after()
        cancel_unpaid()


def is_told(here: list[Payment]) -> bool:
    """Whether a person was told that a promised payment of these went away."""
    lost = newly().scalars(select(Incident).where(Incident.kind == "payment_lost")).all()
    return bool({(each.detail or {})["payment"] for each in lost} & {payment.id for payment in here})


def disagreements(app: Flask, first: Payment) -> list[str]:
    """What does not fit between the provider, the payments, the order and the stock."""
    provider, order = dummy(app), order_of(first)
    found: list[str] = []
    here = [again(each) for each in payments_of(newly(), order.id)]
    for payment in here:
        there: Any = provider.latest.get(str(payment.id))
        back = sum(
            answer.amount.minor
            for owner, answer in provider.refunds.values()
            if owner == str(payment.id) and answer.status == "refunded"
        )
        rows = newly().scalars(select(Refund).where(Refund.payment_id == payment.id)).all()
        noted = sum(each.amount_minor for each in rows if each.state == "done")
        if there is not None and there.status == "captured" and payment.state not in (
            "captured", "partially_refunded", "refunded", "review",
        ):  # fmt: skip
            found.append(f"{payment.id}: taken there, {payment.state} here")
        if noted != back:
            found.append(f"{payment.id}: {back} paid back there, {noted} noted")
        if back > captured_minor(payment):
            found.append(f"{payment.id}: {back} paid back of {captured_minor(payment)}")
        if any(each.state == "requested" for each in rows):
            found.append(f"{payment.id}: a refund without an end")
    is_paid = any(each.state in ("authorized", "captured", "partially_refunded", "refunded") for each in here)
    if order.state == "confirmed" and not is_paid and not is_told(here):
        found.append("confirmed without a payment, and nobody was told")
    held = newly().scalars(select(Reservation.id).where(Reservation.order_id == order.id)).all()
    if (order.state == "cancelled") == bool(held):
        found.append(f"{order.state} with {len(held)} reservations")
    return found


def test_whatever_happens_money_order_and_stock_agree_in_the_end(shop: Flask) -> None:
    with shop.app_context():
        for seed in range(SEQUENCES):
            dice = Random(seed)
            first = pay_with(shop, dice.choice(STARTS))
            for _ in range(STEPS):
                step(shop, first, dice)
            settle_down(shop)
            assert disagreements(shop, first) == [], seed


def test_control_money_booked_behind_the_shops_back_is_seen(shop: Flask) -> None:
    with shop.app_context():
        first = pay_with(shop, "pending")
        dummy(shop).settle(str(first.id), "captured")
        assert disagreements(shop, first) == [f"{first.id}: taken there, pending here"]
