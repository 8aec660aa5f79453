"""Many buyers at once, in real processes that begin at one moment; and the starter of them.

Each process is a fork of one that has loaded the shop and opened nothing: loading takes longer than what a buyer does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from support import without

HERE = Path(__file__).resolve()


def together(
    folder: Path,
    database_url: str,
    tasks: Sequence[dict[str, Any]],
    *,
    processes: int = 4,
    threads: int = 4,
    **options: Any,
) -> list[dict[str, Any]]:
    """Give the tasks out to so many processes with so many threads each, let them go at once, collect the answers."""
    shares = [list(tasks[number::processes]) for number in range(processes)]
    running = [begin(folder, database_url, share, threads=threads, **options) for share in shares if share]
    for process in running:
        wait_until_warm(process)
    for process in running:
        go(process)
    answers: list[dict[str, Any]] = []
    for process in running:
        out, errors = process.communicate(timeout=60)
        if process.returncode:
            raise AssertionError(errors[-3000:])
        answers += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return answers


class Begun:
    """A process of the crowd, with the face of a subprocess.Popen."""

    def __init__(self, job: dict[str, Any]) -> None:
        their_in, our_in = multiprocessing.Pipe(duplex=False)
        our_out, their_out = multiprocessing.Pipe(duplex=False)
        our_errors, their_errors = multiprocessing.Pipe(duplex=False)
        theirs = (their_in, their_out, their_errors)
        self._process = _stem().Process(target=_born, args=(job, *theirs))
        self._process.start()
        for end in theirs:
            end.close()
        self.stdin = os.fdopen(os.dup(our_in.fileno()), "w", encoding="utf-8")
        self.stdout = os.fdopen(os.dup(our_out.fileno()), "r", encoding="utf-8")
        self.stderr = os.fdopen(os.dup(our_errors.fileno()), "r", encoding="utf-8")
        for end in (our_in, our_out, our_errors):
            end.close()
        self._is_late = False

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """What it has yet to say, when it has ended. Raises subprocess.TimeoutExpired."""
        watch = threading.Timer(timeout, self._end_late)
        watch.start()
        with suppress(BrokenPipeError):
            self.stdin.close()
        with self.stdout, self.stderr:
            said = self.stdout.read(), self.stderr.read()
        self._process.join()
        watch.cancel()
        if self._is_late:
            raise subprocess.TimeoutExpired("one of the crowd", timeout, *said)
        return said

    def kill(self) -> None:
        self._process.kill()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def _end_late(self) -> None:
        self._is_late = True
        self.kill()


@cache
def _stem() -> Any:
    """The process that all others are forks of, one for each process of the tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.stem"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE.parents[2]), str(HERE.parents[1])]))
        forkserver.ensure_running()
    return context


def begin(folder: Path, database_url: str, tasks: Sequence[dict[str, Any]], **job: Any) -> Begun:
    """Start one process; it warms up, says so, and waits for the word to go."""
    return Begun(job | {"folder": str(folder), "database": database_url, "tasks": list(tasks)})


def wait_until_warm(process: Begun) -> None:
    if process.stdout.readline().strip() != "ready":
        raise AssertionError(process.communicate()[1][-3000:])


def go(process: Begun) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


# ---- inside a process


def _born(job: dict[str, Any], *ends: Connection) -> None:
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin = os.fdopen(0)  # multiprocessing has put another there
    main(job)


def main(job: dict[str, Any]) -> None:
    from support.shop import open_app

    app = open_app(Path(job["folder"]), database_url=job["database"], **job.get("settings", {}))
    # These tests are about locks: a crowd on two cores must not run into the deadlines of plugins.
    app.extensions["koguchi"].plugins.quote_seconds = app.extensions["koguchi"].plugins.pure_seconds = 10.0
    if job.get("stripe"):
        from support.stripe_line import PATIENCE, connect

        connect(app, job["stripe"], job.get("patience", PATIENCE))
    look = _Look(app)
    if job.get("minutes"):
        app.extensions["koguchi"].clock.forward(minutes=job["minutes"])
    if job.get("unlocked"):
        without.locks(app)
    if job.get("without"):
        getattr(without, job["without"])(job)
    if job.get("meet"):
        meet_at(job["meet"], job["threads"])
    if job.get("die"):
        die_at(job["die"])
    prepared = [look.prepare(task) for task in job["tasks"]]
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(job.get("threads", 1)) as pool:
        for answer in pool.map(look.do, prepared):
            print(json.dumps(answer), flush=True)


def die_at(name: str) -> None:
    """Replace a function of the shop by SIGKILL of this process: "module:function"."""
    from importlib import import_module

    module, _, function = name.partition(":")
    setattr(import_module(module), function, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))


def meet_at(name: str, parties: int) -> None:
    """Let all threads come to a function before any goes on; where a lock keeps one out, the others go on alone."""
    from importlib import import_module

    module, _, function = name.partition(":")
    real, barrier = getattr(import_module(module), function), threading.Barrier(parties)

    def wait_and_go_on(*args: Any, **kwargs: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=1)
        return real(*args, **kwargs)

    setattr(import_module(module), function, wait_and_go_on)


class _Look:
    """One buyer after another: each has looked at the page before the start, as people do."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._seen: dict[str, str] = {}

    def prepare(self, task: dict[str, Any]) -> dict[str, Any]:
        """What a buyer saw; all buyers of these tests have the same prices, so one look serves for equal carts."""
        from support.ordering import look

        if task["do"] != "place":
            return task
        way = task.get("payment", "bank_transfer")
        tier = task.get("lead_time")
        cart = json.dumps([task["lines"], way, tier])
        if cart not in self._seen:
            with self.app.app_context():
                seen = look(task["login"], task["lines"], payment=way, lead_time=tier)
                self._seen[cart] = seen.priced.fingerprint
        return task | {"fingerprint": self._seen[cart]}

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        from storefront import stock
        from storefront.database import retrying, write
        from storefront.orders.moves import move
        from support.ordering import place

        try:
            with self.app.app_context():
                if task["do"] == "place":
                    outcome: Any = place(
                        task["login"], task["lines"], payment=task.get("payment", "bank_transfer"),
                        key=task.get("key"), fingerprint=task["fingerprint"], lead_time=task.get("lead_time"),
                    )  # fmt: skip
                elif task["do"] == "move":

                    def act() -> Any:
                        with write() as session:
                            return move(session, task["order"], task["to"], task.get("actor", "crowd"))

                    outcome = retrying(act)()
                elif task["do"] == "count":

                    def act() -> Any:
                        with write() as session:
                            return stock.adjust(
                                session, task["product"], task["on_hand"], actor="owner", reason="count"
                            )

                    outcome = retrying(act)()
                elif task["do"] == "save":
                    from storefront.shop_folder.files import save

                    outcome = save(
                        self.app.extensions["koguchi"], task["path"], task["text"],
                        expected=task["expected"], actor="owner@example.com", reason=task.get("reason", ""),
                    )  # fmt: skip
                elif task["do"] == "save_plugin":
                    from storefront.plugins.settings import save as save_plugin

                    outcome = save_plugin(
                        self.app.extensions["koguchi"], task["plugin"], task["changes"],
                        expected=task["expected"], actor="owner@example.com", reason="",
                    )  # fmt: skip
                elif task["do"] == "post":
                    answer = self.app.test_client().post(
                        task["path"], data=task["body"], headers=task["headers"]
                    )
                    return {"outcome": answer.status_code}
                elif task["do"] == "refund":
                    from storefront.payments.refunds import refund

                    outcome = refund(task["payment"], task["amount"], "", "owner@example.com")
                elif task["do"] == "look_after":
                    from storefront.payments.reconcile import look_after

                    outcome = look_after()
                else:
                    from storefront.jobs import run_due

                    outcome = run_due()
            answer = {
                "outcome": type(outcome).__name__,
                "code": getattr(outcome, "code", ""),
                "number": getattr(outcome, "number", ""),
                "state": getattr(outcome, "state", ""),
            }
        except Exception as error:  # what a page would have answered with 500
            answer = {
                "outcome": "error",
                "code": f"{type(error).__name__}: {error}"[:500],
                "number": "",
                "state": "",
            }
        return answer | {"to": task.get("to", "")}
