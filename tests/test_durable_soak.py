"""The durable matcher under threads, after fork, over reloads and thousands of carts: right, and flat in memory."""

import faulthandler
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from random import Random

import pytest

from rules import durable
from rules.durable import CheckedMatcher, DurableMatcher
from rules.in_force import RulesInForce, rules_in_force
from rules.matching import INDEXED
from support.random_rules import DAY, facts_of, random_cart, random_ruleset

pytestmark = pytest.mark.usefixtures("durable_engine")

TESTS = Path(__file__).parent
CHECKED = CheckedMatcher(DurableMatcher(deadline=60), INDEXED)


def ask(rules: RulesInForce, seed: int, carts: int) -> int:
    """Ask about random carts, early and late; the matches. Raises when the matchers disagree."""
    random = Random(seed)
    pairs = 0
    for _ in range(carts):
        wanted = random_cart(random, 5)
        for late in (False, True):
            pairs += sum(map(len, CHECKED.match(rules, facts_of(wanted, random, late), late)))
    return pairs


def in_threads(number: int, work: Callable[[int], int]) -> list[int]:
    """Run `work(n)` in threads that start together; the first error is raised here."""
    start = threading.Barrier(number)
    answers: list[int] = []
    errors: list[BaseException] = []

    def run(place: int) -> None:
        start.wait()
        try:
            answers.append(work(place))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers


@pytest.fixture
def hurried() -> object:
    """Threads change places a thousand times more often than usual, so that they do meet between two calls."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hurried")
def test_eight_threads_on_one_rule_set_agree_with_the_indexed_matcher() -> None:
    rules = rules_in_force(random_ruleset(Random(1), 200), DAY)  # its networks are built in the race too
    assert all(pairs > 100 for pairs in in_threads(8, lambda place: ask(rules, place, carts=60)))


@pytest.mark.usefixtures("hurried")
def test_eight_threads_while_rule_sets_come_and_go() -> None:
    def work(place: int) -> int:
        return sum(
            ask(rules_in_force(random_ruleset(Random(reload), 70), DAY), place, carts=3)
            for reload in range(12)
        )

    assert all(pairs > 0 for pairs in in_threads(8, work))


def in_child(work: Callable[[], int]) -> int:
    """The exit status of a forked child that does `work`: 0 when it matched something and nothing was raised."""
    child = os.fork()
    if not child:
        status = 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            status = 0 if work() > 0 else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.usefixtures("hurried")
def test_the_soak_notices_carts_that_share_a_state_in_the_engine() -> None:
    """The control, in a child, for without lock and own state ids the engine crashes as well as answers wrongly."""
    rules = rules_in_force(random_ruleset(Random(1), 200), DAY)

    class Open:
        def __enter__(self) -> None: ...
        def __exit__(self, *failure: object) -> None: ...

    def race() -> int:
        faulthandler.disable()
        ask(rules, 0, carts=1)
        durable._sids = repeat(1)  # type: ignore[assignment]
        for networks in rules.networks.values():
            for network in networks._built.values():
                network._lock = Open()
        return sum(in_threads(8, lambda place: ask(rules, place, carts=60)))

    assert in_child(race) != 0


def test_parent_and_child_are_right_after_a_fork() -> None:
    rules = rules_in_force(random_ruleset(Random(2), 150), DAY)
    before = ask(rules, 5, carts=10)
    parents = rules.networks[False]
    assert [in_child(lambda: ask(rules, 5, carts=10)) for _ in range(3)] == [0, 0, 0]
    assert ask(rules, 5, carts=10) == before
    assert rules.networks[False] is parents


def test_a_child_does_not_wait_for_a_lock_that_was_held_at_the_fork() -> None:
    rules = rules_in_force(random_ruleset(Random(2), 50), DAY)
    ask(rules, 5, carts=1)
    network = next(iter(rules.networks[False]._built.values()))
    with network._lock:
        assert in_child(lambda: ask(rules, 5, carts=3)) == 0


def resident() -> int:
    """Bytes of memory in use now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def growth_over_reloads(reloads: int, keeping: bool) -> int:
    """Memory gained by reloads after 20 others; `keeping` holds on to every rule set, as a leak would."""
    ruleset = random_ruleset(Random(3), 150)
    kept = []

    def reload() -> None:
        ruleset.compiled.clear()
        rules = rules_in_force(ruleset, DAY)
        ask(rules, 1, carts=2)
        if keeping:
            kept.append(rules)

    for _ in range(20):
        reload()
    before = resident()
    for _ in range(reloads):
        reload()
    return resident() - before


def growth_over_carts() -> int:
    """Memory gained by 3,000 carts after 300."""
    rules = rules_in_force(random_ruleset(Random(4), 100), DAY)
    ask(rules, 1, carts=300)
    before = resident()
    ask(rules, 2, carts=3000)
    return resident() - before


def alone(call: str) -> int:
    """The answer of a function of this file in a new process, whose memory has no gaps that others left."""
    code = f"import test_durable_soak as here; print(here.{call})"
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    return int(answer.stdout)


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")


@needs_proc
def test_memory_stays_flat_over_two_hundred_reloads() -> None:
    assert alone("growth_over_reloads(200, keeping=False)") < 5_000_000
    assert alone("growth_over_reloads(20, keeping=True)") > 20_000_000  # the control: it can be seen


@needs_proc
def test_memory_stays_flat_over_thousands_of_carts() -> None:
    assert alone("growth_over_carts()") < 3_000_000


def test_networks_are_given_back_as_soon_as_a_rule_set_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[int] = []
    deleted: list[int] = []
    create, delete = durable.engine.create_ruleset, durable.engine.delete_ruleset

    class Counting:
        error = durable.engine.error

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def create_ruleset(self, name: str, definition: str) -> int:
            created.append(create(name, definition))
            return created[-1]

        def delete_ruleset(self, handle: int) -> None:
            deleted.append(handle)
            delete(handle)

    real = durable.engine
    monkeypatch.setattr(durable, "engine", Counting())
    gc.disable()  # nothing may wait for a full collection
    try:
        ruleset = random_ruleset(Random(5), 150)
        ask(rules_in_force(ruleset, DAY), 1, carts=1)
        assert created
        assert not deleted
        del ruleset
        assert sorted(deleted) == sorted(created)
    finally:
        gc.enable()
