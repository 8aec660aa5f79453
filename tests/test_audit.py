"""The audit trail: shown with before and after, only ever added to, and no door that changes it."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from storefront import audit, create_app, schema
from storefront.audit import AuditEntry
from storefront.database import get_session, write
from support.shop import sign_in


def add(app: Flask, subject: str, **values: object) -> None:
    with app.app_context(), write() as session:
        audit.record(session, None, "change", subject, {"list_price": "120"}, {"list_price": "130", **values})


def test_the_list_shows_who_what_and_both_values(app: Flask, client: FlaskClient) -> None:
    add(app, "product:M4-10")
    sign_in(client, "clerk")
    page = client.get("/admin/audit").get_data(as_text=True)
    for words in ("product:M4-10", "list_price: 120", "list_price: 130", "system"):
        assert words in page


def test_the_list_is_searched_by_subject_and_person(app: Flask, client: FlaskClient) -> None:
    add(app, "product:M4-10")
    add(app, "company:HAYASHI")
    sign_in(client, "clerk")
    page = client.get("/admin/audit?q=hayashi").get_data(as_text=True)
    assert "company:HAYASHI" in page
    assert "product:M4-10" not in page
    assert "product:M4-10" not in client.get("/admin/audit?q=%25nothing%25").get_data(as_text=True)


def test_values_are_shown_escaped(app: Flask, client: FlaskClient) -> None:
    add(app, "product:X", name="<script>alert(1)</script>")
    sign_in(client, "clerk")
    page = client.get("/admin/audit").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_no_route_changes_or_removes_an_entry(app: Flask, client: FlaskClient) -> None:
    add(app, "product:M4-10")
    sign_in(client, "owner")
    rules = [rule for rule in app.url_map.iter_rules() if "audit" in rule.rule]
    assert [sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}) for rule in rules] == [["GET"]]
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.open("/admin/audit", method=method).status_code == 405
    with app.app_context():
        assert len(get_session().scalars(select(AuditEntry)).all()) == 1


def test_a_change_that_is_rolled_back_leaves_no_entry(app: Flask) -> None:
    with app.app_context():
        try:
            with write() as session:
                audit.record(session, None, "change", "product:M4-10", {}, {})
                session.flush()
                raise RuntimeError("the change itself failed")
        except RuntimeError:
            pass
        assert get_session().scalars(select(AuditEntry)).all() == []


def test_our_own_code_cannot_rewrite_or_remove_an_entry(app: Flask) -> None:
    add(app, "product:M4-10")
    with app.app_context():
        with pytest.raises(RuntimeError, match="only ever added"), write() as session:
            session.scalars(select(AuditEntry)).one().actor = "somebody else"
        with pytest.raises(RuntimeError, match="only ever added"), write() as session:
            session.delete(session.scalars(select(AuditEntry)).one())
        assert get_session().scalars(select(AuditEntry.actor)).one() == "system"


CHANGES = [update(AuditEntry).values(actor="somebody else"), delete(AuditEntry)]


@pytest.mark.usefixtures("database_url")
@pytest.mark.parametrize("change", CHANGES, ids=["update", "delete"])
def test_the_database_refuses_statements_that_pass_our_classes_by(app: Flask, change: Any) -> None:
    add(app, "product:M4-10")
    with app.app_context():
        with pytest.raises(DBAPIError, match="only ever added"), write() as session:
            session.execute(change)
        assert get_session().scalars(select(AuditEntry.actor)).one() == "system"


def test_migrated_databases_refuse_them_too(shop_folder: Path, database_url: str) -> None:
    app = create_app(shop_folder, database_url=database_url)
    schema.upgrade(app.extensions["koguchi"].engine)
    add(app, "product:M4-10")
    for change in CHANGES:
        with app.app_context(), pytest.raises(DBAPIError, match="only ever added"), write() as session:
            session.execute(change)
    app.extensions["koguchi"].close()


@pytest.mark.usefixtures("database_url")
def test_control_without_the_triggers_the_statement_goes_through(app: Flask, database_kind: str) -> None:
    add(app, "product:M4-10")
    with app.app_context(), write() as session:
        if database_kind == "sqlite":
            session.execute(text("DROP TRIGGER audit_entries_no_delete"))
        else:
            session.execute(text("DROP TRIGGER audit_entries_kept ON audit_entries"))
        session.execute(delete(AuditEntry))
    with app.app_context():
        assert get_session().scalars(select(AuditEntry)).all() == []
