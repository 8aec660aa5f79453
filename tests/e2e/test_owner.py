"""What an owner does: changes a rule file and sees it, breaks one and is told where, moves an order on."""

from __future__ import annotations

from playwright.sync_api import expect

from support.demo_shop import HAYASHI, OWNER, PHONE, Demo


def test_a_changed_rule_file_is_on_the_next_page(demo: Demo) -> None:
    page = demo.open(HAYASHI)
    page.goto("/products/K4-12")
    before = page.locator("main").inner_text()
    rule = next((demo.folder / "rules").glob("SC10*"))
    rule.write_text(rule.read_text(encoding="utf-8").replace("800", "900"), encoding="utf-8")
    page.goto("/products/PH3-6?quantity=60")
    expect(page.locator("main")).to_contain_text("¥900")
    assert "¥900" not in before


def test_a_broken_rule_file_changes_nothing_for_buyers_and_is_named_at_the_desk(demo: Demo) -> None:
    buyer, owner = demo.open(HAYASHI), demo.open(OWNER, viewport=PHONE)
    buyer.goto("/products/M4-10?quantity=100")
    before = buyer.locator("#order").inner_text()
    rule = next((demo.folder / "rules").glob("QT10*"))
    lines = rule.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("minimum"))
    lines[place] = lines[place].replace("minimum", "minumum")
    rule.write_text("\n".join(lines), encoding="utf-8")
    buyer.reload()
    assert buyer.locator("#order").inner_text() == before
    owner.goto("/admin/")
    expect(owner.locator("main")).to_contain_text(f"rules/{rule.name}:{place + 1}")
    owner.goto("/admin/rules")
    expect(owner.locator("main")).to_contain_text(f"rules/{rule.name}:{place + 1}")
    expect(owner.locator("main")).to_contain_text("minimum")


def test_an_order_that_waits_is_approved_on_a_phone(demo: Demo) -> None:
    buyer = demo.open(HAYASHI)
    buyer.goto("/products/W4-SUS")
    buyer.fill("#quantity", "6000")
    buyer.locator("button[name=do][value=add]").first.click()
    buyer.wait_for_url("**/cart*")
    buyer.goto("/checkout")
    buyer.check("input[name=payment][value=net_terms]")
    buyer.locator("button[name=do][value=place]:visible").first.click()
    buyer.wait_for_url("**/orders/**")
    number = buyer.url.rsplit("/", 1)[-1].split("?")[0]
    expect(buyer.locator("main")).to_contain_text("確認待ち")
    owner = demo.open(OWNER, viewport=PHONE)
    owner.goto("/admin/")
    expect(owner.locator("main")).to_contain_text(number)
    owner.goto(f"/admin/orders/{number}")
    owner.get_by_role("button", name="承認").first.click()
    owner.wait_for_load_state()
    buyer.reload()
    expect(buyer.locator("main")).to_contain_text("確定")
