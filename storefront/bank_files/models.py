"""Tables of money that arrived: each transfer once, and the names by which companies were recognised."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime


class BankReceipt(Base):
    """A transfer. `state` is open, booked (it pays `payments`) or set_aside (it pays no order, says `reason`)."""

    __tablename__ = "bank_receipts"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'booked', 'set_aside')", name="state"),
        Index("ix_bank_receipts_state", "state", "on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # see receipts.Receipt.key
    on: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    payer: Mapped[str] = mapped_column(String(200))
    payer_code: Mapped[str] = mapped_column(String(40), default="")
    edi: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(16), default="open")
    how: Mapped[str] = mapped_column(String(16), default="")  # of matching.Match, or person
    payments: Mapped[list[int]] = mapped_column(Json, default=list)
    missing_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # what the bank kept
    reason: Mapped[str] = mapped_column(String(200), default="")
    decided_by: Mapped[str] = mapped_column(String(254), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class BankName(Base):
    """A way in which a company signs its transfers, learnt when a person said whose one was."""

    __tablename__ = "bank_names"
    __table_args__ = (UniqueConstraint("company_id", "name", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")  # as kana.comparable gives it
    code: Mapped[str] = mapped_column(String(40), default="")
