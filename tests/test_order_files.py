"""A buyer's order file: encodings, separators and headings as people have them; every fault at once, or all of it."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from storefront.database import get_session
from storefront.entry import Entry
from storefront.order_files.reading import LIMITS
from storefront.orders import Order
from storefront.transfer.cells import neutralise
from support.filled import filled
from support.ordering import placed
from support.shelf import HIDDEN
from support.shop import RULES, make_product, sign_in, write_shop
from test_checkout import add_address


@pytest.fixture
def shop_folder(tmp_path):  # type: ignore[no-untyped-def]
    return write_shop(tmp_path / "shop", rules=RULES | {"CA20.toml": HIDDEN})


@pytest.fixture
def buyer(app: Flask, client: FlaskClient) -> FlaskClient:
    add_address(app)
    add_address(app, "KITAHAMA")
    with app.app_context():
        make_product("BOX-1", category="boxes", pieces_per_case=12)
        make_product("SECRET-1", category="turned")
    sign_in(client, "hayashi")
    client.get("/?lang=en")
    return client


def send(client: FlaskClient, data: str | bytes, name: str = "order.csv") -> TestResponse:
    content = data.encode() if isinstance(data, str) else data
    return client.post("/order-files", data={"file": (io.BytesIO(content), name)})


def entries(app: Flask) -> int:
    with app.app_context():
        return get_session().scalar(select(func.count()).select_from(Entry)) or 0


JAPANESE = (
    '品番,数量,注文番号,備考\r\nm4-10,１００,HK-1,表の入口へ\r\nN4-SUS,"1,000",HK-1,\r\nBOX-1,3箱,,\r\n'
)
ENGLISH = "SKU;Quantity;PO number;Note\nM4-10;100;HK-1;表の入口へ\nN4-SUS;1000;;\nBOX-1;36;;\n"


def test_files_as_people_have_them_are_read_alike(app: Flask, buyer: FlaskClient) -> None:
    tabs = ENGLISH.replace(";", "\t").replace("SKU", "Colour\tSKU").replace("\nM", "\nred\tM")
    tabs = tabs.replace("\nN", "\n\tN").replace("\nB", "\n\tB")
    for data in (JAPANESE, "\ufeff" + JAPANESE, JAPANESE.encode("cp932"), ENGLISH, tabs):
        answer = send(buyer, data)
        assert answer.status_code == 303, answer.text
        form = filled(buyer.get(answer.headers["Location"]).text)
        assert [form[f"q-{place}"] for place in range(3)] == ["100", "1000", "36"]
        assert (form["purchase_order_number"], form["note"]) == ("HK-1", "表の入口へ")


def test_an_order_file_becomes_one_order_of_its_own_channel(app: Flask, buyer: FlaskClient) -> None:
    path = send(buyer, JAPANESE).headers["Location"]
    page = buyer.get(path).text
    assert "Place the order for" in page
    form = filled(page) | {"do": "place"}
    answer = buyer.post(path, data=form)
    assert answer.headers["Location"] == "/orders/A-10001?placed=1"
    assert buyer.post(path, data=form).headers["Location"] == "/orders/A-10001?placed=1"
    with app.app_context():
        order = get_session().scalars(select(Order)).one()
        assert (order.channel, order.purchase_order_number, order.note) == ("csv", "HK-1", "表の入口へ")
        assert {line.sku: line.quantity for line in order.lines} == {
            "M4-10": 100,
            "N4-SUS": 1000,
            "BOX-1": 36,
        }


def test_a_file_with_the_number_of_an_earlier_order_asks_whether_that_is_meant(
    app: Flask, buyer: FlaskClient
) -> None:
    for count in (1, 2):
        path = send(buyer, JAPANESE).headers["Location"]
        answer = buyer.post(path, data=filled(buyer.get(path).text) | {"do": "place"})
        assert answer.status_code == (303 if count == 1 else 422)
    assert "HK-1 stands on your order A-10001" in answer.text


def test_every_fault_is_told_with_its_line_and_nothing_is_kept(app: Flask, buyer: FlaskClient) -> None:
    rows = (
        "M4-1O,20,HK-1\nM4-10,abc,\n,5,\nN4-SUS,-1,\nN4-SUS,1.5,\nBOX-1,2 m,\nM4-10,20,HK-2\nSECRET-1,50,\n"
    )
    sign_in(buyer, "kitahama")
    answer = send(buyer, "品番,数量,注文番号\n" + rows)
    assert answer.status_code == 422
    for words in (
        "has 8 faults",
        "There is no SKU M4-1O. The nearest: M4-10",
        "This is not a plain whole number",
        "The SKU is missing.",
        "A quantity cannot be negative",
        "counted in whole pieces",
        "is not a unit of this item",
        "One file is one order: HK-2 stands here, HK-1 above.",
        "There is no SKU SECRET-1.",  # another customer's own part does not exist
    ):
        assert words in answer.text, words
    for line in range(2, 10):
        assert f"Line {line}</b>" in answer.text
    assert entries(app) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose a CSV file that is not empty."),
        (b"\xff\xfea\x00", "UTF-16"),
        ("品番,数量\nM4-10,10\0".encode(), "NUL"),
        ("品番,数量\n\"M4-10,10".encode(), "quotation mark"),
        ("品番,数量\nM4-10\n".encode(), "cells"),
        ("品番,数量,数量\nM4-10,1,1\n".encode(), "stands here twice"),
        ("なまえ,かず\nM4-10,1\n".encode(), "the column 品番 (or sku) is missing"),
        ("品番,数量\n".encode(), "names no items"),
        (b"sku,qty\n" + b"M4-10,20\n" * (LIMITS.rows + 1), "more than"),
        (b"sku,qty\n" + b"M" * (LIMITS.size + 10), "bytes"),
        ("品番,数量,備考\nM4-10,20,".encode() + "長".encode() * 600, "fit here"),
        ("品番,数量,注文番号\nM4-10,20,".encode() + b"9" * 200, "fit here"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(app: Flask, buyer: FlaskClient, data: bytes, words: str) -> None:
    answer = send(buyer, data)
    assert answer.status_code == 422
    assert words in answer.text
    assert entries(app) == 0


def test_lines_of_one_item_are_added_up_as_in_a_cart(app: Flask, buyer: FlaskClient) -> None:
    path = send(buyer, "sku,qty\nM4-10,60\nN4-SUS,100\nm4-10,60\n").headers["Location"]
    form = filled(buyer.get(path).text)
    assert (form["rows"], form["q-0"]) == ("2", "120")


def test_what_a_rule_refuses_is_mended_on_the_page_or_not_ordered(app: Flask, buyer: FlaskClient) -> None:
    path = send(buyer, "sku,qty\nM4-10,30\nN4-SUS,100\n").headers["Location"]
    page = buyer.get(path).text
    assert "Place the order" not in page
    assert buyer.post(path, data=filled(page) | {"do": "place"}).status_code == 422
    assert 'value="0:40"' in page
    page = buyer.post(path, data=filled(page) | {"set": "0:40"}).text
    assert "Place the order for" in page


def test_the_template_is_read_back_and_holds_the_last_order(app: Flask, buyer: FlaskClient) -> None:
    first = buyer.get("/order-files/template.csv")
    assert first.data.startswith("\ufeffSKU,Quantity,PO number,Note\r\nM4-10,100".encode())
    with app.app_context():
        placed("hayashi", {"N4-SUS": 200})
    template = buyer.get("/order-files/template.csv?lang=ja")
    assert template.data.decode("utf-8-sig").splitlines() == ["品番,数量,注文番号,備考", "N4-SUS,200,,"]
    assert send(buyer, template.data).status_code == 303


# F74
@pytest.mark.parametrize("evil", ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_formula_in_a_file_is_text_and_leaves_the_shop_harmless(
    app: Flask, buyer: FlaskClient, evil: str
) -> None:
    from storefront.transfer.sheet import write

    sheet = write(["sku", "qty", "note"], [["M4-10", "100", evil]])
    path = send(buyer, sheet).headers["Location"]
    note = filled(buyer.get(path).text)["note"]
    assert note == evil.strip()
    assert neutralise(note).startswith("'")


def test_only_buyers_send_files(app: Flask, buyer: FlaskClient) -> None:
    for login in ("clerk", "owner"):
        sign_in(buyer, login)
        assert buyer.get("/order-files").status_code == 403
        assert send(buyer, JAPANESE).status_code == 403
    assert entries(app) == 0
