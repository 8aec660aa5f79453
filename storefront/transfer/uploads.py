"""Uploaded CSV files between preview and applying, and what became of each. Kept in the database, never as a file.

The name a browser sent is shown and never used as a path; the content goes when the upload is decided.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column, relationship

from storefront.accounts import User
from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime

KEPT = timedelta(days=2)  # an upload that nobody decides about is forgotten after this


class Upload(Base):
    """One file. `state` is new, applied or discarded; `data` is empty once it is decided."""

    __tablename__ = "uploads"

    token: Mapped[str] = mapped_column(String(43), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    table: Mapped[str] = mapped_column(String(100), default="")  # of a price table
    filename: Mapped[str] = mapped_column(String(200))
    data: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    state: Mapped[str] = mapped_column(String(16), default="new")
    counts: Mapped[dict[str, int] | None] = mapped_column(Json)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[User | None] = relationship()


def keep(session: Session, kind: str, table: str, filename: str, data: bytes, person: User) -> Upload:
    """Store a file for its preview, and forget those that were left lying."""
    old = select(Upload).where(Upload.state == "new", Upload.created_at < now() - KEPT)
    for lying in session.scalars(old):
        decide(lying, "discarded")
    shown = "".join(one for one in filename if one.isprintable())[-200:] or f"{kind}.csv"
    upload = Upload(
        token=secrets.token_urlsafe(32),
        kind=kind,
        table=table,
        filename=shown,
        data=data,
        created_by=person.id,
        created_at=now(),
    )
    session.add(upload)
    return upload


def decide(upload: Upload, state: str, counts: dict[str, int] | None = None) -> None:
    """Applied or discarded: the content goes, the entry stays."""
    upload.state, upload.data, upload.counts, upload.decided_at = state, None, counts, now()
