"""An agreed price is its customer's own: never visible to, or to be inferred by, anyone else (faults F34, F35).

Each check has its control: the customer whose price it is sees it there, so the check can fail.
"""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from support.shelf import SHELF_RULES, get, words
from support.shop import make_product, sign_in, write_shop

OWN = "44.40"  # 120 x 0.37, the agreed price of HAYASHI for M4-10
OWN_SUMS = ("4,440", "44.4", "0.37", "PR20", "Yearly contract", "年間契約")
PLACES = [
    "/products",
    "/products?q=M4-10",
    "/products?sort=price",
    "/products?sort=name",
    "/products?category=fasteners",
    "/products/M4-10",
    "/products/M4-10?quantity=100",
]
STRANGERS = [None, "kitahama", "kitahama-admin", "clerk"]


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    rules = {name: rule for name, rule in SHELF_RULES.items() if not name.startswith("CA")}
    return write_shop(tmp_path / "shop", rules=rules)


def as_person(app: Flask, who: str | None) -> FlaskClient:
    client = app.test_client()
    if who is not None:
        sign_in(client, who)
    return client


@pytest.mark.parametrize("place", PLACES)
def test_an_agreed_price_is_on_its_customers_page_and_on_nobody_elses(
    app: Flask, client: FlaskClient, place: str
) -> None:
    assert OWN in get(as_person(app, "hayashi"), place)
    for who in STRANGERS:
        body = get(as_person(app, who), place)
        assert OWN not in body, who
        for trace in OWN_SUMS:
            assert trace not in words(body), (who, trace)


def test_a_fragment_asked_right_after_another_customer_has_the_readers_own_price(
    app: Flask, client: FlaskClient
) -> None:
    mine, other = as_person(app, "hayashi"), as_person(app, "kitahama")
    for _again in range(3):
        assert OWN in get(mine, "/products/M4-10?quantity=100", **{"HX-Request": "true"})
        assert OWN not in get(other, "/products/M4-10?quantity=100", **{"HX-Request": "true"})


def test_sorting_by_price_sorts_by_the_readers_own(app: Flask, client: FlaskClient) -> None:
    """M4-10 costs Hayashi 44.40 and everyone else 120: between them stands an item of 100."""
    with app.app_context():
        make_product("MIDDLE", category="turned", list_price=Decimal(100))

    def order(who: str | None) -> list[str]:
        return re.findall(r'id="row-([^"]+)"', get(as_person(app, who), "/products?sort=price"))

    assert order("hayashi").index("M4-10") < order("hayashi").index("MIDDLE")
    for who in STRANGERS:
        assert order(who).index("M4-10") > order(who).index("MIDDLE"), who


def test_cart_and_quick_order_use_the_readers_own_price(app: Flask, client: FlaskClient) -> None:
    for who, is_own in (("hayashi", True), ("kitahama", False), (None, False)):
        person = as_person(app, who)
        person.post("/cart/add", data={"sku": "M4-10", "quantity": "100"})
        assert ("4,440" in get(person, "/cart")) is is_own
        answer = person.post("/quick-order", data={"paste": "M4-10 100"})
        assert (OWN in answer.get_data(as_text=True)) is is_own


def test_no_priced_page_may_be_stored_or_revalidated(app: Flask, client: FlaskClient) -> None:
    person = as_person(app, "hayashi")
    for place in [*PLACES, "/", "/cart", "/quick-order"]:
        answer = person.get(
            place, headers={"If-None-Match": "*", "If-Modified-Since": "Fri, 20 Nov 2099 00:00:00 GMT"}
        )
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert not {"ETag", "Last-Modified", "Expires"} & set(answer.headers.keys())


def test_a_buyers_page_holds_nothing_that_only_the_desk_knows(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_product("COSTED", cost=Decimal("31.4159"), list_price=Decimal(100))
    for place in ("/products?q=COSTED", "/products/COSTED", "/products/COSTED?quantity=100"):
        assert "31.4159" not in get(as_person(app, "hayashi"), place)
