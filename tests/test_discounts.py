"""A discount is a line of its own, with its rule and reason, on every page and paper, and every sum adds up."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import cart, jobs
from storefront.accounts import Address
from storefront.database import get_session, write
from storefront.mail import Mail
from storefront.orders import Order
from support.ordering import person
from support.shop import make_product, sign_in

DISCOUNT = """
code = "DC10"
name = {ja = "まとめ買い値引き", en = "Volume discount"}
because = {ja = "荷造りが1回で済むため", en = "One shipment is packed once"}
[when]
"order.subtotal" = {ge = 5000}
[discount]
amount = 1000
per = "order"
"""
LARGER = DISCOUNT.replace("DC10", "DC20").replace("amount = 1000", "percent = 5")
FEE = """
code = "SC30"
name = {ja = "梱包料", en = "Packing"}
because = {ja = "木箱に入れるため", en = "A wooden box"}
[when]
"order.channel" = "web"
[surcharge]
amount = 300
per = "order"
"""
ECONOMY = """
code = "LT10"
name = {ja = "納期", en = "Lead times"}
because = {ja = "空いた時間に作るため", en = "Made in idle hours"}
[when]
"order.channel" = "web"
[lead_time]
tiers = [{code = "standard", days = 5}, {code = "economy", days = 10, percent = -3, label = "Economy"}]
"""


@pytest.fixture
def buying(app: Flask, client: FlaskClient, shop_folder: Path) -> FlaskClient:
    """Two lines of different tax rates, a fee, a slow lead time that takes off, and two discounts that match."""
    for name, text in (("DC10", DISCOUNT), ("DC20", LARGER), ("SC30", FEE), ("LT10", ECONOMY)):
        (shop_folder / "rules" / f"{name}_test.toml").write_text(text, encoding="utf-8")
    with app.app_context():
        make_product("TOOL", category="tools", list_price=Decimal(8250))
        make_product("SALT", category="food", list_price=Decimal(4125), tax="reduced")
        user = person("hayashi")
        with write() as session:
            owner = cart.CartOwner(user_id=user.id, company_id=user.company_id)
            cart_id = cart.obtain(session, owner)
            for sku in ("TOOL", "SALT"):
                cart.set_quantity(session, cart_id, sku, 1)
            session.add(
                Address(
                    company_id=user.company_id, label="本社", recipient="林 美咲", postcode="5770000",
                    region="JP-27", city="東大阪市", street="本町 4-5-6", phone="06-0000-1111", is_default=True,
                )
            )  # fmt: skip
    sign_in(client, "hayashi")
    return client


def amount(text: str) -> int:
    return int(text.replace("−", "-").replace("+", "").replace("±", "").replace("¥", "").replace(",", ""))


def sums(page: str) -> list[tuple[str, int]]:
    """The rows of every list of sums, as (words, amount)."""
    rows = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    plain = [(html.unescape(re.sub(r"<[^>]+>", " ", words)), figure) for words, figure in rows]
    return [(" ".join(words.split()), amount(figure)) for words, figure in plain if "¥" in figure]


def one(rows: list[tuple[str, int]], word: str) -> int:
    (found,) = {figure for words, figure in rows if word in words}
    return found


CHOSEN = {"address": "1", "shipping": "flat_rate", "payment": "bank_transfer", "lead_time": "economy"}


def test_cart_checkout_order_mail_desk_and_export_show_one_discount_and_the_same_sums(
    app: Flask, buying: FlaskClient
) -> None:
    in_cart = sums(buying.get("/cart?lang=en").text)
    assert one(in_cart, "DC10") == -1000  # the larger of two, never both
    assert not [words for words, _figure in in_cart if "DC20" in words]
    assert "Volume discount DC10 One shipment is packed once" in [words for words, _figure in in_cart]
    assert one(in_cart, "Subtotal") == 8250 + 4125 + 300 - 1000

    page = buying.post("/checkout?lang=en", data=CHOSEN | {"do": "look"})
    shown = sums(page.text)
    economy, discount = one(shown, "LT10"), one(shown, "DC10")
    assert (economy, discount, one(shown, "SC30")) == (-371, -1000, 300)
    subtotal = one(shown, "Subtotal")
    assert subtotal == 8250 + 4125 + 300 - 371 - 1000
    taxes = [figure for words, figure in shown if words.startswith("Consumption tax")]
    # 1,000 over 8,250 and 4,125 is 667 and 333 by largest remainder; fee, tier and shipping are taxed as standard
    shipping = one(shown, "Shipping")
    assert taxes == [(8250 - 667 + 300 - 371 + shipping) // 10, (4125 - 333) * 8 // 100]
    total = one(shown, "To pay")
    assert total == subtotal + shipping + sum(taxes)

    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page.text)
    form = {name: html.unescape(value) for name, value in found}
    answer = buying.post("/checkout", data=form | CHOSEN | {"do": "place"})
    assert answer.status_code == 303, answer.text

    with app.app_context():
        order = get_session().get_one(Order, 1)
        kept = {each.code: (each.kind, each.amount_minor, each.taxes) for each in order.surcharges}
        assert kept == {
            "SC30": ("surcharge", 300, None),
            "LT10": ("surcharge", -371, None),
            "DC10": (
                "discount",
                -1000,
                [
                    {"category": "reduced", "amount_minor": -333},
                    {"category": "standard", "amount_minor": -667},
                ],
            ),
        }
        assert order.subtotal_minor == order.goods_minor + sum(each.amount_minor for each in order.surcharges)
        assert order.subtotal_minor == subtotal
        assert sum(row.base_minor for row in order.taxes) == order.subtotal_minor + order.shipping_minor
        assert order.total_minor == total
        jobs.run_due()
        with write() as session:
            mail = session.get_one(Mail, 1).body

    shown_order = buying.get("/orders/A-10001?lang=en").text
    assert one(sums(shown_order), "Total") == total
    assert "−¥1,000" in shown_order and "One shipment is packed once" in shown_order
    assert "まとめ買い値引き [DC10]  −¥1,000" in mail and "荷造りが1回で済むため" in mail
    in_mail = [amount(each) for each in re.findall(r"(?:小計|送料|消費税)[^\n]*?(−?¥[\d,]+)\n", mail)]
    assert sum(in_mail) == total

    sign_in(buying, "clerk")
    desk = sums(buying.get("/admin/orders/A-10001?lang=en").text)
    assert one(desk, "DC10") == -1000
    total_rows = [figure for words, figure in desk if words != "Total with tax"]
    assert sum(total_rows) == one(desk, "Total with tax") == total
    (row,) = csv.DictReader(io.StringIO(buying.get("/admin/orders.csv").data.decode("utf-8-sig")))
    assert (row["discounts"], row["surcharges"], row["lead_time"]) == ("-1000", "-71", "economy")
    parts = ("goods", "surcharges", "discounts", "shipping", "payment_fee", "tax")
    assert sum(int(row[name]) for name in parts) == int(row["total"]) == total


def test_the_quick_order_and_the_product_page_say_what_is_taken_off(buying: FlaskClient) -> None:
    page = buying.post("/quick-order?lang=en", data={"paste": "TOOL 1", "do": "read"})
    for text in (page.text, buying.get("/products/TOOL?quantity=1&lang=en").text):
        assert "DC10" in text
        assert "−¥1,000" in text or re.search(r"<i>−</i><b>¥1,000</b>", text)


def test_a_discount_the_page_did_not_show_is_asked_about(
    app: Flask, buying: FlaskClient, shop_folder: Path, queries: Callable[[], list[str]]
) -> None:
    page = buying.post("/checkout?lang=en", data=CHOSEN | {"do": "look"})
    (shop_folder / "rules" / "DC10_test.toml").unlink()
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page.text)
    form = {name: html.unescape(value) for name, value in found}
    answer = buying.post("/checkout", data=form | CHOSEN | {"do": "place"})
    assert answer.status_code == 409
    assert one(sums(answer.text), "DC20") == -619
