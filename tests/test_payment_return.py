"""Back from the provider: confirmed, still open, failed for good; and another try that cannot be paid twice unseen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.clock import now
from storefront.database import get_session, write
from storefront.jobs import run_due
from storefront.orders import Order
from storefront.payments import Payment, ask, payment_of, trying_again
from storefront.payments.attempts import view_of
from support.ordering import allow_terms
from support.paying import Visitor, again, dummy, dummy_shop, incidents, newly, order_of, pay_with, post, tell


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.db'}") as app:
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.fixture
def buyer(shop: Flask) -> Visitor:
    return Visitor(shop, "hayashi")


def path_of(payment: Payment, rest: str = "") -> str:
    return f"/orders/{order_of(payment).number}{rest}"


def attempts() -> list[tuple[str, str, str]]:
    statement = select(Payment).order_by(Payment.id).execution_options(populate_existing=True)
    rows = newly().scalars(statement).all()
    return [(each.provider, each.state, each.attempt_key) for each in rows]


def test_a_payment_that_needs_the_buyer_leads_on_to_the_providers_page(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        placed = buyer.get(path_of(payment, "?placed=1"))
        assert placed.headers["Location"] == path_of(payment, "/payment/go")
        page = buyer.get(path_of(payment, "/payment/go?lang=en"))
        assert page.status_code == 200
        assert page.text.count("https://pay.dummy.example/DUMMY-1-start-1") == 2  # the link, and the reload
        assert "See how the payment stands" in buyer.get(path_of(payment, "?lang=en")).text


@pytest.mark.parametrize("target", ["http://pay.example/", "//pay.example/", "javascript:alert(1)", ""])
def test_only_https_is_led_to(shop: Flask, buyer: Visitor, target: str) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        with write() as session:
            session.get_one(Payment, payment.id).redirect_url = target
        answer = buyer.get(path_of(payment, "/payment/go"))
        assert answer.headers["Location"] == path_of(payment, "/payment")


def test_coming_back_asks_the_provider_and_shows_the_confirmed_order(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "captured")
        answer = buyer.get(path_of(payment, "/payment?status=failed&paid=no"))  # the address is not believed
        assert answer.headers["Location"] == path_of(payment, "?placed=1")
        assert (again(payment).state, order_of(payment).state) == ("captured", "confirmed")


def test_an_open_payment_is_being_confirmed_and_looks_again_by_itself(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        page = buyer.get(path_of(payment, "/payment?lang=en"))
        assert "We are confirming the payment" in page.text
        assert 'hx-trigger="every 4s"' in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text
        fragment = buyer.get(path_of(payment, "/payment"), headers={"HX-Request": "true"})
        assert "<html" not in fragment.text
        poll = re.search(r'hx-get="([^"]+)"', page.text)
        assert poll is not None
        same = buyer.get(poll[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
        assert (same.status_code, same.text) == (204, "")  # what has the focus keeps it
        dummy(shop).settle(str(payment.id), "captured")
        done = buyer.get(poll[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
        assert done.headers["HX-Redirect"] == path_of(payment, "?placed=1")


# F49
@pytest.mark.parametrize("outcome", ["timeout", "timeout_after_commit", "raises", "none"])
def test_without_an_answer_it_never_says_failed(shop: Flask, buyer: Visitor, outcome: str) -> None:
    with shop.app_context():
        payment = pay_with(shop, outcome)
        calls = len(dummy(shop).started)
        for path in ("/payment?lang=en", "?lang=en"):
            page = buyer.get(path_of(payment, path))
            assert "confirming the payment" in page.text
            assert "did not go through" not in page.text
        assert len(dummy(shop).started) == calls
        tell(shop, outcome="captured")
        buyer.get(path_of(payment, "/payment?poll=1"))
        assert again(payment).state == "captured"
        assert list(dummy(shop).started) == [f"{payment.id}:start:1"]


def test_control_a_failure_the_provider_stands_by_is_said_with_its_reason(
    shop: Flask, buyer: Visitor
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        page = buyer.get(path_of(payment, "/payment?lang=en"))
        assert "The payment was declined" in page.text
        assert order_of(payment).state == "awaiting_payment"


def test_a_failed_payment_is_tried_again_with_a_new_key(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        buyer.get(path_of(payment, "/payment"))
        answer = buyer.post(path_of(payment, "/payment/again"), data={"method": "dummy"})
        assert answer.headers["Location"] == path_of(payment, "/payment/go")
        assert attempts() == [("dummy", "failed", "1:start:1"), ("dummy", "requires_action", "2:start:1")]
        buyer.post(path_of(payment, "/payment/again"), data={"method": "dummy"})  # a second click
        assert len(attempts()) == 2
        dummy(shop).settle("2", "captured")
        buyer.get(path_of(payment, "/payment"))
        assert order_of(payment).state == "confirmed"


def test_another_way_of_paying_takes_the_place_of_the_failed_one(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        page = buyer.get(path_of(payment, "/payment"))
        assert 'value="bank_transfer"' in page.text
        assert 'value="net_terms"' not in page.text
        buyer.post(path_of(payment, "/payment/again"), data={"method": "bank_transfer"})
        assert [each[:2] for each in attempts()] == [("dummy", "failed"), ("bank_transfer", "pending")]
        order = order_of(payment)
        assert (order.state, order.payment_code) == ("awaiting_payment", "bank_transfer")
        assert "1234567" in buyer.get(path_of(payment)).text


@pytest.mark.parametrize("method", ["net_terms", "bitcoin", "", "flat_rate"])
def test_what_is_not_offered_is_not_begun(shop: Flask, buyer: Visitor, method: str) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        buyer.get(path_of(payment, "/payment"))
        buyer.post(path_of(payment, "/payment/again"), data={"method": method})
        assert len(attempts()) == 1


def test_a_way_of_paying_with_another_fee_is_not_offered_for_a_confirmed_total(
    shop: Flask, buyer: Visitor
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        tell(shop, fee_minor=300)
        page = buyer.get(path_of(payment, "/payment?lang=en"))
        assert 'value="bank_transfer"' in page.text
        assert 'value="dummy"' not in page.text
        assert "Its fee is ¥300 without tax, and this order was confirmed with ¥0." in page.text
        assert path_of(payment, "/again") in page.text  # the way to all of them


def failed_on_account(shop: Flask, buyer: Visitor, limit: int) -> Payment:
    """A failed payment of a company that may also buy on account up to a limit."""
    allow_terms(shop, "HAYASHI", limit)
    newly()
    payment = pay_with(shop, "requires_action")
    dummy(shop).settle(str(payment.id), "failed")
    buyer.get(path_of(payment, "/payment"))
    return payment


def test_on_account_is_offered_where_the_credit_is_enough(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = failed_on_account(shop, buyer, 1_980)
        assert 'value="net_terms"' in buyer.get(path_of(payment, "/payment")).text
        buyer.post(path_of(payment, "/payment/again"), data={"method": "net_terms"})
        order = order_of(payment)
        assert (order.state, order.payment_code) == ("confirmed", "net_terms")


def test_on_account_above_the_credit_is_closed_with_its_reason(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = failed_on_account(shop, buyer, 1_979)
        page = buyer.get(path_of(payment, "/payment?lang=en")).text
        assert 'value="net_terms"' not in page
        assert "more than what is left of your credit" in page
        buyer.post(path_of(payment, "/payment/again"), data={"method": "net_terms"})
        assert len(attempts()) == 1


def test_the_credit_is_looked_at_once_more_under_the_lock(
    shop: Flask, buyer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app_context():
        payment = failed_on_account(shop, buyer, 1_979)
        monkeypatch.setattr(trying_again, "_why_not", lambda *_: "")  # the page was asked a moment earlier
        buyer.post(path_of(payment, "/payment/again"), data={"method": "net_terms"})
        assert len(attempts()) == 1


def test_two_orders_that_change_to_account_at_once_share_one_credit(
    tmp_path: Path, database_url: str
) -> None:
    with dummy_shop(tmp_path / "shop", database_url) as app:
        with app.app_context():
            allow_terms(app, "HAYASHI", 2_000)
            both = [pay_with(app, "requires_action").order_id for _ in range(2)]
            for payment in newly().scalars(select(Payment)).all():
                dummy(app).settle(str(payment.id), "failed")
                ask(payment.id)

        def change(order_id: int) -> str | None:
            with app.app_context():
                return trying_again.try_again(newly().get_one(Order, order_id), "net_terms", "hayashi")

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(change, both))
        assert Counter(answers) == {"authorized": 1, None: 1}


def test_where_prices_look_at_the_way_to_pay_only_the_same_way_is_open(
    shop: Flask, buyer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        dummy(shop).settle(str(payment.id), "failed")
        edition = shop.extensions["koguchi"].rulebook.edition()
        monkeypatch.setitem(vars(edition), "facts_used", frozenset({"order.payment"}))
        page = buyer.get(path_of(payment, "/payment?lang=en")).text
        assert 'value="dummy"' in page
        assert 'value="bank_transfer"' not in page
        assert "The prices of this order depend on the way to pay." in page


@pytest.mark.parametrize("outcome", ["captured", "requires_action", "pending"])
def test_only_a_failed_payment_is_tried_again(shop: Flask, buyer: Visitor, outcome: str) -> None:
    with shop.app_context():
        payment = pay_with(shop, outcome)
        buyer.post(path_of(payment, "/payment/again"), data={"method": "bank_transfer"})
        assert len(attempts()) == 1


# F11
def test_money_of_the_failed_attempt_after_another_was_begun_is_reviewed(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        first = pay_with(shop, "requires_action")
        dummy(shop).settle(str(first.id), "failed")
        buyer.get(path_of(first, "/payment"))
        tell(shop, outcome="captured")
        buyer.post(path_of(first, "/payment/again"), data={"method": "dummy"})
        assert order_of(first).state == "confirmed"
        dummy(shop).settle(str(first.id), "captured")
        post(shop.test_client(), first, "late")
        run_due()
        assert [each[1] for each in attempts()] == ["review", "captured"]
        assert incidents() == ["payment_review"]
        post(shop.test_client(), first, "the same, told again")
        run_due()
        assert [each[1] for each in attempts()] == ["review", "captured"]


def test_control_the_attempt_that_is_not_late_is_taken_as_paid(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        first = pay_with(shop, "requires_action")
        dummy(shop).settle(str(first.id), "captured")
        post(shop.test_client(), first, "in time")
        run_due()
        assert [each[1] for each in attempts()] == ["captured"]
        assert incidents() == []


def test_another_company_sees_and_tries_nothing(shop: Flask, buyer: Visitor) -> None:
    with shop.app_context():
        payment = pay_with(shop, "requires_action", login="kitahama")
        dummy(shop).settle(str(payment.id), "failed")
        assert buyer.get(path_of(payment, "/payment")).status_code == 404
        assert buyer.get(path_of(payment, "/payment/go")).status_code == 404
        assert buyer.post(path_of(payment, "/payment/again"), data={"method": "dummy"}).status_code == 404
        assert again(payment).state == "requires_action"


def test_who_looks_without_end_does_not_ask_the_provider_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("storefront.payments.returning.ask", asked.append)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with dummy_shop(tmp_path / "shop", url, rate_limits={"enabled": True}) as app, app.app_context():
        payment = pay_with(app, "requires_action")
        buyer = Visitor(app, "hayashi")
        codes = {buyer.get(path_of(payment, "/payment")).status_code for _ in range(30)}
    assert codes == {200}
    assert len(asked) == 20


def test_the_provider_is_told_to_send_the_buyer_back_to_this_page(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = dummy(shop).start, []

    def start(payment: object, *, key: str, return_url: str) -> object:
        seen.append(return_url)
        return real(payment, key=key, return_url=return_url)

    monkeypatch.setattr(dummy(shop), "start", start)
    with shop.app_context():
        payment = pay_with(shop, "requires_action")
        assert seen == [f"https://shop.aoyagi.example{path_of(payment, '/payment')}"]
        assert view_of(order_of(payment), payment).order_number == order_of(payment).number
        assert payment_of(get_session(), payment.order_id) is not None
        assert again(payment).ask_at is not None
        assert again(payment).ask_at > now()
