"""Mails about payments: how to pay, what failed later, what was taken and paid back, and what the owner must know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from plugins.contract import Result
from plugins.payments.dummy import Dummy
from storefront import jobs
from storefront.accounts import User
from storefront.database import write
from storefront.jobs import run_due
from storefront.mail import Mail
from storefront.orders.moves import move
from storefront.payments import Payment, ask, mark_paid, payment_of, refunds, work
from storefront.payments.captures import take
from storefront.payments.refunds import refund
from storefront.payments.trying_again import try_again
from storefront.stock import StockItem
from support.ordering import allow_terms, person, placed
from support.paying import CART, Visitor, dummy, dummy_shop, newly, order_of, pay_with, tell

WHO = "owner@example.com"
CODES = {"konbini_lawson": "123456 / 1234567890", "voucher": "https://pay.dummy.example/voucher"}
Mails = Callable[[], list[Mail]]


@pytest.fixture(scope="module")
def module_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("payment-mails")
    with dummy_shop(folder / "shop", f"sqlite:///{folder / 'shop.db'}") as app:
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context(), write() as session:
            session.execute(update(StockItem).values(on_hand=100_000))
            session.execute(update(User).values(language="en"))
        yield app


@pytest.fixture
def shop(module_shop: Flask) -> Iterator[Flask]:
    """The test stands inside an application context; what earlier tests left to be sent is sent."""
    with module_shop.app_context():
        tell(module_shop, capture_outcome="captured", refund_outcome="refunded")
        later(module_shop)
        yield module_shop


@pytest.fixture
def mails(shop: Flask) -> Mails:
    """mails(): what was written since the test began or mails() was last asked, about the order and payments alike."""
    seen = set(newly().scalars(select(Mail.id)))

    def new() -> list[Mail]:
        run_due()
        found = [each for each in newly().scalars(select(Mail).order_by(Mail.id)) if each.id not in seen]
        seen.update(each.id for each in found)
        return found

    return new


def later(app: Flask, minutes: int = 10) -> None:
    app.extensions["koguchi"].clock.forward(minutes=minutes)
    run_due()


def subjects(written: Sequence[Mail], payment: Payment) -> list[str]:
    number = order_of(payment).number
    return [each.subject.replace(number, "N") for each in written]


def answer(app: Flask, payment: Payment, status: str, **values: Any) -> None:
    """What the provider says of a payment from now on."""
    known = dummy(app).latest[str(payment.id)]
    asked = {"provider_ref": known.provider_ref, "amount": known.amount, "attempt_key": "", **values}
    dummy(app).latest[str(payment.id)] = Result(status, **asked)  # type: ignore[arg-type]


def test_codes_that_come_after_the_orders_mail_have_a_mail_of_their_own(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    assert subjects(mails(), payment) == ["We have received your order N"]
    answer(shop, payment, "pending", instructions=CODES)
    for _ in range(3):
        ask(payment.id)
    (mail,) = mails()
    assert mail.subject == f"How to pay for your order {order_of(payment).number}"
    for words in ("Lawson: 123456 / 1234567890", "https://pay.dummy.example/voucher", "¥1,980"):
        assert words in mail.body, words
    answer(shop, payment, "pending", instructions=CODES | {"konbini_lawson": "999 / 999"})
    ask(payment.id)
    assert "999 / 999" in mails()[0].body
    answer(shop, payment, "captured")
    ask(payment.id)
    (mail,) = mails()
    assert "is confirmed" in mail.subject
    assert "We have received your payment of ¥1,980." in mail.body


def test_an_account_that_stands_in_the_orders_mail_is_not_told_again(shop: Flask, mails: Mails) -> None:
    payment = payment_of(newly(), placed("hayashi", CART).id)
    assert payment is not None
    (mail,) = mails()
    assert "1234567" in mail.body
    later(shop)
    assert mails() == []


def test_an_account_that_the_orders_mail_came_too_early_for_follows(
    shop: Flask, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("storefront.payments.start_for", lambda _order: None)  # the process died
        payment = payment_of(newly(), placed("hayashi", CART).id)
    assert payment is not None
    (mail,) = mails()
    assert "1234567" not in mail.body
    later(shop)
    (mail,) = mails()
    assert mail.subject.startswith("How to pay")
    assert "1234567" in mail.body


def test_a_payment_that_fails_later_is_told_with_what_to_do(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    mails()
    dummy(shop).settle(str(payment.id), "failed")
    ask(payment.id)
    assert mails() == []  # the buyer may still be in the browser
    later(shop)
    (mail,) = mails()
    number = order_of(payment).number
    assert mail.subject == f"The payment of your order {number} did not go through"
    for words in ("Nothing was charged", "The payment was declined", f"/orders/{number}/payment", "21 Nov 1"):
        assert words in mail.body, words
    assert "<" not in mail.body


def test_a_failure_that_the_buyer_read_in_the_browser_is_not_mailed(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    mails()
    dummy(shop).settle(str(payment.id), "failed")
    page = Visitor(shop, "hayashi").get(f"/orders/{order_of(payment).number}/payment?lang=en")
    assert "The payment was declined" in page.text
    later(shop)
    assert mails() == []


def test_a_decline_at_the_checkout_sends_no_mail_at_all(shop: Flask, mails: Mails) -> None:
    pay_with(shop, "declined")
    later(shop)
    assert mails() == []


def test_an_order_that_nobody_paid_is_cancelled_with_what_to_do(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    mails()
    answer(shop, payment, "canceled", code="expired")
    ask(payment.id)
    (mail,) = mails()
    assert subjects([mail], payment) == ["Your order N is cancelled"]
    assert "It was not paid in time, and nothing was charged" in mail.body


def test_another_way_after_a_failure_is_told_how_to_pay_by_mail(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    answer(shop, payment, "failed", code="declined")
    ask(payment.id)
    later(shop)
    mails()
    assert try_again(order_of(payment), "bank_transfer", "hayashi@example.com") == "pending"
    later(shop)
    (mail,) = mails()
    assert subjects([mail], payment) == ["How to pay for your order N"] and "1234567" in mail.body


def test_a_payment_that_the_shop_gives_up_is_not_called_late(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    mails()
    work.void_one(payment.id, "owner@example.com")
    (mail,) = mails()
    assert "It was not paid, and nothing was charged" in mail.body and "in time" not in mail.body


def test_control_an_order_that_its_buyer_cancels_says_nothing_of_time(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "requires_action")
    mails()
    with write() as session:
        move(session, payment.order_id, "cancelled", "hayashi@example.com", "by the buyer", by_buyer=True)
    (mail,) = mails()
    assert "not paid in time" not in mail.body


def test_every_refund_is_told_with_its_amount_and_what_stays(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "captured")
    mails()
    refund(payment.id, 300, "an inner reason", WHO)
    (mail,) = mails()
    assert subjects([mail], payment) == ["We have paid money back for your order N"]
    assert "¥300" in mail.body
    assert "Of the ¥1,980 that you paid, ¥1,680 stay paid." in mail.body
    assert "depends on your bank or card company" in mail.body
    assert "inner reason" not in mail.body
    refund(payment.id, 1_680, "", WHO, by_hand=True)
    (mail,) = mails()
    assert "We send it to your bank account" in mail.body
    assert "stay paid" not in mail.body


def test_a_refund_made_at_the_provider_is_told_once(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "captured")
    mails()
    answer(shop, payment, "refunded", amount=type(dummy(shop).latest[str(payment.id)].amount)(250, "JPY"))
    for _ in range(2):
        ask(payment.id)
    (mail,) = mails()
    assert "¥250" in mail.body


def test_a_refund_for_which_the_buyer_must_do_something_says_so(
    shop: Flask, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = pay_with(shop, "captured")
    mails()
    told = {"ja": "口座をご登録ください", "en": "Name a bank account"}

    def waits(_self: object, view: Any, amount: Any, *, key: str, reason: str | None) -> Result:
        return Result("pending", view.provider_ref, amount, key, buyer_message=told)

    with monkeypatch.context() as patched:
        patched.setattr(Dummy, "refund", waits)
        refund(payment.id, 300, "", WHO)
        later(shop)  # asked about again, told once
        tell(shop, refund_outcome="timeout")
        patched.undo()
        later(shop, 60)  # without an answer between
        patched.setattr(Dummy, "refund", waits)
        later(shop, 600)
    (mail,) = mails()
    assert subjects([mail], payment) == ["A refund for your order N is on its way"]
    assert "Name a bank account" in mail.body


def test_a_part_that_was_taken_is_told_with_what_is_let_go(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "authorized")
    mails()
    take(payment.id, 1_500, "an inner reason", WHO)
    (mail,) = mails()
    assert "we have taken ¥1,500 of the ¥1,980" in mail.body
    assert "The other ¥480 are let go" in mail.body


def test_control_the_whole_of_a_card_is_not_told_again(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "authorized")
    mails()
    take(payment.id, None, "", WHO)
    assert mails() == []


def test_money_for_an_order_on_account_is_acknowledged(shop: Flask, mails: Mails) -> None:
    allow_terms(shop, "KITAHAMA", 1_000_000)
    newly()
    order = placed("kitahama", CART, payment="net_terms")
    mails()
    mark_paid(order.id, WHO)
    (mail,) = mails()
    assert mail.subject == f"We have received your payment for order {order.number}"


def test_mails_go_to_who_is_there_when_they_are_written_in_their_language(shop: Flask, mails: Mails) -> None:
    payment, who = pay_with(shop, "captured"), person("hayashi").id
    mails()
    refund(payment.id, 100, "", WHO)
    with write() as session:
        session.execute(update(User).where(User.id == who).values(email="neu@hayashi.example", language="ja"))
    (mail,) = mails()
    with write() as session:
        session.execute(update(User).where(User.id == who).values(email="hayashi@example.com", language="en"))
    assert mail.to == "neu@hayashi.example"
    assert "返金" in mail.subject


def test_the_same_job_again_writes_no_second_mail(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "captured")
    mails()
    refund(payment.id, 100, "", WHO)
    assert len(mails()) == 1
    with write() as session:
        session.execute(
            update(jobs.Outbox)
            .where(jobs.Outbox.kind.in_(("payment.mail", "payment.alarm")))
            .values(done_at=None, attempts=0)
        )
    assert mails() == []


# --- to the owner


def owner_mails(written: Sequence[Mail]) -> list[str]:
    return [each.subject.partition(":")[0] for each in written if "/admin/orders/" in each.body]


def test_what_stakes_money_is_mailed_to_the_owner_once(shop: Flask, mails: Mails) -> None:
    odd = pay_with(shop, "requires_action")
    dummy(shop).settle(str(odd.id), "captured", minor=1_000)
    for _ in range(3):
        ask(odd.id)
    written = mails()
    assert owner_mails(written) == ["お支払いの内容が合いません"]
    mail = next(each for each in written if "/admin/orders/" in each.body)
    assert mail.to == shop.extensions["koguchi"].settings.email
    assert "¥1,000" in mail.body


def test_a_dispute_a_lost_promise_and_money_after_the_end_are_mailed_to_the_owner(
    shop: Flask, mails: Mails
) -> None:
    disputed, lost, late = pay_with(shop, "captured"), pay_with(shop, "authorized"), pay_with(shop, "pending")
    mails()
    dummy(shop).settle(str(disputed.id), "disputed")
    dummy(shop).settle(str(lost.id), "canceled")
    with write() as session:
        move(session, late.order_id, "cancelled", "clerk@example.com", "by phone")
    dummy(shop).settle(str(late.id), "captured")
    for payment in (disputed, lost, late):
        ask(payment.id)
    assert sorted(owner_mails(mails())) == sorted(
        [
            "お支払いに異議が申し立てられました",
            "取り消したご注文に入金がありました",
            "支払い済みのご注文が取り消されました",  # the job that gives up what is open finds it paid
            "約束されたお支払いがなくなりました",
        ]
    )


def test_a_paid_order_that_its_buyer_cancels_is_mailed_to_the_owner_once(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "captured")
    mails()
    with write() as session:
        move(session, payment.order_id, "cancelled", "hayashi@example.com", "by the buyer", by_buyer=True)
        jobs.enqueue(session, "payment.void", {"order_id": payment.order_id})  # a job may run twice
    written = mails()
    assert owner_mails(written) == ["支払い済みのご注文が取り消されました"]
    assert "You have paid ¥1,980 for it; we write to you about paying it back." in written[0].body


def test_a_refund_that_fails_while_nobody_looks_is_mailed_to_the_owner(shop: Flask, mails: Mails) -> None:
    payment = pay_with(shop, "captured")
    tell(shop, refund_outcome="declined")
    refund(payment.id, 100, "", WHO)
    assert owner_mails(mails()) == []  # the owner reads it on the page
    tell(shop, refund_outcome="pending")
    refund(payment.id, 100, "", WHO)
    tell(shop, refund_outcome="declined")
    later(shop)
    assert owner_mails(mails()) == ["返金できませんでした"]


def test_a_refund_that_fails_after_the_process_that_asked_for_it_died_is_mailed_to_the_owner(
    shop: Flask, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = pay_with(shop, "captured")
    tell(shop, refund_outcome="declined")
    with monkeypatch.context() as patched:
        patched.setattr(refunds, "carry_out", lambda _refund: None)  # it ended here
        refund(payment.id, 100, "", WHO)
    mails()
    later(shop)
    assert owner_mails(mails()) == ["返金できませんでした"]
