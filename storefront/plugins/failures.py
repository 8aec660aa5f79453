"""What failed in plugins, from every process of the shop: collected while it happens, written when a request is over.

Never inside another transaction, never in anybody's way: what cannot be written at once waits, and the log has it all.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, has_request_context
from sqlalchemy import Index, String, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.database import BUSY_MS, Base, UtcDateTime

if TYPE_CHECKING:
    from plugins.guard import Failure
    from storefront.shop import Shop

log = logging.getLogger(__name__)

KEPT = 50  # rows of one plugin
WAITING = 50  # different failures that wait in a process; what comes beyond is in the log alone
AT_ONCE = 20  # rows written in one transaction
PAUSE = timedelta(seconds=5)  # between two writings of one process
PATIENCE_MS = 250  # how long a writing may wait for others
LONGEST = 500


class PluginFailure(Base):
    """A failure, and how often it has happened. `process` is "web" or "background", machine and number."""

    __tablename__ = "plugin_failures"
    __table_args__ = (Index("ix_plugin_failures_plugin_at", "plugin", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(LONGEST))
    process: Mapped[str] = mapped_column(String(100))  # the last one that met it
    times: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def is_web(self) -> bool:
        """Whether somebody was waiting for a page."""
        return self.process.startswith("web ")


Key = tuple[str, str, str, str, str]


@dataclass
class _Waiting:
    first_at: datetime
    at: datetime
    times: int = 1


class FailureNotes:
    """The failures of one process that are not written yet."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._lock = threading.Lock()
        self._waiting: dict[Key, _Waiting] = {}
        self._not_before: datetime | None = None

    def note(self, failure: Failure) -> None:
        """Remember a failure; cheap, and never raises: it is called in the middle of a checkout."""
        where = "web" if has_request_context() else "background"
        process = f"{where} {socket.gethostname()[:60]} {os.getpid()}"
        key = (
            failure.plugin[:100], failure.what[:100], failure.kind, failure.detail[:LONGEST].replace("\0", ""), process,
        )  # fmt: skip
        at = self._shop.clock()
        with self._lock:
            known = self._waiting.get(key)
            if known is not None:
                known.times, known.at = known.times + 1, at
            elif len(self._waiting) < WAITING:
                self._waiting[key] = _Waiting(at, at)

    def flush(self, *, at_once: bool = False) -> None:
        """Write what waits, when there is something and the last writing is a while ago. Never raises."""
        if not self._waiting:
            return
        moment = self._shop.clock()
        with self._lock:
            is_early = self._not_before is not None and moment < self._not_before <= moment + PAUSE
            if is_early and not at_once:
                return
            self._not_before = moment + PAUSE
            taken = dict(list(self._waiting.items())[:AT_ONCE])
            for key in taken:
                del self._waiting[key]
        try:
            with _impatient(self._shop) as connection, Session(connection) as session, session.begin():
                _write(session, taken)
        except Exception as error:
            log.warning("failures of plugins are not written yet: %s", type(error).__name__)
            self._put_back(taken)

    def _put_back(self, taken: dict[Key, _Waiting]) -> None:
        with self._lock:
            for key, one in taken.items():
                known = self._waiting.get(key)
                if known is not None:
                    known.times, known.first_at = known.times + one.times, one.first_at
                elif len(self._waiting) < WAITING:
                    self._waiting[key] = one


@contextmanager
def _impatient(shop: Shop) -> Iterator[Connection]:
    """A connection that gives up soon when others write: nobody waits for a note."""
    with shop.databases.writing.connect() as connection:
        if connection.dialect.name != "sqlite":
            yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        try:
            yield connection
        finally:
            driver.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def _write(session: Session, taken: dict[Key, _Waiting]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_MS}ms'")
    for (plugin, what, kind, detail, process), one in taken.items():
        same = select(PluginFailure).where(
            PluginFailure.plugin == plugin,
            PluginFailure.what == what,
            PluginFailure.kind == kind,
            PluginFailure.detail == detail,
        )
        row = session.scalars(same.order_by(PluginFailure.id).limit(1).with_for_update()).first()
        if row is None:
            row = PluginFailure(
                plugin=plugin, what=what, kind=kind, detail=detail, times=0, first_at=one.first_at
            )
            session.add(row)
        row.times, row.at, row.process = row.times + one.times, one.at, process
        session.flush()
    for plugin in {key[0] for key in taken}:
        newest = select(PluginFailure.id).where(PluginFailure.plugin == plugin)
        newest = newest.order_by(PluginFailure.at.desc(), PluginFailure.id.desc()).limit(KEPT)
        kept = list(session.scalars(newest))
        session.execute(
            delete(PluginFailure).where(PluginFailure.plugin == plugin, PluginFailure.id.not_in(kept))
        )


def failures_of(session: Session, plugin: str, limit: int = 10) -> Sequence[PluginFailure]:
    """The newest failures of a plugin in all processes."""
    query = select(PluginFailure).where(PluginFailure.plugin == plugin)
    return session.scalars(
        query.order_by(PluginFailure.at.desc(), PluginFailure.id.desc()).limit(limit)
    ).all()


def newest_failures(session: Session) -> dict[str, PluginFailure]:
    """The last failure of each plugin."""
    latest = select(PluginFailure.plugin, func.max(PluginFailure.at).label("at")).group_by(
        PluginFailure.plugin
    )
    last = latest.subquery()
    is_last = (PluginFailure.plugin == last.c.plugin) & (PluginFailure.at == last.c.at)
    rows = session.scalars(select(PluginFailure).join(last, is_last).order_by(PluginFailure.id))
    return {row.plugin: row for row in rows}


def init_app(app: Flask) -> None:
    """Write what waits when a request or a job is over."""

    @app.teardown_appcontext
    def flush(_error: BaseException | None) -> None:
        current_app.extensions["koguchi"].plugin_failures.flush()
