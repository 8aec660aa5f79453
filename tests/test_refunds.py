"""Refunds: never more than was taken, however many ask at once; one key is one refund; what is unknown counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from plugins.contract import Capability
from plugins.payments.dummy import Dummy
from storefront.database import get_session, write
from storefront.jobs import run_due, waiting
from storefront.payments import Payment, PaymentMove, ask, mark_paid, payment_of, refunds
from storefront.payments.models import Refund
from storefront.payments.refunds import NotRefunded, Refunded, refund
from support.ordering import placed
from support.paying import CART, again, dummy, dummy_shop, incidents, newly, order_of, pay_with, tell

WHO = "owner@example.com"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    with dummy_shop(tmp_path / "shop", database_url) as app:
        yield app


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Flask]:
    """For what does not depend on the kind of database."""
    with dummy_shop(tmp_path / "shop", f"sqlite:///{tmp_path / 'shop.db'}") as app:
        yield app


def rows() -> list[tuple[str, int, str]]:
    found = get_session().execute(select(Refund.key, Refund.amount_minor, Refund.state).order_by(Refund.id))
    return [(key, amount, state) for key, amount, state in found]


def paid_back_by(app: Flask) -> int:
    """What the provider really gave back."""
    return sum(
        answer.amount.minor for _, answer in dummy(app).refunds.values() if answer.status == "refunded"
    )


def test_a_part_then_the_rest_is_paid_back_and_the_order_stands(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        total = payment.amount_minor
        first = refund(payment.id, 300, "one bag was wet", WHO)
        assert first == Refunded(1, "done", total - 300)
        assert again(payment).state == "partially_refunded"
        second = refund(payment.id, total - 300, "all of it", WHO)
        assert second == Refunded(2, "done", 0)
        assert again(payment).state == "refunded"
        assert rows() == [
            (f"{payment.id}:refund:1", 300, "done"),
            (f"{payment.id}:refund:2", total - 300, "done"),
        ]
        assert order_of(payment).state == "confirmed"
        moves = get_session().scalars(select(PaymentMove).order_by(PaymentMove.id)).all()
        assert [(move.to_state, move.actor) for move in moves[-2:]] == [
            ("partially_refunded", WHO), ("refunded", WHO),
        ]  # fmt: skip


# F55
def test_more_than_was_paid_or_twice_is_refused_before_the_provider_hears_of_it(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        total = payment.amount_minor
        assert refund(payment.id, total + 1, "", WHO) == NotRefunded("too_much", total)
        assert refund(payment.id, 0, "", WHO) == NotRefunded("amount", total)
        assert refund(payment.id, -5, "", WHO) == NotRefunded("amount", total)
        assert dummy(small).refunds == {}
        refund(payment.id, total, "", WHO)
        assert refund(payment.id, 1, "", WHO) == NotRefunded("state", 0)
        assert paid_back_by(small) == total


@pytest.mark.parametrize("outcome", ["pending", "requires_action", "declined", "authorized"])
def test_only_what_was_paid_is_paid_back(small: Flask, outcome: str) -> None:
    with small.app_context():
        payment = pay_with(small, outcome)
        assert refund(payment.id, 1, "", WHO) == NotRefunded("state", payment.amount_minor)
        assert dummy(small).refunds == {}


def at_once(app: Flask, payment: Payment, amount: int, times: int = 8) -> Counter[str]:
    """So many threads ask for the same refund; what each was told."""

    def one(_: int) -> Any:
        with app.app_context():
            return refund(payment.id, amount, "", WHO)

    with ThreadPoolExecutor(times) as pool:
        answers = list(pool.map(one, range(times)))
    return Counter(each.state if isinstance(each, Refunded) else each.code for each in answers)


# F55
def test_eight_refunds_at_once_never_pay_back_more_than_was_taken(shop: Flask) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
        third = payment.amount_minor // 3 - 1
    assert at_once(shop, payment, third) == {"done": 3, "too_much": 5}
    with shop.app_context():
        assert paid_back_by(shop) == 3 * third
        assert len({key for key, _, _ in rows()}) == 3


def test_control_with_the_sum_believed_as_it_was_eight_refunds_pay_back_too_much(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app_context():
        payment = pay_with(shop, "captured")
    total, third = payment.amount_minor, payment.amount_minor // 3
    monkeypatch.setattr(refunds, "left_minor", lambda *_: total)
    monkeypatch.setattr(Dummy, "_is_too_much", lambda *_: False)  # a provider that trusts the shop
    monkeypatch.setattr(refunds, "REFUNDABLE", refunds.REFUNDABLE | {"refunded"})
    assert at_once(shop, payment, third) == {"done": 8}
    assert paid_back_by(shop) > total


# F49
@pytest.mark.parametrize("lost", ["timeout", "timeout_after_commit", "pending"])
def test_an_unknown_refund_counts_and_is_asked_about_under_its_key(small: Flask, lost: str) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        total = payment.amount_minor
        tell(small, refund_outcome=lost)
        assert refund(payment.id, total - 1, "", WHO) == Refunded(1, "requested", 1)
        assert again(payment).state == "captured"
        assert refund(payment.id, 2, "", WHO) == NotRefunded("too_much", 1)
        tell(small, refund_outcome="refunded")
        small.extensions["koguchi"].clock.forward(minutes=2)
        run_due()
        assert rows() == [(f"{payment.id}:refund:1", total - 1, "done")]
        assert again(payment).state == "partially_refunded"
        assert list(dummy(small).refunds) == [f"{payment.id}:refund:1"]
        assert paid_back_by(small) == total - 1


def test_control_under_another_key_the_lost_refund_would_be_paid_twice(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        tell(small, refund_outcome="timeout_after_commit")
        refund(payment.id, 100, "", WHO)
        with write() as session:
            session.get_one(Refund, 1).key = "another"
        tell(small, refund_outcome="refunded")
        small.extensions["koguchi"].clock.forward(minutes=2)
        run_due()
        assert paid_back_by(small) == 200


# F07
def test_a_refund_whose_process_died_before_the_provider_was_asked_is_taken_up(
    shop: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiedError(BaseException):
        pass

    def die(_refund: int) -> None:
        raise DiedError

    with shop.app_context():
        payment = pay_with(shop, "captured")
        with monkeypatch.context() as patched:
            patched.setattr(refunds, "carry_out", die)
            with pytest.raises(DiedError):
                refund(payment.id, 100, "", WHO)
        assert dummy(shop).refunds == {}
        shop.extensions["koguchi"].clock.forward(minutes=2)
        run_due()
        assert rows() == [(f"{payment.id}:refund:1", 100, "done")]


def test_a_refund_that_the_provider_works_at_for_weeks_is_asked_about_until_it_ends(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        tell(small, refund_outcome="pending")
        refund(payment.id, 100, "", WHO)
        for _ in range(60):  # a buyer who is slow to name an account
            small.extensions["koguchi"].clock.forward(hours=6)
            run_due()
        tell(small, refund_outcome="refunded")
        small.extensions["koguchi"].clock.forward(hours=6)
        run_due()
        assert rows() == [(f"{payment.id}:refund:1", 100, "done")]


def test_control_a_refund_without_any_answer_is_given_up_after_days_and_shown(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        tell(small, refund_outcome="timeout")
        refund(payment.id, 100, "", WHO)
        for _ in range(60):
            small.extensions["koguchi"].clock.forward(hours=6)
            run_due()
        assert waiting(newly())["dead"] == 1


def test_a_refused_refund_is_told_and_its_amount_is_free_again(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        tell(small, refund_outcome="declined")
        assert refund(payment.id, 100, "", WHO) == Refunded(1, "failed", payment.amount_minor)
        assert again(payment).state == "captured"
        assert incidents() == ["refund_failed"]
        tell(small, refund_outcome="refunded")
        assert refund(payment.id, payment.amount_minor, "", WHO) == Refunded(2, "done", 0)


def test_a_provider_that_pays_back_another_amount_is_for_a_person(
    small: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = dummy(small).refund

    def other(payment: Any, amount: Any, *, key: str, reason: str | None) -> Any:
        return real(payment, type(amount)(amount.minor + 1, amount.currency), key=key, reason=reason)

    with small.app_context():
        payment = pay_with(small, "captured")
        monkeypatch.setattr(dummy(small), "refund", other)
        assert refund(payment.id, 100, "", WHO) == Refunded(1, "requested", payment.amount_minor - 100)
        assert incidents() == ["refund_review"]


@pytest.mark.parametrize("comes", [True, False])
def test_the_answer_of_a_slow_process_changes_nothing_of_what_another_booked_meanwhile(
    small: Flask, monkeypatch: pytest.MonkeyPatch, comes: bool
) -> None:
    real = refunds._ask

    def odd_answer(view: Any, payment: Payment, row: Refund) -> Any:
        answer = real(view, payment, row)
        assert answer is not None
        return replace(answer, amount=type(answer.amount)(1, "JPY"))

    def slow(view: Any, payment: Payment, row: Refund) -> Any:
        monkeypatch.setattr(refunds, "_ask", odd_answer)
        refunds.carry_out(row.id)  # the outbox took it up meanwhile
        return odd_answer(view, payment, row) if comes else None

    with small.app_context():
        payment = pay_with(small, "captured")
        monkeypatch.setattr(refunds, "_ask", slow)
        refund(payment.id, 100, "", WHO)
        assert (found().state, found().code) == ("requested", "mismatch")
        assert incidents() == ["refund_review"]


def test_what_was_paid_back_at_the_provider_itself_is_seen_and_counted(small: Flask) -> None:
    from storefront.payments import ask

    with small.app_context():
        payment = pay_with(small, "captured")
        refund(payment.id, 100, "", WHO)
        dummy(small).refunds["made there"] = (
            str(payment.id),
            next(iter(dummy(small).refunds.values()))[1],
        )
        assert ask(payment.id) == "partially_refunded"
        # the same state again: the sum is taken up all the same
        assert rows()[-1][1:] == (100, "done")
        assert refund(payment.id, payment.amount_minor - 100, "", WHO) == NotRefunded(
            "too_much", payment.amount_minor - 200
        )


def test_money_sent_back_by_hand_is_noted_and_counts(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        monkeypatch.setattr(type(dummy(small)), "capabilities", Capability.CAPTURE)
        assert refund(payment.id, 100, "", WHO) == NotRefunded("unable", payment.amount_minor)
        monkeypatch.setattr(type(dummy(small)), "capabilities", Capability.REFUND)
        assert refund(payment.id, 100, "", WHO) == NotRefunded("whole", payment.amount_minor)
        assert refund(payment.id, 100, "by transfer", WHO, by_hand=True) == Refunded(
            1, "done", payment.amount_minor - 100
        )
        del small.extensions["koguchi"].plugins.payments["dummy"]
        assert refund(payment.id, 100, "", WHO) == NotRefunded("gone", payment.amount_minor - 100)
        assert isinstance(refund(payment.id, 100, "by transfer", WHO, by_hand=True), Refunded)
        assert again(payment).state == "partially_refunded"


def test_a_transfer_is_paid_back_as_its_plugin_says(small: Flask) -> None:
    with small.app_context():
        order = placed("hayashi", CART)
        mark_paid(order.id, WHO)
        payment = payment_of(get_session(), order.id)
        assert payment is not None
        told = refund(payment.id, payment.amount_minor, "", WHO)
        assert told.left_minor in (0, payment.amount_minor)


# --- a refund of which the provider says another amount


@pytest.fixture
def odd(small: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Payment]:
    """A payment of which 300 were asked back, and the provider says 250."""
    real = Dummy.refund

    def refunds_less(self: Dummy, view: Any, amount: Any, *, key: str, reason: str | None) -> Any:
        return real(self, view, type(amount)(amount.minor - 50, amount.currency), key=key, reason=reason)

    with small.app_context():
        payment = pay_with(small, "captured")
        with monkeypatch.context() as patched:
            patched.setattr(Dummy, "refund", refunds_less)
            refund(payment.id, 300, "one bag was wet", WHO)
        yield payment


def found() -> Refund:
    return get_session().scalars(select(Refund).execution_options(populate_existing=True)).one()


def test_what_does_not_fit_waits_for_a_person_who_takes_what_the_provider_says(odd: Payment) -> None:
    row, total = found(), odd.amount_minor
    assert (row.state, row.code, row.amount_minor, row.answered_minor) == ("requested", "mismatch", 300, 250)
    assert refund(odd.id, total - 299, "", WHO) == NotRefunded("too_much", total - 300)
    assert refunds.settle(row.id, 250, "seen on their page", WHO) == Refunded(row.id, "done", total - 250)
    assert (again(odd).state, found().amount_minor) == ("partially_refunded", 250)
    assert found().reason == "one bag was wet; seen on their page"
    ask(odd.id)  # the provider's own sum fits what was settled
    assert (again(odd).state, found().amount_minor) == ("partially_refunded", 250)
    assert refunds.settle(row.id, 1, "again", WHO) == NotRefunded("settled", total - 250)


def test_what_does_not_fit_is_settled_at_what_a_person_found_out_and_never_above_what_was_taken(
    odd: Payment,
) -> None:
    row, total = found(), odd.amount_minor
    assert refunds.settle(row.id, total + 1, "x", WHO) == NotRefunded("too_much", total)
    assert refunds.settle(row.id, -1, "x", WHO) == NotRefunded("amount", total)
    assert refunds.settle(row.id, total, "all of it", WHO) == Refunded(row.id, "done", 0)
    assert again(odd).state == "refunded"


def test_where_nothing_went_back_the_amount_is_free_again(odd: Payment) -> None:
    assert refunds.settle(found().id, 0, "nothing arrived", WHO) == Refunded(1, "failed", odd.amount_minor)
    assert again(odd).state == "captured"


def test_control_a_refund_that_fits_is_nothing_to_settle(small: Flask) -> None:
    with small.app_context():
        payment = pay_with(small, "captured")
        refund(payment.id, 300, "", WHO)
        assert refunds.odd(get_session(), payment.id) == []
        assert isinstance(refunds.settle(1, 250, "x", WHO), NotRefunded)
