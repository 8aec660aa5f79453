"""A company's administrator invites and switches off the company's own people, and nobody else's."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.accounts import User
from storefront.audit import AuditEntry
from storefront.database import get_session
from storefront.mail import Mail
from support.shop import address_of, set_password, sign_in

INVITED = {"name": "林 大輔", "email": "daisuke@example.com", "role": "buyer", "order_limit": "50,000"}


def person(app: Flask, login: str) -> User | None:
    with app.app_context():
        return get_session().scalars(select(User).where(User.email == address_of(login))).one_or_none()


@pytest.mark.usefixtures("database_url")
def test_an_invited_person_chooses_a_password_and_belongs_to_the_company(
    app: Flask, client: FlaskClient
) -> None:
    admin = sign_in(client, "hayashi-admin")
    assert client.post("/account/team", data=INVITED).status_code == 302
    invited = person(app, "daisuke")
    assert invited is not None
    assert (invited.company_id, invited.role, invited.order_limit_minor) == (
        admin.company_id,
        "buyer",
        50_000,
    )
    with app.app_context():
        mail = get_session().scalars(select(Mail)).one()
        assert get_session().scalars(select(AuditEntry.action)).one() == "invite"
    link = re.search(r"https://shop\.aoyagi\.example(/reset/\S+)", mail.body)
    assert link is not None
    assert "林工作所" in mail.body
    browser = app.test_client()
    browser.post(link[1], data={"password": "a-new-sentence-42", "password_confirm": "a-new-sentence-42"})
    assert (
        browser.post("/login", data={"email": invited.email, "password": "a-new-sentence-42"}).status_code
        == 302
    )


def test_the_page_shows_the_own_people_only(client: FlaskClient) -> None:
    sign_in(client, "hayashi-admin")
    page = client.get("/account/team").get_data(as_text=True)
    assert "林 美咲" in page
    assert "北浜" not in page


@pytest.mark.parametrize("login", ["kitahama", "owner", "hayashi"])
def test_inviting_an_address_that_has_an_account_makes_none_and_tells_nothing_of_other_companies(
    app: Flask, client: FlaskClient, login: str
) -> None:
    sign_in(client, "hayashi-admin")
    before = person(app, login)
    answer = client.post("/account/team", data=INVITED | {"email": address_of(login).upper()})
    after = person(app, login)
    assert before is not None
    assert after is not None
    assert (after.company_id, after.role) == (before.company_id, before.role)
    assert answer.status_code == (422 if login == "hayashi" else 302)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("email", "nobody"),
        ("role", "owner"),
        ("role", "clerk"),
        ("role", ""),
        ("order_limit", "-1"),
        ("order_limit", "1.5"),
        ("order_limit", "1e9"),
        ("order_limit", "٣٤"),
        ("order_limit", "9" * 400),
        ("order_limit", "NaN"),
    ],
)
def test_an_invitation_that_does_not_fit_is_refused_and_kept(
    app: Flask, client: FlaskClient, field: str, typed: str
) -> None:
    sign_in(client, "hayashi-admin")
    answer = client.post("/account/team", data=INVITED | {field: typed})
    assert answer.status_code == 422
    assert person(app, "daisuke") is None
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_company_and_role_in_the_form_cannot_be_smuggled(app: Flask, client: FlaskClient) -> None:
    admin = sign_in(client, "hayashi-admin")
    client.post(
        "/account/team",
        data=INVITED | {"company_id": "2", "active": "0", "is_admin": "1", "password": "x" * 20},
    )
    invited = person(app, "daisuke")
    assert invited is not None
    assert (invited.company_id, invited.active, invited.password) == (admin.company_id, True, None)


def test_switching_off_ends_the_persons_session_at_once_and_on_again_lets_them_in(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "hayashi-admin")
    other = app.test_client()
    buyer = sign_in(other, "hayashi")
    assert other.get("/account").status_code == 200
    client.post(f"/account/team/{buyer.id}/active")
    assert other.get("/account").status_code == 302
    client.post(f"/account/team/{buyer.id}/active")
    assert other.get("/account").status_code == 302  # the old session stays dead
    sign_in(other, "hayashi")
    assert other.get("/account").status_code == 200


def test_an_administrator_cannot_switch_off_themselves(app: Flask, client: FlaskClient) -> None:
    admin = sign_in(client, "hayashi-admin")
    client.post(f"/account/team/{admin.id}/active")
    assert client.get("/account/team").status_code == 200


@pytest.mark.parametrize("login", ["kitahama", "owner"])
@pytest.mark.parametrize("action", ["active", "mail"])
def test_people_of_others_are_not_found(app: Flask, client: FlaskClient, login: str, action: str) -> None:
    sign_in(client, "hayashi-admin")
    foreign = person(app, login)
    assert foreign is not None
    assert client.post(f"/account/team/{foreign.id}/{action}").status_code == 404
    unchanged = person(app, login)
    assert unchanged is not None
    assert unchanged.active
    assert client.post(f"/account/team/999999/{action}").status_code == 404


def test_the_invitation_can_be_mailed_again_until_a_password_is_chosen(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "hayashi-admin")
    buyer = person(app, "hayashi")
    assert buyer is not None
    client.post(f"/account/team/{buyer.id}/mail")
    with app.app_context():
        set_password("hayashi")
    client.post(f"/account/team/{buyer.id}/mail")
    with app.app_context():
        assert len(get_session().scalars(select(Mail)).all()) == 1
