"""Shipments: slips of orders, the tracking numbers that came back, and undoing one.

Features outside import what they need from here and nothing deeper.
"""

from storefront.shipments.keeping import Applied, Planned, apply, plan, send_off, undo
from storefront.shipments.models import Shipment
from storefront.shipments.shown import ShownShipment, shipments_of
from storefront.shipments.slipping import Wishes, sender_of, slips_of

__all__ = [
    "Applied",
    "Planned",
    "Shipment",
    "ShownShipment",
    "Wishes",
    "apply",
    "plan",
    "send_off",
    "sender_of",
    "shipments_of",
    "slips_of",
    "undo",
]
