"""The cart: what is kept, how lines are explained and mended, whose cart it is, on both databases."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import rules
from storefront import cart
from storefront.cart import Cart, CartLine, CartOwner
from storefront.catalog import Product
from storefront.database import write
from storefront.stock import StockItem
from support.shelf import SHELF_RULES, get, words
from support.shop import make_product, set_password, sign_in, write_shop


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    rules = {name: rule for name, rule in SHELF_RULES.items() if not name.startswith("CA")}
    return write_shop(tmp_path / "shop", rules=rules)


@pytest.fixture
def buyer(app: Flask, client: FlaskClient) -> FlaskClient:
    sign_in(client, "hayashi")
    return client


def put(client: FlaskClient, sku: str, quantity: object) -> None:
    assert client.post("/cart/add", data={"sku": sku, "quantity": str(quantity)}).status_code == 303


def kept(app: Flask) -> list[tuple[str, int, bool]]:
    with app.app_context(), write() as session:
        lines = session.scalars(select(CartLine).order_by(CartLine.cart_id, CartLine.position))
        return [(line.sku, line.quantity, line.is_held) for line in lines]


# --- what is kept ---


@pytest.fixture
def session(app: Flask, database_url: str) -> Iterator[Session]:
    with app.app_context(), write() as writing:
        yield writing


def test_adding_twice_adds_up_and_setting_replaces(session: Session) -> None:
    mine = cart.obtain(session, CartOwner(token="a"))
    cart.add(session, mine, "M4-10", 60)
    cart.add(session, mine, "P-12", 50)
    cart.add(session, mine, "M4-10", 40)
    assert [(line.sku, line.quantity) for line in cart.lines(session, mine)] == [("M4-10", 100), ("P-12", 50)]
    cart.set_quantity(session, mine, "P-12", 10)
    session.expire_all()
    assert cart.lines(session, mine)[1].quantity == 10


def test_quantities_stay_within_what_a_line_can_count(session: Session) -> None:
    mine = cart.obtain(session, CartOwner(token="a"))
    cart.add(session, mine, "M4-10", 999_999_999)
    cart.add(session, mine, "M4-10", 999_999_999)
    assert cart.lines(session, mine)[0].quantity == 999_999_999
    for wrong in (0, -1, 1_000_000_000):
        with pytest.raises(ValueError):
            cart.add(session, mine, "M4-10", wrong)


def test_a_full_cart_takes_more_of_what_it_has_and_nothing_else(
    app: Flask, buyer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.cart.store.MOST_LINES", 1)
    put(buyer, "M4-10", 100)
    refused = buyer.post(
        "/cart/add?lang=en", data={"sku": "P-12", "quantity": "60"}, headers={"HX-Request": "true"}
    )
    assert refused.status_code == 422
    assert "The cart holds 1 lines at most." in words(refused.data)
    put(buyer, "M4-10", 100)
    assert kept(app) == [("M4-10", 200, False)]


def test_a_changed_cart_is_decided_once_for_its_page_and_for_what_is_kept_of_refusals(
    buyer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("rules.evaluate", _noting(asked, rules.evaluate))
    script = {"HX-Request": "true"}
    buyer.post("/cart/add", data={"sku": "M4-10", "quantity": "100"}, headers=script).close()
    assert len(asked) == 1  # the answer shows no prices, so only what is kept asked for them
    asked.clear()
    page = buyer.post("/cart", data={"q-M4-10": "200", "do": "update"}, headers=script)
    page.close()
    assert page.status_code == 200
    assert len(asked) == 1


def _noting(asked: list[object], function: Callable[..., object]) -> Callable[..., object]:
    def noted(*args: object, **more: object) -> object:
        asked.append(args)
        return function(*args, **more)

    return noted


def test_one_owner_has_one_cart(session: Session) -> None:
    assert cart.obtain(session, CartOwner(token="a")) == cart.obtain(session, CartOwner(token="a"))
    assert cart.obtain(session, CartOwner(token="a")) != cart.obtain(session, CartOwner(token="b"))
    assert cart.find(session, CartOwner(token="c")) is None
    assert cart.lines_of(session, CartOwner()) == []
    with pytest.raises(ValueError):
        cart.obtain(session, CartOwner())


def test_a_visitors_lines_move_into_the_buyers_cart(session: Session) -> None:
    user = CartOwner(user_id=1, company_id=1)
    cart.add(session, cart.obtain(session, user), "M4-10", 20)
    visitors = cart.obtain(session, CartOwner(token="a"))
    cart.add(session, visitors, "M4-10", 40)
    cart.add(session, visitors, "P-12", 50)
    cart.merge(session, "a", user)
    assert [(line.sku, line.quantity) for line in cart.lines_of(session, user)] == [
        ("M4-10", 60),
        ("P-12", 50),
    ]
    assert cart.find(session, CartOwner(token="a")) is None


def test_held_lines_are_kept_apart(session: Session) -> None:
    owner = CartOwner(token="a")
    mine = cart.obtain(session, owner)
    cart.add(session, mine, "M4-10", 20)
    cart.add(session, mine, "P-12", 50)
    cart.hold(session, mine, ["P-12"])
    assert [line.sku for line in cart.lines_of(session, owner, held=False)] == ["M4-10"]
    cart.clear(session, mine, ["M4-10"])
    assert [line.sku for line in cart.lines(session, mine)] == ["P-12"]


# --- whose cart ---


def test_signing_in_brings_the_visitors_cart_along(app: Flask, client: FlaskClient) -> None:
    put(client, "M4-10", 100)
    with app.app_context():
        password = set_password("hayashi")
    answer = client.post("/login", data={"email": "hayashi@example.com", "password": password})
    assert answer.status_code in (302, 303)
    assert "M4-10" in get(client, "/cart")
    with app.app_context(), write() as session:
        assert session.scalars(select(Cart.token)).all() == [None]


def test_nobody_sees_or_changes_anothers_cart(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    put(client, "M4-10", 100)
    other = app.test_client()
    sign_in(other, "kitahama")
    assert "line-M4-10" not in get(other, "/cart")
    other.post("/cart", data={"remove": "M4-10", "q-M4-10": "20"})
    app.test_client().post("/cart", data={"remove": "M4-10"})
    assert kept(app) == [("M4-10", 100, False)]


# --- the page ---


def test_each_line_is_explained_and_summed(buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 80)
    put(buyer, "P-12", 50)
    told = words(get(buyer, "/cart"))
    assert "¥3,552" in told  # 80 x 120 x 0.37
    assert "Rate 0.37 PR20 × 0.37 ¥44.40 Yearly contract" in told
    assert "SC10 M4-10: Packing fewer than 100 takes longer +¥800" in told
    assert "Subtotal, excl. tax ¥11,852" in told
    assert "Go to checkout" in told


def test_a_refused_line_names_the_rule_the_reason_and_both_ways(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    put(buyer, "P-12", 65)
    body = get(buyer, "/cart")
    told = words(body)
    assert "QT12" in told and "Setting up the lathe takes 40 minutes" in told
    assert 'value="P-12:60"' in body and 'value="P-12:70"' in body
    assert "Fix 1 line first" in told and "Go to checkout" not in told
    assert "Goods ¥4,440" in told  # without the line that cannot go
    assert "Make it 60 pcs total +¥9,000" in told
    assert buyer.post("/cart", data={"set": "P-12:70"}).status_code == 303
    assert "Go to checkout" in words(get(buyer, "/cart"))
    assert kept(app) == [("M4-10", 100, False), ("P-12", 70, False)]


def test_the_other_lines_can_be_ordered_without_the_refused_one(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    put(buyer, "P-12", 30)
    answer = buyer.post("/cart", data={"do": "without"})
    assert answer.location.endswith("/checkout")
    assert kept(app) == [("M4-10", 100, False), ("P-12", 30, True)]
    told = words(get(buyer, "/cart"))
    assert "Set aside" in told and "Go to checkout" in told
    buyer.post("/cart", data={"take_back": "P-12"})
    assert kept(app)[1] == ("P-12", 30, False)


def test_typed_quantities_are_taken_or_kept_beside_the_reason(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    put(buyer, "P-12", 50)
    answer = buyer.post("/cart", data={"q-M4-10": "２００", "q-P-12": "1.5", "do": "update"})
    assert answer.status_code == 422
    assert b'value="1.5"' in answer.data
    assert kept(app) == [("M4-10", 200, False), ("P-12", 50, False)]


@pytest.mark.parametrize(
    "typed",
    ["0", "-1", "1.5", "1e309", "NaN", "", "²", "٣", "1\u200b0", "1\x000", "9" * 400, str(2**31), str(2**63)],
)
def test_odd_quantities_change_nothing(app: Flask, buyer: FlaskClient, typed: str) -> None:
    put(buyer, "M4-10", 100)
    assert buyer.post("/cart", data={"q-M4-10": typed}).status_code == 422
    assert kept(app) == [("M4-10", 100, False)]


def test_the_stepper_goes_by_the_lot_and_stops_at_the_smallest(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "P-12", 55)
    buyer.post("/cart", data={"more": "P-12", "q-P-12": "55"})
    assert kept(app) == [("P-12", 60, False)]
    buyer.post("/cart", data={"less": "P-12", "q-P-12": "60"})
    buyer.post("/cart", data={"less": "P-12", "q-P-12": "50"})
    assert kept(app) == [("P-12", 50, False)]


def test_more_than_is_in_stock_is_refused_whole_and_names_what_is_there(
    app: Flask, buyer: FlaskClient
) -> None:
    put(buyer, "P-12", 500)
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=85))
    body = get(buyer, "/cart")
    assert "500 pcs cannot be ordered: 85 pcs are in stock." in words(body)
    assert 'value="P-12:80"' in body
    assert "Go to checkout" not in words(body)


def test_ways_out_above_the_stock_are_left_out(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "P-12", 65)
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=66))
    body = get(buyer, "/cart")
    assert 'value="P-12:60"' in body and 'value="P-12:70"' not in body


def test_a_product_no_longer_sold_is_told_and_can_be_removed(app: Flask, buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    put(buyer, "P-12", 50)
    with app.app_context(), write() as session:
        session.execute(update(Product).where(Product.sku == "P-12").values(is_active=False))
    assert "Not sold at present P-12" in words(get(buyer, "/cart"))
    buyer.post("/cart", data={"remove": "P-12"})
    assert kept(app) == [("M4-10", 100, False)]


def test_posted_prices_and_owners_are_ignored(app: Flask, buyer: FlaskClient) -> None:
    forged = {
        "sku": "M4-10",
        "quantity": "100",
        "price": "1",
        "unit_price": "0",
        "cart_id": "7",
        "user_id": "2",
    }
    buyer.post("/cart/add", data=forged)
    assert "¥4,440" in words(get(buyer, "/cart"))


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/products", "/\\evil", "/admin/", "/products\r\nX: y"]
)
def test_only_our_own_lists_are_gone_back_to(buyer: FlaskClient, back: str) -> None:
    answer = buyer.post("/cart/add", data={"sku": "M4-10", "quantity": "100", "back": back})
    assert answer.location == "/cart"
    answer = buyer.post("/cart/add", data={"sku": "M4-10", "quantity": "100", "back": "/products?q=M4"})
    assert answer.location == "/products?q=M4"


def test_an_empty_cart_says_what_to_do(client: FlaskClient) -> None:
    assert "The cart is empty" in words(get(client, "/cart"))
    assert client.post("/cart", data={"set": "M4-10:100"}).status_code == 303


def test_twenty_lines_take_as_many_queries_as_one(
    app: Flask, buyer: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    counts = []
    with app.app_context():
        for number in range(20):
            make_product(f"X-{number}")
    for number in range(20):
        put(buyer, f"X-{number}", 100)
        if number in (0, 19):
            get(buyer, "/cart")
            queries()
            get(buyer, "/cart")
            counts.append(len(queries()))
    assert counts[0] == counts[1] <= 6, counts


def test_under_htmx_a_list_is_told_what_happened(buyer: FlaskClient) -> None:
    answer = buyer.post(
        "/cart/add?lang=en", data={"sku": "M4-10", "quantity": "100"}, headers={"HX-Request": "true"}
    )
    assert "100 pcs of M4-10 put into the cart." in words(answer.data)
    assert 'id="basket" hx-swap-oob' in answer.get_data(as_text=True)
    answer = buyer.post(
        "/cart/add?lang=en", data={"sku": "M4-10", "quantity": "1e3"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    assert "not a plain whole number" in words(answer.data)


def test_every_button_of_a_line_carries_its_name(buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    body = get(buyer, "/cart")
    for button in re.findall(r"<button[^>]*name=\"(?:less|more|remove|hold)\"[^>]*>", body):
        assert "M4-10" in button


def test_changing_twenty_lines_takes_as_many_queries_as_changing_one(
    app: Flask, buyer: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    with app.app_context():
        for number in range(20):
            make_product(f"X-{number}")
    for number in range(20):
        put(buyer, f"X-{number}", 100)
    get(buyer, "/cart")
    counts = []
    for changed in (1, 20):
        queries()
        fields = {f"q-X-{number}": str(100 + 20 * changed) for number in range(changed)}
        assert buyer.post("/cart", data=fields, headers={"HX-Request": "true"}).status_code == 200
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 8, counts
    assert {quantity for _sku, quantity, _held in kept(app)} == {500}


def test_under_htmx_the_cart_answers_with_itself_alone(buyer: FlaskClient) -> None:
    put(buyer, "M4-10", 100)
    answer = buyer.post("/cart?lang=en", data={"remove": "M4-10"}, headers={"HX-Request": "true"})
    body = answer.get_data(as_text=True)
    assert "<html" not in body and 'id="cart-page"' in body
    assert "The cart is empty" in words(body)
    assert 'id="basket" hx-swap-oob' in body
