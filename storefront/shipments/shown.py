"""An order's parcels as buyer and desk read them: carrier, number, and the carrier's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.language import text
from storefront.shipments.models import Shipment
from storefront.slips import CARRIERS, link


@dataclass(frozen=True, slots=True)
class ShownShipment:
    id: int
    carrier: str  # its name, in the reader's language
    tracking: str
    link: str | None
    parcels: int
    shipped_on: date


def shipments_of(session: Session, order_id: int) -> list[ShownShipment]:
    """The parcels on their way, oldest first; those undone are not among them."""
    query = select(Shipment).where(Shipment.order_id == order_id, Shipment.undone_at.is_(None))
    return [
        ShownShipment(
            row.id,
            text(CARRIERS[row.carrier].label) if row.carrier in CARRIERS else row.carrier,
            row.tracking_number,
            link(row.carrier, row.tracking_number),
            row.parcels,
            row.shipped_on,
        )
        for row in session.scalars(query.order_by(Shipment.id))
    ]
