"""Orders: tables, placing and moving them. Pages are in orders/pages.py.

Only `place_order` makes an order and only `move` changes its state.
"""

from storefront.orders.models import (
    STATES,
    IdempotencyKey,
    Order,
    OrderAddress,
    OrderLine,
    OrderMove,
    OrderNumber,
    OrderSurcharge,
    OrderTax,
)

__all__ = [
    "STATES",
    "IdempotencyKey",
    "Order",
    "OrderAddress",
    "OrderLine",
    "OrderMove",
    "OrderNumber",
    "OrderSurcharge",
    "OrderTax",
]
