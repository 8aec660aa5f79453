"""Comparisons of a draft with the rules in force, as the desk asks for them: a row each, counted by the outbox worker.

Reads orders and writes only its own rows; a comparison keeps the draft it was asked for, so it can be looked at later.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, String, Text, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from rules import Finding, Ruleset
from rules.comparison import Comparison
from rules.diff import CustomerDiff
from rules.side_by_side import SideBySide
from storefront import jobs
from storefront.clock import now, today
from storefront.database import Base, Json, UtcDateTime, get_session, locked, write
from storefront.past.orders import Wanted, from_database, ids_of_orders
from storefront.past.periods import Period, read_source
from storefront.replays.diffs import Purchases, diffs, starts_on
from storefront.replays.drafts import Draft, as_if_begun, load_draft
from storefront.shop import current_shop

if TYPE_CHECKING:
    from storefront.shop import Shop

log = logging.getLogger("koguchi.replays")

KIND = "rules.replay"
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
TOLD_EVERY = 250  # orders between two notes of progress
PREVIEWED = 500  # orders that a preview looks at
PERIODS = ("last:1m", "last:3m", "last:12m", "all")
Overlay = Mapping[str, str | None]
Note = dict[str, str]  # place (file:line), ja, en


class Replay(Base):
    """One comparison. `overlay` is the draft: texts by path, laid over the shop's folder (null: without the file)."""

    __tablename__ = "replays"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    overlay: Mapped[dict[str, Any]] = deferred(mapped_column(Json, nullable=False))
    source: Mapped[str] = mapped_column(String(40))  # the period, as `koguchi rules replay --orders` takes it
    actor: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(16), default=WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notes: Mapped[list[str]] = mapped_column(
        Json, default=list
    )  # cases of the draft that do not hold, or its errors
    error: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any] | None] = deferred(mapped_column(Json))  # Comparison.as_json


class DraftRefusedError(Exception):
    """The draft has errors; they are its arguments."""


def ask(session: Session, *, name: str, overlay: Overlay, source: str, actor: str) -> int:
    """Ask for a comparison in the caller's transaction; its id. The worker counts it."""
    replay = Replay(name=name[:200], overlay=dict(overlay), source=source, actor=actor)
    session.add(replay)
    session.flush()
    jobs.enqueue(session, KIND, {"replay": replay.id})
    return replay.id


def draft_rules(shop: Shop, overlay: Overlay, on: date) -> tuple[Ruleset, list[Note]]:
    """The draft as a rule set, and the cases that do not hold in it. Raises DraftRefusedError."""
    from storefront.rulebook import installed_methods

    files = {path: None if text is None else text.encode() for path, text in overlay.items()}
    draft = Draft(Path(shop.settings.folder), files)
    ruleset, findings = load_draft(draft, shop.rulebook.catalog(), installed_methods(), on)
    told = [_note(finding) for finding in findings]
    if ruleset is None:
        raise DraftRefusedError(*told)
    return ruleset, told


def _note(finding: Finding) -> Note:
    said = {lang: " ".join(part for part in finding.said(lang) if part) for lang in ("ja", "en")}
    return {"place": f"{finding.file}:{finding.line}", **said}


# --- the work -------------------------------------------------------------------------------------------------


@jobs.handles(KIND)
def count(job: jobs.Job) -> None:
    """Count one comparison. Counting it again from the start does no harm; what cannot be counted says why."""
    number = int(job.payload["replay"])
    with write() as session:
        replay = session.scalars(locked(select(Replay).where(Replay.id == number))).one_or_none()
        if replay is None or replay.state in (DONE, FAILED):
            return
        replay.state, replay.done, overlay, source = RUNNING, 0, dict(replay.overlay), replay.source
    try:
        found, notes = _counted(job, number, overlay, source)
    except (DraftRefusedError, ValueError) as error:
        refused = list(error.args) if isinstance(error, DraftRefusedError) else []
        _ended(number, FAILED, notes=refused, error="" if refused else str(error))
        return
    except Exception as error:
        log.exception("replay %s could not be counted", number)
        _ended(number, FAILED, error=f"{type(error).__name__}: {error}"[:1000])
        return
    _ended(number, DONE, notes=notes, result=found.as_json())


def _counted(job: jobs.Job, number: int, overlay: Overlay, source: str) -> tuple[Comparison, list[Note]]:
    shop = current_shop()
    live = shop.rulebook.current()
    draft, notes = draft_rules(shop, overlay, today())
    draft, _later = as_if_begun(live, draft, today())
    period = read_source(source, today())
    assert isinstance(period, Period)
    with shop.engine.connect() as connection:
        ids = ids_of_orders(connection, period)
        side_by_side = SideBySide(live, draft)
        wanted = Wanted(only=frozenset(ids))
        for place, order in enumerate(from_database(connection, live.policy.currency, wanted)):
            if not place % TOLD_EVERY:
                _tell(job, number, place, len(ids))
            side_by_side.add(order)
    return side_by_side.found, notes


def _tell(job: jobs.Job, number: int, done: int, total: int) -> None:
    """How far the counting is; and that this worker still holds the job."""
    with write() as session:
        replay = session.get_one(Replay, number)
        replay.done, replay.total = done, total
        jobs.hold_on(session, job)


def _ended(number: int, state: str, **values: Any) -> None:
    with write() as session:
        replay = session.get_one(Replay, number)
        replay.state, replay.ended_at = state, now()
        for name, value in values.items():
            setattr(replay, name, value)
        if state == DONE:
            replay.done = replay.total or 0


# --- at once --------------------------------------------------------------------------------------------------


def preview(shop: Shop, draft: Ruleset, on: date) -> Comparison:
    """The draft over the newest PREVIEWED orders of the last month; `left_out` says how many more there were."""
    live = shop.rulebook.current()
    period = read_source("last:1m", on)
    assert isinstance(period, Period)
    with shop.engine.connect() as connection:
        ids = ids_of_orders(connection, period)
        side_by_side = SideBySide(live, draft)
        wanted = Wanted(only=frozenset(ids[-PREVIEWED:]))
        for order in from_database(connection, live.policy.currency, wanted):
            side_by_side.add(order)
    side_by_side.found.left_out = max(len(ids) - PREVIEWED, 0)
    return side_by_side.found


def company_names(session: Session, codes: Sequence[str] | None = None) -> dict[str, str]:
    """Customer codes to company names."""
    from storefront.accounts import Company

    query = select(Company.code, Company.name)
    if codes is not None:
        query = query.where(Company.code.in_(codes))
    return {row.code: row.name for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Told:
    """What a draft changes for one customer, and from when."""

    diff: CustomerDiff
    starts_on: date


def told(shop: Shop, overlay: Overlay, code: str) -> Told:
    """What the draft changes for this customer over what the company bought in the last year.

    Raises DraftRefusedError; KeyError for a code that nobody has.
    """
    on = today()
    live = shop.rulebook.current()
    draft, _notes = draft_rules(shop, overlay, on)
    catalog = shop.rulebook.catalog()
    if code not in (catalog.customers or {}):
        raise KeyError(code)
    with shop.engine.connect() as connection:
        wanted = Wanted(only=frozenset(_ids_of(get_session(), code, on)))
        purchases = Purchases.of(from_database(connection, live.policy.currency, wanted))
    begins = starts_on(live, draft, on)
    return Told(next(diffs(live, draft, catalog, purchases, begins, only=code)), begins)


def _ids_of(session: Session, code: str, on: date) -> Sequence[int]:
    """The ids of one company's orders of the last year."""
    from storefront.accounts import Company
    from storefront.orders import Order
    from storefront.past.orders import NOT_PLACED

    year = read_source("last:12m", on)
    assert isinstance(year, Period)
    query = select(Order.id).join(Company, Order.company_id == Company.id).where(Company.code == code)
    return session.scalars(query.where(Order.state.not_in(NOT_PLACED), Order.on >= year.first)).all()
