"""Lead times at checkout: what can be chosen and why, and that only the promised day that was seen is ordered."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront import cart
from storefront.accounts import Address
from storefront.database import get_session, write
from storefront.orders import Order
from support.ordering import person
from support.shop import FixedClock, make_product, sign_in

LEAD_TIMES = """
code = "LT10"
name = {ja = "納期", en = "Lead times"}
because = {ja = "段取りを組み替えるため", en = "Set-ups are moved"}
[when]
"product.category" = "turned"
[lead_time]
tiers = [
    {code = "economy", days = 10, percent = -3},
    {code = "standard", days = 5},
    {code = "express", days = 2, percent = 20, cutoff = "12:30", max_quantity = 200, per_day = 250},
    {code = "朝いち", days = 1, percent = 50, per_day = 100, label = {ja = "朝いち便", en = "First thing"}},
]
"""


def fill(app: Flask, login: str, lines: dict[str, int]) -> None:
    with app.app_context():
        user = person(login)
        with write() as session:
            cart_id = cart.obtain(session, cart.CartOwner(user_id=user.id, company_id=user.company_id))
            for sku, quantity in lines.items():
                cart.set_quantity(session, cart_id, sku, quantity)


@pytest.fixture
def buying(app: Flask, client: FlaskClient, shop_folder: Path) -> FlaskClient:
    """Misaki Hayashi with 100 turned parts in the cart, in a shop with lead times."""
    (shop_folder / "rules" / "LT10_turned.toml").write_text(LEAD_TIMES, encoding="utf-8")
    with app.app_context():
        make_product("P-30", category="turned", made_to_order=True, on_hand=None)
        with write() as session:
            session.add(
                Address(
                    company_id=person("hayashi").company_id, label="本社", recipient="林 美咲", postcode="5770000",
                    region="JP-27", city="東大阪市", street="本町 4-5-6", phone="06-0000-1111", is_default=True,
                )
            )  # fmt: skip
    fill(app, "hayashi", {"P-30": 100})
    sign_in(client, "hayashi")
    return client


CHOSEN = {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer"}


def words(page: TestResponse) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text))).replace("\u00a0", " ")


def tiers(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'name="lead_time" value="([^"]*)"([^>]*)>', page.text)
    return {value: more.strip() for value, more in found}


def hidden(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def look(client: FlaskClient, **changes: str) -> TestResponse:
    return client.post("/checkout?lang=en", data=CHOSEN | {"do": "look"} | changes)


def press(client: FlaskClient, page: TestResponse, **changes: str) -> TestResponse:
    return client.post("/checkout", data=hidden(page) | CHOSEN | {"do": "place"} | changes)


def orders(app: Flask) -> list[Order]:
    with app.app_context():
        return list(get_session().scalars(select(Order).order_by(Order.id)))


def test_each_tier_is_a_choice_with_days_price_and_promised_date(buying: FlaskClient) -> None:
    page = buying.get("/checkout?lang=en")
    said = words(page)
    assert tiers(page) == {"economy": "", "standard": "checked", "express": "", "朝いち": ""}
    for sentence in (
        "Economy Mon 7 Dec", "−¥300", "Closed on Mon 23 Nov (Labor Thanksgiving Day). 3% off the goods.",
        "Standard Mon 30 Nov", "±¥0", "Express Wed 25 Nov", "+¥2,000", "2 working days. Until 12:30 today.",
        "20% of the goods.", "First thing Tue 24 Nov", "LT10",
    ):  # fmt: skip
        assert sentence in said, sentence


def test_the_same_in_japanese(buying: FlaskClient) -> None:
    said = words(buying.get("/checkout?lang=ja"))
    for sentence in (
        "ゆっくり 12月7日(月)", "ふつう 11月30日(月)", "特急 11月25日(水)", "朝いち便 11月24日(火)",
        "2営業日。本日12:30まで。11月23日(月)は勤労感謝の日でお休みです。商品代の20%。",
    ):  # fmt: skip
        assert sentence in said, sentence


def test_a_cart_without_matching_goods_has_no_lead_time(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"N4-SUS": 200})
    with app.app_context(), write() as session:
        cart.remove(session, 1, "P-30")
    assert "Lead time" not in buying.get("/checkout?lang=en").text


def test_a_tier_for_fewer_pieces_stays_in_view_with_its_reason(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"P-30": 210})
    page = buying.get("/checkout?lang=en")
    assert tiers(page)["express"] == "disabled"
    assert "Express not offered 2 working days. For at most 200 pcs." in words(page)


def test_the_chosen_tier_is_charged_placed_and_stored(app: Flask, buying: FlaskClient) -> None:
    page = look(buying, lead_time="express")
    assert tiers(page)["express"] == "checked"
    assert press(buying, page, lead_time="express").status_code == 303
    (order,) = orders(app)
    assert order.promised_on == date(2026, 11, 25)
    kept = order.lead_time
    assert kept is not None
    assert {key: kept[key] for key in ("rule", "tier", "percent", "amount_minor", "cutoff", "pieces")} == {
        "rule": "LT10", "tier": "express", "percent": "20", "amount_minor": 2000, "cutoff": "12:30", "pieces": 100
    }  # fmt: skip
    assert (order.surcharges_minor, order.subtotal_minor) == (2000, 12_000)


def test_nobody_who_chose_nothing_pays_for_haste(app: Flask, buying: FlaskClient) -> None:
    page = buying.get("/checkout?lang=en")
    form = hidden(page) | CHOSEN | {"do": "place"}
    assert buying.post("/checkout", data=form).status_code == 303
    (order,) = orders(app)
    assert order.lead_time is not None and order.lead_time["tier"] == "standard"
    assert order.promised_on == date(2026, 11, 30)


def test_another_tier_pressed_without_recalculating_is_shown_first(app: Flask, buying: FlaskClient) -> None:
    answer = press(buying, buying.get("/checkout?lang=en"), lead_time="express")
    assert answer.status_code == 409
    assert "The promised date moved from Mon 30 Nov to Wed 25 Nov." in words(answer)
    assert orders(app) == []
    assert press(buying, answer, lead_time="express").status_code == 303


# F18
def test_a_date_that_moved_past_the_cutoff_is_asked_about_with_both_days(
    app: Flask, buying: FlaskClient, clock: FixedClock
) -> None:
    page = look(buying, lead_time="express")
    clock.forward(minutes=131)  # 12:31
    answer = press(buying, page, lead_time="express")
    assert answer.status_code == 409
    said = words(answer)
    assert said.count("The promised date moved from Wed 25 Nov to Thu 26 Nov.") == 1
    assert "After 12:30, so counted from Tue 24 Nov." in said
    assert orders(app) == []
    assert press(buying, answer, lead_time="express").status_code == 303
    assert orders(app)[0].promised_on == date(2026, 11, 26)


def test_control_before_the_cutoff_the_page_that_was_seen_is_placed(
    app: Flask, buying: FlaskClient, clock: FixedClock
) -> None:
    page = look(buying, lead_time="express")
    clock.forward(minutes=130)  # 12:30:00
    assert press(buying, page, lead_time="express").status_code == 303


def test_a_day_taken_by_somebody_else_moves_the_date(app: Flask, buying: FlaskClient) -> None:
    page = look(buying, lead_time="朝いち")
    first = buying.post("/checkout", data=hidden(page) | CHOSEN | {"do": "place", "lead_time": "朝いち"})
    assert first.status_code == 303
    fill(app, "hayashi", {"P-30": 60})
    again = look(buying, lead_time="朝いち")
    assert "First thing Wed 25 Nov" in words(again)
    assert "Tue 24 Nov is full." in words(again)


def test_a_closure_written_after_the_page_was_shown_moves_the_date(
    app: Flask, buying: FlaskClient, shop_folder: Path
) -> None:
    page = buying.get("/checkout?lang=en")
    text = "date,name_ja,name_en\n2026-11-26,機械点検,maintenance\n"
    (shop_folder / "closures.csv").write_text(text, encoding="utf-8")
    answer = press(buying, page, lead_time="standard")
    assert answer.status_code == 409
    assert "The promised date moved from Mon 30 Nov to Tue 1 Dec." in words(answer)
    assert "Closed on Thu 26 Nov (maintenance)." in words(answer)


def test_a_made_up_lead_time_is_no_server_error_and_no_order(app: Flask, buying: FlaskClient) -> None:
    page = buying.get("/checkout?lang=en")
    for wish in ("overnight", "<script>", "9" * 400, "' OR 1=1 --", "😀", "EXPRESS"):
        answer = press(buying, page, lead_time=wish)
        assert answer.status_code == 422, wish
        assert "<script>" not in answer.text
    assert orders(app) == []
    assert press(buying, page, lead_time="\x00").status_code == 303  # nothing is left of a NUL


def test_a_tier_that_the_page_refuses_is_refused_when_posted(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"P-30": 210})
    answer = press(buying, buying.get("/checkout?lang=en"), lead_time="express")
    assert answer.status_code == 422
    assert "takes at most 200 pieces" in words(answer)
    assert orders(app) == []


def test_a_tier_that_is_no_longer_offered_is_replaced_and_said(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"P-30": 210})
    said = words(look(buying, lead_time="express"))
    assert "Express is not offered for this order; Standard is chosen instead." in said


def test_where_no_tier_takes_the_order_the_page_says_so_and_nothing_is_placed(
    app: Flask, buying: FlaskClient, shop_folder: Path
) -> None:
    only = LEAD_TIMES.split("tiers")[0] + 'tiers = [{code = "express", days = 2, max_quantity = 50}]\n'
    (shop_folder / "rules" / "LT10_turned.toml").write_text(only, encoding="utf-8")
    page = buying.get("/checkout?lang=en")
    assert "No lead time takes this order as it is." in words(page)
    assert "Place the order" not in words(page)
    assert press(buying, page).status_code == 422
    assert orders(app) == []


def test_the_cart_names_the_day_of_the_usual_lead_time(buying: FlaskClient) -> None:
    assert "Ready on Mon 30 Nov (Standard) if ordered now" in words(buying.get("/cart?lang=en"))
    assert "11月30日(月)に出荷できます(ふつう)" in words(buying.get("/cart?lang=ja"))


def test_what_the_page_said_before_may_be_no_day(buying: FlaskClient) -> None:
    page = buying.get("/checkout?lang=en")
    for ready in ('"2026-99-99"', "7", "[]", '"<script>1"', "null"):
        answer = press(buying, page, seen=f'{{"ready": {ready}}}', fingerprint="x")
        assert answer.status_code == 409
        assert "moved from" not in words(answer)


def test_lead_times_cost_the_page_one_question_more(
    app: Flask, buying: FlaskClient, queries: Callable[[], list[str]], shop_folder: Path
) -> None:
    def asked() -> list[Any]:
        buying.get("/checkout")
        queries()
        buying.get("/checkout")
        return queries()

    many = asked()
    (shop_folder / "rules" / "LT10_turned.toml").unlink()
    assert len(many) == len(asked()) + 1
    assert sum("lead_time_bookings" in each for each in many) == 1
