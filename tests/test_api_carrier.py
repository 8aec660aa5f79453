"""POST /api/v1/carrier/rates: the format of CarrierService, answered by the shop's own plugins to its keys alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from storefront.api.carrier import _request
from storefront.api.keys import RATES, create_key
from storefront.database import write
from storefront.shipping.origin import origin_place
from support.api import make_key
from support.shop import SHOP_TOML, write_shop

MORE = """
[plugins.table_rate]
enabled = true
[plugins.carrier_callback]
enabled = true
url = "https://rates.example.com/"
"""


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", toml=SHOP_TOML + MORE)


@pytest.fixture
def key(app: Flask) -> str:
    with app.app_context(), write() as session:
        return create_key(session, "Other shop", None, expires_at=None, actor=None, scope=RATES)[1]


def rate(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "origin": {"country": "JP"},
        "destination": {"country": "JP", "province": "JP-27", "postal_code": "577-0000", "city": "東大阪市"},
        "items": [{"name": "Screw", "sku": "M4-10", "quantity": 100, "grams": 30, "price": 12_000}],
        "currency": "JPY",
        "locale": "ja",
    }
    return {"rate": usual | changes}


def ask(app: Flask, token: str, body: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client(use_cookies=False).post("/api/v1/carrier/rates", json=body, headers=headers)


def test_the_shops_own_plugins_answer_in_hundredths_of_a_yen(app: Flask, key: str) -> None:
    rates = {each["service_code"]: each for each in ask(app, key, rate()).get_json()["rates"]}
    assert set(rates) == {"flat_rate", "table_rate"}  # none that would ask a server in its turn
    assert rates["table_rate"]["total_price"] == "101000"  # 3 kg to Kansai: size 80
    assert rates["table_rate"]["currency"] == "JPY"
    assert rates["table_rate"]["min_delivery_date"] == "2026-11-21 12:00:00 +0900"


def test_what_a_person_must_quote_has_no_rate(app: Flask, key: str) -> None:
    heavy = rate(items=[{"sku": "X", "quantity": 1, "grams": 40_000}])
    assert [each["service_code"] for each in ask(app, key, heavy).get_json()["rates"]] == ["flat_rate"]


@pytest.mark.parametrize("whose", [None, "HAYASHI"])
def test_a_key_for_prices_opens_no_rates(app: Flask, whose: str | None) -> None:
    assert ask(app, make_key(app, whose), rate()).status_code == 403


def test_a_key_for_rates_opens_no_prices(app: Flask, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = app.test_client(use_cookies=False).post("/api/v1/evaluate", json={"lines": []}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rate"),
        ([], "rate"),
        (rate(destination="JP"), "rate.destination"),
        (rate(destination={"country": "Japan"}), "rate.destination.country"),
        (rate(items=[]), "rate.items"),
        (rate(items=[5]), "rate.items[0]"),
        (rate(items=[{"sku": "X", "quantity": 0}]), "rate.items[0].quantity"),
        (rate(items=[{"sku": "X", "quantity": 10**30}]), "rate.items[0].quantity"),
        (rate(items=[{"sku": "X", "quantity": 1, "grams": True}]), "rate.items[0].grams"),
        (rate(items=[{"sku": "X", "quantity": 1}] * 501), "rate.items"),
        (rate(currency="USD"), "rate.currency"),
        (rate(order_totals={"subtotal_price": "many"}), "rate.order_totals.subtotal_price"),
        (rate(order_totals={"subtotal_price": -1}), "rate.order_totals.subtotal_price"),
    ],
)
def test_what_is_wrong_is_a_problem_that_names_the_field(app: Flask, key: str, body: Any, field: str) -> None:
    answer = ask(app, key, body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert field in [each["field"] for each in answer.get_json()["errors"]]


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ({"country": "JP"}, None),  # no more than a country: this shop's own place
        ({"country": "JP", "province": "JP-13", "postal_code": "100-0005"}, ("JP-13", "1000005")),
        ({"country": "JP", "province": "47", "postal_code": "907-0001"}, ("JP-47", "9070001")),
    ],
)
def test_the_callers_origin_is_read_and_remote_places_are_known(
    app: Flask, origin: dict[str, str], told: tuple[str, str] | None
) -> None:
    shop = app.extensions["koguchi"]
    with app.app_context():
        asked = _request(shop, rate(origin=origin, destination=origin | {"city": "x"}), "JPY")
    if told is None:
        assert asked.origin == origin_place(shop.settings)
    else:
        assert (asked.origin.region, asked.origin.postcode) == told
        assert asked.origin.remote is asked.destination.remote is told[1].startswith("907")


def test_an_origin_of_no_country_is_refused_by_its_name(app: Flask, key: str) -> None:
    answer = ask(app, key, rate(origin={"country": "Japan", "province": "JP-13"}))
    assert answer.status_code == 422 and "rate.origin.country" in answer.get_data(as_text=True)
