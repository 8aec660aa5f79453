"""Orders at the desk: list, filters, one order with its reasons, and its moves; CSV; today's numbers."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.orders.moves import move
from storefront.stock import StockItem
from support.ordering import placed
from support.shop import FixedClock, make_company, make_user, sign_in

CART = {"N4-SUS": 200}


@pytest.fixture
def number(app: Flask) -> str:
    with app.app_context():
        return placed("hayashi", CART).number


def state_of(app: Flask, number: str) -> str:
    with app.app_context():
        return get_session().scalars(select(Order.state).where(Order.number == number)).one()


def put_in(app: Flask, number: str, state: str) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Order).where(Order.number == number)).one().state = state


def test_the_list_shows_number_company_state_and_amount(app: Flask, client: FlaskClient, number: str) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/orders").get_data(as_text=True)
    for text in (number, "林工作所", "入金待ち", "¥3,960"):
        assert text in page


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("q=林", True),
        ("q=N4-SUS", True),
        ("q=HAYASHI&state=all", True),
        ("state=awaiting_payment", True),
        ("since=2026-11-20", True),
        ("q=北浜", False),
        ("q=%25", False),
        ("q=_", False),
        ("state=shipped", False),
        ("since=2026-11-21", False),
        ("since=tomorrow", True),
        ("page=999999&state=nonsense", True),
        ("page=-1&q=%00", True),
        ("page=%F0%9F%98%80", True),
    ],
)
def test_filters_narrow_the_list_and_odd_ones_do_no_harm(
    app: Flask, client: FlaskClient, number: str, query: str, is_there: bool
) -> None:
    sign_in(client, "clerk")
    answer = client.get(f"/admin/orders?{query}")
    assert answer.status_code == 200
    assert (number in answer.get_data(as_text=True)) is is_there


def test_one_order_shows_lines_codes_steps_and_margin(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        number = placed("hayashi", {"M4-10": 40}).number
    sign_in(client, "clerk")
    page = client.get(f"/admin/orders/{number}").get_data(as_text=True)
    for text in ("M4-10", "SC10", "/admin/rules/SC10", "粗利", "定価", "sha256:"):
        assert text in page
    assert client.get("/admin/orders/A-99999").status_code == 404


def test_an_order_goes_its_way_from_payment_to_closed(app: Flask, client: FlaskClient, number: str) -> None:
    sign_in(client, "clerk")
    for step, state in (
        ("paid", "confirmed"),
        ("produce", "in_production"),
        ("ship", "shipped"),
        ("deliver", "delivered"),
        ("close", "closed"),
    ):
        answer = client.post(f"/admin/orders/{number}/move", data={"do": step})
        assert (answer.status_code, state_of(app, number)) == (302, state)
    with app.app_context():
        stock = get_session().scalars(select(StockItem).where(StockItem.on_hand == 800)).one()
        assert stock.reserved == 0
        done = get_session().scalars(select(AuditEntry.action).where(AuditEntry.subject == f"order:{number}"))
        assert list(done) == ["paid", "produce", "ship", "deliver", "close"]


def test_a_waiting_order_is_approved_from_todays_page(app: Flask, client: FlaskClient, number: str) -> None:
    put_in(app, number, "awaiting_approval")
    sign_in(client, "clerk")
    assert number in client.get("/admin/").get_data(as_text=True)
    answer = client.post(
        f"/admin/orders/{number}/move", data={"do": "approve", "back": "today", "reason": "常連"}
    )
    assert answer.headers["Location"].endswith("/admin/")
    assert state_of(app, number) == "awaiting_payment"


def test_declining_needs_a_reason_and_gives_the_stock_back(
    app: Flask, client: FlaskClient, number: str
) -> None:
    put_in(app, number, "awaiting_approval")
    sign_in(client, "clerk")
    refused = client.post(f"/admin/orders/{number}/move", data={"do": "decline", "reason": "  "})
    assert (refused.status_code, state_of(app, number)) == (422, "awaiting_approval")
    assert "理由を書いてください" in refused.get_data(as_text=True)
    client.post(f"/admin/orders/{number}/move", data={"do": "decline", "reason": "材料がありません"})
    assert state_of(app, number) == "cancelled"
    with app.app_context():
        assert set(get_session().scalars(select(StockItem.reserved))) == {0}


def test_a_button_of_an_old_page_moves_nothing_and_says_where_the_order_stands(
    app: Flask, client: FlaskClient, number: str
) -> None:
    sign_in(client, "clerk")
    page = client.post(f"/admin/orders/{number}/move", data={"do": "ship"}, follow_redirects=True)
    assert "そのあいだに「入金待ち」になりました" in page.get_data(as_text=True)
    assert state_of(app, number) == "awaiting_payment"
    assert client.post(f"/admin/orders/{number}/move", data={"do": "explode"}).status_code == 400


def test_shipping_more_than_is_there_is_refused_with_the_sku(
    app: Flask, client: FlaskClient, number: str
) -> None:
    sign_in(client, "clerk")
    client.post(f"/admin/orders/{number}/move", data={"do": "paid"})
    with app.app_context(), write() as session:
        session.scalars(select(StockItem).where(StockItem.reserved == 200)).one().on_hand = 10
    page = client.post(f"/admin/orders/{number}/move", data={"do": "ship"}, follow_redirects=True)
    assert "N4-SUS" in page.get_data(as_text=True)
    assert state_of(app, number) == "confirmed"


def test_the_csv_holds_the_filtered_orders_with_harmless_cells(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        evil = make_company("EVIL", name="=HYPERLINK(1)")
        make_user("evil", company=evil)
        number = placed("evil", CART).number
    sign_in(client, "clerk")
    text = client.get("/admin/orders.csv").data.decode("utf-8-sig")
    assert number in text
    assert ",'=HYPERLINK(1)," in text
    assert number not in client.get("/admin/orders.csv?state=shipped").data.decode("utf-8-sig")
    assert "'=HYPERLINK" in client.get("/admin/orders.csv?encoding=cp932").data.decode("cp932")


def test_names_with_markup_are_shown_escaped(app: Flask, client: FlaskClient) -> None:
    name = '<script>alert(1)</script>"><svg onload=1> & 髙﨑'
    with app.app_context():
        company = make_company("ODD", name=name)
        make_user("odd", company=company)
        number = placed("odd", CART, note="{{7*7}}<img src=x>").number
    sign_in(client, "owner")
    for path in ("/admin/orders", f"/admin/orders/{number}", "/admin/customers", "/admin/customers/ODD"):
        page = client.get(path).get_data(as_text=True)
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, path
        assert "<img src=x>" not in page


def test_queries_of_the_list_do_not_grow_with_its_orders(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "clerk")
    counts = []
    for _more in range(2):
        with app.app_context():
            for _one in range(3):
                placed("hayashi", {"M4-10": 40})
        client.get("/admin/orders")
        queries()
        client.get("/admin/orders")
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 8


def test_todays_numbers_lead_to_their_lists(app: Flask, client: FlaskClient, number: str) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/").get_data(as_text=True)
    assert "1件 ¥3,960" in page
    for path in (
        "/admin/orders?state=awaiting_approval",
        "/admin/incidents",
        "/admin/applications",
        "/admin/products?state=low",
    ):
        assert path in page


def test_the_desk_shows_what_was_promised_by_today_and_what_is_late(
    app: Flask, client: FlaskClient, clock: FixedClock, shop_folder: Path
) -> None:
    rule = """
code = "LT10"
name = {ja = "納期", en = "Lead times"}
because = {ja = "順に作るため", en = "Made in turn"}
[when]
"product.category" = "fasteners/nuts"
[lead_time]
tiers = [{code = "standard", days = 1}]
"""
    (shop_folder / "rules" / "LT10_nuts.toml").write_text(rule, encoding="utf-8")
    (shop_folder / "closures.csv").write_text("date,name_ja,name_en\n24 Nov,点検,check\n", encoding="utf-8")
    with app.app_context():
        order = placed("hayashi", {"N4-SUS": 200})
        with write() as session:
            move(session, order.id, "confirmed", "owner")
        waiting = placed("kitahama", {"N4-SUS": 200})
        assert (order.promised_on, waiting.promised_on) == (date(2026, 11, 24), date(2026, 11, 24))
    sign_in(client, "clerk")
    assert "closures.csv:2" in client.get("/admin/?lang=en").text
    assert order.number not in client.get("/admin/orders?state=due").text
    clock.forward(minutes=4 * 24 * 60)
    due = client.get("/admin/orders?state=due&lang=en").text
    assert order.number in due and waiting.number not in due and "i-warn" not in due.split("</thead>")[1]
    clock.forward(minutes=24 * 60)
    late = client.get("/admin/orders?state=due&lang=en").text
    assert order.number in late and "i-warn" in late.split("</thead>")[1]
    assert "Standard, ready on Tue 24 Nov" in client.get(f"/admin/orders/{order.number}?lang=en").text
