"""The table of orders on the way that are not a cart: written down at the desk, read from a file, or ordered again.

The lines are kept as they were typed; prices never are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.accounts.models import Company, User
from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime
from storefront.orders.models import Order

DESK_CHANNELS = ("phone", "fax", "staff")
BUYER_CHANNELS = ("csv", "reorder")
STATES = ("open", "placed", "discarded")


class Entry(Base):
    """One order on the way. `token` names it to the buyer and is its idempotency key; `again_id` is the old order."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        Index("ix_entries_state", "state", "updated_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    channel: Mapped[str] = mapped_column(String(16))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text, default="")
    form: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # the checkout's fields as typed
    again_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    state: Mapped[str] = mapped_column(String(16), default="open")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    company: Mapped[Company] = relationship()
    person: Mapped[User] = relationship(foreign_keys=[created_by])
    contact: Mapped[User | None] = relationship(foreign_keys=[contact_id])
    order: Mapped[Order | None] = relationship(foreign_keys=[order_id])
    again: Mapped[Order | None] = relationship(foreign_keys=[again_id])
