"""Which orders an exception took part in, and what it changed there: kept rows, so that a page adds up and no more.

Orders are looked through in their order, a bounded number at a time; nothing is computed twice.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.clock import now
from storefront.database import Base, UtcDateTime


class ExceptionUse(Base):
    """One order that names one exception. The difference is with it less without it, in minor units.

    `is_refused` says that without it the rules would not have taken the order; then there is no difference to tell.
    """

    __tablename__ = "exception_uses"
    __table_args__ = (UniqueConstraint("exception", "order_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exception: Mapped[str] = mapped_column(String(200), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    goods_minor: Mapped[int] = mapped_column(BigInteger)  # as ordered, before tax
    difference_minor: Mapped[int | None] = mapped_column(BigInteger)  # None: could not be worked out
    is_refused: Mapped[bool] = mapped_column(default=False)
    ruleset_hash: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class ExceptionScan(Base):
    """How far the orders have been looked through: one row, the last order id that needs no second look."""

    __tablename__ = "exception_scans"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(default=0)
