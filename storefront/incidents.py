"""Incidents: what went wrong in a way that somebody must look at, with both sides of the story. Shown at the desk.

Recording one never fails the page that met it; an order that met one is refused, never waved through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime


class Incident(Base):
    """One incident. `kind` such as matcher_disagreement, tie, plugin_failure; `detail` holds no secrets."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    summary: Mapped[str] = mapped_column(String(500))
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def record_incident(
    session: Session, kind: str, summary: str, detail: dict[str, Any] | None = None
) -> Incident:
    """Write an incident inside the caller's write transaction."""
    incident = Incident(kind=kind, summary=summary[:500], detail=detail)
    session.add(incident)
    return incident
