"""Payments at the desk: the timeline, the buttons a plugin allows, refunds, reviews, and plugins that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins.contract import Money, Result
from storefront.admin.payments import minor_of
from storefront.audit import AuditEntry
from storefront.database import write
from storefront.jobs import run_due
from storefront.language import speak
from storefront.payments import Payment, payment_of, transition
from storefront.payments.models import Refund
from storefront.payments.refunds import refund
from storefront.payments.timeline import in_words
from support.ordering import placed
from support.paying import CART, Visitor, again, dummy, dummy_shop, newly, order_of, pay_with, post, tell


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.db'}") as app:
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.fixture
def owner(shop: Flask) -> Visitor:
    visitor = Visitor(shop, "owner")
    visitor.get("/admin/payments?lang=en")  # what is said after a redirect is said in English too
    return visitor


def do(owner: Visitor, payment: Payment, button: str, **fields: Any) -> str:
    """Press a button; the page it leads to, in English."""
    answer = owner.post(f"/admin/payments/{payment.id}/do", data={"do": button, **fields})
    assert answer.status_code == 303
    return page(owner, payment)


def page(who: Visitor, payment: Payment) -> str:
    return str(who.get(f"/admin/orders/{order_of(payment).number}?lang=en").text)


def audited() -> list[tuple[str, str]]:
    rows = newly().scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [(row.action, row.actor) for row in rows if row.action.startswith("payment_")]


def test_the_timeline_tells_moves_messages_and_refunds_with_who_and_why(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        post(shop.test_client(), payment, "checkout.done")
        run_due()
        told = do(owner, payment, "refund", amount="300", reason="one bag was wet")
    for words in ("waiting for the customer", "Message of the provider", "checkout.done", "dummy checkout.done",
                  "Refund of ¥300", "one bag was wet", "owner@example.com", "partly paid back", "DUMMY-1"):  # fmt: skip
        assert words in told, words


@pytest.mark.parametrize("amount", ["", "abc", "0", "-1", "1.5", "1e3", "999999999", "nan"])
def test_an_amount_that_cannot_be_paid_back_is_refused_with_a_sentence(
    shop: Flask, owner: Visitor, amount: str
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        do(owner, payment, "refund", amount=amount, reason="x")
        assert (again(payment).state, dummy(shop).refunds, audited()) == ("captured", {}, [])


def test_amounts_are_read_exactly_in_their_currency() -> None:
    assert minor_of("1,200", "JPY") == 1_200
    assert minor_of("¥1200", "JPY") == 1_200
    assert minor_of("12.5", "GBP") == 1_250
    assert minor_of("1.234", "KWD") == 1_234
    assert minor_of("12.505", "GBP") is None
    assert minor_of("12.5", "JPY") is None


def test_a_refund_needs_a_reason_and_is_kept_with_the_changes(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        assert "Write the reason" in do(owner, payment, "refund", amount="100", reason="  ")
        assert newly().scalars(select(Refund)).all() == []
        told = do(owner, payment, "refund", amount="100", reason="late")
        assert "¥100 went back to the buyer." in told and ":refund:" not in told
        assert audited() == [("payment_refund", "owner@example.com")]


def test_a_refund_that_fails_is_told_at_once_and_listed(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        tell(shop, refund_outcome="declined")
        told = do(owner, payment, "refund", amount="100", reason="late")
        assert "The refund of ¥100 failed" in told
        assert "The refund was declined" in told and "noted." not in told and "went back" not in told
        assert order_of(payment).number in owner.get("/admin/payments?lang=en").text


def test_nobody_is_asked_about_money_that_only_the_bank_knows_of(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        order = placed("hayashi", CART)
        told = owner.get("/admin/payments").text
    assert order.number in told and "Ask the provider about" not in told


def test_the_orders_page_says_that_the_payment_is_being_confirmed_and_that_it_is_paid(shop: Flask) -> None:
    with shop.app_context():
        for outcome, words in (("pending", "Please do not pay a second time"), ("captured", ">paid</small>")):
            number = order_of(pay_with(shop, outcome)).number
            assert words in Visitor(shop, "hayashi").get(f"/orders/{number}?lang=en").text


def test_the_buyer_reads_what_was_paid_back(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        refund(payment.id, 300, "an inner reason", "owner@example.com")
        told = Visitor(shop, "hayashi").get(f"/orders/{order_of(payment).number}?lang=en").text
    assert "¥300 paid back" in told
    assert "an inner reason" not in told


def test_a_review_is_on_the_first_page_and_ended_with_a_reason(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured", minor=1_000)
        owner.post(f"/admin/payments/{payment.id}/ask")
        assert again(payment).state == "review"
        assert "Payments in review" in owner.get("/admin/?lang=en").text
        assert "¥1,000" in owner.get("/admin/payments?lang=en").text
        do(owner, payment, "paid", reason="")
        assert again(payment).state == "review"
        do(owner, payment, "paid", reason="agreed by phone")
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")
        assert "Payments in review" not in owner.get("/admin/?lang=en").text
        assert audited() == [("payment_paid", "owner@example.com")]


def test_a_review_of_money_that_went_back_in_part_ends_as_such(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        do(owner, payment, "refund", amount="300", reason="wet")
        odd = Result("captured", "DUMMY-of-another", Money(payment.amount_minor, "JPY"), "")
        with write() as session:
            assert transition.apply(session, payment.id, odd, actor="dummy") == "review"
        do(owner, payment, "paid", reason="agreed by phone")
        assert again(payment).state == "partially_refunded"


def test_whoever_is_not_the_owner_leads_no_payment_out_of_review(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured", minor=1_000)
        clerk = Visitor(shop, "clerk")
        clerk.post(f"/admin/payments/{payment.id}/ask")
        clerk.post(f"/admin/orders/{order_of(payment).number}/move", data={"do": "paid"})
        assert clerk.post(f"/admin/payments/{payment.id}/do", data={"do": "paid"}).status_code == 403
        assert (again(payment).state, order_of(payment).state) == ("review", "awaiting_payment")


def test_a_payment_is_given_up_and_its_order_with_it(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        assert "The payment is now: given up." in do(owner, payment, "void", reason="the customer asked")
        assert (again(payment).state, order_of(payment).state) == ("canceled", "cancelled")


def test_what_was_promised_is_taken(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "authorized")
        assert "The payment is now: paid." in do(owner, payment, "capture")
        assert again(payment).state == "captured"


def test_a_part_is_taken_with_a_reason_and_everybody_reads_what_was_let_go(
    shop: Flask, owner: Visitor
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "authorized")
        number = order_of(payment).number
        assert "Amount to take, at most ¥1,980" in page(owner, payment)
        assert "Write the reason" in do(owner, payment, "capture", amount="1,500")
        assert "more than was promised" in do(owner, payment, "capture", amount="1981", reason="x")
        assert "Write the amount" in do(owner, payment, "capture", amount="1.5", reason="x")
        told = do(owner, payment, "capture", amount="1,500", reason="one bag is missing")
        assert again(payment).captured_minor == 1_500
        for words in (
            "¥1,500 taken, ¥480 let go.",
            "Taken: ¥1,500",
            "one bag is missing",
            "Amount, at most ¥1,500",
        ):
            assert words in told, words
        assert audited() == [("payment_capture", "owner@example.com")]
        seen = Visitor(shop, "hayashi").get(f"/orders/{number}?lang=en").text
        assert "¥1,500 taken; the other ¥480 that you promised are let go" in seen
        assert "one bag is missing" not in seen


def test_money_that_is_being_taken_has_no_second_button(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "authorized")
        tell(shop, capture_outcome="timeout")
        told = do(owner, payment, "capture", amount="1500", reason="x")
        assert "What came of it is not known yet" in told
        assert "¥1,500 is being taken" in told
        assert 'value="capture"' not in told


def test_a_refund_that_does_not_fit_is_settled_by_the_owner_alone(
    shop: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = dummy(shop).refund
    with shop.app_context():
        payment = pay_with(shop, "captured")
        monkeypatch.setattr(
            dummy(shop), "refund", lambda view, amount, **more: real(view, Money(250, "JPY"), **more)
        )
        told = do(owner, payment, "refund", amount="300", reason="wet")
        assert "Asked to pay back ¥300, the provider says ¥250." in told
        assert "another amount than was asked" in owner.get("/admin/payments?lang=en").text
        row = newly().scalars(select(Refund)).one()
        path = f"/admin/payments/refunds/{row.id}/settle"
        clerk = Visitor(shop, "clerk")
        assert 'value="accept"' not in page(clerk, payment)
        assert clerk.post(path, data={"do": "accept", "reason": "x"}).status_code == 403
        for data in (
            {"do": "accept"},
            {"do": "noted", "reason": "x", "amount": "many"},
            {"do": "noted", "reason": "x"},
        ):
            owner.post(path, data=data)
            assert again(payment).state == "captured"
        owner.post(path, data={"do": "accept", "reason": "seen on their page"})
        assert again(payment).state == "partially_refunded"
        assert "Asked to pay back" not in page(owner, payment)
        assert audited()[-1] == ("payment_settle", "owner@example.com")
        assert (
            owner.post("/admin/payments/refunds/99/settle", data={"do": "accept", "reason": "x"}).status_code
            == 404
        )


def test_a_refund_without_an_outcome_is_settled_by_hand_once_its_plugin_is_gone(
    shop: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        tell(shop, refund_outcome="timeout")
        do(owner, payment, "refund", amount="300", reason="wet")
        row = newly().scalars(select(Refund)).one()
        path = f"/admin/payments/refunds/{row.id}/settle"
        owner.post(path, data={"do": "noted", "reason": "x", "amount": "300"})
        assert again(payment).state == "captured"  # its plugin is there, and is asked
        monkeypatch.delitem(shop.extensions["koguchi"].plugins.payments, "dummy")
        assert "has no outcome; its plugin is not active" in page(owner, payment)
        assert "Refunds to settle" in owner.get("/admin/?lang=en").text
        owner.post(path, data={"do": "noted", "reason": "seen at the bank", "amount": "300"})
        assert again(payment).state == "partially_refunded"
        assert "has no outcome" not in page(owner, payment)


def test_a_failed_refund_leaves_the_list_when_the_money_went_back_after_all(
    shop: Flask, owner: Visitor
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        tell(shop, refund_outcome="declined")
        do(owner, payment, "refund", amount="100", reason="late")
        assert order_of(payment).number in owner.get("/admin/payments").text
        assert "Refunds to settle" in owner.get("/admin/?lang=en").text
        do(owner, payment, "refund", amount="100", reason="by transfer", by_hand="1")
        assert "Refunds to settle" not in owner.get("/admin/?lang=en").text
        assert order_of(payment).number not in owner.get("/admin/payments").text


@pytest.mark.parametrize("button", ["void", "capture", "paid", "unpaid", "ask", "resolve", "", "delete"])
def test_a_button_that_the_payment_does_not_have_does_nothing(
    shop: Flask, owner: Visitor, button: str
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        do(owner, payment, button, reason="x")
        assert (again(payment).state, audited()) == ("captured", [])


def test_a_clerk_looks_and_asks_but_moves_no_money(shop: Flask) -> None:
    clerk = Visitor(shop, "clerk")
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        assert clerk.post(f"/admin/payments/{payment.id}/ask").status_code == 303
        assert again(payment).state == "captured"
        assert "Pay back" not in page(clerk, payment)
        answer = clerk.post(
            f"/admin/payments/{payment.id}/do", data={"do": "refund", "amount": "1", "reason": "x"}
        )
        assert answer.status_code == 403


def test_control_the_owner_has_the_button_that_the_clerk_has_not(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        assert "Pay back" in page(owner, pay_with(shop, "captured"))


def test_asking_a_silent_provider_says_that_nothing_changed(
    shop: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_payment: object) -> None:
        raise TimeoutError

    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        monkeypatch.setattr(dummy(shop), "fetch", silent)
        owner.post(f"/admin/payments/{payment.id}/ask")
        assert "gives no answer just now" in page(owner, payment)
        assert again(payment).state == "requires_action"


def test_payments_of_a_removed_plugin_are_shown_and_can_only_be_paid_back_by_hand(
    shop: Flask, owner: Visitor
) -> None:
    with shop.app_context():
        order = placed("hayashi", CART)
        transfer = payment_of(newly(), order.id)
        assert transfer is not None
        del shop.extensions["koguchi"].plugins.payments["bank_transfer"]
        seen = Visitor(shop, "hayashi").get(f"/orders/{order.number}?lang=en").text
        assert "Bank transfer" in seen
        assert "1234567" in seen  # how to pay, as it was told
        told = page(owner, transfer)
        assert "The plugin bank_transfer is not active" in told
        assert "1234567" in told
        assert 'value="void"' not in told
        assert "Only noted here" in told
        do(owner, transfer, "capture")
        assert (again(transfer).state, order_of(transfer).state) == ("captured", "confirmed")
        told = page(owner, transfer)
        assert "Pay back by hand and note it here" in told
        do(owner, transfer, "refund", amount="10", reason="x")
        assert again(transfer).state == "captured"
        do(owner, transfer, "refund", amount="10", reason="x", by_hand="1")
        assert again(transfer).state == "partially_refunded"


def test_control_with_the_plugin_the_same_payment_has_its_buttons(shop: Flask, owner: Visitor) -> None:
    with shop.app_context():
        payment = payment_of(newly(), placed("hayashi", CART).id)
        assert payment is not None
        assert 'value="void"' in page(owner, payment)
        assert "is not active" not in page(owner, payment)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("dummy answered 7820 JPY, asked 7920 JPY", "dummyの回答は¥7,820、請求は¥7,920"),
        ("dummy answered 100 XXX, asked 7920 JPY", "dummy answered 100 XXX, asked 7920 JPY"),
        ("dummy answered with another reference", "dummyが別の照会番号を回答"),
        (
            "dummy says captured after the payment had ended (failed)",
            "終わったお支払い(失敗)にdummyが「入金済み」と回答",
        ),
        ("agreed by phone", "agreed by phone"),
    ],
)
def test_what_does_not_fit_is_told_in_the_readers_language(app: Flask, note: str, told: str) -> None:
    with app.app_context():
        speak("ja")
        assert in_words(note) == told


def test_only_an_order_whose_payment_the_owner_can_see_arrive_has_a_button_for_it(
    shop: Flask, owner: Visitor
) -> None:
    with shop.app_context():
        with_provider = page(owner, pay_with(shop, "requires_action"))
        transfer = payment_of(newly(), placed("hayashi", CART).id)
        assert transfer is not None
        assert "Payment received" not in with_provider and "Payment received" in page(owner, transfer)
