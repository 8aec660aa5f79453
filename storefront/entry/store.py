"""Entries in the database: begun, kept as typed, found for their own people only, and closed with the order.

Every change is one short write. What the lines cost is asked from pricing each time they are shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from storefront.accounts import User
from storefront.clock import now
from storefront.database import locked
from storefront.entry.models import BUYER_CHANNELS, DESK_CHANNELS, Entry

KEPT = timedelta(days=7)  # a buyer's own, when nobody went on with it; those of the desk stay until discarded
MOST_FIELDS, LONGEST_FIELD = 40, 5_000
# What belongs to one page or to the lines, and is not kept with the form.
_PASSING = frozenset(
    ("csrf_token", "key", "fingerprint", "seen", "do", "rows", "scan", "paste", "set", "pick", "drop",
     "channel", "contact")
)  # fmt: skip
_OF_ROWS = ("text-", "sku-", "q-")


def begin(
    session: Session,
    *,
    company_id: int,
    person: User,
    channel: str,
    text: str = "",
    form: Mapping[str, str] | None = None,
    contact_id: int | None = None,
    again_id: int | None = None,
) -> Entry:
    """A new entry; buyers' own ones that were left lying are forgotten on the way."""
    lying = delete(Entry).where(
        Entry.channel.in_(BUYER_CHANNELS), Entry.state != "placed", Entry.updated_at < now() - KEPT
    )
    session.execute(lying)
    entry = Entry(
        token=secrets.token_urlsafe(32),
        channel=channel,
        company_id=company_id,
        created_by=person.id,
        contact_id=contact_id,
        text=text,
        form=kept_form(form or {}),
        again_id=again_id,
        created_at=now(),
        updated_at=now(),
    )
    session.add(entry)
    session.flush()
    return entry


def kept_form(form: Mapping[str, str]) -> dict[str, str]:
    """The checkout's fields as they were typed, without what one page alone needs."""
    fields = [
        (name, value[:LONGEST_FIELD].replace("\0", ""))
        for name, value in form.items()
        if name not in _PASSING and not name.startswith(_OF_ROWS) and len(name) <= 40
    ]
    return dict(fields[:MOST_FIELDS])


def buyers_own(session: Session, token: str, person: User) -> Entry | None:
    """The entry of this very buyer; a colleague's or a foreign one is not found."""
    if not (token.isascii() and token.isprintable()):
        return None
    query = select(Entry).where(
        Entry.token == token,
        Entry.created_by == person.id,
        Entry.company_id == person.company_id,
        Entry.channel.in_(BUYER_CHANNELS),
    )
    return session.scalars(query.options(joinedload(Entry.company))).one_or_none()


def of_the_desk(session: Session, number: int) -> Entry | None:
    """An entry written down at the desk, whoever of the staff began it."""
    if number >= 2**31:
        return None
    query = select(Entry).where(Entry.id == number, Entry.channel.in_(DESK_CHANNELS))
    return session.scalars(query.options(joinedload(Entry.company), joinedload(Entry.contact))).one_or_none()


def parked(session: Session, most: int = 100) -> list[Entry]:
    """The desk's open entries in which something was typed, the last touched first."""
    query = select(Entry).where(Entry.state == "open", Entry.channel.in_(DESK_CHANNELS))
    query = query.options(joinedload(Entry.company), joinedload(Entry.person), joinedload(Entry.contact))
    newest = session.scalars(query.order_by(Entry.updated_at.desc(), Entry.id.desc()).limit(most))
    return [entry for entry in newest if entry.text or entry.form]


def keep(session: Session, entry_id: int, **values: Any) -> None:
    """Keep what was typed, unless the entry was closed meanwhile."""
    entry: Entry = session.scalars(locked(select(Entry).where(Entry.id == entry_id))).one()
    if entry.state == "open":
        for name, value in values.items():
            setattr(entry, name, value)
        entry.updated_at = now()


def claim(session: Session, order_id: int, *, entry_id: int) -> int | None:
    """Close the entry in its order's transaction; answers the order it has already, when it was placed before."""
    entry: Entry = session.scalars(locked(select(Entry).where(Entry.id == entry_id))).one()
    if entry.state == "placed":
        return entry.order_id
    entry.state, entry.order_id, entry.updated_at = "placed", order_id, now()
    return None


def reopen(session: Session, entry_id: int) -> None:
    """The order was cancelled at once because its payment was declined: its lines are there again."""
    entry = session.get_one(Entry, entry_id)
    entry.state, entry.order_id, entry.updated_at = "open", None, now()


def discard(session: Session, entry_id: int) -> bool:
    """Give an open entry up; False when it was placed or discarded before."""
    entry: Entry = session.scalars(locked(select(Entry).where(Entry.id == entry_id))).one()
    if entry.state != "open":
        return False
    entry.state, entry.updated_at = "discarded", now()
    return True
