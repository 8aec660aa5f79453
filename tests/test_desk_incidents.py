"""Incidents, mails and plugins at the desk: shown whole, escaped, and only to whom they concern."""

from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from rules import TieError
from storefront import mail
from storefront.database import get_session, write
from storefront.incidents import Incident, record_incident
from support.shop import SHOP_TOML, make_app, seed, sign_in, write_shop


def incident(app: Flask) -> int:
    with app.app_context(), write() as session:
        detail = {"indexed": {"total": "10120"}, "durable": {"total": "9999"}, "note": "<b>x</b>"}
        found = record_incident(session, "matcher_disagreement", "The matchers disagree on A-10001", detail)
        session.flush()
        return found.id


def test_an_incident_shows_both_answers_and_is_counted_until_somebody_has_looked(
    app: Flask, client: FlaskClient
) -> None:
    number = incident(app)
    sign_in(client, "clerk")
    assert "The matchers disagree" in client.get("/admin/incidents").get_data(as_text=True)
    page = client.get(f"/admin/incidents/{number}").get_data(as_text=True)
    for text in ("10120", "9999", "indexed", "durable", "&lt;b&gt;x&lt;/b&gt;"):
        assert text in page
    client.post(f"/admin/incidents/{number}/seen")
    client.post(f"/admin/incidents/{number}/seen")
    assert "確認済み" in client.get("/admin/incidents").get_data(as_text=True)
    with app.app_context():
        assert get_session().scalars(select(Incident.seen_at)).one() is not None
    assert client.get("/admin/incidents/999").status_code == 404
    assert client.post("/admin/incidents/999/seen").status_code == 404


def test_a_tie_is_told_in_the_language_of_whoever_reads_it(app: Flask, client: FlaskClient) -> None:
    tie = TieError("rules/PR10.toml", "rules/PR20.toml", "1")
    with app.app_context(), write() as session:
        found = record_incident(session, "tie", str(tie), tie.detail)
        session.flush()
        number = found.id
    sign_in(client, "clerk")
    assert tie.said("ja") in client.get("/admin/incidents").get_data(as_text=True)
    assert tie.said("en") in client.get(f"/admin/incidents/{number}?lang=en").get_data(as_text=True)


def test_mails_are_kept_as_text_and_their_links_are_for_the_owner(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), write() as session:
        sent = mail.send(
            session, "hayashi@example.com", "合言葉を決める <b>", "https://shop/reset/SECRET\n<script>", "ja"
        )
        session.flush()
        number = sent.id
    sign_in(client, "clerk")
    listed = client.get("/admin/mails").get_data(as_text=True)
    assert "合言葉を決める &lt;b&gt;" in listed
    assert "SECRET" not in listed
    assert client.get(f"/admin/mails/{number}").status_code == 403
    owner = app.test_client()
    sign_in(owner, "owner")
    page = owner.get(f"/admin/mails/{number}").get_data(as_text=True)
    assert "https://shop/reset/SECRET" in page
    assert "&lt;script&gt;" in page
    assert "/admin/mails/" not in client.get("/admin/mails?q=%25").get_data(as_text=True)


def test_plugins_show_their_state(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/plugins").get_data(as_text=True)
    for text in ("bank_transfer", "net_terms", "flat_rate", "table_rate", "dummy", "有効", "使っていません"):
        assert text in page


def test_a_plugin_with_wrong_settings_is_told_at_the_desk(tmp_path: Path) -> None:
    folder = write_shop(
        tmp_path / "shop", toml=SHOP_TOML.replace("[plugins.flat_rate]", "[plugins.flat_rate]\namuont = 700")
    )
    app = make_app(folder, database_url=f"sqlite:///{folder}/shop.sqlite")
    seed(app)
    client = app.test_client()
    sign_in(client, "clerk")
    page = client.get("/admin/plugins").get_data(as_text=True)
    assert "amuont" in page
    assert "失敗" in page
    app.extensions["koguchi"].close()
