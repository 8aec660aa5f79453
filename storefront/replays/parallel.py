"""A comparison over processes: each reads and evaluates a share of the orders, and the shares are merged.

The result is the same bytes for any number of processes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from rules import Ruleset
from rules.comparison import Comparison, merged
from rules.past_order import PastOrder
from rules.side_by_side import SideBySide

TOLD_EVERY = 50  # orders
FEWEST = 100  # orders that are worth a process of their own
CHUNK = 100  # orders dealt at a time, so that each share has old and new ones

Told = Callable[[int, int], None]  # orders done, orders in all


class ShareFailedError(Exception):
    """A process ended without its share."""


@dataclass(frozen=True, slots=True)
class FromDatabase:
    """Orders by their ids; every process opens the database for itself."""

    url: str
    ids: Sequence[int]
    currency: str

    def __len__(self) -> int:
        return len(self.ids)

    def share(self, place: int, of: int) -> FromDatabase:
        return replace(self, ids=_dealt(self.ids, place, of))

    def orders(self) -> Iterator[PastOrder]:
        from storefront.database import open_databases
        from storefront.past.orders import Wanted, from_database

        engine = open_databases(self.url).reading
        try:
            with engine.connect() as connection:
                yield from from_database(connection, self.currency, Wanted(only=frozenset(self.ids)))
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class FromMemory:
    """Orders that have been read already."""

    known: Sequence[PastOrder]

    def __len__(self) -> int:
        return len(self.known)

    def share(self, place: int, of: int) -> FromMemory:
        return FromMemory(_dealt(self.known, place, of))

    def orders(self) -> Iterator[PastOrder]:
        return iter(self.known)


Source = FromDatabase | FromMemory


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compare_orders(
    live: Ruleset, draft: Ruleset, source: Source, jobs: int = 1, told: Told = lambda done, total: None
) -> Comparison:
    """`rules.replay.compare` over so many processes. `told` hears how far they are."""
    jobs = max(1, min(jobs, len(source) // FEWEST))
    if jobs == 1:
        with rare_collection():
            return _share(live, draft, source.orders(), lambda done: told(done, len(source)))
    return merged(_in_processes(live, draft, source, jobs, told))


def _share(
    live: Ruleset, draft: Ruleset, orders: Iterable[PastOrder], told: Callable[[int], None]
) -> Comparison:
    found = SideBySide(live, draft)
    for done, order in enumerate(orders, start=1):
        found.add(order)
        if not done % TOLD_EVERY:
            told(done)
    return found.found


def _in_processes(live: Ruleset, draft: Ruleset, source: Source, jobs: int, told: Told) -> list[Comparison]:
    # Linux forks, and the rules are there at once; elsewhere they are sent to a fresh interpreter, without what
    # was compiled from them.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pair = [replace(one, compiled={}) for one in (live, draft)]
    gc.freeze()  # what is here already is not copied page by page when a collector marks it
    workers: dict[Connection, Any] = {}
    try:
        for place in range(jobs):
            ours, theirs = context.Pipe(duplex=False)
            worker = context.Process(
                target=_work, args=(theirs, *pair, source.share(place, jobs)), daemon=True
            )
            worker.start()
            theirs.close()
            workers[ours] = worker
        return _gathered(workers, len(source), told)
    finally:
        gc.unfreeze()
        for connection, worker in workers.items():
            connection.close()
            worker.terminate()
            worker.join()


def _gathered(workers: dict[Connection, Any], total: int, told: Told) -> list[Comparison]:
    done = dict.fromkeys(workers, 0)
    found: list[Comparison] = []
    open_ones = set(workers)
    while open_ones:
        for ready in wait(list(open_ones)):
            assert isinstance(ready, Connection)
            try:
                message = ready.recv()
            except EOFError:
                raise ShareFailedError(f"a process ended early, code {workers[ready].exitcode}") from None
            if isinstance(message, int):
                done[ready] = message
                told(sum(done.values()), total)
                continue
            open_ones.discard(ready)
            if isinstance(message, str):
                raise ShareFailedError(message)
            found.append(message)
    return found


def _work(answer: Connection, live: Ruleset, draft: Ruleset, source: Source) -> None:
    """In the process: sends how far it is, then its share, or why there is none."""
    try:
        with rare_collection():
            found = _share(live, draft, source.orders(), answer.send)
        answer.send(found)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}")
    finally:
        answer.close()


def _dealt(things: Sequence[Any], place: int, of: int) -> list[Any]:
    return [
        one
        for start in range(place * CHUNK, len(things), of * CHUNK)
        for one in things[start : start + CHUNK]
    ]


@contextmanager
def rare_collection() -> Iterator[None]:
    """Millions of small records without a circle among them: looking for circles as often as usual costs a third."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
