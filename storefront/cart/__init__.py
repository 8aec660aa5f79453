"""The cart: quantities, never prices. Its pages are in the module beside; lines are merged by SKU.

Features outside import what they need from here and nothing deeper.
"""

from storefront.cart.owners import line_count, owner, owner_for_writing
from storefront.cart.store import (
    Cart,
    CartLine,
    CartOwner,
    add,
    clear,
    find,
    hold,
    lines,
    lines_of,
    merge,
    obtain,
    remove,
    set_quantity,
)
from storefront.quantity import QuantityRefused, QuantityText, parse_quantity

__all__ = [
    "Cart",
    "CartLine",
    "CartOwner",
    "QuantityRefused",
    "QuantityText",
    "add",
    "clear",
    "find",
    "hold",
    "line_count",
    "lines",
    "lines_of",
    "merge",
    "obtain",
    "owner",
    "owner_for_writing",
    "parse_quantity",
    "remove",
    "set_quantity",
]
