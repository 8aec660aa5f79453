"""The home page: what this company orders most, its last order again, and nothing of anybody else's."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from storefront.orders import Order
from storefront.orders.placing import Placed
from support.ordering import place
from support.shelf import get, words
from support.shop import sign_in


def ordered(app: Flask, login: str, lines: dict[str, int]) -> str:
    from sqlalchemy import select

    from storefront.database import get_session

    with app.app_context():
        placed = place(login, lines)
        assert isinstance(placed, Placed)
        return str(get_session().scalars(select(Order.number).order_by(Order.id.desc())).first())


def test_what_is_ordered_most_comes_first(app: Flask, client: FlaskClient) -> None:
    ordered(app, "hayashi", {"P-12": 50, "M4-10": 100})
    ordered(app, "hayashi", {"P-12": 60})
    sign_in(client, "hayashi")
    body = get(client, "/")
    assert body.index('id="row-P-12"') < body.index('id="row-M4-10"')
    assert "row-N4-SUS" not in body


def test_the_last_order_goes_into_the_cart_again_at_todays_rules(app: Flask, client: FlaskClient) -> None:
    number = ordered(app, "hayashi", {"P-12": 50, "M4-10": 100})
    sign_in(client, "hayashi")
    assert number in words(get(client, "/"))
    assert client.post("/cart/again", data={"number": number}).location == "/cart"
    told = get(client, "/cart")
    assert 'id="line-P-12"' in told and 'id="line-M4-10"' in told


def test_another_companys_order_is_neither_shown_nor_repeated(app: Flask, client: FlaskClient) -> None:
    """The control: the company that ordered sees and repeats it."""
    number = ordered(app, "hayashi", {"P-12": 50})
    sign_in(client, "kitahama")
    assert number not in get(client, "/")
    assert "row-P-12" not in get(client, "/")
    assert "Your last order" not in get(client, "/products/P-12")
    assert client.post("/cart/again", data={"number": number}).status_code == 404
    sign_in(client, "hayashi")
    assert number in get(client, "/")
    assert "Your last order" in get(client, "/products/P-12")
    assert client.post("/cart/again", data={"number": number}).status_code == 303


def test_a_name_that_fits_several_items_is_read_as_the_one_ordered_last(
    app: Flask, client: FlaskClient
) -> None:
    from support.shop import make_product

    with app.app_context():
        make_product("P-13", name={"ja": "スペーサー φ13×8", "en": "Spacer 13×8"}, category="turned")
    sign_in(client, "hayashi")
    answer = client.post("/quick-order?lang=en", data={"paste": "スペーサー 50"})
    assert "Which one is meant?" in words(answer.data)
    ordered(app, "hayashi", {"P-12": 50})
    answer = client.post("/quick-order?lang=en", data={"paste": "スペーサー 50"})
    assert "“スペーサー” was read as P-12." in words(answer.data)


def test_home_takes_few_queries(app: Flask, client: FlaskClient, queries: Callable[[], list[str]]) -> None:
    ordered(app, "hayashi", {"P-12": 50, "M4-10": 100})
    sign_in(client, "hayashi")
    get(client, "/")
    queries()
    get(client, "/")
    assert len(queries()) <= 6
