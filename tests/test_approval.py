"""An order that waits for approval, seen by its buyer: since when, why, who decided what. Never margins or notes."""

from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import jobs
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.mail import Mail
from support.ordering import placed
from support.shop import sign_in


@pytest.fixture
def number(app: Flask, shop_folder: Path) -> str:
    """An order of 200 turned parts, of which more than 100 need our approval."""
    rule = shop_folder / "rules" / "QT12_turned.toml"
    rule.write_text(rule.read_text() + 'maximum = 100\nabove = "approval"\n')
    with app.app_context():
        with write() as session:
            session.scalars(select(Product).where(Product.sku == "P-12")).one().cost = Decimal("91.37")
        order = placed("hayashi", {"P-12": 200})
        assert order.state == "awaiting_approval"
        return order.number


def bought(client: FlaskClient, number: str) -> str:
    sign_in(client, "hayashi")
    return client.get(f"/orders/{number}").get_data(as_text=True)


def decide(client: FlaskClient, number: str, do: str, why: str, note: str = "") -> None:
    sign_in(client, "clerk")
    data = {"do": do, "reason": why, "note": note}
    assert client.post(f"/admin/orders/{number}/move", data=data).status_code == 302


def mails(app: Flask) -> list[Mail]:
    with app.app_context():
        jobs.run_due()
        return list(get_session().scalars(select(Mail).order_by(Mail.id)))


def test_while_it_waits_the_buyer_sees_since_when_and_for_which_reason(
    client: FlaskClient, number: str
) -> None:
    page = bought(client, number)
    for told in (
        'お待ちいただいているのは次の時刻からです: <time datetime="2026-11-20T10:20+09:00">11月20日(金) 10:20</time>',
        "QT12",
        "旋盤の段取り替え",
    ):
        assert told in page, told
    assert "承認しました" not in page


def test_after_approval_the_buyer_sees_who_when_and_why(app: Flask, client: FlaskClient, number: str) -> None:
    decide(client, number, "approve", "在庫の材料で作れます", "粗利は薄い。次は断る")
    page = bought(client, number)
    for told in ("青柳 亮がこの注文をお受けしました", "在庫の材料で作れます", "お待ちいただいた理由"):
        assert told in page, told
    for secret in ("次は断る", "粗利", "91.37", "11,726"):
        assert secret not in page, secret


def test_approval_is_told_by_mail_with_the_reason_and_how_to_pay(
    app: Flask, client: FlaskClient, number: str
) -> None:
    decide(client, number, "approve", "在庫の材料で作れます", "社内: 特別")
    sent = [one for one in mails(app) if one.to == "hayashi@example.com"]
    assert [one.subject for one in sent] == [
        f"ご注文 {number} を承りました",
        f"ご注文 {number} をお受けしました",
    ]
    assert "在庫の材料で作れます" in sent[1].body
    assert "東大阪銀行" in sent[1].body
    assert "特別" not in sent[1].body


def test_a_refusal_is_told_on_the_page_and_by_mail_with_its_reason(
    app: Flask, client: FlaskClient, number: str
) -> None:
    decide(client, number, "decline", "材料が年内に入りません")
    page = bought(client, number)
    assert "お受けできませんでした" in page
    assert "材料が年内に入りません" in page
    last = mails(app)[-1]
    assert "材料が年内に入りません" in last.body
    assert number in last.subject


def test_an_order_its_buyer_cancelled_was_decided_by_nobody(
    app: Flask, client: FlaskClient, number: str
) -> None:
    sign_in(client, "hayashi")
    client.post(f"/orders/{number}/cancel")
    page = bought(client, number)
    assert "お受けできません" not in page
    assert "お受けしました" not in page


def test_the_desk_shows_margin_and_rule_above_the_buttons_and_keeps_the_note(
    client: FlaskClient, number: str
) -> None:
    sign_in(client, "clerk")
    before = client.get(f"/admin/orders/{number}").get_data(as_text=True)
    top = before[: before.index('name="do"')]
    assert "/admin/rules/QT12" in top
    assert "¥11,726" in top  # 200 pieces at 150 less 91.37
    decide(client, number, "approve", "", "特別に通した")
    assert "特別に通した" in client.get(f"/admin/orders/{number}").get_data(as_text=True)


def test_the_margin_of_a_held_order_is_less_its_discount(
    app: Flask, client: FlaskClient, shop_folder: Path, number: str
) -> None:
    rule = 'code = "DC10"\nname = "off"\n[when]\n"order.subtotal" = {ge = 30000}\n[discount]\npercent = 10\n'
    (shop_folder / "rules" / "DC10.toml").write_text(rule)
    with app.app_context():
        other = placed("hayashi", {"P-12": 200}).number
    sign_in(client, "clerk")
    assert "¥8,726" in client.get(f"/admin/orders/{other}").get_data(as_text=True)  # 11,726 less 3,000
    today = client.get("/admin/").get_data(as_text=True)
    assert "¥8,726" in today
    assert "¥11,726" in today


def test_another_company_does_not_see_where_it_stands(client: FlaskClient, number: str) -> None:
    sign_in(client, "kitahama")
    assert client.get(f"/orders/{number}").status_code == 404
