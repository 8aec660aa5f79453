"""Promises about hooks: an event told twice is done once, blocks and pages are plain texts, health answers."""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import Any

from plugins.answers import bad_blocks, bad_health, bad_pages, bad_return, bad_view
from plugins.building import Opened
from plugins.contract import EVENTS, SLOTS, BlockContext
from plugins.testing.asking import all_at_once, kept, lacks_a_language, watched, well
from plugins.testing.listener import Listener, events
from plugins.testing.promises.itself import (
    answer_or_error,
    everything_said,
    no_secret_in,
    wrong_setting,
)
from plugins.testing.subject import BUYER, ON, MissingPartError

AGAIN = "remember event.event_id where it lasts (a file, the other side), and do nothing when it is there"
RETURN = "return None, and raise only where it is to be told again"


def heard(opened: Opened) -> list[str]:
    mine: list[str] = [hook for hook in EVENTS if hook in opened.hooks.names]
    if not mine:
        raise MissingPartError("only for a plugin that hears of events")
    return mine


def needs(opened: Opened, hook: str) -> None:
    if hook not in opened.hooks.names:
        raise MissingPartError(f"only for a plugin with the hook {hook}")


def tell(opened: Opened, hook: str, event: Any, what: str = "an event") -> None:
    answer = well(lambda: opened.hooks.call(hook, event=event), hook)
    wrong = bad_return(answer)
    kept(not wrong, f"{hook} takes {what} and returns nothing", RETURN, came=wrong or "")


def tell_all(opened: Opened, ident: str = "kit") -> None:
    for hook in heard(opened):
        for what, event in events(hook, f"{ident}-{hook}").items():
            tell(opened, hook, event, what)


def test_a_shop_opens_it(listener: Listener) -> None:
    try:
        opened = listener.opened()
    except Exception as error:
        kept(
            False,
            "a shop that enables it opens it",
            "see docs/plugins.md",
            came=f"{type(error).__name__}: {error}",
        )
        raise
    kept(opened.hooks.names, "it has a hook", "mark a function with @hookimpl")


def test_a_wrong_setting_is_refused_by_its_name(listener: Listener) -> None:
    opened = listener.opened()
    settings = {name: value for name, value in opened.table.items() if name != "enabled"}
    stand_in = type("Plugin", (), {"config": type(opened.hooks.settings)})
    wrong_setting(stand_in, settings, {})


def test_every_event_is_taken(listener: Listener) -> None:
    tell_all(listener.opened())


def test_an_event_that_is_told_twice_is_done_once(listener: Listener) -> None:
    if listener.done is None:
        raise MissingPartError("give the kit Listener.done, which tells what the plugin did")
    opened = listener.opened()
    tell_all(opened)
    first = copy.deepcopy(listener.done())
    tell_all(opened)
    kept(
        listener.done() == first,
        "an event may come again, with the same event_id: it is done once",
        AGAIN,
        came=f"{first!r:.200}, and after the second time {listener.done()!r:.200}",
    )


def test_an_event_that_is_told_again_by_another_process_is_done_once(listener: Listener) -> None:
    if listener.done is None or listener.begin is None:
        raise MissingPartError("give the kit Listener.begin and done, to open the plugin a second time")
    one = listener.opened()
    tell_all(one)
    first = copy.deepcopy(listener.done())
    settings = {name: value for name, value in one.table.items() if name != "enabled"}
    other = Listener(listener.plugin, settings, folder=listener.folder).opened()
    _forget(listener.plugin)
    tell_all(other)
    kept(
        listener.done() == first,
        "the worker may have been started anew: what was done is known all the same",
        AGAIN + "; memory alone is lost",
        came=f"{first!r:.200}, and after a restart {listener.done()!r:.200}",
    )


def _forget(module: Any) -> None:
    """What a module keeps in its own dictionaries, lists and sets is gone after a restart."""
    for name, value in vars(module).items():
        if not name.startswith("__") and not name.isupper() and isinstance(value, dict | list | set):
            value.clear()


def test_an_event_changes_nothing_that_it_is_given(listener: Listener) -> None:
    opened = listener.opened()
    for hook in heard(opened):
        for event in events(hook, f"same-{hook}").values():
            before = copy.deepcopy(event)
            tell(opened, hook, event)
            kept(event == before, "what was given stays as it was", "copy before changing", came=event)


def test_eight_threads_with_one_event_do_it_once(listener: Listener) -> None:
    if listener.done is None:
        raise MissingPartError("give the kit Listener.done, which tells what the plugin did")
    opened = listener.opened()
    hook = heard(opened)[0]
    event = events(hook, "alone")["an order"]
    tell(opened, hook, event)
    first = copy.deepcopy(listener.done())
    all_at_once(partial(tell, opened, hook, event) for _ in range(8))
    kept(listener.done() == first, "an event that comes many times is done once", AGAIN, came=listener.done())


# ---- what it shows


def test_blocks_are_plain_sentences_in_both_languages(listener: Listener) -> None:
    opened = listener.opened()
    needs(opened, "template_blocks")
    for slot in SLOTS:
        for buyer in (None, BUYER):
            for skus in ((), ("M4-10",), tuple(f"S-{each}" for each in range(1_000))):
                ctx = BlockContext(ON, buyer, skus, "A-10001" if slot == "order_confirmation" else None)
                blocks = well(
                    partial(opened.hooks.call, "template_blocks", slot=slot, ctx=ctx), "template_blocks"
                )
                wrong = bad_blocks(blocks)
                kept(
                    not wrong,
                    "template_blocks answers a few whole Blocks",
                    "return [] or Blocks",
                    came=wrong or "",
                )
                for block in blocks:
                    plain(block.title, block.body, *((block.link.label,) if block.link else ()))


def plain(*texts: Any) -> None:
    for each in texts:
        kept(not lacks_a_language(each), "a text for people is in ja and in en", "write both", came=each)
        marked = [text for text in each.values() if re.search(r"</?[a-zA-Z][^>]*>|&[a-z]+;", text)]
        kept(not marked, "texts are plain: the shop escapes them", "leave HTML out; use Link", came=marked)


def test_blocks_ask_nobody(listener: Listener) -> None:
    opened = listener.opened()
    needs(opened, "template_blocks")
    ask = partial(opened.hooks.call, "template_blocks", slot="cart_summary", ctx=BlockContext(ON, BUYER))
    with watched() as done:
        answer_or_error(ask)
    with watched(files=True) as again:
        answer_or_error(ask)
    kept(
        not done and not again,
        "a buyer waits for blocks: they open no connection and read no file",
        "read files when the settings are checked; say what there is to say from them",
        came=[*done, *again],
    )


def test_pages_of_the_desk_can_be_opened(listener: Listener) -> None:
    opened = listener.opened()
    needs(opened, "admin_pages")
    pages = well(partial(opened.hooks.call, "admin_pages"), "admin_pages")
    wrong = bad_pages(pages)
    kept(
        not wrong,
        "admin_pages answers whole AdminPages",
        "AdminPage('handed-over', {...}, show)",
        came=wrong or "",
    )
    for page in pages:
        plain(page.title)
        view = well(page.show, f"the page {page.id}")
        wrong = bad_view(view)
        kept(not wrong, "a page shows a PageView of texts and tables", "PageView((text,))", came=wrong or "")
        plain(*view.texts, *(table.title for table in view.tables))


def test_health_answers_and_raises_nothing(listener: Listener) -> None:
    opened = listener.opened()
    needs(opened, "health")
    for _ in range(2):
        answer = well(partial(opened.hooks.call, "health"), "health")
        wrong = bad_health(answer)
        kept(
            not wrong,
            "health answers Health(True), or Health(False, {'ja': ..., 'en': ...})",
            "catch what may go wrong on the way, and say it",
            came=wrong or "",
        )
        kept(answer.is_well or answer.said, "who is not well says why", "give Health a sentence", came=answer)
        if answer.said:
            plain(answer.said)


def test_no_secret_stands_in_a_block_a_page_an_error_or_a_log(listener: Listener) -> None:
    secrets = [each for each in listener.secrets() if len(each) > 3]
    if not secrets:
        raise MissingPartError("only for a plugin with a setting that is a SecretStr")

    def life(hear: Any) -> None:
        opened = listener.opened()
        for hook in EVENTS:
            if hook in opened.hooks.names:
                for event in events(hook, f"quiet-{hook}").values():
                    hear(answer_or_error(partial(opened.hooks.call, hook, event=event)))
        for asked, given in (
            ("health", {}),
            ("template_blocks", {"slot": "cart_summary", "ctx": BlockContext(ON)}),
        ):
            if asked in opened.hooks.names:
                hear(answer_or_error(partial(opened.hooks.call, asked, **given)))

    no_secret_in(everything_said(life), secrets)
