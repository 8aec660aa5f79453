"""Who changed what, when, before and after. Entries are only ever added; no page changes or deletes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Connection, ForeignKey, String, event
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from storefront.accounts.models import User
from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime


class AuditEntry(Base):
    """One change: `subject` is a kind and a name such as "company:HAYASHI" or "rule:QT12"."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(254))  # the address at that time, or "system"
    action: Mapped[str] = mapped_column(String(64))  # a verb such as "approve"
    subject: Mapped[str] = mapped_column(String(200), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _kept(_mapper: Mapper[AuditEntry], _connection: Connection, entry: AuditEntry) -> None:
    """Nobody rewrites what happened, not even by mistake in our own code."""
    raise RuntimeError(f"audit entry {entry.id} is kept as it is: entries are only ever added")


# The same in the database itself, where statements pass our classes by; the migration 0003 says it too.
_KEPT_BY = {
    "sqlite": [
        f"""CREATE TRIGGER audit_entries_no_{what} BEFORE {what.upper()} ON audit_entries
            BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END"""
        for what in ("update", "delete")
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION audit_entries_kept() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN RAISE EXCEPTION ''audit entries are only ever added''; END'""",
        """CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
           FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_kept()""",
    ],
}
for _dialect, _statements in _KEPT_BY.items():
    for _statement in _statements:
        _ddl = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(AuditEntry.__table__, "after_create", _ddl)


def record(
    session: Session,
    actor: User | None,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry to the transaction of the change itself. `actor` None is the shop's own machinery."""
    entry = AuditEntry(
        at=now(),
        actor_id=actor.id if actor is not None else None,
        actor=actor.email if actor is not None else "system",
        action=action,
        subject=subject[:200],
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
    )
    session.add(entry)
    return entry
