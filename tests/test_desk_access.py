"""Who may call the desk: every route of url_map, for buyers, clerks and visitors; and what buyers never see."""

import re
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.access import OWNER, access_of
from storefront.accounts import Company
from storefront.catalog import Product
from storefront.database import write
from support.ordering import allow_terms, placed
from support.shop import sign_in

FILLED = {
    "code": "HAYASHI",
    "sku": "M4-10",
    "token": "x",
    "kind": "products",
    "name": "2026-11-NAKANO-P20",
    "pattern": "minimum",
}


def desk_routes(app: Flask) -> list[tuple[str, str, str]]:
    """(method, path, endpoint) of every route below /admin, with made-up values in its places; a number is 1."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: FILLED.get(match[1], "1"), rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            found.append((method, path, rule.endpoint))
    return found


@pytest.mark.parametrize("who", ["hayashi", "hayashi-admin"])
def test_a_buyer_is_refused_on_every_route_of_the_desk(app: Flask, client: FlaskClient, who: str) -> None:
    sign_in(client, who)
    routes = desk_routes(app)
    assert len(routes) > 30
    answers = {path: client.open(path, method=method).status_code for method, path, _endpoint in routes}
    assert set(answers.values()) <= {403, 404}, answers


def test_a_visitor_is_sent_to_sign_in_or_refused(app: Flask, client: FlaskClient) -> None:
    for method, path, _endpoint in desk_routes(app):
        answer = client.open(path, method=method)
        assert answer.status_code in {302, 401}, (path, answer.status_code)
        assert answer.status_code == 401 or "/login" in answer.headers["Location"]


def test_control_the_owner_is_let_in_where_the_buyer_was_refused(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    answers = {
        path: client.get(path).status_code for method, path, _endpoint in desk_routes(app) if method == "GET"
    }
    assert (
        answers["/admin/"]
        == answers["/admin/customers/HAYASHI"]
        == answers["/admin/products/M4-10/edit"]
        == 200
    )
    assert set(answers.values()) <= {200, 404}, answers


def test_a_clerk_may_not_call_what_is_the_owners(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    owned = [route for route in desk_routes(app) if access_of(app, route[2]) == OWNER]
    assert {endpoint for _method, _path, endpoint in owned} >= {
        "admin.customer_save",
        "admin.product_save",
        "admin.file_apply",
        "admin.application_approve",
    }
    for method, path, _endpoint in owned:
        assert client.open(path, method=method).status_code == 403


def test_every_route_of_the_desk_says_who_may_call_it(app: Flask) -> None:
    assert {access_of(app, endpoint) for _method, _path, endpoint in desk_routes(app)} == {"staff", "owner"}


def test_buyers_never_see_cost_margin_credit_or_notes(app: Flask, client: FlaskClient) -> None:
    allow_terms(app, "HAYASHI", 777_123)
    with app.app_context():
        with write() as session:
            session.scalars(
                select(Company).where(Company.code == "HAYASHI")
            ).one().note = "pays late, be careful"
            for product in session.scalars(select(Product)):
                product.cost = Decimal("41.99")
        number = placed("hayashi", {"N4-SUS": 200}).number
    secrets = ("41.99", "777,123", "777123", "pays late", "粗利", "原価")
    sign_in(client, "hayashi")
    for path in ("/", "/products", "/products/M4-10", "/cart", f"/orders/{number}", "/account"):
        page = client.get(path).get_data(as_text=True)
        assert [secret for secret in secrets if secret in page] == [], path
    sign_in(client, "owner")
    desk = client.get("/admin/customers/HAYASHI").get_data(as_text=True)
    desk += client.get(f"/admin/orders/{number}").get_data(as_text=True)
    assert all(secret in desk for secret in ("777,123", "pays late", "粗利"))


ODD = [
    "%00",
    "%27%22--",
    "%F0%9F%98%80",
    "..%2F..",
    "%ff%fe",
    "a" * 3000,
    "999999999999999999999",
    "-1",
    "{{7*7}}",
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_addresses_are_not_found_and_never_a_fault_of_ours(
    app: Flask, database_url: str, client: FlaskClient, odd: str
) -> None:
    sign_in(client, "owner")
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin") or not rule.arguments:
            continue
        path = re.sub(r"<(?:\w+:)?\w+>", lambda _match: odd, rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = client.open(path, method=method)
            assert answer.status_code in {400, 404, 405, 308, 422}, (method, path[:80], answer.status_code)


@pytest.mark.parametrize("odd", ODD)
def test_odd_questions_are_answered_with_a_page(
    app: Flask, database_url: str, client: FlaskClient, odd: str
) -> None:
    sign_in(client, "owner")
    names = ("q", "state", "since", "page", "group", "kind", "encoding", "table", "lang")
    query = "&".join(f"{name}={odd}" for name in names)
    for path in (
        "orders",
        "customers",
        "products",
        "rules",
        "mails",
        "audit",
        "applications",
        "incidents",
        "jobs",
        "exceptions",
        "quotations",
        "files",
    ):
        assert client.get(f"/admin/{path}?{query}").status_code == 200, path
    assert client.get(f"/admin/orders.csv?{query}").status_code == 200
