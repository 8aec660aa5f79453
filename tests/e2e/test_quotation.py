"""A quotation from asking to the cart, on a phone and without a script; every page of it looked at by axe."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.demo_shop import HAYASHI, OWNER, PHONE, Demo


def look_at(page: Page, path: str) -> list[str]:
    """What axe finds, and whether the page is wider than the phone."""
    page.goto(path)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = [f"{path}: {one['id']}: {one['help']}" for one in Axe().run(page).response["violations"]]
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return found + [f"{path}: wider than the window"] * is_wide


def test_a_buyer_asks_the_owner_answers_and_the_goods_go_into_the_cart(demo: Demo) -> None:
    buyer = demo.open(HAYASHI, viewport=PHONE)
    plain = demo.browser.new_context(
        viewport=PHONE, locale="ja-JP", base_url=demo.address, java_script_enabled=False,
        storage_state=buyer.context.storage_state(),
    ).new_page()  # fmt: skip
    plain.goto("/products/LB4-Z?quantity=200")
    plain.get_by_role("link", name="見積りを依頼する").click()
    plain.get_by_label("ご連絡").fill("図面 A-7")
    plain.get_by_role("button", name="この内容で見積りを依頼する").click()
    address = plain.url.removeprefix(demo.address).partition("?")[0]
    assert address.startswith("/quotations/Q-")

    owner = demo.open(OWNER, viewport=PHONE)
    desk = f"/admin{address}"
    wrong = look_at(owner, desk)
    owner.locator("[name^=price-]").fill("88")
    owner.locator("#text").fill("12月10日に出荷できます")
    owner.get_by_role("button", name="回答して、このお客さまが注文できるようにする").click()
    owner.get_by_text("お客さまはその日まで注文できます").wait_for()
    wrong += look_at(owner, desk) + look_at(owner, "/admin/exceptions")

    wrong += look_at(buyer, address)
    plain.goto(address)
    plain.get_by_role("button", name="回答のとおりにかごに入れる").click()
    assert "¥17,600" in plain.content()
    assert not wrong, "\n".join(wrong)
