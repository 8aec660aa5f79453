"""The owner changes a rule with the keyboard alone: a typo, its line, its button, in force, and back again."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from support.demo_shop import HAYASHI, OWNER, Demo

MOST_STOPS = 90


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the focus is there, as somebody without a mouse does."""
    expect(target).to_be_visible()
    for _ in range(MOST_STOPS):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with Tab")


def fee_in_the_cart(page: Page) -> str:
    page.goto("/cart")
    return page.locator("main").inner_text()


def test_a_rule_is_changed_mended_put_in_force_and_rolled_back_by_keyboard(demo: Demo) -> None:
    buyer, owner = demo.open(HAYASHI), demo.open(OWNER)
    buyer.goto("/products/PH3-6")
    buyer.fill("#quantity", "60")
    buyer.locator("button[name=do][value=add]").first.click()
    buyer.wait_for_url("**/cart*")
    assert "¥800" in fee_in_the_cart(buyer) and "¥900" not in fee_in_the_cart(buyer)
    file = next((demo.folder / "rules").glob("SC10*"))
    old = file.read_text(encoding="utf-8")
    line = next(number for number, one in enumerate(old.split("\n"), 1) if one.startswith("amount"))

    owner.goto("/admin/rules/SC10")
    tab_to(owner, owner.get_by_role("link", name="書き直す"))
    owner.keyboard.press("Enter")
    owner.wait_for_url("**/SC10/edit")
    tab_to(owner, owner.locator("#file"))
    owner.keyboard.press("Control+a")
    owner.keyboard.insert_text(old.replace("800", "900").replace("\namount", "\namuont"))
    expect(owner.locator("#faults")).to_contain_text(f"rules/{file.name}:{line}")
    expect(owner.locator("#faults mark").first).to_have_text("amuont")
    expect(owner.locator("#numbers .bad").first).to_have_text(str(line))
    assert file.read_text(encoding="utf-8") == old

    tab_to(owner, owner.get_by_role("button", name=f"{line}行目を amount に直す"))
    owner.keyboard.press("Enter")
    owner.wait_for_url("**/drafts/**")
    expect(owner.locator("#check")).to_contain_text("誤りなし")
    tab_to(owner, owner.locator("#reason"))
    owner.keyboard.insert_text("袋代が上がったため")
    tab_to(owner, owner.get_by_role("button", name="有効にする"))
    owner.keyboard.press("Enter")
    owner.wait_for_url("**/admin/rules/SC10")
    assert "¥900" in fee_in_the_cart(buyer)

    tab_to(owner, owner.get_by_role("button", name="前の版に戻す"))
    owner.keyboard.press("Enter")
    owner.wait_for_url("**/history")
    expect(owner.locator("main")).to_contain_text("袋代が上がったため")
    assert file.read_text(encoding="utf-8") == old
    assert "¥800" in fee_in_the_cart(buyer)
    assert owner.complaints == buyer.complaints == []  # type: ignore[attr-defined]
