"""event_webhooks: a real server on 127.0.0.1 is told, fails, and is told again until it listens."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError
from sqlalchemy import select

from plugins.events import event_webhooks
from plugins.events.event_webhooks import Settings, health
from storefront.database import get_session, write
from storefront.jobs import ATTEMPTS, Outbox, revive, run_due
from storefront.shop import current_shop
from support.listener import Listener, listener
from support.ordering import placed
from support.shop import SHOP_TOML, write_shop

SECRET = "a-secret-of-the-receiver-1"
OLDER = "the-one-it-had-until-today"
MOMENT = 1_795_132_800


@pytest.fixture
def erp() -> Iterator[Listener]:
    with listener() as running:
        yield running


@pytest.fixture
def shop_folder(erp: Listener, tmp_path: Path) -> Path:
    more = f"""
[plugins.event_webhooks]
enabled = true
url = "{erp.url}"
secret = "{SECRET}"
old_secret = "{OLDER}"
events = ["order_placed"]
allow_insecure = true
"""
    return write_shop(tmp_path / "shop", SHOP_TOML + more)


@pytest.fixture
def shop(app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(event_webhooks, "now", lambda: MOMENT)
    with app.app_context():
        yield app


def settings_of(url: str, **more: Any) -> Settings:
    return Settings.model_validate({"url": url, "secret": SECRET, "allow_insecure": True} | more)


def is_signed(header: str, body: bytes, secret: str) -> bool:
    """What a receiver does: `t` first, then the HMAC of "t.body" under its secret among the others."""
    moment, *signed = [part.split("=", 1)[1] for part in header.split(",")]
    wanted = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(wanted.encode(), each.encode()) for each in signed)


def job() -> Outbox:
    """The placed order that waits to be told."""
    told = get_session().scalars(select(Outbox).where(Outbox.kind == "plugin.event"))
    return next(each for each in told if each.payload["event"] == "order_placed")


def test_a_placed_order_is_told_with_its_lines_signed_under_both_secrets(shop: Flask, erp: Listener) -> None:
    order = placed("hayashi", {"M4-10": 100})
    run_due()
    told = erp.asked[0]
    assert told["kind"] == "order_placed"
    assert told["order"]["number"] == order.number
    assert told["order"]["total"] == {"minor": order.total_minor, "currency": "JPY"}
    assert [(line["sku"], line["quantity"]) for line in told["order"]["lines"]] == [("M4-10", 100)]
    headers = erp.headers[0]
    assert headers["koguchi-event"] == told["event_id"]
    assert headers["koguchi-signature"].startswith(f"t={MOMENT},v1=")
    for secret in (SECRET, OLDER):
        assert is_signed(headers["koguchi-signature"], erp.bodies[0], secret)


def test_control_another_secret_or_one_altered_byte_is_no_signature(shop: Flask, erp: Listener) -> None:
    placed("hayashi", {"M4-10": 100})
    run_due()
    header, body = erp.headers[0]["koguchi-signature"], erp.bodies[0]
    assert not is_signed(header, body, "a-secret-of-somebody-else-1")
    assert not is_signed(header, body.replace(b"M4-10", b"M4-11"), SECRET)
    assert not is_signed(header.replace(str(MOMENT), str(MOMENT + 1)), body, SECRET)


def test_a_receiver_that_was_down_is_told_later_under_the_same_event_id(shop: Flask, erp: Listener) -> None:
    placed("hayashi", {"M4-10": 100})
    erp.status = 503
    run_due()
    assert "answered 503" in job().error
    erp.status = 200
    current_shop().clock.forward(minutes=5)  # type: ignore[attr-defined]
    run_due()
    ids = {told["event_id"] for told in erp.asked if told["kind"] == "order_placed"}
    assert (len(erp.asked), len(ids)) == (2, 1)
    assert job().done_at is not None


def test_a_receiver_that_is_down_for_three_days_leaves_a_dead_letter_that_can_be_sent_again(
    shop: Flask, erp: Listener
) -> None:
    placed("hayashi", {"M4-10": 100})
    erp.status = 500
    plugins = current_shop().plugins
    for guard in plugins._hook_guards.values():
        guard.allowed = ATTEMPTS + 1  # its rest is real time
    began = current_shop().clock()
    while job().dead_at is None:
        run_due()
        get_session().expire_all()
        current_shop().clock.forward(hours=6)  # type: ignore[attr-defined]
    assert len(erp.asked) == ATTEMPTS
    assert current_shop().clock() - began > timedelta(days=3)
    assert run_due() == 0
    erp.status = 204
    with write() as session:
        revive(session, job().id)
    run_due()
    assert {told["event_id"] for told in erp.asked} == {erp.asked[0]["event_id"]}
    get_session().expire_all()
    assert job().done_at is not None


def test_a_redirect_to_another_host_is_not_followed_and_counts_as_not_told(
    shop: Flask, erp: Listener
) -> None:
    with listener() as elsewhere:
        erp.status, erp.more = 302, {"Location": elsewhere.url}
        placed("hayashi", {"M4-10": 100})
        run_due()
        assert not elsewhere.asked
        assert "answered 302" in job().error


def test_only_the_chosen_events_are_sent(erp: Listener) -> None:
    settings = settings_of(erp.url, events=("shipment_created",))

    class OrderPlaced:
        event_id = "1"

    event_webhooks.send(OrderPlaced(), settings)  # type: ignore[arg-type]
    assert not erp.asked


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "http://erp.example.com/in"}, "https"),
        ({"url": "https://127.0.0.1/in"}, "private address"),
        ({"url": "https://169.254.169.254/"}, "private address"),
        ({"url": "https://[::1]/"}, "private address"),
        ({"url": "https://2130706433/"}, "private address"),
        ({"url": "file:///etc/passwd"}, "must be like"),
        ({"secret": "short"}, "24 characters"),
        ({"events": ()}, "at least 1"),
        ({"events": ("order_eaten",)}, "order_placed"),
    ],
)
def test_settings_that_could_do_harm_are_refused_when_they_are_read(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        Settings(**({"url": "https://erp.example.com/in", "secret": SECRET} | wrong))
    assert refused.value.errors()[0]["loc"][0] == next(iter(wrong))
    assert "short" not in " ".join(each["msg"] for each in refused.value.errors())


def test_a_receiver_that_can_be_reached_is_well_and_one_that_cannot_says_why(erp: Listener) -> None:
    assert health(settings_of(erp.url)).is_well
    gone = health(settings_of("http://127.0.0.1:1/"))
    assert not gone.is_well
    assert "three days" in (gone.said or {})["en"]
    assert not erp.asked
