"""The checkout page: what it shows, what it refuses, and that only what was seen is ever ordered."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront import cart
from storefront.accounts import Address, Company, User
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.payments import payment_of
from support.ordering import allow_terms, person
from support.shop import SHOP_TOML, make_app, make_product, seed, sign_in, write_shop

NEW = {
    "address": "new",
    "recipient": "林 美咲",
    "phone": "06-0000-1111",
    "postcode": "577-0000",
    "region": "JP-27",
    "city": "東大阪市",
    "street": "本町 4-5-6",
}


def fill(app: Flask, login: str, lines: dict[str, int]) -> None:
    with app.app_context():
        user = person(login)
        with write() as session:
            cart_id = cart.obtain(session, cart.CartOwner(user_id=user.id, company_id=user.company_id))
            for sku, quantity in lines.items():
                cart.set_quantity(session, cart_id, sku, quantity)


def add_address(app: Flask, code: str = "HAYASHI", **values: Any) -> int:
    with app.app_context(), write() as session:
        company = session.scalars(select(Company).where(Company.code == code)).one()
        address = Address(
            **{
                "company_id": company.id,
                "label": "本社工場",
                "recipient": "林 美咲",
                "postcode": "5770000",
                "region": "JP-27",
                "city": "東大阪市",
                "street": "本町 4-5-6",
                "phone": "06-0000-1111",
                "is_default": True,
                **values,
            }
        )
        session.add(address)
        session.flush()
        return address.id


def hidden(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def orders(app: Flask) -> list[Order]:
    with app.app_context():
        return list(get_session().scalars(select(Order).order_by(Order.id)))


def in_cart(app: Flask, login: str) -> dict[str, int]:
    with app.app_context():
        lines = cart.lines_of(get_session(), cart.CartOwner(user_id=person(login).id))
        return {line.sku: line.quantity for line in lines}


@pytest.fixture
def buying(app: Flask, client: FlaskClient) -> FlaskClient:
    """Misaki Hayashi, signed in, with two lines in the cart and one address."""
    add_address(app)
    fill(app, "hayashi", {"M4-10": 40, "N4-SUS": 200})
    sign_in(client, "hayashi")
    return client


def confirm(client: FlaskClient, **changes: str) -> TestResponse:
    """Look at the page, then press the button with what it showed."""
    page = client.get("/checkout?lang=en")
    chosen = {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer"}
    return client.post("/checkout", data=hidden(page) | chosen | {"do": "place"} | changes)


def test_the_page_shows_choices_lines_charges_and_the_total_on_its_button(buying: FlaskClient) -> None:
    page = buying.get("/checkout?lang=en")
    assert page.status_code == 200
    for words in ("本社工場", "Standard delivery", "Bank transfer in advance", "Small-lot fee", "SC10"):
        assert words in page.text
    assert "Place the order for ¥10,120" in page.text


def test_a_visitor_is_sent_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/checkout").status_code == 302
    assert client.post("/checkout", data={"do": "place"}).status_code == 401


def test_an_empty_cart_goes_back_to_the_cart(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    for answer in (client.get("/checkout"), client.post("/checkout", data={"do": "place"})):
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("/cart")


def test_confirming_places_the_order_and_empties_the_cart(app: Flask, buying: FlaskClient) -> None:
    answer = confirm(buying, purchase_order_number="HK-1", note="表の入口へ", delivery="2026-12-01")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/orders/A-10001?placed=1"
    order = orders(app)[0]
    assert (order.total_minor, order.purchase_order_number, order.note) == (10_120, "HK-1", "表の入口へ")
    assert str(order.requested_delivery_on) == "2026-12-01"
    assert order.ship_to["recipient"] == "林 美咲"
    assert in_cart(app, "hayashi") == {}
    page = buying.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "We have received your order." in page.text
    assert "1234567" in page.text  # the account to pay into


def test_a_second_click_leads_to_the_same_order(app: Flask, buying: FlaskClient) -> None:
    form = hidden(buying.get("/checkout")) | {
        "address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"
    }  # fmt: skip
    first, second = buying.post("/checkout", data=form), buying.post("/checkout", data=form)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(orders(app)) == 1


def test_an_old_page_sent_again_with_another_cart_orders_nothing_and_says_so(
    app: Flask, buying: FlaskClient
) -> None:
    form = hidden(buying.get("/checkout?lang=en")) | {
        "address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"
    }  # fmt: skip
    assert buying.post("/checkout", data=form).status_code == 303
    fill(app, "hayashi", {"N4-SUS": 300})
    answer = buying.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "This page was used for another order" in answer.text
    assert len(orders(app)) == 1
    assert buying.post("/checkout", data=form | hidden(answer)).status_code == 303
    assert len(orders(app)) == 2


def test_another_address_is_typed_checked_and_kept_with_the_order(app: Flask, buying: FlaskClient) -> None:
    answer = confirm(buying, **NEW)
    assert answer.status_code == 303
    assert orders(app)[0].ship_to["postcode"] == "5770000"


def test_a_bad_address_keeps_what_was_typed_and_links_each_field(app: Flask, buying: FlaskClient) -> None:
    answer = confirm(buying, **NEW | {"postcode": "12", "street": "", "note": "急ぎ"})
    assert answer.status_code == 422
    for words in ('href="#postcode"', 'href="#street"', 'value="12"', "急ぎ", 'role="alert"'):
        assert words in answer.text
    assert orders(app) == []


def test_an_address_begun_beside_a_chosen_one_is_asked_about(app: Flask, buying: FlaskClient) -> None:
    answer = confirm(buying, street="桜ヶ丘 1-2-3")
    assert answer.status_code == 422
    assert "You began to write another address" in answer.text


def test_a_foreign_address_is_not_taken(app: Flask, buying: FlaskClient) -> None:
    other = add_address(app, "KITAHAMA", city="秘密市", recipient="北浜")
    answer = confirm(buying, address=str(other))
    assert answer.status_code == 422
    assert "秘密市" not in answer.text
    assert "Choose where the goods go." in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("soon", "Write the date like"),
        ("2026-02-30", "Write the date like"),
        ("2026-11-20", "after today"),
        ("2029-01-01", "within a year"),
    ],
)
def test_a_delivery_date_that_cannot_be_is_refused(buying: FlaskClient, typed: str, sentence: str) -> None:
    answer = confirm(buying, delivery=typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{typed}"' in answer.text


def test_a_purchase_order_number_used_before_is_asked_about_once(app: Flask, buying: FlaskClient) -> None:
    assert confirm(buying, purchase_order_number="HK-1").status_code == 303
    fill(app, "hayashi", {"N4-SUS": 100})
    answer = confirm(buying, purchase_order_number="HK-1")
    assert answer.status_code == 422
    assert "HK-1 stands on your order A-10001" in answer.text
    assert confirm(buying, purchase_order_number="HK-1", same_number="1").status_code == 303


def test_a_number_of_another_company_is_no_matter(app: Flask, buying: FlaskClient) -> None:
    assert confirm(buying, purchase_order_number="HK-1").status_code == 303
    fill(app, "kitahama", {"N4-SUS": 100})
    address = add_address(app, "KITAHAMA")
    sign_in(buying, "kitahama")
    assert confirm(buying, purchase_order_number="HK-1", address=str(address)).status_code == 303


# F18
def test_a_price_that_changed_is_shown_old_and_new_and_confirmed_again(
    app: Flask, buying: FlaskClient
) -> None:
    form = hidden(buying.get("/checkout?lang=en")) | {
        "address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"
    }  # fmt: skip
    with app.app_context(), write() as session:
        product = session.scalars(select(Product).where(Product.sku == "N4-SUS")).one()
        product.list_price = product.list_price + 1  # type: ignore[operator]
    answer = buying.post("/checkout", data=form)
    assert answer.status_code == 409
    for words in ("¥18.00 per pc", "¥19.00 per pc", "was ¥10,120 and is now ¥10,340", "Go on with ¥10,340"):
        assert words in answer.text
    assert orders(app) == []
    again = buying.post("/checkout", data=form | hidden(answer))
    assert again.status_code == 303
    assert orders(app)[0].total_minor == 10_340


# F14
def test_amounts_in_the_form_are_ignored(app: Flask, buying: FlaskClient) -> None:
    lies = {
        "total": "1",
        "price": "0",
        "unit_price": "0",
        "company_id": "2",
        "user_id": "9",
        "state": "confirmed",
    }
    assert confirm(buying, **lies).status_code == 303
    order = orders(app)[0]
    assert (order.total_minor, order.state, order.company_id) == (10_120, "awaiting_payment", 1)


def test_a_made_up_fingerprint_orders_nothing(app: Flask, buying: FlaskClient) -> None:
    for fingerprint in ("", "x" * 5000, "0" * 32):
        assert confirm(buying, fingerprint=fingerprint).status_code == 409
    assert orders(app) == []


# F17
def test_confirming_with_nothing_chosen_is_refused(app: Flask, buying: FlaskClient) -> None:
    answer = buying.post("/checkout", data={"do": "place"})
    assert answer.status_code == 422
    assert orders(app) == []


ODD = ("\x00", "' OR 1=1 --", "{{7*7}}", "-1", "9" * 400, "<script>", "😀", "[" * 3000, '{"lines": 5}')


@pytest.mark.parametrize(
    "field", ["shipping", "payment", "address", "key", "seen", "delivery", "note", "region"]
)
def test_odd_input_is_never_a_server_error(app: Flask, buying: FlaskClient, field: str) -> None:
    for value in ODD:
        fill(app, "hayashi", {"N4-SUS": 1})
        answer = confirm(buying, **{field: value})
        assert answer.status_code in (303, 409, 422), value
        assert "<script>" not in answer.text


def test_what_the_page_said_before_may_hold_anything(app: Flask, buying: FlaskClient) -> None:
    for seen in (
        {"total": "NaN", "lines": {"M4-10": ["NaN", 1]}},
        {"total": 10**400, "lines": {"M4-10": ["1e999999", 1], "N4-SUS": ["1", 0]}},
        {"total": True, "lines": {"M4-10": [None, 1], "N4-SUS": [["1"], "2"]}},
        {"lines": []},
        [],
    ):
        assert confirm(buying, fingerprint="x", seen=json.dumps(seen)).status_code == 409


def test_a_chosen_method_that_is_refused_leaves_no_order(app: Flask, buying: FlaskClient) -> None:
    answer = confirm(buying, payment="net_terms")  # this company has no terms
    assert answer.status_code == 422
    assert orders(app) == []


def test_a_payment_on_account_is_offered_to_companies_with_terms_and_says_what_is_left(
    app: Flask, buying: FlaskClient
) -> None:
    allow_terms(app, "HAYASHI", 30_000)
    page = buying.get("/checkout?lang=en")
    assert "Closes Fri 20 Nov, due Thu 31 Dec" in page.text
    assert "¥19,880 of credit left after this order" in page.text
    form = hidden(buying.post("/checkout", data=hidden(page) | {"address": "1", "payment": "net_terms"}))
    answer = buying.post("/checkout", data=form | {"address": "1", "payment": "net_terms", "do": "place"})
    assert answer.status_code == 409 or answer.status_code == 303
    if answer.status_code == 409:
        answer = buying.post(
            "/checkout", data=form | hidden(answer) | {"address": "1", "payment": "net_terms", "do": "place"}
        )
    assert orders(app)[0].state == "confirmed"


def test_recalculating_orders_nothing_and_keeps_what_was_typed(app: Flask, buying: FlaskClient) -> None:
    answer = buying.post(
        "/checkout", data={"address": "new", "note": "急ぎ", "region": "JP-13", "do": "look"}
    )
    assert answer.status_code == 200
    assert "急ぎ" in answer.text
    assert '<option value="JP-13" selected>' in answer.text
    assert orders(app) == []


def test_htmx_gets_the_form_alone(buying: FlaskClient) -> None:
    answer = buying.post("/checkout", data={"address": "1"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="checkout"')


def test_a_cart_that_the_rules_refuse_leads_to_what_must_be_fixed(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"M4-10": 30})
    page = buying.get("/checkout?lang=en")
    assert "Fix 1 thing in the cart first" in page.text
    assert "QT10" in page.text
    assert "Place the order" not in page.text
    assert confirm(buying).status_code == 422
    assert orders(app) == []


def test_the_bar_counts_no_line_that_the_cart_leaves_out_of_its_sum(app: Flask, buying: FlaskClient) -> None:
    def bar() -> str:
        page = buying.get("/checkout?lang=en").text
        return page[page.index('class="paybar') :]

    fill(app, "hayashi", {"M4-10": 100, "N4-SUS": 100})
    assert "2 lines, incl. tax" in bar()
    fill(app, "hayashi", {"M4-10": 30})
    assert "1 line cannot be ordered as it stands." in bar()
    assert "incl. tax" not in bar()
    fill(app, "hayashi", {"M4-10": 100, "N4-SUS": 1200})
    assert "1 line cannot be ordered as it stands." in bar()


def test_more_than_is_in_stock_is_named_with_what_there_is(app: Flask, buying: FlaskClient) -> None:
    fill(app, "hayashi", {"N4-SUS": 1200})
    answer = confirm(buying)
    assert answer.status_code == 422
    assert "N4-SUS: 1,200 pcs wanted, 1,000 pcs available" in answer.text.replace("\u00a0", " ")


def test_lines_set_aside_stay_in_the_cart(app: Flask, buying: FlaskClient) -> None:
    with app.app_context(), write() as session:
        cart_id = cart.find(session, cart.CartOwner(user_id=person("hayashi").id))
        assert cart_id is not None
        cart.hold(session, cart_id, ["M4-10"])
    assert confirm(buying).status_code == 303
    with app.app_context():
        assert [line.sku for line in get_session().get_one(Order, 1).lines] == ["N4-SUS"]
    assert in_cart(app, "hayashi") == {"M4-10": 40}


def test_a_product_that_is_gone_leads_back_to_the_cart(app: Flask, buying: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "N4-SUS")).one().is_active = False
    answer = buying.get("/checkout")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/cart")


def test_above_the_persons_limit_the_page_says_that_the_shop_confirms_first(
    app: Flask, buying: FlaskClient
) -> None:
    with app.app_context(), write() as session:
        session.scalars(
            select(User).where(User.email == "hayashi@example.com")
        ).one().order_limit_minor = 5000
    assert "Above your order limit of ¥5,000" in buying.get("/checkout?lang=en").text
    answer = confirm(buying)
    assert answer.status_code == 303
    page = buying.get(answer.headers["Location"])
    assert "We look at this order ourselves" in page.text


@pytest.mark.parametrize("outcome", ["raises", "hangs", "none"])
def test_a_failing_payment_plugin_is_unknown_and_asks_not_to_pay_twice(tmp_path: Path, outcome: str) -> None:
    client, app = _shop_with(
        tmp_path, f'[plugins.dummy]\nenabled = true\noutcome = "{outcome}"\nhang_seconds = 20\n'
    )
    app.extensions["koguchi"].plugins.slow_seconds = 0.3
    answer = confirm(client, payment="dummy")
    assert answer.status_code == 303
    assert "Please do not pay a second time" in client.get(answer.headers["Location"]).text


def test_a_declined_payment_puts_the_goods_back_and_says_why(tmp_path: Path) -> None:
    client, app = _shop_with(tmp_path, '[plugins.dummy]\nenabled = true\noutcome = "declined"\n')
    answer = confirm(client, payment="dummy")
    assert answer.status_code == 422
    assert "The payment was declined" in answer.text
    assert in_cart(app, "hayashi") == {"M4-10": 40, "N4-SUS": 200}
    assert [order.state for order in orders(app)] == ["cancelled"]
    again = client.post(
        "/checkout",
        data=hidden(answer)
        | {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"},
    )
    assert again.status_code == 303


def test_a_failing_shipping_plugin_costs_its_own_option_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.plugin_package import install, shipping_source

    for name, body in (("raiser", "1 / 0"), ("quitter", "raise SystemExit(1)"), ("noner", "return None")):
        monkeypatch.syspath_prepend(str(install(tmp_path / name, name, shipping_source(name, body))))
    enabled = "".join(f"[plugins.{name}]\nenabled = true\n" for name in ("raiser", "quitter", "noner"))
    client, app = _shop_with(tmp_path, enabled + "[plugins.misspelled_plugin]\nenabled = true\n")
    page = client.get("/checkout?lang=en")
    assert page.status_code == 200
    assert "Outside carrier" not in page.text
    assert confirm(client).status_code == 303
    assert len(orders(app)) == 1


def _shop_with(tmp_path: Path, more: str) -> tuple[FlaskClient, Flask]:
    app = make_app(
        write_shop(tmp_path / "shop", SHOP_TOML + "\n" + more),
        database_url=f"sqlite:///{tmp_path / 'shop.db'}",
    )
    app.config["WTF_CSRF_ENABLED"] = False
    seed(app)
    add_address(app)
    fill(app, "hayashi", {"M4-10": 40, "N4-SUS": 200})
    client = app.test_client()
    sign_in(client, "hayashi")
    return client, app


NO_TERMS_FOR_TURNED = """
code = "PM20"
name = {ja = "旋盤加工品は前払い", en = "Turned parts are paid in advance"}
because = {ja = "材料を先に手配するため", en = "We buy the material first"}
[when]
"product.category" = "turned"
[payment]
hide = ["net_terms"]
"""
LONGER_TERMS = """
code = "PM30"
name = {ja = "月末締めの翌々月末", en = "Month end, paid two months later"}
[when]
"customer.code" = "HAYASHI"
[payment]
terms = {closing_day = 31, pay_month = 2, pay_day = 31}
"""
FREE = """
code = "SH10"
name = {ja = "5,000円以上で送料無料", en = "Free from ¥5,000"}
[when]
"order.channel" = "web"
[shipping]
free_from = 5000
"""


def test_a_payment_refused_by_a_rule_stays_in_view_with_reason_and_code(
    app: Flask, buying: FlaskClient, shop_folder: Path
) -> None:
    (shop_folder / "rules" / "PM20_turned.toml").write_text(NO_TERMS_FOR_TURNED, "utf-8")
    allow_terms(app, "HAYASHI", 500_000)
    assert "PM20" not in buying.get("/checkout?lang=en").text
    fill(app, "hayashi", {"P-12": 50})
    page = buying.get("/checkout?lang=en")
    for words in ("On account (invoice)", "not offered", "We buy the material first", "PM20"):
        assert words in page.text
    answer = confirm(buying, payment="net_terms")
    assert answer.status_code == 422
    assert orders(app) == []


def test_terms_that_a_rule_gives_come_before_the_companys_own_on_the_page_and_in_the_payment(
    app: Flask, buying: FlaskClient, shop_folder: Path
) -> None:
    (shop_folder / "rules" / "PM30_terms.toml").write_text(LONGER_TERMS, "utf-8")
    allow_terms(app, "HAYASHI", 500_000)  # closes on the 20th, paid at the end of the next month
    page = buying.get("/checkout?lang=en").text
    assert "Closes Mon 30 Nov, due Sun 31 Jan" in page
    assert "PM30" in page
    assert confirm(buying, payment="net_terms").status_code == 303
    with app.app_context():
        paid = payment_of(get_session(), orders(app)[0].id)
        assert paid is not None
        assert paid.instructions == {"closing_on": "2026-11-30", "due_on": "2027-01-31"}


def test_free_shipping_names_its_rule_on_page_and_order(tmp_path: Path) -> None:
    client, app = _shop_with(tmp_path, "[plugins.table_rate]\nenabled = true\n")
    page = client.get("/checkout?lang=en")
    assert "¥770" in page.text
    (tmp_path / "shop" / "rules" / "SH10_free.toml").write_text(FREE, "utf-8")
    page = client.get("/checkout?lang=en")
    assert "SH10" in page.text
    assert confirm(client, shipping="table_rate").status_code == 303
    order = orders(app)[0]
    assert (order.shipping_minor, order.shipping_by, order.shipping_code) == (0, "SH10", "table_rate")


def test_an_order_that_no_way_to_ship_takes_is_stopped_with_a_sentence(tmp_path: Path) -> None:
    client, app = _shop_with(tmp_path, "")
    folder = app.extensions["koguchi"].settings.folder
    toml = (folder / "shop.toml").read_text("utf-8")
    text = toml.replace("[plugins.flat_rate]", '[plugins.flat_rate]\ncountries = ["FR"]')
    (folder / "shop.toml").write_text(text, "utf-8")
    app = make_app(folder, database_url=f"sqlite:///{tmp_path / 'shop.db'}")
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    sign_in(client, "hayashi")
    page = client.get("/checkout?lang=en")
    for words in ("We do not deliver to this country", "None of our ways to ship can take this order"):
        assert words in page.text
    answer = confirm(client)
    assert answer.status_code == 422
    assert orders(app) == []


def test_a_form_without_its_token_is_refused(app: Flask, csrf_client: FlaskClient) -> None:
    add_address(app)
    fill(app, "hayashi", {"N4-SUS": 200})
    sign_in(csrf_client, "hayashi")
    form = hidden(csrf_client.get("/checkout"))
    form.pop("csrf_token")
    answer = csrf_client.post(
        "/checkout",
        data=form | {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "do": "place"},
    )
    assert answer.status_code == 400
    assert orders(app) == []


def test_queries_do_not_grow_with_the_lines(app: Flask, buying: FlaskClient, queries: Any) -> None:
    buying.get("/checkout")
    queries()
    buying.get("/checkout")
    few = len(queries())
    with app.app_context():
        for number in range(20):
            make_product(f"NUT-{number}", category="fasteners/nuts")
    fill(app, "hayashi", {f"NUT-{number}": 100 for number in range(20)})
    buying.get("/checkout")
    queries()
    buying.get("/checkout")
    assert len(queries()) == few


def test_pages_say_that_nobody_may_keep_them(buying: FlaskClient) -> None:
    assert "no-store" in buying.get("/checkout").headers["Cache-Control"]
