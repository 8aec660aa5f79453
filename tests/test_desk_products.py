"""Products and stock at the desk, on both databases where it writes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.audit import AuditEntry
from storefront.catalog import Category, Product
from storefront.database import get_session, write
from storefront.stock import StockItem, StockMove
from support.fields import form_of
from support.shop import make_product, sign_in

EDIT = "/admin/products/M4-10/edit"
STOCK = "/admin/products/M4-10/stock"


def product(app: Flask, sku: str = "M4-10") -> Product:
    with app.app_context():
        return get_session().scalars(select(Product).where(Product.sku == sku)).one()


def item(app: Flask, sku: str = "M4-10") -> StockItem:
    with app.app_context():
        query = select(StockItem).join(Product, Product.id == StockItem.product_id).where(Product.sku == sku)
        return get_session().scalars(query).one()


def edit_form(client: FlaskClient) -> dict[str, str]:
    """The posted form of a product on sale: ticks are sent only when they are set."""
    fields = form_of(client, EDIT)
    fields.pop("made_to_order", None)
    return fields | {"active": "1"}


def test_the_list_finds_by_sku_name_in_both_languages_and_state(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_product("GONE-1", on_hand=0, is_active=False)
    sign_in(client, "clerk")
    for query, skus in (
        ("q=m4-10", {"M4-10"}),
        ("q=ボルト", {"M4-10"}),
        ("q=Spacer", {"P-12"}),
        ("q=%25", set()),
        ("q=%00%27%22", {"GONE-1", "M4-10", "N4-SUS", "P-12"}),
        ("state=inactive", {"GONE-1"}),
        ("state=low", {"GONE-1"}),
        ("state=;drop", {"GONE-1", "M4-10", "N4-SUS", "P-12"}),
    ):
        page = client.get(f"/admin/products?{query}").get_data(as_text=True)
        found = {sku for sku in ("GONE-1", "M4-10", "N4-SUS", "P-12") if f'/admin/products/{sku}"' in page}
        if query != "q=%00%27%22":
            assert found == skus, query


def test_the_owner_changes_every_kind_of_field_and_the_audit_has_both_values(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    fields = edit_form(client) | {
        "name_en": "Socket screw", "list_price": "125.5", "cost": "41", "tags": "sus new",
        "category": "fasteners/screws",
        "unit": "m", "pieces_per_unit": "100", "attributes": "size: M4\ndepth: 1.5\ncoated: true", "made_to_order": "1",
    }  # fmt: skip
    answer = client.post(EDIT, data=fields)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    changed = product(app)
    assert changed.name == {"ja": "六角穴付ボルト M4×10", "en": "Socket screw"}
    assert (changed.list_price, changed.cost, changed.tags) == (Decimal("125.5"), Decimal(41), ["sus", "new"])
    assert (changed.unit, changed.pieces_per_unit, changed.made_to_order) == ("m", 100, True)
    assert changed.attributes == {"size": "M4", "depth": 1.5, "coated": True}
    with app.app_context():
        entry = get_session().scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.subject) == ("owner@example.com", "change", "product:M4-10")
        assert ((entry.before or {})["list_price"], (entry.after or {})["list_price"]) == ("120", "125.5")
        assert set(get_session().scalars(select(Category.path))) >= {"fasteners", "fasteners/screws"}


def test_an_attribute_taken_out_of_the_form_is_gone(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    client.post(EDIT, data=edit_form(client) | {"attributes": "size: M4\ndepth: 2"})
    client.post(EDIT, data=edit_form(client) | {"attributes": "size: M5"})
    assert product(app).attributes == {"size": "M5"}


def test_the_next_page_of_the_shop_shows_the_new_price(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    client.post(EDIT, data=edit_form(client) | {"list_price": "133"})
    buyer = app.test_client()
    sign_in(buyer, "hayashi")
    assert "¥133" in buyer.get("/products/M4-10").get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"list_price": "-1"}, "「-1」は使えません"),
        ({"list_price": "1.1234567"}, "小数6桁まで"),
        ({"list_price": "9" * 400}, "は使えません"),
        ({"cost": "NaN"}, "「NaN」は使えません"),
        ({"pieces_per_case": "0"}, "「0」は使えません"),
        ({"pieces_per_case": "1.5"}, "「1.5」は使えません"),
        ({"unit": "m", "pieces_per_unit": ""}, "組です"),
        ({"name_ja": "", "name_en": ""}, "名前が必要です"),
        ({"tax": "luxury"}, "使えるのは"),
        ({"category": "a//b"}, "種類として読めません"),
        ({"drawing": "../../etc/passwd"}, "のように書いてください"),
        ({"attributes": "no colon here"}, "属性として読めません"),
        ({"attributes": "a: 1\na: 2"}, "2回あります"),
        ({"description_ja": "x" * 10_001}, "10000文字まで"),
    ],
)
def test_what_is_refused_says_why_and_writes_nothing(
    app: Flask, client: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    sign_in(client, "owner")
    answer = client.post(EDIT, data=edit_form(client) | wrong)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert product(app).list_price == Decimal(120)
    with app.app_context():
        assert get_session().scalars(select(AuditEntry)).all() == []


def test_a_change_by_somebody_else_in_between_is_not_overwritten(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    fields = edit_form(client) | {"list_price": "130"}
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().cost = Decimal(7)
    assert client.post(EDIT, data=fields).status_code == 409
    assert product(app).list_price == Decimal(120)


def test_a_new_product_is_made_once(app: Flask, database_url: str, client: FlaskClient) -> None:
    sign_in(client, "owner")
    fields = {"sku": "NEW-1", "name_ja": "新品", "list_price": "10", "active": "1", "category": "knobs"}
    assert (
        client.post("/admin/products/new", data=fields).headers["Location"].endswith("/admin/products/NEW-1")
    )
    assert product(app, "NEW-1").name == {"ja": "新品"}
    assert client.post("/admin/products/new", data=fields).status_code == 422
    assert client.post("/admin/products/new", data={**fields, "sku": ""}).status_code == 422
    assert client.post("/admin/products/new", data={**fields, "sku": "a/b"}).status_code == 422


def test_stock_is_counted_with_a_reason_a_move_and_an_audit_entry(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    assert client.post(STOCK, data={"do": "count", "quantity": "900", "reason": ""}).status_code == 422
    assert client.post(STOCK, data={"do": "count", "quantity": "900", "reason": "棚卸し"}).status_code == 302
    assert client.post(STOCK, data={"do": "receive", "quantity": "１５０"}).status_code == 302
    assert item(app).on_hand == 1050
    with app.app_context():
        moves = get_session().scalars(select(StockMove).order_by(StockMove.id)).all()
        assert [(move.kind, move.quantity, move.actor) for move in moves] == [
            ("adjust", -100, "clerk@example.com"),
            ("receive", 150, "clerk@example.com"),
        ]
        entry = get_session().scalars(select(AuditEntry).order_by(AuditEntry.id)).first()
        assert entry is not None
        assert ((entry.before or {})["on_hand"], (entry.after or {})["on_hand"]) == (1000, 900)


def test_a_count_below_what_is_reserved_is_refused_until_it_is_said_twice(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context(), write() as session:
        session.get_one(StockItem, product(app).id).reserved = 300
    sign_in(client, "clerk")
    answer = client.post(STOCK, data={"do": "count", "quantity": "100", "reason": "棚卸し"})
    assert answer.status_code == 422
    assert "300個を取り置いています。この数にすると200個足りなくなります" in answer.get_data(as_text=True)
    assert item(app).on_hand == 1000
    client.post(STOCK, data={"do": "count", "quantity": "100", "reason": "棚卸し", "oversold": "yes"})
    assert item(app).on_hand == 100


@pytest.mark.parametrize(
    "quantity", ["", "-1", "1.5", "1e309", "NaN", "９" * 400, "٣", "²", "2\x00", "true", "1000000000"]
)
def test_odd_quantities_are_refused_with_a_sentence(app: Flask, client: FlaskClient, quantity: str) -> None:
    sign_in(client, "clerk")
    for doing in ("count", "receive"):
        answer = client.post(STOCK, data={"do": doing, "quantity": quantity, "reason": "x"})
        assert answer.status_code == (302 if quantity == "2\x00" else 422)
    assert client.post(STOCK, data={"do": "steal", "quantity": "5", "reason": "x"}).status_code == 422


def test_buffer_backorders_and_arrival_are_set_together(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    limits = {"buffer": "50", "backorder_limit": "200", "next_arrival_on": "2026-12-01"}
    assert client.post(f"{STOCK}/limits", data=limits).status_code == 302
    changed = item(app)
    assert (changed.buffer, changed.backorder_limit, str(changed.next_arrival_on)) == (50, 200, "2026-12-01")
    assert client.post(f"{STOCK}/limits", data={**limits, "next_arrival_on": "soon"}).status_code == 422
    assert client.post(f"{STOCK}/limits", data={**limits, "buffer": "-1"}).status_code == 422


def test_queries_of_the_list_do_not_grow_with_its_products(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "clerk")
    counts = []
    for _more in range(2):
        with app.app_context():
            for _one in range(5):
                make_product()
        client.get("/admin/products")
        queries()
        client.get("/admin/products")
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 5
