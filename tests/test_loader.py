"""Plugins come through one door, and a broken one costs its own option only."""

import logging
import threading
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plugins import Available, Hidden, Money, PaymentView, Place, RateRequest, Result
from plugins.contract import CheckoutContext
from plugins.guard import Answer, Failure, Guard
from plugins.loader import BUILT_IN, Plugin, Plugins, installed_ids, load
from support import plugin_package
from support.plugin_package import install, shipping_source

FLAT = {"flat_rate": {"enabled": True, "price_minor": 500}}
REQUEST = RateRequest(
    Place("JP", "JP-27"), Place("JP", "JP-13"), (), (), Money(1000, "JPY"), date(2026, 11, 20), "JPY"
)
CONTEXT = CheckoutContext(None, Money(1100, "JPY"), Money(1000, "JPY"), date(2026, 11, 20))
PAYMENT = PaymentView("7", "A-10001", Money(1100, "JPY"), "created", date(2026, 11, 20))


def standing(plugins: Plugins, name: str) -> Plugin:
    return next(each for each in plugins.installed if each.id == name)


def with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, **options: Any
) -> Plugins:
    """Load flat_rate and one outside plugin called `name`."""
    monkeypatch.syspath_prepend(str(install(tmp_path / name, name, source)))
    return load(FLAT | {name: {"enabled": True}}, load_seconds=2, quote_seconds=1, **options)


def assert_flat_rate_still_quotes(plugins: Plugins) -> None:
    answer = plugins.quote("flat_rate", REQUEST)
    assert isinstance(answer, Answer)
    assert answer.value[0].price == Money(500, "JPY")  # type: ignore[index]


def test_register_payment_providers_brings_a_provider_from_an_outside_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(plugin_package.SAMPLE))
    plugins = load({"outside_invoice": {"enabled": True, "most_minor": 2000}})
    assert standing(plugins, "outside_invoice").distribution == "outside-invoice"
    assert standing(plugins, "outside_invoice").state == "active"
    assert plugins.availability("outside_invoice", CONTEXT) == Answer(Available())
    answer = plugins.start("outside_invoice", PAYMENT, key="7:start:1", return_url="https://shop/")
    assert answer == Answer(Result("authorized", "OUT-7:start:1", PAYMENT.amount, "7:start:1"))


def test_register_shipping_providers_brings_a_provider_from_an_outside_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shipping_source("bike", "return [Rate('bike', {'en': 'Bike'}, Money(300, 'JPY'))]")
    plugins = with_one(tmp_path, monkeypatch, "bike", source)
    answer = plugins.quote("bike", REQUEST)
    assert isinstance(answer, Answer)
    assert answer.value[0].price == Money(300, "JPY")  # type: ignore[index]


def test_built_ins_come_through_the_same_door() -> None:
    keys = {
        "stripe_checkout": {"api_key": "sk_test_1", "webhook_secrets": ["whsec_1"]},
        "carrier_callback": {"url": "https://rates.example.com/"},
        "event_webhooks": {"url": "https://erp.example.com/", "secret": "a-secret-of-24-characters"},
    }
    plugins = load(
        {name: {"enabled": True} | keys.get(name, {}) for name in BUILT_IN if name != "bank_transfer"}
    )
    assert {each.id for each in plugins.installed if each.state == "active"} == set(BUILT_IN) - {
        "bank_transfer"
    }
    assert set(BUILT_IN) <= installed_ids()


def test_what_stands_behind_the_door_of_a_checkout_is_what_a_wheel_brings() -> None:
    project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"]["koguchi"] == BUILT_IN


def test_installed_is_not_active_until_shop_toml_says_so() -> None:
    plugins = load({"flat_rate": {"enabled": False}, "net_terms": {}})
    assert plugins.payments == {}
    assert plugins.shipping == {}
    assert {each.state for each in plugins.installed} == {"off"}


def test_order_is_priority_then_id() -> None:
    tables: dict[str, dict[str, Any]] = {
        "net_terms": {"enabled": True},
        "dummy": {"enabled": True},
        "bank_transfer": {"enabled": True, "priority": 10}
        | dict.fromkeys(("bank", "branch", "account", "holder"), "x"),
    }
    assert list(load(tables).payments) == ["bank_transfer", "dummy", "net_terms"]


def test_an_enabled_plugin_that_is_not_installed_is_named_with_the_nearest_one() -> None:
    plugins = load({"net_term": {"enabled": True}})
    assert "did you mean net_terms?" in str(standing(plugins, "net_term").error)


def test_wrong_settings_name_the_key_and_never_print_the_value(caplog: pytest.LogCaptureFixture) -> None:
    plugins = load({"bank_transfer": {"enabled": True, "bank": "", "accuont": "hush-hush"}})
    plugin = standing(plugins, "bank_transfer")
    assert plugin.state == "failed"
    assert "bank: String should have at least 1 character" in str(plugin.error)
    assert "accuont: Extra inputs are not permitted" in str(plugin.error)
    assert "hush-hush" not in str(plugin.error) + caplog.text + repr(plugin)


BROKEN_AT_START = {
    "import_error": ("import no_such_module_anywhere\n", "ModuleNotFoundError"),
    "exits": ("raise SystemExit(3)\n", "tried to end the process (SystemExit)"),
    "hangs": ("import threading\nthreading.Event().wait(30)\n", "DeadlineError: no answer within"),
    "wrong_api": ("PLUGIN_API = 2\n", "asks for plugin API 2, this shop has 1"),
    "no_api": ("x = 1\n", "write PLUGIN_API = 1 in it"),
    "no_hook": ("PLUGIN_API = 1\n", "has no function marked @hookimpl"),
    "misspelled": (
        "from plugins import hookimpl\nPLUGIN_API = 1\n@hookimpl\ndef register_shiping_providers(): return []\n",
        "there is no hook register_shiping_providers; did you mean register_shipping_providers?",
    ),
    "wrong_argument": (
        "from plugins import hookimpl\nPLUGIN_API = 1\n@hookimpl\n"
        "def register_shipping_providers(app): return []\n",
        "app",
    ),
    "nothing": (
        "from plugins import hookimpl\nPLUGIN_API = 1\n@hookimpl\ndef register_shipping_providers(): return []\n",
        "brings one provider, this one brought 0",
    ),
    "no_class": (
        "from plugins import hookimpl\nPLUGIN_API = 1\n@hookimpl\ndef register_shipping_providers(): return [7]\n",
        "is not a class",
    ),
    "hook_raises": (
        "from plugins import hookimpl\nPLUGIN_API = 1\n@hookimpl\ndef register_shipping_providers(): 1/0\n",
        "ZeroDivisionError",
    ),
    "other_id": (shipping_source("someone_else", "return []"), "its id is 'someone_else'"),
    "half": (
        shipping_source("half", "return []").replace("def quote", "def quoted"),
        "Provider lacks quote",
    ),
}


@pytest.mark.parametrize("name", BROKEN_AT_START)
def test_a_plugin_that_cannot_start_is_listed_with_its_reason_and_the_others_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, reason = BROKEN_AT_START[name]
    plugins = with_one(tmp_path, monkeypatch, name, source)
    plugin = standing(plugins, name)
    assert plugin.state == "failed"
    assert reason in str(plugin.error)
    assert (plugin.distribution, plugin.version) == (f"{name}_package", "2.3")
    assert_flat_rate_still_quotes(plugins)


BROKEN_IN_CALLS = {
    "raises": ("1 / 0", "raised"),
    "never_answers": ("threading.Event().wait(30)", "timeout"),
    "quits": ("raise SystemExit(1)", "raised"),
    "says_none": ("return None", "nonsense"),
    "says_text": ("return 'cheap'", "nonsense"),
    "says_nothing": ("return []", "nonsense"),
    "says_float": ("return [Rate('x', {'en': 'X'}, 9.5)]", "nonsense"),
    "below_zero": ("return [Rate('x', {'en': 'X'}, Money(-1, 'JPY'))]", "nonsense"),
    "other_currency": ("return [Rate('x', {'en': 'X'}, Money(1, 'USD'))]", "nonsense"),
    "no_reason": ("return Unavailable(None)", "nonsense"),
}


@pytest.mark.parametrize("name", BROKEN_IN_CALLS)
def test_a_plugin_that_fails_while_quoting_loses_its_own_option_only(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    body, kind = BROKEN_IN_CALLS[name]
    with caplog.at_level(logging.ERROR, "koguchi.plugins"):
        plugins = with_one(tmp_path, monkeypatch, name, shipping_source(name, body))
        answer = plugins.quote(name, REQUEST)
    assert isinstance(answer, Failure)
    assert answer.kind == kind
    assert name in caplog.text
    assert standing(plugins, name).last_failure == answer
    assert_flat_rate_still_quotes(plugins)


@pytest.mark.parametrize("outcome", ["raises", "hangs", "exits", "none"])
def test_a_payment_start_that_fails_is_unknown_not_declined(outcome: str) -> None:
    plugins = load({"dummy": {"enabled": True, "outcome": outcome, "hang_seconds": 30}}, slow_seconds=0.2)
    answer = plugins.start("dummy", PAYMENT, key="7:start:1", return_url="https://shop/")
    assert isinstance(answer, Failure)


def test_after_three_failures_in_a_row_a_plugin_rests_and_is_then_tried_again() -> None:
    ticks = [0.0]
    guard = Guard("shaky", allowed=3, rest=30, ticks=lambda: ticks[0])
    calls: list[int] = []

    def fail() -> int:
        calls.append(1)
        raise RuntimeError("no")

    for _ in range(5):
        guard.call("quote", fail, seconds=1)
    assert len(calls) == 3
    assert guard.last is not None
    assert guard.call("quote", lambda: 1, seconds=1) == Failure(
        "shaky", "quote", "resting", "resting after repeated failures"
    )
    ticks[0] = 31.0
    assert guard.call("quote", lambda: 1, seconds=1) == Answer(1)
    guard.call("quote", fail, seconds=1)
    assert guard.call("quote", lambda: 2, seconds=1) == Answer(2)


def test_of_two_plugins_with_one_id_the_shops_own_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shipping_source("flat_rate", "return [Rate('x', {'en': 'X'}, Money(1, 'JPY'))]")
    plugins = with_one(tmp_path, monkeypatch, "flat_rate", source)
    thief = next(each for each in plugins.installed if each.distribution == "flat_rate_package")
    assert thief.state == "failed"
    assert "taken" in str(thief.error)


def test_guards_serve_threads_at_once() -> None:
    plugins = load({"net_terms": {"enabled": True}})
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(plugins.availability("net_terms", CONTEXT)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [Answer(Hidden())] * 16
