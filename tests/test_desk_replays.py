"""A draft over past orders at the desk: asked for, counted by the worker, read, taken as CSV, told to a customer."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from rules import load_ruleset
from rules.comparison import Comparison
from rules.replay import compare
from storefront import jobs
from storefront.database import get_session, write
from storefront.jobs import LEASE, Outbox
from storefront.orders import Order
from storefront.past.orders import from_database
from storefront.replays import asked as replays
from storefront.replays.asked import Replay
from storefront.shop_folder.drafts import create_draft, decide_draft
from support.ordering import placed
from support.shop import sign_in

DRAFT = """\
code = "QT12"
name = { ja = "旋盤加工品は80個から", en = "Turned parts from 80" }
because = { ja = "段取りのため", en = "For the set-up" }
[when]
"product.category" = "turned"
[quantity]
minimum = 80
multiple = 10
"""


@pytest.fixture
def ordered(app: Flask) -> Flask:
    """Two orders: one that the draft refuses, one that it does not touch."""
    with app.test_request_context():
        placed("hayashi", {"P-12": 60})
    with app.test_request_context():
        placed("hayashi", {"M4-10": 100})
    return app


def ask(client: FlaskClient, text: str = DRAFT, name: str = "QT12.toml", **form: str) -> TestResponse:
    data: dict[str, Any] = {"period": "last:12m", **form}
    if text:
        data["file"] = (io.BytesIO(text.encode()), name)
    return client.post("/admin/replays", data=data, content_type="multipart/form-data")


def counted(app: Flask, client: FlaskClient, **form: str) -> str:
    """Ask and let the worker count; the address of the result."""
    answer = ask(client, **form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    jobs.run_in(app)
    return str(answer.headers["Location"])


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_file_is_asked_for_counted_and_shown_in_both_languages(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    address = counted(ordered, client)
    shown = page(client, f"{address}?lang=ja")
    assert "新たに断る" in shown and "QT12.toml" in shown and "変更" in shown
    english = page(client, f"{address}?lang=en")
    assert "1 newly refused order" in english and "Turned parts from 80" in english
    assert 'class="plot' in english and "The numbers stand in the tables below." in english
    listed = page(client, "/admin/replays?lang=en")
    assert "QT12.toml" in listed and "Counted" in listed and "The last 12 months" in listed


def test_what_the_page_shows_is_what_the_rules_say_of_these_orders(
    ordered: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    counted(ordered, client)
    koguchi = ordered.extensions["koguchi"]
    draft = load_ruleset(
        koguchi.settings.folder, run_cases=False, overlay={"rules/QT12_turned.toml": DRAFT.encode()}
    )
    with ordered.app_context():
        live = koguchi.rulebook.current()
        orders = list(from_database(get_session().connection(), "JPY"))
        whole = compare(live, draft.parsed, orders).as_json()
        stored = get_session().scalars(select(Replay.result)).one()
        placed_goods = sum(order.goods_minor for order in get_session().scalars(select(Order)))
    assert stored["total"] == json.loads(json.dumps(whole))["total"]
    assert stored["total"]["live"]["goods"] == str(placed_goods)
    assert stored["total"]["newly_refused"] == 1
    assert [(one["customer"], one["newly_refused"]) for one in stored["customers"]] == [("HAYASHI", 1)]


def test_while_the_worker_has_not_counted_the_page_says_so_and_asks_again(
    ordered: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    address = ask(client).headers["Location"]
    waiting = page(client, f"{address}?lang=en")
    assert (
        "Waiting for the worker" in waiting and 'hx-trigger="every 2s"' in waiting and "Look again" in waiting
    )
    assert client.get(f"{address}.csv").status_code == 404
    fragment = page(client, f"{address}/progress?lang=en")
    assert "<html" not in fragment and "Waiting for the worker" in fragment
    with ordered.app_context(), write() as session:
        row = session.scalars(select(Replay)).one()
        row.state, row.done, row.total = replays.RUNNING, 250, 1000
    assert "250 of 1,000 orders" in page(client, f"{address}/progress?lang=en")
    jobs.run_in(ordered)
    answer = client.get(f"{address}/progress", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].endswith(str(address))
    assert client.get(f"{address}/progress").status_code == 303


def test_an_open_draft_and_all_of_them_together_can_be_tried(ordered: Flask, client: FlaskClient) -> None:
    with ordered.app_context(), write() as session:
        first = create_draft(session, path="rules/QT12_turned.toml", text=DRAFT, actor="owner")
        off = DRAFT.replace("QT12", "SC10").replace(
            "[quantity]\nminimum = 80\nmultiple = 10", "[surcharge]\namount = 5"
        )
        create_draft(session, path="rules/SC10_small_lot.toml", text=off, actor="owner")
    sign_in(client, "clerk")
    one = page(client, counted(ordered, client, text="", draft=str(first)) + "?lang=en")
    assert "rules/QT12_turned.toml" in one
    both = page(client, counted(ordered, client, text="", draft="all") + "?lang=en")
    assert "SC10, QT12" in both or "QT12, SC10" in both
    with ordered.app_context(), write() as session:
        decide_draft(session, first, "discarded")
    refused = ask(client, text="", draft=str(first))
    assert refused.status_code == 422 and "no longer open" in refused.get_data(as_text=True)


WRONG_FORMS: list[tuple[dict[str, str], str]] = [
    ({"text": ""}, "Choose a draft, or a rule file that is not empty."),
    ({"text": "a = 1"}, "has no code"),
    ({"text": DRAFT, "name": "x.exe"}, "Allowed: a shop folder"),
    ({"period": "yesterday"}, "Choose a period."),
    ({"first": "2026-01-01"}, "Give both days"),
    ({"first": "2026-02-01", "last": "2026-01-01"}, "The first day is after the last one."),
    ({"draft": "9999999999999999999", "text": ""}, "no longer open"),
    ({"draft": "x", "text": ""}, "no longer open"),
]


def test_a_form_that_cannot_be_taken_says_why(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    client.get("/admin/replays?lang=en")
    for form, sentence in WRONG_FORMS:
        answer = ask(client, **form)
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True), form
    with ordered.app_context():
        assert get_session().scalars(select(Replay)).all() == []


def test_a_draft_with_errors_fails_with_file_and_line_and_is_not_tried_again(
    ordered: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    shown = page(client, counted(ordered, client, text=DRAFT.replace("minimum", "minimun")) + "?lang=en")
    assert "This draft could not be compared" in shown and "rules/QT12.toml:" in shown
    with ordered.app_context():
        assert (
            get_session().scalars(select(Outbox.done_at).where(Outbox.kind == replays.KIND)).one() is not None
        )


def test_a_case_that_no_longer_holds_is_told_beside_the_result(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    case = '[[case]]\nname = "60"\ncart = [{sku = "P-12", quantity = 60}]\nexpect = {outcome = "ok"}\n'
    shown = page(client, counted(ordered, client, text=DRAFT + case) + "?lang=en")
    assert "1 case does not hold in the draft" in shown and "1 newly refused order" in shown


def test_a_draft_that_begins_later_is_tried_over_past_orders_all_the_same(
    ordered: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    later = DRAFT.replace("[when]", "from = 2027-01-01\n[when]")
    address = counted(ordered, client, text=later)
    assert "1 newly refused order" in page(client, f"{address}?lang=en")
    assert "from 1 January 2027" in page(client, f"{address}/customers/HAYASHI")


def test_the_csv_has_the_customers_name(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    answer = client.get(counted(ordered, client) + ".csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    (customer,) = [row for row in rows if row["what"] == "customer"]
    assert (customer["code"], customer["newly_refused"]) == ("HAYASHI", "1")
    assert customer["name"]


def test_a_customers_notice_stands_ready_in_both_languages(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    address = counted(ordered, client)
    assert f'href="{address}/customers/HAYASHI"' in page(client, address)
    shown = page(client, f"{address}/customers/HAYASHI?lang=en")
    assert "Minimum 50 to 80 for 1 item you bought in the last year: P-12 (QT12)." in shown
    assert "最低注文数が、50個から80個になります: P-12。" in shown and "ご注文条件の変更のお知らせ" in shown
    assert "Reason: For the set-up" in shown
    assert client.get(f"{address}/customers/NOBODY").status_code == 404


def test_what_is_not_there_is_404_and_a_wide_number_too(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    for number in ("7", "99999999999999999999"):
        for path in ("", "/progress", ".csv", "/customers/HAYASHI"):
            assert client.get(f"/admin/replays/{number}{path}").status_code == 404


def test_buyers_cannot_read_a_comparison_that_is_there(ordered: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    address = counted(ordered, client)
    buyer = ordered.test_client()
    sign_in(buyer, "hayashi-admin")
    for path in (
        "/admin/replays",
        address,
        f"{address}.csv",
        f"{address}/progress",
        f"{address}/customers/HAYASHI",
    ):
        assert buyer.get(path).status_code == 403
    assert ask(buyer).status_code == 403


def test_a_long_job_keeps_its_lease_and_a_second_count_does_no_harm(
    ordered: Flask, client: FlaskClient, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "TOLD_EVERY", 1)
    told = []
    hold_on = jobs.hold_on

    def later(session: Any, job: jobs.Job) -> None:
        clock.forward(seconds=50)
        hold_on(session, job)
        told.append(session.scalars(select(Outbox.leased_until).where(Outbox.event_id == job.event_id)).one())

    monkeypatch.setattr(jobs, "hold_on", later)
    sign_in(client, "clerk")
    counted(ordered, client)
    assert len(told) == 2 and told[-1] == clock() + LEASE
    with ordered.app_context():
        row = get_session().scalars(select(Replay)).one()
        before = row.result, row.ended_at
        replays.count(jobs.Job("x", replays.KIND, {"replay": row.id}, 2))
        replays.count(jobs.Job("y", replays.KIND, {"replay": 99}, 1))
    with ordered.app_context():
        again = get_session().scalars(select(Replay)).one()
        assert (again.result, again.ended_at) == before


def test_what_breaks_while_counting_is_told_on_the_page(
    ordered: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "ids_of_orders", lambda *_: 1 / 0)
    sign_in(client, "clerk")
    assert "ZeroDivisionError" in page(client, counted(ordered, client))


def test_a_preview_looks_at_the_newest_orders_and_says_how_many_it_left_out(
    ordered: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    koguchi = ordered.extensions["koguchi"]
    draft = load_ruleset(
        koguchi.settings.folder, run_cases=False, overlay={"rules/QT12_turned.toml": DRAFT.encode()}
    )
    assert draft.parsed is not None
    with ordered.app_context():
        whole = replays.preview(koguchi, draft.parsed, date(2026, 11, 20))
        monkeypatch.setattr(replays, "PREVIEWED", 1)
        newest = replays.preview(koguchi, draft.parsed, date(2026, 11, 20))
        nothing = replays.preview(koguchi, draft.parsed, date(2027, 11, 20))
    assert isinstance(whole, Comparison)
    assert (whole.orders, whole.left_out, whole.total.newly_refused) == (2, 0, 1)
    assert (newest.orders, newest.left_out, newest.total.newly_refused) == (1, 1, 0)
    assert nothing.orders == 0
