"""Failures of plugins, kept for the desk: of every process, counted, without secrets, and in nobody's way."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from plugins.guard import Failure
from plugins.loader import load
from storefront.database import get_session, write
from storefront.plugins.failures import (
    AT_ONCE,
    KEPT,
    PAUSE,
    WAITING,
    PluginFailure,
    failures_of,
    newest_failures,
)
from support.plugin_package import install
from support.shop import FixedClock


def shop_of(app: Flask) -> Any:
    return app.extensions["koguchi"]


def fail(app: Flask, detail: str = "no answer", name: str = "flat_rate", what: str = "quote") -> None:
    shop_of(app).plugin_failures.note(Failure(name, what, "timeout", detail))


def kept(app: Flask, name: str = "flat_rate") -> list[tuple[str, int]]:
    with app.app_context():
        return [(each.detail, each.times) for each in failures_of(get_session(), name, 100)]


@pytest.fixture
def small(app: Flask) -> Flask:
    """The shop before anything failed."""
    with app.app_context():
        shop_of(app).plugin_failures.flush(at_once=True)
    return app


def test_a_failing_plugin_is_in_the_table_when_the_request_is_over(small: Flask, database_url: str) -> None:
    with small.test_request_context():
        shop_of(small).plugins._guards["flat_rate"].failed("quote", "raised", "KeyError: x")
        assert failures_of(get_session(), "flat_rate") == []
    with small.app_context():
        one = failures_of(get_session(), "flat_rate")[0]
        assert (one.what, one.kind, one.detail, one.times, one.is_web) == (
            "quote",
            "raised",
            "KeyError: x",
            1,
            True,
        )
        assert one.at == one.first_at == shop_of(small).clock()
        assert newest_failures(get_session())["flat_rate"].id == one.id


def test_the_same_failure_is_counted_over_processes_and_never_written_more_often_than_every_few_seconds(
    small: Flask, clock: FixedClock
) -> None:
    with small.app_context():
        fail(small)
    for _ in range(200):
        with small.app_context():
            fail(small)
    assert kept(small) == [("no answer", 1)]
    clock.moment += PAUSE
    with small.app_context():
        fail(small)
    assert kept(small) == [("no answer", 202)]
    with small.app_context():
        row = failures_of(get_session(), "flat_rate")[0]
        assert row.at > row.first_at and not row.is_web


def test_only_the_newest_of_a_plugin_are_kept_and_those_of_others_stay(
    small: Flask, clock: FixedClock
) -> None:
    fail(small, "other", "pickup")
    for number in range(KEPT + 15):
        fail(small, f"number {number}")
        if number % 10 == 9:
            clock.forward(seconds=10)
            with small.app_context():
                shop_of(small).plugin_failures.flush(at_once=True)
    clock.forward(seconds=10)
    with small.app_context():
        pass
    found = [detail for detail, _ in kept(small)]
    assert len(found) == KEPT and found[0].startswith("number 6") and "number 0" not in found
    assert kept(small, "pickup") == [("other", 1)]


def test_a_flood_of_different_failures_is_bounded_in_memory_and_in_each_writing(
    small: Flask, clock: FixedClock
) -> None:
    for number in range(1_000):
        fail(small, f"number {number}")
    assert len(shop_of(small).plugin_failures._waiting) == WAITING
    with small.app_context():
        pass
    assert len(kept(small)) == AT_ONCE


def test_while_somebody_else_writes_the_note_waits_and_nobody_waits_for_it(
    small: Flask, clock: FixedClock, database_url: str
) -> None:
    """The control is the second half: without the other writer it is written."""
    fail(small)
    holds, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with small.app_context(), write() as session:
            session.execute(text("SELECT 1"))
            session.add(PluginFailure(
                plugin="flat_rate", what="quote", kind="timeout", detail="no answer", process="x",
                first_at=clock.moment, at=clock.moment,
            ))  # fmt: skip
            session.flush()
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text("LOCK TABLE plugin_failures"))
            holds.set()
            go_on.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(20)
    with small.app_context():
        pass
    assert shop_of(small).plugin_failures._waiting
    go_on.set()
    thread.join(20)
    clock.forward(seconds=10)
    with small.app_context():
        pass
    assert not shop_of(small).plugin_failures._waiting
    assert kept(small) == [("no answer", 2)]
    with small.app_context(), write() as session:  # and the connection is as patient as before
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA busy_timeout")).scalar() == 9_000


def test_a_failure_inside_a_write_transaction_is_written_after_it(small: Flask) -> None:
    with small.app_context():
        with write() as session:
            fail(small)
            assert session.scalars(select(PluginFailure)).all() == []
        assert failures_of(get_session(), "flat_rate") == []
    assert kept(small) == [("no answer", 1)]


def test_a_table_that_is_gone_costs_the_note_and_nothing_else(
    small: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with small.app_context(), write() as session:
        session.execute(text("ALTER TABLE plugin_failures RENAME TO elsewhere"))
    fail(small)
    with small.app_context():
        pass
    assert "not written yet" in caplog.text


def test_the_secrets_of_a_plugin_are_in_no_failure(
    small: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret, settings = "sk_test_0123456789abcdef", shop_of(small).settings
    toml = f'[plugins.stripe_checkout]\nenabled = true\napi_key = "{secret}"\nwebhook_secrets = ["whsec_abcdef"]\n'
    path = settings.folder / "shop.toml"
    path.write_text(path.read_text() + toml)
    with small.app_context():
        plugins = shop_of(small).plugins
        assert "stripe_checkout" in plugins.payments
        plugins._guards["stripe_checkout"].failed("fetch", "raised", f"Error: key {secret} is wrong")
        plugins._webhooks["stripe_checkout"].failed("parse_webhook", "raised", "by whsec_abcdef")
    found = [detail for detail, _ in kept(small, "stripe_checkout")]
    assert sorted(found) == ["Error: key *** is wrong", "by ***"]
    assert secret not in caplog.text and "whsec_abcdef" not in caplog.text


LEAKY = """
from plugins import Config, hookimpl
from pydantic import SecretStr, field_validator
PLUGIN_API = 1
class Settings(Config):
    key: SecretStr
    other: str = ""
    @field_validator("key")
    @classmethod
    def fits(cls, key):
        if "model" in key.get_secret_value():
            raise ValueError(f"{key.get_secret_value()} is no key")
        return key
class Provider:
    id = "leaky"
    label = {"en": "Leaky"}
    config = Settings
    def __init__(self, settings):
        raise RuntimeError(f"cannot work with {settings.key.get_secret_value()} and {settings.other}")
    def quote(self, request):
        return []
@hookimpl
def register_shipping_providers():
    return [Provider]
"""


@pytest.mark.parametrize("secret", ["refused-by-the-model", "refused-by-the-class"])
def test_a_plugin_that_tells_its_secret_when_it_does_not_start_is_not_repeated(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(install(tmp_path / "leaky", "leaky", LEAKY)))
    plugins = load({"leaky": {"enabled": True, "key": secret, "other": "harmless"}})
    told = next(each for each in plugins.installed if each.id == "leaky")
    assert told.state == "failed" and "***" in str(told.error) and told.last_failure is not None
    assert secret not in f"{told.error} {told.last_failure.detail} {caplog.text}"
    assert "model" in secret or "harmless" in str(told.error)
