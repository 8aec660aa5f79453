"""Clears away what nobody asks for any more: done jobs of the outbox and keys of orders, after thirty days.

Refused wishes are closed and go after the months that shop.toml says (attempts/endings.py). Orders, mails, incidents
and audit entries are never touched, and neither is a job that waits or has died.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, select

from storefront.attempts.endings import clear_attempts
from storefront.clock import now
from storefront.database import write
from storefront.jobs import Outbox
from storefront.orders import IdempotencyKey

KEPT_FOR = timedelta(days=30)
AT_A_TIME = 500  # rows in one transaction: buyers must not wait for the cleaning


def clear_away() -> int:
    """Delete what is older than KEPT_FOR, a little at a time; how many rows. For the worker, once a day."""
    before = now() - KEPT_FOR
    jobs = _empty(Outbox, select(Outbox.id).where(Outbox.done_at < before))
    keys = _empty(IdempotencyKey, select(IdempotencyKey.id).where(IdempotencyKey.created_at < before))
    return jobs + keys + clear_attempts()


def _empty(model: Any, old: Select[Any]) -> int:
    cleared = 0
    while True:
        with write() as session:
            ids = list(session.scalars(old.limit(AT_A_TIME)))
            session.execute(delete(model).where(model.id.in_(ids)))
        cleared += len(ids)
        if len(ids) < AT_A_TIME:
            return cleared
