"""When an order of a lead-time tier is ready: business days, the tier's cutoff, and its room on each day.

Pure: the moment, the calendar and what is booked are arguments. Notes say why; their sentences are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Protocol

HORIZON = timedelta(days=731)  # nobody is promised a day further away


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a day is no business day; without `name` it is an ordinary weekend."""

    name: Mapping[str, str] | None = None


class Calendar(Protocol):
    """Which days are business days."""

    def closed(self, day: date) -> Closed | None:
        """Why `day` is no business day; None when it is one."""


class Terms(Protocol):
    """What a tier promises: business days, the time of day until which an order counts for today, pieces per day."""

    @property
    def days(self) -> int: ...
    @property
    def cutoff(self) -> str | None: ...
    @property
    def per_day(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Note:
    """One reason for the date. `kind` is

    after_cutoff (ordered on `first`, counted from `last`), not_open (the same, because `first` is closed),
    closed (from `first` to `last`, business days lost to `name`), full (no room from `first` to `last`), or
    spread (more pieces than a day has room for, made from `first` to `last`).
    """

    kind: str
    first: date
    last: date
    name: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """The day the goods are ready, the day the business days were counted from, and the pieces taken of each day."""

    ready_on: date
    counted_from: date
    parts: tuple[tuple[date, int], ...]
    notes: tuple[Note, ...]


def promise(
    terms: Terms, moment: datetime, pieces: int, booked: Mapping[date, int], calendar: Calendar
) -> Promise | None:
    """The first day that can be promised to an order of `pieces` placed at `moment`, a time in the shop's zone.

    `booked` is what each day has taken of this tier already. An order that fits into a day goes whole on the first
    one with room for it; a larger one takes what is free, day after day, and is ready on the last.
    None: no day within HORIZON.
    """
    ordered_on, end = moment.date(), moment.date() + HORIZON
    is_late = terms.cutoff is not None and moment.time() > time.fromisoformat(terms.cutoff)
    counting = business_days(ordered_on + timedelta(days=1) if is_late else ordered_on, end, calendar)
    counted_from = next(counting, None)
    if counted_from is None:
        return None
    first = counted_from if terms.days == 0 else next(islice(counting, terms.days - 1, None), None)
    if first is None:
        return None
    parts = _parts(terms.per_day, pieces, booked, business_days(first, end, calendar))
    if not parts:
        return None
    ready_on = parts[-1][0]
    notes = [
        *_start(ordered_on, counted_from, calendar),
        *_closed(ordered_on, ready_on, calendar),
        *_full(first, parts, calendar),
    ]
    return Promise(ready_on, counted_from, parts, tuple(notes))


def business_days(start: date, end: date, calendar: Calendar) -> Iterator[date]:
    """The business days from `start` to `end`, both included."""
    day = start
    while day <= end:
        if calendar.closed(day) is None:
            yield day
        day += timedelta(days=1)


def add_business_days(start: date, days: int, calendar: Calendar) -> date | None:
    """So many business days after `start`; 0 is `start` itself, or the next business day. None beyond HORIZON."""
    first = start if days == 0 else start + timedelta(days=1)
    return next(islice(business_days(first, start + HORIZON, calendar), max(days - 1, 0), None), None)


def _parts(
    per_day: int | None, pieces: int, booked: Mapping[date, int], days: Iterator[date]
) -> tuple[tuple[date, int], ...]:
    """What the order takes of which day; empty when there is no room."""
    parts: list[tuple[date, int]] = []
    left = pieces
    for day in days:
        free = pieces if per_day is None else max(per_day - booked.get(day, 0), 0)
        if per_day is None or pieces <= per_day:
            if free >= pieces:
                return ((day, pieces),)
        elif taken := min(free, left):
            parts.append((day, taken))
            left -= taken
            if left == 0:
                return tuple(parts)
    return ()


def _start(ordered_on: date, counted_from: date, calendar: Calendar) -> Iterator[Note]:
    if counted_from != ordered_on:
        closed = calendar.closed(ordered_on)
        kind = "after_cutoff" if closed is None else "not_open"
        yield Note(kind, ordered_on, counted_from, closed.name if closed is not None else None)


def _closed(ordered_on: date, ready_on: date, calendar: Calendar) -> list[Note]:
    """Holidays and closures on the way; days of one name in a row, weekends between them included, are one note."""
    notes: list[Note] = []
    is_open_between = True
    day = ordered_on
    while day < ready_on:
        day += timedelta(days=1)
        closed = calendar.closed(day)
        if closed is None:
            is_open_between = True
        elif closed.name is not None:
            if notes and not is_open_between and notes[-1].name == closed.name:
                notes[-1] = Note("closed", notes[-1].first, day, closed.name)
            else:
                notes.append(Note("closed", day, day, closed.name))
            is_open_between = False
    return notes


def _full(first: date, parts: tuple[tuple[date, int], ...], calendar: Calendar) -> list[Note]:
    """Business days without room before the order's own; days in a row are one note."""
    if len(parts) > 1:
        return [Note("spread", parts[0][0], parts[-1][0])]
    passed = [day for day in business_days(first, parts[0][0], calendar) if day < parts[0][0]]
    return [Note("full", passed[0], passed[-1])] if passed else []
