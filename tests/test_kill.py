"""Processes killed with SIGKILL at the worst moment, on both databases: nothing acknowledged is lost."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from storefront.database import write
from storefront.jobs import Outbox
from storefront.mail import Mail
from storefront.orders import IdempotencyKey, Order, OrderLine
from storefront.payments import Payment
from storefront.stock import Reservation, StockItem
from support.crowd import begin, go, together, wait_until_warm
from support.shop import seeded_app, write_shop

ORDER = {"do": "place", "login": "hayashi", "lines": {"N4-SUS": 10}, "key": "one-page"}
WORK = {"do": "work"}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    app = seeded_app(write_shop(tmp_path / "shop"), database_url)
    yield app
    app.extensions["koguchi"].close()


def killed(shop: Flask, task: dict[str, Any], at: str, **options: Any) -> None:
    """Do a task in a process that dies by SIGKILL when it comes to `at`."""
    settings = shop.extensions["koguchi"].settings
    shop.extensions["koguchi"].close()
    process = begin(settings.folder, settings.database_url, [task], die=at, **options)
    wait_until_warm(process)
    go(process)
    out, _errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert out.strip() == ""


def work(shop: Flask, minutes: int = 0) -> None:
    """What a worker does so many minutes later, in this process."""
    from storefront.jobs import run_in

    shop.extensions["koguchi"].clock.forward(minutes=minutes)
    run_in(shop)


def rows(shop: Flask, model: Any) -> list[Any]:
    with shop.app_context(), write() as session:
        return list(session.scalars(select(model)))


# F08
def test_killed_after_the_commit_the_order_stands_and_its_mail_is_written_once(shop: Flask) -> None:
    killed(shop, ORDER, "storefront.payments:start_for")
    assert [order.number for order in rows(shop, Order)] == ["A-10001"]
    assert rows(shop, Mail) == []
    event = next(job.event_id for job in rows(shop, Outbox) if job.kind == "order.mail")
    work(shop)
    assert [mail.event_id for mail in rows(shop, Mail)] == [event]
    work(shop, minutes=5)  # which begins the payment, and writes how to pay in a mail of its own
    written = [mail.event_id for mail in rows(shop, Mail)]
    assert (written.count(event), len(written)) == (1, 2)


# F07
def test_killed_before_the_payment_began_the_worker_begins_it_with_the_stored_key(shop: Flask) -> None:
    killed(shop, ORDER, "storefront.payments:start_for")
    assert [(payment.state, payment.attempt_key) for payment in rows(shop, Payment)] == [
        ("created", "1:start:1")
    ]
    work(shop, minutes=3)
    assert [(payment.state, payment.attempt_key) for payment in rows(shop, Payment)] == [
        ("pending", "1:start:1")
    ]


def test_control_without_the_outbox_a_killed_order_has_no_mail_and_its_payment_never_begins(
    shop: Flask,
) -> None:
    killed(shop, ORDER, "storefront.payments:start_for", without="the_outbox")
    assert [order.number for order in rows(shop, Order)] == ["A-10001"]
    work(shop, minutes=60)
    assert rows(shop, Mail) == []
    assert [payment.state for payment in rows(shop, Payment)] == ["created"]


def test_killed_after_the_provider_answered_the_same_payment_is_found_again(shop: Flask) -> None:
    killed(shop, ORDER, "storefront.payments.attempts:apply")
    assert [payment.state for payment in rows(shop, Payment)] == ["created"]
    work(shop, minutes=3)
    assert [(payment.state, payment.provider_ref) for payment in rows(shop, Payment)] == [
        ("pending", "BT-A-10001")
    ]


def test_killed_before_the_commit_nothing_was_ordered_and_the_same_page_orders_once(shop: Flask) -> None:
    killed(shop, ORDER, "storefront.payments:create")
    for model in (Order, OrderLine, Payment, Reservation, Outbox, IdempotencyKey):
        assert rows(shop, model) == [], model
    settings = shop.extensions["koguchi"].settings
    answers = together(settings.folder, settings.database_url, [ORDER, ORDER], processes=1)
    assert {each["number"] for each in answers} == {"A-10001"}
    assert len(rows(shop, Order)) == 1


# F08, the worker
def test_a_worker_killed_between_doing_and_noting_does_it_again_under_the_same_event(shop: Flask) -> None:
    settings = shop.extensions["koguchi"].settings
    together(settings.folder, settings.database_url, [ORDER], processes=1)
    # The mail is written; the note that the job is done is not.
    killed(shop, WORK, "storefront.jobs:_noted")
    first = rows(shop, Mail)
    assert len(first) == 1
    work(shop)
    assert [job.done_at for job in rows(shop, Outbox) if job.kind == "order.mail"] == [
        None
    ]  # its lease holds
    work(shop, minutes=2)
    assert [mail.event_id for mail in rows(shop, Mail)] == [first[0].event_id]
    assert None not in [job.done_at for job in rows(shop, Outbox) if job.kind == "order.mail"]


def test_control_under_another_event_the_killed_worker_would_have_written_twice(shop: Flask) -> None:
    settings = shop.extensions["koguchi"].settings
    together(settings.folder, settings.database_url, [ORDER], processes=1)
    killed(shop, WORK, "storefront.jobs:_noted")
    with shop.app_context(), write() as session:
        for job in session.scalars(select(Outbox).where(Outbox.kind == "order.mail")):
            job.event_id = "another-event"
    work(shop, minutes=2)
    assert len(rows(shop, Mail)) == 2


def acknowledged_before_the_kill(shop: Flask, bursts: int, **options: Any) -> list[str]:
    """Numbers that were told to buyers by processes that were then killed while placing more."""
    settings = shop.extensions["koguchi"].settings
    shop.extensions["koguchi"].close()
    told: list[str] = []
    for burst in range(bursts):
        tasks = [
            {"do": "place", "login": "hayashi", "lines": {"N4-SUS": 1}, "key": f"{burst}-{each}"}
            for each in range(60)
        ]
        process = begin(settings.folder, settings.database_url, tasks, threads=4, **options)
        wait_until_warm(process)
        go(process)
        assert process.stdout is not None
        for _ in range(5 + 4 * burst):
            answer = json.loads(process.stdout.readline())
            assert answer["outcome"] == "Placed", answer
            told.append(answer["number"])
        process.kill()
        process.communicate()
    return told


def are_kept(shop: Flask, told: list[str]) -> bool:
    """Whether each order that was told is there, an order of its own."""
    return set(told) <= {order.number for order in rows(shop, Order)} and len(set(told)) == len(told)


# F09
def test_killed_again_and_again_under_load_no_acknowledged_order_is_lost(shop: Flask) -> None:
    assert are_kept(shop, acknowledged_before_the_kill(shop, 3))
    with shop.app_context(), write() as session:
        numbers = set(session.scalars(select(Order.number)))
        assert len(numbers) == session.scalar(select(func.count()).select_from(Order))
        reserved = session.scalar(select(func.sum(Reservation.quantity)))
        assert reserved == len(numbers) == session.scalar(select(func.sum(StockItem.reserved)))
        assert session.scalar(select(func.count()).select_from(Payment)) == len(numbers)
        assert session.scalar(select(func.sum(OrderLine.quantity))) == len(numbers)
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_control_an_order_acknowledged_before_its_commit_is_missed(shop: Flask) -> None:
    assert not are_kept(shop, acknowledged_before_the_kill(shop, 1, without="waiting_for_the_commit"))
