"""API keys: made and revoked by the owner, shown once, kept as a hash, and worth nothing in any other way."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from storefront import cli
from storefront.accounts import Company
from storefront.api.keys import ApiKey, hash_of, note_use
from storefront.audit import AuditEntry
from storefront.clock import now
from storefront.database import get_session, write
from storefront.logs import mask
from support.api import EVALUATE, ask, cart_of, make_key
from support.shop import FixedClock, make_app, seed, sign_in

CART = cart_of(("M4-10", 100))


def row(app: Flask) -> ApiKey:
    with app.app_context():
        return get_session().scalars(select(ApiKey)).one()


def test_a_key_opens_its_api_until_it_is_revoked(app: Flask, database_url: str, client: FlaskClient) -> None:
    token = make_key(app, "HAYASHI")
    assert ask(app, token, CART).status_code == 200
    sign_in(client, "owner")
    assert client.post(f"/admin/api-keys/{row(app).id}/revoke").status_code == 302
    answer = ask(app, token, CART)
    assert answer.status_code == 401
    assert "revoked" in answer.get_json()["detail"]
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_key_ends_after_its_last_day_in_the_shops_time_zone(
    app: Flask, database_url: str, clock: FixedClock
) -> None:
    token = make_key(app, "HAYASHI", expires_at=clock() + timedelta(hours=1))
    assert ask(app, token, CART).status_code == 200
    clock.forward(hours=1)
    assert "expired" in ask(app, token, CART).get_json()["detail"]


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer kg_", "Bearer kg_" + "0" * 64, "Bearer kg_" + "g" * 64, "Bearer \u00e9",
        "Bearer " + "k" * 7000, "Basic a2dfOg==", "Bearer kg_' OR 1=1 --", "kg_" + "0" * 64, "Token {token}",
        "Bearer {prefix}", "Bearer {token}0", "Bearer {upper}", "Bearer {token},{token}",
    ],
)  # fmt: skip
def test_nothing_but_the_whole_token_opens_the_api(app: Flask, header: str) -> None:
    token = make_key(app, "HAYASHI")
    filled = header.format(token=token, prefix=token[:15], upper=token.upper())
    answer = ask(app, None, CART, Authorization=filled.encode().decode("latin-1"))
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    control = ask(app, None, CART, Authorization=f"Bearer {token}")
    assert control.status_code == 200


@pytest.mark.parametrize("query", ["?token={}", "?access_token={}", "?api_key={}", "?x={}", "?explain={}"])
def test_a_token_in_the_address_is_refused_even_with_a_good_header(app: Flask, query: str) -> None:
    token = make_key(app, "HAYASHI")
    for given in (token, None):
        answer = ask(app, given, CART, query.format(token))
        assert answer.status_code == 400
        assert "revoked" in answer.get_json()["detail"]
        assert token not in answer.get_data(as_text=True)


def test_the_key_of_a_closed_company_opens_nothing(app: Flask, database_url: str) -> None:
    token = make_key(app, "HAYASHI")
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().status = "closed"
    assert ask(app, token, CART).status_code == 403


def test_the_scopes_of_a_key_are_asked_for_each_request(app: Flask) -> None:
    token = make_key(app, None)
    assert ask(app, token, CART).status_code == 200
    for scopes in ([], ["products"], ["evaluate"]):
        with app.app_context(), write() as session:
            session.scalars(select(ApiKey)).one().scopes = scopes
        answer = ask(app, token, CART)
        assert answer.status_code == 403
        assert "scope" in answer.get_json()["detail"]


def test_even_a_wrong_scope_lets_a_companys_key_not_ask_as_another(app: Flask) -> None:
    token = make_key(app, "KITAHAMA")
    with app.app_context(), write() as session:
        session.scalars(select(ApiKey)).one().scopes = ["evaluate:any"]
    assert ask(app, token, {**CART, "customer": {"code": "HAYASHI"}}).status_code == 403


def test_only_a_hash_is_kept_and_no_page_or_log_shows_the_token_again(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_in(client, "owner")
    typed = {"name": "購買システム", "scope": "evaluate", "code": "HAYASHI", "until": "2027-03-31"}
    page = client.post("/admin/api-keys", data=typed)
    token = re.findall(r"kg_[0-9a-f]{64}", page.get_data(as_text=True))[0]
    assert page.headers["Cache-Control"] == "private, no-store"
    assert ask(app, token, CART).get_json()["outcome"] == "ok"
    kept = row(app)
    assert kept.hashed == hash_of(token)
    assert kept.expires_at is not None
    assert kept.expires_at.isoformat() == "2027-03-31T15:00:00+00:00"  # midnight in Japan
    assert "2027年3月31日" in client.get("/admin/api-keys").get_data(as_text=True)
    assert token not in repr([getattr(kept, column.name) for column in ApiKey.__table__.columns])
    for path in ("/admin/api-keys", "/admin/audit"):
        seen = client.get(path).get_data(as_text=True)
        assert token not in seen
        assert kept.prefix in seen
    assert token not in caplog.text
    assert mask(f"called with {token}") == "called with ***"


def test_making_and_revoking_stand_in_the_audit_log(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    client.post("/admin/api-keys", data={"name": "経理", "scope": "evaluate:any"})
    number = row(app).id
    for _twice in range(2):
        client.post(f"/admin/api-keys/{number}/revoke")
    assert client.post("/admin/api-keys/99/revoke").status_code == 404
    with app.app_context():
        entries = get_session().scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        told = [(entry.action, entry.subject, entry.actor) for entry in entries]
    subject = f"api-key:{number}"
    assert told == [("add", subject, "owner@example.com"), ("revoke", subject, "owner@example.com")]
    assert entries[0].after["scopes"] == ["evaluate:any"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scope": "everything"}, "scope"),
        ({"code": ""}, "code"),
        ({"code": "NOBODY"}, "code"),
        ({"code": "\ufffe\x00"}, "code"),
        ({"scope": "evaluate:any"}, "code"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2026-11-19"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"until": "20270101T00"}, "until"),
    ],
)
def test_a_wish_that_cannot_be_met_is_told_and_kept(
    app: Flask, database_url: str, client: FlaskClient, typed: dict[str, str], field: str
) -> None:
    sign_in(client, "owner")
    whole = {"name": "ERP", "scope": "evaluate", "code": "HAYASHI", "until": "", **typed}
    answer = client.post("/admin/api-keys", data=whole)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-err"' in page
    assert "kg_" not in page


def test_the_owner_alone_makes_and_revokes_and_a_form_needs_its_token(
    app: Flask, client: FlaskClient, csrf_client: FlaskClient
) -> None:
    make_key(app, "HAYASHI")
    sign_in(client, "clerk")
    page = client.get("/admin/api-keys").get_data(as_text=True)
    assert "kg_" in page
    assert "revoke" not in page
    for path in ("/admin/api-keys", f"/admin/api-keys/{row(app).id}/revoke"):
        assert client.post(path, data={"name": "x"}).status_code == 403
    app.config["WTF_CSRF_ENABLED"] = True
    sign_in(csrf_client, "owner")
    assert csrf_client.post("/admin/api-keys", data={"name": "x", "scope": "evaluate:any"}).status_code == 400
    assert ask(app, make_key(app, None), CART).status_code == 200, (
        "the API reads no cookie and needs no token"
    )


def test_the_last_use_is_noted_after_the_answer_and_at_most_once_a_minute(
    app: Flask, database_url: str, clock: FixedClock, queries: Callable[[], list[str]]
) -> None:
    token = make_key(app, "HAYASHI")
    assert row(app).last_used_at is None
    first = clock()
    client = app.test_client(use_cookies=False)
    queries()
    answer = client.post(EVALUATE, json=CART, headers={"Authorization": f"Bearer {token}"})
    answer.get_data()
    assert not [one for one in queries() if "UPDATE" in one], "written before the answer was out"
    answer.close()
    assert row(app).last_used_at == first
    queries()
    clock.forward(seconds=59)
    ask(app, token, CART)
    assert not [one for one in queries() if "UPDATE" in one]
    clock.forward(seconds=1)
    later = clock()
    ask(app, token, CART)
    assert row(app).last_used_at == later


def test_two_processes_note_one_use_and_a_busy_database_costs_no_answer(
    app: Flask, database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_key(app, "HAYASHI")
    number, first = row(app).id, clock()
    note_use(app, number)
    clock.forward(seconds=30)
    note_use(app, number)
    assert row(app).last_used_at == first
    clock.forward(minutes=5)

    def busy(*_args: Any) -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr("storefront.api.keys.write", busy)
    assert ask(app, token, CART).status_code == 200


def test_each_key_has_its_own_rate_limit(shop_folder: Path, tmp_path: Path) -> None:
    limits = {"enabled": True, "api": "3 per minute"}
    app = make_app(shop_folder, database_url=f"sqlite:///{tmp_path / 'limited.sqlite'}", rate_limits=limits)
    seed(app)
    eager, other = make_key(app, "HAYASHI"), make_key(app, "HAYASHI")
    assert [ask(app, eager, CART).status_code for _time in range(4)] == [200, 200, 200, 429]
    refused = ask(app, eager, CART)
    assert refused.mimetype == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert ask(app, other, CART).status_code == 200
    app.extensions["koguchi"].close()


def test_keys_are_made_listed_and_revoked_on_the_command_line(
    app: Flask, shop_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", app.extensions["koguchi"].settings.database_url)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["api-key", *words, "--shop", str(shop_folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, token, _told = run("add", "ERP", "--company", "HAYASHI")
    assert code == 0
    assert ask(app, token.strip(), CART).status_code == 200
    assert run("add", "ERP", "--company", "NOBODY")[0] == 1
    assert "NOBODY" in run("add", "ERP", "--company", "NOBODY")[2]
    code, listed, _told = run("list")
    assert token.strip() not in listed
    assert re.search(r"^1\tkg_[0-9a-f]{12}\.\.\.\tactive\tHAYASHI\tlast used .*\tERP$", listed, re.M)
    assert run("revoke", "1")[0] == 0
    assert run("revoke", "77")[0] == run("revoke", "9999999999")[0] == 1
    assert ask(app, token.strip(), CART).status_code == 401
    assert "revoked" in run("list")[1]


def test_a_key_has_expired_from_its_very_moment_on(app: Flask) -> None:
    with app.app_context():
        assert ApiKey(expires_at=now() + timedelta(microseconds=1)).state(now()) == "active"
        assert ApiKey(expires_at=now()).state(now()) == "expired"
