"""Plugins follow shop.toml: changed by the desk in another process or by hand, and a broken file changes nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from storefront.plugins.running import RunningPlugins
from support.shop import SHOP_TOML, open_app, write_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """A shop without a schema: plugins need none."""
    app = open_app(write_shop(tmp_path / "shop"), database_url=f"sqlite:///{tmp_path / 'shop.sqlite'}")
    yield app.extensions["koguchi"]
    app.extensions["koguchi"].close()


def put(shop: Any, text: str | bytes) -> None:
    path = shop.settings.folder / "shop.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_a_change_made_by_hand_is_at_work_and_untouched_plugins_stay_the_objects_they_were(shop: Any) -> None:
    before = shop.plugins
    before.slow_seconds = 3.0
    bank, guard = before.payments["bank_transfer"], before._guards["bank_transfer"]
    guard.failed("fetch", "raised", "of before")
    put(shop, SHOP_TOML + "price_minor = 900\n[plugins.pickup]\nenabled = true\n")
    after = shop.plugins
    assert after is not before
    assert after.shipping["flat_rate"] is not before.shipping["flat_rate"]
    assert after.shipping["flat_rate"].settings.price_minor == 900 and "pickup" in after.shipping
    assert after.payments["bank_transfer"] is bank and after._guards["bank_transfer"] is guard
    assert after._webhooks["bank_transfer"] is before._webhooks["bank_transfer"]
    assert after._hook_guards["bank_transfer", "events"] is before._hook_guards["bank_transfer", "events"]
    assert guard.failures == 1 and after.slow_seconds == 3.0
    put(shop, SHOP_TOML.replace("[plugins.net_terms]\nenabled = true", ""))
    assert "net_terms" not in shop.plugins.payments and "net_terms" in after.payments


def test_what_changes_elsewhere_in_the_file_loads_nothing(shop: Any) -> None:
    before = shop.plugins
    put(shop, SHOP_TOML.replace("06-0000-0000", "06-1111-1111"))
    assert shop.plugins is before


def test_the_file_is_read_only_when_its_time_has_changed(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before, looks = shop.plugins, []
    monkeypatch.setattr("storefront.plugins.running.plugin_tables", lambda _: looks.append(1))
    assert [shop.plugins for _ in range(3)] == [before] * 3
    assert not looks


@pytest.mark.parametrize(
    "broken",
    [
        b"[plugins\n",
        b"\xff\xfe[plugins.flat_rate]",
        b'plugins = "none"\n',
        b"[plugins]\nflat_rate = 1\n",
        b'[plugins.flat_rate]\nenabled = true\nlabel = "env:NOT_SET_HERE"\n',
        None,
    ],
)
def test_a_broken_file_leaves_the_running_plugins_and_is_told_once(
    shop: Any, broken: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    before = shop.plugins
    (shop.settings.folder / "shop.toml").unlink()
    if broken is not None:
        put(shop, broken)
    with caplog.at_level(logging.ERROR, "storefront.plugins.running"):
        assert [shop.plugins for _ in range(3)] == [before] * 3
    assert len(caplog.records) == 1
    assert shop.running_plugins.problem and shop.running_plugins.stale_since == shop.clock()
    put(shop, SHOP_TOML + "price_minor = 900\n")
    assert shop.plugins.shipping["flat_rate"].settings.price_minor == 900
    assert not shop.running_plugins.problem and shop.running_plugins.stale_since is None


def test_a_plugin_that_does_not_load_is_named_and_loads_when_its_table_is_mended(shop: Any) -> None:
    assert "flat_rate" in shop.plugins.shipping
    put(shop, SHOP_TOML + "price_minor = -1\n")
    states = {each.id: each.state for each in shop.plugins.installed}
    assert states["flat_rate"] == "failed" and states["bank_transfer"] == "active"
    put(shop, SHOP_TOML + "price_minor = 1\n")
    assert "flat_rate" in shop.plugins.shipping


def test_a_plugin_that_is_switched_off_needs_none_of_its_variables(shop: Any) -> None:
    off = '[plugins.stripe_checkout]\nenabled = false\napi_key = "env:NOT_SET_HERE"\n'
    put(shop, SHOP_TOML + "price_minor = 900\n" + off)
    assert shop.plugins.shipping["flat_rate"].settings.price_minor == 900


def test_a_request_keeps_the_plugins_it_began_with(shop: Any) -> None:
    app = Flask("beside")
    with app.app_context():
        before = shop.plugins
        put(shop, SHOP_TOML + "price_minor = 900\n")
        assert shop.plugins is before
        assert shop.running_plugins.recheck() is not before  # the desk has saved and shows what holds now
    with app.app_context():
        assert shop.plugins.shipping["flat_rate"].settings.price_minor == 900


def test_plugins_given_to_the_application_win_over_the_file(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    given = {"pickup": {"enabled": True}}
    shop = open_app(folder, database_url=f"sqlite:///{tmp_path / 'shop.sqlite'}", plugins=given).extensions[
        "koguchi"
    ]
    before = shop.plugins
    assert list(before.shipping) == ["pickup"] and not before.payments
    put(shop, SHOP_TOML + "price_minor = 900\n")
    assert shop.plugins is before and shop.running_plugins.recheck() is before
    put(shop, "[broken")
    assert shop.running_plugins.recheck() is before and not shop.running_plugins.problem


def test_while_one_thread_loads_the_others_go_on_with_the_old_plugins(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, loading, go_on = shop.plugins, threading.Event(), threading.Event()
    loaded, calls = RunningPlugins._loaded, []

    def slow(self: RunningPlugins, *args: Any) -> Any:
        calls.append(1)
        loading.set()
        go_on.wait(10)
        return loaded(self, *args)

    monkeypatch.setattr(RunningPlugins, "_loaded", slow)
    put(shop, SHOP_TOML + "price_minor = 900\n")
    thread = threading.Thread(target=lambda: shop.plugins)
    thread.start()
    assert loading.wait(10)
    assert shop.plugins is before
    go_on.set()
    thread.join(10)
    assert shop.plugins is not before and calls == [1]
