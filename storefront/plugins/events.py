"""Tells plugins what happened: one outbox job for each plugin that listens, in the transaction that made it happen.

The record is made when it is delivered. An order that is rolled back tells nobody, and a killed worker tells again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from plugins.contract import EventName
from plugins.guard import Failure
from storefront import jobs
from storefront.clock import now
from storefront.database import get_session
from storefront.shop import current_shop

log = logging.getLogger("koguchi.plugins")

KIND = "plugin.event"
RESTS = timedelta(seconds=30)  # how long a plugin is left alone that failed again and again


def emit(session: Session, event: EventName, payload: Mapping[str, Any]) -> None:
    """Leave a job for each enabled plugin that listens to `event`; without one, nothing and no query.

    `payload` says which rows the event is about: ids, and what no row tells any more when it is delivered.
    """
    listeners = current_shop().plugins.listeners(event)
    if not listeners:
        return
    told = {"event": event, "id": str(uuid4()), "at": now().isoformat(), **payload}
    for name in listeners:
        jobs.enqueue(session, KIND, {**told, "plugin": name})


@jobs.handles(KIND)
def deliver(job: jobs.Job) -> None:
    """Tell one plugin of one event. Raises when it failed, so that the outbox tries again."""
    from storefront.plugins.records import record_of

    name, event = str(job.payload["plugin"]), str(job.payload["event"])
    plugins = current_shop().plugins
    known = [each for each in plugins.installed if each.id == name]
    if known and all(each.state == "failed" for each in known):
        raise RuntimeError(f"plugin {name} did not load: {known[0].error}")
    if name not in plugins.listeners(event):
        log.warning("plugin %s does not listen to %s any more: %s is dropped", name, event, job.payload["id"])
        return
    reading = get_session()
    reading.rollback()  # what an earlier job saw is old
    record = record_of(reading, job.payload)
    reading.rollback()  # no snapshot is held while the plugin works
    answer = plugins.tell(name, event, record)
    if not isinstance(answer, Failure):
        return
    words = f"plugin {name}, {event}: {answer.kind}: {answer.detail}"
    if answer.kind == "resting":
        raise jobs.NotNow(words, now() + RESTS)  # it was not asked, so this is no attempt
    raise RuntimeError(words)
