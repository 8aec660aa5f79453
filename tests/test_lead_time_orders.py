"""Orders with a lead time: what they take of a day, in a crowd too, when they give it back, and when the day moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront import jobs, payments
from storefront.accounts import Company, User
from storefront.database import get_session, write
from storefront.language import speak
from storefront.lead_times import LeadTimeBooking
from storefront.lead_times.kept import promise_of
from storefront.mail import Mail
from storefront.orders import Order
from storefront.orders.moves import Moved, approve, move
from storefront.orders.placing import Changed, Placed, Refused
from support.api import ask, cart_of, make_key
from support.crowd import together
from support.ordering import allow_terms, place, placed
from support.shop import FixedClock, make_app, make_product, seed, write_shop

LEAD_TIMES = """
code = "LT10"
name = {ja = "納期", en = "Lead times"}
because = {ja = "段取りを組み替えるため", en = "Set-ups are moved"}
[when]
"product.category" = "cut"
[lead_time]
tiers = [
    {code = "standard", days = 5},
    {code = "express", days = 1, percent = 20, cutoff = "12:30", per_day = 100},
]
"""
FULL = date(2026, 11, 24)  # Monday the 23rd is a holiday


def write_lead_times(folder: Path) -> None:
    (folder / "rules" / "LT10_turned.toml").write_text(LEAD_TIMES, encoding="utf-8")


@pytest.fixture
def making(app: Flask, shop_folder: Path) -> Iterator[Flask]:
    """The tiny shop with lead times, inside an application context."""
    write_lead_times(shop_folder)
    with app.app_context():
        make_product("P-30", category="cut", made_to_order=True, on_hand=None)
        yield app


def taken(order_id: int | None = None) -> dict[date, int]:
    """Pieces booked by day."""
    statement = select(LeadTimeBooking.on, func.sum(LeadTimeBooking.pieces)).group_by(LeadTimeBooking.on)
    if order_id is not None:
        statement = statement.where(LeadTimeBooking.order_id == order_id)
    with write() as session:
        return {day: int(pieces) for day, pieces in session.execute(statement)}


def order_of(outcome: Any) -> Order:
    assert isinstance(outcome, Placed), outcome
    return get_session().get_one(Order, outcome.order_id, populate_existing=True)


def express(pieces: int, login: str = "hayashi", **more: Any) -> Order:
    return order_of(place(login, {"P-30": pieces}, lead_time="express", **more))


# ---- a crowd, on both databases


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    folder = write_shop(tmp_path / "shop")
    write_lead_times(folder)
    app = make_app(folder, database_url=database_url)
    seed(app)
    with app.app_context():
        make_product("P-30", category="cut", made_to_order=True, on_hand=None)
        with write() as session:
            company = Company(code="B1", name="B1", region="JP-27")
            session.add(company)
            session.flush()
            for each in range(30):
                session.add(User(email=f"b{each}@example.com", name="b", role="buyer", company_id=company.id))
    yield app
    app.extensions["koguchi"].close()


def crowd(shop: Flask, buyers: int, pieces: int, **options: Any) -> Counter[str]:
    settings = shop.extensions["koguchi"].settings
    shop.extensions["koguchi"].close()
    task = {"do": "place", "lines": {"P-30": pieces}, "lead_time": "express"}
    tasks = [task | {"login": f"b{each}"} for each in range(buyers)]
    return Counter(
        each["outcome"] for each in together(settings.folder, settings.database_url, tasks, **options)
    )


def test_of_30_buyers_who_saw_one_day_with_room_for_10_exactly_10_get_it(shop: Flask) -> None:
    assert crowd(shop, 30, 10, processes=2) == {"Placed": 10, "Changed": 20}
    with shop.app_context():
        assert taken() == {FULL: 100}
        with write() as session:
            assert {order.promised_on for order in session.scalars(select(Order))} == {FULL}


def test_control_without_the_tiers_lock_two_orders_at_once_take_more_than_the_day_has(
    shop: Flask, database_kind: str
) -> None:
    # SQLite has one writer at a time anyway: there the control believes what was read before the start.
    how = "the_days_taken" if database_kind == "sqlite" else "the_tiers_lock"
    meeting = "storefront.orders.placing:_compare"
    assert crowd(shop, 2, 60, processes=1, threads=2, without=how, meet=meeting) == {"Placed": 2}
    with shop.app_context():
        assert taken() == {FULL: 120}


# ---- one order after another


def test_an_order_larger_than_a_day_takes_several_and_the_next_one_what_they_leave(making: Flask) -> None:
    large = express(250)
    assert taken(large.id) == {FULL: 100, date(2026, 11, 25): 100, date(2026, 11, 26): 50}
    assert large.promised_on == date(2026, 11, 26)
    assert express(50).promised_on == date(2026, 11, 26)
    assert express(10).promised_on == date(2026, 11, 27)


def test_tiers_have_days_of_their_own(making: Flask) -> None:
    express(100)
    assert order_of(place("hayashi", {"P-30": 500}, lead_time="standard")).promised_on == date(2026, 11, 30)
    assert express(1).promised_on == date(2026, 11, 25)


def test_a_cancelled_order_gives_its_day_back_and_twice_is_as_once(making: Flask) -> None:
    order = express(100)
    for _ in range(2):
        with write() as session:
            move(session, order.id, "cancelled", "owner", "test")
    assert taken() == {}
    assert express(100).promised_on == FULL


def test_a_refused_order_takes_nothing(making: Flask) -> None:
    assert isinstance(place("hayashi", {"P-30": 10}, lead_time="express", fingerprint="old"), Changed)
    outcome = place("hayashi", {"P-30": 10}, lead_time="overnight")
    assert isinstance(outcome, Refused) and outcome.code == "rules"
    assert taken() == {}


def test_a_caller_without_a_page_may_name_the_last_day_that_suits(making: Flask) -> None:
    late = place("hayashi", {"P-30": 10}, lead_time="express", promised_on=date(2026, 11, 20))
    assert isinstance(late, Changed)
    assert express(10, promised_on=FULL).promised_on == FULL


def test_orders_of_goods_without_lead_times_keep_none(making: Flask) -> None:
    order = placed("hayashi", {"N4-SUS": 200})
    assert (order.lead_time, order.promised_on) == (None, None)
    assert taken() == {}


def test_more_than_two_years_of_work_is_refused(making: Flask) -> None:
    # an order for decades: the tier stays in view, and is refused by name
    outcome = place("hayashi", {"P-30": 5_000_000}, lead_time="express")
    assert isinstance(outcome, Refused) and outcome.code == "lead_time"


# ---- an order that waits


def test_paid_on_the_day_it_was_counted_from_the_promise_stands(making: Flask, clock: FixedClock) -> None:
    order = express(60)
    clock.forward(minutes=12 * 60)  # 22:20 of the same day
    payments.mark_paid(order.id, "owner")
    again = order_of(Placed(order.id, order.number, ""))
    assert (again.state, again.promised_on) == ("confirmed", FULL)
    assert again.lead_time is not None and "moved_from" not in again.lead_time


def test_paid_later_the_day_is_promised_anew_booked_there_and_told_by_mail(
    making: Flask, clock: FixedClock
) -> None:
    order = express(60)
    jobs.run_due()
    clock.forward(minutes=5 * 24 * 60)  # Wednesday the 25th, 10:20
    payments.mark_paid(order.id, "owner")
    again = order_of(Placed(order.id, order.number, ""))
    assert again.promised_on == date(2026, 11, 26)
    assert again.lead_time is not None and again.lead_time["moved_from"] == "2026-11-24"
    assert again.arrives is None
    assert taken() == {date(2026, 11, 26): 60}
    jobs.run_due()
    with write() as session:
        texts = [mail.body for mail in session.scalars(select(Mail).order_by(Mail.id))]
    assert "特急、11月24日(火)に出荷できます" in texts[0]
    assert "特急、11月26日(木)に出荷できます" in texts[-1]
    assert "11月24日(火)から変わりました" in texts[-1]


def test_the_new_day_respects_what_others_took_meanwhile(
    making: Flask, clock: FixedClock, database_url: str
) -> None:
    waiting = express(60)
    clock.forward(minutes=5 * 24 * 60)
    express(90)  # takes the 26th
    payments.mark_paid(waiting.id, "owner")
    assert taken() == {date(2026, 11, 26): 90, date(2026, 11, 27): 60}


def test_a_day_that_can_still_be_kept_stands_however_late_the_money_came(
    making: Flask, clock: FixedClock
) -> None:
    express(100)
    waiting = express(250)  # full on the 24th, so made on the 25th to the 27th
    assert waiting.promised_on == date(2026, 11, 27)
    clock.forward(minutes=4 * 24 * 60)  # Tuesday the 24th, in time for the same days
    payments.mark_paid(waiting.id, "owner")
    again = order_of(Placed(waiting.id, waiting.number, ""))
    assert again.promised_on == date(2026, 11, 27)
    assert again.lead_time is not None and "moved_from" not in again.lead_time


def test_released_within_minutes_over_midnight_the_promise_stands(making: Flask, clock: FixedClock) -> None:
    clock.forward(minutes=13 * 60 + 35)  # Friday 23:55
    order = order_of(place("hayashi", {"P-30": 10}, lead_time="standard"))
    assert order.promised_on == date(2026, 11, 30)
    clock.forward(minutes=10)
    payments.mark_paid(order.id, "owner")
    assert order_of(Placed(order.id, order.number, "")).promised_on == date(2026, 11, 30)


def test_an_order_held_for_approval_keeps_its_day_and_approved_late_gets_a_new_one(
    making: Flask, clock: FixedClock
) -> None:
    allow_terms(making, "HAYASHI", 100)
    order = order_of(place("hayashi", {"P-30": 60}, payment="net_terms", lead_time="express"))
    assert (order.state, taken(order.id)) == ("awaiting_approval", {FULL: 60})
    speak("en")
    assert "stands if we confirm the order by Fri 20 Nov." in promise_of(order).notes  # type: ignore[union-attr]
    assert order_of(place("kitahama", {"P-30": 60}, lead_time="express")).promised_on == date(2026, 11, 25)
    clock.forward(minutes=4 * 24 * 60)  # Tuesday the 24th
    assert "may move" in promise_of(order).waits_for  # type: ignore[union-attr]
    assert isinstance(approve(order.id, "owner", "ok"), Moved)
    again = order_of(Placed(order.id, order.number, ""))
    assert (again.state, again.promised_on) == ("confirmed", date(2026, 11, 26))
    assert taken() == {date(2026, 11, 25): 60, date(2026, 11, 26): 60}


def test_a_rule_changed_meanwhile_does_not_change_what_an_order_was_promised_by(
    making: Flask, clock: FixedClock, shop_folder: Path
) -> None:
    order = express(60)
    (shop_folder / "rules" / "LT10_turned.toml").unlink()
    clock.forward(minutes=5 * 24 * 60)
    payments.mark_paid(order.id, "owner")
    assert order_of(Placed(order.id, order.number, "")).promised_on == date(2026, 11, 26)


def test_the_api_lists_the_tiers_and_prices_the_chosen_one(making: Flask) -> None:
    key = make_key(making, "HAYASHI")
    answer = ask(making, key, cart_of(("P-30", 60), lead_time="express")).get_json()
    assert [(tier["code"], tier["days"], tier.get("per_day")) for tier in answer["lead_time"]] == [
        ("standard", 5, None),
        ("express", 1, 100),
    ]
    assert [(one["code"], one["amount"]) for one in answer["surcharges"]] == [("LT10", "1200")]
    plain = ask(making, key, cart_of(("P-30", 60))).get_json()
    assert (plain["surcharges"], plain["subtotal"]) == ([], "6000")
    unknown = ask(making, key, cart_of(("P-30", 60), lead_time="overnight")).get_json()
    assert unknown["outcome"] == "block"
