"""Replay: past orders under the rules of today, from a database or from orders.csv; it changes nothing."""

import json
import shutil
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from rules import Cart, Customer, Line, Policy, Product, Rule, Ruleset
from rules.replay import PastOrder, replay
from rules.ruleset import Below, OrderEffect, PriceEffect
from storefront import cli
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.orders.moves import move
from storefront.own_packages import examples_folder
from storefront.past.orders import OrdersError, from_database, from_file
from support.past_shop import open_past_shop, with_past_orders

TEXT = {"ja": "x", "en": "x"}
MINIMUM = Rule(
    "OR10",
    TEXT,
    OrderEffect(
        minimum=Decimal(100), below=(Below("surcharge", Decimal(40), amount=Decimal(5)), Below("block"))
    ),
    "rules/OR10.toml",
)
HALF = Rule("PR10", TEXT, PriceEffect("rate", "agreed", Decimal("0.5")), "rules/PR10.toml")


def order(number, quantity, customer="A", goods=0, on=date(2026, 10, 1)):
    bolt = Product("M4", list_price=Decimal(1))
    return PastOrder(number, on, Cart((Line("1", bolt, quantity),), Customer(customer)), goods, 0)


def test_goods_surcharges_and_refusals_are_added_up_by_rule():
    ruleset = Ruleset((MINIMUM,))
    found = replay(
        ruleset,
        [order("1", 100, goods=90), order("2", 50, goods=50), order("3", 10, "B"), order("4", 9, "B")],
    )
    assert (found.orders, found.goods_then, found.goods) == (4, 140, 169)
    assert (found.accepted_goods, found.surcharges) == (150, 5)
    assert found.outcomes == {"ok": 2, "warn": 0, "approval": 0, "quotation": 0, "block": 2}
    effect = found.rules["OR10"]
    assert (effect.orders, effect.charges, effect.charged) == (3, 1, 5)
    assert (effect.findings, effect.refused_goods, effect.customers) == ({"block": 2}, 19, {"B"})


def test_orders_are_priced_with_the_rules_of_today_and_not_with_what_was_paid():
    found = replay(Ruleset((HALF,)), [order("1", 100, goods=100)])
    assert (found.goods_then, found.goods) == (100, 50)


def test_an_order_that_cannot_be_evaluated_is_told_with_its_reason():
    empty = PastOrder("9", date(2026, 10, 1), Cart(()), 0, 0)
    found = replay(Ruleset((), policy=Policy()), [order("1", 5), empty])
    assert found.as_json()["not_evaluated"] == [
        {"reason": "a cart needs at least one line", "orders": 1, "example": "9"}
    ]
    assert found.orders == 2


def test_nothing_to_replay_is_no_error():
    told = replay(Ruleset(()), []).as_json()
    assert (told["orders"], told["from"], told["now"]["revenue"]) == (0, None, "0")


@pytest.fixture
def shop(tmp_path, prepared_database):
    """The demo with its twelve past orders, on both databases."""
    app = open_past_shop(tmp_path / "neji", prepared_database(with_past_orders))
    yield app
    app.extensions["koguchi"].close()


def replayed(app, ruleset=None):
    koguchi = app.extensions["koguchi"]
    with app.app_context():
        return replay(ruleset or koguchi.rulebook.current(), from_database(get_session().connection(), "JPY"))


def test_orders_just_placed_replay_to_what_they_were_and_nothing_is_written(shop):
    before = [(one.number, one.state, one.goods_minor) for one in _orders(shop)]
    found = replayed(shop)
    assert found.orders == 12
    assert found.faults == {}
    assert found.outcomes["block"] == 0
    assert found.goods == found.goods_then > 0
    assert found.surcharges == found.surcharges_then > 0
    assert found.rules["QT10"].charged == 800
    assert found.rules["QT11"].findings == {"approval": 1}
    assert [(one.number, one.state, one.goods_minor) for one in _orders(shop)] == before


def test_cancelled_orders_are_left_out(shop):
    with shop.app_context(), write() as session:
        waiting = session.scalars(select(Order).where(Order.state == "awaiting_approval")).one()
        move(session, waiting, "cancelled", "test")
    assert replayed(shop).orders == 11


def test_a_customers_history_grows_from_order_to_order(shop):
    with shop.app_context():
        carts = [one.cart for one in from_database(get_session().connection(), "JPY")]
    own = [(one.customer.orders, one.customer.since_days) for one in carts if one.customer.code == "HAYASHI"]
    assert own == [(0, None), (1, 28), (2, 57)]


def _orders(app):
    with app.app_context():
        return get_session().scalars(select(Order).order_by(Order.number)).all()


@pytest.fixture
def bare(tmp_path):
    """The starter with an orders.csv and no database."""
    folder = tmp_path / "shop"
    shutil.copytree(examples_folder() / "starter", folder, ignore=shutil.ignore_patterns("var"))
    (folder / "orders.csv").write_text(
        "order,on,customer,sku,quantity,unit_price\n"
        "1,2026-10-01,SAKURA,BOX-S,50,80\n"
        "1,2026-10-01,SAKURA,TAPE,2,120\n"
        "2,2026-10-02,MIDORI,BOX-L,10,150\n"
        "3,2026-10-03,,TAPE,1,120\n",
        encoding="utf-8",
    )
    return folder


def test_orders_of_a_bare_folder_come_from_orders_csv(bare, capsys):
    assert cli.main(["rules", "replay", str(bare), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["orders"], told["lines"]) == (3, 4)
    assert told["then"]["goods"] == "5860"
    assert told["now"] == {
        "goods": "5360",
        "accepted_goods": "3860",
        "refused_goods": "1500",
        "surcharges": "300",
        "revenue": "4160",
    }
    assert [(rule["code"], rule["findings"]) for rule in told["rules"]] == [
        ("OR10", {}),
        ("QT10", {"block": 1}),
    ]
    assert not (bare / "var").exists()


def test_the_table_names_each_rule_and_what_it_did(bare, capsys):
    assert cli.main(["rules", "replay", str(bare)]) == 0
    printed = capsys.readouterr().out
    assert "3 orders with 4 lines from 2026-10-01 to 2026-10-03" in printed
    assert "Minimum order for boxes" in printed and "Small-order fee" in printed
    assert "outcomes: 2 ok, 1 block" in printed


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("MIDORI", "NOBODY", "orders.csv:4: customers.csv has no customer NOBODY"),
        ("BOX-L", "BOX-X", "orders.csv:4: products.csv has no SKU BOX-X"),
        (",10,150", ",ten,150", "orders.csv:4:"),
        (",10,150", ",0,150", "orders.csv:4: quantity is a whole number from 1"),
        ("2026-10-02", "2026-13-02", "orders.csv:4:"),
        ("sku,", "part,", "orders.csv:1: the column sku is missing"),
    ],
)
def test_a_wrong_orders_file_is_named_with_its_line(bare, capsys, old, new, sentence):
    path = bare / "orders.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert cli.main(["rules", "replay", str(bare)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_orders_says_so(bare, capsys):
    (bare / "orders.csv").unlink()
    assert cli.main(["rules", "replay", str(bare)]) == 2
    assert "no orders" in capsys.readouterr().err


def test_a_folder_with_errors_is_not_replayed(bare, capsys):
    (bare / "rules" / "QT11.toml").write_text('code = "QT11"\n[quantity]\nminimun = 5\n', encoding="utf-8")
    assert cli.main(["rules", "replay", str(bare)]) == 1
    assert "rules/QT11.toml" in capsys.readouterr().err


def test_an_orders_file_may_be_named(bare, tmp_path, capsys):
    (bare / "orders.csv").rename(tmp_path / "other.csv")
    assert cli.main(["rules", "replay", str(bare), "--orders", str(tmp_path / "other.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["orders"] == 3


def test_a_column_missing_is_an_error_of_line_one(tmp_path):
    (tmp_path / "orders.csv").write_text("order,on\n", encoding="utf-8")
    with pytest.raises(OrdersError, match=r"orders\.csv:1: the column customer is missing"):
        from_file(tmp_path / "orders.csv", None, "JPY")
