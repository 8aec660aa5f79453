"""The contract kit: every built-in passes it, it finds each planted bug, and what it cannot try it says."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.testing import MissingPartError, Subject, asking, payments, shipping
from support import kit_built_in
from support import kit_carriers as carriers
from support.kit_broken import BROKEN, Hanging
from support.kit_subjects import GOOD, GOOD_LATER, subject

PAYMENTS = {**kit_built_in.PAYMENTS, "good": GOOD, "good_later": GOOD_LATER}


# These two look at quickness and at what was installed: see test_a_provider_that_hangs_is_given_up and test_packaging.
WITHOUT_A_BUG = {"test_availability_and_fee_are_quick", "test_an_installed_shop_takes_it"}


def kit(module: Any) -> dict[str, Callable[[Any], None]]:
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and inspect.isfunction(test)
    }


def outcome(test: Callable[[Any], None], whom: Any) -> str:
    """passed, left out, or what went wrong."""
    try:
        test(whom)
    except MissingPartError:
        return "left out"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "passed"


@pytest.mark.parametrize("name", PAYMENTS)
def test_every_payment_provider_of_ours_keeps_every_promise(name: str) -> None:
    assert broken_promises(payments, PAYMENTS[name]) == {}


def broken_promises(module: Any, whom: Any) -> dict[str, str]:
    found = {test: outcome(function, whom) for test, function in kit(module).items()}
    return {test: said for test, said in found.items() if said not in ("passed", "left out")}


@pytest.mark.parametrize("name", kit_built_in.SHIPPING)
def test_every_shipping_provider_of_ours_keeps_every_promise(name: str) -> None:
    assert broken_promises(shipping, getattr(kit_built_in, name)) == {}


def test_the_good_provider_is_asked_everything() -> None:
    """The control of the next test: no promise is left out for a provider with all parts."""
    both = [set(left_out(GOOD)), set(left_out(GOOD_LATER))]
    assert both[0] & both[1] == {
        "test_an_installed_shop_takes_it",
        "test_who_cannot_refund_a_part_refuses_a_part",
    }


def left_out(whom: Subject) -> list[str]:
    return [test for test, function in kit(payments).items() if outcome(function, whom) == "left out"]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__)
def test_each_planted_bug_is_found_by_the_test_of_its_promise(broken: type) -> None:
    test, build = BROKEN[broken]
    said = outcome(kit(payments)[test], build(broken))
    assert said not in ("passed", "left out")
    assert "to mend it: " in said, "it teaches nothing"


def test_every_promise_has_a_planted_bug() -> None:
    assert set(kit(payments)) - {test for test, _ in BROKEN.values()} == WITHOUT_A_BUG


def test_a_provider_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.01)
    said = outcome(kit(payments)["test_start_twice_with_one_key_is_one_payment"], subject(Hanging))
    assert "give every call over the network a timeout" in said


# --- shipping


def test_the_good_carrier_is_asked_everything() -> None:
    found = {test: outcome(function, carriers.carrier()) for test, function in kit(shipping).items()}
    assert {test for test, said in found.items() if said != "passed"} == {"test_an_installed_shop_takes_it"}


@pytest.mark.parametrize("broken", carriers.BROKEN, ids=lambda one: one.__name__)
def test_each_planted_bug_of_a_carrier_is_found(broken: type) -> None:
    said = outcome(kit(shipping)[carriers.BROKEN[broken]], carriers.carrier(broken))
    assert said not in ("passed", "left out")
    assert "to mend it: " in said, "it teaches nothing"


def test_every_promise_of_a_carrier_has_a_planted_bug() -> None:
    assert set(kit(shipping)) - set(carriers.BROKEN.values()) == {"test_an_installed_shop_takes_it"}


# --- as its users run it


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "plugins.testing.options",
        "-p",
        "no:cacheprovider",
        "-q",
        *words,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


OUTSIDE = """
from plugins import Available, Capability, Config, Result

class Settings(Config):
    pass

class Mine:
    id = "mine"
    label = {"ja": "わたしの決済", "en": "Mine"}
    capabilities = Capability.CAPTURE
    config = Settings
    def __init__(self, settings): pass
    def availability(self, ctx): return Available()
    def fee(self, ctx): return None
    def start(self, payment, *, key, return_url): return Result("captured", key, payment.amount, key)
    def fetch(self, payment):
        state = "captured" if payment.provider_ref else "pending"
        return Result(state, payment.provider_ref, payment.amount, "")
    def capture(self, payment, amount, *, key): return Result("captured", payment.id, amount, key)
    def void(self, payment, *, key): return Result("failed", payment.id, payment.amount, key)
    def refund(self, payment, amount, *, key, reason): return Result("failed", payment.id, amount, key)
    def parse_webhook(self, raw): return []
"""


def test_the_kit_runs_from_the_command_line_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(OUTSIDE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parent.parent}")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # an installed shop brings the option by itself
    done = run("-rs", "--pyargs", "plugins.testing.payments", "--provider", "mine:Mine", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "give the kit Subject.decline to run this test" in done.stdout
    wrong = run("--pyargs", "plugins.testing.payments", "--provider", "mine", folder=tmp_path)
    assert wrong.returncode != 0
    assert "write it as package.module:ProviderClass" in wrong.stdout + wrong.stderr
