"""What plugins show: blocks on three pages and pages at the desk, in the reader's language, escaped, each by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from support.ordering import placed
from support.plugin_package import install
from support.shop import SHOP_TOML, sign_in, write_shop

TABLES = """
[plugins.erp_files]
enabled = true

[plugins.odd]
enabled = true

[plugins.broken]
enabled = true

[plugins.notices]
enabled = true

[[plugins.notices.notice]]
title = { ja = "年末年始休業のお知らせ", en = "Closed over the new year" }
body = { ja = "12/28から休みます。\\n<b>ご注意</b>ください。", en = "Closed from 28 December." }
since = 2026-11-01
until = 2026-11-30
link = "/products"

[[plugins.notices.notice]]
slots = ["cart_summary"]
title = { ja = "過ぎたお知らせ" }
body = { ja = "もう出ません。" }
until = 2026-11-19
"""
ODD = """
from datetime import UTC, date, datetime
from decimal import Decimal
from plugins import *
PLUGIN_API = 1
COLUMNS = ({'ja': '品目', 'en': 'Item'}, {'ja': '金額', 'en': 'Amount'}, {'ja': '日', 'en': 'Day'}, {'en': 'Moment'})
MOMENT = datetime(2026, 11, 20, 1, 20, tzinfo=UTC)
ROWS = (("<script>alert(1)</script>", Money(12345, "JPY"), date(2026, 11, 20), MOMENT),
        ("plain", Money(5, "JPY"), None, None))
def ledger():
    tables = (TableView({'ja': '台帳', 'en': 'Ledger'}, COLUMNS, ROWS), TableView({'en': 'Empty'}, COLUMNS))
    return PageView(({'ja': '<i>本文</i>', 'en': '<i>text</i>'},), tables)
@hookimpl
def admin_pages(settings):
    return [AdminPage('ledger', {'ja': '台帳', 'en': 'Ledger'}, ledger),
            AdminPage('late', {'en': 'Late'}, lambda: 1 / 0)]
@hookimpl
def template_blocks(slot, ctx):
    return [Block({'en': slot}, {'en': ','.join(ctx.skus) + ' ' + (ctx.buyer.code if ctx.buyer else 'visitor') + ' '
                                + (ctx.order_number or 'no order')}, Link({'en': 'Outside'}, 'https://example.com/?a=1&b="'))]
"""
BROKEN = """
from plugins import hookimpl
PLUGIN_API = 1
@hookimpl
def template_blocks(slot, ctx): raise SystemExit(1)
@hookimpl
def admin_pages(settings): return ["<b>page</b>"]
"""


@pytest.fixture
def shop_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(install(tmp_path / "odd", "odd", ODD)))
    monkeypatch.syspath_prepend(str(install(tmp_path / "broken", "broken", BROKEN)))
    return write_shop(tmp_path / "shop", SHOP_TOML + TABLES)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.get_data(as_text=True))


def test_a_notice_stands_on_the_product_page_in_the_readers_language_with_its_link(
    client: FlaskClient,
) -> None:
    told = page(client, "/products/M4-10")
    assert "年末年始休業のお知らせ" in told
    assert '<a href="/products">詳しくはこちら</a>' in told
    assert "12/28から休みます。<br>&lt;b&gt;ご注意&lt;/b&gt;ください。" in told
    client.set_cookie("koguchi_language", "en")
    assert "Closed over the new year" in page(client, "/products/M4-10?lang=en")


def test_each_slot_is_told_what_stands_on_its_page_and_who_looks(app: Flask, client: FlaskClient) -> None:
    assert "M4-10 visitor no order" in page(client, "/products/M4-10")
    sign_in(client, "hayashi")
    client.post("/cart/add", data={"sku": "N4-SUS", "quantity": "100", "do": "add"})
    cart = page(client, "/cart")
    assert "N4-SUS HAYASHI no order" in cart
    assert "過ぎたお知らせ" not in cart
    with app.app_context():
        number = placed("hayashi", {"N4-SUS": 100}).number
    assert f"N4-SUS HAYASHI {number}" in page(client, f"/orders/{number}")


def test_a_link_out_of_the_shop_is_escaped_and_takes_no_referrer_along(client: FlaskClient) -> None:
    told = page(client, "/products/M4-10")
    assert '<a href="https://example.com/?a=1&amp;b=&#34;" rel="noopener noreferrer">Outside</a>' in told


def test_a_plugin_whose_blocks_and_pages_fail_takes_none_of_the_others_away(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    assert "odd" in page(client, "/admin/plugins")
    assert "visitor no order" in page(client, "/products/M4-10")
    with app.app_context():
        plugins = app.extensions["koguchi"].plugins
        assert [name for name, _page in plugins.pages()] == ["erp_files", "odd", "odd"]
        (broken,) = [each for each in plugins.installed if each.id == "broken"]
        assert broken.guard is not None
        assert {failure.what for _at, failure in broken.guard.recent} == {"template_blocks", "admin_pages"}


def test_a_plugins_page_shows_money_days_and_moments_as_the_shop_writes_them(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    told = page(client, "/admin/plugins/odd/pages/ledger")
    assert "<h1>台帳</h1>" in told
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in told
    assert "<script>alert" not in told
    assert "&lt;i&gt;本文&lt;/i&gt;" in told
    assert re.search(r'class="n" data-label="金額">[¥¥]12,345<', told)
    assert "2026-11-20" in told
    assert "10:20" in told  # the moment in the shop's own zone
    assert "まだ何もありません。" in told


def test_a_page_that_fails_says_so_and_one_that_is_none_is_not_found(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    answer = client.get("/admin/plugins/odd/pages/late")
    assert answer.status_code == 502
    assert "プラグイン odd からこのページを取得できませんでした。" in answer.get_data(as_text=True)
    for path in ("odd/pages/absent", "nobody/pages/ledger", "flat_rate/pages/x", "broken/pages/page"):
        assert client.get(f"/admin/plugins/{path}").status_code == 404, path


@pytest.mark.parametrize(
    ("who", "status"), [("hayashi", 403), ("hayashi-admin", 403), ("clerk", 200), ("owner", 200)]
)
def test_plugins_pages_are_for_the_shops_staff(client: FlaskClient, who: str, status: int) -> None:
    sign_in(client, who)
    for path in ("odd/pages/ledger", "erp_files/pages/files"):
        assert client.get(f"/admin/plugins/{path}").status_code == status
    assert client.post("/admin/plugins/odd/pages/ledger").status_code in (403, 405)


def test_a_visitor_is_sent_to_sign_in_before_a_plugins_page(client: FlaskClient) -> None:
    answer = client.get("/admin/plugins/odd/pages/ledger")
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_the_files_for_the_core_system_are_listed_with_those_that_still_lie_there(
    app: Flask, client: FlaskClient
) -> None:
    from storefront.jobs import run_due

    with app.app_context():
        number = placed("hayashi", {"N4-SUS": 100}).number
        run_due()
    sign_in(client, "clerk")
    told = page(client, "/admin/plugins/erp_files/pages/files")
    assert told.count(number) >= 4  # an order and its payment: the number, and the name of the file
    assert "支払いの変化" in told
    assert "フォルダーにあります" in told
    for path in (app.extensions["koguchi"].settings.folder / "erp").glob("*.json"):
        path.unlink()
    assert "取り込み済み" in page(client, "/admin/plugins/erp_files/pages/files")
