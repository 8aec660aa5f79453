"""Tables of quotation requests: what a company asked for, why the rules would not sell it, and what we answered.

Amounts are unit prices as Decimals; nothing here is an order, and no price here is charged by itself.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.accounts.models import Company, User
from storefront.clock import now
from storefront.database import Base, Json, Price, UtcDateTime

STATES = ("received", "answered", "declined", "closed")
OPEN = ("received", "answered")


class QuotationRequest(Base):
    """One request. `reasons` are those of the whole cart: code, ja, en; those of a line stand with the line."""

    __tablename__ = "quotation_requests"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        UniqueConstraint("user_id", "key"),
        Index("ix_quotation_requests_company", "company_id", "created_at"),
        Index("ix_quotation_requests_state", "state", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(64))  # of the page it was sent from: two clicks are one request
    state: Mapped[str] = mapped_column(String(16), default="received")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    purpose: Mapped[str] = mapped_column(String(16), default="normal")
    wanted_on: Mapped[date | None]
    message: Mapped[str] = mapped_column(String(2000), default="")
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    ruleset_hash: Mapped[str] = mapped_column(String(80), default="")
    currency: Mapped[str] = mapped_column(String(3))
    answer: Mapped[str] = mapped_column(String(2000), default="")  # the company reads it
    valid_until: Mapped[date | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    company: Mapped[Company] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    answerer: Mapped[User | None] = relationship(foreign_keys=[answered_by])
    lines: Mapped[list[QuotationLine]] = relationship(
        order_by="QuotationLine.position", cascade="all, delete-orphan"
    )


class QuotationLine(Base):
    """One product asked for. `unit_price` is what we offer for `per` pieces."""

    __tablename__ = "quotation_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("quotation_requests.id"), index=True)
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[dict[str, str]] = mapped_column(Json)
    unit: Mapped[dict[str, str] | None] = mapped_column(Json)
    quantity: Mapped[int]
    per_year: Mapped[int | None]  # pieces expected in a year; empty: needed once
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)  # outcome, code, ja, en
    unit_price: Mapped[Decimal | None] = mapped_column(Price)
    per: Mapped[int] = mapped_column(default=1)
    is_open: Mapped[bool] = mapped_column(default=False)  # the company can order it as answered
    files: Mapped[list[str]] = mapped_column(Json, default=list)  # exceptions and price rules made for that
