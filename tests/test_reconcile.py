"""Open payments are looked after without anybody telling the shop: asked with growing pauses, ended, given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.clock import now
from storefront.database import write
from storefront.jobs import run_due
from storefront.orders.moves import cancel_unpaid
from storefront.payments import Payment, ask, payment_of, reconcile
from storefront.payments.reconcile import look_after
from storefront.payments.review import resolve
from storefront.payments.trying_again import try_again
from storefront.stock import Reservation
from support.ordering import placed
from support.paying import CART, again, dummy, dummy_shop, incidents, newly, order_of, pay_with


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", database_url) as app:
        yield app


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Flask]:
    """For what does not depend on the kind of database."""
    with dummy_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.db'}") as app:
        yield app


@pytest.fixture
def asked(small: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The payments that the provider was asked about."""
    real, seen = dummy(small).fetch, []

    def fetch(payment: Any) -> Any:
        seen.append(payment.id)
        return real(payment)

    monkeypatch.setattr(dummy(small), "fetch", fetch)
    return seen


def reserved() -> int:
    return newly().scalar(select(func.count()).select_from(Reservation)) or 0


def forward(app: Flask, **parts: float) -> None:
    app.extensions["koguchi"].clock.forward(**parts)


def test_money_whose_webhook_was_lost_is_found(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        assert look_after() == 0  # not yet due
        forward(shop, minutes=1)
        assert look_after() == 1
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")
        assert look_after() == 0


def test_control_without_the_reconcile_job_the_order_waits_for_ever(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        forward(shop, days=2)
        run_due()
        assert (again(payment).state, order_of(payment).state) == ("requires_action", "awaiting_payment")


def test_the_pauses_grow_up_to_six_hours(small: Flask, asked: list[str]) -> None:
    with small.app_context():
        payment = pay_with(small, "pending")
        pauses = []
        for _ in range(12):
            due = again(payment).ask_at
            assert due is not None
            small.extensions["koguchi"].clock.moment = due
            look_after()
            later = again(payment).ask_at
            assert later is not None
            pauses.append(later - due)
        assert pauses == sorted(pauses)
        assert (pauses[0], pauses[-1]) == (timedelta(minutes=2), timedelta(hours=6))
        assert len(asked) == 12


def test_it_is_asked_once_more_right_after_the_time_to_pay_has_ended(small: Flask, asked: list[str]) -> None:
    with small.app_context():
        payment = pay_with(small, "pending")
        ends = now() + timedelta(minutes=2)
        with write() as session:
            session.get_one(Payment, payment.id).expires_at = ends
            session.get_one(Payment, payment.id).asks = 9
        forward(small, minutes=1)
        look_after()
        assert again(payment).ask_at == ends + timedelta(minutes=1)


def test_what_expired_at_the_provider_is_cancelled_and_its_stock_comes_back(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        assert reserved() == 1
        dummy(shop).settle(str(payment.id), "canceled")
        forward(shop, minutes=1)
        look_after()
        assert (again(payment).state, order_of(payment).state, reserved()) == ("canceled", "cancelled", 0)


def test_a_failed_payment_nobody_tried_again_gives_the_stock_back_after_a_day(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        dummy(small).settle(str(payment.id), "failed")
        forward(small, minutes=1)
        look_after()
        assert (again(payment).state, order_of(payment).state, reserved()) == (
            "failed",
            "awaiting_payment",
            1,
        )
        forward(small, hours=23)
        look_after()
        assert order_of(payment).state == "awaiting_payment"
        forward(small, hours=1)
        look_after()
        assert (order_of(payment).state, reserved()) == ("cancelled", 0)


def test_before_an_unpaid_order_is_cancelled_the_provider_is_asked(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        dummy(small).settle(str(payment.id), "captured")
        forward(small, days=31)
        assert cancel_unpaid() == 0
        assert order_of(payment).state == "confirmed"


def test_control_an_order_that_is_still_unpaid_is_cancelled(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        forward(small, days=31)
        assert cancel_unpaid() == 1
        assert order_of(payment).state == "cancelled"


def test_an_order_that_cannot_be_ended_does_not_keep_the_others_from_it(
    small: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reconcile.may_give_up
    with small.app_context():
        broken, late = pay_with(small, "requires_action"), pay_with(small, "requires_action")

        def asked(order_id: int) -> bool:
            if order_id == broken.order_id:
                raise LookupError("a row that nobody expected")
            return real(order_id)

        monkeypatch.setattr(reconcile, "may_give_up", asked)
        forward(small, days=31)
        assert cancel_unpaid() == 1
        assert [order_of(each).state for each in (broken, late)] == ["awaiting_payment", "cancelled"]


def test_while_the_provider_is_silent_nothing_is_cancelled(
    small: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_payment: object) -> None:
        raise TimeoutError

    with small.app_context():
        payment = pay_with(small, "requires_action")
        monkeypatch.setattr(dummy(small), "fetch", silent)
        forward(small, days=31)
        assert cancel_unpaid() == 0
        look_after()
        assert (again(payment).state, order_of(payment).state) == ("requires_action", "awaiting_payment")


def test_a_transfer_is_nobodys_to_ask_about(small: Flask) -> None:
    with small.app_context():
        payment = payment_of(newly(), placed("hayashi", CART).id)
        assert payment is not None
        forward(small, minutes=1)
        assert look_after() == 0
        assert again(payment).ask_at is None


def test_a_payment_whose_plugin_is_gone_waits_and_breaks_nothing(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        del small.extensions["koguchi"].plugins.payments["dummy"]
        forward(small, minutes=1)
        look_after()
        assert again(payment).state == "requires_action"


def test_two_workers_ask_once(small: Flask, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with small.app_context():
        payment = pay_with(small, "pending")
        forward(small, minutes=1)
        assert reconcile._take(payment.id) == ("pending", "dummy")
        assert reconcile._take(payment.id) is None
        assert asked == []


# ---- review


@pytest.mark.parametrize(
    ("is_paid", "state", "order_state"), [(True, "captured", "confirmed"), (False, "canceled", "cancelled")]
)
def test_a_review_is_ended_by_a_person_with_a_reason(
    small: Flask, is_paid: bool, state: str, order_state: str
) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        dummy(small).settle(str(payment.id), "captured", minor=1_000)
        forward(small, minutes=1)
        look_after()
        assert (again(payment).state, order_of(payment).state) == ("review", "awaiting_payment")
        assert (
            resolve(payment.id, is_paid=is_paid, reason="the rest was paid in cash", actor="owner") == state
        )
        assert (again(payment).state, order_of(payment).state) == (state, order_state)
        assert again(payment).captured_minor == 1_000
        assert resolve(payment.id, is_paid=True, reason="again", actor="owner") is None


def test_an_amount_the_owner_took_as_paid_is_not_put_up_again(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        dummy(small).settle(str(payment.id), "captured", minor=1_000)
        forward(small, minutes=1)
        look_after()
        resolve(payment.id, is_paid=True, reason="agreed", actor="owner")
        assert ask(payment.id) == "captured"
        assert incidents() == ["payment_review"]


def test_an_order_whose_money_is_in_review_waits_for_the_owner_however_long(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "requires_action")
        dummy(small).settle(str(payment.id), "captured", minor=1_000)
        forward(small, minutes=1)
        look_after()
        forward(small, days=40)
        assert cancel_unpaid() == 0
        assert order_of(payment).state == "awaiting_payment"
        resolve(payment.id, is_paid=False, reason="sent back", actor="owner")
        assert (order_of(payment).state, reserved()) == ("cancelled", 0)


@pytest.mark.parametrize(("is_paid", "state"), [(True, "confirmed"), (False, "cancelled")])
def test_an_order_is_not_given_up_while_money_of_its_earlier_attempt_is_in_review(
    small: Flask, is_paid: bool, state: str
) -> None:
    with small.app_context():
        first = pay_with(small, "requires_action")
        dummy(small).settle(str(first.id), "failed")
        ask(first.id)
        try_again(order_of(first), "dummy", "hayashi")
        second = payment_of(newly(), first.order_id)
        assert second is not None
        dummy(small).settle(str(first.id), "captured")
        dummy(small).settle(str(second.id), "failed")
        ask(first.id)
        ask(second.id)
        forward(small, days=1, minutes=1)
        look_after()
        assert (again(first).state, again(second).state) == ("review", "failed")
        assert order_of(first).state == "awaiting_payment"
        resolve(first.id, is_paid=is_paid, reason="looked", actor="owner")
        assert order_of(first).state == state
