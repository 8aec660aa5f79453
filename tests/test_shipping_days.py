"""When an order leaves and arrives: the carrier's cutoff, the shop's calendar, the time of day; and no silent price."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import jobs
from storefront.clock import set_clock
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.orders.moves import move
from storefront.orders.placing import Changed, Placed
from storefront.shipping.quoting import leaving_on
from storefront.shop_calendar import ShopCalendar
from support.carrier_server import carrier_server
from support.listener import Listener
from support.ordering import look, place, placed
from support.shop import SHOP_TOML, FixedClock, make_app, seed, sign_in, write_shop

CART = {"M4-10": 40, "N4-SUS": 200}
TABLE_RATE = "\n[plugins.table_rate]\nenabled = true\n"


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", toml=SHOP_TOML + TABLE_RATE)


def at(app: Flask, hour: int, day: int = 20) -> None:
    """That hour of a day of November 2026 in Japan; the 20th is a Friday and Monday the 23rd a holiday."""
    set_clock(app, FixedClock(datetime(2026, 11, day, hour - 9, 0, tzinfo=UTC)))


def option(code: str = "table_rate") -> object:
    return next(each for each in look("hayashi", CART, shipping=code).shipping_options if each.code == code)


@pytest.mark.parametrize(
    ("day", "hour", "leaves", "earliest", "cutoff"),
    [
        (20, 10, 20, 21, "15:00"),
        (20, 15, 20, 21, "15:00"),
        (20, 16, 24, 25, None),  # Friday after the cutoff, and Monday is a holiday
        (21, 10, 24, 25, None),  # Saturday
        (24, 10, 24, 25, "15:00"),
    ],
)
def test_an_order_leaves_on_a_business_day_and_after_the_cutoff_a_day_later(
    app: Flask, day: int, hour: int, leaves: int, earliest: int, cutoff: str | None
) -> None:
    at(app, hour, day)
    with app.app_context():
        found = option()
        assert (found.leaves_on, found.earliest) == (date(2026, 11, leaves), date(2026, 11, earliest))  # type: ignore[attr-defined]
        assert found.cutoff == cutoff  # type: ignore[attr-defined]


def test_a_day_the_shop_closes_itself_is_none_to_leave_on(app: Flask, shop_folder: Path) -> None:
    (shop_folder / "closures.csv").write_text(
        "date,name_ja,name_en\n2026-11-20,棚卸し,Stocktaking\n", "utf-8"
    )
    at(app, 10)
    with app.app_context():
        assert option().leaves_on == date(2026, 11, 24)  # type: ignore[attr-defined]
    assert leaving_on(ShopCalendar(), date(2026, 11, 22)) == date(2026, 11, 24)


def test_the_order_keeps_the_days_and_the_time_of_day_that_was_chosen(app: Flask) -> None:
    at(app, 10)
    with app.app_context():
        order = placed("hayashi", CART, shipping="table_rate", slot="14:00-16:00")
        assert (order.arrives, order.delivery_slot) == (["2026-11-21", "2026-11-22"], "14:00-16:00")


@pytest.mark.parametrize(("shipping", "slot"), [("flat_rate", "14:00-16:00"), ("table_rate", "03:00-04:00")])
def test_a_time_of_day_that_the_way_to_ship_has_not_is_asked_about_and_not_dropped(
    app: Flask, shipping: str, slot: str
) -> None:
    with app.app_context():
        assert isinstance(place("hayashi", CART, shipping=shipping, slot=slot), Changed)
        assert get_session().scalars(select(Order)).all() == []


# --- released later than it was placed


def test_an_order_that_is_paid_later_is_told_when_it_arrives_then(app: Flask) -> None:
    at(app, 10)
    with app.app_context():
        order = placed("hayashi", CART, shipping="table_rate")
        assert (order.state, order.arrives) == ("awaiting_payment", ["2026-11-21", "2026-11-22"])
    at(app, 16, 25)  # five days later, after the cutoff
    with app.app_context():
        with write() as session:
            move(session, order.id, "confirmed", "bank")
        assert get_session().get_one(Order, order.id).arrives is None  # not the days that have passed
        jobs.run_due()
        get_session().expire_all()
        anew = get_session().get_one(Order, order.id)
        assert anew.arrives == ["2026-11-27", "2026-11-28"]
        assert anew.shipping_minor == order.shipping_minor


def test_an_order_that_is_released_at_once_keeps_the_days_it_was_shown(app: Flask) -> None:
    at(app, 10)
    with app.app_context():
        order = placed("hayashi", CART, shipping="table_rate")
        with write() as session:
            move(session, order.id, "confirmed", "bank")
        jobs.run_due()
        get_session().expire_all()
        assert get_session().get_one(Order, order.id).arrives == ["2026-11-21", "2026-11-22"]


def test_an_order_whose_carrier_does_not_answer_any_more_names_no_day(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(app, 10)
    with app.app_context():
        order = placed("hayashi", CART, shipping="table_rate")
    at(app, 10, 27)
    with app.app_context():
        monkeypatch.delitem(app.extensions["koguchi"].plugins.shipping, "table_rate")
        with write() as session:
            move(session, order.id, "confirmed", "bank")
        jobs.run_due()
        get_session().expire_all()
        assert get_session().get_one(Order, order.id).arrives is None


# --- weekends, holidays, the minute of the cutoff, and midnight in Japan

NEW_YEAR = "date,until,name_ja,name_en\n2026-12-29,2027-01-04,年末年始,New Year\n"


# UTC: (month, day, hour, minute, second), then leaving, first and last arrival; to Kansai one to two calendar days
COUNTED = [
    ((11, 20, 5, 59, 59), "2026-11-20", "2026-11-21", "2026-11-22"),  # Friday 14:59:59
    ((11, 20, 6, 0, 0), "2026-11-20", "2026-11-21", "2026-11-22"),  # 15:00:00 is in time
    ((11, 20, 6, 0, 1), "2026-11-24", "2026-11-25", "2026-11-26"),  # Monday is a holiday
    ((11, 19, 14, 59, 59), "2026-11-20", "2026-11-21", "2026-11-22"),  # Thursday 23:59:59
    ((11, 19, 15, 0, 0), "2026-11-20", "2026-11-21", "2026-11-22"),  # midnight: Friday, before its cutoff
    ((11, 20, 15, 0, 0), "2026-11-24", "2026-11-25", "2026-11-26"),  # Saturday 00:00
    ((12, 28, 5, 59, 0), "2026-12-28", "2026-12-29", "2026-12-30"),
    ((12, 28, 6, 1, 0), "2027-01-05", "2027-01-06", "2027-01-07"),  # the shop is closed over New Year
    ((12, 30, 15, 30, 0), "2027-01-05", "2027-01-06", "2027-01-07"),  # 31 December in Japan
]


def test_days_are_counted_from_the_cutoff_over_the_shops_closed_days(app: Flask, shop_folder: Path) -> None:
    (shop_folder / "closures.csv").write_text(NEW_YEAR, "utf-8")
    for (month, day, hour, minute, second), *wanted in COUNTED:
        set_clock(app, FixedClock(datetime(2026, month, day, hour, minute, second, tzinfo=UTC)))
        with app.app_context():
            found: Any = option()
            assert [str(each) for each in (found.leaves_on, found.earliest, found.latest)] == wanted


def test_public_holidays_of_the_turn_of_the_year_are_no_days_to_leave_on() -> None:
    calendar = ShopCalendar()  # without a closures.csv: New Year's Day alone is one
    assert leaving_on(calendar, date(2026, 12, 31)) == date(2026, 12, 31)
    assert leaving_on(calendar, date(2027, 1, 1)) == date(2027, 1, 4)  # then a weekend


def test_the_page_offers_the_times_of_the_chosen_way_and_the_order_shows_them(
    app: Flask, client: FlaskClient
) -> None:
    from test_checkout import fill

    at(app, 10)
    sign_in(client, "hayashi")
    fill(app, "hayashi", CART)
    plain = client.post("/checkout", data={"shipping": "flat_rate", "address": "new", "region": "JP-27"})
    assert 'name="slot"' not in plain.get_data(as_text=True)
    page = client.post(
        "/checkout",
        data={"shipping": "table_rate", "address": "new", "region": "JP-27", "slot": "16:00-18:00"},
    ).get_data(as_text=True)
    assert '<option value="16:00-18:00" selected>' in page
    assert "15:00までのご注文は本日発送" in html.unescape(page)


# --- what is asked again when an order is placed


@pytest.fixture
def server() -> Iterator[Listener]:
    with carrier_server() as running:
        yield running


def with_server(folder: Path, server: Listener, database_url: str, more: str = "") -> Flask:
    toml = (
        f'\n[plugins.carrier_callback]\nenabled = true\nallow_insecure = true\nurl = "{server.url}"\n{more}'
    )
    app = make_app(write_shop(folder, toml=SHOP_TOML + toml), database_url=database_url)
    seed(app)
    return app


def rate(yen: int) -> bytes:
    return (
        b'{"rates": [{"service_name": "N", "service_code": "N", "currency": "JPY", "total_price": %d}]}'
        % (yen * 100)
    )


def test_a_rate_that_changed_before_confirming_is_shown_and_nothing_is_ordered(
    tmp_path: Path, server: Listener, database_url: str
) -> None:
    app = with_server(tmp_path / "asked", server, database_url, "remember_seconds = 0\n")
    server.body = rate(500)
    with app.app_context():
        seen = look("hayashi", CART, shipping="carrier_callback").priced
        server.body = rate(900)
        outcome = place("hayashi", CART, shipping="carrier_callback", fingerprint=seen.fingerprint)
        assert isinstance(outcome, Changed)
        assert outcome.priced.decision.total == seen.decision.total + 440  # with tax
        assert get_session().scalars(select(Order)).all() == []
        again = place("hayashi", CART, shipping="carrier_callback", fingerprint=outcome.priced.fingerprint)
        assert isinstance(again, Placed)
        assert get_session().get_one(Order, again.order_id).shipping_minor == 900
    app.extensions["koguchi"].close()


def test_a_server_that_fails_between_looking_and_confirming_changes_no_price_silently(
    tmp_path: Path, server: Listener, database_url: str
) -> None:
    app = with_server(
        tmp_path / "fails", server, database_url, 'remember_seconds = 0\nfallback = "tariff.toml"\n'
    )
    from plugins.shipping.table_rate import SAMPLE

    (tmp_path / "fails" / "tariff.toml").write_bytes(SAMPLE.read_bytes())
    server.body = rate(500)
    with app.app_context():
        seen = look("hayashi", CART, shipping="carrier_callback").priced
        server.status = 500
        outcome = place("hayashi", CART, shipping="carrier_callback", fingerprint=seen.fingerprint)
        assert isinstance(outcome, Changed)
        assert get_session().scalars(select(Order)).all() == []
    app.extensions["koguchi"].close()


def test_control_a_rate_that_stayed_is_ordered_as_it_was_seen(
    tmp_path: Path, server: Listener, database_url: str
) -> None:
    app = with_server(tmp_path / "stays", server, database_url, "remember_seconds = 0\n")
    server.body = rate(500)
    with app.app_context():
        order = placed("hayashi", CART, shipping="carrier_callback")
        assert (order.shipping_code, order.shipping_minor) == ("carrier_callback", 500)
    assert len(server.asked) >= 2  # for the page, and again for the order
    app.extensions["koguchi"].close()
