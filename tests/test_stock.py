"""Stock is locked before it is read, given back once, and never below zero in silence."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.orders.moves import Moved, NotMoved, move
from storefront.stock import (
    BelowReserved,
    Reservation,
    StockItem,
    StockMove,
    adjust,
    availability,
    available,
    lock_items,
    receive,
    release,
    shortages,
)
from support.ordering import placed
from support.shop import make_product


def item(sku: str) -> StockItem:
    with write() as session:
        statement = (
            select(StockItem).join(Product, Product.id == StockItem.product_id).where(Product.sku == sku)
        )
        return session.scalars(statement).one()


def moves(kind: str) -> int:
    with write() as session:
        return int(session.scalar(select(func.sum(StockMove.quantity)).where(StockMove.kind == kind)) or 0)


def test_an_order_reserves_its_pieces_and_leaves_what_is_on_hand(app: Flask, database_url: str) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 300})
        nuts = item("N4-SUS")
        assert (nuts.on_hand, nuts.reserved, available(nuts)) == (1000, 300, 700)
        assert moves("reserve") == 300


def test_shipping_takes_pieces_out_of_the_house(app: Flask, database_url: str) -> None:
    with app.app_context():
        order = placed("hayashi", {"N4-SUS": 300})
        with write() as session:
            assert isinstance(move(session, order.id, "confirmed", "owner"), Moved)
            assert isinstance(move(session, order.id, "shipped", "owner"), Moved)
        nuts = item("N4-SUS")
        assert (nuts.on_hand, nuts.reserved) == (700, 0)
        assert moves("ship") == 300


def test_cancelling_gives_the_pieces_back_once(app: Flask, database_url: str) -> None:
    with app.app_context():
        order = placed("hayashi", {"N4-SUS": 300})
        with write() as session:
            assert isinstance(move(session, order.id, "cancelled", "hayashi"), Moved)
        with write() as session:
            assert isinstance(move(session, order.id, "cancelled", "hayashi"), NotMoved)
            assert release(session, order.id, actor="again") == 0
        nuts = item("N4-SUS")
        assert (nuts.on_hand, nuts.reserved) == (1000, 0)
        with write() as session:
            assert session.scalar(select(func.count()).select_from(Reservation)) == 0


def test_buffer_is_not_sold_and_backorder_is_bounded(app: Flask) -> None:
    with app.app_context():
        product = make_product("BUFFERED", on_hand=10)
        with write() as session:
            row = session.get_one(StockItem, product.id)
            row.buffer, row.backorder_limit = 4, 3
        level = availability(get_session(), [product.id])[product.id]
        assert (level.available, level.orderable) == (6, 9)
        with write() as session:
            items = lock_items(session, [product.id])
            assert shortages(items, {product.id: 9}, {product.id: "BUFFERED"}) == []
            short = shortages(items, {product.id: 10}, {product.id: "BUFFERED"})
        assert [(each.sku, each.wanted, each.orderable) for each in short] == [("BUFFERED", 10, 9)]


def test_a_product_without_a_stock_row_is_never_short(app: Flask) -> None:
    with app.app_context():
        product = make_product("UNCOUNTED", on_hand=None, category="fasteners/nuts")
        assert availability(get_session(), [product.id]) == {}
        placed("hayashi", {"UNCOUNTED": 100_000})


# F12
def test_a_count_below_what_is_reserved_is_refused_and_says_by_how_many(
    app: Flask, database_url: str
) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 300})
        product_id = item("N4-SUS").product_id
        with write() as session:
            assert adjust(session, product_id, 250, actor="owner", reason="count") == BelowReserved(300, 50)
        assert item("N4-SUS").on_hand == 1000
        with write() as session:
            adjust(session, product_id, 250, actor="owner", reason="fire", even_oversold=True)
        assert available(item("N4-SUS")) == -50
        level = availability(get_session(), [product_id])[product_id]
        assert (level.available, level.orderable) == (0, 0)


def test_what_is_not_there_cannot_be_shipped(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", {"N4-SUS": 300})
        with write() as session:
            adjust(session, item_id("N4-SUS"), 100, actor="owner", reason="fire", even_oversold=True)
            move(session, order.id, "confirmed", "owner")
        with write() as session:
            answer = move(session, order.id, "shipped", "owner")
        assert isinstance(answer, NotMoved)
        assert answer.skus == ("N4-SUS",)
        assert item("N4-SUS").reserved == 300


def item_id(sku: str) -> int:
    return get_session().scalars(select(Product.id).where(Product.sku == sku)).one()


def test_arrivals_and_counts_are_recorded_with_who_and_why(app: Flask) -> None:
    with app.app_context():
        product = make_product("COUNTED", on_hand=None)
        with write() as session:
            receive(session, product.id, 40, actor="clerk", reason="lot 7")
            adjust(session, product.id, 38, actor="clerk", reason="2 bent")
        with write() as session:
            rows = session.execute(
                select(StockMove.kind, StockMove.quantity, StockMove.actor, StockMove.reason)
            ).all()
        assert [tuple(row) for row in rows] == [
            ("receive", 40, "clerk", "lot 7"),
            ("adjust", -2, "clerk", "2 bent"),
        ]


def test_negative_counts_and_empty_arrivals_are_refused(app: Flask) -> None:
    with app.app_context(), write() as session:
        with pytest.raises(ValueError, match="fewer than 0"):
            adjust(session, 1, -1, actor="x", reason="")
        with pytest.raises(ValueError, match="at least 1"):
            receive(session, 1, 0, actor="x")
