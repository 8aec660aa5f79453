"""A clerk writes a phone order down with the keyboard alone, on a page that is sound."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from support.demo_shop import PHONE, Demo

CLERK = "mori@example.co.jp"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def is_sound(page: Page) -> None:
    """Nothing for axe, nothing wider than the window, nothing for the browser to complain about."""
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert [(one["id"], one["nodes"][0]["target"]) for one in found.response["violations"]] == []
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_phone_order_is_written_down_with_the_keyboard_alone(demo: Demo) -> None:
    page = demo.open(CLERK, viewport=PHONE)
    page.goto("/admin/entries")
    page.keyboard.type("hayashi")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("林工作所")
    for line, rows in (("M4-10 100", 1), ("P-12 30", 2)):
        expect(page.locator("#scan")).to_be_focused()
        page.keyboard.type(line)
        page.keyboard.press("Enter")
        expect(page.locator("#lines tbody tr")).to_have_count(rows)
        expect(page.locator("#scan")).to_have_value("")
    expect(page.locator("#lines tr.bad")).to_contain_text("QT12")
    is_sound(page)
    page.locator("button[name=set][value='1:50']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#lines tr.bad")).to_have_count(0)
    page.locator("button[name=do][value=place]:visible").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/orders/**")
    expect(page.locator("main")).to_contain_text("林 美咲")
    expect(page.locator("main")).to_contain_text("森 由紀")
