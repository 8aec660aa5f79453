"""Paying over Stripe's page, in a real browser, with a stand-in of that page on this machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from storefront import create_app
from storefront.clock import set_clock
from storefront.seed import demo_people
from support.demo_shop import HAYASHI, OWNER, Demo
from support.fake_stripe import FakeStripe
from support.live_server import serving
from support.stripe_page import DECLINED, GOOD, deliver, hosted
from support.stripe_shop import in_the_shop

TABLE = """
[plugins.stripe_checkout]
enabled = true
api_key = "sk_test_of_the_tests"
webhook_secrets = ["whsec_of_the_tests"]
methods = ["card", "konbini"]
"""


@dataclass
class Paying:
    """The demo shop with Stripe, and Stripe."""

    demo: Demo
    stripe: FakeStripe

    def deliver(self) -> None:
        deliver(self.demo.app, self.demo.address, self.stripe)

    def later(self, **parts: float) -> None:
        clock = self.demo.app.extensions["koguchi"].clock
        set_clock(self.demo.app, lambda: clock() + timedelta(**parts))

    def at_the_page(self) -> tuple[Page, str]:
        """A buyer who placed an order and stands before Stripe's page; and the number of the order."""
        page = self.demo.open(HAYASHI, ignore_https_errors=True)
        page.goto("/products/M4-10")
        page.fill("#quantity", "100")
        page.locator("button[name=do][value=add]").first.click()
        page.wait_for_url("**/cart*")
        page.goto("/checkout")
        page.check("input[name=payment][value=stripe_checkout]")
        page.locator("button[name=do][value=place]:visible").first.click()
        page.wait_for_url(re.compile(r"/c/pay/cs_test"))
        (session,) = self.stripe.sessions.values()
        return page, session["metadata"]["koguchi_order"]


@pytest.fixture
def paying(demo_folder: Path, tmp_path: Path, browser: Browser) -> Iterator[Paying]:
    folder = tmp_path / "neji"
    shutil.copytree(demo_folder, folder)
    with (folder / "shop.toml").open("a", encoding="utf-8") as file:
        file.write(TABLE)
    app = create_app(folder, rate_limits={"enabled": False})
    fake = in_the_shop(app)
    with serving(app) as address, hosted(fake):
        shop = app.extensions["koguchi"]
        shop.settings = shop.settings.model_copy(update={"base_url": address})
        yield Paying(Demo(address, folder, app, demo_people(folder)[0], browser), fake)
        for context in browser.contexts:
            context.close()
    app.extensions["koguchi"].close()


def test_a_declined_card_is_tried_again_with_another_and_the_order_is_confirmed(paying: Paying) -> None:
    page, number = paying.at_the_page()
    expect(page.locator("h1")).to_contain_text(number)
    page.fill("input[name=number]", DECLINED)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_contain_text("insufficient funds")
    paying.deliver()
    page.fill("input[name=number]", GOOD)
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"**/orders/{number}**")  # the shop asked Stripe itself: no webhook was needed
    expect(page.locator("main")).to_contain_text("確定")
    paying.deliver()
    page.reload()
    expect(page.locator("main")).to_contain_text("確定")
    assert len(paying.stripe.charges) == 1
    assert not page.complaints  # type: ignore[attr-defined]


def test_a_konbini_order_is_paid_two_days_later(paying: Paying) -> None:
    page, number = paying.at_the_page()
    page.get_by_role("button", name="Konbini").click()
    page.wait_for_url(f"**/orders/{number}**")
    expect(page.locator("main")).to_contain_text("ローソン")
    expect(page.locator("main")).to_contain_text("123456 / 1234567890")
    expect(page.get_by_role("link", name="ページを開く")).to_be_visible()
    paying.deliver()
    paying.later(days=2)
    (session,) = paying.stripe.sessions
    paying.stripe.pay_at_konbini(session)
    paying.deliver()
    page.reload()
    expect(page.locator("main")).to_contain_text("確定")
    expect(page.locator("main")).not_to_contain_text("ローソン")


def test_the_owner_pays_back_a_part_and_the_buyer_sees_it(paying: Paying) -> None:
    buyer, number = paying.at_the_page()
    buyer.fill("input[name=number]", GOOD)
    buyer.get_by_role("button", name="Pay").click()
    buyer.wait_for_url(f"**/orders/{number}**")
    owner = paying.demo.open(OWNER)
    owner.goto(f"/admin/orders/{number}")
    back = owner.locator("#payments details")
    back.locator("summary").click()
    back.locator("input[name=amount]").fill("1200")
    back.locator("input[name=reason]").fill("2個に傷")
    back.locator("button[value=refund]").click()
    expect(owner.locator("main")).to_contain_text("1,200")
    assert [each["amount"] for each in paying.stripe.refunds.values()] == [1_200]
    paying.deliver()
    buyer.goto(f"/orders/{number}")
    expect(buyer.locator("main")).to_contain_text("¥1,200")
    owner.reload()
    back.locator("summary").click()
    back.locator("input[name=amount]").fill("999999")
    back.locator("input[name=reason]").fill("多すぎる")
    back.locator("button[value=refund]").click()
    expect(owner.locator("main")).to_contain_text("6,720")
    assert len(paying.stripe.refunds) == 1
