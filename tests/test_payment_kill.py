"""Payments in several real processes that are killed or come at one moment; Stripe's stand-in is asked over HTTP.

On both databases; each with a control that shows that it can fail.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.database import write
from storefront.incidents import Incident
from storefront.jobs import run_in
from storefront.orders import Order
from storefront.payments import Payment, PaymentMove, ask
from storefront.payments.models import Refund, WebhookEvent
from support.crowd import begin, go, together, wait_until_warm
from support.fake_stripe import FakeStripe
from support.ordering import placed
from support.shop import SHOP_TOML, seeded_app, write_shop
from support.stripe_line import Account, connect, served

TABLE = """
[plugins.stripe_checkout]
enabled = true
api_key = "sk_test_of_the_tests"
webhook_secrets = ["whsec_of_the_tests"]
methods = ["card"]
"""
ORDER = {
    "do": "place",
    "login": "hayashi",
    "lines": {"N4-SUS": 100},
    "payment": "stripe_checkout",
    "key": "page",
}
WORK = {"do": "work"}
SESSIONS = ("post", "/v1/checkout/sessions")


class Firm(SimpleNamespace):
    """The shop seen from here, its Stripe, and the processes that are begun for it."""

    app: Flask
    fake: FakeStripe
    address: str

    def crowd(self, *tasks: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        """Let processes do this at one moment."""
        settings = self.app.extensions["koguchi"].settings
        self.app.extensions["koguchi"].close()
        options = {"processes": 1, "threads": 1} | options
        return together(settings.folder, settings.database_url, tasks, stripe=self.address, **options)

    def killed(self, task: dict[str, Any], at: str, **options: Any) -> None:
        """Do something in a process that dies by SIGKILL when it comes to `at`."""
        settings = self.app.extensions["koguchi"].settings
        self.app.extensions["koguchi"].close()
        process = begin(
            settings.folder, settings.database_url, [task], die=at, stripe=self.address, **options
        )
        wait_until_warm(process)
        go(process)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL

    def work(self, minutes: int = 0) -> None:
        """What a worker does so many minutes later."""
        self.app.extensions["koguchi"].clock.forward(minutes=minutes)
        run_in(self.app)

    def rows(self, model: Any) -> list[Any]:
        with self.app.app_context(), write() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def states(self) -> list[tuple[str, str]]:
        """Of each payment, and of its order."""
        with self.app.app_context(), write() as session:
            found = select(Payment.state, Order.state).join(Order, Order.id == Payment.order_id)
            return [(payment, order) for payment, order in session.execute(found.order_by(Payment.id))]

    def ordered(self) -> Payment:
        """An order whose buyer is on Stripe's page now."""
        with self.app.app_context():
            placed("hayashi", ORDER["lines"], payment="stripe_checkout")
        payment: Payment = self.rows(Payment)[-1]
        assert payment.state == "requires_action"
        return payment

    def paid(self) -> Payment:
        payment = self.ordered()
        self.fake.pay(str(payment.provider_ref))
        self.app.extensions["koguchi"].clock.forward(minutes=1)
        with self.app.app_context():
            assert ask(payment.id) == "captured"
        return payment

    def post(self, event: dict[str, Any]) -> dict[str, Any]:
        """The task of posting an event as Stripe does."""
        headers, body = self.fake.signed(event)
        text = body.decode() if isinstance(body, bytes) else body
        return {"do": "post", "path": "/webhooks/stripe_checkout", "body": text, "headers": dict(headers)}

    def asked(self, call: tuple[str, str]) -> list[str]:
        """The keys under which Stripe was asked for something."""
        return [
            headers["idempotency-key"]
            for method, path, _, headers in self.fake.calls
            if (method, path) == call
        ]


@pytest.fixture(scope="module")
def line() -> Iterator[tuple[Account, str]]:
    account = Account()
    with served(account) as address:
        yield account, address


@pytest.fixture
def firm(tmp_path: Path, database_url: str, line: tuple[Account, str]) -> Iterator[Firm]:
    account, address = line
    app = seeded_app(write_shop(tmp_path / "shop", SHOP_TOML + TABLE), database_url)
    app.config["WTF_CSRF_ENABLED"] = True  # Stripe posts without a token
    account.renew(FakeStripe(now=app.extensions["koguchi"].clock))
    connect(app, address)
    yield Firm(app=app, fake=account.fake, address=address)
    account.renew(FakeStripe())
    app.extensions["koguchi"].close()


# F07 F49
def test_killed_between_stripes_answer_and_the_commit_the_same_session_is_found_again(firm: Firm) -> None:
    firm.killed(ORDER, "storefront.payments.attempts:apply")
    assert len(firm.fake.sessions) == 1
    assert firm.states() == [("created", "awaiting_payment")]
    firm.work(minutes=3)
    assert firm.states() == [("requires_action", "awaiting_payment")]
    (payment,) = firm.rows(Payment)
    assert list(firm.fake.sessions) == [payment.provider_ref]
    assert firm.asked(SESSIONS) == [payment.attempt_key] * 2
    firm.fake.pay(str(payment.provider_ref))
    firm.crowd({"do": "look_after"}, minutes=10)
    assert firm.states() == [("captured", "confirmed")]


def test_control_under_a_key_of_its_own_the_next_process_begins_a_second_session(firm: Firm) -> None:
    firm.killed(ORDER, "storefront.payments.attempts:apply", without="the_stored_key")
    firm.crowd(WORK, minutes=3, without="the_stored_key")
    assert len(firm.fake.sessions) == 2


# F49
def test_timeouts_refusals_silence_and_pages_of_others_leave_one_session_under_one_key(firm: Firm) -> None:
    kinds = {"500": 3, "429": 1, "html": 1, "hangs": 3, "lost": 3}  # and how often Stripe's client tries
    for kind, times in kinds.items():
        firm.fake.faults.extend([int(kind) if kind.isdigit() else kind] * times)
    orders = [ORDER | {"key": kind} for kind in kinds]
    assert {each["outcome"] for each in firm.crowd(*orders, patience=1.0)} == {"Placed"}
    assert firm.states() == [("pending", "awaiting_payment")] * 5
    assert list(firm.fake.faults) == []
    firm.crowd(WORK, minutes=3)
    assert firm.states() == [("requires_action", "awaiting_payment")] * 5
    assert len(firm.fake.sessions) == 5
    payments = firm.rows(Payment)
    assert set(firm.asked(SESSIONS)) == {each.attempt_key for each in payments}
    assert len({each.provider_ref for each in payments}) == 5


# F46
def test_one_event_a_hundred_times_from_four_processes_is_one_effect(firm: Firm) -> None:
    payment = firm.ordered()
    firm.fake.pay(str(payment.provider_ref))
    post = firm.post(firm.fake.events[-1])
    answers = firm.crowd(*[post] * 100, processes=4, threads=2)
    assert Counter(each["outcome"] for each in answers) == {204: 100}
    assert [event.state for event in firm.rows(WebhookEvent)] == ["new"]
    firm.crowd(WORK, WORK, WORK, WORK, processes=4)
    assert firm.states() == [("captured", "confirmed")]
    assert [move.to_state for move in firm.rows(PaymentMove)] == ["requires_action", "captured"]
    assert firm.rows(Incident) == []


def test_control_where_events_are_not_told_apart_each_of_them_is_kept(firm: Firm) -> None:
    payment = firm.ordered()
    firm.fake.pay(str(payment.provider_ref))
    firm.crowd(*[firm.post(firm.fake.events[-1])] * 8, processes=2, without="the_one_event")
    assert len(firm.rows(WebhookEvent)) == 8


# F46, a worker that dies of the event
def test_an_event_whose_worker_was_killed_is_followed_by_the_next(firm: Firm) -> None:
    payment = firm.ordered()
    firm.fake.pay(str(payment.provider_ref))
    post = firm.post(firm.fake.events[-1])
    firm.crowd(post)
    firm.killed(WORK, "storefront.payments.inbox:_note")  # booked, but not noted
    firm.crowd(post)
    firm.work(minutes=2)
    assert [event.state for event in firm.rows(WebhookEvent)] == ["done"]
    assert firm.states() == [("captured", "confirmed")]
    assert [move.to_state for move in firm.rows(PaymentMove)] == ["requires_action", "captured"]


def test_control_the_event_of_a_killed_worker_is_not_done_before_the_next_one_comes(firm: Firm) -> None:
    payment = firm.ordered()
    firm.fake.pay(str(payment.provider_ref))
    firm.crowd(firm.post(firm.fake.events[-1]))
    firm.killed(WORK, "storefront.payments.inbox:ask")
    assert [event.state for event in firm.rows(WebhookEvent)] == ["new"]
    assert firm.states() == [("requires_action", "awaiting_payment")]


def asked_by_four_workers(firm: Firm, **options: Any) -> int:
    """How often Stripe was asked about one payment whose message was lost, by four workers at one moment."""
    payment = firm.ordered()
    firm.fake.pay(str(payment.provider_ref))
    before = len(firm.fake.calls)
    firm.crowd(*[{"do": "look_after"}] * 4, processes=4, minutes=2, **options)
    assert firm.states() == [("captured", "confirmed")]
    assert [move.to_state for move in firm.rows(PaymentMove)] == ["requires_action", "captured"]
    return len(firm.fake.calls) - before


def test_four_workers_at_one_moment_ask_once(firm: Firm) -> None:
    assert asked_by_four_workers(firm) == 1


def test_control_without_putting_the_look_off_they_all_ask_and_still_book_once(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, two = firm.fake.request, Barrier(2)

    def request(method: str, url: str, *rest: Any) -> Any:
        if method == "get":  # the first waits for the second, however busy the machine is
            with suppress(BrokenBarrierError):
                two.wait(timeout=10)
        return real(method, url, *rest)

    monkeypatch.setattr(firm.fake, "request", request)
    assert asked_by_four_workers(firm, without="putting_the_look_off") > 1


# F47 F48
def test_events_from_several_processes_in_any_order_end_in_what_stripe_says(firm: Firm) -> None:
    paid, odd = firm.ordered(), firm.ordered()
    for payment in (paid, odd):
        name = str(payment.provider_ref)
        firm.fake.emit("checkout.session.expired", {"id": name})
        firm.fake.emit("checkout.session.async_payment_failed", {"id": name})
        firm.fake.pay(name)
    intent = firm.fake.intents[firm.fake.sessions[str(odd.provider_ref)]["payment_intent"]]
    intent["amount_received"] = 1  # another amount than was asked
    posts = [firm.post(event) for event in reversed(firm.fake.events)]
    assert {each["outcome"] for each in firm.crowd(*posts, *posts, processes=2)} == {204}
    firm.crowd(WORK, WORK, processes=2)
    assert firm.states() == [("captured", "confirmed"), ("review", "awaiting_payment")]
    assert [incident.kind for incident in firm.rows(Incident)] == ["payment_review"]


def test_control_what_ended_at_stripe_is_given_up_whatever_the_events_say(firm: Firm) -> None:
    payment = firm.ordered()
    firm.fake.expire(str(payment.provider_ref))
    firm.crowd(firm.post(firm.fake.emit("checkout.session.completed", {"id": str(payment.provider_ref)})))
    firm.work()
    assert firm.states() == [("canceled", "cancelled")]


# F55
def test_refunds_from_four_processes_at_once_never_pay_back_more_than_was_taken(firm: Firm) -> None:
    payment = firm.paid()
    third = payment.amount_minor // 3 - 1
    part = {"do": "refund", "payment": payment.id, "amount": third}
    answers = firm.crowd(*[part] * 8, processes=4, threads=2)
    assert Counter(each["state"] or each["code"] for each in answers) == {"done": 3, "too_much": 5}
    assert len(firm.asked(("post", "/v1/refunds"))) == 3
    assert sum(each["amount"] for each in firm.fake.refunds.values()) == 3 * third


def test_control_with_the_sum_believed_stripe_is_asked_for_more_than_was_taken(firm: Firm) -> None:
    payment = firm.paid()
    whole = {"do": "refund", "payment": payment.id, "amount": payment.amount_minor}
    firm.crowd(*[whole] * 3, processes=3, without="the_sum_of_refunds")
    assert len(firm.asked(("post", "/v1/refunds"))) > 1


# F55 F07
def test_a_refund_whose_process_was_killed_after_stripe_paid_is_carried_out_once(firm: Firm) -> None:
    payment = firm.paid()
    firm.killed({"do": "refund", "payment": payment.id, "amount": 300}, "storefront.payments.refunds:_book")
    assert [(each.state, each.key) for each in firm.rows(Refund)] == [("requested", f"{payment.id}:refund:1")]
    assert len(firm.fake.refunds) == 1
    firm.crowd(WORK, WORK, processes=2, minutes=3)
    assert [each.state for each in firm.rows(Refund)] == ["done"]
    assert [each["amount"] for each in firm.fake.refunds.values()] == [300]
    assert firm.states() == [("partially_refunded", "confirmed")]


def test_control_under_another_key_the_killed_refund_would_be_paid_twice(firm: Firm) -> None:
    payment = firm.paid()
    firm.killed({"do": "refund", "payment": payment.id, "amount": 300}, "storefront.payments.refunds:_book")
    with firm.app.app_context(), write() as session:
        session.scalars(select(Refund)).one().key = "another"
    firm.work(minutes=5)
    assert len(firm.fake.refunds) == 2
