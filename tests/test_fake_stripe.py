"""The stand-in of Stripe keeps Stripe's rules, so that a call which Stripe would refuse cannot pass a test here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import stripe
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from support.fake_stripe import KEY, FakeStripe
from support.stripe_params import Refused, check, decoded
from support.stripe_shop import NOW, Counter

LINE = {"quantity": 1, "price_data": {"currency": "jpy", "unit_amount": 1000, "product_data": {"name": "x"}}}
ENDS = int(NOW.timestamp()) + 3600


def ask(fake: FakeStripe, *, key: str | None = None, **changes: Any) -> Any:
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [LINE],
        "allowed_payment_method_types": ["card"],
        "expires_at": ENDS,
        "success_url": "https://shop.example",
        "cancel_url": "https://shop.example",
    }
    client = stripe.StripeClient(KEY, http_client=fake, max_network_retries=0)
    sent: Any = {name: value for name, value in (params | changes).items() if value is not None}
    return client.v1.checkout.sessions.create(sent, {"idempotency_key": key} if key else None)


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe(now=lambda: NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported"),
        ({"amount": 1000}, "parameter_unknown"),
        ({"line_items": [LINE | {"qty": 1}]}, "parameter_unknown"),
        ({"line_items": [{"quantity": 1, "price_data": {"unit_amount": 1000}}]}, "parameter_missing"),
        ({"expires_at": "soon"}, "parameter_invalid"),
        ({"expires_at": ENDS - 3600 + 29 * 60}, "parameter_invalid"),
        ({"expires_at": ENDS + 24 * 3600}, "parameter_invalid"),
        ({"line_items": [LINE | {"quantity": 1.5}]}, "parameter_invalid"),
        ({"excluded_payment_method_types": ["konbini"]}, "parameter_invalid"),
        ({"allowed_payment_method_types": ["customer_balance"]}, "invalid_request"),
    ],
)
def test_a_call_that_stripe_refuses_is_refused(fake: FakeStripe, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        ask(fake, **changes)
    assert raised.value.code == code
    assert raised.value.http_status == 400


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("jpy", 49, "amount_too_small"),
        ("jpy", 100_000_000, "amount_too_large"),
        ("kwd", 1_999, "parameter_invalid"),
    ],
)
def test_an_amount_that_stripe_refuses_is_refused(
    fake: FakeStripe, currency: str, amount: int, code: str
) -> None:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "x"}}
    with pytest.raises(stripe.InvalidRequestError) as raised:
        ask(fake, line_items=[{"quantity": 1, "price_data": price}])
    assert raised.value.code == code


def test_a_float_on_the_wire_is_refused(fake: FakeStripe) -> None:
    price = {"currency": "jpy", "unit_amount": 1000.0, "product_data": {"name": "x"}}
    with pytest.raises(stripe.InvalidRequestError) as raised:
        ask(fake, line_items=[{"quantity": 1, "price_data": price}])
    assert raised.value.param == "line_items[price_data][unit_amount]"


def test_one_key_answers_the_same_and_refuses_other_parameters(fake: FakeStripe) -> None:
    first = ask(fake, key="k")
    assert ask(fake, key="k").id == first.id
    assert len(fake.sessions) == 1
    with pytest.raises(stripe.IdempotencyError):
        ask(fake, key="k", client_reference_id="another")
    assert ask(fake, key="l").id != first.id


def test_a_refusal_under_a_key_is_remembered_too(fake: FakeStripe) -> None:
    fake.faults.append("decline:expired_card")
    for _ in range(2):
        with pytest.raises(stripe.CardError) as raised:
            ask(fake, key="k")
        assert raised.value.json_body["error"]["decline_code"] == "expired_card"  # type: ignore[index]


def test_a_method_that_does_not_fit_is_dropped_without_a_word(fake: FakeStripe) -> None:
    session = ask(fake, allowed_payment_method_types=["card", "konbini", "customer_balance"])
    assert session.payment_method_types == ["card", "konbini"]
    assert session.status == "open"


def test_another_key_of_the_account_is_refused(fake: FakeStripe) -> None:
    client = stripe.StripeClient("sk_test_wrong", http_client=fake, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        client.v1.checkout.sessions.retrieve("cs_1")


def test_more_than_was_paid_is_not_given_back(fake: FakeStripe) -> None:
    counter = Counter().paid()
    client = stripe.StripeClient(KEY, http_client=counter.stripe, max_network_retries=0)
    intent = str(counter.stripe.sessions[counter.session]["payment_intent"])
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 16_885})
    client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.refunds.create({"payment_intent": intent, "amount": 1})
    assert raised.value.code == "charge_already_refunded"


def test_the_form_on_the_wire_is_read_as_it_was_written() -> None:
    text = "a[b][0][c]=1&a[b][1][c]=%E8%9E%BA%E5%AD%90&d=&e[x]=y"
    assert decoded(text) == {"a": {"b": [{"c": "1"}, {"c": "螺子"}]}, "d": "", "e": {"x": "y"}}


def test_parameters_are_known_from_the_installed_package() -> None:
    check({"payment_intent": "pi_1", "amount": "100", "metadata": {"a": "b"}}, RefundCreateParams)
    for wrong in ({"amount": "1.0"}, {"idempotency_key": "k"}, {"metadata": {"a": {"b": "c"}}}):
        with pytest.raises(Refused):
            check(wrong, RefundCreateParams)
    with pytest.raises(Refused, match="unknown parameter: payment_method_options\\[konbini\\]\\[days\\]"):
        check({"payment_method_options": {"konbini": {"days": "3"}}}, SessionCreateParams)


MISTAKES = """
import stripe
client = stripe.StripeClient("sk_test")
client.v1.checkout.sessions.create({"payment_method_types": ["card"]})  # removed
client.v1.refunds.create({"amount": 1.5})  # a float
client.v1.refunds.create({"amout": 1})  # misspelt
client.v1.payment_intents.capture("pi_1", {"amount_to_capture": "1"})  # a text
client.v1.checkout.sessions.retrieve("cs_1").get("status")  # no longer a dict
"""


def test_mypy_reads_the_calls_to_stripe_and_would_see_a_wrong_one(tmp_path: Path) -> None:
    """Strict over the plugin, in one run with five planted mistakes."""
    root = Path(__file__).parent.parent
    mistakes = tmp_path / "mistakes.py"
    mistakes.write_text(MISTAKES, encoding="utf-8")
    ours = sorted(str(path) for path in (root / "plugins" / "payments").glob("stripe_*.py"))
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *ours, str(mistakes)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    errors = [line.split(":")[:2] for line in done.stdout.splitlines() if ": error:" in line]
    assert {Path(name).name for name, _ in errors} == {"mistakes.py"}, done.stdout + done.stderr
    assert {line for _, line in errors} == {"4", "5", "6", "7", "8"}, done.stdout
