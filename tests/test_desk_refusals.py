"""The desk's page of what was refused: its figures, its CSV, what a fee would have earned, and a draft of that rule."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from storefront.attempts import Attempt
from storefront.clock import now
from storefront.database import get_session, write
from storefront.shop_folder.drafts import RuleDraft
from support.shop import sign_in


def keep(app: Flask, *wishes: dict[str, Any]) -> None:
    """Refused wishes as they would have been kept: for 30 of P-12, a day ago."""
    with app.app_context():
        at = now() - timedelta(days=1)
        usual = {
            "sku": "P-12", "code": "QT12", "kind": "rule", "field": "minimum", "unit": "pieces", "asked": 30,
            "need": 50, "missing": 20, "amount_minor": 4_500, "outcome": "block", "rank": 4, "channel": "web",
            "purpose": "normal", "region": "JP-27", "company_id": None, "at_checkout": False, "first_at": at,
            "last_at": at, "ending": "abandoned", "closed_at": at,
        }  # fmt: skip
        rows = [{**usual, "caller": f"test:{place}", **wish} for place, wish in enumerate(wishes)]
        with write() as session:
            session.execute(insert(Attempt.__table__), rows)  # type: ignore[arg-type]


HAND_MADE = (
    [{"asked": 10, "amount_minor": 1_500}] * 7
    + [{"asked": 20, "amount_minor": 3_000, "ending": "removed"}] * 8
    + [{"asked": 30, "ending": "raised", "company_id": 1}] * 12
    + [{"asked": 40, "amount_minor": 6_000, "company_id": 2}] * 6
    + [{"asked": 40, "ending": "paid_fee", "company_id": 2}] * 4
)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def test_the_list_says_what_was_refused_and_what_a_fee_would_have_earned(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    keep(app, *HAND_MADE, {"outcome": "surcharge", "rank": 1, "asked": 49})
    sign_in(client, "owner")
    told = page(client, "/admin/refusals?lang=en")
    assert "MOQ 50\u00a0pcs on P-12 stopped 37 carts, median asked 30\u00a0pcs." in told
    assert (
        "A fee of ¥750 at 30\u00a0pcs would have earned ¥16,500: 22 carts asked for as much, if all had paid."
        in told
    )
    assert "¥70,500" in told  # 7 × 1,500 + 8 × 3,000 + 6 × 6,000
    assert "P-12 の最低50個で37件のカートが止まりました(希望の中央は30個)。" in page(
        client, "/admin/refusals?lang=ja"
    )
    sheet = client.get("/admin/refusals.csv").get_data(as_text=True).splitlines()
    assert sheet[0].endswith("ordered,raised,paid_fee,removed,abandoned,open,goods_lost,currency")
    assert sheet[1:] == ["QT12,P-12,rule,minimum,pieces,50,37,2,30,0,12,4,8,13,0,70500,JPY"]
    assert "stopped 1 cart" in page(client, "/admin/refusals?shown=surcharge&lang=en")


def test_the_page_of_a_rule_leads_to_what_that_rule_refused(app: Flask, client: FlaskClient) -> None:
    keep(app, *HAND_MADE)
    sign_in(client, "clerk")
    assert "P-12" in page(client, "/admin/refusals?code=QT12&lang=en")
    other = page(client, "/admin/refusals?code=QT99&lang=en")
    assert "P-12" not in other
    assert "All rules" in other


def test_the_owner_changes_the_assumption(app: Flask, client: FlaskClient) -> None:
    keep(app, *HAND_MADE)
    sign_in(client, "clerk")
    at = "/admin/refusals/QT12?sku=P-12&lang=en"
    assert "¥13,200: 22 carts" in page(client, f"{at}&fee=600")
    half = page(client, f"{at}&fee=600&share=50&at=40")
    assert "¥3,000: 10 carts asked for as much, if 50% had paid." in half
    assert "not everybody who asked would have paid" in half
    assert "12 of them raised the quantity" in page(client, at)
    for odd in (
        "fee=x&at=x&share=x",
        "fee=-1&at=-5&share=-3",
        "fee=1e99&at=1e99&share=1e99",
        "fee=NaN&at=Infinity",
    ):
        assert "22 carts" in page(client, f"{at}&{odd}")
    assert "0 carts" in page(client, f"{at}&at=99999&share=900")


def test_only_the_period_asked_for_counts(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        old = now() - timedelta(days=40)
    keep(app, {"first_at": old, "last_at": old})
    sign_in(client, "owner")
    assert "QT12" not in page(client, "/admin/refusals?period=30")
    assert "QT12" in page(client, "/admin/refusals?period=90")
    assert client.get("/admin/refusals/QT12?sku=P-12").status_code == 404
    assert client.get("/admin/refusals/QT12?sku=P-12&period=90").status_code == 200
    assert client.get("/admin/refusals/QT99?sku=P-12&period=90").status_code == 404


def test_an_orders_minimum_is_told_in_money_and_stock_as_what_was_short(
    app: Flask, client: FlaskClient
) -> None:
    money = {"sku": "", "code": "OR10", "unit": "money", "asked": 1_800, "need": 3_000, "at_checkout": True}
    filling = {**money, "at_checkout": False, "ending": "", "closed_at": None}
    short = {"code": "stock", "kind": "stock", "field": "stock", "asked": 1_200, "need": 1_000}
    keep(app, money, filling, short)
    sign_in(client, "owner")
    told = page(client, "/admin/refusals?lang=en")
    assert "The order minimum of ¥3,000 stopped 1 cart, median ¥1,800." in told
    assert "The stock of P-12 was short for 1 cart, median asked 1,200\u00a0pcs." in told
    assert "¥1,800" in page(client, "/admin/refusals/OR10?sku=&lang=en")
    assert "What a fee would have earned" not in page(client, "/admin/refusals/stock?sku=P-12&lang=en")


def test_the_day_begins_with_the_weeks_refusals(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        old = now() - timedelta(days=8)
    keep(app, {}, {}, {"first_at": old}, {"rank": 1, "outcome": "surcharge"})
    sign_in(client, "owner")
    assert '<dt>Carts stopped in 7 days</dt><dd><a href="/admin/refusals?period=7">2</a>' in page(
        client, "/admin/?lang=en"
    )


def test_more_rows_send_no_more_statements(
    app: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "owner")
    keep(app, {})
    page(client, "/admin/refusals")
    queries()
    page(client, "/admin/refusals")
    few = len(queries())
    keep(
        app,
        *(
            {"sku": f"S-{place}", "caller": f"many:{place}", "company_id": place % 2 + 1}
            for place in range(60)
        ),
    )
    queries()
    page(client, "/admin/refusals")
    assert len(queries()) == few


# --- drafts -----------------------------------------------------------------------------------------------------


def draft(client: FlaskClient, **form: str) -> str:
    answer = client.post("/admin/refusals/QT12/draft", data={"sku": "P-12", "at": "30", "fee": "600", **form})
    assert answer.status_code == 303
    return answer.headers["Location"]


def drafts(app: Flask) -> list[RuleDraft]:
    with app.app_context():
        found = list(get_session().scalars(select(RuleDraft).order_by(RuleDraft.id)))
        assert all(one.text for one in found)  # loaded while there is a session
        return found


def test_the_fee_is_drafted_into_the_rule_and_changes_nothing_yet(
    app: Flask, database_url: str, client: FlaskClient
) -> None:
    keep(app, *HAND_MADE)
    folder = app.extensions["koguchi"].settings.folder
    before = (folder / "rules" / "QT12_turned.toml").read_bytes()
    sign_in(client, "clerk")
    where = draft(client)
    (one,) = drafts(app)
    assert where.endswith(f"/admin/rules/drafts/{one.id}")
    assert one.path == "rules/QT12_turned.toml"
    assert (one.actor, bool(one.base_etag)) == ("clerk@example.com", True)
    below = tomllib.loads(one.text)["quantity"]["below"]
    assert [(entry.get("at_least"), entry.get("amount")) for entry in below] == [(30, 600), (None, None)]
    assert (folder / "rules" / "QT12_turned.toml").read_bytes() == before
    assert client.get(where).status_code == 200


def test_a_rule_for_the_product_alone_is_drafted_with_cases(app: Flask, client: FlaskClient) -> None:
    keep(app, *HAND_MADE)
    sign_in(client, "owner")
    draft(client, do="own")
    (one,) = drafts(app)
    assert one.path == "rules/QT20_p_12.toml"
    assert one.base_etag == ""
    rule = tomllib.loads(one.text)
    assert rule["when"] == {"product.sku": "P-12"}
    assert (rule["quantity"]["minimum"], rule["quantity"]["multiple"]) == (50, 10)
    assert rule["quantity"]["below"][0]["amount"] == 600
    assert rule["case"]
    with app.app_context():
        from storefront.shop import current_shop
        from storefront.shop_folder.files import check_draft

        assert check_draft(current_shop(), {one.path: one.text}).errors == ()


@pytest.mark.parametrize(
    "form",
    [{"at": "50"}, {"at": "0"}, {"at": ""}, {"fee": ""}, {"fee": "0"}, {"fee": "x"}, {"do": "own", "at": "35"},
     {"do": "own", "sku": ""}],
    ids=str,
)  # fmt: skip
def test_what_makes_no_rule_is_told_and_drafts_nothing(
    app: Flask, client: FlaskClient, form: dict[str, str]
) -> None:
    sign_in(client, "owner")
    assert "/admin/refusals/QT12" in draft(client, **form)
    assert drafts(app) == []


def test_a_buyer_and_a_visitor_draft_nothing(app: Flask, client: FlaskClient) -> None:
    data = {"sku": "P-12", "at": "30", "fee": "600"}
    assert client.post("/admin/refusals/QT12/draft", data=data).status_code == 401
    sign_in(client, "hayashi-admin")
    for path in (
        "/admin/refusals",
        "/admin/refusals.csv",
        "/admin/refusals/QT12",
        "/admin/trials",
        "/admin/trials/SC20",
    ):
        assert client.get(path).status_code == 403
    assert client.post("/admin/refusals/QT12/draft", data=data).status_code == 403
    assert drafts(app) == []


def test_control_staff_may(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    assert client.get("/admin/refusals").status_code == 200
    assert client.post("/admin/refusals/XX99/draft", data={"at": "30", "fee": "600"}).status_code == 404
