"""Signing in and out, new passwords, one-time codes; and what must not open the door."""

import re
from typing import Any

import pytest
from argon2 import low_level
from flask import Flask
from flask.testing import FlaskClient
from flask_security.totp import Totp
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from storefront.accounts import Company, User
from storefront.accounts.models import SignIn
from storefront.accounts.sign_in import is_own_page
from storefront.database import get_session, write
from storefront.mail import Mail
from support.shop import PASSWORD, address_of, make_app, make_user, seed, set_password, sign_in, write_shop

WRONG = "メールアドレスかパスワードが違います。"


def enter(client: FlaskClient, login: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Send the sign-in form."""
    return client.post("/login", data={"email": address_of(login), "password": password, **more})


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


@pytest.fixture(autouse=True)
def passwords(app: Flask) -> None:
    with app.app_context():
        set_password("hayashi")


@pytest.mark.usefixtures("database_url")
def test_the_right_password_signs_in_and_signing_out_ends_it(client: FlaskClient) -> None:
    assert enter(client, "hayashi").headers["Location"] == "/start"
    assert is_in(client)
    client.post("/logout")
    assert not is_in(client)


def test_mail_addresses_are_taken_in_any_case(client: FlaskClient) -> None:
    assert enter(client, "Hayashi@EXAMPLE.com").status_code == 302


def test_a_wrong_password_an_unknown_address_and_a_closed_account_get_the_same_answer(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        make_user("gone", company=get_session().scalars(select(Company)).first(), active=False)
        set_password("gone")
    pages = [
        re.sub(r'value="[^"]*"|[\w.-]{60,}', "", enter(client, login, password).get_data(as_text=True))
        for login, password in (
            ("hayashi", "wrong"),
            ("nobody", "wrong"),
            ("gone", "wrong"),
            ("nobody", PASSWORD),
        )
    ]
    assert all(WRONG in page for page in pages)
    assert len(set(pages)) == 1


def test_the_right_password_of_a_switched_off_person_or_closed_company_opens_nothing(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().status = "closed"
    assert WRONG in enter(client, "hayashi").get_data(as_text=True)


def test_a_session_ends_at_once_when_the_person_is_switched_off(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    assert is_in(client)
    with app.app_context(), write() as session:
        session.scalars(select(User).where(User.email == address_of("hayashi"))).one().active = False
    assert not is_in(client)


def test_a_session_ends_at_once_when_the_company_is_closed(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().status = "closed"
    assert not is_in(client)


def test_a_demoted_administrator_loses_the_right_in_the_running_session(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "hayashi-admin")
    assert client.get("/account/team").status_code == 200
    with app.app_context(), write() as session:
        session.scalars(select(User).where(User.email == address_of("hayashi-admin"))).one().role = "buyer"
    assert client.get("/account/team").status_code == 403


def test_a_copied_session_cookie_is_worthless_after_signing_out(client: FlaskClient) -> None:
    enter(client, "hayashi")
    stolen = client.get_cookie("koguchi_session")
    assert stolen is not None
    client.post("/logout")
    client.set_cookie("koguchi_session", stolen.value)
    assert not is_in(client)


def test_control_a_copied_session_cookie_works_before_signing_out(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    copied = client.get_cookie("koguchi_session")
    assert copied is not None
    thief = app.test_client()
    thief.set_cookie("koguchi_session", copied.value)
    assert is_in(thief)


def test_a_session_ends_by_itself_after_its_days(client: FlaskClient, clock: Any) -> None:
    enter(client, "hayashi")
    clock.forward(days=13)
    assert is_in(client)
    clock.forward(days=2)
    assert not is_in(client)


def test_signing_in_gives_a_new_session_and_a_new_form_token(app: Flask, client: FlaskClient) -> None:
    client.get("/login")
    with client.session_transaction() as before:
        token = before.get("csrf_token")
        before["koguchi_sign_in"] = "fixed-by-an-attacker"
    enter(client, "hayashi")
    with client.session_transaction() as after:
        assert after["koguchi_sign_in"] != "fixed-by-an-attacker"
        assert after.get("csrf_token") != token or token is None
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(SignIn)) == 1


def test_the_session_cookie_is_marked_for_https_servers_and_this_site_only(client: FlaskClient) -> None:
    enter(client, "hayashi")
    cookie = client.get_cookie("koguchi_session")
    assert cookie is not None
    assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.path) == (True, True, "Lax", "/")


def test_a_visitor_is_sent_to_sign_in_and_back_to_where_they_wanted(client: FlaskClient) -> None:
    answer = client.get("/account/addresses?lang=ja")
    assert answer.headers["Location"] == "/login?next=/account/addresses?lang%3Dja"
    answer = enter(client, "hayashi", next="/account/addresses?lang=ja")
    assert answer.headers["Location"] == "/account/addresses?lang=ja"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "///evil.example",
        "https:evil.example",
        "https://evil.example/x",
        "\t//evil.example",
        "/\t/evil.example",
        "/x\r\nLocation: //evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/%0d\n/evil.example",
    ],
)
def test_signing_in_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    assert not is_own_page(target)
    answer = enter(client, "hayashi", next=target)
    assert answer.status_code == 400
    assert "evil" not in answer.headers.get("Location", "")


def test_control_own_pages_are_own_pages() -> None:
    assert all(is_own_page(target) for target in ("/", "/cart", "/products?q=M4%2010", "/products?next=//x"))


def mails(app: Flask) -> list[Mail]:
    with app.app_context():
        return list(get_session().scalars(select(Mail).order_by(Mail.id)))


def ask_for_reset(app: Flask, client: FlaskClient, login: str = "hayashi", **more: Any) -> str:
    """Ask for a new password and return the path of the link in the mail."""
    client.post("/reset", data={"email": address_of(login)}, **more)
    link = re.search(r"https://shop\.aoyagi\.example(/reset/\S+)", mails(app)[-1].body)
    assert link is not None
    return link[1]


@pytest.mark.usefixtures("database_url")
def test_a_forgotten_password_is_replaced_through_the_mailed_link_once(
    app: Flask, client: FlaskClient
) -> None:
    path = ask_for_reset(app, client)
    new = {"password": "a-new-sentence-42", "password_confirm": "a-new-sentence-42"}
    assert client.post(path, data=new).headers["Location"].endswith("/login")
    assert enter(client, "hayashi").status_code == 200
    assert enter(client, "hayashi", "a-new-sentence-42").status_code == 302
    again = app.test_client()
    assert again.post(path, data=new).headers["Location"].endswith("/reset")


def test_of_two_live_links_using_one_ends_the_other(app: Flask, client: FlaskClient) -> None:
    first, second = ask_for_reset(app, client), ask_for_reset(app, client)
    new = {"password": "a-new-sentence-42", "password_confirm": "a-new-sentence-42"}
    client.post(second, data=new)
    assert client.get(first).status_code == 302


def test_an_old_link_opens_nothing(app: Flask, client: FlaskClient) -> None:
    path = ask_for_reset(app, client)
    from datetime import timedelta

    app.config["SECURITY_RESET_PASSWORD_WITHIN"] = timedelta(seconds=-1)
    assert client.get(path).headers["Location"].endswith("/reset")


def test_a_forged_host_never_reaches_the_mail(app: Flask, client: FlaskClient) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    ask_for_reset(app, client, headers=forged)
    assert "evil.example" not in mails(app)[-1].body


def test_asking_for_a_link_tells_nothing_about_who_has_an_account(app: Flask, client: FlaskClient) -> None:
    def answer(login: str) -> str:
        page = client.post("/reset", data={"email": address_of(login)}).get_data(as_text=True)
        return re.sub(r'value="[^"]*"|[\w.-]{60,}', "", page)

    assert answer("hayashi") == answer("nobody-at-all")
    assert [mail.to for mail in mails(app)] == [address_of("hayashi")]


def test_changing_the_password_signs_out_every_other_device(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    other = app.test_client()
    enter(other, "hayashi")
    answer = client.post(
        "/account/password",
        data={
            "password": PASSWORD,
            "new_password": "a-new-sentence-42",
            "new_password_confirm": "a-new-sentence-42",
        },
    )
    assert answer.status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert "変更" in mails(app)[-1].subject


def test_a_short_password_is_refused_with_what_is_allowed(client: FlaskClient) -> None:
    enter(client, "hayashi")
    page = client.post(
        "/account/password",
        data={"password": PASSWORD, "new_password": "short", "new_password_confirm": "short"},
    ).get_data(as_text=True)
    assert "10文字以上にしてください。" in page


def switch_on_codes(app: Flask, client: FlaskClient) -> str:
    """Set up one-time codes as the page does; the secret of the app."""
    page = client.post("/account/two-factor", data={"setup": "authenticator"}).get_data(as_text=True)
    key = re.search(r"<code>([A-Z2-7-]+)</code>", page)
    action = re.search(r'action="(/account/two-factor/[^"]+)"', page)
    assert key is not None
    assert action is not None
    secret = key[1].replace("-", "")
    answer = client.post(action[1], data={"code": code_of(secret, -1)})
    assert answer.headers["Location"].endswith("/account")
    return secret


def code_of(secret: str, step: int = 0) -> str:
    """The code an authenticator shows, `step` half minutes from now."""
    import time

    from passlib.totp import TOTP

    return str(TOTP(key=secret, format="base32").generate(time=int(time.time()) + 30 * step).token)


@pytest.mark.usefixtures("database_url")
def test_with_codes_on_the_password_alone_does_not_sign_in(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    secret = switch_on_codes(app, client)
    browser = app.test_client()
    assert "6桁" in enter(browser, "hayashi").get_data(as_text=True) or not is_in(browser)
    assert not is_in(browser)
    assert browser.post("/tf-validate", data={"code": "000000"}).status_code == 200
    assert not is_in(browser)
    assert browser.post("/tf-validate", data={"code": code_of(secret)}).status_code == 302
    assert is_in(browser)


def test_a_code_works_once(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    secret = switch_on_codes(app, client)
    code = code_of(secret)
    for expected in (302, 200):
        browser = app.test_client()
        enter(browser, "hayashi")
        assert browser.post("/tf-validate", data={"code": code}).status_code == expected


def test_a_recovery_code_signs_in_once_when_the_phone_is_lost(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    switch_on_codes(app, client)
    page = client.post("/account/recovery-codes", data={"generate_new_codes": "1"}).get_data(as_text=True)
    codes = re.findall(r"<code>([0-9a-f-]{14})</code>", page)
    assert len(codes) == 5
    for expected in (True, False):
        browser = app.test_client()
        enter(browser, "hayashi")
        browser.post("/mf-recovery", data={"code": codes[0]})
        assert is_in(browser) is expected


def test_the_secret_of_the_codes_is_not_kept_readable(app: Flask, client: FlaskClient) -> None:
    enter(client, "hayashi")
    secret = switch_on_codes(app, client)
    with app.app_context():
        kept = (
            get_session()
            .scalars(select(User.tf_totp_secret).where(User.email == address_of("hayashi")))
            .one()
        )
    assert kept is not None
    assert secret not in kept
    assert Totp is not None


@pytest.fixture
def guarded(tmp_path: Any) -> Any:
    """A shop with its limits on."""
    app = make_app(
        write_shop(tmp_path / "guarded"), rate_limits={"enabled": True, "sign_in_address": "1000 per hour"}
    )
    seed(app)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        set_password("hayashi")
    yield app
    app.extensions["koguchi"].close()


def guess(app: Flask, login: str, times: int) -> list[int]:
    """Guess passwords from as many addresses as guesses."""
    return [
        app.test_client()
        .post(
            "/login",
            data={"email": address_of(login), "password": f"guess-{n}"},
            environ_base={"REMOTE_ADDR": f"10.0.{n}.1"},
        )
        .status_code
        for n in range(times)
    ]


def test_guesses_on_one_account_from_changing_addresses_are_stopped(guarded: Flask) -> None:
    answers = guess(guarded, "hayashi", 14)
    assert answers.count(200) == 10
    assert answers[10:] == [429] * 4


def test_the_real_user_still_signs_in_from_a_known_browser_while_the_account_is_attacked(
    guarded: Flask,
) -> None:
    browser = guarded.test_client()
    enter(browser, "hayashi")
    browser.post("/logout")
    assert guess(guarded, "hayashi", 12)[-1] == 429
    assert enter(browser, "hayashi").status_code == 302


def test_control_a_browser_never_seen_waits_with_the_attacker(guarded: Flask) -> None:
    guess(guarded, "hayashi", 12)
    assert enter(guarded.test_client(), "hayashi").status_code == 429


def test_one_password_tried_on_many_accounts_from_one_address_is_stopped(tmp_path: Any) -> None:
    app = make_app(
        write_shop(tmp_path / "spray"), rate_limits={"enabled": True, "sign_in_address": "5 per hour"}
    )
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    answers = [enter(client, f"someone-{n}").status_code for n in range(7)]
    app.extensions["koguchi"].close()
    assert answers == [200] * 5 + [429] * 2


# F60, F65: time is not measured; what takes it is counted. One hash costs more than all the rest of an answer.
@pytest.fixture
def hashing(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time a password is hashed or compared: which of the two."""
    done: list[str] = []

    def count(name: str) -> None:
        real = getattr(low_level, name)

        def counted(*args: Any, **more: Any) -> Any:
            done.append(name)
            return real(*args, **more)

        monkeypatch.setattr(low_level, name, counted)

    enter(client, "nobody", "wrong")  # the first call of all finds out what the machine can do
    count("hash_secret")
    count("verify_secret")
    return done


def hashes_of(app: Flask, hashing: list[str], login: str, password: str) -> int:
    """How many passwords are hashed or compared for one attempt from a browser never seen."""
    hashing.clear()
    assert WRONG in enter(app.test_client(), login, password).get_data(as_text=True)
    return len(hashing)


def test_a_refused_sign_in_costs_one_hash_whoever_it_was(app: Flask, hashing: list[str]) -> None:
    with app.app_context():
        make_user("gone", company=get_session().scalars(select(Company)).first(), active=False)
        set_password("gone")
        make_user("invited", company=get_session().scalars(select(Company)).first())
    attempts = [("hayashi", "wrong"), ("nobody", "wrong"), ("gone", "wrong"), ("gone", PASSWORD)]
    attempts += [("invited", "wrong"), ("nobody", PASSWORD)]
    assert {one: hashes_of(app, hashing, *one) for one in attempts} == dict.fromkeys(attempts, 1)


def test_control_without_the_empty_hash_an_unknown_address_is_answered_sooner(
    app: Flask, hashing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_security.forms.hash_password", lambda _password: "")
    assert hashes_of(app, hashing, "nobody", "wrong") == 0
    assert hashes_of(app, hashing, "hayashi", "wrong") == 1
