"""Every address says who may call it, and nobody else gets in: walked over the whole url_map."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from storefront import access
from storefront.access import API, BUYER, COMPANY_ADMIN, OWNER, PUBLIC, SIGNED_IN, STAFF, access_of
from support.shop import sign_in

LEVELS = {PUBLIC, SIGNED_IN, BUYER, COMPANY_ADMIN, STAFF, OWNER, API}
SAMPLES = {"int": "1", "integer": "1", "path": "a/b", "default": "x", "string": "x", "uuid": "0" * 32}


def rules(app: Flask) -> Iterator[Rule]:
    yield from app.url_map.iter_rules()


def sample_path(rule: Rule) -> str:
    """The rule's address with something in place of each variable."""
    return re.sub(
        r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda match: SAMPLES.get(match[1] or "string", "x"), rule.rule
    )


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def calls(app: Flask, *levels: str) -> list[tuple[str, str]]:
    """(method, path) of every view of these levels."""
    return [
        (method, sample_path(rule))
        for rule in rules(app)
        if access_of(app, rule.endpoint) in levels
        for method in methods(rule)
    ]


def test_every_view_says_who_may_call_it(app: Flask) -> None:
    unmarked = [
        f"{rule.endpoint} {rule.rule}" for rule in rules(app) if access_of(app, rule.endpoint) not in LEVELS
    ]
    assert not unmarked


def test_control_a_view_without_a_mark_is_refused(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    sign_in(client, "owner")
    assert access_of(app, "forgotten") is None
    answer = client.get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.get_data(as_text=True)


def test_control_the_walk_finds_views_of_every_level(app: Flask) -> None:
    assert all(calls(app, level) for level in (PUBLIC, SIGNED_IN, BUYER, COMPANY_ADMIN, API))


def test_a_visitor_is_sent_to_sign_in_by_pages_and_refused_by_everything_else(
    app: Flask, client: FlaskClient
) -> None:
    for method, path in calls(app, SIGNED_IN, BUYER, COMPANY_ADMIN, STAFF, OWNER):
        answer = client.open(path, method=method)
        if method == "GET":
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/login?next="), path
        else:
            assert answer.status_code == 401, (method, path)


def test_a_visitors_fragments_and_json_get_401(client: FlaskClient) -> None:
    assert client.get("/account", headers={"HX-Request": "true"}).status_code == 401
    assert client.get("/account", json={}).status_code == 401


@pytest.mark.parametrize("login", ["hayashi", "hayashi-admin"])
def test_no_buyer_gets_into_the_desk(app: Flask, client: FlaskClient, login: str) -> None:
    sign_in(client, login)
    for method, path in calls(app, STAFF, OWNER):
        assert client.open(path, method=method).status_code == 403, (method, path)


def test_a_clerk_gets_nothing_that_is_the_owners_alone(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    for method, path in calls(app, OWNER):
        assert client.open(path, method=method).status_code == 403, (method, path)


def test_a_buyer_gets_nothing_that_is_the_administrators_alone(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    for method, path in calls(app, COMPANY_ADMIN):
        assert client.open(path, method=method).status_code == 403, (method, path)


def test_staff_do_not_order_as_a_company(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    for method, path in calls(app, BUYER, COMPANY_ADMIN):
        assert client.open(path, method=method).status_code == 403, (method, path)


@pytest.mark.parametrize("login", [None, "hayashi-admin", "clerk", "owner"])
def test_nobody_gets_into_the_api_without_a_key(app: Flask, client: FlaskClient, login: str | None) -> None:
    if login:
        sign_in(client, login)
    for method, path in calls(app, API):
        answer = client.open(path, method=method, json={})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), path


def test_a_forged_session_cookie_opens_nothing(client: FlaskClient) -> None:
    client.set_cookie("koguchi_session", "eyJfdXNlcl9pZCI6IjEifQ.aR8b2A.forged")
    assert client.get("/account").status_code == 302


def test_a_token_in_the_address_or_a_header_opens_nothing(app: Flask, client: FlaskClient) -> None:
    user = sign_in(client, "owner")
    with app.test_request_context():
        token = user.get_auth_token()
    for call in ({"query_string": {"auth_token": token}}, {"headers": {"Authentication-Token": token}}):
        assert app.test_client().get("/account", **call).status_code == 302  # type: ignore[arg-type]


def test_no_view_with_a_side_effect_answers_get(app: Flask) -> None:
    """GET is for looking: names that do something take POST alone."""
    doing = re.compile(
        r"add|delete|remove|switch|invite|place|cancel|approve|decline|set_|apply_|mail_again|adjust"
    )
    wrong = [
        rule.endpoint
        for rule in rules(app)
        if "GET" in methods(rule) and doing.match(rule.endpoint.rpartition(".")[2])
    ]
    assert not wrong


@pytest.mark.parametrize("login", [None, "hayashi", "hayashi-admin", "clerk", "owner"])
def test_no_address_answers_500_to_a_plain_call(app: Flask, client: FlaskClient, login: str | None) -> None:
    if login:
        sign_in(client, login)
    broken = [
        (method, sample_path(rule))
        for rule in rules(app)
        for method in methods(rule)
        if client.open(sample_path(rule), method=method).status_code in {500, 501}
    ]
    assert not broken


def test_library_views_are_marked_by_name_only(app: Flask) -> None:
    assert all(endpoint == "static" or endpoint.startswith("security.") for endpoint in access.LIBRARY_VIEWS)
