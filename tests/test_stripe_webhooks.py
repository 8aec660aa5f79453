"""Stripe's webhooks: what is refused at the door, what an event makes the shop do; their order never matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins import Money, RawRequest, Result, SignatureError
from plugins.payments.stripe_checkout import UnknownOutcomeError
from storefront.database import get_session, write
from storefront.jobs import run_due
from storefront.payments import Payment, apply, payment_of
from storefront.payments.models import Refund
from storefront.payments.reconcile import look_after
from storefront.payments.refunds import Refunded, refund
from support.fake_stripe import SECRET, FakeStripe
from support.ordering import placed
from support.paying import again, incidents, order_of
from support.shop import SHOP_TOML, make_app, seed, write_shop
from support.stripe_shop import NOW, Counter, in_the_shop

CART = {"N4-SUS": 100}


# --- who sent it


def completed() -> tuple[Counter, RawRequest]:
    counter = Counter().paid()
    return counter, counter.stripe.raw(counter.stripe.events[-1])


def test_an_event_names_its_session_however_often_it_comes() -> None:
    counter, raw = completed()
    (event,) = counter.provider.parse_webhook(raw)
    assert (event.provider_ref, event.kind) == (counter.session, "checkout.session.completed")
    assert counter.provider.parse_webhook(raw) == [event]


# F45
def test_whatever_was_changed_cut_old_or_to_come_is_refused() -> None:
    counter, raw = completed()
    header = raw.headers["stripe-signature"]
    other = raw.body.replace(b"evt_", b"evt-")
    spaced = json.dumps(json.loads(raw.body), separators=(",", ":")).encode()
    headers: list[dict[str, str]] = [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": header[:-1]},
        {"stripe-signature": header.replace("v1=", "v0=")},
        {"stripe-signature": header.replace("v1=", "v1=é")},
        {"stripe-signature": "t=soon,v1=00"},
        {"stripe-signature": f"t={10**15},v1=00"},
        {"stripe-signature": header.partition(",")[2]},
    ]
    wrong = [replace(raw, headers=each) for each in headers]
    wrong += [replace(raw, body=other), replace(raw, body=spaced), replace(raw, body=b"\xff\xfe")]
    wrong.append(counter.stripe.raw(counter.stripe.events[-1], secret="whsec_of_somebody_else"))
    for seconds in (-301, 301):
        wrong.append(counter.stripe.raw(counter.stripe.events[-1], at=NOW + timedelta(seconds=seconds)))
    for each in wrong:
        with pytest.raises(SignatureError) as raised:
            counter.provider.parse_webhook(each)
        assert SECRET not in str(raised.value)
    for seconds in (-300, 300):
        right = counter.stripe.raw(counter.stripe.events[-1], at=NOW + timedelta(seconds=seconds))
        assert len(counter.provider.parse_webhook(right)) == 1


def test_control_the_package_s_own_check_takes_any_time_to_come() -> None:
    import stripe

    counter = Counter().paid()
    raw = counter.stripe.raw(counter.stripe.events[-1], at=NOW + timedelta(days=3650))
    assert stripe.WebhookSignature.verify_header(raw.body, raw.headers["stripe-signature"], SECRET, 300)


# F57
def test_while_secrets_change_both_are_good_and_afterwards_the_old_one_is_not() -> None:
    during = Counter(webhook_secrets=["whsec_new", SECRET]).paid()
    afterwards = Counter(webhook_secrets=["whsec_new"]).paid()
    for secret in ("whsec_new", SECRET):
        assert (
            len(during.provider.parse_webhook(during.stripe.raw(during.stripe.events[-1], secret=secret)))
            == 1
        )
    with pytest.raises(SignatureError):
        afterwards.provider.parse_webhook(afterwards.stripe.raw(afterwards.stripe.events[-1]))


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "",
        "[]",
        "null",
        '"text"',
        '{"id": "evt_1"}',
        '{"id": "evt_1", "type": "checkout.session.completed"}',
        '{"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": 7}}}',
        '{"id": "evt_1", "type": "checkout.session.completed", "data": []}',
        '{"id": "", "type": "checkout.session.completed", "data": {"object": {"id": "cs_1"}}}',
        '{"id": "evt_1", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}',
        '{"id": "evt_1", "type": "charge.refunded", "data": {"object": {"payment_intent": null}}}',
        '{"id": "evt_1", "type": ["x"], "data": {"object": {"id": "cs_1"}}}',
    ],
)
def test_a_signed_body_that_says_nothing_to_us_is_no_event_and_no_question(body: str) -> None:
    counter = Counter()
    assert counter.provider.parse_webhook(counter.stripe.raw(body)) == []
    assert not counter.stripe.calls


def test_events_outside_a_session_are_led_to_theirs() -> None:
    counter = Counter().paid()
    counter.stripe.refund_in_dashboard(counter.session, 100)
    counter.stripe.dispute(counter.session)
    told = [counter.provider.parse_webhook(counter.stripe.raw(event)) for event in counter.stripe.events[-2:]]
    assert [each[0].provider_ref for each in told] == [counter.session] * 2
    cash = {
        "applied_to_payment": {"payment_intent": counter.stripe.sessions[counter.session]["payment_intent"]}
    }
    event = counter.stripe.emit("customer_cash_balance_transaction.created", cash)
    assert counter.provider.parse_webhook(counter.stripe.raw(event))[0].provider_ref == counter.session


def test_an_event_about_a_payment_that_no_session_of_the_account_knows_is_none_of_ours() -> None:
    counter = Counter().paid()
    event = counter.stripe.emit("charge.refunded", {"id": "ch_9", "payment_intent": "pi_of_another_system"})
    assert counter.provider.parse_webhook(counter.stripe.raw(event)) == []


def test_when_stripe_cannot_be_asked_for_the_session_the_event_is_to_be_sent_again() -> None:
    counter = Counter().paid()
    counter.stripe.refund_in_dashboard(counter.session, 100)
    counter.stripe.faults.append("timeout")
    before = len(counter.stripe.calls)
    with pytest.raises(UnknownOutcomeError):
        counter.provider.parse_webhook(counter.stripe.raw(counter.stripe.events[-1]))
    assert len(counter.stripe.calls) == before + 1  # asked once: a webhook is not kept waiting


# --- in the shop


TABLE = """
[plugins.stripe_checkout]
enabled = true
api_key = "sk_test_of_the_tests"
webhook_secrets = ["whsec_of_the_tests"]
methods = ["card", "konbini"]
"""


def opened(folder: Path, **more: Any) -> Iterator[Flask]:
    app = make_app(write_shop(folder, SHOP_TOML + TABLE), **more)
    app.config["WTF_CSRF_ENABLED"] = True  # Stripe posts without a token
    seed(app)
    yield app
    app.extensions["koguchi"].close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Flask]:
    yield from opened(tmp_path / "shop")


@pytest.fixture
def shop_on_both(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    """On SQLite and on PostgreSQL, for what happens at one moment."""
    yield from opened(tmp_path / "shop", database_url=database_url)


def ordered(app: Flask, known: FakeStripe | None = None) -> tuple[FakeStripe, Payment]:
    """An order whose buyer is on Stripe's page now; needs an application context."""
    fake = known or in_the_shop(app)
    payment = payment_of(get_session(), placed("hayashi", CART, payment="stripe_checkout").id)
    assert payment is not None
    assert (payment.state, payment.redirect_url is not None) == ("requires_action", True)
    return fake, payment


def session_of(payment: Payment) -> str:
    assert payment.provider_ref is not None
    return payment.provider_ref


def deliver(app: Flask, fake: FakeStripe, *events: Any) -> None:
    """Post these, or all there are, each as Stripe posts it; then the worker follows them."""
    for event in events or tuple(fake.events):
        headers, body = fake.signed(event)
        assert (
            app.test_client().post("/webhooks/stripe_checkout", data=body, headers=headers).status_code == 204
        )
    run_due()


def states(payment: Payment) -> tuple[str, str]:
    return again(payment).state, order_of(payment).state


def test_a_card_payment_confirms_the_order(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        assert states(payment) == ("captured", "confirmed")
        assert incidents() == []


def test_a_konbini_order_waits_with_its_codes_and_is_confirmed_when_paid(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.order_at_konbini(session_of(payment))
        deliver(shop, fake)
        assert states(payment) == ("pending", "awaiting_payment")
        kept = again(payment)
        assert kept.instructions is not None and "konbini_lawson" in kept.instructions
        fake.pay_at_konbini(session_of(payment))
        deliver(shop, fake)
        assert states(payment) == ("captured", "confirmed")


def test_a_forged_event_changes_nothing(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        headers, body = fake.signed(fake.events[-1], secret="whsec_of_somebody_else")
        answer = shop.test_client().post("/webhooks/stripe_checkout", data=body, headers=headers)
        assert answer.status_code == 400
        run_due()
        assert states(payment) == ("requires_action", "awaiting_payment")


# F46
def test_one_event_from_eight_sides_at_once_confirms_once(shop_on_both: Flask) -> None:
    shop = shop_on_both
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        headers, body = fake.signed(fake.events[-1])

        def post(_: int) -> int:
            return (
                shop.test_client().post("/webhooks/stripe_checkout", data=body, headers=headers).status_code
            )

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(post, range(16))) == {204}
        run_due()
        assert states(payment) == ("captured", "confirmed")
        assert incidents() == []


# F47
def test_events_in_any_order_and_twice_end_the_same(shop: Flask) -> None:
    with shop.app_context():
        fake = in_the_shop(shop)
        for order in list(permutations(range(3)))[::2]:
            _, payment = ordered(shop, fake)
            first = len(fake.events)
            fake.pay(session_of(payment), decline="generic_decline")
            fake.pay(session_of(payment))
            late = fake.emit("checkout.session.async_payment_failed", {"id": session_of(payment)})
            done = next(each for each in fake.events[first:] if each["type"] == "checkout.session.completed")
            three = (done, late, fake.emit("checkout.session.expired", {"id": session_of(payment)}))
            deliver(shop, fake, *(three[place] for place in order), *three)
            assert states(payment) == ("captured", "confirmed")
        assert incidents() == []


# F48
def test_another_amount_at_stripe_is_for_a_person_and_never_paid(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        fake.intents[fake.sessions[session_of(payment)]["payment_intent"]]["amount_received"] = 1
        deliver(shop, fake)
        assert states(payment) == ("review", "awaiting_payment")
        assert incidents() == ["payment_review"]


# F49
def test_a_start_whose_answer_was_lost_is_found_and_charged_once(shop: Flask) -> None:
    with shop.app_context():
        fake = in_the_shop(shop)
        fake.faults.extend(["lost"] * 3)
        payment = payment_of(get_session(), placed("hayashi", CART, payment="stripe_checkout").id)
        assert payment is not None
        assert (payment.state, payment.code) == ("pending", "unknown")
        shop.extensions["koguchi"].clock.forward(minutes=2)
        run_due()
        assert again(payment).state == "requires_action"
        assert len(fake.sessions) == 1


def test_a_refund_goes_to_stripe_once_and_stands_in_the_books(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        done = refund(payment.id, 1_000, "damaged", "owner@example.com")
        assert isinstance(done, Refunded)
        assert done.state == "done"
        deliver(shop, fake)
        assert again(payment).state == "partially_refunded"
        assert [each["amount"] for each in fake.refunds.values()] == [1_000]
        assert incidents() == []


def test_a_refund_that_the_bank_sends_back_after_days_is_told_and_may_be_made_again(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        refund(payment.id, 1_000, "damaged", "owner@example.com")
        refund(payment.id, 500, "late", "owner@example.com")
        first, second = fake.refunds
        shop.extensions["koguchi"].clock.forward(days=5)
        fake.settle_refund(first, well=False)
        for _ in range(2):
            deliver(shop, fake)
        assert (again(payment).state, incidents()) == ("partially_refunded", ["refund_failed"])
        fake.settle_refund(second, well=False)
        deliver(shop, fake)
        assert (again(payment).state, incidents()) == ("captured", ["refund_failed"] * 2)
        done = refund(payment.id, payment.amount_minor, "once more", "owner@example.com")
        assert (done.left_minor, again(payment).state) == (0, "refunded")


def test_where_no_refund_has_the_amount_that_came_back_the_owner_is_told_and_nothing_is_guessed(
    shop: Flask,
) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        for amount in (100, 200, 300):
            refund(payment.id, amount, "", "owner@example.com")
        shop.extensions["koguchi"].clock.forward(days=5)
        for each in list(fake.refunds)[1:]:
            fake.settle_refund(each, well=False)
        deliver(shop, fake)
        states = get_session().scalars(select(Refund.state).where(Refund.payment_id == payment.id))
        assert (list(states), set(incidents())) == (["done"] * 3, {"refund_failed"})


def test_control_an_answer_from_before_a_refund_was_done_undoes_nothing(
    shop: Flask,
) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        refund(payment.id, 1_000, "damaged", "owner@example.com")
        with write() as session:
            old = Result("captured", payment.provider_ref, Money(payment.amount_minor, "JPY"), "")
            apply(session, payment.id, old, actor="stripe_checkout", asked_in="captured")
        assert (again(payment).state, incidents()) == ("partially_refunded", [])
        shop.extensions["koguchi"].clock.forward(days=1)
        look_after()  # it is asked once more, and then no more
        assert (again(payment).state, again(payment).ask_at, incidents()) == ("partially_refunded", None, [])


def test_a_refund_made_in_the_dashboard_stands_in_the_books_too(shop: Flask) -> None:
    with shop.app_context():
        fake, payment = ordered(shop)
        fake.pay(session_of(payment))
        deliver(shop, fake)
        fake.refund_in_dashboard(session_of(payment), payment.amount_minor)
        deliver(shop, fake)
        assert again(payment).state == "refunded"


def test_a_method_that_stripe_dropped_is_put_up_for_the_owner(shop: Flask) -> None:
    with shop.app_context():
        fake = in_the_shop(shop)
        fake.active = {"card"}
        for _ in range(2):
            placed("hayashi", CART, payment="stripe_checkout")
        assert incidents() == ["payment_notice"]
