"""The table of shipments: one row for each tracking number of an order; what was undone stays, marked."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.clock import now
from storefront.database import Base, UtcDateTime
from storefront.orders.models import Order


class Shipment(Base):
    """Parcels under one tracking number. `undone_at` is set when it turned out that they did not leave."""

    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier: Mapped[str] = mapped_column(String(16))
    tracking_number: Mapped[str] = mapped_column(String(40))
    parcels: Mapped[int] = mapped_column(default=1)
    shipped_on: Mapped[date]
    actor: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[str] = mapped_column(String(254), default="")

    order: Mapped[Order] = relationship()
