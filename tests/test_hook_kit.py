"""The kit for hooks: what the shop brings keeps every promise, and each planted bug is found by its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plugins.blocks import notices
from plugins.events import erp_files
from plugins.testing import Listener, hooks
from test_contract_kit import kit, outcome

GOOD = """
import threading
from pathlib import Path
from pydantic import SecretStr
from plugins import AdminPage, Block, Config, Health, PageView, hookimpl

PLUGIN_API = 1
lock = threading.Lock()


class Settings(Config):
    folder: Path
    token: SecretStr = SecretStr("a-very-secret-token")


CONFIG = Settings
HELLO = {"ja": "こんにちは", "en": "Hello"}


def note(event, settings):
    with lock:
        path = settings.folder / event.event_id
        if not path.exists():
            path.write_text(event.order.number)


@hookimpl
def order_placed(event, settings):
    note(event, settings)


@hookimpl
def order_approved(event, settings):
    note(event, settings)


@hookimpl
def payment_changed(event, settings):
    note(event, settings)


@hookimpl
def shipment_created(event, settings):
    note(event, settings)


@hookimpl
def template_blocks(slot, ctx, settings):
    return [Block(HELLO, HELLO)]


@hookimpl
def admin_pages(settings):
    return [AdminPage("hello", HELLO, lambda: PageView((HELLO,)))]


@hookimpl
def health(settings):
    return Health(True, HELLO)
"""
EVERY = "path = settings.folder / event.event_id"
# What is written in place of what, and the promise that it breaks.
BROKEN: dict[str, tuple[str, str, str]] = {
    "test_a_shop_opens_it": ("def order_placed(event", "def order_placed(order", "other name"),
    "test_a_wrong_setting_is_refused_by_its_name": ("token: SecretStr = SecretStr(", "token: str = str(", "open"),
    "test_every_event_is_taken": ("event.order.number)", "event.order.lines[0].sku)", "needs a line"),
    "test_an_event_that_is_told_twice_is_done_once": (
        EVERY, EVERY + "; path = path.with_name(f'{len(list(settings.folder.iterdir()))}')", "counts",
    ),
    "test_an_event_that_is_told_again_by_another_process_is_done_once": (
        EVERY,
        "seen = globals().setdefault('seen', set())\n        if event.event_id in seen: return\n"
        "        seen.add(event.event_id); path = settings.folder / f'{len(list(settings.folder.iterdir()))}'",
        "remembers in memory",
    ),
    "test_an_event_changes_nothing_that_it_is_given": (
        EVERY, EVERY + "; object.__setattr__(event.order, 'note', 'seen')", "writes into the order",
    ),
    "test_eight_threads_with_one_event_do_it_once": (
        EVERY, EVERY + "; path = path.with_name(str(len(list(settings.folder.iterdir()))))", "counts",
    ),
    "test_blocks_are_plain_sentences_in_both_languages": (
        "[Block(HELLO, HELLO)]", "[Block(HELLO, {'ja': '<b>やあ</b>', 'en': 'Hi'})]", "HTML",
    ),
    "test_blocks_ask_nobody": ("return [Block", "open(__file__).close(); return [Block", "asks"),
    "test_pages_of_the_desk_can_be_opened": ("PageView((HELLO,))", "PageView(HELLO)", "no tuple"),
    "test_health_answers_and_raises_nothing": ("return Health(True, HELLO)", "raise ConnectionError", "raises"),
    "test_no_secret_stands_in_a_block_a_page_an_error_or_a_log": (
        "Health(True, HELLO)", "Health(True, {'ja': settings.token.get_secret_value(), 'en': '.'})", "shows it",
    ),
}  # fmt: skip


def listening(name: str, source: str, folder: Path) -> Listener:
    module = ModuleType(name)
    module.__file__ = __file__
    sys.modules[name] = module
    exec(compile(source, name, "exec"), vars(module))
    rounds = iter(range(1_000))
    latest: list[Path] = []

    def begin() -> dict[str, Any]:
        latest.append(folder / str(next(rounds)))
        latest[-1].mkdir()
        return {"folder": latest[-1]}

    return Listener(module, begin=begin, done=lambda: sorted(path.name for path in latest[-1].iterdir()))


@pytest.fixture
def made() -> Iterator[str]:
    yield "kit_listener"
    sys.modules.pop("kit_listener", None)


def test_a_good_listener_keeps_every_promise(made: str, tmp_path: Path) -> None:
    whom = listening(made, GOOD, tmp_path)
    found = {test: outcome(function, whom) for test, function in kit(hooks).items()}
    assert {test: said for test, said in found.items() if said != "passed"} == {}


@pytest.mark.parametrize("test", BROKEN)
def test_each_planted_bug_of_a_listener_is_found(test: str, made: str, tmp_path: Path) -> None:
    before, instead, _ = BROKEN[test]
    assert before in GOOD
    said = outcome(kit(hooks)[test], listening(made, GOOD.replace(before, instead), tmp_path))
    assert said not in ("passed", "left out")
    assert "to mend it: " in said, "it teaches nothing"


def test_every_promise_of_a_listener_has_a_planted_bug() -> None:
    assert set(kit(hooks)) == set(BROKEN)


def test_the_listeners_of_ours_keep_every_promise(tmp_path: Path) -> None:
    folders = iter(tmp_path / str(number) for number in range(1_000))
    latest: list[Path] = []

    def begin() -> dict[str, Any]:
        latest.append(next(folders))
        latest[-1].mkdir()
        return {"folder": str(latest[-1]), "order_lines": "cp932", "events": ["order_placed"]}

    hello = {"ja": "休業のお知らせ", "en": "Closed"}
    for whom in (
        Listener(erp_files, begin=begin, done=lambda: sorted(path.name for path in latest[-1].iterdir())),
        Listener(notices, {"notice": [{"title": hello, "body": hello}]}),
    ):
        found = {test: outcome(function, whom) for test, function in kit(hooks).items()}
        assert {test: said for test, said in found.items() if said not in ("passed", "left out")} == {}
