"""Every hook beside those that register providers: called with its settings, checked, and kept to its own plugin."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from plugins import AdminPage, Block, BlockContext, Buyer, Health, Money, PageView, Place, RateRequest
from plugins.building import LATER, specs
from plugins.contract import EVENTS
from plugins.guard import Answer, Failure
from plugins.loader import Plugin, Plugins, load, settings_model
from support.plugin_events import every_event
from support.plugin_package import install, shipping_source

HEAD = """
import threading
from plugins import *
PLUGIN_API = 1
heard = []
"""
REQUEST = RateRequest(
    Place("JP", "JP-27"), Place("JP", "JP-13"), (), (), Money(1000, "JPY"), date(2026, 11, 20), "JPY"
)
CONTEXT = BlockContext(date(2026, 12, 28), skus=("N4-SUS",))


def loaded(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    sources: dict[str, str],
    settings: dict[str, Any] | None = None,
) -> Plugins:
    """Outside plugins with these sources, switched on; `settings` are those of the first."""
    first = next(iter(sources))
    for name, source in sources.items():
        monkeypatch.syspath_prepend(str(install(folder / name, name, HEAD + dedent(source))))
    tables = {name: {"enabled": True} for name in sources}
    return load(tables | {first: {"enabled": True, **(settings or {})}}, load_seconds=2, slow_seconds=1)


def standing(plugins: Plugins, name: str) -> Plugin:
    return next(each for each in plugins.installed if each.id == name)


def module(name: str) -> Any:
    return sys.modules[f"{name}_package_module"]


LISTENER = """
class Settings(Config):
    word: str = "none"
CONFIG = Settings
"""
LISTENER += "".join(
    f"@hookimpl\ndef {event}(event, settings): heard.append((event.event_id, settings.word))\n"
    for event in EVENTS
)


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return loaded(tmp_path, monkeypatch, {"listener": LISTENER}, {"word": "spoken"})


def assert_heard(plugins: Plugins, event: str) -> None:
    record = every_event()[event]
    assert plugins.listeners(event) == ("listener",)
    assert plugins.tell("listener", event, record) == Answer(None)
    assert module("listener").heard == [(record.event_id, "spoken")]


def test_order_placed_is_told_with_the_settings_of_a_plugin_without_a_provider(listener: Plugins) -> None:
    assert_heard(listener, "order_placed")
    assert standing(listener, "listener").kinds == ("events",)


def test_order_approved_is_told_to_those_who_listen(listener: Plugins) -> None:
    assert_heard(listener, "order_approved")


def test_payment_changed_is_told_to_those_who_listen(listener: Plugins) -> None:
    assert_heard(listener, "payment_changed")


def test_shipment_created_is_told_to_those_who_listen(listener: Plugins) -> None:
    assert_heard(listener, "shipment_created")


def test_template_blocks_of_a_failing_plugin_are_missed_and_those_of_the_others_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = "@hookimpl\ndef template_blocks(slot, ctx): return {}\n"
    good = block.format("[Block({'en': slot}, {'en': str(ctx.on)}, Link({'en': 'More'}, '/products'))]")
    bad = {
        "raises": "1 / 0",
        "dawdles": "threading.Event().wait(30)",
        "html": "'<b>New</b>'",
        "elsewhere": "[Block({'en': 'a'}, {'en': 'b'}, Link({'en': 'c'}, '//evil.example'))]",
        "scripted": "[Block({'en': 'a'}, {'en': 'b'}, Link({'en': 'c'}, 'javascript:alert(1)'))]",
        "empty": "[Block({}, {})]",
        "many": "[Block({'en': 'a'}, {'en': 'b'})] * 6",
    }
    plugins = loaded(tmp_path, monkeypatch, {"good": good} | {k: block.format(v) for k, v in bad.items()})
    told = plugins.blocks("cart_summary", CONTEXT)
    assert [(name, block.title, block.body["en"]) for name, block in told] == [
        ("good", {"en": "cart_summary"}, "2026-12-28")
    ]
    failures = {name: standing(plugins, name).last_failure for name in bad}
    assert {name: failure.kind for name, failure in failures.items() if failure} == {
        "raises": "raised", "dawdles": "timeout",
    } | dict.fromkeys(("html", "elsewhere", "scripted", "empty", "many"), "nonsense")  # fmt: skip
    assert all(failure and failure.what == "template_blocks" for failure in failures.values())


def test_admin_pages_show_texts_and_tables_and_a_page_that_fails_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
    table = TableView({'en': 'Sums'}, ({'en': 'Day'}, {'en': 'Sum'}), (('x', Money(5, 'JPY')),))
    def broken(): return PageView((), (TableView({'en': 'Sums'}, ({'en': 'Day'},), (('x', 'y'),)),))
    @hookimpl
    def admin_pages(settings):
        return [AdminPage('sums', {'en': 'Sums'}, lambda: PageView(({'en': 'Today'},), (table,))),
                AdminPage('broken', {'en': 'Broken'}, broken)]
    """
    plugins = loaded(tmp_path, monkeypatch, {"ledger": source})
    assert [(name, page.id) for name, page in plugins.pages()] == [("ledger", "sums"), ("ledger", "broken")]
    page = plugins.page("ledger", "sums")
    assert isinstance(page, AdminPage)
    shown = plugins.show("ledger", page)
    assert isinstance(shown, Answer)
    assert isinstance(shown.value, PageView)
    assert shown.value.tables[0].rows == (("x", Money(5, "JPY")),)
    broken = plugins.page("ledger", "broken")
    assert broken is not None
    failure = plugins.show("ledger", broken)
    assert isinstance(failure, Failure)
    assert "does not fit its 1 columns" in failure.detail
    assert plugins.page("ledger", "absent") is None
    assert plugins.page("nobody", "sums") is None


def test_health_says_whether_a_plugin_can_work_and_one_without_it_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = "@hookimpl\ndef health(settings): return {}\n"
    sources = {
        "well": health.format("Health(True)"),
        "ill": health.format("Health(False, {'ja': '満杯', 'en': 'Full'})"),
        "vague": health.format("True"),
        "mute": "@hookimpl\ndef order_placed(event): pass\n",
    }
    plugins = loaded(tmp_path, monkeypatch, sources)
    assert plugins.health("well") == Answer(Health(True))
    assert plugins.health("ill") == Answer(Health(False, {"ja": "満杯", "en": "Full"}))
    vague = plugins.health("vague")
    assert isinstance(vague, Failure)
    assert vague.detail == "returned True, not Health(is_well, said)"
    assert plugins.health("mute") is None
    assert plugins.health("nobody") is None


REFUSED = {
    "misspelt": (
        "@hookimpl\ndef order_place(event): pass",
        "there is no hook order_place; did you mean order_placed?",
    ),
    "unlike_any": (
        "@hookimpl\ndef on_tuesday(event): pass",
        "there is no hook on_tuesday; hooks are register_payment",
    ),
    "extra": (
        "@hookimpl\ndef order_placed(event, session): pass",
        "hook order_placed takes session: it may take event, settings",
    ),
    "starred": (
        "@hookimpl\ndef health(*anything): pass",
        "hook health takes *anything: it may take settings",
    ),
    "defaulted": (
        "@hookimpl\ndef health(settings=None): pass",
        "hook health gives settings a default and would never get it: it may take settings",
    ),
    "asynchronous": (
        "@hookimpl\nasync def order_placed(event): pass",
        "hook order_placed is async or a generator: write a plain function that takes event, settings",
    ),
    "wrapping": (
        "@hookimpl(wrapper=True)\ndef health(settings): return (yield)",
        "hook health wraps others",
    ),
    "invoices": (
        "@hookimpl\ndef invoice_issued(event): pass",
        "hook invoice_issued comes with invoices, which this shop does not have yet",
    ),
    "follows": (
        "@hookimpl\ndef register_channels(): pass",
        "hook register_channels comes with follow-ups, which this shop does not have yet",
    ),
    "modelless": ("CONFIG = dict\n@hookimpl\ndef health(): pass", "CONFIG must be a plugins.Config class"),
    "unasked": ("@hookimpl\ndef health(): pass", "settings refused: word: Extra inputs are not permitted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_hook_is_refused_with_its_name_and_what_is_allowed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, reason = REFUSED[name]
    settings = {"word": "x"} if name == "unasked" else None
    plugins = loaded(tmp_path, monkeypatch, {name: source, "good": LISTENER}, settings)
    assert reason in str(standing(plugins, name).error)
    assert plugins.listeners("order_placed")[0] == "good"


def test_a_hook_that_may_be_missing_in_this_shop_is_let_pass_where_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "@hookimpl(optionalhook=True)\ndef invoice_issued(event): pass\n" + LISTENER
    assert standing(loaded(tmp_path, monkeypatch, {"early": source}), "early").state == "active"
    assert LATER.keys().isdisjoint(specs())


@pytest.mark.parametrize(
    ("body", "kind"),
    [("1 / 0", "raised"), ("threading.Event().wait(30)", "timeout"), ("return False", "nonsense")],
)
def test_an_event_that_a_plugin_did_not_take_is_a_failure(
    body: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = loaded(tmp_path, monkeypatch, {"deaf": f"@hookimpl\ndef order_placed(event): {body}\n"})
    answer = plugins.tell("deaf", "order_placed", every_event()["order_placed"])
    assert isinstance(answer, Failure)
    assert answer.kind == kind


def test_events_that_fail_rest_without_taking_the_providers_option_or_the_blocks_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shipping_source("both", "return [Rate('b', {'en': 'B'}, Money(300, 'JPY'))]") + (
        "\nfrom plugins import Block\n"
        "@hookimpl\ndef order_placed(event): 1 / 0\n"
        "@hookimpl\ndef template_blocks(slot, ctx, settings): return [Block({'en': 'a'}, {'en': 'b'})]\n"
    )
    monkeypatch.syspath_prepend(str(install(tmp_path / "both", "both", source)))
    plugins = load({"both": {"enabled": True}}, quote_seconds=1)
    assert standing(plugins, "both").kinds == ("shipping", "events", "blocks")
    answers = [plugins.tell("both", "order_placed", every_event()["order_placed"]) for _ in range(4)]
    assert [each.kind for each in answers if isinstance(each, Failure)] == ["raised"] * 3 + ["resting"]
    assert isinstance(plugins.quote("both", REQUEST), Answer)
    assert [block for _, block in plugins.blocks("cart_summary", CONTEXT)] == [
        Block({"en": "a"}, {"en": "b"})
    ]
    plugin = standing(plugins, "both")
    assert plugin.guard is not None
    assert plugin.guard.failures == 3
    assert plugin.last_failure is not None
    assert plugin.last_failure.what == "order_placed"


def test_the_whole_plugin_of_the_guide_is_one_that_loads_and_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guide = (Path(__file__).resolve().parent.parent / "docs" / "plugins.md").read_text("utf-8")
    section = guide.split("## Hearing of what happens")[1]
    source = section.split("```python\n")[1].split("```")[0]
    monkeypatch.syspath_prepend(str(install(tmp_path / "large", "large", source)))
    plugins = load({"large": {"enabled": True, "from_minor": 2000}})
    assert standing(plugins, "large").error is None
    assert standing(plugins, "large").kinds == ("events", "blocks", "pages")
    assert plugins.tell("large", "order_placed", every_event()["order_placed"]) == Answer(None)
    assert "A-10001: 林製作所" in caplog.text
    assert plugins.health("large") == Answer(Health(True))
    assert plugins.blocks("cart_summary", CONTEXT) == []
    assert len(plugins.blocks("cart_summary", BlockContext(CONTEXT.on, Buyer("HAYASHI")))) == 1
    ((_name, page),) = plugins.pages()
    assert plugins.show("large", page) == Answer(PageView(({"ja": "2,000 から", "en": "From 2,000"},)))


def test_the_settings_of_a_plugin_without_a_provider_are_known_by_their_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(tmp_path, monkeypatch, {"formed": LISTENER})
    model, why = settings_model("formed")
    assert why == ""
    assert model is not None
    assert list(model.model_fields) == ["word"]
