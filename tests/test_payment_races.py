"""Payments at odd moments: cancelled while begun, asked by two at once, answered late, died between two steps.

Each is one life that the random ones may take; see support/lives.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from plugins.contract import PaymentView, Result
from plugins.payments.dummy import Dummy
from storefront.incidents import Incident
from storefront.payments import Payment, work
from storefront.payments.refunds import left_minor
from support.agreement import disagreements
from support.bank import Bank
from support.lives import Life, World
from support.paying import dummy_shop, newly


@pytest.fixture(scope="module")
def its_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("races")
    with dummy_shop(folder / "shop", f"sqlite:///{folder / 'shop.db'}") as app:
        yield World(app)


@pytest.fixture
def world(its_world: World) -> Iterator[World]:
    with its_world.watched():
        yield its_world


def state(life: Life, which: int = 0) -> str:
    return newly().get_one(Payment, life.one(which), populate_existing=True).state


def there(life: Life, which: int = 0) -> str:
    return life.bank.status(str(life.one(which)))


def told() -> list[str]:
    return list(newly().scalars(select(Incident.kind).order_by(Incident.id)))


def failed_once(world: World) -> Life:
    """An order whose first payment was declined on the provider's page."""
    life = Life(world, "requires_action")
    life.decide(0, "failed")
    life.ask(0)
    assert (state(life), life.order().state) == ("failed", "awaiting_payment")
    return life


# F07 F11
def test_what_a_dead_process_began_is_let_go_of_when_its_order_is_cancelled(world: World) -> None:
    life = Life(world, "requires_action", die=3)
    assert (state(life), there(life)) == ("created", "requires_action")
    life.cancel()
    life.work(3)
    assert (state(life), there(life)) == ("canceled", "canceled")
    assert life.settle_down("") and disagreements(life) == []


def test_control_without_asking_it_would_stay_open_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_may_have_begun", lambda _session, payment: payment.state != "created")
    life = Life(world, "requires_action", die=3)
    life.cancel()
    life.work(3)
    assert (state(life), there(life)) == ("canceled", "requires_action")
    assert life.settle_down("")
    assert disagreements(life) == [f"{life.one(0)}: cancelled, but requires_action there and canceled here"]


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("requires_action", "canceled"),
        ("pending", "canceled"),
        ("timeout", "canceled"),
        ("captured", "review"),
    ],
)
def test_an_order_cancelled_while_its_payment_is_being_begun_leaves_nothing_open_there(
    world: World, start: str, ends: str
) -> None:
    life = failed_once(world)
    world.meanwhile = (True, lambda: (life.cancel(), life.work(3)))
    life.try_again(start)
    life.work(3)
    assert (state(life), life.order().state) == (ends, "cancelled")
    assert life.settle_down("") and disagreements(life) == []


@pytest.mark.parametrize("accident", ["", "lost_after"])
def test_an_order_cancelled_while_its_payment_is_begun_again_leaves_nothing_open_there(
    world: World, accident: str
) -> None:
    life = Life(world, "timeout")
    world.tell(outcome="requires_action")
    life.bank.accidents.extend(["", "", accident])  # of fetch, of void, and of start
    acts: list[str] = []

    def cancel_once_asked() -> None:
        acts.append("asked")
        world.meanwhile = (True, lambda: (life.cancel(), life.work(3)))

    world.meanwhile = (False, cancel_once_asked)
    life.ask(0)
    life.work(3)
    assert (acts, state(life), there(life)) == (["asked"], "canceled", "canceled")


def test_nothing_is_begun_again_for_an_order_that_was_cancelled_meanwhile(world: World) -> None:
    life = Life(world, "timeout")
    life.cancel()
    life.ask(0)
    assert str(life.one(0)) not in life.bank.begun
    assert life.settle_down("captured") and disagreements(life) == []


def test_control_for_an_order_that_still_waits_it_is_begun_again_under_its_key(world: World) -> None:
    life = Life(world, "timeout")
    life.ask(0)
    payment = life.one(0)
    assert life.bank.begun[str(payment)] == [f"{payment}:start:1"]
    assert (state(life), life.order().state) == ("captured", "confirmed")


# F47
def test_money_that_came_and_went_back_before_anybody_heard_of_it_is_paid_back(world: World) -> None:
    life = Life(world, "requires_action")
    life.decide(0, "captured")
    life.pay_back_there(0, world.total)
    life.ask(0)
    assert (state(life), life.order().state) == ("refunded", "cancelled")
    assert life.settle_down("") and disagreements(life) == []


# F46
def test_an_answer_older_than_what_is_booked_is_no_alarm(world: World) -> None:
    life = Life(world, "requires_action")
    world.meanwhile = (False, lambda: (life.decide(0, "captured"), life.ask(0)))
    life.ask(0)
    assert (state(life), life.order().state) == ("captured", "confirmed")
    assert told() == []


def test_control_a_failure_after_the_money_came_is_one(world: World) -> None:
    life = Life(world, "captured")
    life.bank.settle(str(life.one(0)), "failed")
    life.ask(0)
    assert (state(life), told()) == ("captured", ["payment_move"])


def test_a_failed_payment_is_asked_about_until_there_is_an_answer(world: World) -> None:
    life = failed_once(world)
    life.decide(0, "captured")
    life.bank.accidents.append("lost_before")
    life.forward(1500)
    life.look_after()
    assert state(life) == "failed"
    life.forward(5)
    life.look_after()
    assert (state(life), told()) == ("review", ["payment_review"])


@pytest.mark.parametrize("die", range(6))
def test_a_worker_that_dies_of_a_look_leaves_it_to_the_next(world: World, die: int) -> None:
    life = failed_once(world)
    life.forward(1500)
    life.may_die(life.look_after, die)
    world.restart()
    life.forward(500)
    life.look_after()
    life.work(3)
    assert life.order().state == "cancelled"


# F55
def test_a_refund_that_ends_while_its_payment_is_in_review_leaves_it_there(world: World) -> None:
    life = Life(world, "captured")

    def crossed() -> None:
        life.bank.accidents.append("crossed")
        life.ask(0)

    world.meanwhile = (False, crossed)
    life.refund(0, 300, "refunded")
    assert state(life) == "review"
    assert life.bank.paid_back(str(life.one(0))) == 300


def test_a_refund_made_there_is_not_hidden_by_one_that_somebody_sent_by_hand(world: World) -> None:
    life = Life(world, "captured")
    life.refund(0, 300, "refunded", by_hand=True)
    life.pay_back_there(0, 200)
    life.ask(0)
    assert life.settle_down("") and disagreements(life) == []
    assert payments_left(life) == world.total - 500


def payments_left(life: Life) -> int:
    session = newly()
    return left_minor(session, session.get_one(Payment, life.one(0)))


# F11
def test_once_an_order_is_paid_its_other_open_payment_is_let_go_of(world: World) -> None:
    life = failed_once(world)
    life.try_again("requires_action")
    life.decide(1, "captured")
    life.ask(1)
    assert [state(life, 1), state(life, 0)] == ["review", "requires_action"]
    life.resolve(1, is_paid=True)
    life.work(3)
    assert (state(life, 0), there(life, 0), life.order().state) == ("canceled", "canceled", "confirmed")


def test_a_promise_that_is_let_go_of_because_another_payment_is_good_is_no_alarm(world: World) -> None:
    life = failed_once(world)
    life.try_again("pending")
    life.decide(1, "captured")
    life.ask(1)
    life.decide(0, "authorized")
    world.meanwhile = (True, lambda: life.resolve(1, is_paid=True))
    life.ask(0)
    life.void(0)
    assert (state(life), told()) == ("canceled", ["payment_review"])


@pytest.fixture
def holds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider does not let go while it works at a payment, as Stripe with one that is processing."""
    real = Bank.void

    def void(self: Bank, payment: PaymentView, *, key: str) -> Result:
        busy = self.status(payment.id) != "authorized"
        return self._as_it_stands(payment, key) if busy else real(self, payment, key=key)

    monkeypatch.setattr(Bank, "void", void)


@pytest.mark.usefixtures("holds_on")
def test_a_promise_that_comes_after_its_order_was_cancelled_is_let_go_of(world: World) -> None:
    life = Life(world, "requires_action")
    life.cancel()
    life.work(3)
    assert state(life) == "requires_action"
    life.decide(0, "authorized")
    life.ask(0)
    life.work(3)
    assert (state(life), there(life), told()) == ("canceled", "canceled", [])


@pytest.mark.usefixtures("holds_on")
def test_a_promise_that_comes_after_another_payment_is_good_is_let_go_of(world: World) -> None:
    life = failed_once(world)
    life.try_again("requires_action")
    life.decide(1, "captured")
    life.ask(1)
    life.resolve(1, is_paid=True)
    life.work(3)
    assert (state(life, 0), life.order().state) == ("requires_action", "confirmed")
    life.decide(0, "authorized")
    life.ask(0)
    life.work(3)
    assert (state(life, 0), there(life, 0), state(life, 1)) == ("canceled", "canceled", "captured")


def test_money_that_both_payments_of_an_order_brought_is_told(world: World) -> None:
    life = failed_once(world)
    life.try_again("captured")
    life.decide(1, "captured")
    life.ask(1)
    life.resolve(1, is_paid=True)
    assert told() == ["payment_review", "paid_twice"]


def test_cancelling_a_paid_order_tells_that_its_money_is_to_be_paid_back(world: World) -> None:
    life = Life(world, "captured")
    life.cancel()
    life.work(3)
    assert told() == ["paid_and_cancelled"]


def test_control_when_all_was_paid_back_before_nothing_is_told(world: World) -> None:
    life = Life(world, "captured")
    life.refund(0, 0, "refunded")
    life.cancel()
    life.work(3)
    assert (life.order().state, told()) == ("cancelled", [])


def test_a_provider_that_refuses_to_let_go_is_asked_how_the_payment_stands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bank, "void", Dummy.void)  # which answers "failed" for what it has taken
    life = Life(world, "requires_action")
    life.decide(0, "captured")
    life.void(0)
    assert (state(life), life.order().state) == ("captured", "confirmed")


def test_a_payment_given_up_while_its_plugin_is_gone_is_told(world: World) -> None:
    life = Life(world, "requires_action")
    life.remove_plugin()
    life.cancel()
    life.work(3)
    assert (state(life), there(life), told()) == ("canceled", "requires_action", ["void_untold"])
