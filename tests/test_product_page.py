"""The product page: this customer's prices, the live total, refused quantities with their ways out."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from storefront.database import write
from storefront.stock import StockItem
from support.shelf import get, words
from support.shop import RULES, make_product, sign_in, write_shop

GRADED = """
code = "QT10"
name = { ja = "ねじの最低注文数", en = "Minimum order for screws" }
because = { ja = "段取り替えに30分かかります", en = "Each run needs a 30 minute set-up" }
[when]
"product.category" = "fasteners/screws"
[quantity]
minimum = 100
multiple = 10
[[quantity.below]]
at_least = 60
outcome = "surcharge"
amount = 800
label = { ja = "小ロット手数料", en = "Small-lot fee" }
[[quantity.below]]
outcome = "block"
"""
VOLUME = """
code = "PR30"
name = { ja = "数量価格", en = "Volume price" }
because = { ja = "続けて作るほど段取りが少なくて済みます", en = "A longer run needs fewer set-ups" }
[when]
"product.category" = "fasteners/screws"
[price]
breaks = [{from = 1, unit = 120}, {from = 100, unit = 98}, {from = 500, unit = 90}]
"""


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    rules = {"QT10.toml": GRADED, "PR30.toml": VOLUME, "QT12.toml": RULES["QT12_turned.toml"]}
    return write_shop(tmp_path / "shop", rules=rules)


def test_the_total_and_its_steps_follow_the_quantity(app: Flask, client: FlaskClient) -> None:
    told = words(get(client, "/products/M4-10?quantity=60"))
    assert "¥8,000 60 pcs excl. tax; ¥8,800 with tax" in told
    assert "Small-lot fee QT10 + ¥800 Each run needs a 30 minute set-up" in told
    told = words(get(client, "/products/M4-10?quantity=100"))
    assert "¥9,800 100 pcs excl. tax" in told
    assert "PR30" in told


def test_the_price_table_has_a_row_for_each_step_and_marks_this_one(app: Flask, client: FlaskClient) -> None:
    body = get(client, "/products/M4-10?quantity=120")
    told = words(body)
    assert "60–90 ¥120.00" in told
    assert "100–490" in told and "500 or more ¥90.00" in told
    now = re.search(r'<tr class="now">.*?</tr>', body, re.DOTALL)
    assert now is not None and "100–490" in now[0]


def test_30_where_100_is_the_minimum_names_the_reason_and_both_ways(app: Flask, client: FlaskClient) -> None:
    body = get(client, "/products/M4-10?quantity=30")
    told = words(body)
    assert "The minimum is 100" in told
    assert "Each run needs a 30 minute set-up" in told
    assert "Make it 60 pcs" in told and "Make it 100 pcs" in told
    assert 'name="choose" value="60"' in body
    assert "Put into the cart and settle it there" in told


def test_a_fragment_has_the_same_answer_as_the_page(app: Flask, client: FlaskClient) -> None:
    page = words(get(client, "/products/M4-10?quantity=80"))
    answer = client.get("/products/M4-10?quantity=80&lang=en", headers={"HX-Request": "true"})
    fragment = words(answer.data)
    assert "<html" not in answer.get_data(as_text=True)
    assert "¥10,400 80 pcs excl. tax" in page
    assert "¥10,400 80 pcs excl. tax" in fragment
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "typed",
    [
        "abc",
        "0",
        "-1",
        "1.5",
        "1e309",
        "NaN",
        "Infinity",
        "",
        "²",
        "٣٠",
        "1\u200b0",
        "1\x000",
        "9" * 400,
        "1_000",
    ],
)
def test_what_is_no_quantity_is_told_beside_the_field(app: Flask, client: FlaskClient, typed: str) -> None:
    answer = client.get("/products/M4-10", query_string={"quantity": typed, "lang": "en"})
    assert answer.status_code == 422
    assert b'aria-invalid="true"' in answer.data
    posted = client.post("/cart/add", data={"sku": "M4-10", "quantity": typed})
    assert posted.status_code == 422
    assert client.get("/cart?lang=en").get_data(as_text=True).count('id="line-') == 0


def test_full_width_digits_are_read_and_echoed(app: Flask, client: FlaskClient) -> None:
    told = words(get(client, "/products/M4-10?quantity=１００"))
    assert "100 pcs" in told and "¥9,800" in told


def test_the_stepper_works_without_script(app: Flask, client: FlaskClient) -> None:
    for button, there in (("more", "110"), ("less", "90")):
        answer = client.post("/cart/add", data={"sku": "M4-10", "quantity": "100", button: "M4-10"})
        assert (answer.status_code, answer.location) == (303, f"/products/M4-10?quantity={there}")
    answer = client.post("/cart/add", data={"sku": "M4-10", "quantity": "30", "choose": "100"})
    assert answer.location == "/products/M4-10?quantity=100"


def test_more_than_stock_is_refused_whole_and_names_what_is_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=135, next_arrival_on=date(2026, 11, 27)))
    body = get(client, "/products/M4-10?quantity=200")
    told = words(body)
    assert "200 pcs cannot be ordered: 135 pcs are in stock." in told
    assert 'name="choose" value="130"' in body
    assert "Make it 500" not in told
    posted = client.post("/cart/add", data={"sku": "M4-10", "quantity": "200"})
    assert posted.status_code == 303
    assert "cannot be ordered" in words(get(client, posted.location))
    assert 'id="line-' not in get(client, "/cart")


def test_backorder_lets_more_be_ordered_than_is_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=100, backorder_limit=100))
    assert "cannot be ordered" not in words(get(client, "/products/M4-10?quantity=200"))
    assert "cannot be ordered" in words(get(client, "/products/M4-10?quantity=210"))


def test_goods_by_length_are_typed_and_shown_both_ways(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_product(
            "WIRE", category="wire", unit="m", pieces_per_unit=Decimal(100), sales_unit={"ja": "cm", "en": "cm"},
            list_price=Decimal("1.2"), on_hand=9_000,
        )  # fmt: skip
        make_product("BOXED", category="boxed", pieces_per_case=12)
    told = words(get(client, "/products/WIRE?quantity=2.5 m"))
    assert "250 cm = 2.5 m" in told
    assert "¥300 250 cm" in told
    told = words(get(client, "/products/WIRE?quantity=2.505m", 422))
    assert "2.505m is not a whole number of pieces: one piece is 0.01 m." in told
    assert "36 pcs = 3 cases" in words(get(client, "/products/BOXED?quantity=3 cases"))


def test_foreign_text_is_shown_and_never_run(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_product("EVIL", name={"ja": "<script>alert(1)</script>{{7*7}}", "en": "<img onerror=x>{{7*7}}"},
                     description={"en": "A & B <b>"}, attributes={"<i>": "<u>"})  # fmt: skip
    body = get(client, "/products/EVIL")
    assert "<img onerror" not in body and "&lt;img onerror" in body
    assert "{{7*7}}" in body
    assert "&lt;u&gt;" in body
    assert "<script>alert" not in get(client, "/products")


@pytest.mark.parametrize("sku", ["NOPE", "%00", "m4-10", "M4-10%20", "..", "%F0%9F%94%A9", "x" * 300])
def test_unknown_skus_are_not_found(app: Flask, client: FlaskClient, sku: str) -> None:
    assert client.get(f"/products/{sku}").status_code in (404, 308)


def test_the_page_takes_at_most_six_queries(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "hayashi")
    get(client, "/products/M4-10")
    queries()
    get(client, "/products/M4-10?quantity=80")
    assert len(queries()) <= 6


def test_prices_are_never_kept_by_a_cache(app: Flask, client: FlaskClient) -> None:
    for path in ("/products/M4-10", "/products", "/", "/cart", "/quick-order"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert "ETag" not in answer.headers, path


def test_what_is_asked_of_a_whole_order_does_not_refuse_one_product(
    app: Flask, client: FlaskClient, shop_folder: Path
) -> None:
    rule = 'code = "OR10"\nname = {en = "Order minimum"}\n[order]\nminimum = 5000\n[[order.below]]\noutcome = "block"\n'
    (shop_folder / "rules" / "OR10.toml").write_text(rule)
    told = words(get(client, "/products/N4-SUS?quantity=100"))
    assert "¥1,800 100 pcs excl. tax" in told
    assert "OR10" in told and "Together with other items it can be ordered." in told
    assert "Put 100 pcs into the cart" in told


def test_a_fee_of_the_whole_order_stands_in_the_steps_and_not_in_the_price_table(
    client: FlaskClient, shop_folder: Path
) -> None:
    small = 'code = "OR10"\nname = { en = "Order minimum" }\nbecause = { en = "Packing takes time" }\n'
    small += "[order]\nminimum = 30000\n"
    small += '[[order.below]]\nat_least = 9000\noutcome = "surcharge"\namount = 500\n'
    small += '[[order.below]]\noutcome = "block"\n'
    (shop_folder / "rules" / "OR10.toml").write_text(small, "utf-8")
    told = words(get(client, "/products/M4-10?quantity=100"))
    assert "Order minimum OR10 + ¥500 Packing takes time. Only when nothing else is ordered." in told
    assert "100–490 this quantity ¥98.00 −18.3% none" in told  # 400 pay no fee, so no row can say ¥500
    assert "OR10" not in told[told.index("Made by") :]
    told = words(get(client, "/products/M4-10?quantity=60"))
    assert "Orders start at ¥30,000 before tax; this one comes to ¥7,200." in told


def test_prices_per_hundred_say_so_above_the_table(client: FlaskClient, shop_folder: Path) -> None:
    hundred = 'code = "PR10"\nname = { en = "List" }\n[price]\nunit = 1800\nper = 100\nlane = "list"\n'
    (shop_folder / "rules" / "PR10.toml").write_text(hundred, "utf-8")
    (shop_folder / "rules" / "PR30.toml").unlink()
    told = words(get(client, "/products/M4-10?quantity=100"))
    assert "Prices for 100 pcs, " in told
    assert "¥1,800/100 pcs none" in told
