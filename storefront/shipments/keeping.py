"""Tracking numbers kept, their orders shipped, and a shipment taken back: each in one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import stock
from storefront.clock import now, today
from storefront.database import locked, retrying, write
from storefront.orders import moves
from storefront.orders.models import Order
from storefront.plugins import events as plugin_events
from storefront.shipments.models import Shipment
from storefront.slips import Tracked, TrackingError

READY = ("confirmed", "in_production")
Does = Literal["ship", "add", "known"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A row of the file and what it does: ships its order, adds a number to a shipped one, or is known already."""

    row: Tracked
    order: Order
    does: Does


@dataclass(frozen=True, slots=True)
class Applied:
    orders: int
    numbers: int
    known: int


def plan(
    session: Session, carrier: str, rows: Sequence[Tracked]
) -> tuple[list[Planned], list[TrackingError]]:
    """What the rows would do now, and which cannot. Two queries, whatever their number."""
    orders = {
        order.number: order
        for order in session.scalars(select(Order).where(Order.number.in_(_numbers(rows))))
    }
    kept = select(Shipment.order_id, Shipment.tracking_number).where(
        Shipment.order_id.in_([order.id for order in orders.values()]),
        Shipment.carrier == carrier,
        Shipment.undone_at.is_(None),
    )
    known = {(order_id, tracking) for order_id, tracking in session.execute(kept)}
    planned: list[Planned] = []
    errors: list[TrackingError] = []
    for row in rows:
        order = orders.get(row.number)
        if order is None:
            errors.append(TrackingError(row.line, "order", row.number[:40]))
        elif (order.id, row.tracking) in known:
            planned.append(Planned(row, order, "known"))
        elif order.state in READY or order.state == "shipped":
            known.add((order.id, row.tracking))  # the same row twice in a file is one
            planned.append(Planned(row, order, "ship" if order.state in READY else "add"))
        else:
            errors.append(TrackingError(row.line, "state", f"{row.number} {order.state}"))
    return planned, errors


class _NothingKept(Exception):
    """Ends the transaction; `errors` say why."""

    def __init__(self, errors: list[TrackingError]) -> None:
        super().__init__()
        self.errors = errors


@retrying
def apply(
    carrier: str, rows: Sequence[Tracked], *, shipped_on: date, actor: str
) -> Applied | list[TrackingError]:
    """Keep the numbers and ship their orders; with any error nothing of it. The same rows again change nothing."""
    try:
        with write() as session:
            _lock(session, _numbers(rows))
            planned, errors = plan(session, carrier, rows)
            if errors:
                raise _NothingKept(errors)
            return _apply(session, carrier, planned, shipped_on, actor)
    except _NothingKept as refused:
        return refused.errors


def _numbers(rows: Sequence[Tracked]) -> set[str]:
    return {row.number for row in rows if row.number.isprintable()}


def _lock(session: Session, numbers: set[str]) -> None:
    """The orders by id, then the stock of all of them by SKU: nobody waits in a circle."""
    orders = session.scalars(locked(select(Order).where(Order.number.in_(numbers)).order_by(Order.id))).all()
    reserved = select(stock.Reservation.product_id).where(
        stock.Reservation.order_id.in_([order.id for order in orders])
    )
    stock.lock_items(session, set(session.scalars(reserved)))


def _apply(
    session: Session, carrier: str, planned: Sequence[Planned], shipped_on: date, actor: str
) -> Applied:
    errors: list[TrackingError] = []
    shipped: set[int] = set()
    new: list[Shipment] = []
    for one in planned:
        if one.does == "known":
            continue
        shipment = Shipment(
            order_id=one.order.id,
            carrier=carrier,
            tracking_number=one.row.tracking,
            parcels=one.row.parcels,
            shipped_on=shipped_on,
            actor=actor,
            created_at=now(),
        )
        session.add(shipment)
        new.append(shipment)
        if one.does == "ship" and one.order.id not in shipped:
            shipped.add(one.order.id)
            done = moves.move(session, one.order, "shipped", actor, f"{carrier} {one.row.tracking}")
            if isinstance(done, moves.NotMoved):
                missing = ", ".join(done.skus)
                problem = "stock" if missing else "state"
                errors.append(TrackingError(one.row.line, problem, f"{done.number} {missing or done.state}"))
    if errors:
        raise _NothingKept(errors)
    session.flush()
    for shipment in new:
        told = {"order_id": shipment.order_id, "shipment_id": shipment.id}
        plugin_events.emit(session, "shipment_created", told)
    return Applied(len(shipped), len(new), len(planned) - len(new))


def send_off(session: Session, order_id: int, actor: str, reason: str = "") -> moves.Moved | moves.NotMoved:
    """Ship an order that gets no tracking number: with the firm's own van, or fetched at the counter."""
    done = moves.move(session, order_id, "shipped", actor, reason)
    if isinstance(done, moves.Moved):
        told = {"order_id": order_id, "shipment_id": None, "on": today().isoformat()}
        plugin_events.emit(session, "shipment_created", told)
    return done


Undone = Literal["undone", "again", "late", "unknown"]


@retrying
def undo(shipment_id: int, actor: str) -> Undone:
    """Take a shipment back. With its order's last one the goods are in the house again, set aside for the order."""
    with write() as session:
        order_id = session.scalars(select(Shipment.order_id).where(Shipment.id == shipment_id)).one_or_none()
        if order_id is None:
            return "unknown"
        order = session.scalars(locked(select(Order).where(Order.id == order_id))).one()
        rows = session.scalars(locked(select(Shipment).where(Shipment.order_id == order_id))).all()
        shipment = next(row for row in rows if row.id == shipment_id)
        if shipment.undone_at is not None:
            return "again"
        if order.state != "shipped":
            return "late"
        shipment.undone_at, shipment.undone_by = now(), actor
        if all(row.undone_at is not None for row in rows):
            moves.take_back(session, order, actor, f"{shipment.carrier} {shipment.tracking_number}")
        return "undone"
