"""Numbers and dates as the shop writes them, in both languages."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask

from storefront import format as written
from storefront.language import speak


@pytest.fixture(autouse=True)
def in_japanese(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        speak("ja")
        yield


@pytest.mark.parametrize(
    ("minor", "expected"),
    [(6800, "¥6,800"), (0, "¥0"), (-300, "−¥300"), (1234567, "¥1,234,567"), (None, "—")],
)
def test_amounts_in_yen_have_commas_and_no_decimals(minor: int | None, expected: str) -> None:
    assert written.money(minor) == expected


def test_added_money_has_a_plus() -> None:
    assert [written.money(minor, sign=True) for minor in (800, -300, 0)] == ["+¥800", "−¥300", "±¥0"]


def test_other_currencies_show_their_own_decimals() -> None:
    assert written.money(123456, "GBP") == "£1,234.56"
    assert written.money(-5, "KWD") == "−KWD\u00a00.005"


@pytest.mark.parametrize(
    ("amount", "per", "ja", "en"),
    [
        ("97.5", 1, "¥97.50/個", "¥97.50 per pc"),
        ("120", 1, "¥120.00/個", "¥120.00 per pc"),
        ("1170", 100, "¥1,170/100個", "¥1,170 per 100 pcs"),
        ("1170.5", 1000, "¥1,170.50/1,000個", "¥1,170.50 per 1,000 pcs"),
        ("0.000125", 1, "¥0.000125/個", "¥0.000125 per pc"),
    ],
)
def test_a_unit_price_always_shows_its_decimals(amount: str, per: int, ja: str, en: str) -> None:
    assert written.unit_price(Decimal(amount), per) == ja
    speak("en")
    assert written.unit_price(Decimal(amount), per) == en


def test_a_unit_price_takes_the_products_own_unit() -> None:
    bag = {"ja": "袋", "en": "bags"}
    assert written.unit_price(Decimal(680), 1, bag) == "¥680.00/袋"
    speak("en")
    assert written.unit_price(Decimal(680), 1, bag) == "¥680.00 per bag"


def test_quantities_carry_their_unit() -> None:
    assert written.quantity(1200) == "1,200個"
    speak("en")
    assert written.quantity(1200) == "1,200\u00a0pcs"
    assert written.quantity(1) == "1\u00a0pc"


def test_dates_carry_their_weekday() -> None:
    assert written.day_text(date(2026, 11, 30)) == "11月30日(月)"
    assert written.day_text(date(2026, 11, 30), year=True) == "2026年11月30日(月)"
    speak("en")
    assert written.day_text(date(2026, 11, 30)) == "Mon 30 Nov"
    assert written.day(date(2026, 11, 30)) == '<time datetime="2026-11-30">Mon 30 Nov</time>'


def test_a_time_is_shown_in_the_shops_zone_also_across_midnight() -> None:
    assert written.moment(datetime(2026, 3, 31, 15, 30, tzinfo=UTC)) == (
        '<time datetime="2026-04-01T00:30+09:00">4月1日(水) 0:30</time>'
    )


def test_numbers_and_rates_lose_no_digit_and_gain_none() -> None:
    assert written.number(Decimal("1234.50")) == "1,234.5"
    assert written.number(-3) == "−3"
    assert written.percent(Decimal("0.1")) == "10%"
    assert written.percent(Decimal("0.085")) == "8.5%"
    assert written.number(Decimal("1E+3")) == "1,000"
