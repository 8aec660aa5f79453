"""From rows to the frozen records that plugins get: an order as it stands, and what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from plugins.contract import (
    Address,
    Charge,
    Event,
    Money,
    OrderApproved,
    OrderLine,
    OrderPlaced,
    OrderView,
    PaymentChanged,
    ShipmentCreated,
    TaxLine,
)
from storefront.orders.models import Order
from storefront.orders.models import OrderLine as LineRow
from storefront.payments.attempts import view_of
from storefront.payments.models import PAID, Payment, Refund
from storefront.payments.offering import buyer_view
from storefront.shipments.models import Shipment

_LEFT = ("shipped", "delivered", "closed")
_WHOLE = (
    joinedload(Order.company),
    joinedload(Order.user),
    joinedload(Order.contact),
    selectinload(Order.lines),
    selectinload(Order.surcharges),
    selectinload(Order.taxes),
)


def record_of(session: Session, payload: Mapping[str, Any]) -> Event:
    """The record of an event, made from what the database holds now. Raises LookupError where a row is gone."""
    order = session.get(Order, int(payload["order_id"]), options=_WHOLE, populate_existing=True)
    if order is None:
        raise LookupError(f"order {payload['order_id']} is gone")
    what = (str(payload["id"]), datetime.fromisoformat(payload["at"]), view_of_order(order))
    return _MAKERS[str(payload["event"])](session, order, what, payload)


def view_of_order(order: Order) -> OrderView:
    """An order as plugins see it."""

    def money(minor: int) -> Money:
        return Money(minor, order.currency)

    buyer = buyer_view(order.company, order.currency)
    person = order.contact or order.user
    to = order.ship_to
    assert buyer is not None
    return OrderView(
        number=order.number,
        state=order.state,
        placed_at=order.placed_at,
        on=order.on,
        buyer=buyer,
        company=order.company.name,
        contact=person.name if person is not None else "",
        ship_to=Address(**{"recipient": "", **{name: to[name] for name in Address.__slots__ if name in to}}),
        lines=tuple(_line(each, order.currency) for each in order.lines),
        charges=tuple(
            Charge(each.code, each.label, money(each.amount_minor), each.tax) for each in order.surcharges
        ),
        taxes=tuple(
            TaxLine(each.category, each.rate, money(each.base_minor), money(each.amount_minor))
            for each in order.taxes
        ),
        goods=money(order.goods_minor),
        shipping=money(order.shipping_minor),
        payment_fee=money(order.payment_fee_minor),
        total=money(order.total_minor),
        channel=order.channel,
        shipping_code=order.shipping_code,
        payment_code=order.payment_code,
        purchase_order_number=order.purchase_order_number,
        note=order.note,
        deliver_on=order.requested_delivery_on,
        delivery_slot=order.delivery_slot,
        promised_on=order.promised_on,
    )


def _line(row: LineRow, currency: str) -> OrderLine:
    return OrderLine(
        position=row.position,
        sku=row.sku,
        name=row.name,
        quantity=row.quantity,
        amount=Money(row.amount_minor, currency),
        unit_price=row.unit_price,
        per=row.per,
        unit=row.unit,
        tax=row.tax,
    )


_What: TypeAlias = tuple[str, datetime, OrderView]


def _placed(_session: Session, _order: Order, what: _What, _payload: Mapping[str, Any]) -> Event:
    return OrderPlaced(*what)


def _approved(_session: Session, _order: Order, what: _What, payload: Mapping[str, Any]) -> Event:
    return OrderApproved(*what, by=str(payload["by"]), reason=str(payload.get("reason", "")))


def _payment(session: Session, order: Order, what: _What, payload: Mapping[str, Any]) -> Event:
    row = session.get(Payment, int(payload["payment_id"]), populate_existing=True)
    if row is None:
        raise LookupError(f"payment {payload['payment_id']} is gone")
    paid_back = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.payment_id == row.id, Refund.state == "done"
    )
    taken = row.captured_minor if row.captured_minor is not None else row.amount_minor
    back = int(session.scalar(paid_back) or 0)
    return PaymentChanged(
        *what,
        payment=view_of(order, row),
        provider=row.provider,
        before=str(payload["before"]),
        after=str(payload["after"]),
        captured=Money(taken, row.currency) if row.state in PAID else None,
        refunded=Money(back, row.currency) if back else None,
    )


def _shipment(session: Session, order: Order, what: _What, payload: Mapping[str, Any]) -> Event:
    if payload["shipment_id"] is None:  # marked as shipped at the desk
        on, is_undone = date.fromisoformat(payload["on"]), order.state not in _LEFT
        return ShipmentCreated(
            *what, carrier="", tracking_number="", parcels=1, shipped_on=on, is_undone=is_undone
        )
    row = session.get(Shipment, int(payload["shipment_id"]), populate_existing=True)
    if row is None:
        raise LookupError(f"shipment {payload['shipment_id']} is gone")
    return ShipmentCreated(
        *what,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        parcels=row.parcels,
        shipped_on=row.shipped_on,
        is_undone=row.undone_at is not None,
    )


_MAKERS: dict[str, Callable[[Session, Order, _What, Mapping[str, Any]], Event]] = {
    "order_placed": _placed,
    "order_approved": _approved,
    "payment_changed": _payment,
    "shipment_created": _shipment,
}
