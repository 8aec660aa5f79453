"""The contract of a payment provider as tests: pytest --pyargs plugins.testing.payments --provider PKG:OBJ.

Each test is one promise of docs/plugins.md. Each builds a provider of its own and opens no connection.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from plugins.answers import bad_availability, bad_fee, bad_result, bad_texts
from plugins.contract import (
    STATUSES,
    Capability,
    Money,
    PaymentProvider,
    PaymentView,
    RawRequest,
    Result,
    SignatureError,
)
from plugins.testing.subject import (
    NOW,
    RETURN_URL,
    MissingPartError,
    Subject,
    after,
    context,
    key_of,
    payment,
)

AMOUNTS = {"JPY": (1, 120, 1_200, 9_999_999), "USD": (50, 1_999, 9_999_999), "KWD": (100, 1_999, 9_999_999)}


def start(provider: PaymentProvider, view: PaymentView, number: int = 1) -> Result:
    return provider.start(view, key=key_of(view, number=number), return_url=RETURN_URL)


def started(subject: Subject, amount: Money | None = None) -> tuple[PaymentProvider, PaymentView, Result]:
    provider = subject.fresh()
    view = payment(amount or Money(max(1_200, subject.smallest), subject.currencies[0]))
    result = start(provider, view)
    return provider, after(view, result), result


def captured(subject: Subject) -> tuple[PaymentProvider, PaymentView]:
    """A payment that is captured; left out for a provider that can neither capture nor be paid."""
    provider, view, result = started(subject)
    if result.status == "captured":
        return provider, view
    if subject.pay is not None:
        subject.pay(provider, view)
        result = provider.fetch(view)
    elif Capability.CAPTURE in provider.capabilities:
        result = provider.capture(view, view.amount, key=key_of(view, "capture"))
    if result.status != "captured":
        raise MissingPartError("give the kit Subject.pay, so that a payment can be captured")
    return provider, after(view, result)


@contextmanager
def no_network() -> Iterator[None]:
    """Every new connection is an error."""
    real = socket.socket.connect

    def refuse(*_args: Any, **_more: Any) -> None:
        raise AssertionError("a connection was opened")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = real  # type: ignore[method-assign]


def refusal(config: Any, settings: Mapping[str, Any]) -> str | None:
    """Why a config refuses these settings; None when it takes them."""
    try:
        config(**settings)
    except ValidationError as error:
        return str(error)
    return None


# --- what it is


def test_it_says_what_it_is(subject: Subject) -> None:
    provider = subject.fresh()
    assert isinstance(provider.id, str) and provider.id == provider.id.strip() != "", "id is a word"
    assert not bad_texts(provider.label), "label is a text in ja and en"
    assert {"ja", "en"} <= set(provider.label), "label is a text in ja and en"
    assert isinstance(provider.capabilities, Capability), "capabilities is a plugins.Capability"
    if Capability.PARTIAL_REFUND in provider.capabilities:
        assert Capability.REFUND in provider.capabilities, "who refunds in part refunds"


def test_a_wrong_setting_is_refused_by_its_name(subject: Subject) -> None:
    config = subject.provider.config  # type: ignore[attr-defined]
    for name, value in {"a_setting_that_is_none": 1, **subject.wrong_settings}.items():
        told = refusal(config, {**subject.settings, name: value})
        assert told is not None, f"{name} = {value!r} was taken"
        assert name in told, f"the message does not name {name}"


def test_no_secret_stands_in_a_repr_a_result_or_a_log(subject: Subject) -> None:
    secrets = subject.part("secrets")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        provider, view, result = started(subject)
        told = [repr(provider), repr(vars(provider)), repr(result), repr(provider.fetch(view)), *lines]
    finally:
        logging.getLogger().removeHandler(handler)
    for secret in secrets:
        assert not any(secret in one for one in told), "a secret is shown"


# --- before the order


def test_availability_and_fee_compute_and_ask_nobody(subject: Subject) -> None:
    provider = subject.fresh()
    ctx = context(Money(max(1_200, subject.smallest), subject.currencies[0]))
    with no_network():
        wrong = bad_availability(provider.availability(ctx)) or bad_fee(provider.fee(ctx), ctx.total.currency)
        assert not wrong, wrong
        assert provider.availability(ctx) == provider.availability(ctx), "the same question has two answers"
        assert provider.fee(ctx) == provider.fee(ctx), "the same question has two answers"
    if subject.calls is not None:
        assert subject.calls(provider) == 0, "the other side was asked"


def test_availability_answers_a_visitor_and_any_amount(subject: Subject) -> None:
    provider = subject.fresh()
    for amount in (1, 10**12):
        for buyer in (None, context(Money(1, "JPY")).buyer):
            ctx = replace(context(Money(amount, subject.currencies[0])), buyer=buyer, ship_to=None)
            assert not (wrong := bad_availability(provider.availability(ctx))), wrong
            assert not (wrong := bad_fee(provider.fee(ctx), ctx.total.currency)), wrong


# --- starting


def test_start_twice_with_one_key_is_one_payment(subject: Subject) -> None:
    provider = subject.fresh()
    view = payment(Money(max(1_200, subject.smallest), subject.currencies[0]))
    first, second = start(provider, view), start(provider, view)
    assert first.provider_ref == second.provider_ref, "one key gave two payments: a retry would charge twice"
    assert first.provider_ref or first.status in ("pending", "failed"), "a payment without a reference"


def test_eight_threads_with_one_key_are_one_payment(subject: Subject) -> None:
    provider = subject.fresh()
    view = payment(Money(max(1_200, subject.smallest), subject.currencies[0]))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: start(provider, view), range(8)))
    assert len({result.provider_ref for result in results}) == 1, "one key gave two payments"


def test_another_payment_is_another_reference(subject: Subject) -> None:
    provider = subject.fresh()
    amount = Money(max(1_200, subject.smallest), subject.currencies[0])
    references = [start(provider, payment(amount)).provider_ref for _ in range(3)]
    assert len(set(references)) == 3, "two payments share a reference"


def test_the_answer_is_a_result_for_this_attempt(subject: Subject) -> None:
    _provider, view, result = started(subject)
    assert not (wrong := bad_result(result, key_of(view))), wrong
    assert result.status in STATUSES
    assert result.amount == view.amount, "the amount answered is not the amount asked"


def test_amounts_are_sent_unscaled(subject: Subject) -> None:
    for currency in subject.currencies:
        for minor in AMOUNTS.get(currency, (1_999,)):
            if not subject.smallest <= minor <= subject.largest:
                continue
            provider, _view, result = started(subject, Money(minor, currency))
            if result.status == "failed":
                continue  # declined for its amount, which is an answer
            assert result.amount == Money(minor, currency), f"{minor} {currency} came back as {result.amount}"
            if subject.amounts_sent is not None:
                sent = subject.amounts_sent(provider)
                assert sent, "nothing was sent"
                assert all(str(one) == str(minor) for one in sent), f"{minor} {currency} was sent as {sent}"


def test_a_redirect_is_https_and_comes_back_to_us(subject: Subject) -> None:
    _provider, _view, result = started(subject)
    if result.status == "requires_action":
        assert result.redirect_url, "requires_action without a redirect_url"
    if result.redirect_url is not None:
        assert result.redirect_url.startswith("https://"), "a redirect that is not https"


def test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages(subject: Subject) -> None:
    decline = subject.part("decline")
    provider = subject.fresh()
    decline(provider)
    result = start(provider, payment(Money(max(1_200, subject.smallest), subject.currencies[0])))
    assert result.status == "failed", f"declined, but the status is {result.status}"
    assert result.buyer_message and {"ja", "en"} <= set(result.buyer_message), "no sentence in ja and en"
    assert result.code, "no code"


def test_an_answer_that_was_lost_is_found_by_fetch(subject: Subject) -> None:
    lose = subject.part("lose_answer")
    provider = subject.fresh()
    view = payment(Money(max(1_200, subject.smallest), subject.currencies[0]))
    lose(provider)
    try:
        lost: Result | None = start(provider, view)
    except Exception:
        lost = None  # raising says: unknown, ask again
    assert lost is None or lost.status == "pending", "an unknown outcome was told as a known one"
    again = start(provider, view)
    found = provider.fetch(after(view, again))
    assert found.provider_ref == again.provider_ref, "the retry made a second payment"
    assert found.status != "failed", "a payment that was accepted is told as failed"


# --- afterwards


def test_fetch_tells_the_truth_and_changes_nothing(subject: Subject) -> None:
    provider, view, result = started(subject)
    first, second = provider.fetch(view), provider.fetch(view)
    assert not (wrong := bad_result(first)), wrong
    assert (first.status, first.amount, first.provider_ref) == (
        second.status,
        second.amount,
        second.provider_ref,
    )
    assert first.provider_ref in (result.provider_ref, None), "fetch answered about another payment"
    assert first.amount == view.amount, "fetch answers another amount"


def test_fetch_of_a_payment_that_never_arrived_is_no_failure(subject: Subject) -> None:
    found = subject.fresh().fetch(payment(Money(max(1_200, subject.smallest), subject.currencies[0])))
    assert found.status not in ("failed", "captured", "refunded"), (
        f"nobody knows it, and it is told as {found.status}"
    )


def test_capture_answers_the_amount_captured(subject: Subject) -> None:
    provider, view, result = started(subject)
    if Capability.CAPTURE not in provider.capabilities or result.status not in ("authorized", "pending"):
        raise MissingPartError("only for a provider that captures later")
    done = provider.capture(view, view.amount, key=key_of(view, "capture"))
    assert not (wrong := bad_result(done, key_of(view, "capture"))), wrong
    if done.status == "captured":
        assert done.amount == view.amount
        again = provider.capture(after(view, done), view.amount, key=key_of(view, "capture"))
        assert again.provider_ref == done.provider_ref, "one key captured twice"


def test_void_after_capture_is_refused(subject: Subject) -> None:
    provider, view = captured(subject)
    if Capability.OFFLINE in provider.capabilities:
        raise MissingPartError("nothing moves over this provider: the shop's own table of moves refuses")
    done = provider.void(view, key=key_of(view, "void"))
    assert done.status != "canceled", "money that was taken was called void: it has to be refunded"


def test_a_refund_gives_back_the_amount_asked_once(subject: Subject) -> None:
    provider, view = captured(subject)
    if Capability.REFUND not in provider.capabilities:
        raise MissingPartError("only for a provider that refunds")
    part = Capability.PARTIAL_REFUND in provider.capabilities
    amount = Money(view.amount.minor // 3, view.amount.currency) if part else view.amount
    done = provider.refund(view, amount, key=key_of(view, "refund"), reason=None)
    assert not (wrong := bad_result(done, key_of(view, "refund"))), wrong
    assert done.status in ("refunded", "pending"), f"the refund is {done.status}"
    assert done.amount == amount, "another amount was given back"
    again = provider.refund(view, amount, key=key_of(view, "refund"), reason=None)
    assert again.status == done.status, "one key refunded twice with two answers"


def test_more_than_was_taken_is_not_given_back(subject: Subject) -> None:
    provider, view = captured(subject)
    if Capability.REFUND not in provider.capabilities or Capability.OFFLINE in provider.capabilities:
        raise MissingPartError("only for a provider that moves the money back itself")
    more = Money(view.amount.minor + 1, view.amount.currency)
    done = provider.refund(view, more, key=key_of(view, "refund"), reason=None)
    assert done.status == "failed", "more was given back than was taken"


def test_what_it_cannot_do_is_a_record_and_no_exception(subject: Subject) -> None:
    provider, view, _result = started(subject)
    if Capability.CAPTURE not in provider.capabilities:
        assert not (wrong := bad_result(provider.capture(view, view.amount, key=key_of(view, "capture")))), (
            wrong
        )
    if Capability.VOID not in provider.capabilities:
        assert not (wrong := bad_result(provider.void(view, key=key_of(view, "void")))), wrong
    if Capability.REFUND not in provider.capabilities:
        done = provider.refund(view, view.amount, key=key_of(view, "refund"), reason=None)
        assert not (wrong := bad_result(done)), wrong


# --- webhooks


def webhook(
    subject: Subject, kind: str = "known", ago: int = 0
) -> tuple[PaymentProvider, PaymentView, RawRequest]:
    build = subject.part("webhook")
    provider, view, _result = started(subject)
    raw = build(provider, view, NOW - timedelta(seconds=ago), kind)
    return provider, view, replace(raw, received_at=NOW)


def refused(provider: PaymentProvider, raw: RawRequest) -> bool:
    try:
        provider.parse_webhook(raw)
    except SignatureError:
        return True
    return False


def test_a_webhook_names_the_payment_and_the_event(subject: Subject) -> None:
    provider, view, raw = webhook(subject)
    (event,) = provider.parse_webhook(raw)
    assert event.event_id and event.provider_ref == view.provider_ref
    assert provider.parse_webhook(raw) == [event], "the same webhook has two event ids: it would count twice"


def test_a_tampered_or_unsigned_webhook_is_refused(subject: Subject) -> None:
    provider, _view, raw = webhook(subject)
    assert refused(provider, replace(raw, body=raw.body.replace(b"1", b"2", 1) + b" ")), (
        "a changed body was taken"
    )
    assert refused(provider, replace(raw, headers={})), "a webhook without a signature was taken"
    forged = {name: value[::-1] for name, value in raw.headers.items()}
    assert refused(provider, replace(raw, headers=forged)), "a forged signature was taken"


def test_an_old_webhook_and_one_of_the_future_are_refused(subject: Subject) -> None:
    for ago in (301, -301):
        provider, _view, raw = webhook(subject, ago=ago)
        assert refused(provider, raw), f"a webhook signed {ago} seconds ago was taken"
    for ago in (299, -299):
        provider, _view, raw = webhook(subject, ago=ago)
        assert not refused(provider, raw), f"a webhook signed {ago} seconds ago was refused"


def test_a_signed_webhook_that_is_no_json_or_of_an_unknown_kind_says_nothing(subject: Subject) -> None:
    for kind in ("unknown", "no_json"):
        provider, _view, raw = webhook(subject, kind)
        assert provider.parse_webhook(raw) == [], f"{kind}: events came out of nothing"


def test_a_failure_that_arrives_after_the_capture_does_not_undo_it(subject: Subject) -> None:
    pay, fail = subject.part("pay"), subject.part("fail_late")
    provider, view, _result = started(subject)
    pay(provider, view)
    fail(provider, view)
    assert provider.fetch(view).status == "captured", "a late failure undid a capture"
