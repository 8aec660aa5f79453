"""Tables of orders: the order, its lines, surcharges and taxes as they were decided, its moves, and its keys.

An order holds everything it was decided with; it never needs the rules again.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.accounts.models import Company, User
from storefront.clock import now
from storefront.database import Base, Json, Price, UtcDateTime

STATES = (
    "awaiting_approval",
    "awaiting_payment",
    "confirmed",
    "in_production",
    "shipped",
    "delivered",
    "closed",
    "cancelled",
)


class Order(Base):
    """One order. Amounts are minor units of `currency`; `decision` is the JSON of rules.Decision at placing."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        Index("ix_orders_company", "company_id", "placed_at"),
        Index("ix_orders_state", "state", "placed_at"),
        Index("ix_orders_purchase_order", "company_id", "purchase_order_number"),
        Index("ix_orders_promised_on", "promised_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # who placed it: a buyer, or staff
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # whose order staff wrote down
    state: Mapped[str] = mapped_column(String(24))
    channel: Mapped[str] = mapped_column(String(16), default="web")
    purpose: Mapped[str] = mapped_column(String(16), default="normal")
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    on: Mapped[date]  # the date the rules were asked for, in the shop's time zone
    currency: Mapped[str] = mapped_column(String(3))
    goods_minor: Mapped[int] = mapped_column(BigInteger)
    surcharges_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    subtotal_minor: Mapped[int] = mapped_column(BigInteger)  # goods and surcharges less a discount
    shipping_code: Mapped[str | None] = mapped_column(String(64))
    shipping_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    payment_code: Mapped[str | None] = mapped_column(String(64))
    payment_fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)  # with tax, as the buyer confirmed it
    ruleset_hash: Mapped[str] = mapped_column(String(80))
    decision: Mapped[dict[str, Any]] = mapped_column(Json)
    outcome: Mapped[str] = mapped_column(String(16))
    held: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list
    )  # why a person must approve: code, ja, en
    purchase_order_number: Mapped[str] = mapped_column(String(100), default="")
    note: Mapped[str] = mapped_column(String(2000), default="")
    ship_to: Mapped[dict[str, str]] = mapped_column(Json)
    shipping_label: Mapped[dict[str, str] | None] = mapped_column(Json)
    payment_label: Mapped[dict[str, str] | None] = mapped_column(Json)
    shipping_by: Mapped[str | None] = mapped_column(String(16))  # the rule that made shipping free
    arrives: Mapped[list[str] | None] = mapped_column(Json)  # earliest and latest day the carrier named
    requested_delivery_on: Mapped[date | None]
    delivery_slot: Mapped[str] = mapped_column(
        String(40), default="", server_default=""
    )  # such as 14:00-16:00
    promised_on: Mapped[date | None]  # the day the goods are ready, where a lead time was chosen
    lead_time: Mapped[dict[str, Any] | None] = mapped_column(Json)  # lead_times.TierOffer.as_json
    key: Mapped[str] = mapped_column(String(255))
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    company: Mapped[Company] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    contact: Mapped[User | None] = relationship(foreign_keys=[contact_id])
    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.position", cascade="all, delete-orphan")
    surcharges: Mapped[list[OrderSurcharge]] = relationship(
        order_by="OrderSurcharge.id", cascade="all, delete-orphan"
    )
    taxes: Mapped[list[OrderTax]] = relationship(order_by="OrderTax.id", cascade="all, delete-orphan")
    moves: Mapped[list[OrderMove]] = relationship(order_by="OrderMove.id", cascade="all, delete-orphan")


class OrderLine(Base):
    """A line as it was decided; `steps` holds the explanation in both languages."""

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(String(64), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"))
    name: Mapped[dict[str, str]] = mapped_column(Json)
    unit: Mapped[dict[str, str] | None] = mapped_column(Json)  # the sales unit
    quantity: Mapped[int]
    unit_price: Mapped[Decimal | None] = mapped_column(Price)
    per: Mapped[int] = mapped_column(default=1)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[str] = mapped_column(String(32))
    list_price: Mapped[Decimal | None] = mapped_column(Price)
    codes: Mapped[list[str]] = mapped_column(Json, default=list)
    steps: Mapped[dict[str, list[dict[str, Any]]]] = mapped_column(Json, default=dict)


class OrderSurcharge(Base):
    """A line of its own beside the goods: a surcharge (below zero where a slow lead time takes off), or a discount."""

    __tablename__ = "order_surcharges"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    code: Mapped[str] = mapped_column(String(16))
    label: Mapped[dict[str, str]] = mapped_column(Json)
    reason: Mapped[dict[str, str] | None] = mapped_column(Json)
    kind: Mapped[str] = mapped_column(String(16), default="surcharge", server_default="surcharge")
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # below zero for a discount
    tax: Mapped[str] = mapped_column(String(32))
    taxes: Mapped[list[dict[str, Any]] | None] = mapped_column(
        Json
    )  # of a discount over several: category, amount
    lines: Mapped[list[str]] = mapped_column(Json, default=list)  # SKUs it was charged for


class OrderTax(Base):
    __tablename__ = "order_taxes"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    category: Mapped[str] = mapped_column(String(32))
    rate: Mapped[Decimal] = mapped_column(Price)
    base_minor: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class OrderMove(Base):
    """One step of an order's life, with who and when; from_state is empty for the first."""

    __tablename__ = "order_moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    from_state: Mapped[str] = mapped_column(String(24), default="")
    to_state: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    reason: Mapped[str] = mapped_column(String(1000), default="")


class OrderAddress(Base):
    """A delivery address that was corrected after the order was placed; rows are only ever added."""

    __tablename__ = "order_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    before: Mapped[dict[str, str]] = mapped_column(Json)
    after: Mapped[dict[str, str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(String(1000))
    actor: Mapped[str] = mapped_column(String(254))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class OrderNumber(Base):
    """The last number of a series; its row is locked while the next one is taken."""

    __tablename__ = "order_numbers"

    series: Mapped[str] = mapped_column(String(16), primary_key=True)
    last: Mapped[int]


class IdempotencyKey(Base):
    """A key of a caller: the same key and body is answered with the same order, another body is refused."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("scope", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    body_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="done")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
