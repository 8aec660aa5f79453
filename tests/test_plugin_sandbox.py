"""A shop with every kind of broken plugin enabled at once: each is named and shown, and buyers order with the rest.

What cannot be contained in one process is said in docs/plugins.md: os._exit, a segmentation fault, memory without end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from plugins import Money, PaymentView, RawRequest
from plugins.guard import Answer, Failure, Guard
from plugins.loader import load
from storefront import cli
from support.plugin_package import install, payment_source, shipping_source
from support.shop import SHOP_TOML, START, make_app, seed, sign_in, write_shop
from test_checkout import add_address, confirm, fill, orders

INIT, SETTINGS = "        pass\n\n    def quote", "class Settings(Config):\n    pass"
GOOD = shipping_source("{name}", "return [Rate('x', self.label, Money(1, 'JPY'))]")
BAD_WORDS = '\nclass Odd(Exception):\n    def __str__(self): raise SystemExit("no words")\n'

# What a plugin may do while it is loaded, and a word of what the owner is told.
AT_LOAD = {
    "load_raises": ("1 / 0\n", "ZeroDivisionError"),
    "load_exits": ("import sys; sys.exit(3)\n", "tried to end the process (SystemExit)"),
    "load_interrupts": ("raise KeyboardInterrupt\n", "tried to end the process (KeyboardInterrupt)"),
    "load_base": ("class Stop(BaseException): pass\nraise Stop\n", "tried to end the process (Stop)"),
    "load_memory": ("raise MemoryError('all of it')\n", "MemoryError"),
    "load_recursion": ("def f(): f()\nf()\n", "RecursionError"),
    "load_syntax": ("def (:\n", "SyntaxError"),
    "load_import": ("import no_such_module_anywhere\n", "No module named 'no_such_module_anywhere'"),
    "load_name": ("from plugins import NoSuchRecord\n", "NoSuchRecord"),
    "load_no_words": (BAD_WORDS + "raise Odd\n", "Odd"),
    "load_api": ("PLUGIN_API = 2\n", "asks for plugin API 2, this shop has 1"),
    "load_no_api": ("x = 1\n", "write PLUGIN_API = 1 in it"),
    "load_no_hook": ("PLUGIN_API = 1\n", "no function marked @hookimpl"),
    "load_misspelled": (
        GOOD.replace("register_shipping", "register_shiping"),
        "did you mean register_shipping_providers?",
    ),
    "load_async_hook": (GOOD.replace("def register", "async def register"), "async"),
    "load_generator": (GOOD.replace("return [Provider]", "yield Provider"), "generator"),
    "load_not_a_list": (GOOD.replace("return [Provider]", "return Provider"), "not a list of classes"),
    "load_instance": (GOOD.replace("[Provider]", "[Provider(None)]"), "is not a class"),
    "load_other_id": (GOOD.replace('id = "{name}"', 'id = "x"'), "its id is 'x'"),
    "load_no_label": (GOOD.replace("label =", "labels ="), "label must be a table"),
    "load_half": (GOOD.replace("def quote", "def quoted"), "lacks quote"),
    "load_init_exits": (GOOD.replace(INIT, INIT.replace("pass", "raise SystemExit(4)")), "end the process"),
    "load_init_raises": (GOOD.replace(INIT, INIT.replace("pass", "{}['key']")), "KeyError"),
    "load_settings_exit": (
        GOOD.replace("class Settings(Config):\n    pass", "from pydantic import model_validator\n\n"
        "class Settings(Config):\n    @model_validator(mode='before')\n    def v(cls, data): raise SystemExit(5)"),
        "end the process",
    ),
    "load_wants_key": (GOOD.replace(SETTINGS, SETTINGS.replace("pass", "key: str")), "key: Field required"),
}  # fmt: skip

# What a shipping plugin may do in quote.
QUOTES = {
    "raises": "1 / 0",
    "exits": "raise SystemExit(1)",
    "interrupts": "raise KeyboardInterrupt",
    "base": "raise BaseException('all')",
    "memory": "raise MemoryError",
    "recursion": "self.quote(request)",
    "no_words": "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
    "hangs": "threading.Event().wait(20)",
    "none": "return None",
    "text": "return 'cheap'",
    "generator": "yield Rate('x', self.label, Money(1, 'JPY'))",
    "floats": "return [Rate('x', self.label, 9.5)]",
    "below_zero": "return [Rate('x', self.label, Money(-1, 'JPY'))]",
    "dollars": "return [Rate('x', self.label, Money(1, 'USD'))]",
    "immense": "return [Rate('x', self.label, Money(10**30, 'JPY'))]",
    "day_as_text": "return [Rate('x', self.label, Money(1, 'JPY'), earliest='soon', latest='later')]",
    "slots_as_numbers": "return [Rate('x', self.label, Money(1, 'JPY'), slots=(9, 12))]",
    "slots_are_none": "return [Rate('x', self.label, Money(1, 'JPY'), slots=None)]",
    "cutoff_is_number": "return [Rate('x', self.label, Money(1, 'JPY'), cutoff=15)]",
    "label_is_number": "return [Rate('x', {'ja': 5}, Money(1, 'JPY'))]",
    "odd_repr": "return type('Odd', (), {'__repr__': lambda self: 1 / 0})()",
    "exits_in_repr": "return type('Odd', (), {'__repr__': lambda self: exec('raise SystemExit')})()",
    "changes_the_request": "request.lines.clear()",
    "starts_and_raises": "threading.Thread(target=lambda: None, daemon=True).start(); 1 / 0",
    "prints_and_raises": "print('here I am'); 1 / 0",
}

# What a payment plugin may answer in start. Whoever pays with it is told that it is being confirmed.
STARTS = {
    "raises": "1 / 0",
    "exits": "raise SystemExit(1)",
    "interrupts": "raise KeyboardInterrupt",
    "memory": "raise MemoryError",
    "recursion": "return self.start(payment, key=key, return_url=return_url)",
    "no_words": "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
    "hangs": "threading.Event().wait(20)",
    "none": "return None",
    "table": "return {'status': 'captured'}",
    "generator": "yield Result('captured', 'x', payment.amount, key)",
    "other_key": "return Result('captured', 'x', payment.amount, 'another')",
    "float_amount": "return Result('captured', 'x', 12.5, key)",
    "odd_status": "return Result('perhaps', 'x', payment.amount, key)",
    "number_as_reference": "return Result('pending', 12345, payment.amount, key)",
    "endless_reference": "return Result('pending', 'x' * 100_000, payment.amount, key)",
    "immense": "return Result('pending', 'x', Money(10**30, 'JPY'), key)",
    "naive_time": "import datetime; return Result('pending', 'x', payment.amount, key, "
    "expires_at=datetime.datetime(2026, 11, 21))",
    "time_as_text": "return Result('pending', 'x', payment.amount, key, expires_at='tomorrow')",
    "list_of_instructions": "return Result('pending', 'x', payment.amount, key, instructions=[1, 2])",
    "objects_in_instructions": "return Result('pending', 'x', payment.amount, key, instructions={'a': object()})",
    "text_as_message": "return Result('failed', 'x', payment.amount, key, buyer_message='no', code='x')",
    "number_as_code": "return Result('failed', 'x', payment.amount, key, code=5)",
    "http_page": "return Result('requires_action', 'x', payment.amount, key, redirect_url='http://x.example/')",
    "script_page": "return Result('requires_action', 'x', payment.amount, key, redirect_url='javascript:alert(1)')",
    "text_as_notice": "return Result('pending', 'x', payment.amount, key, notice='hm')",
}  # fmt: skip

# What it may do before it is offered: it is not offered.
OFFERS = {
    "raises": ("1 / 0", "return None"),
    "exits": ("raise SystemExit(2)", "return None"),
    "true": ("return True", "return None"),
    "note_is_number": ("return Available(5)", "return None"),
    "hangs": ("threading.Event().wait(20)", "return None"),
    "fee_raises": ("return Available()", "1 / 0"),
    "fee_is_number": ("return Available()", "return 300"),
    "fee_in_dollars": ("return Available()", "return TaxedMoney(Money(3, 'USD'))"),
    "fee_of_floats": ("return Available()", "return TaxedMoney(Money(3, 'JPY'), 0.1)"),
    "fee_is_immense": ("return Available()", "return TaxedMoney(Money(10**30, 'JPY'))"),
    "clears_the_terms": ("ctx.buyer.terms.clear(); return Available()", "1 / 0"),
}


def _site(folder: Path) -> str:
    """One folder with all of them installed; returns what shop.toml says of them."""
    enabled: list[str] = []

    def put(name: str, source: str) -> None:
        install(folder, name, source.replace("{name}", name))
        enabled.append(f"[plugins.{name}]\nenabled = true\n")

    for name, (source, _) in AT_LOAD.items():
        put(name, source)
    for name, body in QUOTES.items():
        put(f"quote_{name}", shipping_source(f"quote_{name}", body))
    put("quote_async", shipping_source("quote_async", "return []").replace("def quote", "async def quote"))
    for name, body in STARTS.items():
        put(f"start_{name}", payment_source(f"start_{name}", start=body))
    source = payment_source("start_async", start="return None")
    put("start_async", source.replace("def start", "async def start"))
    for name, (availability, fee) in OFFERS.items():
        put(f"offer_{name}", payment_source(f"offer_{name}", availability=availability, fee=fee))
    install(folder, "flat_rate", GOOD.replace("{name}", "flat_rate"))  # the name of one of ours
    nothing = folder / "half_installed-1.0.dist-info"  # as after an installation that was broken off
    nothing.mkdir()
    (nothing / "entry_points.txt").write_text("[koguchi]\nhalf_installed = half_installed_module\n")
    enabled.append("[plugins.half_installed]\nenabled = true\n[plugins.never_installed]\nenabled = true\n")
    return "".join(enabled)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("sandbox")
    toml = SHOP_TOML + _site(folder / "site")
    sys.path.insert(0, str(folder / "site"))
    try:
        app = make_app(write_shop(folder / "shop", toml), database_url=f"sqlite:///{folder / 'shop.db'}")
        app.config["WTF_CSRF_ENABLED"] = False
        seed(app)
        add_address(app)
        plugins = app.extensions["koguchi"].plugins
        plugins.slow_seconds, plugins.quote_seconds = 1.0, 1.0
        for name, guard in plugins._guards.items():
            if name not in ("flat_rate", "bank_transfer", "net_terms"):
                guard.allowed = 1  # the first hang puts it to rest: nobody waits for a second
        yield app
    finally:
        sys.path.remove(str(folder / "site"))


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    sign_in(client, "hayashi")
    return client


def order(app: Flask, client: FlaskClient, payment: str) -> Any:
    fill(app, "hayashi", {"M4-10": 20})
    return confirm(client, payment=payment)


def test_a_buyer_orders_with_what_is_left(app: Flask, client: FlaskClient) -> None:
    fill(app, "hayashi", {"M4-10": 20})
    page = client.get("/checkout?lang=en")
    assert page.status_code == 200
    for name in (*(f"quote_{each}" for each in QUOTES), "quote_async", *(f"offer_{each}" for each in OFFERS)):
        assert f'value="{name}"' not in page.text, f"{name} is offered"
    assert 'value="flat_rate"' in page.text and 'value="bank_transfer"' in page.text
    before = len(orders(app))
    assert confirm(client).status_code == 303
    placed = orders(app)[before:]
    assert [(each.state, each.shipping_code) for each in placed] == [("awaiting_payment", "flat_rate")]


@pytest.mark.parametrize("name", [*STARTS, "async"])
def test_a_payment_that_starts_badly_is_being_confirmed_and_never_an_error(
    name: str, app: Flask, client: FlaskClient
) -> None:
    answer = order(app, client, f"start_{name}")
    assert answer.status_code == 303, answer.text[:2000]
    assert "Please do not pay a second time" in client.get(answer.headers["Location"]).text
    plugins = app.extensions["koguchi"].plugins
    failure = next(each for each in plugins.installed if each.id == f"start_{name}").last_failure
    assert failure is not None and failure.what == "start"


def test_the_buyer_goes_on_after_all_of_them(app: Flask, client: FlaskClient) -> None:
    assert order(app, client, "bank_transfer").status_code == 303


@pytest.fixture(scope="module")
def listed(app: Flask) -> dict[str, Any]:
    """What `koguchi plugins --json` says, in a process's own words."""
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        folder = app.extensions["koguchi"].settings.folder
        assert cli.main(["plugins", str(folder), "--json"]) == 1
    return {(row["id"], row["distribution"].split(" ")[0]): row for row in json.loads(printed[-1])}


@pytest.fixture(scope="module")
def desk(app: Flask) -> str:
    owner = app.test_client()
    sign_in(owner, "owner")
    return owner.get("/admin/plugins?lang=en").text


@pytest.mark.parametrize("name", AT_LOAD)
def test_a_plugin_that_cannot_be_loaded_is_named_with_its_reason(
    name: str, listed: dict[str, Any], desk: str
) -> None:
    row = listed[name, f"{name}_package"]
    assert row["state"] == "failed"
    assert AT_LOAD[name][1] in row["error"]
    assert name in desk


def test_what_is_missing_or_shadows_another_is_named(listed: dict[str, Any], desk: str) -> None:
    assert listed["flat_rate", "flat_rate_package"]["error"] == "this id is taken by another distribution"
    assert listed["flat_rate", "koguchi"]["state"] == "active"
    assert "not installed" in listed["never_installed", ""]["error"]
    half = next(row for (name, _), row in listed.items() if name == "half_installed")
    assert half["state"] == "failed"
    assert "half_installed" in desk and "never_installed" in desk


@pytest.mark.parametrize(
    "name", [*(f"quote_{each}" for each in QUOTES), *(f"offer_{each}" for each in OFFERS)]
)
def test_a_plugin_that_fails_in_a_call_is_shown_at_the_desk(name: str, app: Flask, desk: str) -> None:
    plugins = app.extensions["koguchi"].plugins
    failure = next(each for each in plugins.installed if each.id == name).last_failure
    assert failure is not None
    assert name in desk


# ---- the other calls, at the door that the shop uses

CALLS: dict[str, Callable[[Any], Any]] = {
    "fetch": lambda plugins: plugins.fetch("p", VIEW),
    "capture": lambda plugins: plugins.capture("p", VIEW, VIEW.amount, key="7:capture:1"),
    "void": lambda plugins: plugins.void("p", VIEW, key="7:void:1"),
    "refund": lambda plugins: plugins.refund("p", VIEW, VIEW.amount, key="7:refund:1", reason=None),
    "parse_webhook": lambda plugins: plugins.parse_webhook("p", RawRequest("POST", {}, b"", START)),
}
VIEW = PaymentView("7", "A-10001", Money(1100, "JPY"), "authorized", START.date())
BODIES = (
    "1 / 0", "raise SystemExit", "raise KeyboardInterrupt", "raise MemoryError", "return 7", "return None",
    "yield 1", "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
    "return type('Odd', (), {'__repr__': lambda self: exec('raise SystemExit')})()",
)  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_every_other_call_gives_a_record_of_its_failure(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, body in enumerate((*BODIES, "async")):
        source = payment_source("p", **{what: "return None" if body == "async" else body})
        source = source.replace(f"def {what}", f"async def {what}") if body == "async" else source
        with monkeypatch.context() as patch:
            name = f"p{number}"
            patch.syspath_prepend(str(install(tmp_path / name, "p", source, distribution=f"{what}_{name}")))
            plugins = load({"p": {"enabled": True}})
            answer = CALLS[what](plugins)
        assert isinstance(answer, Failure), body
        assert (answer.plugin, answer.what) == ("p", what)


def test_what_hangs_while_it_is_loaded_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = "__import__('threading').Event().wait(20)"
    hangs = {
        "hang_import": wait + "\n",
        "hang_init": GOOD.replace("        pass\n\n    def quote", f"        {wait}\n\n    def quote"),
        "hang_hook": GOOD.replace("return [Provider]", wait),
        "hang_settings": GOOD.replace(
            "class Settings(Config):\n    pass",
            "from pydantic import model_validator\n\nclass Settings(Config):\n"
            f"    @model_validator(mode='before')\n    def v(cls, data): {wait}",
        ),
    }
    for name, source in hangs.items():
        monkeypatch.syspath_prepend(str(install(tmp_path / name, name, source.replace("{name}", name))))
    plugins = load({name: {"enabled": True} for name in hangs}, load_seconds=0.2)
    told = {each.id: str(each.error) for each in plugins.installed if each.id in hangs}
    assert set(told) == set(hangs)
    assert all("no answer within" in error for error in told.values()), told


def test_control_without_the_guard_the_same_checkout_breaks(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, "hayashi", {"M4-10": 20})
    guarded = Guard.call

    def unguarded(self: Guard, what: str, function: Callable[[], Any], **more: Any) -> Any:
        if self.plugin == "quote_raises":
            return Answer(function())
        return guarded(self, what, function, **more)

    monkeypatch.setattr(Guard, "call", unguarded)
    assert client.get("/checkout?lang=en").status_code == 500
