"""Tables of payments, and from which state which other one may be reached."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime

ALLOWED: dict[str, frozenset[str]] = {
    "created": frozenset(
        {"requires_action", "pending", "authorized", "captured", "failed", "canceled", "review"}
    ),
    "requires_action": frozenset({"pending", "authorized", "captured", "failed", "canceled", "review"}),
    "pending": frozenset({"requires_action", "authorized", "captured", "failed", "canceled", "review"}),
    "authorized": frozenset({"captured", "failed", "canceled", "review"}),
    "captured": frozenset({"refunded", "review"}),
    "review": frozenset({"captured", "canceled"}),
    "failed": frozenset(),
    "canceled": frozenset(),
    "refunded": frozenset(),
}
UNKNOWN = "unknown"  # the code of a pending payment whose provider gave no usable answer
ASK_AGAIN_AFTER = timedelta(minutes=1)
OPEN = frozenset({"created", "requires_action", "pending", "authorized"})


class Payment(Base):
    """One attempt to pay an order. The key is stored before the provider is called, and used again on a retry."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(24), default="created")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    provider_ref: Mapped[str | None] = mapped_column(String(255), index=True)
    instructions: Mapped[dict[str, str] | None] = mapped_column(Json)
    buyer_message: Mapped[dict[str, str] | None] = mapped_column(Json)
    redirect_url: Mapped[str | None] = mapped_column(String(2000))
    code: Mapped[str | None] = mapped_column(String(64))
    attempt_key: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class PaymentMove(Base):
    """One change of a payment, or a result that was refused (to_state equals from_state)."""

    __tablename__ = "payment_moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    from_state: Mapped[str] = mapped_column(String(24))
    to_state: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    note: Mapped[str] = mapped_column(String(500), default="")
