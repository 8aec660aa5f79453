"""The webhook inbox: who may post, what is kept, and that an event only makes the shop ask the provider."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from plugins.contract import SignatureError
from storefront import payments
from storefront.database import get_session
from storefront.jobs import Outbox, run_due
from storefront.payments import PaymentMove, inbox
from storefront.payments.models import WebhookEvent
from support.paying import again, dummy, dummy_shop, incidents, order_of, pay_with, post, tell


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", database_url) as app:
        yield app


def events() -> list[tuple[str, str]]:
    rows = get_session().execute(select(WebhookEvent.event_id, WebhookEvent.state).order_by(WebhookEvent.id))
    return [(name, state) for name, state in rows]


def count(model: Any) -> int:
    return get_session().scalar(select(func.count()).select_from(model)) or 0


def test_an_event_is_answered_at_once_and_followed_by_the_worker(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        assert post(shop.test_client(), payment, event="e1") == 204
        assert events() == [("e1", "new")]
        assert again(payment).state == "requires_action"
        run_due()
        assert events() == [("e1", "done")]
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")


# F45
def test_what_is_not_from_the_provider_is_refused_and_changes_nothing(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        now = int(shop.extensions["koguchi"].clock().timestamp())
        headers, body = dummy(shop).webhook(now, ("e1", payment.provider_ref or "", "paid"))
        right = headers["Dummy-Signature"]
        wrong = [
            ("", body),  # unsigned
            (f"t={now},v1={'0' * 64}", body),  # another secret
            (right, body.replace(b"e1", b"e2")),
            (right, body.replace(b'": "', b'":"')),  # the same JSON, written anew
            (right[:-1], body),
            (f"t={now},v1=é", body),
            (f"t=now,v1={'0' * 64}", body),
        ]
        for away in (-301, 301):
            dated, same = dummy(shop).webhook(now + away, ("e1", payment.provider_ref or "", "paid"))
            wrong.append((dated["Dummy-Signature"], same))
        for signature, sent in wrong:
            answer = shop.test_client().post(
                "/webhooks/dummy", data=sent, headers={"Dummy-Signature": signature}
            )
            assert answer.status_code == 400, signature
        run_due()
        assert events() == []
        assert again(payment).state == "requires_action"


def test_control_without_the_signature_check_a_forged_event_is_taken(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.payments.dummy.hmac.compare_digest", lambda *_: True)
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        at = int(shop.extensions["koguchi"].clock().timestamp())
        _headers, body = dummy(shop).webhook(at, ("e1", payment.provider_ref, "paid"))
        headers = {"Dummy-Signature": f"t={at},v1=forged"}
        assert shop.test_client().post("/webhooks/dummy", data=body, headers=headers).status_code == 204
        assert events() == [("e1", "new")]


def test_a_provider_that_is_not_active_has_no_door(shop: Flask) -> None:
    client = shop.test_client()
    assert client.post("/webhooks/nobody", data=b"{}").status_code == 404
    assert client.post("/webhooks/flat_rate", data=b"{}").status_code == 404
    assert client.get("/webhooks/dummy").status_code == 405


def test_control_without_a_token_every_other_form_is_refused(shop: Flask) -> None:
    assert shop.test_client().post("/login", data={}).status_code == 400


def test_a_body_larger_than_any_event_is_refused_before_it_is_read(shop: Flask) -> None:
    assert shop.test_client().post("/webhooks/dummy", data=b"x" * 600_000).status_code == 413


def test_nonsense_posted_by_anybody_never_puts_the_checkout_to_rest(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_raw: object) -> None:
        raise KeyError("type")

    client = shop.test_client()
    monkeypatch.setattr(dummy(shop), "parse_webhook", breaks)
    answers = {client.post("/webhooks/dummy", data=b"x").status_code for _ in range(5)}
    assert answers == {503}  # ours to mend: the provider sends it again
    with shop.app_context():
        assert pay_with(shop, "captured").state == "captured"


@pytest.mark.parametrize("odd", [None, ["text"], "text"])
def test_events_that_are_no_events_are_not_stored(
    shop: Flask, monkeypatch: pytest.MonkeyPatch, odd: object
) -> None:
    monkeypatch.setattr(dummy(shop), "parse_webhook", lambda _raw: odd)
    assert shop.test_client().post("/webhooks/dummy", data=b"x").status_code == 503
    with shop.app_context():
        assert events() == []


# F46
def test_one_event_a_hundred_times_at_once_is_one_effect(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(shop.test_client(), payment, event="same"), range(100)))
    assert set(answers) == {204}
    with shop.app_context():
        assert events() == [("same", "new")]
        before = count(PaymentMove)
        run_due()
        assert again(payment).state == "captured"
        assert count(PaymentMove) == before + 1
        assert incidents() == []


def test_control_under_other_ids_each_event_is_kept(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        for _ in range(5):
            assert post(shop.test_client(), payment) == 204
        assert count(WebhookEvent) == 5


# F47: what an event says and when it comes does not matter, only what the provider answers
@pytest.mark.parametrize(
    "kinds", [("succeeded", "created"), ("succeeded", "failed"), ("refunded", "succeeded")]
)
def test_events_in_any_order_end_in_what_the_provider_says(shop: Flask, kinds: tuple[str, str]) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        for kind in kinds:
            post(shop.test_client(), payment, kind)
            run_due()
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")
        assert incidents() == []


def test_control_a_provider_that_says_failed_fails_the_payment(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        post(shop.test_client(), payment, "succeeded")
        run_due()
        assert (again(payment).state, order_of(payment).state) == ("failed", "awaiting_payment")


# F47 F48
def test_a_late_failure_after_the_money_came_is_told_and_undoes_nothing(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        dummy(shop).settle(str(payment.id), "failed")
        post(shop.test_client(), payment, "failed")
        run_due()
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")
        assert incidents() == ["payment_move"]


# F48
def test_a_valid_event_about_another_amount_is_reviewed_and_never_paid(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured", minor=1)
        post(shop.test_client(), payment, "succeeded")
        run_due()
        assert (again(payment).state, order_of(payment).state) == ("review", "awaiting_payment")
        assert again(payment).captured_minor == 1
        assert incidents() == ["payment_review"]


def test_an_answer_with_the_reference_of_another_orders_payment_is_reviewed_and_never_paid(
    shop: Flask,
) -> None:
    with shop.app_context():
        first, second = pay_with(shop, "requires_action"), pay_with(shop, "timeout_after_commit")
        assert (order_of(first).id == order_of(second).id, second.provider_ref) == (False, None)
        provider = dummy(shop)
        provider.settle(str(second.id), "captured")
        answer = provider.latest[str(second.id)]
        provider.latest[str(second.id)] = replace(answer, provider_ref=again(first).provider_ref)
        payments.ask(second.id)
        assert (again(second).state, order_of(second).state) == ("review", "awaiting_payment")
        assert incidents() == ["payment_review"]


def test_control_with_a_reference_of_its_own_the_same_answer_is_paid(shop: Flask) -> None:
    with shop.app_context():
        pay_with(shop, "requires_action")
        second = pay_with(shop, "timeout_after_commit")
        dummy(shop).settle(str(second.id), "captured")
        payments.ask(second.id)
        assert (again(second).state, order_of(second).state) == ("captured", "confirmed")


def test_a_valid_event_of_a_payment_that_is_not_ours_is_kept_and_touches_nobody(shop: Flask) -> None:
    with shop.app_context():
        mine = pay_with(shop, "requires_action")
        dummy(shop).settle(str(mine.id), "captured")
        stranger = again(mine)
        get_session().expunge(stranger)
        stranger.provider_ref = "DUMMY-of-somebody-else"
        assert post(shop.test_client(), stranger, event="e9") == 204
        for _ in range(inbox.LOOKS + 1):
            run_due()
            shop.extensions["koguchi"].clock.forward(hours=7)
        assert events() == [("e9", "unknown")]
        assert again(mine).state == "requires_action"
        waiting = select(func.count()).where(Outbox.kind == "payment.event", Outbox.done_at.is_(None))
        assert get_session().scalar(waiting) == 0


def test_an_event_that_overtakes_the_answer_of_start_is_followed_later(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "timeout_after_commit")
        assert payment.provider_ref is None
        ghost = again(payment)
        get_session().expunge(ghost)
        ghost.provider_ref = f"DUMMY-{payment.id}-start-1"
        assert post(shop.test_client(), ghost, event="early") == 204
        run_due()
        assert events() == [("early", "unknown")]
        shop.extensions["koguchi"].clock.forward(minutes=3)  # meanwhile the payment is asked about
        run_due()
        shop.extensions["koguchi"].clock.forward(minutes=3)
        run_due()
        assert events() == [("early", "done")]
        assert again(payment).state == "captured"


def test_without_an_answer_of_the_provider_the_event_waits(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_payment: object) -> None:
        raise TimeoutError

    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        post(shop.test_client(), payment, event="e1")
        with monkeypatch.context() as patched:
            patched.setattr(dummy(shop), "fetch", silent)
            run_due()
            assert (events(), again(payment).state) == ([("e1", "new")], "requires_action")
        shop.extensions["koguchi"].clock.forward(minutes=1)
        run_due()
        assert (events(), again(payment).state) == ([("e1", "done")], "captured")


def test_long_and_odd_ids_are_told_apart(shop: Flask) -> None:
    assert inbox._short("a" * 255) == "a" * 255
    assert inbox._short("a" * 300) != inbox._short("a" * 301)
    assert "\0" not in inbox._short("a\0")


def test_without_a_secret_every_message_is_refused(shop: Flask) -> None:
    tell(shop, webhook_secret=None)
    headers, body = dummy(shop).webhook(0, ("e1", "r", "k"))
    assert shop.test_client().post("/webhooks/dummy", data=body, headers=headers).status_code == 400
    assert issubclass(SignatureError, ValueError)


def test_an_address_that_posts_too_much_is_slowed_down(tmp_path: Path) -> None:
    limits = {"enabled": True, "webhooks": "2 per minute"}
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with dummy_shop(tmp_path / "shop", url, rate_limits=limits) as app:
        client = app.test_client()
        codes = [client.post("/webhooks/dummy", data=b"{}").status_code for _ in range(3)]
    assert codes == [400, 400, 429]
