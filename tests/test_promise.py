"""The promised date: days, cutoff, holidays and room of each day, and why it is that day."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.promise import Closed, Promise, promise
from storefront.shop_calendar import ShopCalendar

SHOP = ShopCalendar("JP")
TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class Tier:
    days: int
    cutoff: str | None = None
    per_day: int | None = None


def day(text: str) -> date:
    month, number = text.split("-")
    return date(2026, int(month), int(number))


def ask(
    tier: Tier, at: str = "11-20 10:20", pieces: int = 50, booked: dict[str, int] | None = None
) -> Promise | None:
    when, clock = at.split(" ")
    hour, minute, *rest = map(int, clock.split(":"))
    moment = datetime(2026, day(when).month, day(when).day, hour, minute, *rest, tzinfo=TOKYO)
    return promise(tier, moment, pieces, {day(each): of for each, of in (booked or {}).items()}, SHOP)


def told(found: Promise | None) -> list[tuple[str, str, str]]:
    assert found is not None
    return [(note.kind, note.first.strftime("%m-%d"), note.last.strftime("%m-%d")) for note in found.notes]


def ready(found: Promise | None) -> str:
    assert found is not None
    return found.ready_on.strftime("%m-%d")


def test_days_are_business_days_and_the_holiday_on_the_way_is_named() -> None:
    found = ask(Tier(5))
    assert ready(found) == "11-30"
    assert told(found) == [("closed", "11-23", "11-23")]
    assert found is not None and found.notes[0].name == {"ja": "勤労感謝の日", "en": "Labor Thanksgiving Day"}


@pytest.mark.parametrize(
    ("at", "counted", "date_"),
    [
        ("11-20 12:29:59", "11-20", "11-25"),
        ("11-20 12:30", "11-20", "11-25"),
        ("11-20 12:30:01", "11-24", "11-26"),
        ("11-20 23:59:59", "11-24", "11-26"),
        ("11-21 00:00", "11-24", "11-26"),
        ("11-23 09:00", "11-24", "11-26"),
    ],
)
def test_an_order_after_the_cutoff_or_on_a_closed_day_counts_from_the_next_business_day(
    at: str, counted: str, date_: str
) -> None:
    found = ask(Tier(2, "12:30"), at)
    assert found is not None and found.counted_from == day(counted)
    assert ready(found) == date_


def test_why_tells_a_late_order_from_one_on_a_closed_day() -> None:
    assert told(ask(Tier(2, "12:30"), "11-19 13:00")) == [
        ("after_cutoff", "11-19", "11-20"),
        ("closed", "11-23", "11-23"),
    ]
    assert told(ask(Tier(0), "11-22 13:00")) == [("not_open", "11-22", "11-24"), ("closed", "11-23", "11-23")]
    assert told(ask(Tier(0), "11-23 13:00")) == [("not_open", "11-23", "11-24")]


def test_without_a_cutoff_the_whole_day_counts() -> None:
    assert ready(ask(Tier(1), "11-19 23:59:59")) == "11-20"


def test_no_days_is_the_same_day() -> None:
    assert ready(ask(Tier(0, "12:30"), "11-20 09:00")) == "11-20"


def test_a_closure_over_a_weekend_is_one_note() -> None:
    closure = Closed({"ja": "年末年始休業", "en": "year-end holidays"})
    closed = dict.fromkeys((date(2026, 12, 29) + timedelta(days=each) for each in range(7)), closure)
    found = promise(Tier(1), datetime(2026, 12, 28, 9, tzinfo=TOKYO), 1, {}, ShopCalendar("JP", closed))
    assert found is not None and found.ready_on == date(2027, 1, 5)
    assert [(note.first, note.last) for note in found.notes] == [(date(2026, 12, 29), date(2027, 1, 4))]


def test_a_day_takes_its_pieces_and_the_next_order_goes_on() -> None:
    tier = Tier(1, per_day=100)
    assert ready(ask(tier, "11-24 09:00", 50, {"11-25": 50})) == "11-25"
    found = ask(tier, "11-24 09:00", 50, {"11-25": 51, "11-26": 100})
    assert ready(found) == "11-27"
    assert told(found) == [("full", "11-25", "11-26")]


def test_an_order_that_fits_into_a_day_is_never_torn_apart() -> None:
    found = ask(Tier(1, per_day=100), "11-24 09:00", 100, {"11-25": 1, "11-27": 0})
    assert found is not None and found.parts == ((day("11-26"), 100),)


def test_an_order_larger_than_a_day_takes_what_is_free_and_is_ready_on_the_last_of_its_days() -> None:
    found = ask(Tier(1, per_day=100), "11-24 09:00", 250, {"11-25": 40, "11-26": 100})
    assert found is not None
    assert found.parts == ((day("11-25"), 60), (day("11-27"), 100), (day("11-30"), 90))
    assert ready(found) == "11-30"
    assert told(found) == [("spread", "11-25", "11-30")]


@pytest.mark.parametrize("tier", [Tier(999_999_999), Tier(1, per_day=1)])
def test_what_would_take_longer_than_two_years_is_not_promised(tier: Tier) -> None:
    assert ask(tier, pieces=999_999_999) is None


def test_more_booked_than_a_day_has_is_as_full() -> None:
    assert ready(ask(Tier(1, per_day=10), "11-24 09:00", 10, {"11-25": 999})) == "11-26"


def test_random_orders_never_oversell_a_day_and_each_has_the_first_day_with_room() -> None:
    draw = random.Random(7)
    for _ in range(60):
        tier = Tier(draw.randint(0, 6), draw.choice([None, "12:30"]), draw.randint(20, 60))
        booked: dict[date, int] = {}
        moment = datetime(2026, 12, 1, tzinfo=TOKYO) + timedelta(minutes=draw.randint(0, 60_000))
        for _ in range(12):
            pieces = draw.randint(1, 150)
            found = promise(tier, moment, pieces, booked, SHOP)
            assert found is not None and sum(part for _, part in found.parts) == pieces
            assert all(SHOP.closed(each) is None for each, _ in found.parts)
            first = _slow_first(tier, moment)
            if pieces <= tier.per_day:  # type: ignore[operator]
                assert found.ready_on == _slow_room(first, tier.per_day, pieces, booked)  # type: ignore[arg-type]
            else:
                assert found.parts[0][0] >= first
            for each, part in found.parts:
                booked[each] = booked.get(each, 0) + part
            assert max(booked.values()) <= tier.per_day  # type: ignore[operator]


def _slow_first(tier: Tier, moment: datetime) -> date:
    start = moment.date()
    if tier.cutoff and moment.strftime("%H:%M:%S") > tier.cutoff + ":00":
        start += timedelta(days=1)
    left = tier.days
    while True:
        if SHOP.closed(start) is None:
            if left == 0:
                return start
            left -= 1
        start += timedelta(days=1)


def _slow_room(first: date, per_day: int, pieces: int, booked: dict[date, int]) -> date:
    while SHOP.closed(first) is not None or booked.get(first, 0) + pieces > per_day:
        first += timedelta(days=1)
    return first
