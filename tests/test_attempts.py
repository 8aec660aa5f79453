"""Refused wishes are kept once, ended rightly, and never stand in a buyer's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront.attempts import Attempt, endings, noting
from storefront.attempts.endings import clear_attempts, months_before
from storefront.attempts.wishes import short_of
from storefront.cart import CartOwner
from storefront.cleaning import clear_away
from storefront.database import get_session, write
from storefront.orders.placing import Placed, Refused
from support.ordering import place, placed
from support.shop import SHOP_TOML, FixedClock, make_app, make_product, seed, sign_in, write_shop

SCRIPT = {"HX-Request": "true"}
FEE = """
code = "QT12"
name = { ja = "旋盤加工品は50個から", en = "Turned parts from 50" }
because = { ja = "段取り替えに40分", en = "Set-up takes 40 minutes" }
[when]
"product.category" = "turned"
[quantity]
minimum = 50
[[quantity.below]]
at_least = 30
outcome = "surcharge"
amount = 600
label = { ja = "小ロット手数料", en = "Small-lot fee" }
[[quantity.below]]
outcome = "block"
"""
MINIMUM = """
code = "OR10"
name = { ja = "最低注文額", en = "Order minimum" }
because = { ja = "送り状1枚の手間", en = "One shipment's work" }
[order]
minimum = 3000
"""


def post(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    """A post whose answer has gone out; script=True as htmx sends it."""
    script = data.pop("script", False)
    answer = client.post(path, data=data, headers=SCRIPT if script else {})
    answer.close()
    return answer


def kept(app: Flask) -> list[Attempt]:
    with app.app_context():
        return list(get_session().scalars(select(Attempt).order_by(Attempt.id)))


def told(app: Flask) -> list[tuple[str, str, int, str]]:
    return [(row.sku, row.code, row.asked, row.ending) for row in kept(app)]


@pytest.mark.parametrize("script", [False, True], ids=["plain", "htmx"])
def test_a_quantity_below_the_minimum_is_kept_once_with_what_was_missing(
    app: Flask, client: FlaskClient, script: bool
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", script=script, sku="P-12", quantity="30", do="add")
    assert client.get("/cart").status_code == 200
    post(client, "/cart", script=script, **{"q-P-12": "30"})
    (row,) = kept(app)
    assert (row.sku, row.code, row.kind, row.field, row.unit) == ("P-12", "QT12", "rule", "minimum", "pieces")
    assert (row.asked, row.need, row.missing, row.amount_minor) == (30, 50, 20, 4_500)
    assert (row.outcome, row.channel, row.purpose, row.region) == ("block", "web", "normal", "JP-27")
    assert row.company_id is not None
    assert (row.ending, row.closed_at) == ("", None)


@pytest.mark.parametrize("script", [False, True], ids=["plain", "htmx"])
def test_a_double_click_is_one_row(app: Flask, client: FlaskClient, script: bool) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", script=script, sku="P-12", quantity="20", do="add")
    post(client, "/cart/add", script=script, sku="P-12", quantity="20", do="add")
    assert told(app) == [("P-12", "QT12", 40, "")]


def test_eight_at_one_moment_are_one_row(app: Flask, database_url: str) -> None:
    begun = Barrier(8)

    def keep(_number: int) -> None:
        begun.wait()
        with app.app_context():
            noting._keep(noting.Asker("user:1"), [short_of("N4-SUS", 1200, 1000)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(8)))
    assert told(app) == [("N4-SUS", "stock", 1200, "")]


def test_looking_at_pages_keeps_nothing(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    client.post(
        "/cart/add", data={"sku": "P-12", "quantity": "30", "do": "add"}
    )  # never closed: no answer out
    for path in ("/cart", "/products/P-12?quantity=3", "/quick-order", "/"):
        client.get(path).close()
    post(client, "/quick-order", paste="P-12\t30")
    post(client, "/cart/add", sku="P-12", quantity="30", do="price")
    assert kept(app) == []


def test_a_visitor_is_kept_without_a_name_and_becomes_the_buyer(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    (row,) = kept(app)
    with client.session_transaction() as cookie:
        token = cookie["cart"]
    assert row.caller.startswith("visitor:")
    assert token not in row.caller
    assert (row.company_id, row.region) == (None, None)
    with app.app_context():
        noting.merged(token, CartOwner(user_id=1, company_id=1))
    (row,) = kept(app)
    assert (row.caller, row.company_id) == ("user:1", 1)


def test_of_a_visitors_wish_and_the_buyers_own_one_is_left(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="20", do="add")
    (mine,) = kept(app)
    visitor = app.test_client()
    post(visitor, "/cart/add", sku="P-12", quantity="10", do="add")
    with visitor.session_transaction() as cookie:
        token = cookie["cart"]
    with app.app_context():
        noting.merged(token, CartOwner(user_id=int(mine.caller.split(":")[1]), company_id=mine.company_id))
    assert told(app) == [("P-12", "QT12", 20, "")]


def test_two_visitors_without_a_cart_are_two_and_one_who_asks_twice_is_one(
    app: Flask, client: FlaskClient
) -> None:
    for visitor in (client, client, app.test_client()):
        post(visitor, "/cart/add", sku="N4-SUS", quantity="1200", do="add")
    assert [row.asked for row in kept(app)] == [1200, 1200]


def test_staff_who_try_the_shop_leave_nothing(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    assert kept(app) == []


def test_quick_order_keeps_what_it_could_not_take(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    rows = {"rows": "2", "do": "add"}
    for number, (sku, quantity) in enumerate((("P-12", "30"), ("M4-10", "40"))):
        rows |= {f"text-{number}": f"{sku}\t{quantity}", f"sku-{number}": sku, f"q-{number}": quantity}
        rows |= {f"sku-was-{number}": sku, f"q-was-{number}": quantity}
    post(client, "/quick-order", **rows)
    assert told(app) == [("P-12", "QT12", 30, "")]


def test_an_order_file_keeps_what_stops_it_once_under_its_own_channel(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    file = (BytesIO(b"SKU,Quantity\nP-12,30\nM4-10,40\n"), "order.csv")
    answer = client.post("/order-files", data={"file": file})
    answer.close()
    assert [(row.sku, row.asked, row.channel) for row in kept(app)] == [("P-12", 30, "csv")]
    where = answer.headers["Location"]
    post(client, where, **{"rows": "1", "sku-0": "P-12", "sku-was-0": "P-12", "q-0": "30", "q-was-0": "30"})
    post(client, where, do="place")
    (row,) = kept(app)
    assert row.region == "JP-27"
    with app.app_context():
        placed("hayashi-admin", {"P-12": 60})
    assert told(app) == [("P-12", "QT12", 30, "raised")]


def test_an_old_order_that_could_not_be_placed_today_is_kept(app: Flask, client: FlaskClient) -> None:
    folder = app.extensions["koguchi"].settings.folder
    with app.app_context():
        number = placed("hayashi", {"P-12": 60}).number
    path = folder / "rules" / "QT12_turned.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("minimum = 50", "minimum = 200"), encoding="utf-8"
    )
    sign_in(client, "hayashi")
    post(client, f"/orders/{number}/again")
    assert [(row.sku, row.asked, row.need, row.channel) for row in kept(app)] == [
        ("P-12", 60, 200, "reorder")
    ]


@pytest.mark.parametrize("script", [False, True], ids=["plain", "htmx"])
def test_more_than_the_stock_has_is_kept_as_a_shortage(app: Flask, client: FlaskClient, script: bool) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", script=script, sku="N4-SUS", quantity="1200", do="add")
    (row,) = kept(app)
    assert (row.kind, row.code, row.asked, row.need, row.missing) == ("stock", "stock", 1200, 1000, 200)


def test_a_lot_missed_needs_the_next_multiple(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="M4-10", quantity="110", do="add")
    (row,) = kept(app)
    assert (row.field, row.asked, row.need, row.missing) == ("multiple", 110, 120, 10)


# --- endings ----------------------------------------------------------------------------------------------------


def test_a_line_taken_out_is_removed_and_open_again_when_it_comes_back(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    post(client, "/cart", remove="P-12")
    assert told(app) == [("P-12", "QT12", 30, "removed")]
    post(client, "/cart/add", sku="P-12", quantity="20", do="add")
    assert told(app) == [("P-12", "QT12", 20, "")]


def test_an_order_at_the_minimum_raised_the_wish_and_says_how_many(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    post(client, "/cart", **{"q-P-12": "50"})
    assert told(app) == [("P-12", "QT12", 30, "")]
    with app.app_context():
        order = placed("hayashi", {"P-12": 60})
        (row,) = kept(app)
        assert (row.ending, row.ordered_quantity, row.order_id) == ("raised", 60, order.id)
        assert row.closed_at is not None
        endings.learn_from(order.id)  # told twice
    assert told(app) == [("P-12", "QT12", 30, "raised")]
    post(client, "/cart", remove="P-12")
    post(client, "/cart/add", sku="P-12", quantity="10", do="add")
    assert [row.ending for row in kept(app)] == ["raised", ""], "after an order a new wish is a new row"


def test_a_colleagues_order_ends_the_wish_and_another_companys_does_not(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    with app.app_context():
        placed("kitahama", {"P-12": 60})
        assert told(app) == [("P-12", "QT12", 30, "")]
        placed("hayashi-admin", {"N4-SUS": 10})
        assert told(app) == [("P-12", "QT12", 30, "")]
        placed("hayashi-admin", {"P-12": 60})
    assert told(app) == [("P-12", "QT12", 30, "raised")]


@pytest.fixture
def fee_shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    """A shop that takes 30 of a turned part with a fee, and orders from 3,000."""
    folder = write_shop(tmp_path / "fees", rules={"QT12_turned.toml": FEE, "OR10_minimum.toml": MINIMUM})
    app = make_app(folder, database_url=database_url)
    app.config["WTF_CSRF_ENABLED"] = False
    seed(app)
    yield app
    app.extensions["koguchi"].close()


def test_a_fee_that_was_paid_is_an_ending_and_covers_no_graver_refusal(fee_shop: Flask) -> None:
    client = fee_shop.test_client()
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="20", do="add")
    post(client, "/cart", **{"q-P-12": "40"})
    row = kept(fee_shop)[0]
    assert (row.sku, row.asked, row.outcome) == ("P-12", 20, "block")
    with fee_shop.app_context():
        placed("hayashi", {"P-12": 40})
    fees = [row for row in kept(fee_shop) if row.sku]
    assert [(row.asked, row.ending, row.ordered_quantity) for row in fees] == [(20, "paid_fee", 40)]


def test_an_orders_minimum_counts_when_it_stopped_the_buyer_not_when_the_cart_passed_it(
    fee_shop: Flask,
) -> None:
    buyer = fee_shop.test_client()
    sign_in(buyer, "hayashi")
    post(buyer, "/cart/add", sku="N4-SUS", quantity="100", do="add")
    (row,) = kept(fee_shop)
    assert (row.sku, row.code, row.unit, row.asked, row.need, row.missing) == (
        "", "OR10", "money", 1_800, 3_000, 1_200,
    )  # fmt: skip
    with fee_shop.app_context():
        placed("hayashi", {"N4-SUS": 200})
        assert kept(fee_shop) == []
        assert isinstance(place("hayashi", {"N4-SUS": 100}, fingerprint="x"), Refused)
        assert isinstance(place("hayashi", {"N4-SUS": 100}, fingerprint="x"), Refused)
        (row,) = kept(fee_shop)
        assert row.at_checkout
        placed("hayashi", {"N4-SUS": 200})
        (row,) = kept(fee_shop)
        assert (row.ending, row.ordered_quantity) == ("raised", 3_600)


def test_a_refused_confirmation_is_kept_whatever_the_door(app: Flask, database_url: str) -> None:
    with app.app_context():
        assert isinstance(place("hayashi", {"P-12": 30, "N4-SUS": 100}, fingerprint="x"), Refused)
        assert isinstance(place("hayashi", {"N4-SUS": 1200}, fingerprint=None), Refused)
        rows = sorted(kept(app), key=lambda row: row.sku)
        assert [(row.sku, row.code, row.asked, row.missing, row.at_checkout) for row in rows] == [
            ("N4-SUS", "stock", 1200, 200, True),
            ("P-12", "QT12", 30, 20, True),
        ]


def test_what_nobody_came_back_for_is_abandoned_and_after_thirteen_months_gone(
    app: Flask, database_url: str, client: FlaskClient, clock: FixedClock
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    post(client, "/cart/add", sku="M4-10", quantity="110", do="add")
    post(client, "/cart", remove="M4-10")
    with app.app_context():
        clock.forward(days=13)
        clear_away()
        assert sorted(told(app)) == [("M4-10", "QT10", 110, "removed"), ("P-12", "QT12", 30, "")]
        assert all(row.closed_at is None for row in kept(app))
        clock.forward(days=2)
        clear_away()
        assert sorted(told(app)) == [("M4-10", "QT10", 110, "removed"), ("P-12", "QT12", 30, "abandoned")]
        assert all(row.closed_at is not None for row in kept(app))
        clock.forward(days=365)
        assert clear_attempts() == 0
        clock.forward(days=31)
        assert clear_attempts() == 2
        assert kept(app) == []


def test_an_order_whose_look_was_cut_short_is_caught_up_with(
    app: Flask, client: FlaskClient, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, "hayashi")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    with app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr(endings, "confirmed", lambda *_args, **_kw: None)
            placed("hayashi", {"P-12": 60})
        assert told(app) == [("P-12", "QT12", 30, "")]
        clock.forward(days=1)
        clear_attempts()
    assert told(app) == [("P-12", "QT12", 30, "raised")]


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 11, 20), 13, date(2025, 10, 20)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2027, 1, 31), 13, date(2025, 12, 31)),
        (date(2026, 12, 5), 12, date(2025, 12, 5)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, earlier: date) -> None:
    assert months_before(day, months) == earlier


# --- faults -----------------------------------------------------------------------------------------------------


def buy_and_be_refused(app: Flask) -> list[int]:
    """The buyer's answers: a refused line, a change, a shortage, an order."""
    client = app.test_client()
    sign_in(client, "hayashi")
    answers = [
        post(client, "/cart/add", sku="P-12", quantity="30", do="add"),
        post(client, "/cart", script=True, **{"q-P-12": "50"}),
        post(client, "/cart/add", sku="N4-SUS", quantity="1200", do="add"),
    ]
    with app.app_context():
        assert isinstance(place("hayashi", {"P-12": 60}), Placed)
        assert isinstance(place("hayashi", {"P-12": 30}, fingerprint="x"), Refused)
    return [answer.status_code for answer in answers]


def test_when_nothing_can_be_kept_the_buyers_answer_is_whole(app: Flask, database_url: str) -> None:
    with app.app_context(), write() as session:
        session.connection().exec_driver_sql("DROP TABLE attempts")
    app.config["WTF_CSRF_ENABLED"] = False
    assert buy_and_be_refused(app) == [303, 200, 303]


def test_control_the_same_answers_where_it_is_kept(app: Flask, database_url: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    assert buy_and_be_refused(app) == [303, 200, 303]
    assert [row.ending for row in kept(app) if row.code == "QT12"] == ["raised", ""]


def test_a_fault_of_our_own_in_keeping_stays_out_of_the_answer(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(noting, "_keep", broken)
    sign_in(client, "hayashi")
    assert post(client, "/cart/add", sku="P-12", quantity="30", do="add").status_code == 303
    assert "a refusal could not be kept" in caplog.text
    assert kept(app) == []


def test_a_shop_that_switches_it_off_keeps_nothing(tmp_path: Path) -> None:
    toml = SHOP_TOML + "\n[history]\nrefusals = false\n"
    app = make_app(write_shop(tmp_path / "quiet", toml), database_url=f"sqlite:///{tmp_path / 'quiet.db'}")
    app.config["WTF_CSRF_ENABLED"] = False
    seed(app)
    buy_and_be_refused(app)
    assert kept(app) == []
    app.extensions["koguchi"].close()


def test_the_cart_page_sends_nothing_more(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "hayashi")
    with app.app_context():
        make_product("EXTRA-1")
    post(client, "/cart/add", sku="P-12", quantity="30", do="add")
    queries()
    client.get("/cart").close()
    sent = queries()
    assert not [statement for statement in sent if "attempts" in statement or "trial_results" in statement]
    assert len(sent) <= 4
