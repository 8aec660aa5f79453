"""What each day of a tier has taken: read, booked and given back.

A day is promised only by whoever holds the tier's lock, so that no day takes more than the rule allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from storefront.database import ReadSession, locked
from storefront.lead_times.models import LeadTimeBooking, LeadTimeTier

Booked = Mapping[str, Mapping[date, int]]  # by tier, then by day

_tiers = cast(Table, LeadTimeTier.__table__)
_BOOK = insert(cast(Table, LeadTimeBooking.__table__))
_TAKEN = (
    select(LeadTimeBooking.tier, LeadTimeBooking.on, func.sum(LeadTimeBooking.pieces))
    .where(LeadTimeBooking.rule == bindparam("its_rule"), LeadTimeBooking.on >= bindparam("since"))
    .group_by(LeadTimeBooking.tier, LeadTimeBooking.on)
)


def booked(session: Session, rule: str, since: date) -> Booked:
    """Pieces taken of each day from `since` on, of every tier of a rule. A page asks once."""
    known: dict[Any, Booked] = session.info.setdefault("koguchi_booked", {})
    key = (rule, since)
    if key in known and isinstance(session, ReadSession):
        return known[key]
    found: dict[str, dict[date, int]] = {}
    for tier, day, pieces in session.execute(_TAKEN, {"its_rule": rule, "since": since}):
        found.setdefault(tier, {})[day] = int(pieces)
    known[key] = found
    return found


def lock(session: Session, rule: str, tier: str) -> None:
    """Be alone with a tier's days until the transaction ends."""
    if session.get_bind().dialect.name == "sqlite":
        return  # its one writer is alone anyway
    wanted = select(LeadTimeTier).where(LeadTimeTier.rule == rule, LeadTimeTier.tier == tier)
    if session.scalars(locked(wanted)).one_or_none() is None:
        new = postgresql.insert(_tiers).values(rule=rule, tier=tier).on_conflict_do_nothing()
        session.execute(new)
        session.scalars(locked(wanted)).one()


def book(session: Session, order_id: int, rule: str, tier: str, parts: Iterable[tuple[date, int]]) -> None:
    """Write down what an order takes; the caller promised these parts under the tier's lock."""
    same = {"order_id": order_id, "rule": rule, "tier": tier}
    session.execute(_BOOK, [{**same, "on": day, "pieces": pieces} for day, pieces in parts])


def parts_of(session: Session, order_id: int) -> list[tuple[date, int]]:
    """What an order has taken of which day."""
    statement = select(LeadTimeBooking.on, LeadTimeBooking.pieces)
    return [
        (day, pieces)
        for day, pieces in session.execute(statement.where(LeadTimeBooking.order_id == order_id))
    ]


def release(session: Session, order_id: int) -> None:
    """Give an order's days back; twice is as once."""
    session.execute(delete(LeadTimeBooking).where(LeadTimeBooking.order_id == order_id))
