"""Orders written down at the desk: the customer's own prices and refusals, nothing typed lost, placed exactly once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront.accounts import User
from storefront.database import get_session, write
from storefront.entry import Entry, store
from storefront.jobs import run_due
from storefront.mail import Mail
from storefront.orders import Order
from support.filled import filled
from support.ordering import person, placed
from support.shop import make_company, make_product, make_user, sign_in
from test_checkout import add_address

NEW = {
    "address": "new", "recipient": "林 美咲", "phone": "06-0000-1111", "postcode": "577-0000", "region": "JP-27",
    "city": "東大阪市", "street": "本町 4-5-6",
}  # fmt: skip


def orders(app: Flask) -> list[Order]:
    with app.app_context():
        return list(get_session().scalars(select(Order).order_by(Order.id)))


def kept(app: Flask, number: int = 1) -> Entry:
    with app.app_context():
        return get_session().get_one(Entry, number)


def begin(client: FlaskClient, asked: str = "hayashi", channel: str = "phone") -> str:
    """The address of a new entry's page."""
    answer = client.post("/admin/entries", data={"q": asked, "channel": channel})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def press(client: FlaskClient, path: str, page: str | None = None, **changes: str) -> TestResponse:
    """Post the page's form as it stands, with changes."""
    page = page if page is not None else client.get(f"{path}?lang=en").text
    return client.post(path, data=filled(page) | {"do": "look"} | changes)


@pytest.fixture
def desk(app: Flask, client: FlaskClient) -> FlaskClient:
    """The clerk at the desk; Hayashi has an address."""
    add_address(app)
    sign_in(client, "clerk")
    client.get("/admin/?lang=en")
    return client


def test_a_customer_is_found_by_code_name_and_phone_with_one_enter(desk: FlaskClient) -> None:
    for asked in ("HAYASHI", "hayashi", "林工作", "06-0000-1111", "0600001111", "０６－００００－１１１１"):
        assert "林工作所" in desk.get(begin(desk, asked)).text, asked


def test_several_customers_are_offered_and_none_is_said(app: Flask, desk: FlaskClient) -> None:
    with app.app_context():
        make_company("HAYA2", name="林製作所")
        make_company("GONE", name="林閉店", status="closed")
    page = desk.post("/admin/entries", data={"q": "林"})
    assert page.status_code == 200
    assert page.text.count('name="code"') == 2
    assert begin(desk, channel="fax") == "/admin/entries/1"
    nobody = desk.post("/admin/entries", data={"q": "%"})
    assert nobody.status_code == 422
    assert "No customer has" in nobody.text
    assert desk.post("/admin/entries", data={"q": ""}).status_code == 422


def test_each_enter_adds_a_line_answered_with_this_customers_rules(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    page = press(desk, path, page, scan="P-12 30").text
    assert "Turned parts from 50" in page or "QT12" in page
    assert 'value="1:50"' in page  # the way out as a button
    assert "/admin/exceptions/new?rule=QT12&amp;customer=HAYASHI&amp;sku=P-12" in page
    assert 'id="scan"' in page
    assert "autofocus" in page
    assert "Place the order" not in page
    page = press(desk, path, page, set="1:50").text
    assert "Place the order for" in page
    assert kept(app).text.splitlines() == ["M4-10 40", "P-12\t50"]


def test_what_was_typed_is_kept_while_the_phone_rings_again(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(
        desk, path, paste="M4-10\t40\nこれは何 5", note="表の入口へ", purchase_order_number="HK-7"
    ).text
    assert press(desk, path, page, do="park").headers["Location"] == "/admin/entries"
    assert "林工作所" in desk.get("/admin/entries").text
    again = filled(desk.get(path).text)
    assert (again["note"], again["purchase_order_number"], again["rows"]) == ("表の入口へ", "HK-7", "2")
    sign_in(desk, "owner")  # whoever takes the phone next goes on with it
    assert desk.get(path).status_code == 200


def test_a_customer_opened_by_mistake_leaves_nothing_on_the_list(desk: FlaskClient) -> None:
    path = begin(desk)
    assert path not in desk.get("/admin/entries").text
    press(desk, path, scan="M4-10 40")
    assert path in desk.get("/admin/entries").text


def test_an_entry_takes_the_same_queries_whatever_its_lines(
    app: Flask, desk: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    with app.app_context():
        for number in range(20):
            make_product(f"NUT-{number}", category="fasteners/nuts")
    counts = []
    for lines in (2, 20):
        path = begin(desk)
        page = press(desk, path, paste="\n".join(f"NUT-{number} 100" for number in range(lines))).text
        queries()
        press(desk, path, page)
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 25


def test_a_phone_order_is_the_companys_with_the_clerk_as_its_writer(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    answer = press(desk, path, page, do="place", note="11時に電話")
    assert answer.headers["Location"] == "/admin/orders/A-10001"
    order = orders(app)[0]
    with app.app_context():
        clerk, misaki = person("clerk"), person("hayashi")
        assert (order.channel, order.user_id, order.contact_id, order.note) == (
            "phone", clerk.id, misaki.id, "11時に電話",
        )  # fmt: skip
        assert order.company_id == misaki.company_id
        assert get_session().get_one(Order, order.id).moves[0].actor == "clerk@example.com"
        run_due()
        assert [mail.to for mail in get_session().scalars(select(Mail))] == ["hayashi@example.com"]
    assert kept(app).state == "placed"
    assert desk.get(path).headers["Location"] == "/admin/orders/A-10001"
    sign_in(desk, "hayashi")
    assert desk.get("/orders/A-10001").status_code == 200


def test_the_mail_goes_to_whoever_manages_the_account_when_nobody_is_named(
    app: Flask, desk: FlaskClient
) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    assert press(desk, path, page, do="place", contact="").status_code == 303
    with app.app_context():
        run_due()
        assert [mail.to for mail in get_session().scalars(select(Mail))] == ["hayashi-admin@example.com"]


def test_the_order_limit_of_whoever_phoned_holds_the_order(app: Flask, desk: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.get_one(User, person("hayashi").id).order_limit_minor = 1_000
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    press(desk, path, page, do="place")
    assert orders(app)[0].state == "awaiting_approval"


def test_who_ordered_last_is_taken_to_order_again(app: Flask, desk: FlaskClient) -> None:
    with app.app_context():
        admin = placed("hayashi-admin", {"N4-SUS": 200}).user_id
    assert filled(desk.get(begin(desk)).text)["contact"] == str(admin)


def test_somebody_of_another_company_is_never_the_contact(app: Flask, desk: FlaskClient) -> None:
    with app.app_context():
        foreign = str(person("kitahama").id)
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    press(desk, path, page, do="place", contact=foreign)
    assert [order.contact_id for order in orders(app)] == [None]


def test_staff_are_held_to_the_rules_whatever_they_post(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="P-12 30").text
    for changes in ({}, {"fingerprint": ""}, {"unit_price": "1", "override": "1", "channel": "quotation"}):
        assert press(desk, path, page, do="place", **changes).status_code == 422
    assert orders(app) == []
    assert kept(app).channel == "phone"


def test_a_shortage_is_told_and_what_there_is_stands_on_a_button(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="N4-SUS 5000").text
    assert "5,000\xa0pcs cannot be ordered: 1,000\xa0pcs are in stock." in page
    assert 'value="0:1000"' in page
    assert press(desk, path, page, do="place").status_code == 422


def test_a_price_that_changed_since_it_was_read_out_is_asked_again(app: Flask, desk: FlaskClient) -> None:
    from decimal import Decimal

    from storefront.catalog import Product

    path = begin(desk)
    page = press(desk, path, scan="N4-SUS 200").text
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "N4-SUS")).one().list_price = Decimal(19)
    answer = press(desk, path, page, do="place")
    assert answer.status_code == 409
    assert "The price of 1 line changed after you looked" in answer.text
    assert orders(app) == []
    assert press(desk, path, answer.text, do="place").status_code == 303
    assert orders(app)[0].goods_minor == 3_800


def test_a_customer_without_an_address_gets_one_for_this_order(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk, "KITAHAMA", "fax")
    page = press(desk, path, scan="M4-10 100").text
    assert press(desk, path, page, do="place").status_code == 422
    page = press(desk, path, page, **NEW).text
    assert press(desk, path, page, do="place").status_code == 303
    assert (orders(app)[0].channel, orders(app)[0].ship_to["street"]) == ("fax", "本町 4-5-6")


@pytest.mark.parametrize("is_claimed", [True, False], ids=["one order", "control: two"])
def test_two_clerks_who_confirm_the_same_parked_order_at_once_make_one(
    app: Flask, database_url: str, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch, is_claimed: bool
) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    other = app.test_client()
    sign_in(other, "owner")
    page_of_other = other.get(path).text
    if not is_claimed:
        monkeypatch.setattr(store, "claim", lambda *_values, **_names: None)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda pair: press(pair[0], path, pair[1], do="place"),
                                [(desk, page), (other, page_of_other)]))  # fmt: skip
    assert [answer.status_code for answer in answers] == [303, 303]
    assert (
        len({answer.headers["Location"] for answer in answers})
        == len(orders(app))
        == (1 if is_claimed else 2)
    )


def test_the_same_page_sent_again_leads_to_the_same_order(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    first, second = press(desk, path, page, do="place"), press(desk, path, page, do="place")
    assert first.headers["Location"] == second.headers["Location"]
    assert len(orders(app)) == 1


def test_a_discarded_order_cannot_be_placed_any_more(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    page = press(desk, path, scan="M4-10 40").text
    press(desk, path, page, do="discard")
    assert press(desk, path, page, do="place").headers["Location"] == "/admin/entries"
    assert orders(app) == []


def test_more_lines_than_can_be_read_at_once_are_refused_and_kept(desk: FlaskClient) -> None:
    path = begin(desk)
    answer = press(desk, path, paste="M4-10 20\n" * 501)
    assert "too many at once" in answer.text


def test_odd_input_is_answered_with_a_page(app: Flask, database_url: str, desk: FlaskClient) -> None:
    path = begin(desk)
    for odd in ("\0", "1" * 400, "<script>", "=cmd()", "9" * 5_000):
        answer = press(desk, path, scan=odd, note=odd, delivery=odd, channel=odd, contact=odd, rows=odd)
        assert answer.status_code == 200, odd[:9]
        assert "<script>" not in answer.text
        assert desk.get(path).status_code == 200
        assert desk.post("/admin/entries", data={"q": odd, "code": odd}).status_code in (200, 422)


def test_buyers_do_not_write_orders_down_and_see_nothing_of_it(app: Flask, desk: FlaskClient) -> None:
    path = begin(desk)
    with app.app_context():
        make_user("colleague", company=None, role="clerk")
    sign_in(desk, "hayashi-admin")
    for call in (desk.get, desk.post):
        assert call(path).status_code == 403
        assert call("/admin/entries").status_code == 403
