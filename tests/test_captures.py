"""Taking what was promised: a part or all, once; the key is stored first, and what is unknown is asked about again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from plugins.contract import Capability, Result
from plugins.payments.dummy import Dummy
from storefront.database import write
from storefront.jobs import run_due
from storefront.payments import Payment, ask, captures, mark_paid, payment_of, refunds
from storefront.payments.captures import NotTaken, Taken, released_minor, take
from storefront.payments.models import Capture
from storefront.payments.refunds import NotRefunded, Refunded, refund
from storefront.stock import StockItem
from support.fake_stripe import KEY, SECRET
from support.ordering import placed
from support.paying import CART, again, dummy, dummy_shop, incidents, newly, order_of, pay_with, tell
from support.shop import SHOP_TOML, make_app, seed, write_shop
from support.stripe_shop import in_the_shop

WHO = "owner@example.com"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """For what does not depend on the kind of database; each test has an order of its own."""
    folder: Path = tmp_path_factory.mktemp("captures")
    with dummy_shop(folder / "shop", f"sqlite:///{folder / 'shop.db'}") as app:
        with app.app_context(), write() as session:
            session.execute(update(StockItem).values(on_hand=100_000))
        yield app


@pytest.fixture
def either(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    """A shop on either database."""
    with dummy_shop(tmp_path / "shop", database_url) as app:
        yield app


@pytest.fixture
def promised(shop: Flask) -> Iterator[Payment]:
    """A payment that the provider holds for the shop; the test stands inside an application context."""
    with shop.app_context():
        tell(shop, capture_outcome="captured", refund_outcome="refunded")
        yield pay_with(shop, "authorized")
        tell(shop, capture_outcome="captured", refund_outcome="refunded")


def rows(payment: Payment) -> list[tuple[str, int, str]]:
    found = select(Capture.key, Capture.amount_minor, Capture.state).where(Capture.payment_id == payment.id)
    return [(key, amount, state) for key, amount, state in newly().execute(found.order_by(Capture.id))]


def taken_from(app: Flask, payment: Payment) -> int:
    """What the provider really took."""
    return sum(
        answer.amount.minor
        for key, answer in dummy(app).captures.items()
        if key.startswith(f"{payment.id}:") and answer.status == "captured"
    )


def later(app: Flask) -> None:
    app.extensions["koguchi"].clock.forward(minutes=2)
    run_due()


def test_a_part_is_taken_and_everything_later_counts_it(shop: Flask, promised: Payment) -> None:
    total, before = promised.amount_minor, len(incidents())
    done = take(promised.id, total - 300, "one bag was not there", WHO)
    assert isinstance(done, Taken)
    assert (done.state, done.payment_state) == ("done", "captured")
    payment = again(promised)
    assert (payment.state, payment.captured_minor) == ("captured", total - 300)
    assert released_minor(newly(), payment) == 300
    assert taken_from(shop, promised) == total - 300
    assert len(incidents()) == before  # the part that was asked for is no mismatch
    assert rows(promised) == [(f"{promised.id}:capture:1", total - 300, "done")]
    assert refund(payment.id, total - 299, "", WHO) == NotRefunded("too_much", total - 300)
    assert isinstance(refund(payment.id, total - 300, "", WHO), Refunded)
    assert again(promised).state == "refunded"


def test_what_the_provider_says_later_fits_the_part(promised: Payment) -> None:
    take(promised.id, 1_000, "", WHO)
    assert ask(promised.id) == "captured"
    assert refund(promised.id, 400, "", WHO)
    assert ask(promised.id) == "partially_refunded"


def test_more_taken_than_was_asked_for_is_reviewed(shop: Flask, promised: Payment) -> None:
    tell(shop, capture_outcome="timeout")
    take(promised.id, 1_000, "", WHO)
    dummy(shop).settle(str(promised.id), "captured")  # all of it
    assert ask(promised.id) == "review"
    assert again(promised).captured_minor == promised.amount_minor
    assert incidents()[-1] == "payment_review"


def test_control_the_same_answer_without_a_part_asked_for_is_paid(shop: Flask, promised: Payment) -> None:
    dummy(shop).settle(str(promised.id), "captured")
    assert ask(promised.id) == "captured"


@pytest.mark.parametrize(("amount", "code"), [(0, "amount"), (-5, "amount"), (10**9, "too_much")])
def test_what_cannot_be_taken_is_refused_before_the_provider_hears_of_it(
    shop: Flask, promised: Payment, amount: int, code: str
) -> None:
    assert take(promised.id, amount, "", WHO) == NotTaken(code, "authorized")
    assert (rows(promised), taken_from(shop, promised)) == ([], 0)


def test_who_takes_only_the_whole_is_asked_for_the_whole(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dummy, "capabilities", Dummy.capabilities & ~Capability.PARTIAL_CAPTURE)
    assert take(promised.id, 1_000, "", WHO) == NotTaken("whole", "authorized")
    assert mark_paid(promised.order_id, WHO) == "captured"
    assert taken_from(shop, promised) == promised.amount_minor


def test_nothing_more_is_taken_after_a_part(shop: Flask, promised: Payment) -> None:
    take(promised.id, 1_000, "", WHO)
    assert take(promised.id, 1_000, "", WHO) == NotTaken("state", "captured")
    assert mark_paid(promised.order_id, WHO) == "captured"
    assert taken_from(shop, promised) == 1_000


# F49
@pytest.mark.parametrize("lost", ["timeout", "timeout_after_commit"])
def test_an_unknown_capture_is_asked_about_under_its_key_and_no_other_begins(
    shop: Flask, promised: Payment, lost: str
) -> None:
    tell(shop, capture_outcome=lost)
    first = take(promised.id, 1_000, "", WHO)
    assert isinstance(first, Taken)
    assert (first.state, first.payment_state) == ("requested", "authorized")
    assert take(promised.id, 900, "", WHO) == NotTaken("under_way", "authorized")
    assert mark_paid(promised.order_id, WHO) == "authorized"
    tell(shop, capture_outcome="captured")
    later(shop)
    assert rows(promised) == [(f"{promised.id}:capture:1", 1_000, "done")]
    assert (again(promised).state, taken_from(shop, promised)) == ("captured", 1_000)


def test_control_under_another_key_the_provider_would_hear_of_a_second_capture(
    shop: Flask, promised: Payment
) -> None:
    tell(shop, capture_outcome="timeout")
    take(promised.id, 1_000, "", WHO)
    with write() as session:
        session.execute(
            update(Capture).where(Capture.payment_id == promised.id).values(key=f"{promised.id}:x")
        )
    tell(shop, capture_outcome="captured")
    later(shop)
    assert f"{promised.id}:x" in dummy(shop).captures


def test_an_answer_that_was_lost_is_booked_by_whoever_hears_it_first(shop: Flask, promised: Payment) -> None:
    tell(shop, capture_outcome="timeout_after_commit")
    take(promised.id, 1_000, "", WHO)
    assert ask(promised.id) == "captured"  # a webhook, the worker, or the owner's button
    assert rows(promised) == [(f"{promised.id}:capture:1", 1_000, "done")]
    later(shop)
    assert again(promised).captured_minor == 1_000


def test_a_refused_capture_leaves_the_promise_and_may_be_tried_again(shop: Flask, promised: Payment) -> None:
    tell(shop, capture_outcome="declined")
    refused = take(promised.id, 1_000, "", WHO)
    assert isinstance(refused, Taken)
    assert (refused.state, refused.payment_state) == ("failed", "authorized")
    tell(shop, capture_outcome="captured")
    take(promised.id, 900, "", WHO)
    assert rows(promised) == [
        (f"{promised.id}:capture:1", 1_000, "failed"),
        (f"{promised.id}:capture:2", 900, "done"),
    ]


def test_a_capture_that_failed_asks_how_the_promise_stands(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: object, payment: Any, amount: Any, *, key: str) -> Result:
        return Result("failed", payment.provider_ref, amount, key, code="try_later")

    with monkeypatch.context() as patched:
        patched.setattr(Dummy, "capture", fails)
        kept = take(promised.id, 1_000, "", WHO)
        dummy(shop).settle(str(promised.id), "canceled")
        gone = take(promised.id, 1_000, "", WHO)
    assert isinstance(kept, Taken)
    assert isinstance(gone, Taken)
    assert (kept.state, kept.payment_state) == ("failed", "authorized")
    assert (gone.state, gone.payment_state) == ("failed", "canceled")


def test_a_capture_that_the_provider_still_works_at_moves_nothing_yet(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_self: object, payment: Any, amount: Any, *, key: str) -> Result:
        return Result("pending", payment.provider_ref, amount, key)

    before = len(incidents())
    with monkeypatch.context() as patched:
        patched.setattr(Dummy, "capture", slow)
        done = take(promised.id, 1_000, "", WHO)
    assert isinstance(done, Taken)
    assert (done.state, done.payment_state, len(incidents())) == ("requested", "authorized", before)
    later(shop)
    assert again(promised).captured_minor == 1_000


def test_a_lost_answer_changes_nothing_of_a_capture_that_another_process_booked_meanwhile(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        dummy(shop).settle(str(promised.id), "captured", minor=1_000)
        ask(promised.id)

    monkeypatch.setattr(captures, "_ask", slow)
    take(promised.id, 1_000, "", WHO)
    (row,) = newly().scalars(select(Capture).where(Capture.payment_id == promised.id))
    assert (row.state, row.code) == ("done", None)


def test_a_promise_that_ended_meanwhile_ends_its_capture(shop: Flask, promised: Payment) -> None:
    tell(shop, capture_outcome="timeout")
    take(promised.id, 1_000, "", WHO)
    dummy(shop).settle(str(promised.id), "canceled")
    ask(promised.id)
    assert rows(promised) == [(f"{promised.id}:capture:1", 1_000, "failed")]
    later(shop)
    assert (again(promised).state, taken_from(shop, promised)) == ("canceled", 0)


def test_where_the_plugin_is_gone_the_owners_word_counts_and_is_kept(shop: Flask, promised: Payment) -> None:
    running = shop.extensions["koguchi"].plugins.payments
    provider = running.pop("dummy")
    try:
        assert mark_paid(promised.order_id, WHO) == "captured"
    finally:
        running["dummy"] = provider
    assert rows(promised) == [(f"{promised.id}:capture:1", promised.amount_minor, "done")]
    assert order_of(promised).state == "confirmed"


# F07
def test_a_capture_whose_process_died_before_the_provider_was_asked_is_taken_up(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiedError(BaseException):
        pass

    def die(_capture: int) -> None:
        raise DiedError

    with monkeypatch.context() as patched:
        patched.setattr(captures, "carry_out", die)
        with pytest.raises(DiedError):
            take(promised.id, 1_000, "", WHO)
    assert (taken_from(shop, promised), again(promised).state) == (0, "authorized")
    later(shop)
    assert (taken_from(shop, promised), again(promised).state) == (1_000, "captured")


def at_once(app: Flask, payment: Payment, amounts: list[int]) -> Counter[str]:
    """So many threads take money of one payment; what each was told."""

    def one(amount: int) -> Taken | NotTaken:
        with app.app_context():
            return take(payment.id, amount, "", WHO)

    with ThreadPoolExecutor(len(amounts)) as pool:
        answers = list(pool.map(one, amounts))
    return Counter(each.state if isinstance(each, Taken) else "refused" for each in answers)


def test_eight_captures_at_once_take_once(either: Flask) -> None:
    with either.app_context():
        payment = pay_with(either, "authorized")
    told = at_once(either, payment, [1_000, 900, 800, 1_000, 900, 800, 1_000, 900])
    with either.app_context():
        assert [state for _key, _amount, state in rows(payment)] == ["done"]
        assert again(payment).captured_minor == taken_from(either, payment) == rows(payment)[0][1]
    assert told["done"] >= 1
    assert told["refused"] >= 5


@pytest.mark.parametrize("lost", [[], ["", "lost", "lost", "lost"]], ids=["answered", "the answer is lost"])
def test_a_card_held_at_stripe_is_taken_in_part_and_the_rest_is_no_refund(
    tmp_path: Path, lost: list[str]
) -> None:
    table = (
        '\n[plugins.stripe_checkout]\nenabled = true\ncapture = "manual"\nmethods = ["card"]\n'
        f'api_key = "{KEY}"\nwebhook_secrets = ["{SECRET}"]\n'
    )
    folder = write_shop(tmp_path / "shop", SHOP_TOML + table)
    app = make_app(folder, database_url=f"sqlite:///{tmp_path / 'shop.db'}")
    seed(app)
    with app.app_context():
        stripe = in_the_shop(app)
        payment = payment_of(newly(), placed("hayashi", CART, payment="stripe_checkout").id)
        assert payment is not None
        assert payment.provider_ref is not None
        stripe.pay(payment.provider_ref)
        assert ask(payment.id) == "authorized"
        stripe.faults.extend(lost)
        take(payment.id, 1_500, "one bag is missing", WHO)
        later(app)
        assert (again(payment).state, again(payment).captured_minor) == ("captured", 1_500)
        assert [intent["amount_received"] for intent in stripe.intents.values()] == [1_500]
        assert ask(payment.id) == "captured"
        assert refund(payment.id, 1_501, "", WHO) == NotRefunded("too_much", 1_500)
        refund(payment.id, 500, "", WHO)
        assert ask(payment.id) == "partially_refunded"
        assert refunds.left_minor(newly(), payment) == 1_000
        assert incidents() == []
    app.extensions["koguchi"].close()


def test_control_without_a_look_at_what_is_under_way_several_are_begun(
    shop: Flask, promised: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "under_way", lambda *_: None)
    tell(shop, capture_outcome="timeout")
    at_once(shop, promised, [1_000, 900, 800])
    assert len(rows(promised)) == 3
