"""Asking for an account, and what the owner makes of it."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from storefront.accounts import Address, Application, Company, User
from storefront.accounts.applications import DecisionError, approve, decline
from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.mail import Mail
from support.shop import address_of, make_app, write_shop

GOOD = {
    "company_name": "山岸製作所",
    "name_kana": "やまぎしせいさくしょ",
    "contact_name": "山岸 徹",
    "email": "Yamagishi@Example.com",
    "phone": "０６－１２３４－５６７８",
    "postcode": "〒577-0011",
    "region": "JP-27",
    "address": "東大阪市荒本北 1-2-3",
    "message": "M4 を月に 500 本",
}


def applications(app: Flask) -> list[Application]:
    with app.app_context():
        return list(get_session().scalars(select(Application)))


def mails(app: Flask) -> list[Mail]:
    with app.app_context():
        return list(get_session().scalars(select(Mail).order_by(Mail.id)))


@pytest.mark.usefixtures("database_url")
def test_an_application_is_kept_as_it_was_typed_and_the_owner_is_told(
    app: Flask, client: FlaskClient
) -> None:
    assert client.post("/apply", data=GOOD).headers["Location"] == "/apply/thanks"
    assert client.get("/apply/thanks").status_code == 200
    (kept,) = applications(app)
    assert (kept.company_name, kept.email, kept.phone, kept.postcode, kept.state) == (
        "山岸製作所",
        "yamagishi@example.com",
        "06-1234-5678",
        "5770011",
        "new",
    )
    (mail,) = mails(app)
    assert mail.to == "owner@aoyagi.example"
    assert f"https://shop.aoyagi.example/admin/applications/{kept.id}" in mail.body


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("company_name", "", "会社名を入れてください。"),
        ("company_name", "x" * 201, "201文字あります。ここに入るのは200文字までです。"),
        ("email", "nobody", "メールアドレスを入れてください"),
        ("email", "a@b@c.example", "メールアドレスを入れてください"),
        ("phone", "call me", "電話番号を数字で入れてください"),
        ("postcode", "577", "数字7桁で入れてください"),
        ("region", "JP-99", "都道府県を選んでください。"),
        ("region", "", "都道府県を選んでください。"),
        ("address", " \u200b ", "市区町村・番地・建物を入れてください。"),
    ],
)
def test_a_field_that_does_not_fit_says_so_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    answer = client.post("/apply", data=GOOD | {field: typed})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert f'href="#{field}"' in page
    if field != "contact_name":
        assert "山岸 徹" in page
    assert not applications(app)


def test_asking_with_an_address_that_has_an_account_gets_the_same_answer(
    app: Flask, client: FlaskClient
) -> None:
    known = client.post("/apply", data=GOOD | {"email": address_of("hayashi")})
    unknown = client.post("/apply", data=GOOD)
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )


def test_asking_twice_is_one_application(app: Flask, client: FlaskClient) -> None:
    client.post("/apply", data=GOOD)
    client.post("/apply", data=GOOD | {"company_name": "山岸製作所(株)"})
    (kept,) = applications(app)
    assert kept.company_name == "山岸製作所(株)"


def test_a_machine_that_fills_the_hidden_field_is_thanked_and_forgotten(
    app: Flask, client: FlaskClient
) -> None:
    assert client.post("/apply", data=GOOD | {"website": "http://spam.example"}).status_code == 302
    assert not applications(app)


def test_fields_that_are_not_asked_for_change_nothing(app: Flask, client: FlaskClient) -> None:
    client.post(
        "/apply", data=GOOD | {"state": "approved", "company_id": "1", "decided_by": "1", "role": "owner"}
    )
    (kept,) = applications(app)
    assert (kept.state, kept.company_id, kept.decided_by) == ("new", None, None)


def test_too_many_applications_from_one_address_wait(tmp_path: Any) -> None:
    app = make_app(write_shop(tmp_path / "limited"), rate_limits={"enabled": True, "apply": "2 per hour"})
    app.config["WTF_CSRF_ENABLED"] = False
    answers = [app.test_client().post("/apply", data=GOOD).status_code for _ in range(3)]
    app.extensions["koguchi"].close()
    assert answers == [302, 302, 429]


def decided(app: Flask, **changes: str) -> int:
    """Apply, approve as the owner, and return the new company's id."""
    with app.test_request_context(), write() as session:
        application = session.scalars(select(Application).where(Application.state == "new")).one()
        owner = session.scalars(select(User).where(User.role == "owner")).one()
        company, _user = approve(
            session, application, **{"code": "YAMAGISHI", "group": "standard", **changes}, actor=owner
        )  # type: ignore[arg-type]
        session.flush()
        return company.id


@pytest.mark.usefixtures("database_url")
def test_approving_makes_company_administrator_and_address_and_mails_a_link(
    app: Flask, client: FlaskClient
) -> None:
    client.post("/apply", data=GOOD)
    number = decided(app)
    with app.app_context():
        session = get_session()
        company = session.get_one(Company, number)
        user = session.scalars(select(User).where(User.company_id == number)).one()
        address = session.scalars(select(Address).where(Address.company_id == number)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "approve")).one()
        assert (company.code, company.group, company.region, company.status) == (
            "YAMAGISHI",
            "standard",
            "JP-27",
            "active",
        )
        assert (user.email, user.role, user.password) == ("yamagishi@example.com", "company_admin", None)
        assert (address.is_default, address.postcode) == (True, "5770011")
        assert entry.actor == address_of("owner")
    mail = mails(app)[-1]
    assert mail.to == "yamagishi@example.com"
    link = re.search(r"https://shop\.aoyagi\.example(/reset/\S+)", mail.body)
    assert link is not None
    new = {"password": "a-new-sentence-42", "password_confirm": "a-new-sentence-42"}
    client.post(link[1], data=new)
    assert client.post("/login", data={"email": user.email, "password": new["password"]}).status_code == 302
    assert client.get("/account/team").status_code == 200


def test_an_application_is_decided_once(app: Flask, client: FlaskClient) -> None:
    client.post("/apply", data=GOOD)
    decided(app)
    with app.test_request_context(), write() as session:
        application = session.scalars(select(Application)).one()
        owner = session.scalars(select(User).where(User.role == "owner")).one()
        with pytest.raises(DecisionError):
            approve(session, application, code="AGAIN", group=None, actor=owner)
        with pytest.raises(DecisionError):
            decline(session, application, reason="", actor=owner)


@pytest.mark.parametrize(
    ("email", "code"),
    [("new@example.com", "HAYASHI"), ("new@example.com", ""), ("hayashi@example.com", "NEW")],
)
def test_a_taken_code_or_address_is_refused_with_a_sentence_and_nothing_is_made(
    app: Flask, client: FlaskClient, email: str, code: str
) -> None:
    client.post("/apply", data=GOOD | {"email": email})
    with pytest.raises(DecisionError, match=r"コード|アカウント"):
        decided(app, code=code)
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(Company)) == 2
        assert get_session().scalars(select(Application.state)).one() == "new"


def test_declining_mails_the_owners_words_in_the_applicants_language(app: Flask, client: FlaskClient) -> None:
    client.post("/apply?lang=en", data=GOOD)
    with app.test_request_context(), write() as session:
        application = session.scalars(select(Application)).one()
        owner = session.scalars(select(User).where(User.role == "owner")).one()
        decline(session, application, reason="We deliver in Kansai only.", actor=owner)
    mail = mails(app)[-1]
    assert mail.subject == "About your application for an account"
    assert "We deliver in Kansai only." in mail.body
    assert "thank you for your interest" in mail.body
