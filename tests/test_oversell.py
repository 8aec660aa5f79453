"""Many buyers at one moment, in real processes, on both databases: nothing is sold twice, and each has one answer.

Every fault has a control that shows that these tests can see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.accounts import Company, User
from storefront.database import write
from storefront.orders import Order, OrderMove
from storefront.payments import Payment
from storefront.stock import Reservation, StockItem, StockMove
from support.crowd import together
from support.ordering import allow_terms, placed
from support.shop import make_product, seeded_app, write_shop

BUYERS, PIECES = 200, 50


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    app = seeded_app(write_shop(tmp_path / "shop"), database_url)
    with app.app_context():
        make_product("LAST", on_hand=PIECES, category="fasteners/nuts")
    yield app
    app.extensions["koguchi"].close()


@pytest.fixture
def buyers(shop: Flask) -> list[str]:
    """200 people of 20 companies."""
    with shop.app_context(), write() as session:
        companies = [Company(code=f"B{each:02}", name=f"B{each:02}", region="JP-27") for each in range(20)]
        session.add_all(companies)
        session.flush()
        for each in range(BUYERS):
            session.add(
                User(email=f"b{each}@example.com", name="b", role="buyer", company_id=companies[each % 20].id)
            )
    return [f"b{each}" for each in range(BUYERS)]


def crowd(shop: Flask, tasks: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    settings = shop.extensions["koguchi"].settings
    shop.extensions["koguchi"].close()
    return together(settings.folder, settings.database_url, tasks, **options)


def stock_of(shop: Flask, sku: str) -> StockItem:
    from storefront.catalog import Product

    with shop.app_context(), write() as session:
        statement = (
            select(StockItem).join(Product, Product.id == StockItem.product_id).where(Product.sku == sku)
        )
        return session.scalars(statement).one()


def count(shop: Flask, model: Any, *where: Any) -> int:
    with shop.app_context(), write() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


# F01
def test_200_buyers_for_50_pieces_are_50_orders(shop: Flask, buyers: list[str]) -> None:
    answers = crowd(shop, [{"do": "place", "login": login, "lines": {"LAST": 1}} for login in buyers])
    outcomes = Counter((each["outcome"], each["code"]) for each in answers)
    assert outcomes == {("Placed", ""): 50, ("Refused", "shortage"): 150}, outcomes
    item = stock_of(shop, "LAST")
    assert (item.on_hand, item.reserved) == (PIECES, PIECES)
    assert count(shop, Order) == count(shop, Payment) == count(shop, Reservation) == 50
    assert len({each["number"] for each in answers if each["number"]}) == 50


# F02
def test_with_locking_switched_off_the_same_crowd_is_sold_more_than_there_is(
    shop: Flask, buyers: list[str]
) -> None:
    tasks = [{"do": "place", "login": login, "lines": {"LAST": 1}} for login in buyers[:80]]
    answers = crowd(shop, tasks, processes=2, unlocked=True)
    assert sum(each["outcome"] == "Placed" for each in answers) > PIECES
    assert stock_of(shop, "LAST").reserved > PIECES


# F03
def test_two_products_in_opposite_order_lose_no_update_and_never_deadlock(
    shop: Flask, buyers: list[str]
) -> None:
    one, other = {"M4-10": 20, "N4-SUS": 10}, {"N4-SUS": 10, "M4-10": 20}
    tasks = [
        {"do": "place", "login": login, "lines": one if each % 2 else other}
        for each, login in enumerate(buyers[:40])
    ]
    answers = crowd(shop, tasks, processes=2)
    assert Counter(each["outcome"] for each in answers) == {"Placed": 40}, answers
    assert (stock_of(shop, "M4-10").reserved, stock_of(shop, "N4-SUS").reserved) == (800, 400)


def test_control_written_back_instead_of_counted_updates_are_lost(shop: Flask, buyers: list[str]) -> None:
    lines = {"M4-10": 20, "N4-SUS": 10}
    tasks = [{"do": "place", "login": login, "lines": lines} for login in buyers[:8]]
    answers = crowd(shop, tasks, processes=2, without="counting_in_the_database")
    assert Counter(each["outcome"] for each in answers) == {"Placed": 8}, answers
    assert (stock_of(shop, "M4-10").reserved, stock_of(shop, "N4-SUS").reserved) == (20, 10)


def test_control_locked_in_the_order_of_the_carts_two_orders_deadlock_on_postgresql(
    shop: Flask, buyers: list[str], database_kind: str
) -> None:
    one, other = {"M4-10": 20, "N4-SUS": 10}, {"N4-SUS": 10, "M4-10": 20}
    tasks = [
        {"do": "place", "login": login, "lines": lines}
        for login, lines in zip(buyers[:2], (one, other), strict=True)
    ]
    answers = crowd(shop, tasks, processes=1, threads=2, without="the_order_of_locks")
    if database_kind == "sqlite":  # one writer at a time: no two orders ever hold rows at once
        assert Counter(each["outcome"] for each in answers) == {"Placed": 2}, answers
    else:
        assert Counter(each["outcome"] for each in answers) == {"Placed": 1, "error": 1}, answers
        assert "DeadlockDetected" in "".join(each["code"] for each in answers)


# F04
def test_20_posts_of_one_page_are_one_order_and_19_replies_that_name_it(shop: Flask) -> None:
    task = {"do": "place", "login": "hayashi", "lines": {"N4-SUS": 100}, "key": "one-page"}
    answers = crowd(shop, [task] * 20, processes=2, threads=10)
    assert {each["outcome"] for each in answers} == {"Placed"}, answers
    assert {each["number"] for each in answers} == {"A-10001"}
    assert count(shop, Order) == count(shop, Payment) == 1
    assert stock_of(shop, "N4-SUS").reserved == 100


def test_without_a_common_key_the_same_20_posts_are_20_orders(shop: Flask) -> None:
    tasks = [
        {"do": "place", "login": "hayashi", "lines": {"N4-SUS": 10}, "key": f"page-{each}"}
        for each in range(20)
    ]
    crowd(shop, tasks, processes=2)
    assert count(shop, Order) == 20


# F06
def test_of_two_orders_that_together_pass_the_credit_limit_one_is_accepted(shop: Flask) -> None:
    with shop.app_context():
        make_product("DEAR", category="fasteners/nuts", list_price=54_545)  # 60,000 with tax
    allow_terms(shop, "HAYASHI", 100_000)
    task = {"do": "place", "login": "hayashi", "lines": {"DEAR": 1}, "payment": "net_terms"}
    answers = crowd(shop, [task | {"key": str(each)} for each in range(4)], processes=2)
    states = Counter(each["state"] for each in answers)
    assert states == {"confirmed": 1, "awaiting_approval": 3}, answers


def test_with_locking_switched_off_the_same_orders_pass_the_credit_limit(shop: Flask) -> None:
    with shop.app_context():
        make_product("DEAR", category="fasteners/nuts", list_price=54_545)
    allow_terms(shop, "HAYASHI", 100_000)
    task = {"do": "place", "login": "hayashi", "lines": {"DEAR": 1}, "payment": "net_terms"}
    answers = crowd(shop, [task | {"key": str(each)} for each in range(4)], processes=2, unlocked=True)
    assert {each["state"] for each in answers} == {"confirmed"}


CREDIT_RULE = """
code = "OR90"
name = { ja = "与信の範囲で", en = "Within the credit" }
because = { ja = "掛けは枠まで", en = "On account up to the limit" }
[order]
credit = "block"
"""


def two_on_account_where_a_rule_blocks(shop: Flask, **options: Any) -> Counter[tuple[str, str]]:
    """Two orders of 60,000 against a limit of 100,000, both priced at one moment where nothing keeps them apart."""
    folder = Path(shop.extensions["koguchi"].settings.folder)
    (folder / "rules" / "OR90_credit.toml").write_text(CREDIT_RULE, encoding="utf-8")
    with shop.app_context():
        make_product("DEAR", category="fasteners/nuts", list_price=54_545, made_to_order=True)
    allow_terms(shop, "HAYASHI", 100_000)
    task = {"do": "place", "login": "hayashi", "lines": {"DEAR": 1}, "payment": "net_terms"}
    tasks = [task | {"key": str(each)} for each in range(2)]
    meeting = "storefront.orders.placing:_compare"
    answers = crowd(shop, tasks, processes=1, threads=2, meet=meeting, **options)
    return Counter((each["outcome"], each["code"]) for each in answers)


def test_where_a_rule_blocks_over_the_credit_one_of_two_orders_at_once_is_refused(shop: Flask) -> None:
    assert two_on_account_where_a_rule_blocks(shop) == {("Placed", ""): 1, ("Refused", "rules"): 1}
    assert count(shop, Order) == 1


def test_control_without_the_companys_lock_the_rule_lets_both_orders_pass(
    shop: Flask, database_kind: str
) -> None:
    # SQLite has one writer at a time anyway: there the control believes what was read before the start.
    how = {"unlocked": True} if database_kind == "sqlite" else {"without": "the_companys_lock"}
    assert two_on_account_where_a_rule_blocks(shop, **how) == {("Placed", ""): 2}


# F12
def test_counting_stock_down_while_buyers_order_never_goes_below_what_is_reserved(
    shop: Flask, buyers: list[str]
) -> None:
    product_id = stock_of(shop, "LAST").product_id
    tasks: list[dict[str, Any]] = []
    for each, login in enumerate(buyers[:30]):
        tasks.append({"do": "place", "login": login, "lines": {"LAST": 1}})
        tasks.append({"do": "count", "product": product_id, "on_hand": 40 - each})
    answers = crowd(shop, tasks, processes=2)
    assert "error" not in {each["outcome"] for each in answers}, answers
    item = stock_of(shop, "LAST")
    sold = sum(each["outcome"] == "Placed" for each in answers)
    assert item.reserved == sold == count(shop, Reservation)
    assert item.on_hand >= item.reserved
    (last,) = crowd(shop, [{"do": "count", "product": product_id, "on_hand": sold - 1}], processes=1)
    assert last["outcome"] == "BelowReserved"


def test_control_with_locking_switched_off_it_is_counted_below_what_is_reserved(
    shop: Flask, buyers: list[str]
) -> None:
    product_id = stock_of(shop, "LAST").product_id
    tasks: list[dict[str, Any]] = [{"do": "count", "product": product_id, "on_hand": 5}]
    tasks += [{"do": "place", "login": login, "lines": {"LAST": 1}} for login in buyers[:20]]
    tasks += [{"do": "count", "product": product_id, "on_hand": 5}]
    answers = crowd(shop, tasks, processes=2, unlocked=True)
    assert Counter(each["outcome"] for each in answers) == {"Placed": 20, "StockItem": 2}, answers
    item = stock_of(shop, "LAST")
    assert (item.on_hand, item.reserved) == (5, 20)


def ten_cancelled_and_shipped_at_once(shop: Flask, **options: Any) -> list[dict[str, Any]]:
    """The answers to cancelling and shipping each of ten confirmed orders of ten pieces."""
    from storefront.orders.moves import move

    with shop.app_context():
        numbers = []
        for _ in range(10):
            order = placed("hayashi", {"N4-SUS": 10})
            numbers.append(order.id)
            with write() as session:
                move(session, numbers[-1], "confirmed", "owner")
    tasks = [
        {"do": "move", "order": order_id, "to": to} for order_id in numbers for to in ("cancelled", "shipped")
    ]
    return crowd(shop, tasks, processes=2, **options)


# F13
def test_cancelling_and_shipping_at_once_one_wins_and_stock_is_counted_once(shop: Flask) -> None:
    answers = ten_cancelled_and_shipped_at_once(shop)
    moved = [each["to"] for each in answers if each["outcome"] == "Moved"]
    assert len(moved) == 10
    assert Counter(each["outcome"] for each in answers) == {"Moved": 10, "NotMoved": 10}
    item = stock_of(shop, "N4-SUS")
    assert item.reserved == 0
    assert item.on_hand == 1000 - 10 * moved.count("shipped")
    ends = ("cancelled", "shipped")
    assert count(shop, OrderMove, OrderMove.to_state.in_(ends)) == 10
    assert count(shop, StockMove, StockMove.kind.in_(("release", "ship"))) == 10


def test_control_with_states_believed_as_they_were_both_win(shop: Flask) -> None:
    answers = ten_cancelled_and_shipped_at_once(shop, unlocked=True)
    assert Counter(each["outcome"] for each in answers) == {"Moved": 20}, answers
