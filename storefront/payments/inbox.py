"""The webhook inbox: an event is stored once, answered at once, and only makes the shop ask the provider.

Nothing is believed of an event but that something happened; their order and their number never matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from plugins.contract import WebhookEvent as Told
from storefront import jobs
from storefront.clock import now
from storefront.database import get_session, write
from storefront.payments.attempts import ask
from storefront.payments.models import Payment, WebhookEvent

LOOKS = 4  # how often an event is held against payments whose reference may not be here yet
_TABLE = cast(Table, WebhookEvent.__table__)


def keep(session: Session, provider: str, events: Iterable[Told]) -> int:
    """Store the events that are new, each with its job, in the caller's transaction; how many."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    kept = 0
    for event in events:
        values = {
            "provider": provider,
            "event_id": _short(event.event_id),
            "provider_ref": _short(event.provider_ref),
            "kind": event.kind.replace("\0", "")[:100],
            "state": "new",
            "received_at": now(),
        }
        statement = insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.id)
        new = session.execute(statement).scalar_one_or_none()
        if new is not None:
            jobs.enqueue(session, "payment.event", {"event_id": new})
            kept += 1
    return kept


def _short(text: str) -> str:
    """As it is where the column has room for it, else its hash: two ids never become one."""
    if len(text) <= 255 and "\0" not in text:
        return text
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@jobs.handles("payment.event")
def follow(job: jobs.Job) -> None:
    """Ask the provider about the payment that an event names.

    An event may come before the answer of `start` is written, so an unknown reference is looked up some times more.
    """
    session = get_session()
    event = session.get_one(WebhookEvent, int(job.payload["event_id"]), populate_existing=True)
    if event.state == "done":
        return
    payment_id = session.scalars(
        select(Payment.id)
        .where(Payment.provider == event.provider, Payment.provider_ref == event.provider_ref)
        .order_by(Payment.id.desc())
        .limit(1)
    ).first()
    if payment_id is None:
        _note(event.id, "unknown", None)
        if job.attempt < LOOKS:
            raise LookupError(f"no payment of {event.provider} is called {event.provider_ref[:80]}")
        return
    if ask(payment_id, actor=f"{event.provider} {event.kind}".strip()) is None:
        raise ConnectionError(f"{event.provider} gives no answer about payment {payment_id}")
    _note(event.id, "done", payment_id)


def _note(event_id: int, state: str, payment_id: int | None) -> None:
    with write() as session:
        event = session.get_one(WebhookEvent, event_id)
        event.state, event.payment_id = state, payment_id
        event.done_at = now() if state == "done" else None
