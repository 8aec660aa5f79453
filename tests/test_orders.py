"""A company's orders: its own only, moved by one table, cancelled before production, ordered again."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import bindparam, delete, select

from plugins.contract import Money, Result
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.incidents import Incident
from storefront.jobs import run_due
from storefront.orders import STATES, Order, pages
from storefront.orders.moves import ALLOWED, Moved, NotMoved, approve, cancel_unpaid, move
from storefront.payments import Payment, PaymentMove, apply, mark_paid, payment_of
from storefront.stock import Reservation, StockItem
from support.ordering import allow_terms, placed
from support.shop import FixedClock, sign_in

CART = {"M4-10": 40, "N4-SUS": 200}


def state_of(order_id: int) -> str:
    with write() as session:
        return session.get_one(Order, order_id).state


def pay(order_id: int, result: Result) -> str:
    with write() as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order_id)).one()
        return apply(session, payment.id, result, actor="test")


# ---- moves


def test_every_state_has_its_moves_and_every_move_leads_to_a_state() -> None:
    assert set(ALLOWED) == {"", *STATES}
    assert all(targets <= set(STATES) for targets in ALLOWED.values())
    assert not ALLOWED["closed"]
    assert not ALLOWED["cancelled"]


def test_a_move_is_recorded_with_who_when_and_why(app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        order_id = placed("hayashi", CART).id
        moment = clock.forward(hours=3)
        with write() as session:
            move(session, order_id, "cancelled", "clerk@example.com", "asked by phone")
        last = get_session().get_one(Order, order_id).moves[-1]
        assert (last.from_state, last.to_state, last.actor, last.reason, last.at) == (
            "awaiting_payment", "cancelled", "clerk@example.com", "asked by phone", moment
        )  # fmt: skip


@pytest.mark.parametrize("to", sorted(set(STATES) - ALLOWED["awaiting_payment"]))
def test_a_move_that_the_table_does_not_name_changes_nothing(app: Flask, to: str) -> None:
    with app.app_context():
        order_id = placed("hayashi", CART).id
        with write() as session:
            assert isinstance(move(session, order_id, to, "owner"), NotMoved)
        assert state_of(order_id) == "awaiting_payment"


def test_a_held_order_goes_on_when_the_owner_approves_it(app: Flask) -> None:
    allow_terms(app, "HAYASHI", 1_000)
    with app.app_context():
        order_id = placed("hayashi", CART, payment="net_terms").id
        assert state_of(order_id) == "awaiting_approval"
        assert isinstance(approve(order_id, "owner@example.com", "good customer"), Moved)
        assert state_of(order_id) == "confirmed"
        assert isinstance(approve(order_id, "owner@example.com"), NotMoved)


# F07
def test_an_approved_order_whose_process_died_before_its_payment_began_is_taken_up(
    app: Flask, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_terms(app, "HAYASHI", 1_000)
    with app.app_context():
        order_id = placed("hayashi", CART, payment="net_terms").id
        clock.forward(days=1)
        run_due()
        with monkeypatch.context() as patched:
            patched.setattr("storefront.payments.start_for", lambda _order: None)  # it ended here
            approve(order_id, "owner@example.com")
        assert state_of(order_id) == "awaiting_payment"
        with write() as session:  # nor do its goods wait for ever
            assert all(each.expires_at for each in session.scalars(select(Reservation)))
        clock.forward(minutes=2)
        run_due()
        assert state_of(order_id) == "confirmed"


def test_a_transfer_that_arrived_confirms_the_order(app: Flask) -> None:
    with app.app_context():
        order_id = placed("hayashi", CART).id
        assert mark_paid(order_id, "owner@example.com") == "captured"
        assert state_of(order_id) == "confirmed"
        assert mark_paid(order_id, "owner@example.com") == "captured"


def test_an_unpaid_order_is_cancelled_after_its_time_and_its_stock_comes_back(
    app: Flask, clock: FixedClock
) -> None:
    with app.app_context():
        late, paid = placed("hayashi", CART).id, placed("kitahama", CART).id
        mark_paid(paid, "owner")
        assert cancel_unpaid() == 0
        clock.forward(days=11)
        assert cancel_unpaid() == 1
        assert (state_of(late), state_of(paid)) == ("cancelled", "confirmed")
        with write() as session:
            assert {each.order_id for each in session.scalars(select(Reservation))} == {paid}


@pytest.mark.parametrize("is_counted", [True, False])
def test_an_unpaid_order_of_goods_that_nobody_counts_is_cancelled_as_early(
    app: Flask, clock: FixedClock, is_counted: bool
) -> None:
    with app.app_context():
        if not is_counted:
            with write() as session:
                session.execute(delete(StockItem))
        order_id = placed("hayashi", {"M4-10": 40}).id
        assert cancel_unpaid() == 0
        clock.forward(days=11)
        assert cancel_unpaid() == 1
        assert state_of(order_id) == "cancelled"


def test_cancelling_gives_up_the_open_payment(app: Flask) -> None:
    with app.app_context():
        order_id = placed("hayashi", CART).id
        with write() as session:
            move(session, order_id, "cancelled", "hayashi")
        run_due()
        payment = payment_of(get_session(), order_id)
        assert payment is not None
        assert payment.state == "canceled"


# ---- payments


def test_the_same_result_again_changes_nothing(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        result = Result("captured", "BT-A-10001", Money(order.total_minor, "JPY"), "k")
        assert pay(order.id, result) == "captured"
        assert pay(order.id, result) == "captured"
        with write() as session:
            assert (
                len(session.scalars(select(PaymentMove)).all()) == 2
            )  # created to pending, pending to captured


def test_a_late_failure_never_undoes_a_capture(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        amount = Money(order.total_minor, "JPY")
        pay(order.id, Result("captured", "BT-A-10001", amount, "k"))
        assert pay(order.id, Result("failed", "BT-A-10001", amount, "k")) == "captured"
        assert state_of(order.id) == "confirmed"
        with write() as session:
            assert session.scalars(select(Incident.kind)).all() == ["payment_move"]


@pytest.mark.parametrize(
    ("minor", "currency", "reference"),
    [(1, "JPY", None), (10_120, "USD", None), (10_120, "JPY", "someone-elses")],
)
def test_another_amount_currency_or_reference_is_reviewed_and_never_paid(
    app: Flask, minor: int, currency: str, reference: str | None
) -> None:
    with app.app_context():
        order_id = placed("hayashi", CART).id
        assert pay(order_id, Result("captured", reference, Money(minor, currency), "k")) == "review"
        assert state_of(order_id) == "awaiting_payment"
        with write() as session:
            assert session.scalars(select(Incident.kind)).all() == ["payment_review"]


def test_money_for_a_cancelled_order_is_an_incident(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        with write() as session:
            move(session, order.id, "cancelled", "hayashi")
        assert pay(order.id, Result("captured", None, Money(order.total_minor, "JPY"), "k")) == "captured"
        assert state_of(order.id) == "cancelled"
        with write() as session:
            assert session.scalars(select(Incident.kind)).all() == ["paid_after_cancel"]


# ---- pages


@pytest.fixture
def number(app: Flask, client: FlaskClient) -> str:
    with app.app_context():
        order = placed("hayashi", CART, purchase_order_number="HK-1")
        found = order.number
    sign_in(client, "hayashi")
    return found


def test_an_order_shows_every_number_with_the_rule_that_made_it(client: FlaskClient, number: str) -> None:
    page = client.get(f"/orders/{number}?lang=en")
    assert page.status_code == 200
    for words in ("M4-10", "¥4,800", "SC10", "Small-lot fee", "Packing fewer than 100 takes longer", "¥10,120",
                  "HK-1", "List price", "Reference to write"):  # fmt: skip
        assert words in page.text


def test_an_order_needs_the_rules_no_more(app: Flask, client: FlaskClient, number: str) -> None:
    for file in (app.extensions["koguchi"].settings.folder / "rules").glob("*.toml"):
        file.unlink()
    with app.app_context(), write() as session:
        for product in session.scalars(select(Product)):
            product.is_active = False
    page = client.get(f"/orders/{number}?lang=en")
    assert page.status_code == 200
    assert "SC10" in page.text
    assert "¥10,120" in page.text


# F33
@pytest.mark.parametrize("path", ["/orders/{}", "/orders/{}/cancel", "/orders/{}/again"])
def test_a_foreign_order_answers_as_an_unknown_one(client: FlaskClient, number: str, path: str) -> None:
    sign_in(client, "kitahama")
    get = client.get if path.count("/") == 2 else client.post
    foreign, unknown = get(path.format(number)), get(path.format("A-99999"))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert "林" not in foreign.text
    assert client.get("/orders").text.count(number) == 0


def test_control_without_the_companys_filter_the_foreign_order_is_shown(
    client: FlaskClient, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pages, "_WHOLE", select(Order).where(Order.number == bindparam("number"), bindparam("company") > 0)
    )
    sign_in(client, "kitahama")
    shown = client.get(f"/orders/{number}")
    assert shown.status_code == 200
    assert "林" in shown.text


@pytest.mark.parametrize("odd", ["%00", "A-10001%00", "' OR 1=1", "../admin", "A-" + "9" * 400, "日本"])
def test_odd_numbers_are_not_found(client: FlaskClient, number: str, odd: str) -> None:
    assert client.get(f"/orders/{odd}").status_code == 404


def test_colleagues_see_the_companys_orders_and_staff_do_not_use_this_page(
    client: FlaskClient, number: str
) -> None:
    sign_in(client, "hayashi-admin")
    assert client.get(f"/orders/{number}").status_code == 200
    sign_in(client, "clerk")
    assert client.get(f"/orders/{number}").status_code == 403


def test_the_list_finds_by_number_own_number_sku_and_state(client: FlaskClient, number: str) -> None:
    for query, count in (
        ("", 1), ("?q=A-1000", 1), ("?q=hk-1", 1), ("?q=m4-10", 1), ("?q=M4", 0), ("?q=%25", 0), ("?q=_", 0),
        ("?state=awaiting_payment", 1), ("?state=shipped", 0), ("?state=odd", 1), ("?page=99", 1), ("?page=x", 1),
        ("?page=-5", 1), ("?page=" + "9" * 30, 1),
    ):  # fmt: skip
        page = client.get(f"/orders{query}")
        assert page.status_code == 200, query
        assert (f"/orders/{number}" in page.text) == bool(count), query


def test_an_empty_list_says_what_to_do(client: FlaskClient, app: Flask) -> None:
    sign_in(client, "kitahama")
    page = client.get("/orders?lang=en")
    assert "No orders yet" in page.text
    assert "/quick-order" in page.text


def test_the_buyer_cancels_and_the_goods_are_free_again(app: Flask, client: FlaskClient, number: str) -> None:
    answer = client.post(f"/orders/{number}/cancel", follow_redirects=True)
    assert answer.status_code == 200
    with app.app_context(), write() as session:
        assert session.scalars(select(Order.state)).one() == "cancelled"
        assert session.scalars(select(Reservation)).all() == []


def test_in_production_it_is_too_late_to_cancel_and_the_page_says_so(
    app: Flask, client: FlaskClient, number: str
) -> None:
    with app.app_context(), write() as session:
        order = session.scalars(select(Order)).one()
        move(session, order, "confirmed", "owner")
        move(session, order, "in_production", "owner")
    assert "Cancel this order" not in client.get(f"/orders/{number}?lang=en").text
    answer = client.post(f"/orders/{number}/cancel", follow_redirects=True)
    assert "can no longer be cancelled here (In production)" in answer.text
    with app.app_context():
        assert state_of(1) == "in_production"


def test_the_page_of_an_order_takes_the_same_queries_whatever_its_lines(
    app: Flask, client: FlaskClient, number: str, queries: object
) -> None:
    from support.shop import make_product

    with app.app_context():
        for each in range(15):
            make_product(f"NUT-{each}", category="fasteners/nuts")
        long = placed("hayashi", {f"NUT-{each}": 10 for each in range(15)}).number
    counts = []
    for each in (number, long):
        client.get(f"/orders/{each}")
        queries()  # type: ignore[operator]
        client.get(f"/orders/{each}")
        counts.append(len(queries()))  # type: ignore[operator]
    assert counts[0] == counts[1]
