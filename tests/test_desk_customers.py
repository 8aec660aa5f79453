"""Customers and applications at the desk, on both databases where it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.accounts import Application, Company, User
from storefront.accounts.terms import longest_wait
from storefront.admin.words import long_terms, terms_words
from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.mail import Mail
from support.fields import form_of
from support.shop import make_company, sign_in

EDIT = "/admin/customers/HAYASHI/edit"


def company(app: Flask, code: str = "HAYASHI") -> Company:
    with app.app_context():
        return get_session().scalars(select(Company).where(Company.code == code)).one()


def test_the_list_finds_by_code_name_and_group(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    for query, found in (
        ("q=林", True),
        ("q=haya", True),
        ("group=standard", True),
        ("group=gold", False),
        ("q=%25", False),
    ):
        page = client.get(f"/admin/customers?{query}").get_data(as_text=True)
        assert ("/admin/customers/HAYASHI" in page) is found, query


def test_one_customer_shows_facts_people_and_the_rules_that_concern_it(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/customers/HAYASHI").get_data(as_text=True)
    for text in ("林工作所", "JP-27", "hayashi-admin@example.com", "QT10", "standard"):
        assert text in page
    assert client.get("/admin/customers/NOBODY").status_code == 404


def test_the_owner_changes_group_credit_and_terms_and_the_audit_has_both_values(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    fields = form_of(client, EDIT) | {
        "group": "gold", "credit_limit": "¥300,000", "closing_day": "20", "pay_month": "1", "pay_day": "31",
        "tags": "kansai vip", "note": "call before noon",
    }  # fmt: skip
    assert client.post(EDIT, data=fields).status_code == 302
    changed = company(app)
    assert (changed.group, changed.credit_limit_minor, changed.tags) == ("gold", 300_000, ["kansai", "vip"])
    assert changed.terms == {"closing_day": 20, "pay_month": 1, "pay_day": 31}
    with app.app_context():
        entry = get_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.subject) == (
            "owner@example.com",
            "change",
            "company:HAYASHI",
        )
        assert (entry.before or {})["group"] == "standard"
        assert (entry.after or {})["credit_limit"] == "300000"


def test_saving_without_a_change_writes_nothing(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    page = client.post(EDIT, data=form_of(client, EDIT), follow_redirects=True).get_data(as_text=True)
    assert "変わったところはありません" in page
    with app.app_context():
        assert get_session().scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"credit_limit": "lots"}, "「lots」は使えません"),
        ({"credit_limit": "-5"}, "「-5」は使えません"),
        ({"credit_limit": "1e3"}, "「1e3」は使えません"),
        ({"credit_limit": "100.5"}, "より細かい数です"),
        ({"closing_day": "31"}, "足りないもの"),
        ({"net_days": "30", "closing_day": "20", "pay_month": "1", "pay_day": "31"}, "net_days は単独"),
        ({"region": "US-CA"}, "地域 US-CA は国 JP にありません"),
        ({"country": "Japan"}, "JP のように書いてください"),
        ({"name": ""}, "空にできません"),
        ({"name": "a\nb"}, "1行で書いてください"),
        ({"name": "x" * 201}, "200文字まで"),
        ({"note": "a\x00b"}, "U+0000"),
        ({"status": "gone"}, "使えるのは active, closed"),
    ],
)
def test_what_is_refused_says_why_keeps_what_was_typed_and_writes_nothing(
    app: Flask, client: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    sign_in(client, "owner")
    answer = client.post(EDIT, data=form_of(client, EDIT) | wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert all(typed.replace("\x00", "") in page for typed in wrong.values() if "\n" not in typed)
    assert company(app).name == "林工作所"


def test_a_change_by_somebody_else_in_between_is_not_overwritten(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    fields = form_of(client, EDIT) | {"group": "gold"}
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().credit_limit_minor = 5
    answer = client.post(EDIT, data=fields)
    assert answer.status_code == 409
    assert "ほかの人が変更しました" in answer.get_data(as_text=True)
    assert company(app).group == "standard"


def test_a_new_customer_is_made_once(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    fields = {"code": "NEW-1", "name": "新しい会社", "country": "JP", "region": "JP-13", "language": "ja"}
    fields["status"] = "active"
    assert (
        client.post("/admin/customers/new", data=fields)
        .headers["Location"]
        .endswith("/admin/customers/NEW-1")
    )
    again = client.post("/admin/customers/new", data=fields)
    assert again.status_code == 422
    assert "もう使われています" in again.get_data(as_text=True)
    assert client.post("/admin/customers/new", data={**fields, "code": "a/b"}).status_code == 422


def test_terms_are_said_as_people_say_them(app: Flask) -> None:
    with app.app_context():
        assert terms_words({"closing_day": 20, "pay_month": 1, "pay_day": 31}) == "20日締め、翌月末日払い"
        assert terms_words({"net_days": 30, "end_of_month": True}) == "請求から30日 (月末から数えて)"
        assert terms_words(None) == "—"


@pytest.mark.parametrize(
    ("terms", "days"),
    [
        ({"closing_day": 31, "pay_month": 1, "pay_day": 31}, 60),
        ({"closing_day": 20, "pay_month": 1, "pay_day": 31}, 70),
        ({"closing_day": 20, "pay_month": 1, "pay_day": 10}, 50),
        ({"closing_day": 31, "pay_month": 2, "pay_day": 10}, 70),
        ({"closing_day": 31, "pay_month": 0, "pay_day": 31}, 30),
        ({"net_days": 59}, 60),
        ({"net_days": 60}, 61),
        ({"net_days": 30, "end_of_month": True}, 61),
    ],
)
def test_terms_of_over_sixty_days_are_told_and_others_are_not(
    app: Flask, terms: dict[str, Any], days: int
) -> None:
    with app.test_request_context("/?lang=en"):
        assert longest_wait(terms) == days
        assert (f"may wait {days} days" in long_terms(terms)) is (days > 60)
        assert long_terms(None) == ""


def test_queries_of_the_list_do_not_grow_with_its_customers(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "clerk")
    counts = []
    for _more in range(2):
        with app.app_context():
            for _one in range(5):
                make_company()
        client.get("/admin/customers")
        queries()
        client.get("/admin/customers")
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 6


@pytest.fixture
def application(app: Flask) -> int:
    with app.app_context(), write() as session:
        found = Application(
            company_name="Minato Works", contact_name="港 太郎", email="minato@example.com", phone="06-1",
            postcode="5300001",
            region="JP-27", address="大阪市北区1-2-3", message="<b>よろしく</b>", language="ja",
        )  # fmt: skip
        session.add(found)
        session.flush()
        return found.id


def test_an_application_is_approved_with_code_and_group(
    app: Flask, client: FlaskClient, application: int
) -> None:
    sign_in(client, "owner")
    page = client.get(f"/admin/applications/{application}").get_data(as_text=True)
    assert "&lt;b&gt;よろしく" in page
    assert 'value="MINATO-WORKS"' in page
    answer = client.post(
        f"/admin/applications/{application}/approve", data={"code": "MINATO", "group": "standard"}
    )
    assert answer.headers["Location"].endswith("/admin/customers/MINATO")
    assert company(app, "MINATO").group == "standard"
    with app.app_context():
        person = get_session().scalars(select(User).where(User.email == "minato@example.com")).one()
        assert person.role == "company_admin"
        assert get_session().scalars(select(Mail.to)).all() == ["minato@example.com"]
    again = client.post(f"/admin/applications/{application}/approve", data={"code": "MINATO2", "group": ""})
    assert again.status_code == 422


@pytest.mark.parametrize("code", ["", "HAYASHI", "a b", "x/y", "x" * 65, "a\x00b c"])
def test_an_application_needs_a_free_and_plain_code(
    app: Flask, client: FlaskClient, application: int, code: str
) -> None:
    sign_in(client, "owner")
    answer = client.post(f"/admin/applications/{application}/approve", data={"code": code, "group": ""})
    assert answer.status_code == 422
    with app.app_context():
        assert get_session().get_one(Application, application).state == "new"


def test_declining_an_application_needs_words_for_the_applicant(
    app: Flask, client: FlaskClient, application: int
) -> None:
    sign_in(client, "owner")
    path = f"/admin/applications/{application}/decline"
    assert client.post(path, data={"reason": " "}).status_code == 422
    client.post(path, data={"reason": "遠くへはお届けできません"})
    with app.app_context():
        assert get_session().get_one(Application, application).state == "declined"
        assert "遠くへはお届けできません" in get_session().scalars(select(Mail.body)).one()


def test_a_customer_names_the_way_to_an_exception(client: FlaskClient) -> None:
    sign_in(client, "owner")
    page = client.get("/admin/customers/HAYASHI").get_data(as_text=True)
    assert "/admin/exceptions/new?customer=HAYASHI" in page
