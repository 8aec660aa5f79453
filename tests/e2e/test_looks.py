"""Every screen: nothing for axe to find, nothing wider than the window, nothing for the browser to complain about."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.demo_shop import DESK, HAYASHI, OWNER, PHONE, Demo
from support.payment_screens import payments_in_every_state

NARROW = {"width": 320, "height": 640}
BUYER = (
    "/",
    "/products",
    "/products?q=M4",
    "/products?q=nothing-like-it",
    "/products/M4-10",
    "/products/LB4-Z",
    "/products/WIRE-12",
    "/quick-order",
    "/cart",
    "/checkout",
    "/orders",
    "/order-files",
    "/quotations",
    "/quotations/new?sku=LB4-Z&quantity=30&sku=P-20&quantity=20",
    "/account",
    "/account/team",
    "/account/addresses",
)
VISITOR = ("/", "/login", "/reset", "/apply", "/products", "/products/M4-10", "/no-such-page")
DESK_PAGES = (
    "/admin/",
    "/admin/orders",
    "/admin/entries",
    "/admin/customers",
    "/admin/customers/HAYASHI",
    "/admin/products",
    "/admin/products/M4-10",
    "/admin/rules",
    "/admin/rules/QT10",
    "/admin/rules/QT10/edit",
    "/admin/rules/QT10/history",
    "/admin/rules/checks",
    "/admin/rules/new",
    "/admin/rules/new/minimum",
    "/admin/rules/new/volume_breaks",
    "/admin/rules/QT10/form",
    "/admin/refusals?period=396",
    "/admin/replays",
    "/admin/trials",
    "/admin/trials/SC20",
    "/admin/applications",
    "/admin/quotations",
    "/admin/exceptions",
    "/admin/exceptions/new",
    "/admin/exceptions/new?rule=QT12&customer=HAYASHI&sku=P-20",
    "/admin/incidents",
    "/admin/mails",
    "/admin/plugins",
    "/admin/shipping-trial?region=JP-27&weight_g1=2000",
    "/admin/plugins/table_rate",
    "/admin/plugins/erp_files/pages/files",
    "/admin/shipments",
    "/admin/orders/A-10011/address",
    "/admin/audit",
    "/admin/files",
    "/admin/more",
)
SPEAKING = """
[plugins.erp_files]
enabled = true

[plugins.notices]
enabled = true

[[plugins.notices.notice]]
title = { ja = "年末年始休業のお知らせ", en = "Closed over the new year" }
body = { ja = "1月4日まで休業いたします。\\n出荷は5日からです。", en = "We are closed until 4 January." }
link = "https://example.com/holidays"
"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def prepared(demo: Demo, who: str | None, **options: Any) -> Page:
    page = demo.open(who, **options)
    if who == HAYASHI:
        for sku, quantity in (("M4-10", "30"), ("N4-SUS", "200"), ("SALT-500", "2"), ("P-12", "100")):
            page.goto(f"/products/{sku}")
            page.fill("#quantity", quantity)
            page.locator("button[name=do][value=add]").first.click()
            page.wait_for_url("**/cart*")
    return page


def look_at(page: Page, path: str) -> list[str]:
    """What is wrong with one page, as sentences."""
    page.goto(path)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    wrong = []
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append(f"{path}: wider than the window")
    found = Axe().run(
        page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    )
    for violation in found.response["violations"]:
        where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
        wrong.append(f"{path}: {violation['id']}: {violation['help']} at {where}")
    wrong += [f"{path}: {complaint}" for complaint in page.complaints]  # type: ignore[attr-defined]
    page.complaints.clear()  # type: ignore[attr-defined]
    return wrong


@pytest.mark.parametrize(("who", "paths"), [(HAYASHI, BUYER), (None, VISITOR), (OWNER, DESK_PAGES)],
                         ids=["buyer", "visitor", "owner"])  # fmt: skip
@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [(PHONE, "ja-JP", "light"), (DESK, "en-GB", "dark")],
    ids=["phone ja light", "desk en dark"],
)
def test_nothing_is_wrong_with_any_page(
    demo: Demo, who: str | None, paths: tuple[str, ...], size: Any, language: str, scheme: Any
) -> None:
    with (demo.folder / "shop.toml").open("a", encoding="utf-8") as toml:
        toml.write(SPEAKING)
    if who is not None:
        screens = payments_in_every_state(demo.app, demo.folder, HAYASHI)
        paths += screens.of_buyer if who == HAYASHI else screens.of_owner
    page = prepared(demo, who, viewport=size, locale=language, color_scheme=scheme)
    wrong = [sentence for path in paths for sentence in look_at(page, path)]
    assert not wrong, "\n".join(wrong)


def test_nothing_scrolls_sideways_on_the_narrowest_phone(demo: Demo) -> None:
    page = prepared(demo, HAYASHI, viewport=NARROW)
    wide = []
    for path in BUYER:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    assert not wide


def test_the_harness_sees_a_page_that_is_wrong(demo: Demo) -> None:
    """The control: a fault made on purpose is found."""
    page = demo.open()
    page.route(
        "**/products", lambda route: route.fulfill(body="<html><body><img src=x><div style='width:3000px'>x")
    )
    wrong = look_at(page, "/products")
    assert any("image-alt" in one for one in wrong)
    assert any("wider" in one for one in wrong)


def test_the_first_page_weighs_less_than_100_kilobytes(demo: Demo) -> None:
    page = demo.open()
    weights: list[int] = []
    page.on(
        "response",
        lambda answer: weights.append(len(answer.body())) if "drawings" not in answer.url else None,
    )
    page.goto("/products", wait_until="networkidle")
    assert 0 < sum(weights) < 300_000  # before compression; the wire carries about a quarter
