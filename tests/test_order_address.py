"""An order's address corrected at the desk: what needs no new price is written once, with who, when and why."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from plugins.contract import CheckoutContext, Disabled
from storefront import jobs
from storefront.accounts import User
from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.mail import Mail
from storefront.orders import Order, OrderAddress
from storefront.orders.address import Corrected, NotCorrected, correct, of_number, seal_of
from storefront.orders.moves import move
from storefront.shipments import Applied, apply
from storefront.shop import current_shop
from storefront.slips import Tracked
from support.ordering import placed
from support.shop import SHOP_TOML, sign_in, write_shop

TABLE_RATE = "\n[plugins.table_rate]\nenabled = true\n"
WHY = "番地をお電話で訂正"


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", toml=SHOP_TOML + TABLE_RATE)


@pytest.fixture
def number(app: Flask) -> str:
    """A confirmed order that goes to Osaka by the tariff."""
    with app.app_context():
        order = placed("hayashi", {"M4-10": 100}, shipping="table_rate")
        with write() as session:
            move(session, order.id, "confirmed", "test")
        return str(order.number)


@pytest.fixture
def inside(app: Flask, number: str) -> Iterator[str]:
    """The same order's number, and an application context around the test."""
    with app.app_context():
        yield number


def stored(app: Flask, number: str) -> tuple[dict[str, str], int]:
    """The order's address, and how often it was corrected."""
    with app.app_context():
        return dict(order_of(number).ship_to), len(get_session().scalars(select(OrderAddress)).all())


def order_of(number: str) -> Order:
    order = of_number(get_session(), number)
    assert order is not None
    get_session().refresh(order)
    return order


def amended(number: str, seal: str | None = None, **changes: str) -> Corrected | NotCorrected:
    order = order_of(number)
    clerk = get_session().scalars(select(User).where(User.email == "clerk@example.com")).one()
    to = {
        name: order.ship_to[name] for name in ("recipient", "postcode", "region", "city", "street", "phone")
    }
    return correct(current_shop(), order, to | changes, seal=seal or seal_of(order), actor=clerk, reason=WHY)


def why(done: Corrected | NotCorrected) -> str:
    return done.why if isinstance(done, NotCorrected) else "corrected"


def test_a_house_number_is_corrected_and_who_when_and_why_are_kept(inside: str, database_url: str) -> None:
    before = order_of(inside)
    was, sums = dict(before.ship_to), (before.total_minor, before.shipping_minor, before.decision)
    assert amended(inside, street="本町 4-5-7") == Corrected(inside)
    after = order_of(inside)
    assert after.ship_to == was | {"street": "本町 4-5-7"}
    assert (after.total_minor, after.shipping_minor, after.decision) == sums
    (kept,) = get_session().scalars(select(OrderAddress))
    assert (kept.before, kept.after, kept.actor, kept.reason) == (
        was,
        after.ship_to,
        "clerk@example.com",
        WHY,
    )
    (entry,) = get_session().scalars(select(AuditEntry).where(AuditEntry.action == "correct"))
    assert (entry.subject, entry.actor) == (f"order:{inside}", "clerk@example.com")
    assert entry.before == {"ship_to": was}


def test_what_cannot_change_a_price_is_corrected_and_all_else_refused_with_its_reason(inside: str) -> None:
    before = dict(order_of(inside).ship_to)
    for changes, told in (
        ({"region": "JP-13", "city": "千代田区"}, "region"),
        ({"postcode": "9070001"}, "price"),  # an island by its postcode
        ({}, "same"),
    ):
        assert why(amended(inside, **changes)) == told
    assert order_of(inside).ship_to == before
    assert get_session().scalars(select(OrderAddress)).all() == []
    assert why(amended(inside, recipient="林工作所 山田", phone="06-9999-9999")) == "corrected"
    assert why(amended(inside, postcode="5810000", city="八尾市")) == "corrected"  # the tariff asks the same
    assert len(get_session().scalars(select(OrderAddress)).all()) == 2


def test_a_price_that_would_differ_is_named_with_both_amounts(inside: str) -> None:
    done = amended(inside, postcode="9070001")
    assert isinstance(done, NotCorrected)
    assert (done.before_minor, done.after_minor) == (770, 1870)


def test_rules_that_look_at_the_postcode_keep_it_as_it_is(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = current_shop().rulebook.edition()
    monkeypatch.setitem(edition.__dict__, "facts_used", frozenset({"order.ship_to.postcode"}))
    assert why(amended(inside, postcode="5810000")) == "rules"
    assert why(amended(inside, street="本町 1")) == "corrected"  # the postcode stays


def test_a_way_to_pay_that_differs_there_keeps_the_postcode(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = current_shop().plugins.payments["bank_transfer"]
    usual = provider.availability

    def only_here(ctx: CheckoutContext) -> Any:
        here = ctx.ship_to is None or ctx.ship_to.postcode == "5770000"
        return usual(ctx) if here else Disabled({"ja": "不可", "en": "not there"})

    monkeypatch.setattr(provider, "availability", only_here)
    assert why(amended(inside, postcode="5810000")) == "payment"
    assert why(amended(inside, street="本町 1")) == "corrected"


def test_a_way_to_ship_that_does_not_answer_keeps_the_postcode_but_not_the_house_number(inside: str) -> None:
    with write() as session:
        session.scalars(select(Order).where(Order.number == inside)).one().shipping_code = "gone"
    assert why(amended(inside, city="八尾市")) == "unanswered"
    assert why(amended(inside, street="本町 1")) == "corrected"


def test_an_order_that_left_or_is_over_keeps_its_address(inside: str) -> None:
    for state in ("shipped", "delivered", "closed", "cancelled"):
        with write() as session:
            session.scalars(select(Order).where(Order.number == inside)).one().state = state
        done = amended(inside, street="本町 1")
        assert isinstance(done, NotCorrected) and (done.why, done.state) == ("state", state)


def test_a_page_from_before_another_correction_overwrites_nothing(inside: str) -> None:
    old = seal_of(order_of(inside))
    assert why(amended(inside, street="本町 1")) == "corrected"
    assert why(amended(inside, seal=old, street="本町 2")) == "changed"
    assert order_of(inside).ship_to["street"] == "本町 1"


def test_of_four_corrections_at_one_moment_one_is_written(app: Flask, number: str, database_url: str) -> None:
    start = Barrier(4)
    with app.app_context():
        seal = seal_of(order_of(number))

    def one(place: int) -> str:
        with app.app_context():
            start.wait()
            return why(amended(number, seal=seal, street=f"本町 {place}"))

    with ThreadPoolExecutor(4) as threads:
        told = sorted(threads.map(one, range(4)))
    assert told == ["changed", "changed", "changed", "corrected"]
    assert stored(app, number)[1] == 1


def test_shipping_and_correcting_at_one_moment_wait_for_each_other(
    app: Flask, number: str, database_url: str
) -> None:
    start = Barrier(2)
    with app.app_context():
        seal = seal_of(order_of(number))
    tracking = f"12345678901{12345678901 % 7}"

    def ship() -> Any:
        with app.app_context():
            start.wait()
            return apply("yamato", [Tracked(1, number, tracking)], shipped_on=date(2026, 11, 24), actor="x")

    def mend() -> str:
        with app.app_context():
            start.wait()
            return why(amended(number, seal=seal, street="本町 9"))

    with ThreadPoolExecutor(2) as threads:
        shipped, mended = threads.submit(ship), threads.submit(mend)
        assert shipped.result() == Applied(1, 1, 0)
        assert mended.result() in ("corrected", "state")
    with app.app_context():
        assert order_of(number).state == "shipped"
    assert (stored(app, number)[0]["street"] == "本町 9") is (mended.result() == "corrected")


# ---- the pages


def page_of(client: FlaskClient, number: str) -> tuple[str, dict[str, str]]:
    """The form's page, and its fields as they stand in it."""
    page = client.get(f"/admin/orders/{number}/address").get_data(as_text=True)
    fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    chosen = re.search(r'<option value="(JP-\d\d)" selected', page)
    return page, {name: html.unescape(text) for name, text in fields.items()} | {
        "region": chosen[1] if chosen else ""
    }


def test_the_desk_corrects_it_and_the_buyer_sees_it_and_gets_a_mail(
    app: Flask, client: FlaskClient, number: str
) -> None:
    sign_in(client, "clerk")
    assert f"/admin/orders/{number}/address" in client.get(f"/admin/orders/{number}").get_data(as_text=True)
    _page, fields = page_of(client, number)
    sent = fields | {"street": "本町 4-5-7", "reason": WHY, "back": "shipments"}
    answer = client.post(f"/admin/orders/{number}/address", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/shipments")
    assert WHY in client.get(f"/admin/orders/{number}").get_data(as_text=True)
    with app.app_context():
        jobs.run_due()
        mail = get_session().scalars(select(Mail).order_by(Mail.id.desc()).limit(1)).one()
        assert "訂正" in mail.subject and "本町 4-5-7" in mail.body and WHY in mail.body
    sign_in(client, "hayashi")
    page = client.get(f"/orders/{number}").get_data(as_text=True)
    assert "本町 4-5-7" in page and WHY in page and "clerk@example.com" not in page
    assert "&lt;time" not in page


REFUSED: list[tuple[dict[str, str], int, str]] = [
    ({"reason": ""}, 422, "理由を書いてください"),
    ({"street": ""}, 422, "番地"),
    ({"postcode": "12"}, 422, "577-0011"),
    ({"region": "JP-13"}, 422, "都道府県が変わると"),
    ({"region": "JP-99"}, 422, "都道府県"),
    ({"postcode": "907-0001"}, 422, "¥770ではなく¥1,870"),
    ({"seal": "x"}, 409, "ほかの担当者"),
    ({"street": "丁" * 300}, 422, "300"),
]


def test_what_is_refused_is_said_and_what_was_typed_stays(
    app: Flask, client: FlaskClient, number: str
) -> None:
    sign_in(client, "owner")
    _page, fields = page_of(client, number)
    for change, status, said in REFUSED:
        sent = fields | {"street": "本町 4-5-7", "reason": WHY} | change
        answer = client.post(f"/admin/orders/{number}/address", data=sent)
        page = html.unescape(answer.get_data(as_text=True))
        assert answer.status_code == status and said in page, change
        assert sent["street"] in page
    assert stored(app, number)[1] == 0


def test_an_order_that_is_shipped_has_no_form(app: Flask, client: FlaskClient, number: str) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Order).where(Order.number == number)).one().state = "shipped"
    sign_in(client, "owner")
    answer = client.get(f"/admin/orders/{number}/address")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/admin/orders/{number}")
    assert f"{number}/address" not in client.get(f"/admin/orders/{number}").get_data(as_text=True)


def test_nobody_but_staff_corrects_an_address(app: Flask, client: FlaskClient, number: str) -> None:
    with app.app_context():
        sent = {"street": "本町 1", "reason": "x", "seal": seal_of(order_of(number))}
    for who in (None, "hayashi", "kitahama"):
        if who is not None:
            sign_in(client, who)
        for method in ("get", "post"):
            answer = getattr(client, method)(f"/admin/orders/{number}/address", data=sent)
            assert answer.status_code in ({302, 401} if who is None else {403, 404})
    assert stored(app, number)[0]["street"] == "本町 4-5-6"


def test_an_unknown_order_is_not_found(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    for odd in ("26-99999", "%00", "%F0%9F%98%80"):
        assert client.get(f"/admin/orders/{odd}/address").status_code == 404


def test_a_slip_that_does_not_fit_leads_to_the_address(app: Flask, client: FlaskClient, number: str) -> None:
    with app.app_context(), write() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        order.ship_to = order.ship_to | {"street": "本町" * 40}
    sign_in(client, "clerk")
    sent = {"do": "slips", "carrier": "yamato", "order": number, "ship_on": "2026-11-24", "goods": "ねじ"}
    page = client.post("/admin/shipments", data=sent).get_data(as_text=True)
    assert f'href="/admin/orders/{number}/address?back=shipments"' in page
