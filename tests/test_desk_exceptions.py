"""Exceptions at the desk: the list and its costs, a new one, its end and more time, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from rules import load_ruleset
from storefront.database import get_session
from storefront.exceptions import costs
from storefront.exceptions.uses import ExceptionUse
from storefront.orders import Order
from storefront.settings import load_settings
from support.ordering import placed
from support.shop import FixedClock, sign_in

NEW = {
    "rule": "QT12",
    "customer": "HAYASHI",
    "sku": "P-12",
    "change-minimum": "30",
    "reason": "試作が続くあいだ",
    "starts": "2026-11-20",
    "until": "2027-03-31",
}
FILE = "exceptions/QT12_HAYASHI_2026-11-20.toml"


def page(client: FlaskClient, path: str = "/admin/exceptions") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


@pytest.fixture
def with_exception(app: Flask, client: FlaskClient, shop_folder: Path) -> Path:
    """The shop after a clerk made the exception of NEW; the file."""
    sign_in(client, "clerk")
    answer = client.post("/admin/exceptions/new", data=NEW)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return shop_folder / FILE


def test_the_form_offers_only_keys_of_the_rules_own_table(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    form = page(client, "/admin/exceptions/new?rule=QT12&customer=HAYASHI&sku=P-12")
    for name in ("change-minimum", "change-multiple", "change-maximum", "change-allowed", "change-above"):
        assert f'name="{name}"' in form
    assert "change-below" not in form
    assert "change-rate" not in form
    assert "今は 50" in form
    fee = page(client, "/admin/exceptions/new?rule=SC10")
    assert 'name="change-amount"' in fee
    assert "change-minimum" not in fee
    assert client.get("/admin/exceptions/new?rule=QT99").status_code == 404


def test_a_new_exception_is_a_file_that_the_rules_read(with_exception: Path, shop_folder: Path) -> None:
    loaded = load_ruleset(shop_folder)
    assert loaded.ruleset is not None, loaded.findings
    one = loaded.ruleset.exceptions[0]
    assert (one.rule, one.customer, one.sku, one.approved_by) == ("QT12", "HAYASHI", "P-12", "青柳 亮")
    assert (one.from_on.isoformat(), one.until_on.isoformat()) == ("2026-11-20", "2027-03-31")  # type: ignore[union-attr]


def test_it_holds_for_its_customer_at_once_and_for_nobody_else(
    app: Flask, client: FlaskClient, with_exception: Path
) -> None:
    with app.app_context():
        assert placed("hayashi", {"P-12": 30}).outcome == "ok"
        from support.ordering import place

        assert type(place("kitahama", {"P-12": 30})).__name__ == "Refused"


def test_the_list_says_what_changes_for_whom_until_when_and_why(
    client: FlaskClient, with_exception: Path
) -> None:
    found = page(client)
    for told in (
        "林工作所",
        "P-12",
        "QT12",
        "最低数量",
        "50 → <b>30</b>",
        "試作が続くあいだ",
        "青柳 亮",
        "有効",
        "2027年3月31日",
    ):
        assert told in found, told


def test_what_it_cost_is_the_difference_with_it_and_without_it(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    waived = {"rule": "SC10", "customer": "HAYASHI", "sku": "M4-10", "change-amount": "200", "reason": "常連",
              "starts": "2026-11-20", "until": "2026-12-31"}  # fmt: skip
    assert client.post("/admin/exceptions/new", data=waived).status_code == 303
    with app.app_context():
        placed("hayashi", {"M4-10": 40})
        placed("hayashi", {"M4-10": 60, "N4-SUS": 100})
        placed("hayashi", {"M4-10": 200})  # no fee there, so the exception takes no part
        placed("kitahama", {"M4-10": 40})
    found = page(client)
    assert "¥1,200" in found  # twice 800 less 200
    with app.app_context():
        kept = get_session().scalars(select(ExceptionUse)).all()
        assert [one.difference_minor for one in kept] == [-600, -600]


def test_an_order_that_would_not_have_been_taken_is_told_apart(
    app: Flask, client: FlaskClient, with_exception: Path
) -> None:
    with app.app_context():
        placed("hayashi", {"P-12": 30})
    assert "1件(¥4,500)は例外がなければ受けられません" in page(client)


def test_a_cancelled_order_costs_nothing(app: Flask, client: FlaskClient, with_exception: Path) -> None:
    with app.app_context():
        number = placed("hayashi", {"P-12": 30}).number
    page(client)
    client.post(f"/admin/orders/{number}/move", data={"do": "cancel", "reason": "誤り"})
    assert "受けられません" not in page(client)


def test_a_page_works_out_a_bounded_number_of_orders_and_says_so(
    app: Flask, client: FlaskClient, with_exception: Path, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    with app.app_context():
        for _one in range(3):
            placed("hayashi", {"P-12": 30})
    clock.forward(hours=1)
    monkeypatch.setattr(costs, "WORKED_OUT", 2)
    assert "まだ計算していない注文があります" in page(client)
    assert "まだ計算していない注文" not in page(client)
    with app.app_context():
        assert len(get_session().scalars(select(ExceptionUse)).all()) == 3


def test_orders_looked_through_are_not_looked_at_again(
    app: Flask, client: FlaskClient, with_exception: Path, queries: Callable[[], list[str]], clock: FixedClock
) -> None:
    with app.app_context():
        for _one in range(2):
            placed("hayashi", {"P-12": 30})
    clock.forward(hours=1)
    page(client)
    queries()
    page(client)
    sent = queries()
    assert not [one for one in sent if "exception_uses" in one and "INSERT" in one]
    assert len(sent) <= 10


def test_ending_it_makes_yesterday_its_last_day_and_keeps_the_history(
    app: Flask, client: FlaskClient, with_exception: Path, clock: FixedClock, shop_folder: Path
) -> None:
    clock.forward(days=3)
    refused = client.post(
        "/admin/exceptions/QT12_HAYASHI_2026-11-20/end", data={"reason": " "}, follow_redirects=True
    )
    assert "終わらせる理由" in refused.get_data(as_text=True)
    client.post("/admin/exceptions/QT12_HAYASHI_2026-11-20/end", data={"reason": "試作が終わった"})
    text = with_exception.read_text()
    assert "until = 2026-11-22" in text
    assert "試作が終わった" in text
    assert "期限切れ" in page(client)
    with app.app_context():
        from storefront.shop_folder.versions import ShopFileVersion

        kept = get_session().scalars(select(ShopFileVersion).where(ShopFileVersion.path == FILE)).all()
    assert [one.reason for one in kept][-2:] == ["試作が続くあいだ", "試作が終わった"]


def test_one_that_began_today_is_taken_away(client: FlaskClient, with_exception: Path) -> None:
    client.post("/admin/exceptions/QT12_HAYASHI_2026-11-20/end", data={"reason": "誤り"})
    assert not with_exception.exists()


def test_an_expired_one_lapses_by_itself_and_is_shown_as_expired(
    app: Flask, client: FlaskClient, with_exception: Path, clock: FixedClock
) -> None:
    clock.forward(days=200)
    sign_in(client, "clerk")
    assert "期限切れ" in page(client)
    with app.app_context():
        from support.ordering import place

        assert type(place("hayashi", {"P-12": 30})).__name__ == "Refused"


def test_more_time_needs_a_reason_and_a_later_day(client: FlaskClient, with_exception: Path) -> None:
    address = "/admin/exceptions/QT12_HAYASHI_2026-11-20/prolong"
    for data in (
        {"until": "2027-06-30", "reason": ""},
        {"until": "2027-03-31", "reason": "続く"},
        {"until": "soon", "reason": "続く"},
    ):
        client.post(address, data=data)
        assert "until = 2027-03-31" in with_exception.read_text()
    client.post(address, data={"until": "2027-06-30", "reason": "続く"})
    assert "until = 2027-06-30" in with_exception.read_text()


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"reason": " "}, "reason", "理由を書いてください"),
        ({"until": "2026-11-19"}, "until", "終了日が開始日より前"),
        ({"until": "2028-01-01"}, "until", "それより長いものはオーナー"),
        ({"until": "tomorrow"}, "until", "日付を入れてください"),
        ({"customer": "NOBODY"}, "customer", "このお客さまコードはありません"),
        ({"sku": "NOTHING"}, "sku", "この品番の商品はありません"),
        ({"customer": "", "sku": ""}, "customer", "お客さまか品番"),
        ({"change-minimum": ""}, "change-minimum", "少なくとも一つ"),
        ({"change-minimum": "many"}, "change-minimum", "整数を入れてください"),
        ({"change-above": "explode"}, "change-above", "次のどれか"),
    ],
)
def test_what_is_missing_or_wrong_is_said_beside_its_field_and_nothing_is_written(
    client: FlaskClient, shop_folder: Path, changed: dict[str, str], field: str, sentence: str
) -> None:
    sign_in(client, "clerk")
    answer = client.post("/admin/exceptions/new", data=NEW | changed)
    told = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in told
    assert f'href="#{field}"' in told
    assert not (shop_folder / "exceptions").exists()


def test_the_owner_may_give_more_than_a_year(client: FlaskClient, shop_folder: Path) -> None:
    sign_in(client, "owner")
    assert client.post("/admin/exceptions/new", data=NEW | {"until": "2029-12-31"}).status_code == 303
    assert (shop_folder / FILE).exists()


def test_what_the_check_refuses_is_said_in_its_own_words_and_not_written(
    client: FlaskClient, shop_folder: Path, with_exception: Path
) -> None:
    answer = client.post("/admin/exceptions/new", data=NEW)  # the same customer and product a second time
    assert answer.status_code == 422
    told = answer.get_data(as_text=True)
    assert f"{FILE}:1" in told
    assert "QT12_HAYASHI_2026-11-20-2" in told
    impossible = client.post("/admin/exceptions/new", data=NEW | {"sku": "", "change-maximum": "20"})
    assert impossible.status_code == 422
    assert [path.name for path in (shop_folder / "exceptions").iterdir()] == [with_exception.name]


def test_a_held_order_leads_to_the_form_filled_in(app: Flask, client: FlaskClient, shop_folder: Path) -> None:
    rule = shop_folder / "rules" / "QT12_turned.toml"
    rule.write_text(rule.read_text() + 'maximum = 100\nabove = "approval"\n')
    with app.app_context():
        number = placed("hayashi", {"P-12": 200}).number
    sign_in(client, "clerk")
    link = "/admin/exceptions/new?rule=QT12&amp;customer=HAYASHI&amp;sku=P-12&amp;order=" + number
    assert link in page(client, f"/admin/orders/{number}")
    form = page(client, link.replace("&amp;", "&"))
    assert 'value="HAYASHI"' in form
    assert 'value="P-12"' in form


def test_names_and_reasons_with_markup_and_toml_stay_plain_text(
    client: FlaskClient, shop_folder: Path
) -> None:
    sign_in(client, "clerk")
    nasty = '"""\n[change]\nminimum = 1 # <script>alert(1)</script> {{7*7}}'
    assert client.post("/admin/exceptions/new", data=NEW | {"reason": nasty}).status_code == 303
    loaded = load_ruleset(shop_folder)
    assert loaded.ruleset is not None
    assert loaded.ruleset.exceptions[0].effect.minimum == 30  # type: ignore[union-attr]
    assert loaded.ruleset.exceptions[0].reason == nasty
    assert "<script>alert" not in page(client)


def test_a_buyer_neither_sees_nor_makes_exceptions(client: FlaskClient, shop_folder: Path) -> None:
    sign_in(client, "hayashi")
    assert client.get("/admin/exceptions").status_code == 403
    assert client.post("/admin/exceptions/new", data=NEW).status_code == 403
    assert client.post("/admin/exceptions/x/end", data={"reason": "x"}).status_code == 403
    assert not (shop_folder / "exceptions").exists()


def test_a_shop_may_leave_exceptions_to_its_owner(
    app: Flask, client: FlaskClient, with_exception: Path, shop_folder: Path
) -> None:
    shop = app.extensions["koguchi"]
    shop.settings = shop.settings.model_copy(update={"exceptions_by": "owner"})
    sign_in(client, "clerk")
    assert "/admin/exceptions/new" not in page(client)
    assert client.get("/admin/exceptions/new").status_code == 403
    for path in ("new", "QT12_HAYASHI_2026-11-20/end", "QT12_HAYASHI_2026-11-20/prolong"):
        data = NEW | {"sku": "M4-10", "until": "2027-06-30"}
        assert client.post(f"/admin/exceptions/{path}", data=data).status_code == 403, path
    assert "until = 2027-03-31" in with_exception.read_text()
    sign_in(client, "owner")
    assert "/admin/exceptions/new" in page(client)
    toml = shop_folder / "shop.toml"
    toml.write_text(toml.read_text().replace("[rules]", '[rules]\nexceptions_by = "owner"'))
    assert load_settings(shop_folder).exceptions_by == "owner"


def test_an_exception_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    sign_in(client, "owner")
    for name in ("x", "..%2Frules%2FQT10", "%00", "a" * 300):
        for act in ("end", "prolong"):
            data = {"reason": "x", "until": (FixedClock().moment + timedelta(days=9)).date().isoformat()}
            assert client.post(f"/admin/exceptions/{name}/{act}", data=data).status_code == 404


def test_costs_are_kept_on_both_databases(
    app: Flask, database_url: str, client: FlaskClient, with_exception: Path
) -> None:
    with app.app_context():
        placed("hayashi", {"P-12": 30})
    page(client)
    page(client)
    with app.app_context():
        kept = get_session().scalars(select(ExceptionUse)).all()
        orders = get_session().scalars(select(Order.id)).all()
    assert [(one.order_id, one.is_refused, one.goods_minor) for one in kept] == [(orders[0], True, 4500)]
