"""The outbox: work to do after a commit, at least once, in the order it fell due, by any number of workers.

A job is written in the transaction that causes it; a worker holds it by a lease, so a killed worker loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from flask import Flask
from sqlalchemy import Index, String, Table, Text, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.clock import now
from storefront.database import Base, Json, UtcDateTime, write

log = logging.getLogger("koguchi.jobs")

LEASE = timedelta(seconds=60)
ATTEMPTS = 18  # the last one about three days after the first
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)


class Outbox(Base):
    """One job. `event_id` is the same on every attempt, so that a receiver can tell a repetition."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "done_at", "dead_at", "available_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    available_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")


_ENQUEUE = insert(cast(Table, Outbox.__table__))


@dataclass(frozen=True, slots=True)
class Job:
    """What a handler gets; it must be harmless when it runs twice with one event_id."""

    event_id: str
    kind: str
    payload: Mapping[str, Any]
    attempt: int


class NotNow(Exception):
    """Raised by a handler that has to wait for others: the job comes back at `at`, and this was no attempt."""

    def __init__(self, why: str, at: datetime) -> None:
        super().__init__(why)
        self.at = at


def again(since: datetime) -> datetime:
    """When to look again at what others have been at `since` then: pauses double, up to six hours."""
    return now() + min(max(now() - since, FIRST_PAUSE), LONGEST_PAUSE)


Handler = Callable[[Job], None]
_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Mark the function that does jobs of this kind."""

    def mark(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return mark


def enqueue(session: Session, kind: str, payload: Mapping[str, Any], *, at: datetime | None = None) -> str:
    """Add a job to the caller's transaction; returns its event id."""
    moment = now()
    event_id = str(uuid4())
    values = {
        "event_id": event_id,
        "kind": kind,
        "payload": dict(payload),
        "created_at": moment,
        "available_at": at or moment,
    }
    session.execute(_ENQUEUE, values)
    return event_id


def run_due(limit: int = 100) -> int:
    """Do what is due, one after another; how many were tried. Needs an application context."""
    tried = 0
    while tried < limit and (claimed := _claim()) is not None:
        _do(*claimed)
        tried += 1
    return tried


def run_in(app: Flask, limit: int = 100) -> int:
    """`run_due` with an application context of its own."""
    with app.app_context():
        return run_due(limit)


def _claim() -> tuple[int, Job] | None:
    moment = now()
    with write() as session:
        statement = (
            select(Outbox)
            .where(
                Outbox.done_at.is_(None),
                Outbox.dead_at.is_(None),
                Outbox.available_at <= moment,
                or_(Outbox.leased_until.is_(None), Outbox.leased_until <= moment),
            )
            .order_by(Outbox.available_at, Outbox.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.scalars(statement).first()
        if row is None:
            return None
        if row.attempts < ATTEMPTS:
            row.leased_until = moment + LEASE
            row.attempts += 1
            return row.id, Job(row.event_id, row.kind, row.payload, row.attempts)
        row.dead_at, row.leased_until = moment, None
        row.error = f"the worker died at it, or it took longer than {LEASE}; last known: {row.error}"[:4000]
    return _claim()


def _do(row_id: int, job: Job) -> None:
    handler = _handlers.get(job.kind)
    try:
        if handler is None:
            raise LookupError(f"nobody does jobs of kind {job.kind}")
        handler(job)
    except NotNow as later:
        _put_off(row_id, later)
        return
    except Exception as error:
        log.exception("job %s %s failed at attempt %s", job.kind, job.event_id, job.attempt)
        _put_back(row_id, job, f"{type(error).__name__}: {error}")
        return
    _noted(row_id)


def hold_on(session: Session, job: Job) -> None:
    """A long job says that it is still at work, so that no other worker takes it over."""
    session.execute(
        update(Outbox)
        .where(Outbox.event_id == job.event_id, Outbox.done_at.is_(None))
        .values(leased_until=now() + LEASE)
    )


def _noted(row_id: int) -> None:
    with write() as session:
        row = session.get_one(Outbox, row_id)
        if row.done_at is None:
            row.done_at, row.dead_at, row.leased_until, row.error = now(), None, None, ""


def _put_back(row_id: int, job: Job, error: str) -> None:
    with write() as session:
        row = session.get_one(Outbox, row_id)
        row.error, row.leased_until = error[:4000], None
        if job.attempt >= ATTEMPTS:
            row.dead_at = now()
        else:
            row.available_at = now() + min(timedelta(seconds=15 * 4 ** (job.attempt - 1)), LONGEST_PAUSE)


def _put_off(row_id: int, later: NotNow) -> None:
    with write() as session:
        row = session.get_one(Outbox, row_id)
        row.error, row.leased_until, row.available_at = str(later)[:4000], None, later.at
        row.attempts -= 1


def revive(session: Session, row_id: int) -> None:
    """Give a dead job its attempts back; for the desk."""
    row = session.get_one(Outbox, row_id)
    row.dead_at, row.attempts, row.available_at = None, 0, now()


def waiting(session: Session) -> dict[str, int]:
    """How many jobs wait, and how many died, for the desk and the health page."""
    pending = select(func.count()).where(Outbox.done_at.is_(None), Outbox.dead_at.is_(None))
    dead = select(func.count()).where(Outbox.dead_at.is_not(None))
    return {"waiting": session.scalar(pending) or 0, "dead": session.scalar(dead) or 0}
