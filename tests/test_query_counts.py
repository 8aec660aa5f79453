"""A purchase of twenty lines sends as many statements as one of a single line, on every step and both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.accounts import Address
from storefront.database import write
from support.ordering import person
from support.shop import make_product, sign_in

SCRIPT = {"HX-Request": "true"}
MOST = {"add": 5, "cart": 4, "re-price": 7, "checkout": 7, "placing": 36, "order": 10}
Purchase = Callable[[int], dict[str, int]]


@pytest.fixture
def purchase(
    app: Flask, client: FlaskClient, database_url: str, queries: Callable[[], list[str]]
) -> Purchase:
    """purchase(20) buys twenty lines and tells how many statements each of its steps sent."""
    with app.app_context():
        for number in range(20):
            make_product(f"NUT-{number}", category="fasteners/nuts")
        with write() as session:
            company_id = person("hayashi").company_id
            session.add(
                Address(
                    company_id=company_id, label="本社", recipient="林 美咲", postcode="5770000", region="JP-27",
                    city="東大阪市", street="本町 4-5-6", phone="06-0000-1111", is_default=True,
                )
            )  # fmt: skip
    sign_in(client, "hayashi")

    def buy(lines: int) -> dict[str, int]:
        sent: dict[str, int] = {}

        def step(name: str, ask: Callable[[], TestResponse], status: int = 200) -> TestResponse:
            queries()
            answer = ask()
            assert answer.status_code == status, answer.text
            sent[name] = len(queries())
            return answer

        for number in range(lines):
            data = {"sku": f"NUT-{number}", "quantity": "100", "do": "add"}
            step("add", partial(client.post, "/cart/add", data=data, headers=SCRIPT))
        step("cart", lambda: client.get("/cart"))
        fields = {f"q-NUT-{number}": "120" for number in range(lines)}
        step("re-price", lambda: client.post("/cart", data=fields, headers=SCRIPT))
        page = step("checkout", lambda: client.get("/checkout"))
        form = dict(re.findall(r'<input type="hidden" name="(key|fingerprint)" value="([^"]*)"', page.text))
        form |= {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"}
        placed = step("placing", lambda: client.post("/checkout", data=form), 303)
        order = step("order", lambda: client.get(placed.headers["Location"]))
        assert order.text.count("NUT-") >= lines
        return sent

    return buy


def test_no_step_of_a_purchase_sends_more_statements_for_more_lines(purchase: Purchase) -> None:
    purchase(1)  # the first one begins the numbers and builds the matcher's networks
    one, twenty = purchase(1), purchase(20)
    assert one == twenty
    assert {name: count for name, count in one.items() if count > MOST[name]} == {}, one
