"""The outbox: done at least once, in order, held by a lease, given up after many attempts, never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, write
from storefront.jobs import ATTEMPTS, LEASE, Job, Outbox, enqueue, revive, run_due, waiting
from storefront.orders import Order
from storefront.orders.moves import START_AGAIN_AFTER
from storefront.payments import payment_of
from support.ordering import placed
from support.shop import SHOP_TOML, FixedClock, make_app, seed, write_shop

done: list[Job] = []


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    def fail(job: Job) -> None:
        done.append(job)
        raise ConnectionError("no answer")

    jobs._handlers["test.note"] = done.append
    jobs._handlers["test.fail"] = fail
    done.clear()
    yield
    del jobs._handlers["test.note"], jobs._handlers["test.fail"]


def put(kind: str = "test.note", **payload: object) -> str:
    with write() as session:
        return enqueue(session, kind, payload)


def row(event_id: str) -> Outbox:
    with write() as session:
        return session.scalars(select(Outbox).where(Outbox.event_id == event_id)).one()


def test_jobs_are_done_once_in_the_order_they_came(app: Flask, database_url: str) -> None:
    with app.app_context():
        events = [put(number=number) for number in range(3)]
        assert run_due() == 3
        assert [job.event_id for job in done] == events
        assert run_due() == 0
        assert row(events[0]).done_at == now()


def test_a_rolled_back_transaction_leaves_no_job(app: Flask, database_url: str) -> None:
    with app.app_context():
        with write() as session:
            enqueue(session, "test.note", {})
            session.rollback()
        assert run_due() == 0


def test_a_job_for_later_waits(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        with write() as session:
            enqueue(session, "test.note", {}, at=now() + timedelta(minutes=5))
        assert run_due() == 0
        clock.forward(minutes=5)
        assert run_due() == 1


# F09: a worker that was killed leaves its lease, and the lease ends
def test_a_leased_job_is_left_alone_until_its_lease_ends(
    app: Flask, clock: FixedClock, database_url: str
) -> None:
    with app.app_context():
        event = put()
        claimed = jobs._claim()
        assert claimed is not None
        assert run_due() == 0
        clock.moment += LEASE
        assert run_due() == 1
        assert [(job.event_id, job.attempt) for job in done] == [(event, 2)]


def test_a_failing_job_comes_again_later_and_later_with_the_same_event(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        event = put("test.fail")
        run_due()
        assert run_due() == 0
        pauses = []
        for _ in range(3):
            next_at = row(event).available_at
            pauses.append(next_at - now())
            clock.moment = next_at
            run_due()
        assert pauses == [timedelta(seconds=15), timedelta(seconds=60), timedelta(seconds=240)]
        assert {job.event_id for job in done} == {event}
        assert "ConnectionError: no answer" in row(event).error


def test_a_failing_job_does_not_hold_up_the_others(app: Flask) -> None:
    with app.app_context():
        put("test.fail")
        good = put()
        run_due()
        assert row(good).done_at is not None


def test_after_its_last_attempt_a_job_is_dead_shown_and_can_be_revived(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        event = put("test.fail")
        for _ in range(ATTEMPTS):
            run_due()
            clock.forward(hours=7)
        assert len(done) == ATTEMPTS
        assert run_due() == 0
        assert waiting(get_session()) == {"waiting": 0, "dead": 1}
        dead = row(event).id
        with write() as session:
            revive(session, dead)
        assert run_due() == 1


# F09
def test_a_job_that_every_worker_dies_of_is_given_up_and_holds_up_nobody(
    app: Flask, clock: FixedClock
) -> None:
    with app.app_context():
        deadly = put()
        for _ in range(ATTEMPTS):
            assert jobs._claim() is not None  # and the worker dies
            clock.moment += LEASE
        good = put()
        assert run_due() == 1
        assert [job.event_id for job in done] == [good]
        assert waiting(get_session()) == {"waiting": 0, "dead": 1}
        assert "died" in row(deadly).error


def test_a_job_that_nobody_does_is_kept_with_the_reason(app: Flask) -> None:
    with app.app_context():
        event = put("test.unknown")
        run_due()
        assert "nobody does jobs of kind test.unknown" in row(event).error
        assert row(event).done_at is None


# F07: the process died between the order's commit and the start of its payment
def test_a_payment_that_nobody_started_is_started_by_the_worker(
    app: Flask, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        monkeypatch.setattr("storefront.orders.placing.payments.start_for", lambda _order_id: None)
        order_id = placed("hayashi", {"N4-SUS": 100}).id
        monkeypatch.undo()
        run_due()
        payment = payment_of(get_session(), order_id)
        assert payment is not None
        assert payment.state == "created"
        clock.moment += START_AGAIN_AFTER
        run_due()
        payment = payment_of(get_session(), order_id)
        assert payment is not None
        assert (payment.state, payment.attempt_key) == ("pending", f"{payment.id}:start:1")
        assert get_session().get_one(Order, order_id).state == "awaiting_payment"


# F49
@pytest.mark.parametrize(
    ("first", "then", "state", "order_state"),
    [
        ("timeout_after_commit", "timeout_after_commit", "captured", "confirmed"),  # fetch finds it
        ("timeout", "captured", "captured", "confirmed"),  # it never arrived: begun again under the same key
        ("timeout", "declined", "failed", "awaiting_payment"),  # the buyer may try again
        ("timeout", "timeout", "pending", "awaiting_payment"),
    ],
)
def test_a_payment_without_an_answer_is_asked_about_until_its_outcome_is_known(
    tmp_path: Path, first: str, then: str, state: str, order_state: str
) -> None:
    folder = write_shop(
        tmp_path / "shop", f'{SHOP_TOML}\n[plugins.dummy]\nenabled = true\noutcome = "{first}"\n'
    )
    app = make_app(folder, database_url=f"sqlite:///{tmp_path / 'shop.db'}")
    seed(app)
    shop = app.extensions["koguchi"]
    with app.app_context():
        order_id = placed("hayashi", {"N4-SUS": 100}, payment="dummy").id
        assert get_session().get_one(Order, order_id).state == "awaiting_payment"
        dummy = shop.plugins.payments["dummy"]
        dummy.settings = dummy.settings.model_copy(update={"outcome": then})
        shop.clock.forward(minutes=1)
        run_due()
        payment = payment_of(get_session(), order_id)
        assert payment is not None
        assert (payment.state, payment.attempt_key) == (state, f"{payment.id}:start:1")
        assert get_session().get_one(Order, order_id).state == order_state
        assert len(dummy.started) == (0 if state == "pending" else 1)
