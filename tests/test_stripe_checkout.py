"""stripe_checkout in front of the fake Stripe: every way a payment goes, and what the shop is told of it."""

import inspect
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from plugins import Available, CheckoutContext, Disabled, Hidden, Money
from plugins.loader import load
from plugins.payments.stripe_checkout import Settings, StripeCheckout, UnknownOutcomeError
from plugins.payments.stripe_checkout.amounts import AmountError, money, taken, wire
from plugins.testing import MissingPartError, payments
from support.fake_stripe import KEY, SECRET, FakeStripe
from support.stripe_shop import KIT, METHODS, NOW, RETURN, SETTINGS, Counter, a_payment

PROMISES = {name: test for name, test in vars(payments).items() if name.startswith("test_")}
# A hosted page has nothing to capture when start answers; the tests of manual capture here stand for it.
NOT_ASKED = "test_capture_answers_the_amount_captured"


@pytest.mark.parametrize("name", sorted(PROMISES.keys() - {NOT_ASKED}))
def test_it_keeps_every_promise_of_the_contract_kit(name: str) -> None:
    PROMISES[name](KIT)  # a part that KIT lacks raises


def test_the_kit_leaves_out_only_what_a_hosted_page_cannot_do() -> None:
    with pytest.raises(MissingPartError):
        PROMISES[NOT_ASKED](KIT)


# --- the session that is asked for


def test_a_session_carries_one_line_the_methods_the_references_and_the_way_back() -> None:
    counter = Counter()
    result = counter.start()
    (sent,) = counter.created()
    assert sent["mode"] == "payment"
    (line,) = sent["line_items"]
    assert line["quantity"] == "1"
    assert line["price_data"]["unit_amount"] == "16884"
    assert line["price_data"]["currency"] == "jpy"
    assert sent["allowed_payment_method_types"] == ["card", "konbini", "customer_balance"]
    assert sent["client_reference_id"] == counter.view.id
    ours = {"koguchi_payment": counter.view.id, "koguchi_order": counter.view.order_number}
    assert sent["metadata"] == sent["payment_intent_data"]["metadata"] == ours
    assert sent["success_url"] == sent["cancel_url"] == RETURN
    assert sent["locale"] == "ja"
    assert sent["customer"] in counter.stripe.customers
    options = sent["payment_method_options"]
    assert options["konbini"] == {"expires_after_days": "3"}
    assert options["customer_balance"]["bank_transfer"] == {"type": "jp_bank_transfer"}
    assert result.status == "requires_action"
    assert result.redirect_url == f"https://checkout.stripe.test/c/pay/{result.provider_ref}"
    assert result.amount == Money(16_884, "JPY")
    assert result.expires_at is not None
    assert timedelta(hours=22) < result.expires_at - NOW <= timedelta(hours=24)


def test_every_change_goes_under_the_shop_s_key_and_every_call_under_the_pinned_version() -> None:
    counter = Counter().paid()
    counter.refund(100)
    heads = {
        (method, path.split("/")[-1]): headers
        for method, path, _, headers in counter.stripe.calls
        if method == "post"
    }
    number = counter.view.id
    assert heads["post", "sessions"]["idempotency-key"] == f"{number}:start:1"
    assert heads["post", "customers"]["idempotency-key"] == f"{number}:start:1:customer"
    assert heads["post", "refunds"]["idempotency-key"] == f"{number}:refund:1"
    for _, _, _, headers in counter.stripe.calls:
        assert headers["stripe-version"] == "2026-10-28.endive" == stripe.api_version
        assert "x-stripe-client-telemetry" not in headers
        assert "Koguchi" in headers["user-agent"]


def test_the_client_of_a_shop_has_timeouts_and_two_retries() -> None:
    provider = StripeCheckout(Settings(**SETTINGS))
    options = provider._intents._requestor._options
    client = provider._intents._requestor._get_http_client()
    assert options.max_network_retries == 2
    assert isinstance(client, stripe.RequestsClient)
    assert client._timeout == (3, 10)
    assert stripe.enable_telemetry is False


def test_a_company_keeps_one_account_for_its_transfers_and_a_visitor_has_one_for_each_payment() -> None:
    counter = Counter()
    for buyer in (counter.view.buyer, counter.view.buyer, None, None):
        counter.start(a_payment(buyer=buyer))
    customers = [sent["customer"] for sent in counter.created()]
    assert customers[0] == customers[1]
    assert len(set(customers)) == 3


def test_english_buyers_read_english() -> None:
    counter = Counter()
    counter.start(a_payment(language="en"))
    (sent,) = counter.created()
    assert sent["locale"] == "en"
    assert sent["line_items"][0]["price_data"]["product_data"]["name"].startswith("Order A-")


def test_without_transfers_no_customer_is_made() -> None:
    counter = Counter(methods=("card",))
    counter.start()
    assert not counter.stripe.customers
    assert "payment_method_options" not in counter.created()[0]


def test_what_stripe_silently_dropped_is_told_to_the_owner_once(caplog: pytest.LogCaptureFixture) -> None:
    counter = Counter()
    counter.stripe.active = {"card"}
    with caplog.at_level(logging.WARNING, "koguchi.plugins"):
        first, second = counter.start(), counter.start(a_payment())
    assert first.notice is not None
    assert "コンビニ払い・銀行振込" in first.notice["ja"]
    assert "convenience store, bank transfer" in first.notice["en"]
    assert second.notice is None
    assert caplog.text.count("does not offer konbini, jp_bank_transfer") == 1


def test_all_methods_dropped_is_a_refusal_for_now_and_no_endless_wait() -> None:
    counter = Counter()
    counter.stripe.active = set()
    result = counter.start()
    assert result.status == "failed"
    assert result.buyer_message is not None


# --- amounts

THREE = ("BHD", "JOD", "KWD", "OMR", "TND")


@given(st.integers(1, 99_999_999), st.sampled_from(["JPY", "KRW", "USD", "EUR", "GBP", "HUF", "TWD"]))
def test_amounts_stand_unscaled_on_the_wire_and_come_back(minor: int, currency: str) -> None:
    assert wire(Money(minor, currency)) == minor
    assert money(minor, currency.lower()) == Money(minor, currency)


@given(st.integers(1, 9_999_999), st.sampled_from(THREE))
def test_three_decimals_end_in_zero_or_are_refused_never_rounded(minor: int, currency: str) -> None:
    if minor % 10:
        with pytest.raises(AmountError):
            wire(Money(minor, currency))
    else:
        assert wire(Money(minor, currency)) == minor


@given(st.integers(1, 999_999), st.sampled_from(["ISK", "UGX", "MGA"]))
def test_the_currencies_that_stripe_counts_otherwise_come_back_as_they_went(
    minor: int, currency: str
) -> None:
    amount = Money(minor * 100, currency)
    assert money(wire(amount), currency) == amount
    assert wire(Money(500, "ISK")) == 50_000
    assert wire(Money(500, "MGA")) == 5


@given(st.integers(50, 99_999_999))
def test_yen_on_the_wire_are_yen(minor: int) -> None:
    counter = Counter(methods=("card",))
    assert counter.start(a_payment(Money(minor, "JPY"))).amount == Money(minor, "JPY")
    assert counter.created()[0]["line_items"][0]["price_data"]["unit_amount"] == str(minor)


@pytest.mark.parametrize("currency", ["IQD", "LYD", "CLF"])
def test_a_currency_that_stripe_does_not_take_is_refused_before_the_network(currency: str) -> None:
    counter = Counter()
    assert counter.start(a_payment(Money(10_000, currency))).status == "failed"
    assert not counter.stripe.calls


@pytest.mark.parametrize(
    ("minor", "methods"),
    [
        (49, ()),
        (50, ("card", "jp_bank_transfer")),
        (119, ("card", "jp_bank_transfer")),
        (120, METHODS),
        (300_000, METHODS),
        (300_001, ("card", "jp_bank_transfer")),
        (99_999_999, ("card", "jp_bank_transfer")),
        (100_000_000, ()),
    ],
)
def test_each_method_takes_the_amounts_it_takes(minor: int, methods: tuple[str, ...]) -> None:
    assert taken(Money(minor, "JPY"), METHODS) == methods


@pytest.mark.parametrize(
    ("methods", "amount", "offered"),
    [
        (METHODS, Money(16_884, "JPY"), Available),
        (METHODS, Money(10, "JPY"), Disabled),
        (METHODS, Money(100_000_000, "JPY"), Disabled),
        (("konbini",), Money(300_001, "JPY"), Disabled),
        (("konbini",), Money(5_000, "USD"), Hidden),
        (METHODS, Money(1_999, "KWD"), Disabled),
        (METHODS, Money(1_990, "KWD"), Available),
        (METHODS, Money(1_000, "IQD"), Disabled),
    ],
)
def test_it_is_offered_for_what_it_can_take(methods: tuple[str, ...], amount: Money, offered: type) -> None:
    counter = Counter(methods=methods)
    answer = counter.provider.availability(CheckoutContext(None, amount, amount, date(2026, 11, 20)))
    assert isinstance(answer, offered), answer
    assert not counter.stripe.calls


def test_the_buyer_reads_beforehand_which_methods_the_next_page_has() -> None:
    amount = Money(400_000, "JPY")
    answer = Counter().provider.availability(CheckoutContext(None, amount, amount, date(2026, 11, 20)))
    assert isinstance(answer, Available)
    assert answer.note is not None
    assert answer.note["ja"].endswith("カード・銀行振込")


# --- what becomes of it


def test_a_card_payment_is_captured() -> None:
    result = Counter().paid().fetch()
    assert (result.status, result.amount) == ("captured", Money(16_884, "JPY"))


def test_a_declined_card_leaves_the_page_open_and_another_card_pays() -> None:
    counter = Counter()
    counter.start()
    counter.stripe.pay(counter.session, decline="insufficient_funds")
    declined = counter.fetch()
    assert declined.status == "requires_action"
    assert declined.redirect_url is not None
    counter.stripe.pay(counter.session)
    assert counter.fetch().status == "captured"


def test_a_konbini_order_waits_with_its_codes_until_the_voucher_ends_in_japan() -> None:
    result = Counter().paid(FakeStripe.order_at_konbini).fetch()
    assert result.status == "pending"
    assert result.instructions is not None
    assert result.instructions["konbini_until"] == "2026-11-23"
    assert result.instructions["konbini_lawson"] == "123456 / 1234567890"
    assert result.instructions["voucher"].startswith("https://")
    assert result.expires_at == datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)


def test_a_konbini_order_is_paid_days_later_or_lapses() -> None:
    paid, lapsed = Counter().paid(FakeStripe.order_at_konbini), Counter().paid(FakeStripe.order_at_konbini)
    paid.stripe.pay_at_konbini(paid.session)
    lapsed.stripe.let_voucher_lapse(lapsed.session)
    assert paid.fetch().status == "captured"
    late = lapsed.fetch()
    assert (late.status, late.code) == ("failed", "payment_intent_payment_attempt_expired")
    assert late.buyer_message == {"ja": "お支払いの期限が過ぎました", "en": "The time to pay has passed"}


def test_a_transfer_waits_with_the_account_and_is_paid_once_enough_has_come() -> None:
    counter = Counter().paid(FakeStripe.order_transfer)
    result = counter.fetch()
    assert result.status == "pending"
    assert result.instructions is not None
    assert result.instructions["bank"] == "三井住友銀行 (0009)"
    assert result.instructions["account_type"] == "普通"
    assert result.expires_at == NOW + timedelta(days=7)
    customer = counter.created()[0]["customer"]
    counter.stripe.fund(customer, 16_000)
    assert counter.fetch().status == "pending"
    counter.stripe.fund(customer, 884)
    assert counter.fetch().status == "captured"


def test_a_session_that_nobody_used_ends() -> None:
    counter = Counter()
    counter.start()
    counter.stripe.expire(counter.session)
    result = counter.fetch()
    assert (result.status, result.code, result.redirect_url) == ("canceled", "expired", None)


def test_another_amount_at_stripe_is_told_as_it_is_for_the_shop_to_compare() -> None:
    counter = Counter().paid()
    intent = counter.stripe.intents[counter.stripe.sessions[counter.session]["payment_intent"]]
    intent |= {"amount_received": 100}
    assert counter.fetch().amount == Money(100, "JPY")


def test_a_word_of_stripe_s_that_nobody_knows_yet_is_pending() -> None:
    counter = Counter().paid()
    counter.stripe.intents[counter.stripe.sessions[counter.session]["payment_intent"]]["status"] = "dreaming"
    assert counter.fetch().status == "pending"


def test_a_dispute_is_told_and_a_won_one_is_over() -> None:
    counter = Counter().paid()
    dispute = counter.stripe.dispute(counter.session)
    assert counter.fetch().status == "disputed"
    dispute["status"] = "lost"
    assert counter.fetch().status == "disputed"
    dispute["status"] = "won"
    assert counter.fetch().status == "captured"


# --- capture and void


def authorized() -> Counter:
    return Counter(methods=("card",), capture="manual").paid()


def test_with_manual_capture_a_card_is_authorized_then_captured_once() -> None:
    counter = authorized()
    assert counter.created()[0]["payment_method_options"] == {"card": {"capture_method": "manual"}}
    assert counter.fetch().status == "authorized"
    for _ in range(2):
        result = counter.provider.capture(counter.view, counter.view.amount, key="1:capture:1")
        assert (result.status, result.amount, result.attempt_key) == (
            "captured",
            counter.view.amount,
            "1:capture:1",
        )
    assert len(counter.stripe.charges) == 1


def test_a_part_may_be_captured_and_more_than_was_authorized_may_not() -> None:
    counter = authorized()
    more = counter.provider.capture(counter.view, Money(20_000, "JPY"), key="1:capture:1")
    assert (more.status, more.code) == ("authorized", "amount_too_large")
    part = counter.provider.capture(counter.view, Money(10_000, "JPY"), key="1:capture:2")
    assert (part.status, part.amount) == ("captured", Money(10_000, "JPY"))
    again = counter.provider.capture(counter.view, Money(6_884, "JPY"), key="1:capture:3")
    assert (again.status, again.amount) == ("captured", Money(10_000, "JPY"))  # a card is captured once


@pytest.mark.parametrize("writes_the_rest_down", [True, False])
def test_what_stripe_lets_go_after_a_part_is_no_refund(writes_the_rest_down: bool) -> None:
    counter = authorized()
    counter.stripe.writes_the_rest_down = writes_the_rest_down
    counter.provider.capture(counter.view, Money(10_000, "JPY"), key="1:capture:1")
    assert (counter.fetch().status, counter.fetch().amount) == ("captured", Money(10_000, "JPY"))
    more = counter.provider.refund(counter.view, Money(10_001, "JPY"), key="1:refund:1", reason=None)
    assert (more.status, more.code) == ("failed", "amount_too_large")
    counter.provider.refund(counter.view, Money(500, "JPY"), key="1:refund:2", reason=None)
    assert (counter.fetch().status, counter.fetch().amount) == ("refunded", Money(500, "JPY"))
    counter.stripe.refund_in_dashboard(counter.session, 700)
    assert counter.fetch().amount == Money(1_200, "JPY")


def test_control_the_charge_itself_says_that_the_rest_was_refunded() -> None:
    counter = authorized()
    counter.provider.capture(counter.view, Money(10_000, "JPY"), key="1:capture:1")
    (charge,) = counter.stripe.charges.values()
    assert charge["amount_refunded"] == 6_884


def test_an_authorization_that_lapsed_cannot_be_captured() -> None:
    counter = authorized()
    counter.stripe.lapse(counter.session)
    result = counter.provider.capture(counter.view, counter.view.amount, key="1:capture:1")
    assert (result.status, result.code) == ("canceled", "automatic")


def test_void_ends_an_open_session_and_lets_an_authorization_go() -> None:
    fresh, held = Counter(), authorized()
    fresh.start()
    for counter in (fresh, held):
        assert counter.provider.void(counter.view, key="1:void:1").status == "canceled"
        assert counter.provider.void(counter.view, key="1:void:1").status == "canceled"
    assert fresh.stripe.sessions[fresh.session]["status"] == "expired"


def test_void_of_what_is_paid_or_waits_for_a_voucher_tells_how_it_stands() -> None:
    paid, waiting = Counter().paid(), Counter().paid(FakeStripe.order_at_konbini)
    assert paid.provider.void(paid.view, key="1:void:1").status == "captured"
    result = waiting.provider.void(waiting.view, key="1:void:1")
    assert (result.status, result.code) == ("pending", "payment_intent_unexpected_state")


def test_void_of_what_never_arrived_is_done() -> None:
    counter = Counter()
    assert counter.provider.void(counter.view, key="1:void:1").status == "canceled"


# --- refunds


def test_refunds_in_parts_up_to_what_was_paid() -> None:
    counter = Counter().paid()
    assert counter.refund(6_884, reason="damaged").status == "refunded"
    told = counter.fetch()
    assert (told.status, told.amount) == ("refunded", Money(6_884, "JPY"))
    refused = counter.refund(10_001, number=2)
    assert (refused.status, refused.code) == ("failed", "amount_too_large")
    assert counter.refund(10_000, number=3).amount == Money(10_000, "JPY")
    assert counter.fetch().amount == Money(16_884, "JPY")
    again = counter.refund(1, number=4)
    assert (again.status, again.code) == ("failed", "charge_already_refunded")
    assert again.buyer_message is not None
    assert {"ja", "en"} <= set(again.buyer_message)


@pytest.mark.parametrize(
    "amount", [Money(16_885, "JPY"), Money(0, "JPY"), Money(-1, "JPY"), Money(100, "USD")]
)
def test_a_refund_that_cannot_be_right_is_refused_before_the_network(amount: Money) -> None:
    counter = Counter().paid()
    before = len(counter.stripe.calls)
    result = counter.provider.refund(counter.view, amount, key="1:refund:1", reason=None)
    assert (result.status, result.code) == ("failed", "over_refund")
    assert len(counter.stripe.calls) == before


def test_one_key_is_one_refund_even_after_stripe_forgot_the_key() -> None:
    counter = Counter().paid()
    first = counter.refund(5_000)
    counter.stripe._stored.clear()  # a day later
    assert counter.refund(5_000) == first
    assert len(counter.stripe.refunds) == 1


def test_a_refund_whose_payment_another_account_does_not_know_is_unknown_and_not_refused() -> None:
    counter = Counter().paid()
    counter.refund(5_000)  # and the answer was lost
    counter.stripe.sessions.clear()  # the owner changed api_key meanwhile
    with pytest.raises(UnknownOutcomeError):
        counter.refund(5_000)


def test_a_konbini_refund_waits_for_the_buyer_s_account_and_may_fail() -> None:
    counter = Counter().paid(FakeStripe.order_at_konbini)
    counter.stripe.pay_at_konbini(counter.session)
    waiting = counter.refund(5_000)
    assert (waiting.status, waiting.code) == ("pending", "requires_action")
    (name,) = counter.stripe.refunds
    counter.stripe.settle_refund(name)
    assert counter.refund(5_000).status == "refunded"
    counter.refund(1_000, number=2)
    counter.stripe.settle_refund(list(counter.stripe.refunds)[1], well=False)
    failed = counter.refund(1_000, number=2)
    assert (failed.status, failed.code) == ("failed", "refund_failed")


def test_nothing_is_given_back_of_what_was_not_paid() -> None:
    counter = Counter()
    counter.start()
    assert counter.refund(100).code == "not_paid"


def test_a_refund_made_in_the_dashboard_is_told() -> None:
    counter = Counter().paid()
    counter.stripe.refund_in_dashboard(counter.session, 2_000)
    result = counter.fetch()
    assert (result.status, result.amount) == ("refunded", Money(2_000, "JPY"))


# --- when Stripe does not answer

ACCIDENTS: list[list[str | int]] = [
    ["timeout"] * 3,
    ["lost"] * 3,
    [500] * 3,
    [503] * 3,
    [429],
    [401],
    ["html"],
]


@pytest.mark.parametrize("faults", ACCIDENTS, ids=lambda faults: str(faults[0]))
@pytest.mark.parametrize("call", ["start", "fetch", "capture", "void", "refund"])
def test_no_answer_is_raised_and_never_a_failure(call: str, faults: list[str | int]) -> None:
    counter = Counter(methods=("card",)).paid()
    calls: dict[str, Callable[[], Any]] = {
        "start": lambda: counter.start(a_payment()),
        "fetch": counter.fetch,
        "capture": lambda: counter.provider.capture(counter.view, counter.view.amount, key="1:capture:1"),
        "void": lambda: counter.provider.void(counter.view, key="1:void:1"),
        "refund": lambda: counter.refund(100),
    }
    counter.stripe.faults.extend(faults)
    with pytest.raises(UnknownOutcomeError) as raised:
        calls[call]()
    assert KEY not in str(raised.value)
    assert raised.value.__suppress_context__


def test_an_answer_lost_twice_is_had_at_the_third_try_under_the_same_key() -> None:
    counter = Counter(methods=("card",))
    counter.stripe.faults.extend(["lost", 500])
    assert counter.start().status == "requires_action"
    keys = {headers["idempotency-key"] for _, _, _, headers in counter.stripe.calls}
    assert len(counter.stripe.calls) == 3
    assert keys == {f"{counter.view.id}:start:1"}
    assert len(counter.stripe.sessions) == 1


def test_a_session_whose_answer_was_lost_is_found_by_fetch() -> None:
    counter = Counter(methods=("card",))
    counter.start(a_payment())
    view = a_payment()
    counter.stripe.faults.extend(["lost"] * 3)
    with pytest.raises(UnknownOutcomeError):
        counter.start(view)
    for _ in range(120):  # another page of sessions after it
        counter.start(a_payment())
    found = counter.provider.fetch(view)
    assert found.status == "requires_action"
    assert found.provider_ref == list(counter.stripe.sessions)[1]


def test_a_retry_that_is_no_longer_the_same_finds_the_first_session() -> None:
    now = [NOW]
    counter = Counter(now=lambda: now[0])
    view = a_payment()
    first = counter.start(view)
    now[0] = NOW + timedelta(hours=2)  # the session would end later now
    assert counter.start(view).provider_ref == first.provider_ref
    assert len(counter.stripe.sessions) == 1


def test_a_key_of_another_payment_finds_nothing_and_stays_unknown() -> None:
    counter = Counter(methods=("card",))
    counter.start(replace(a_payment(), id="77"))
    with pytest.raises(UnknownOutcomeError):
        counter.start(replace(a_payment(), id="77"))  # another order under the same key


# --- refusals


@pytest.mark.parametrize(
    ("reason", "japanese"),
    [("insufficient_funds", "利用可能額"), ("expired_card", "有効期限"), ("stolen_card", "承認されません")],
)
def test_a_refused_card_has_a_sentence_and_a_theft_is_not_told(reason: str, japanese: str) -> None:
    counter = Counter(methods=("card",))
    counter.stripe.faults.append(f"decline:{reason}")
    result = counter.start()
    assert (result.status, result.code) == ("failed", reason)
    assert result.buyer_message is not None
    assert japanese in result.buyer_message["ja"]
    assert "stolen" not in result.buyer_message["en"]


def test_what_stripe_refuses_for_certain_is_a_record_with_its_code(caplog: pytest.LogCaptureFixture) -> None:
    counter = Counter(methods=("card",))
    result = counter.start(a_payment(Money(30, "JPY")))
    assert (result.status, result.code) == ("failed", "amount_not_taken")
    # a minimum that only Stripe knows
    counter.stripe._compatible = lambda *_: []  # type: ignore[method-assign]
    refused = counter.start(a_payment())
    assert (refused.status, refused.code) == ("failed", "invalid_request")
    assert KEY not in caplog.text


def test_secrets_stand_in_no_repr_and_no_settings_error() -> None:
    settings = Settings(**SETTINGS)
    provider = StripeCheckout(settings)
    for shown in (
        repr(settings),
        str(settings),
        repr(provider),
        repr(vars(provider)),
        settings.model_dump_json(),
    ):
        assert KEY not in shown
        assert SECRET not in shown
    wrong = load({"stripe_checkout": {"enabled": True, "api_key": "pk_hush", "webhook_secrets": ["hush"]}})
    (plugin,) = (each for each in wrong.installed if each.id == "stripe_checkout")
    assert plugin.error is not None
    assert "api_key" in plugin.error and "webhook_secrets" in plugin.error
    assert "hush" not in plugin.error


def test_it_is_called_after_the_methods_it_has() -> None:
    assert Counter(methods=("card",)).provider.label == {
        "ja": "オンライン決済(カード)",
        "en": "Pay online (card)",
    }
    assert "コンビニ払い" in Counter().provider.label["ja"]


def test_it_loads_through_the_door_of_all_plugins() -> None:
    loaded = load({"stripe_checkout": {"enabled": True} | SETTINGS})
    assert list(loaded.payments) == ["stripe_checkout"]
    assert not inspect.isabstract(StripeCheckout)


def test_it_is_well_while_stripe_answers_to_its_key_and_says_that_a_test_key_moves_no_money() -> None:
    counter = Counter()
    told = counter.provider.health()
    assert told.is_well
    assert told.said is not None
    assert "テスト用" in told.said["ja"]
    assert [call[:2] for call in counter.stripe.calls] == [("get", "/v1/checkout/sessions")]
    assert not counter.stripe.sessions


@pytest.mark.parametrize(
    ("fault", "said"),
    [(401, "does not accept this key"), ("timeout", "cannot be reached"), (500, "answered with an error")],
)
def test_it_is_not_well_where_stripe_does_not_answer_and_asks_only_once(fault: str | int, said: str) -> None:
    counter = Counter()
    counter.stripe.faults.append(fault)
    told = counter.provider.health()
    assert not told.is_well
    assert told.said is not None
    assert said in told.said["en"]
    assert KEY not in str(told)
    assert len(counter.stripe.calls) == 1
