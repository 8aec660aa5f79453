"""Companies, their people and addresses, and applications for an account. Tables only; no page, no rule.

A user with a company is a buyer of it; a user without one is staff. Rights follow from `role` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask_security import AsaList, UserMixin
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime

BUYER_ROLES = ("buyer", "company_admin")
STAFF_ROLES = ("clerk", "owner")
ROLES = BUYER_ROLES + STAFF_ROLES
COMPANY_STATES = ("active", "closed")
APPLICATION_STATES = ("new", "approved", "declined")


def _one_of(column: str, words: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class Company(Base):
    """A customer. `group`, `tags`, `country`, `region` and the credit limit are facts that rules may ask for."""

    __tablename__ = "companies"
    __table_args__ = (CheckConstraint(_one_of("status", COMPANY_STATES), name="status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_kana: Mapped[str] = mapped_column(String(200), default="")
    group: Mapped[str | None] = mapped_column(String(64))
    tags: Mapped[list[str]] = mapped_column(Json, default=list)
    country: Mapped[str] = mapped_column(String(2), default="JP")
    region: Mapped[str | None] = mapped_column(String(6))  # ISO 3166-2, such as JP-27
    credit_limit_minor: Mapped[int | None] = mapped_column(BigInteger)
    terms: Mapped[dict[str, Any] | None] = mapped_column(
        Json
    )  # {closing_day, pay_month, pay_day} or {net_days}
    payment_notes: Mapped[str] = mapped_column(String(1000), default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    language: Mapped[str] = mapped_column(String(2), default="ja")
    note: Mapped[str] = mapped_column(String(2000), default="")  # for staff only, never shown to a buyer
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    users: Mapped[list[User]] = relationship(back_populates="company", order_by="User.id")
    addresses: Mapped[list[Address]] = relationship(back_populates="company", order_by="Address.id")


class User(Base, UserMixin):  # type: ignore[misc, unused-ignore]
    """A person who signs in. Passwords are argon2 hashes; `fs_uniquifier` in a session ends with a new password."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(_one_of("role", ROLES), name="role"),
        CheckConstraint(f"({_one_of('role', BUYER_ROLES)}) = (company_id IS NOT NULL)", name="company"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # normalised and lower case
    password: Mapped[str | None] = mapped_column(String(255))  # None: no password chosen yet
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_last_counter: Mapped[int | None] = mapped_column(BigInteger)  # a one-time code counts once
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    name: Mapped[str] = mapped_column(String(100), default="")
    language: Mapped[str] = mapped_column(String(2), default="ja")
    role: Mapped[str] = mapped_column(String(16), default="buyer")
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"), index=True)
    order_limit_minor: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    company: Mapped[Company | None] = relationship(back_populates="users")

    @property
    def roles(self) -> list[Any]:  # type: ignore[override, unused-ignore]
        """Flask-Security's roles, which this shop does not use: storefront/access.py reads `role`."""
        return []

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def is_active(self) -> bool:
        """May sign in. Read on each request: a switched-off user or a closed company is out at once."""
        return bool(self.active) and (self.company is None or self.company.status == "active")


class SignIn(Base):
    """One signed-in browser. The session cookie holds `key`; ending the row ends the session wherever it was copied."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Address(Base):
    """Where a company wants goods sent."""

    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    recipient: Mapped[str] = mapped_column(String(100))
    postcode: Mapped[str] = mapped_column(String(16))  # digits only in Japan
    country: Mapped[str] = mapped_column(String(2), default="JP")
    region: Mapped[str] = mapped_column(String(6))  # ISO 3166-2
    city: Mapped[str] = mapped_column(String(100))
    street: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(32))
    is_default: Mapped[bool] = mapped_column(default=False)

    company: Mapped[Company] = relationship(back_populates="addresses")


class Application(Base):
    """A firm asking for an account; the owner approves or declines it at the desk."""

    __tablename__ = "applications"
    __table_args__ = (
        CheckConstraint(_one_of("state", APPLICATION_STATES), name="state"),
        Index("ix_applications_state", "state", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_name: Mapped[str] = mapped_column(String(200))
    name_kana: Mapped[str] = mapped_column(String(200), default="")
    contact_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(32))
    postcode: Mapped[str] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(6))
    address: Mapped[str] = mapped_column(String(300))
    message: Mapped[str] = mapped_column(String(2000), default="")
    language: Mapped[str] = mapped_column(String(2), default="ja")
    state: Mapped[str] = mapped_column(String(16), default="new")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    company: Mapped[Company | None] = relationship()
