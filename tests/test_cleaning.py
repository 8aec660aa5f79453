"""What is old and done goes; what waits, what died, and the orders themselves stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront import cleaning
from storefront.cleaning import clear_away
from storefront.cli import main
from storefront.clock import now
from storefront.database import write
from storefront.jobs import Outbox, enqueue, run_due
from storefront.mail import Mail
from storefront.orders import IdempotencyKey, Order
from storefront.orders.placing import Placed
from support.ordering import place, placed
from support.shop import FixedClock

CART = {"N4-SUS": 100}


def count(*models: type) -> list[int]:
    with write() as session:
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]


@pytest.mark.usefixtures("database_url")
def test_done_jobs_and_keys_go_after_thirty_days_and_nothing_else(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        placed("hayashi", CART, key="one-page")
        clock.forward(minutes=5)
        run_due()
        with write() as session:
            enqueue(session, "for.later", {}, at=now() + timedelta(days=90))
            died = enqueue(session, "died", {})
            session.scalars(select(Outbox).where(Outbox.event_id == died)).one().dead_at = now()
        before = count(Order, Mail, Outbox, IdempotencyKey)
        clock.forward(days=29)
        assert clear_away() == 0
        assert count(Order, Mail, Outbox, IdempotencyKey) == before
        clock.forward(days=2)
        assert clear_away() == before[2] - 2 + 1
        assert count(Order, Mail, Outbox, IdempotencyKey) == [*before[:2], 2, 0]
        with write() as session:
            assert set(session.scalars(select(Outbox.kind))) == {"for.later", "died"}


def test_control_a_key_is_known_as_long_as_it_is_kept(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        first = place("hayashi", CART, key="one-page")
        clock.forward(days=29)
        clear_away()
        again = place("hayashi", CART, key="one-page")
        assert isinstance(first, Placed)
        assert isinstance(again, Placed)
        assert (again.number, again.is_repeated) == (first.number, True)


def test_a_long_list_goes_a_little_at_a_time(
    app: Flask, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "AT_A_TIME", 3)
    with app.app_context():
        with write() as session:
            for _ in range(7):
                enqueue(session, "old", {})
            for row in session.scalars(select(Outbox)):
                row.done_at = now()
        clock.forward(days=31)
        assert clear_away() == 7
        assert count(Outbox) == [0]


def test_the_worker_cleans_up(
    app: Flask, shop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), write() as session:
        enqueue(session, "old", {})
        session.scalars(select(Outbox)).one().done_at = now() - timedelta(days=400)
    app.extensions["koguchi"].close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'shop.sqlite'}")
    assert main(["worker", str(shop_folder), "--once"]) == 0
    with app.app_context():
        assert count(Outbox) == [0]
