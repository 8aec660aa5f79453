"""Stock: what is there, what is reserved for orders, and every move of it.

Rows are locked in SKU order before they are read, so nothing is sold twice and nobody waits in a circle.
A product without a stock row is not kept in stock and is always available.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.catalog import Product
from storefront.clock import now
from storefront.database import Base, UtcDateTime

KINDS = ("receive", "adjust", "reserve", "release", "ship", "unship")


class StockItem(Base):
    """Pieces of one product. available = on_hand - reserved - buffer; orders may go `backorder_limit` below it."""

    __tablename__ = "stock_items"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint("reserved >= 0", name="reserved"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    buffer: Mapped[int] = mapped_column(default=0)  # kept back, never sold
    backorder_limit: Mapped[int] = mapped_column(default=0)
    next_arrival_on: Mapped[date | None]


class StockMove(Base):
    """One change, for the record: quantity is the change in pieces of what `kind` moves."""

    __tablename__ = "stock_moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Reservation(Base):
    """Pieces set aside for an order until they are shipped, released, or the order's payment time runs out."""

    __tablename__ = "reservations"
    __table_args__ = (Index("ix_reservations_expires_at", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    quantity: Mapped[int]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Level:
    """What a buyer may know: pieces available now, pieces that may still be ordered, and when more come."""

    available: int
    orderable: int
    next_arrival_on: date | None = None


@dataclass(frozen=True, slots=True)
class Shortage:
    sku: str
    wanted: int
    orderable: int


# Built once; each runs for all products of an order together.
_items = cast(Table, StockItem.__table__)
_RESERVE = insert(cast(Table, Reservation.__table__))
_KEEP = (
    update(cast(Table, Reservation.__table__))
    .where(Reservation.__table__.c.order_id == bindparam("its_order"))
    .values(expires_at=bindparam("moment"))
)
_NOTE = insert(cast(Table, StockMove.__table__))
_CHANGE = (
    update(_items)
    .where(_items.c.product_id == bindparam("product"))
    .values(
        on_hand=_items.c.on_hand + bindparam("to_hand"), reserved=_items.c.reserved + bindparam("to_reserved")
    )
)


def available(item: StockItem) -> int:
    """Pieces that can be sold now; below zero when stock was lowered under what is reserved."""
    return item.on_hand - item.reserved - item.buffer


def _level(item: StockItem) -> Level:
    now_there = available(item)
    return Level(max(now_there, 0), max(now_there + item.backorder_limit, 0), item.next_arrival_on)


def availability(session: Session, product_ids: Collection[int]) -> dict[int, Level]:
    """Levels of the products that are kept in stock; the others are absent. One query."""
    if not product_ids:
        return {}
    items = session.scalars(select(StockItem).where(StockItem.product_id.in_(product_ids)))
    return {item.product_id: _level(item) for item in items}


def lock_items(session: Session, product_ids: Collection[int]) -> dict[int, StockItem]:
    """The stock rows, locked in SKU order until the transaction ends and read anew."""
    statement = (
        select(StockItem)
        .join(Product, Product.id == StockItem.product_id)
        .where(StockItem.product_id.in_(sorted(product_ids)))
        .order_by(Product.sku_key, Product.sku)
    )
    return {item.product_id: item for item in session.scalars(_for_update(statement))}


def _for_update(statement: Select[Any]) -> Select[Any]:
    return statement.with_for_update(of=StockItem).execution_options(populate_existing=True)


def shortages(
    items: Mapping[int, StockItem], wanted: Mapping[int, int], skus: Mapping[int, str]
) -> list[Shortage]:
    """What the locked rows cannot give, by SKU; empty when the whole order can be reserved."""
    return [
        Shortage(skus[product_id], quantity, _level(items[product_id]).orderable)
        for product_id, quantity in sorted(wanted.items(), key=lambda each: skus[each[0]])
        if product_id in items and quantity > _level(items[product_id]).orderable
    ]


def reserve(
    session: Session,
    items: Mapping[int, StockItem],
    wanted: Mapping[int, int],
    *,
    order_id: int,
    actor: str,
    expires_at: datetime | None = None,
) -> None:
    """Set pieces of locked rows aside; the caller has checked `shortages` in the same transaction."""
    kept = {product_id: quantity for product_id, quantity in wanted.items() if product_id in items}
    if not kept:
        return
    rows = [
        {"order_id": order_id, "product_id": product_id, "quantity": quantity, "expires_at": expires_at}
        for product_id, quantity in kept.items()
    ]
    session.execute(_RESERVE, rows)
    _change(session, kept, reserved=+1)
    _record(session, kept, "reserve", actor, order_id=order_id)


def keep_until(session: Session, order_id: int, moment: datetime | None) -> None:
    """Until when an order's pieces stay aside; None is until they are shipped or released."""
    session.execute(_KEEP, {"its_order": order_id, "moment": moment})


def release(session: Session, order_id: int, *, actor: str, reason: str = "") -> int:
    """Give back what is still reserved for an order; the pieces released. Twice is as once."""
    held = _held(session, order_id)
    lock_items(session, held)
    held = _held(session, order_id)  # again, now that nobody else can change it
    _change(session, held, reserved=-1)
    _record(session, held, "release", actor, order_id=order_id, reason=reason)
    session.execute(delete(Reservation).where(Reservation.order_id == order_id))
    return sum(held.values())


def ship(session: Session, order_id: int, *, actor: str) -> int:
    """Take an order's reserved pieces out of the house; the pieces shipped. Twice is as once.

    Raises NotThereError when fewer are on hand than reserved (sold on backorder, or counted down since).
    """
    items = lock_items(session, _held(session, order_id))
    held = _held(session, order_id)
    missing = [product_id for product_id, quantity in held.items() if items[product_id].on_hand < quantity]
    if missing:
        skus = session.scalars(select(Product.sku).where(Product.id.in_(missing)).order_by(Product.sku))
        raise NotThereError(list(skus))
    _change(session, held, on_hand=-1, reserved=-1)
    _record(session, held, "ship", actor, order_id=order_id)
    session.execute(delete(Reservation).where(Reservation.order_id == order_id))
    return sum(held.values())


def unship(session: Session, order_id: int, *, actor: str, reason: str = "") -> int:
    """Bring an order's shipped pieces back into the house, set aside for it again; how many. Twice is as once."""
    lock_items(session, _shipped(session, order_id))
    back = _shipped(session, order_id)
    if back:
        rows = [
            {"order_id": order_id, "product_id": product_id, "quantity": quantity, "expires_at": None}
            for product_id, quantity in back.items()
        ]
        session.execute(_RESERVE, rows)
    _change(session, back, on_hand=+1, reserved=+1)
    _record(session, back, "unship", actor, order_id=order_id, reason=reason)
    return sum(back.values())


def _shipped(session: Session, order_id: int) -> dict[int, int]:
    """Pieces of an order that left the house and did not come back, by product id."""
    signed = case((StockMove.kind == "ship", StockMove.quantity), else_=-StockMove.quantity)
    statement = (
        select(StockMove.product_id, func.sum(signed))
        .join(StockItem, StockItem.product_id == StockMove.product_id)
        .where(StockMove.order_id == order_id, StockMove.kind.in_(("ship", "unship")))
        .group_by(StockMove.product_id)
    )
    return {product_id: int(left) for product_id, left in session.execute(statement) if left > 0}


def _change(session: Session, pieces: Mapping[int, int], *, on_hand: int = 0, reserved: int = 0) -> None:
    """Add (or take) these pieces in one statement for all products; their rows are locked."""
    if not pieces:
        return
    rows = [
        {"product": product_id, "to_hand": on_hand * quantity, "to_reserved": reserved * quantity}
        for product_id, quantity in pieces.items()
    ]
    session.connection().execute(_CHANGE, rows)
    for item in list(session.identity_map.values()):
        if isinstance(item, StockItem) and item.product_id in pieces:
            session.expire(item)


class NotThereError(Exception):
    """More was promised than is in the house; `skus` names the products."""

    def __init__(self, skus: list[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = skus


@dataclass(frozen=True, slots=True)
class BelowReserved:
    """The count was refused: `reserved` pieces are promised, `oversold` of them would not be there."""

    reserved: int
    oversold: int


def adjust(
    session: Session,
    product_id: int,
    on_hand: int,
    *,
    actor: str,
    reason: str,
    kind: str = "adjust",
    even_oversold: bool = False,
) -> StockItem | BelowReserved:
    """Set what is on hand. Below what is reserved it is refused, unless the caller says so knowingly."""
    if on_hand < 0:
        raise ValueError("there cannot be fewer than 0 pieces on hand")
    item = lock_items(session, [product_id]).get(product_id)
    if item is None:
        item = StockItem(product_id=product_id, on_hand=0, reserved=0, buffer=0, backorder_limit=0)
        session.add(item)
    if on_hand < item.reserved and not even_oversold:
        return BelowReserved(item.reserved, item.reserved - on_hand)
    if on_hand != item.on_hand:
        _record(session, {product_id: on_hand - item.on_hand}, kind, actor, reason=reason)
        item.on_hand = on_hand
    return item


def receive(session: Session, product_id: int, quantity: int, *, actor: str, reason: str = "") -> StockItem:
    """Add arrived pieces."""
    if quantity < 1:
        raise ValueError("an arrival has at least 1 piece")
    item = lock_items(session, [product_id]).get(product_id)
    there = item.on_hand if item is not None else 0
    changed = adjust(
        session, product_id, there + quantity, actor=actor, reason=reason, kind="receive", even_oversold=True
    )
    assert isinstance(changed, StockItem)
    return changed


def _held(session: Session, order_id: int) -> dict[int, int]:
    """Pieces still reserved for an order, by product id."""
    statement = select(Reservation.product_id, Reservation.quantity).where(Reservation.order_id == order_id)
    held: dict[int, int] = {}
    for product_id, quantity in session.execute(statement):
        held[product_id] = held.get(product_id, 0) + quantity
    return held


def _record(
    session: Session,
    pieces: Mapping[int, int],
    kind: str,
    actor: str,
    *,
    order_id: int | None = None,
    reason: str = "",
) -> None:
    if not pieces:
        return
    same = {"kind": kind, "order_id": order_id, "reason": reason[:500], "actor": actor[:254], "at": now()}
    session.execute(
        _NOTE,
        [{"product_id": product_id, "quantity": quantity, **same} for product_id, quantity in pieces.items()],
    )
