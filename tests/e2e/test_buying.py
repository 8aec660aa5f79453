"""What a buyer does, in a real browser: on a phone, by keyboard alone, and with JavaScript off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from storefront.database import get_session
from storefront.orders.models import Order
from support.demo_shop import HAYASHI, KITAHAMA, NAKANO, PHONE, Demo


def add(page: Page, sku: str, quantity: str) -> None:
    """Type a quantity on the product page and put it into the cart."""
    page.goto(f"/products/{sku}")
    page.fill("#quantity", quantity)
    page.locator("button[name=do][value=add]").first.click()
    page.wait_for_url("**/cart*")


def choose_and_place(page: Page, payment: str) -> str:
    """Check out with one way to pay; the number of the order."""
    page.goto("/checkout")
    page.check(f"input[name=payment][value={payment}]")
    page.locator("button[name=do][value=place]:visible").first.click()
    page.wait_for_url("**/orders/**")
    return page.url.rsplit("/", 1)[-1].split("?")[0]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_thirty_where_a_hundred_is_the_minimum(demo: Demo, script: bool) -> None:
    """Reads why and the ways out, takes one, checks out by bank transfer, sees the order."""
    page = demo.open(HAYASHI, viewport=PHONE, java_script_enabled=script)
    add(page, "M4-10", "30")
    line = page.locator("#line-M4-10")
    expect(line.get_by_role("alert")).to_contain_text("100")
    expect(line.get_by_role("alert")).to_contain_text("段取り替えに30分かかります")
    expect(line.get_by_role("alert")).to_contain_text("QT10")
    ways = line.locator("button[name=set]")
    expect(ways).to_have_count(2)
    expect(ways.nth(0)).to_contain_text("60")
    expect(ways.nth(1)).to_contain_text("100")
    ways.nth(1).click()
    expect(page.locator("#q-M4-10")).to_have_value("100")
    expect(line.get_by_role("alert")).to_have_count(0)
    number = choose_and_place(page, "bank_transfer")
    expect(page.locator("h1")).to_contain_text(number)
    expect(page.locator("main")).to_contain_text("振込")
    page.goto("/orders")
    expect(page.locator("main")).to_contain_text(number)


def test_the_small_lot_fee_is_a_line_of_its_own_from_page_to_order(demo: Demo) -> None:
    page = demo.open(HAYASHI)
    add(page, "M4-10", "60")
    fee = re.compile("小ロット手数料.*800", re.DOTALL)
    expect(page.locator(".sums .surcharge")).to_have_text(fee)
    choose_and_place(page, "bank_transfer")
    expect(page.locator("table tbody tr").filter(has_text="小ロット手数料")).to_contain_text("¥800")


def test_a_company_sees_its_own_price_table_and_nobody_else_does(demo: Demo) -> None:
    mine, another, visitor = demo.open(KITAHAMA), demo.open(NAKANO), demo.open()
    for page in (mine, another, visitor):
        page.goto("/products/M4-10")
    expect(mine.locator("main")).to_contain_text("¥62.00")
    expect(another.locator("main")).not_to_contain_text("¥62.00")
    expect(visitor.locator("main")).not_to_contain_text("¥62.00")
    for page in (mine, another):
        page.goto("/products?q=M4-10")
    expect(mine.locator("main")).to_contain_text("¥62.00")
    expect(another.locator("main")).not_to_contain_text("¥62.00")
    assert "no-store" in (another.goto("/products/M4-10").header_value("cache-control") or "")


def test_an_order_by_keyboard_alone(demo: Demo) -> None:
    page = demo.open()
    page.goto("/login")
    page.locator("input[name=email]").focus()
    page.keyboard.type(HAYASHI)
    page.keyboard.press("Tab")
    page.keyboard.type(demo.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/quick-order")
    page.locator("textarea").focus()
    page.keyboard.type("M4-10 100\nN4-SUS 200")
    tab_to(page, "読み取る")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=読み取り結果")
    tab_to(page, "かごに入れる")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart*")
    tab_to(page, "手続き")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout*")
    tab_to(page, "注文を確定する")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/**")
    expect(page.locator("main")).to_contain_text("承りました")


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus is on something with these words; the focus must be visible."""
    for _ in range(80):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.innerText || document.activeElement.value || ''")
        if words in text.replace("\n", ""):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"Tab never reaches {words}")


def test_a_double_click_on_the_last_button_is_one_order(demo: Demo) -> None:
    page = demo.open(HAYASHI)
    add(page, "M4-10", "100")
    page.goto("/checkout")
    page.check("input[name=payment][value=bank_transfer]")
    page.locator("button[name=do][value=place]:visible").first.dblclick()
    page.wait_for_url("**/orders/**")
    with demo.app.app_context():
        assert get_session().scalar(select(func.count()).select_from(Order)) == 1


def test_a_rule_changed_between_cart_and_order_is_shown_and_confirmed_again(demo: Demo) -> None:
    page = demo.open(HAYASHI)
    add(page, "M3-6", "100")
    page.goto("/checkout")
    page.check("input[name=payment][value=bank_transfer]")
    page.wait_for_load_state("networkidle")
    table = demo.folder / "prices" / "volume.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",53.1,", ",54.1,"), encoding="utf-8")
    page.locator("button[name=do][value=place]:visible").first.click()
    expect(page.locator(".note.warn").first).to_contain_text("54.1")
    assert "/orders/" not in page.url
    page.locator(".note button[name=do][value=place]").click()
    page.wait_for_url("**/orders/**")
    expect(page.locator("main")).to_contain_text("¥54.10")


@pytest.mark.parametrize("odd", ["0", "-5", "1.5", "abc", "²", "1e9", "9" * 40, " ", "NaN"])
def test_an_odd_quantity_is_answered_with_a_sentence_and_stays_in_the_field(demo: Demo, odd: str) -> None:
    page = demo.open(HAYASHI)
    page.goto("/products/M4-10")
    page.fill("#quantity", odd)
    page.locator("button[name=do][value=add]").first.click()
    page.wait_for_load_state()
    expect(page.locator("main .err, main .note.block").first).to_be_visible()
    expect(page.locator("#quantity, #q-M4-10").first).to_have_value(odd[:40])


def test_full_width_digits_are_read(demo: Demo) -> None:
    page = demo.open(HAYASHI)
    add(page, "M4-10", "100".translate(str.maketrans("01", "01")))
    expect(page.locator("#q-M4-10")).to_have_value("100")
