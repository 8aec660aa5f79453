"""Last month's orders under a draft, and without a rule: what would have been refused or charged."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.clock import today
from storefront.replays.preview import of_draft, of_rule
from support.ordering import placed
from support.shop import RULES, FixedClock, sign_in

PATH = "rules/QT12_turned.toml"
OLD = RULES["QT12_turned.toml"]


@pytest.fixture
def month(app: Flask, clock: FixedClock) -> Flask:
    """Two orders in November; it is December now."""
    with app.app_context():
        placed("hayashi", {"P-12": 50})
        placed("kitahama", {"M4-10": 40})
    clock.forward(days=20)
    return app


def test_a_draft_tells_which_orders_of_last_month_it_would_have_refused(month: Flask) -> None:
    later = OLD.replace("minimum = 50", "minimum = 60").replace(
        "[when]", 'from = 2027-04-01\nmode = "shadow"\n[when]'
    )
    with month.test_request_context():
        found = of_draft(month.extensions["koguchi"], PATH, later, today())
        assert found.found is not None and found.found.orders == 2
        assert found.found.total.newly_refused == 1
        assert [code for code, _pair in found.found.hit] == ["HAYASHI"]


def test_without_a_rule_its_fees_are_missing(month: Flask) -> None:
    with month.test_request_context():
        found = of_rule(month.extensions["koguchi"], "SC10", today()).found
        assert found is not None
        assert found.total.as_json("JPY")["change"]["surcharges"] in ("-800", -800)


def test_a_draft_with_errors_is_not_compared_and_a_month_without_orders_is_told(app: Flask) -> None:
    with app.test_request_context():
        shop = app.extensions["koguchi"]
        assert of_draft(shop, PATH, "x = [", today()).found is None
        assert of_draft(shop, PATH, OLD, today()).is_empty


def test_the_button_keeps_the_draft_and_shows_the_comparison(month: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    text = OLD.replace("minimum = 50", "minimum = 60")
    answer = client.post("/admin/rules/QT12/edit", data={"file": text, "do": "try", "base": "x"})
    assert answer.headers["Location"].endswith("/admin/rules/drafts/1/preview")
    told = client.get("/admin/rules/drafts/1/preview").get_data(as_text=True)
    assert "先月の注文" in told and "林工作所" in told
    broken = client.post("/admin/rules/drafts/1", data={"file": "x = [", "do": "try", "revision": "1"})
    assert broken.headers["Location"].endswith("/admin/rules/drafts/1#faults")
    assert "先に直してください" in client.get("/admin/rules/drafts/1/preview").get_data(as_text=True)


def test_a_rules_page_leads_to_its_effect(month: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    assert "/admin/rules/SC10/effect" in client.get("/admin/rules/SC10").get_data(as_text=True)
    told = client.get("/admin/rules/SC10/effect").get_data(as_text=True)
    assert "先月の注文" in told and "−¥800" in told
    assert client.get("/admin/rules/SC99/effect").status_code == 404


def test_the_pages_write_nothing(month: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    folder: Path = month.extensions["koguchi"].settings.folder
    before = {file: file.read_bytes() for file in (folder / "rules").iterdir()}
    client.get("/admin/rules/SC10/effect")
    assert {file: file.read_bytes() for file in (folder / "rules").iterdir()} == before
