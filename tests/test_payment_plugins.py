"""bank_transfer, net_terms, cash_on_delivery and dummy: who is offered them, what start answers, and when it is due."""

import socket
from datetime import UTC, date, datetime
from typing import Any

import pytest

from plugins import (
    Available,
    Buyer,
    CheckoutContext,
    Disabled,
    Hidden,
    Money,
    PaymentView,
    Place,
    Result,
)
from plugins.guard import Answer, Failure
from plugins.loader import Plugins, load
from plugins.payments.net_terms import closing_on, due_on, shifted

YEN = Money(16_884, "JPY")
ON = date(2026, 11, 20)
TERMS = {"closing_day": 20, "pay_month": 1, "pay_day": 31}
BUYER = Buyer("HAYASHI", credit_limit=Money(300_000, "JPY"), terms=TERMS)
CONTEXT = CheckoutContext(BUYER, YEN, Money(15_375, "JPY"), ON)
PAYMENT = PaymentView("7", "A-10432", YEN, "created", ON, BUYER)
ACCOUNT = {"bank": "東大阪銀行", "branch": "本町", "account": "1234567", "holder": "カ)アオヤギ"}


def plugins(name: str, **settings: Any) -> Plugins:
    loaded = load({name: {"enabled": True} | settings})
    assert name in loaded.payments, loaded.installed
    return loaded


def start(loaded: Plugins, name: str, payment: PaymentView = PAYMENT, key: str = "7:start:1") -> Result:
    answer = loaded.start(name, payment, key=key, return_url="https://shop/orders/A-10432")
    assert isinstance(answer, Answer), answer
    return answer.value


def test_bank_transfer_waits_with_account_reference_and_last_day() -> None:
    result = start(plugins("bank_transfer", **ACCOUNT, pay_within_days=5), "bank_transfer")
    assert result.status == "pending"
    assert result.amount == YEN
    assert result.instructions is not None
    assert result.instructions["reference"] == "A-10432"
    assert result.instructions["account"] == "1234567"
    assert result.instructions["pay_by"] == "2026-11-25"
    assert result.expires_at == datetime(2026, 11, 25, 14, 59, 59, tzinfo=UTC)


def test_bank_transfer_gives_one_reference_however_often_it_is_started() -> None:
    loaded = plugins("bank_transfer", **ACCOUNT)
    assert start(loaded, "bank_transfer").provider_ref == start(loaded, "bank_transfer").provider_ref


def test_net_terms_are_hidden_from_visitors_and_companies_without_terms() -> None:
    loaded = plugins("net_terms")
    for buyer in (None, Buyer("X"), Buyer("X", terms=TERMS), Buyer("X", credit_limit=YEN)):
        context = CheckoutContext(buyer, YEN, YEN, ON)
        assert loaded.availability("net_terms", context) == Answer(Hidden())


def test_net_terms_say_when_payment_is_due() -> None:
    answer = plugins("net_terms").availability("net_terms", CONTEXT)
    assert isinstance(answer, Answer)
    assert isinstance(answer.value, Available)
    assert answer.value.note is not None
    assert answer.value.note["en"] == "Closes Fri 20 Nov, due Thu 31 Dec"
    assert answer.value.note["ja"] == "11月20日(金)締め、12月31日(木)お支払い"


def test_net_terms_authorize_and_without_terms_decline_with_a_sentence() -> None:
    loaded = plugins("net_terms")
    result = start(loaded, "net_terms")
    assert result.status == "authorized"
    assert result.instructions == {"closing_on": "2026-11-20", "due_on": "2026-12-31"}
    refused = start(loaded, "net_terms", PaymentView("8", "A-2", YEN, "created", ON))
    assert refused.status == "failed"
    assert set(refused.buyer_message or {}) == {"ja", "en"}


# orders-and-papers.md, Net terms
@pytest.mark.parametrize(
    ("on", "terms", "closes", "due"),
    [
        ("2026-11-20", (20, 1, 31), "2026-11-20", "2026-12-31"),
        ("2026-11-21", (20, 1, 31), "2026-12-20", "2027-01-31"),
        ("2026-01-31", (31, 1, 31), "2026-01-31", "2026-02-28"),
        ("2026-01-31", (31, 2, 10), "2026-01-31", "2026-03-10"),
        ("2028-02-29", (31, 1, 31), "2028-02-29", "2028-03-31"),
        ("2026-12-25", (20, 1, 10), "2027-01-20", "2027-02-10"),
    ],
)
def test_closing_and_due_dates(on: str, terms: tuple[int, int, int], closes: str, due: str) -> None:
    agreed = dict(zip(("closing_day", "pay_month", "pay_day"), terms, strict=True))
    assert closing_on(agreed, date.fromisoformat(on)) == date.fromisoformat(closes)
    assert due_on(agreed, date.fromisoformat(on)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("due", "previous", "following"),
    [
        ("2026-11-20", "2026-11-20", "2026-11-20"),  # a Friday
        ("2027-01-31", "2027-01-29", "2027-02-01"),  # a Sunday at the end of a month
        ("2026-11-03", "2026-11-02", "2026-11-04"),  # Culture Day
        ("2026-12-31", "2026-12-30", "2027-01-04"),  # banks are closed until 3 January
        ("2026-09-22", "2026-09-18", "2026-09-24"),  # a day between two public holidays is one too
        ("2028-02-29", "2028-02-29", "2028-02-29"),  # a leap day, Tuesday
    ],
)
def test_a_due_date_on_which_banks_are_closed_moves_as_the_shop_says(
    due: str, previous: str, following: str
) -> None:
    day = date.fromisoformat(due)
    assert shifted(day, "none") == day
    assert shifted(day, "previous") == date.fromisoformat(previous)
    assert shifted(day, "next") == date.fromisoformat(following)


def test_net_terms_tell_the_shifted_day_in_the_note_and_in_the_instructions() -> None:
    loaded = plugins("net_terms", holiday_shift="next")
    answer = loaded.availability("net_terms", CONTEXT)
    assert isinstance(answer, Answer)
    assert answer.value.note["en"] == "Closes Fri 20 Nov, due Mon 4 Jan"
    assert (start(loaded, "net_terms").instructions or {})["due_on"] == "2027-01-04"


def test_net_days_with_and_without_end_of_month() -> None:
    assert due_on({"net_days": 30}, ON) == date(2026, 12, 20)
    assert due_on({"net_days": 30, "end_of_month": True}, ON) == date(2026, 12, 31)
    assert closing_on({"net_days": 30}, ON) is None


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("captured", "captured"), ("authorized", "authorized"), ("pending", "pending"), ("declined", "failed")],
)
def test_dummy_does_what_it_is_told(outcome: str, status: str) -> None:
    assert start(plugins("dummy", outcome=outcome), "dummy").status == status


def test_dummy_gives_one_reference_for_one_key_and_another_for_another() -> None:
    loaded = plugins("dummy")
    first, again = start(loaded, "dummy"), start(loaded, "dummy")
    other = start(loaded, "dummy", key="7:start:2")
    assert first == again
    assert first.provider_ref != other.provider_ref


def test_after_a_timeout_that_followed_the_commit_fetch_finds_the_payment() -> None:
    loaded = plugins("dummy", outcome="timeout_after_commit")
    assert isinstance(loaded.start("dummy", PAYMENT, key="7:start:1", return_url="https://shop/"), Failure)
    found = loaded.fetch("dummy", PAYMENT)
    assert isinstance(found, Answer)
    assert found.value.status == "captured"


def test_after_a_plain_timeout_fetch_knows_nothing() -> None:
    loaded = plugins("dummy", outcome="timeout")
    loaded.start("dummy", PAYMENT, key="7:start:1", return_url="https://shop/")
    found = loaded.fetch("dummy", PAYMENT)
    assert isinstance(found, Answer)
    assert found.value.status == "pending"


def test_dummy_can_be_refused_with_a_reason_and_charge_a_fee() -> None:
    answer = plugins("dummy", disabled=True).availability("dummy", CONTEXT)
    assert isinstance(answer, Answer)
    assert isinstance(answer.value, Disabled)
    fee = plugins("dummy", fee_minor=330).fee("dummy", CONTEXT)
    assert isinstance(fee, Answer)
    assert fee.value is not None
    assert fee.value.amount == Money(330, "JPY")


@pytest.mark.parametrize("name", ["bank_transfer", "net_terms", "dummy"])
def test_availability_does_no_input_or_output(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = plugins(name, **(ACCOUNT if name == "bank_transfer" else {}))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("availability opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert isinstance(loaded.availability(name, CONTEXT), Answer)


# --- cash on delivery -------------------------------------------------------------------------------------------


def cash(
    total: int, *, region: str = "JP-27", country: str = "JP", currency: str = "JPY", **settings: Any
) -> Any:
    """What availability and fee say about an order of this total with tax."""
    loaded = plugins("cash_on_delivery", **settings)
    to = Place(country, region)
    ctx = CheckoutContext(BUYER, Money(total, currency), Money(total, currency), ON, to)
    answers = loaded.availability("cash_on_delivery", ctx), loaded.fee("cash_on_delivery", ctx)
    assert all(isinstance(one, Answer) for one in answers), answers
    return [one.value for one in answers]


@pytest.mark.parametrize(
    ("total", "fee"),
    [(1, 300), (10_000, 300), (10_001, 400), (30_000, 400), (100_000, 600), (300_000, 1_000)],
)
def test_cash_on_delivery_asks_the_fee_of_the_row_that_the_total_falls_under(total: int, fee: int) -> None:
    offered, asked = cash(total)
    assert isinstance(offered, Available)
    assert asked.amount == Money(fee, "JPY")


def test_cash_on_delivery_is_refused_with_its_reason_above_what_the_carrier_collects() -> None:
    offered, asked = cash(300_001)
    assert offered == Disabled(
        {
            "ja": "代金引換は税込 300,000円までです",
            "en": "Cash on delivery is taken up to 300,000 yen with tax",
        }
    )
    assert asked is None


def test_cash_on_delivery_is_not_offered_where_nobody_collects() -> None:
    assert isinstance(cash(500, country="SG", region="SG-01")[0], Disabled)
    assert isinstance(cash(500, region="JP-47", without_regions=["JP-47"])[0], Disabled)
    assert isinstance(cash(500, currency="GBP")[0], Hidden)


def test_cash_on_delivery_is_authorized_until_the_carrier_has_paid_out() -> None:
    loaded = plugins("cash_on_delivery")
    assert start(loaded, "cash_on_delivery").status == "authorized"
    captured = loaded.capture("cash_on_delivery", PAYMENT, YEN, key="7:capture:1")
    assert isinstance(captured, Answer)
    assert captured.value.status == "captured"


def test_a_fee_table_that_does_not_rise_keeps_the_plugin_out_and_says_why() -> None:
    rows = [{"up_to_minor": 5000, "fee_minor": 1}, {"up_to_minor": 5000, "fee_minor": 2}]
    installed = load({"cash_on_delivery": {"enabled": True, "fees": rows}}).installed
    (plugin,) = [one for one in installed if one.id == "cash_on_delivery"]
    assert plugin.state == "failed"
    assert "up_to_minor must rise" in str(plugin.error)
