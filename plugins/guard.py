"""Calls into plugins: each with a deadline, a log line and a circuit breaker.

A raise, a hang, SystemExit or nonsense comes back as a record and costs that plugin's own option only.
It cannot stop a hanging thread or limit memory: a plugin runs in the shop's own process.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
log = logging.getLogger("koguchi.plugins")

HIDDEN = "***"
RECENT = 10  # failures that a guard keeps for the desk
Kind = Literal["raised", "timeout", "nonsense", "resting"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave nothing usable. For the outcome of a payment this means unknown, not refused."""

    plugin: str
    what: str
    kind: Kind
    detail: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    value: T


class DeadlineError(Exception):
    """The deadline passed; the thread is left behind."""


def bounded(function: Callable[[], T], seconds: float) -> T:
    """Run in a daemon thread and wait at most `seconds`; SystemExit inside becomes a RuntimeError here.

    A daemon thread, because a pool waits for its threads when the process ends.
    """
    box: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            box.append((True, function()))
        except BaseException as error:  # SystemExit and MemoryError of a plugin must not pass either
            box.append((False, error))

    thread = threading.Thread(target=run, daemon=True, name="plugin-call")
    thread.start()
    thread.join(seconds)
    if not box:
        raise DeadlineError(f"no answer within {seconds:g} s")
    well, value = box[0]
    if well:
        return value  # type: ignore[no-any-return]
    if isinstance(value, Exception):
        raise value
    raise RuntimeError(f"the plugin tried to end the process ({type(value).__name__})")


def words_of(error: BaseException) -> str:
    """What an exception says, also one whose own words raise, exit or do not end."""
    name = type(error).__name__
    try:
        told = bounded(lambda: str(error), 1.0)
    except Exception:
        return name
    return f"{name}: {told}"


class Guard:
    """The calls of one plugin. After `allowed` failures in a row it rests `rest` seconds."""

    def __init__(
        self,
        plugin: str,
        *,
        allowed: int = 3,
        rest: float = 30.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plugin = plugin
        self.allowed, self.rest, self._ticks = allowed, rest, ticks
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._until = 0.0
        self.last: Failure | None = None
        self.failures = 0
        self.recent: deque[tuple[datetime, Failure]] = deque(maxlen=RECENT)
        self.tell: Callable[[Failure], None] | None = None  # called at every failure; must not raise
        self.hidden: frozenset[str] = frozenset()  # secrets of the plugin, which no failure may repeat
        self._main: Guard = self

    def beside(self, allowed: int | None = None) -> Guard:
        """A breaker of its own that notes its failures here: events that fail must not close the checkout."""
        other = Guard(self.plugin, allowed=allowed or self.allowed, rest=self.rest, ticks=self._ticks)
        other._main = self
        return other

    @property
    def resting(self) -> float:
        """Seconds until it is called again; 0 when it is not resting."""
        with self._lock:
            return max(self._until - self._ticks(), 0.0)

    def call(
        self,
        what: str,
        function: Callable[[], T],
        *,
        seconds: float,
        check: Callable[[T], str | None] = lambda _: None,
    ) -> Answer[T] | Failure:
        """The checked answer, or why there is none. `check` returns what is wrong with an answer, or None."""
        with self._lock:
            if self._ticks() < self._until:
                return Failure(self.plugin, what, "resting", "resting after repeated failures")

        def checked() -> tuple[T, str | None]:  # the check looks into objects that the plugin made
            value = function()
            if inspect.iscoroutine(value):
                value.close()  # it would complain later, in the midst of something else
                return value, "is async: write a plain def that returns its answer"
            return value, check(value)

        try:
            value, wrong = bounded(checked, seconds)
        except DeadlineError as late:
            return self.failed(what, "timeout", str(late))
        except Exception as error:
            return self.failed(what, "raised", words_of(error)[:300])
        if wrong:
            return self.failed(what, "nonsense", wrong)
        with self._lock:
            self._in_a_row = 0
        return Answer(value)

    def failed(self, what: str, kind: Kind, detail: str) -> Failure:
        """Record, log and tell a failure, without the plugin's own secrets."""
        main = self._main
        for secret in main.hidden:
            detail = detail.replace(secret, HIDDEN)
        failure = Failure(self.plugin, what, kind, detail)
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self.allowed:
                self._until = self._ticks() + self.rest
        with main._lock:
            main.failures += 1
            main.last = failure
            main.recent.append((datetime.now(UTC), failure))
        log.error("plugin %s: %s %s: %r", self.plugin, what, kind, detail)
        if main.tell is not None:
            main.tell(failure)
        return failure
