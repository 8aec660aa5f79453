"""API keys: kg_ and 256 random bits, shown once and kept as a hash; made, found, revoked, and when last used.

A key of a company acts for that company alone. Nobody can read a key back, not even the owner.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from flask import Flask
from sqlalchemy import ForeignKey, String, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from storefront import audit
from storefront.accounts import Company, User
from storefront.clock import in_shop_zone, now
from storefront.database import Base, Json, UtcDateTime, locked, write

EVALUATE, EVALUATE_ANY, RATES = "evaluate", "evaluate:any", "carrier:rates"
SCOPES = (EVALUATE, EVALUATE_ANY, RATES)
LONGEST_NAME = 100
USE_NOTED_EVERY = timedelta(minutes=1)
_TOKEN = re.compile(r"kg_[0-9a-f]{64}")
_PREFIX = len("kg_") + 12


class ApiKey(Base):
    """One integration's key. `prefix` is the token's beginning, to find and to recognise it; `hashed` its sha256."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    hashed: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    company: Mapped[Company | None] = relationship()

    def state(self, moment: datetime) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= moment else "active"


def hash_of(token: str) -> str:
    """A plain hash is enough: there are 256 random bits to guess, not a word that somebody chose."""
    return hashlib.sha256(token.encode()).hexdigest()


def end_of(last_day: date) -> datetime:
    """The moment at which a key ends whose last day this is, in the shop's time zone."""
    return datetime.combine(last_day + timedelta(days=1), time(), in_shop_zone(now()).tzinfo)


def last_day_of(key: ApiKey) -> date | None:
    """The last day on which a key is good, None without an end."""
    return None if key.expires_at is None else in_shop_zone(key.expires_at - timedelta(seconds=1)).date()


def scopes_for(company: Company | None) -> tuple[str]:
    """What a key may do: a company's evaluates as that company, the shop's own as anybody."""
    return (EVALUATE_ANY,) if company is None else (EVALUATE,)


def create_key(
    session: Session,
    name: str,
    company: Company | None,
    *,
    expires_at: datetime | None,
    actor: User | None,
    scope: str | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is known here and now only. Written into the audit log without the token."""
    token = f"kg_{secrets.token_hex(32)}"
    key = ApiKey(
        name=name[:LONGEST_NAME],
        company_id=None if company is None else company.id,
        scopes=[RATES] if scope == RATES and company is None else list(scopes_for(company)),
        prefix=token[:_PREFIX],
        hashed=hash_of(token),
        created_at=now(),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    after = {
        "name": key.name,
        "company": company.code if company else None,
        "scopes": key.scopes,
        "prefix": key.prefix,
        "expires_at": expires_at.isoformat(timespec="minutes") if expires_at else None,
    }
    audit.record(session, actor, "add", f"api-key:{key.id}", None, after)
    return key, token


def revoke_key(session: Session, number: int, *, actor: User | None) -> ApiKey | None:
    """End a key for good, at once; None when there is no such key. Revoking twice changes nothing."""
    key = session.scalars(locked(select(ApiKey).where(ApiKey.id == number))).one_or_none()
    if key is not None and key.revoked_at is None:
        key.revoked_at = now()
        audit.record(session, actor, "revoke", f"api-key:{key.id}", {"state": "active"}, {"state": "revoked"})
    return key


def all_keys(session: Session) -> Sequence[ApiKey]:
    """Every key with its company, newest first."""
    query = select(ApiKey).outerjoin(ApiKey.company).options(contains_eager(ApiKey.company))
    return session.scalars(query.order_by(ApiKey.id.desc())).all()


def find_key(session: Session, token: str) -> ApiKey | None:
    """The key of a token, with its company, whatever its state; None for a token that is none of ours. One query."""
    if not _TOKEN.fullmatch(token):
        return None
    query = select(ApiKey).outerjoin(ApiKey.company).options(contains_eager(ApiKey.company))
    key = session.scalars(query.where(ApiKey.prefix == token[:_PREFIX])).one_or_none()
    if key is None or not hmac.compare_digest(key.hashed, hash_of(token)):
        return None
    return key


def note_use(app: Flask, number: int) -> None:
    """Keep when a key was last used, at most once a minute. Called after the answer was sent; a failure is logged."""
    with app.app_context():
        moment = now()
        is_due = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= moment - USE_NOTED_EVERY)
        try:
            with write() as session:
                session.execute(update(ApiKey).where(ApiKey.id == number, is_due).values(last_used_at=moment))
        except SQLAlchemyError:
            app.logger.exception("the use of API key %s could not be noted", number)
