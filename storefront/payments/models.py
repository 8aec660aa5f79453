"""Tables of payments, captures, refunds and webhook events, and which state may follow which."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime

ALLOWED: dict[str, frozenset[str]] = {
    "created": frozenset(
        {"requires_action", "pending", "authorized", "captured", "refunded", "failed", "canceled", "review"}
    ),
    "requires_action": frozenset(
        {"pending", "authorized", "captured", "refunded", "failed", "canceled", "review"}
    ),
    "pending": frozenset(
        {"requires_action", "authorized", "captured", "refunded", "failed", "canceled", "review"}
    ),
    "authorized": frozenset({"captured", "refunded", "failed", "canceled", "review"}),
    "captured": frozenset({"partially_refunded", "refunded", "disputed", "review"}),
    "partially_refunded": frozenset({"captured", "refunded", "disputed", "review"}),  # back: a refund failed
    "refunded": frozenset({"captured", "partially_refunded", "disputed", "review"}),
    "disputed": frozenset({"captured", "partially_refunded", "refunded", "review"}),
    "review": frozenset(),  # only a person leads out of it: review.resolve
    "failed": frozenset({"review"}),  # money that comes after all
    "canceled": frozenset({"review"}),
}
UNKNOWN = "unknown"  # the code of a pending payment whose provider gave no usable answer
ASK_AGAIN_AFTER = timedelta(minutes=1)
OPEN = frozenset({"created", "requires_action", "pending", "authorized"})
WAITING = frozenset({"requires_action", "pending"})  # the provider is asked about these until they end
ENDED = frozenset({"failed", "canceled"})
PAID = frozenset({"captured", "partially_refunded", "refunded", "disputed"})  # the money was here once
BY_HAND = "by_hand"  # the code of a refund that somebody sent without the plugin
SETTLED = "settled"  # the code of a refund of which a person said what went back
CAME_BACK = "came_back"  # the code of a refund that failed after it was done
MISMATCH = "mismatch"  # the code of a refund that the provider answered with another amount
RETRY_WITHIN = timedelta(days=1)  # how long an order waits for another try after its payment failed


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
    captured_minor: Mapped[int | None] = mapped_column(BigInteger)  # what the provider says it took
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ask_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # when to look after it next
    asks: Mapped[int] = mapped_column(default=0, server_default="0")  # since its state last changed
    told_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # the buyer read how it stands, or has the mail
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


class WebhookEvent(Base):
    """What a provider told us of; only a reason to ask it. `state`: new, done, or unknown (no payment of ours)."""

    __tablename__ = "webhook_events"
    __table_args__ = (UniqueConstraint("provider", "event_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(255))
    provider_ref: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(16), default="new", index=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Capture(Base):
    """Money asked of a payment that was promised. The row and its key come before the provider is called.

    One that did not fail is the only one: a provider takes once, and lets go of the rest.
    """

    __tablename__ = "payment_captures"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('requested', 'done', 'failed')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="requested", index=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[str | None] = mapped_column(String(64))


class Refund(Base):
    """Money on its way back. The row and its key come before the provider is called; a failed one does not count."""

    __tablename__ = "payment_refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('requested', 'done', 'failed')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="requested", index=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[dict[str, str] | None] = mapped_column(Json)
    answered_minor: Mapped[int | None] = mapped_column(
        BigInteger
    )  # where the provider answered another amount
