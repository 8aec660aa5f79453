"""Ordering again: what is the same, changed or gone; into the cart or confirmed at once, for its buyer only."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront import cart
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.entry import Entry, store
from storefront.orders import Order
from support.filled import filled
from support.ordering import person, placed
from support.shop import FixedClock, make_product, make_user, sign_in
from test_checkout import add_address

OLD = {"M4-10": 40, "N4-SUS": 200, "P-12": 50}


def orders(app: Flask) -> list[Order]:
    with app.app_context():
        return list(get_session().scalars(select(Order).order_by(Order.id)))


def in_cart(app: Flask, login: str) -> dict[str, int]:
    with app.app_context():
        lines = cart.lines_of(get_session(), cart.CartOwner(user_id=person(login).id))
        return {line.sku: line.quantity for line in lines}


def press(client: FlaskClient, path: str, page: str, **changes: str) -> TestResponse:
    return client.post(path, data=filled(page) | {"do": "look"} | changes)


def change(app: Flask, sku: str, **values: object) -> None:
    with app.app_context(), write() as session:
        product = session.scalars(select(Product).where(Product.sku == sku)).one()
        for name, value in values.items():
            setattr(product, name, value)


@pytest.fixture
def number(app: Flask) -> str:
    """An old order of Hayashi's, with an address to send the next one to."""
    add_address(app)
    with app.app_context():
        return placed("hayashi", OLD).number


@pytest.fixture
def buyer(client: FlaskClient, number: str) -> FlaskClient:
    sign_in(client, "hayashi")
    client.get("/?lang=en")
    return client


def again(client: FlaskClient, number: str) -> str:
    answer = client.post(f"/orders/{number}/again")
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_an_order_again_says_line_by_line_what_changed(app: Flask, buyer: FlaskClient, number: str) -> None:
    change(app, "N4-SUS", list_price=Decimal(20))
    change(app, "P-12", is_active=False)
    page = buyer.get(again(buyer, number)).text
    assert "The same as last time" in page
    assert "Price changed: last time ¥18.00 per pc" in page
    assert "No longer sold" in page
    assert "Place the order" not in page
    assert orders(app)[-1].number == number  # nothing is ordered by looking


def test_one_click_leaves_out_what_is_gone_and_the_rest_is_confirmed(
    app: Flask, buyer: FlaskClient, number: str
) -> None:
    change(app, "P-12", is_active=False)
    path = again(buyer, number)
    answer = press(buyer, path, buyer.get(path).text, do="rest")
    assert answer.headers["Location"] == path
    page = buyer.get(path).text
    answer = press(buyer, path, page, do="place", purchase_order_number="HK-2")
    assert answer.headers["Location"] == "/orders/A-10002?placed=1"
    order = orders(app)[1]
    assert (order.channel, order.purchase_order_number, order.contact_id) == ("reorder", "HK-2", None)
    with app.app_context():
        lines = get_session().get_one(Order, order.id).lines
        assert [(line.sku, line.quantity) for line in lines] == [("M4-10", 40), ("N4-SUS", 200)]
    assert in_cart(app, "hayashi") == {}
    assert press(buyer, path, page, do="place").headers["Location"] == "/orders/A-10002?placed=1"
    assert buyer.get(path).headers["Location"] == "/orders/A-10002"
    assert len(orders(app)) == 2


def test_a_quantity_that_the_rules_refuse_today_gets_its_nearest_ones(
    app: Flask, buyer: FlaskClient, number: str
) -> None:
    rule = app.extensions["koguchi"].settings.folder / "rules" / "QT12_turned.toml"
    rule.write_text(rule.read_text("utf-8").replace("minimum = 50", "minimum = 80"), "utf-8")
    path = again(buyer, number)
    page = buyer.get(path).text
    assert 'value="2:80"' in page
    assert press(buyer, path, page, do="place").status_code == 422
    page = press(buyer, path, page, set="2:80").text
    assert "Last time 50\xa0pcs" in page
    assert press(buyer, path, page, do="place").status_code == 303


def test_a_product_that_was_replaced_is_offered_in_its_place(
    app: Flask, buyer: FlaskClient, number: str
) -> None:
    with app.app_context():
        make_product("P-13", category="turned")
    change(app, "P-12", is_active=False, attributes={"replaced_by": "P-13"})
    path = again(buyer, number)
    page = buyer.get(path).text
    assert "P-13 is sold in its place." in page
    page = press(buyer, path, page, pick="2:P-13").text
    assert "Place the order for" in page


def test_the_lines_may_go_into_the_cart_instead(app: Flask, buyer: FlaskClient, number: str) -> None:
    change(app, "P-12", is_active=False)
    path = again(buyer, number)
    answer = press(buyer, path, buyer.get(path).text, do="cart")
    assert answer.headers["Location"] == "/cart"
    assert in_cart(app, "hayashi") == {"M4-10": 40, "N4-SUS": 200}
    assert buyer.get(path).status_code == 404


def test_a_declined_payment_leaves_the_lines_to_try_again(
    app: Flask, buyer: FlaskClient, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storefront import payments
    from storefront.orders.moves import move

    def decline(order_id: int) -> None:
        with write() as session:
            move(session, order_id, "cancelled", "test", "declined")

    path = again(buyer, number)
    page = buyer.get(path).text
    monkeypatch.setattr(payments, "start_for", decline)
    answer = press(buyer, path, page, do="place")
    assert answer.status_code == 422
    assert "The payment was declined." in answer.text
    monkeypatch.undo()
    assert press(buyer, path, answer.text, do="place").status_code == 303
    assert [order.state for order in orders(app)][1:] == ["cancelled", "awaiting_payment"]


# F33
def test_nobody_else_finds_the_page_not_even_a_colleague(app: Flask, buyer: FlaskClient, number: str) -> None:
    path = again(buyer, number)
    form = filled(buyer.get(path).text)
    with app.app_context():
        make_user("colleague", company=person("hayashi").company)
    for login, status in (("kitahama", 404), ("colleague", 404), ("clerk", 403), ("owner", 403)):
        sign_in(buyer, login)
        assert buyer.get(path).status_code == status, login
        assert buyer.post(path, data=form | {"do": "place"}).status_code == status, login
        assert buyer.post(f"/orders/{number}/again").status_code in (status, 303), login
    sign_in(buyer, "kitahama")
    assert buyer.post(f"/orders/{number}/again").status_code == 404
    assert len(orders(app)) == 1


def test_control_without_the_owners_filter_a_colleague_would_find_it(
    app: Flask, buyer: FlaskClient, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = again(buyer, number)
    monkeypatch.setattr(
        store, "buyers_own", lambda session, token, _person: session.scalars(select(Entry).limit(1)).one()
    )
    sign_in(buyer, "kitahama")
    assert buyer.get(path).status_code == 200


def test_odd_addresses_are_not_found(app: Flask, database_url: str, buyer: FlaskClient) -> None:
    for odd in ("x", "%00", "' OR 1=1", "日本", "a" * 400):
        assert buyer.get(f"/entry/{odd}").status_code == 404, odd
        assert buyer.post(f"/entry/{odd}", data={"do": "place"}).status_code == 404, odd


def test_what_is_left_lying_is_forgotten_after_a_week_and_the_desks_own_is_not(
    app: Flask, buyer: FlaskClient, number: str, clock: FixedClock
) -> None:
    old = again(buyer, number)
    sign_in(buyer, "clerk")
    buyer.post("/admin/entries", data={"q": "HAYASHI"})
    clock.forward(days=store.KEPT / timedelta(days=1) + 1)
    sign_in(buyer, "hayashi")
    new = again(buyer, number)
    assert (buyer.get(old).status_code, buyer.get(new).status_code) == (404, 200)
    with app.app_context():
        assert sorted(get_session().scalars(select(Entry.channel))) == ["phone", "reorder"]
