"""Shipping on the real checkout page: a plugin that fails costs its own option, and nothing changes unseen."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from plugins.answers import bad_quote
from plugins.contract import Money, Rate, RateRequest
from plugins.shipping.table_rate import SAMPLE
from storefront.clock import set_clock
from support.carrier_server import carrier_server
from support.shop import SHOP_TOML, FixedClock, make_app, seed, sign_in, write_shop
from test_checkout import add_address, fill, hidden, orders

LINES = {"M4-10": 40, "N4-SUS": 200}
TABLE_RATE = '\n[plugins.table_rate]\nenabled = true\ntariffs = ["old.toml", "new.toml"]\n'


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    """A tariff of 2026 with a cutoff at three, and one from December on that is dearer and has none."""
    folder = write_shop(tmp_path / "shop", toml=SHOP_TOML + TABLE_RATE)
    sample = SAMPLE.read_text("utf-8")
    (folder / "old.toml").write_text(sample, "utf-8")
    dearer = sample.replace("from = 2026-01-01", "from = 2026-12-01").replace(
        "kansai = 770\n", "kansai = 990\n"
    )
    (folder / "new.toml").write_text(
        dearer.replace('cutoff = "15:00"', "").replace('"14:00-16:00", ', ""), "utf-8"
    )
    return folder


@pytest.fixture
def buying(app: Flask, client: FlaskClient) -> FlaskClient:
    add_address(app)
    fill(app, "hayashi", LINES)
    sign_in(client, "hayashi")
    return client


def at(app: Flask, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> None:
    """That moment in Japan, as a UTC clock tells it."""
    japan = datetime(2026, month, day, hour, minute, second, tzinfo=UTC).timestamp() - 9 * 3600
    set_clock(app, FixedClock(datetime.fromtimestamp(japan, UTC)))


def look(client: FlaskClient, shipping: str = "table_rate", **more: str) -> TestResponse:
    chosen = {"address": "1", "shipping": shipping, "payment": "bank_transfer"} | more
    return client.post("/checkout?lang=en", data=hidden(client.get("/checkout?lang=en")) | chosen)


def place(client: FlaskClient, page: TestResponse, shipping: str = "table_rate", **more: str) -> TestResponse:
    chosen = {"address": "1", "shipping": shipping, "payment": "bank_transfer", "do": "place"} | more
    return client.post("/checkout", data=hidden(page) | chosen)


# ---- a plugin that fails


def refuse(_request: object) -> NoReturn:
    raise RuntimeError("no such depot")


def leave(_request: object) -> NoReturn:
    raise SystemExit(3)


@pytest.mark.parametrize("kind", ["raises", "exits", "hangs", "nonsense"])
def test_a_plugin_that_fails_costs_only_its_own_option(
    app: Flask, buying: FlaskClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    plugins, go_on = app.extensions["koguchi"].plugins, threading.Event()
    answers: dict[str, Any] = {
        "raises": refuse, "exits": leave, "hangs": lambda _request: go_on.wait(30), "nonsense": lambda _: [7]
    }  # fmt: skip
    monkeypatch.setattr(plugins.shipping["table_rate"], "quote", answers[kind])
    usual = plugins.quote

    def bounded(name: str, request: RateRequest) -> Any:
        plugins.quote_seconds = 0.05 if kind == "hangs" and name == "table_rate" else 30
        return usual(name, request)

    monkeypatch.setattr(plugins, "quote", bounded)
    try:
        page = look(buying, "flat_rate")
        assert 'value="flat_rate" checked' in page.text and 'value="table_rate"' not in page.text
        assert place(buying, page, "flat_rate").status_code == 303
    finally:
        go_on.set()
    (order,) = orders(app)
    assert order.shipping_code == "flat_rate"
    sign_in(buying, "owner")
    assert "table_rate" in buying.get("/admin/plugins?lang=en").text


def test_a_time_of_day_that_a_form_would_change_is_told_as_nonsense() -> None:
    rate = Rate("x", {"ja": "x", "en": "x"}, Money(1, "JPY"), slots=("14:00-16:00", "午前中"))
    assert bad_quote([rate], "JPY") is None
    for slot in ("x" * 41, "14  16", " am", "a\nb", ""):
        assert "slot" in str(bad_quote([replace(rate, slots=("14:00-16:00", slot))], "JPY"))


def test_a_way_that_fails_after_it_was_chosen_is_told_and_nothing_is_ordered(
    app: Flask, buying: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(app, 11, 20, 10)
    page = look(buying)
    assert 'value="table_rate" checked' in page.text
    plugins = app.extensions["koguchi"].plugins
    monkeypatch.setattr(plugins.shipping["table_rate"], "quote", refuse)
    at(app, 11, 24, 10)  # another day to leave on is another question
    answer = place(buying, page)
    assert answer.status_code in (409, 422) and orders(app) == []
    assert 'value="table_rate"' not in answer.text
    assert "The way to ship that you chose is not offered any more" in answer.text


# ---- what changes between the page and the order


@pytest.mark.parametrize(("second", "status"), [((14, 59, 59), 303), ((15, 0, 0), 303), ((15, 0, 1), 409)])
def test_an_order_after_the_cutoff_is_shown_its_later_day_before_it_is_placed(
    app: Flask, buying: FlaskClient, second: tuple[int, int, int], status: int
) -> None:
    at(app, 11, 20, 14, 0)  # Friday before a long weekend
    page = look(buying)
    assert "leaves today if ordered by 15:00" in page.text
    at(app, 11, 20, *second)
    answer = place(buying, page)
    assert answer.status_code == status
    if status == 303:
        return
    assert "It arrives by Thu 26 Nov instead of by Sun 22 Nov." in answer.text, answer.text
    assert orders(app) == []
    again = place(buying, answer)
    assert again.status_code == 303
    assert orders(app)[0].arrives == ["2026-11-25", "2026-11-26"]


def test_a_tariff_that_begins_at_midnight_in_japan_is_shown_before_it_is_charged(
    app: Flask, buying: FlaskClient
) -> None:
    at(app, 11, 30, 23, 59)  # past the cutoff: it leaves on 1 December, by that day's tariff
    page = look(buying)
    assert "¥990" in page.text
    at(app, 11, 30, 14, 59)
    page = look(buying)
    assert "¥770" in page.text
    at(app, 12, 1, 0, 0)  # the 30th still in UTC
    answer = place(buying, page)
    assert answer.status_code == 409 and orders(app) == []
    assert "was ¥770 and is now ¥990" in answer.text
    assert place(buying, answer).status_code == 303
    assert orders(app)[0].shipping_minor == 990


def test_a_time_of_day_that_is_gone_is_asked_about_and_never_dropped(app: Flask, buying: FlaskClient) -> None:
    at(app, 11, 30, 14, 59)
    page = look(buying, slot="14:00-16:00")
    assert '<option value="14:00-16:00" selected>' in page.text
    at(app, 12, 1, 10)
    answer = place(buying, page, slot="14:00-16:00")
    assert answer.status_code == 409 and orders(app) == []
    assert "does not offer the time of day 14:00-16:00; choose again." in answer.text
    assert place(buying, answer, slot="").status_code == 303


def test_a_servers_rate_that_changed_is_shown_before_it_is_charged(tmp_path: Path, database_url: str) -> None:
    with carrier_server() as server:
        toml = (
            "\n[plugins.carrier_callback]\nenabled = true\nallow_insecure = true\nremember_seconds = 0\n"
            f'url = "{server.url}"\n'
        )
        app = make_app(write_shop(tmp_path / "asked", toml=SHOP_TOML + toml), database_url=database_url)
        seed(app)
        add_address(app)
        fill(app, "hayashi", LINES)
        client = app.test_client()
        sign_in(client, "hayashi")
        rate = (
            b'{"rates": [{"service_name": "N", "service_code": "N", "currency": "JPY", "total_price": %d}]}'
        )
        server.body = rate % 50_000
        page = look(client, "carrier_callback")
        server.body = rate % 90_000
        answer = place(client, page, "carrier_callback")
        assert answer.status_code == 409 and orders(app) == []
        assert "Shipping (N) was ¥500 and is now ¥900." in answer.text
        assert place(client, answer, "carrier_callback").status_code == 303
        assert orders(app)[0].shipping_minor == 900
        app.extensions["koguchi"].close()


def test_control_what_stayed_is_ordered_at_once(app: Flask, buying: FlaskClient) -> None:
    at(app, 11, 30, 14, 59)
    page = look(buying, slot="14:00-16:00")
    assert place(buying, page, slot="14:00-16:00").status_code == 303
    (order,) = orders(app)
    assert (order.shipping_minor, order.delivery_slot) == (770, "14:00-16:00")


def test_a_wished_day_before_the_first_possible_one_is_said(app: Flask, buying: FlaskClient) -> None:
    at(app, 11, 20, 16)  # leaves on Tuesday the 24th
    said = "arrives on Wed 25 Nov at the earliest; the day you wish is before that."
    assert said in look(buying, delivery="2026-11-24").text
    assert said not in look(buying, delivery="2026-11-25").text
