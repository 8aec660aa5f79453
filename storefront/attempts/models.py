"""Tables of what did not go through: refused wishes of buyers, and what rules on trial would have made of a cart.

Both are for learning only. No price, order or page of a buyer depends on a row here.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.database import Base, UtcDateTime

RANKS = {"surcharge": 1, "approval": 2, "quotation": 3, "block": 4}  # how much stood in the buyer's way
REFUSED = RANKS["quotation"]  # from here on the line could not be ordered as it was
ENDINGS = ("", "ordered", "raised", "paid_fee", "removed", "abandoned")
_OPEN = text("closed_at IS NULL")


class Attempt(Base):
    """One wish that met a rule or the stock: of one cart, for one SKU ("" is the whole order), by one rule.

    `asked`, `need` and `missing` are pieces, or minor units where `unit` is money. While `closed_at` is empty the
    cart is still at work and a repetition changes this row; afterwards the same wish is a new one.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index(
            "uq_attempts_open", "caller", "sku", "code", unique=True,
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_attempts_first_at", "first_at"),
        Index("ix_attempts_last_at", "last_at"),
        Index("ix_attempts_company_id", "company_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    caller: Mapped[str] = mapped_column(String(80))  # user:12, visitor:<hash of the session's token>, api:3
    sku: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(32))  # the rule's; "stock", "no_price"
    kind: Mapped[str] = mapped_column(String(8))  # rule or stock
    field: Mapped[str] = mapped_column(String(16))  # minimum, multiple, maximum, allowed, catalog, stock
    unit: Mapped[str] = mapped_column(String(8))  # pieces or money
    asked: Mapped[int] = mapped_column(BigInteger)
    need: Mapped[int | None] = mapped_column(BigInteger)
    missing: Mapped[int | None] = mapped_column(BigInteger)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)  # goods of the line, or of the order
    outcome: Mapped[str] = mapped_column(String(16))
    rank: Mapped[int] = mapped_column(SmallInteger)
    channel: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(16))
    region: Mapped[str | None] = mapped_column(String(16))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    at_checkout: Mapped[bool] = mapped_column(default=False)  # met on confirming an order
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ending: Mapped[str] = mapped_column(String(16), default="")
    ordered_quantity: Mapped[int | None] = mapped_column(BigInteger)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TrialResult(Base):
    """What one shadow rule would have made of one order, or of one cart that was refused.

    `source` is order:<id> or cart:<caller>; the row of a cart goes when the cart becomes an order or is no longer
    refused. Changes are minor units against what was decided; of a refused cart they are 0.
    """

    __tablename__ = "trial_results"
    __table_args__ = (
        UniqueConstraint("code", "source"),
        Index("ix_trial_results_code_on", "code", "on"),
        Index("ix_trial_results_source", "source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(96))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    on: Mapped[date]  # in the shop's time zone
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    was: Mapped[str] = mapped_column(String(16))  # the outcome that counted
    outcome: Mapped[str] = mapped_column(String(16))  # with this rule live
    change_minor: Mapped[int] = mapped_column(BigInteger)  # of the subtotal
    total_change_minor: Mapped[int] = mapped_column(BigInteger)
