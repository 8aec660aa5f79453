"""What every answer has in common: headers, form tokens, error pages that tell nothing, limits on what is taken in."""

import hashlib
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from storefront.access import PUBLIC, access_of, public
from storefront.security import CONTENT_POLICY
from support.shop import make_app, sign_in, write_shop
from test_access import calls, methods, rules, sample_path

ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}


@pytest.mark.parametrize(
    "path", ["/login", "/apply", "/nothing-here", "/health", "/static/koguchi.css", "/account", "/theme.css"]
)
def test_every_answer_carries_the_safety_headers_errors_too(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_pages_are_private_and_never_stored(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi-admin")
    for method, path in calls(app, "buyer", "company_admin", "signed_in", PUBLIC):
        if method == "GET" and not path.startswith(("/static", "/theme.css", "/health")):
            kept = client.get(path).headers["Cache-Control"]
            assert kept == "private, no-store", path


def test_static_files_with_their_hash_are_kept_for_a_year(client: FlaskClient) -> None:
    page = client.get("/login").get_data(as_text=True)
    address = re.search(r'href="(/static/koguchi\.css\?v=\w+)"', page)
    assert address is not None
    assert "immutable" in client.get(address[1], buffered=True).headers["Cache-Control"]


def test_no_page_has_an_inline_script_or_style(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi-admin")
    wrong = []
    for method, path in calls(app, "buyer", "company_admin", "signed_in", PUBLIC):
        if method == "GET":
            page = client.get(path)
            if page.mimetype == "text/html":
                text = page.get_data(as_text=True)
                wrong += [
                    (path, found)
                    for found in re.findall(r"<script(?![^>]*src=)|<style| style=| on\w+=|hx-on", text)
                ]
    assert not wrong


# Written to a disk by a command, and never sent by the shop: they carry their own style.
FILES_OF_THEIR_OWN = {"comparison_page.html"}


def test_templates_have_no_inline_script_or_style() -> None:
    wrong = [
        f"{path.name}: {found}"
        for path in (ROOT / "storefront" / "templates").rglob("*.html")
        if path.name not in FILES_OF_THEIR_OWN
        for found in re.findall(
            r"<script(?![^>]*src=)|<style| style=\"| on[a-z]+=\"|hx-on|\|\s*safe", path.read_text("utf-8")
        )
    ]
    assert not wrong


def test_every_state_changing_view_refuses_a_form_without_a_token(
    app: Flask, csrf_client: FlaskClient
) -> None:
    sign_in(csrf_client, "hayashi-admin")
    let_in = []
    for rule in rules(app):
        for method in set(methods(rule)) - {"GET"}:
            if access_of(app, rule.endpoint) in {"staff", "owner"}:
                continue
            answer = csrf_client.open(sample_path(rule), method=method, data={"x": "1"})
            # the API reads no cookie, so a foreign form is nobody there; a webhook is believed by its signature alone
            nobody = (access_of(app, rule.endpoint), answer.status_code) == ("api", 401)
            nobody = nobody or (rule.rule, answer.status_code) == ("/webhooks/<provider>", 404)
            if answer.status_code not in {400, 403, 405} and not nobody:
                let_in.append((method, rule.rule, answer.status_code))
    assert not let_in


def test_the_desk_refuses_a_form_without_a_token(app: Flask, csrf_client: FlaskClient) -> None:
    sign_in(csrf_client, "owner")
    for method, path in calls(app, "staff", "owner"):
        if method != "GET":
            assert csrf_client.open(path, method=method, data={"x": "1"}).status_code == 400, path


def test_a_json_body_sent_as_plain_text_does_not_slip_past_the_token(csrf_client: FlaskClient) -> None:
    sign_in(csrf_client, "hayashi-admin")
    answer = csrf_client.post("/account/team", data='{"email": "x"}', content_type="text/plain")
    assert answer.status_code == 400


def test_control_a_form_with_its_token_is_taken(csrf_client: FlaskClient) -> None:
    page = csrf_client.get("/login", base_url="https://localhost").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = csrf_client.post(
        "/login",
        data={"csrf_token": token[1], "email": "x@example.com", "password": "wrong"},
        base_url="https://localhost",
        headers={"Referer": "https://localhost/login"},
    )
    assert answer.status_code == 200


def test_a_token_from_another_sites_page_is_refused(csrf_client: FlaskClient) -> None:
    page = csrf_client.get("/login", base_url="https://localhost").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = csrf_client.post(
        "/login",
        data={"csrf_token": token[1], "email": "x@example.com", "password": "wrong"},
        base_url="https://localhost",
        headers={"Referer": "https://evil.example/"},
    )
    assert answer.status_code == 400


class Exploding(Exception):
    """Tells secrets, as exceptions do."""

    def __init__(self) -> None:
        super().__init__("SELECT password FROM users; /srv/koguchi/shop.py line 12; SQLAlchemy 2.1")


def add_route(app: Flask, path: str, error: Exception) -> None:
    @public
    def explode() -> str:
        raise error

    app.add_url_rule(path, path.strip("/"), explode)


def test_a_fault_of_ours_shows_an_id_and_nothing_internal(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    add_route(app, "/explode", Exploding())
    with caplog.at_level(logging.ERROR):
        answer = client.get("/explode")
    page = answer.get_data(as_text=True)
    number = re.search(r"番号 ([0-9a-f]{8})", page)
    assert answer.status_code == 500
    assert number is not None
    assert number[1] in caplog.text
    for secret in ("SELECT", "/srv", "line 12", "SQLAlchemy", "Traceback", "Werkzeug", "Flask", "python"):
        assert secret not in page


def test_exceptions_forced_on_every_view_show_nothing_internal(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi-admin")

    def explode(*_args: Any, **_values: Any) -> str:
        raise Exploding

    for rule in list(rules(app)):
        if rule.endpoint == "static":
            continue
        mark = access_of(app, rule.endpoint)
        app.view_functions[rule.endpoint] = explode
        explode.__access__ = mark if mark in {"public", "buyer", "company_admin", "signed_in"} else "public"  # type: ignore[attr-defined]
        answer = client.open(sample_path(rule), method=methods(rule)[0])
        page = answer.get_data(as_text=True)
        assert answer.status_code == 500, rule.rule
        assert "SELECT" not in page, rule.rule
        assert "Traceback" not in page, rule.rule


def test_a_busy_database_is_a_503_that_says_when_to_come_back(app: Flask, client: FlaskClient) -> None:
    add_route(app, "/busy", OperationalError("UPDATE stock_items", {}, Exception("database is locked")))
    answer = client.get("/busy")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "stock_items" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/.git/config", 404),
        ("GET", "/.env", 404),
        ("GET", "/static/../shop.toml", 404),
        ("GET", "/var/shop.sqlite", 404),
        ("GET", "/static/%2e%2e/pyproject.toml", 404),
        ("GET", "/backup.zip", 404),
        ("POST", "/health", 405),
        ("BREW", "/login", 405),
        ("GET", "/products/%00", 404),
        ("GET", "/%ff%fe", 404),
    ],
)
def test_what_is_not_there_is_a_plain_page(client: FlaskClient, method: str, path: str, code: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == code
    assert "番号" in answer.get_data(as_text=True)


def test_unknown_hosts_are_refused_where_hosts_are_named(tmp_path: Any) -> None:
    app = make_app(write_shop(tmp_path / "named"), trusted_hosts=("shop.example",))
    client = app.test_client()
    good = client.get("/login", base_url="https://shop.example")
    bad = client.get("/login", base_url="https://evil.example")
    app.extensions["koguchi"].close()
    assert (good.status_code, bad.status_code) == (200, 400)
    assert "evil" not in bad.get_data(as_text=True)


def test_forwarded_headers_are_believed_only_behind_a_declared_proxy(client: FlaskClient) -> None:
    page = client.get("/login", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"})
    assert "evil" not in page.get_data(as_text=True)


def test_a_body_that_is_too_large_is_413(tmp_path: Any) -> None:
    app = make_app(write_shop(tmp_path / "small"), upload_limit=10_000)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/login", data={"email": "x" * 20_000})
    app.extensions["koguchi"].close()
    assert answer.status_code == 413
    assert "大きすぎます" in answer.get_data(as_text=True)


def test_a_form_of_a_thousand_and_one_parts_is_413(client: FlaskClient) -> None:
    parts = {f"part{number}": "x" for number in range(1_001)}
    assert client.post("/login", data=parts, content_type="multipart/form-data").status_code == 413


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><svg onload=x>',
        "A & B <Ltd",
        "﨑髙𠮷🔩\ufa19",
        "a\u202eb",
        "{{ config }}",
    ],
)
def test_a_name_is_kept_as_it_is_and_shown_escaped(app: Flask, client: FlaskClient, name: str) -> None:
    user = sign_in(client, "hayashi")
    client.post("/account", data={"name": name, "language": "ja"})
    page = client.get("/account").get_data(as_text=True)
    with app.app_context():
        from storefront.accounts import User
        from storefront.database import get_session

        assert get_session().get_one(User, user.id).name == name
    assert "<script>alert" not in page
    assert "<svg onload" not in page


@pytest.mark.parametrize("name", ["vendor", "fonts"])
def test_vendored_files_are_what_their_checksums_say(name: str) -> None:
    folder = ROOT / "static" / name
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, file = line.split()
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest


def test_the_first_page_is_light(client: FlaskClient) -> None:
    page = client.get("/login").get_data(as_text=True)
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)[^"]*)"', page)
    total = len(page.encode()) + sum(len(client.get(file, buffered=True).get_data()) for file in files)
    assert total < 100_000


def test_guessing_numbers_is_slowed_down_and_told_at_the_desk(tmp_path: Any) -> None:
    from sqlalchemy import select

    from storefront.database import get_session
    from storefront.incidents import Incident

    limits = {"enabled": True, "misses": "20 per 10 minutes"}
    app = make_app(write_shop(tmp_path / "guessed"), rate_limits=limits)
    client, other = app.test_client(), app.test_client()
    answers = [client.get(f"/nothing/{number}").status_code for number in range(25)]
    neighbour = other.get("/login", environ_base={"REMOTE_ADDR": "10.9.9.9"}).status_code
    with app.app_context():
        told = get_session().scalars(select(Incident.kind)).all()
    app.extensions["koguchi"].close()
    assert answers == [404] * 20 + [429] * 5
    assert neighbour == 200
    assert told == ["guessing"]
