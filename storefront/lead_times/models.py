"""Tables of lead times: a row for each tier, locked while a day is promised, and what orders take of each day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.database import Base


class LeadTimeTier(Base):
    """One tier of one rule. The row says nothing; whoever holds its lock is alone with the tier's days."""

    __tablename__ = "lead_time_tiers"

    rule: Mapped[str] = mapped_column(String(16), primary_key=True)
    tier: Mapped[str] = mapped_column(Text, primary_key=True)


class LeadTimeBooking(Base):
    """Pieces that an order takes of one day of one tier, until it is cancelled."""

    __tablename__ = "lead_time_bookings"
    __table_args__ = (Index("ix_lead_time_bookings_day", "rule", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(Text)
    on: Mapped[date]
    pieces: Mapped[int]
