"""Records of events as a plugin gets them, made without a shop."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from plugins import (
    Address,
    Buyer,
    Charge,
    Money,
    OrderApproved,
    OrderLine,
    OrderPlaced,
    OrderView,
    PaymentChanged,
    PaymentView,
    ShipmentCreated,
    TaxLine,
)

AT = datetime(2026, 11, 20, 1, 20, tzinfo=UTC)
DAY = date(2026, 11, 20)


def yen(minor: int) -> Money:
    return Money(minor, "JPY")


def an_order(**changes: Any) -> OrderView:
    """A small order: goods 1,000, a surcharge of 300, shipping 800, a fee of 300, tax 240."""
    usual: dict[str, Any] = {
        "number": "A-10001",
        "state": "awaiting_payment",
        "placed_at": AT,
        "on": DAY,
        "buyer": Buyer("HAYASHI", "dealers"),
        "company": "林製作所",
        "contact": "林",
        "ship_to": Address("林製作所", "5770000", "JP-27", "東大阪市", "1-2-3", "06-0000-0000"),
        "lines": (OrderLine(1, "N4-SUS", {"ja": "ナット", "en": "Nut"}, 100, yen(1000), Decimal("10")),),
        "charges": (Charge("S010", {"ja": "小口手数料", "en": "Small order"}, yen(300)),),
        "taxes": (TaxLine("standard", Decimal("0.1"), yen(2400), yen(240)),),
        "goods": yen(1000),
        "shipping": yen(800),
        "payment_fee": yen(300),
        "total": yen(2640),
        "shipping_code": "flat_rate",
        "payment_code": "cash_on_delivery",
        "purchase_order_number": "PO-7",
    }
    return OrderView(**usual | changes)


def placed(event_id: str = "e-1", **changes: Any) -> OrderPlaced:
    return OrderPlaced(event_id, AT, an_order(**changes))


def every_event() -> dict[str, Any]:
    """One record of each event, by the name of its hook."""
    order = an_order()
    payment = PaymentView("1", order.number, order.total, "captured", DAY)
    return {
        "order_placed": OrderPlaced("e-1", AT, order),
        "order_approved": OrderApproved("e-2", AT, order, "owner@example.com", "known customer"),
        "payment_changed": PaymentChanged("e-3", AT, order, payment, "dummy", "pending", "captured"),
        "shipment_created": ShipmentCreated("e-4", AT, order, "yamato", "123456789012", 2, DAY),
    }
