"""Rules on trial: every order since is counted, what would have changed is added up, and nobody is charged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from storefront.admin.trials import scope_words, sentence
from storefront.attempts import TrialResult
from storefront.attempts.endings import rebuild_trials
from storefront.attempts.trials import Trial, read_trials, shadow_rules
from storefront.cli import main
from storefront.database import get_session, write
from storefront.language import speak
from storefront.orders import Order
from storefront.shop import current_shop
from support.ordering import placed
from support.shop import RULES as LIVE
from support.shop import FixedClock, make_app, make_company, make_user, seed, sign_in, write_shop

TRIAL_FEE = """
code = "SC90"
name = { ja = "ナットの小口手数料", en = "Small lots of nuts" }
mode = "shadow"
from = 2026-11-16
[when]
"product.category" = "fasteners/nuts"
"line.quantity" = { lt = 100 }
[surcharge]
amount = 700
per = "line"
"""
TRIAL_MINIMUM = """
code = "QT90"
name = { ja = "ナットは50個から", en = "Nuts from 50" }
mode = "shadow"
[when]
"product.category" = "fasteners/nuts"
[quantity]
minimum = 50
"""
TRIAL_EASE = """
code = "QT92"
name = { ja = "旋盤加工品は10個から", en = "Turned parts from 10" }
mode = "shadow"
beats = ["QT12"]
[when]
"product.category" = "turned"
[quantity]
minimum = 10
"""
PILOT = """
code = "SC95"
name = { ja = "試しの手数料", en = "A pilot's fee" }
[scope]
regions = ["JP-27"]
customers = ["KITAHAMA"]
percent = 100
[when]
"line.quantity" = { gt = 90000 }
[surcharge]
amount = 100
per = "order"
"""
RULES = {
    **LIVE,
    "SC90.toml": TRIAL_FEE,
    "QT90.toml": TRIAL_MINIMUM,
    "QT92.toml": TRIAL_EASE,
    "SC95.toml": PILOT,
}


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The small shop with three rules on trial and a pilot; on each database when the test asks for one."""
    both = "database_url" in request.fixturenames
    url = request.getfixturevalue("database_url") if both else f"sqlite:///{tmp_path / 'shop.db'}"
    app = make_app(write_shop(tmp_path / "shop", rules=RULES), database_url=url)
    app.config["WTF_CSRF_ENABLED"] = False
    seed(app)
    yield app
    app.extensions["koguchi"].close()


@pytest.fixture
def bought(shop: Flask) -> Flask:
    """Five orders over two weeks: four of nuts, one that no trial looks at; one is cancelled."""
    clock: FixedClock = shop.extensions["koguchi"].clock
    with shop.app_context():
        placed("hayashi", {"N4-SUS": 30})
        placed("hayashi", {"N4-SUS": 60, "M4-10": 100})
        placed("kitahama", {"N4-SUS": 200})
        placed("kitahama", {"M4-10": 100})
        clock.forward(days=7)
        placed("kitahama", {"N4-SUS": 80})
        gone = placed("hayashi", {"N4-SUS": 40})
        with write() as session:
            session.get_one(Order, gone.id).state = "cancelled"
    return shop


def trials(app: Flask) -> dict[str, Trial]:
    with app.app_context():
        rules = shadow_rules(current_shop().rulebook.current().rules)
        return {trial.code: trial for trial in read_trials(get_session(), rules)}


def test_an_order_on_trial_costs_what_it_costs(shop: Flask) -> None:
    with shop.app_context():
        order = placed("hayashi", {"N4-SUS": 30})
        assert (order.goods_minor, order.surcharges_minor, order.outcome) == (540, 0, "ok")


def test_the_figures_of_a_hand_made_fortnight(database_url: str, bought: Flask) -> None:
    found = trials(bought)
    fee, minimum = found["SC90"], found["QT90"]
    # 30, 60 and 80 nuts pay 700 each; the order of screws alone and the one of 200 nuts are counted as orders
    assert (fee.since, fee.orders) == (date(2026, 11, 16), 5)
    assert (fee.sums.matched, fee.sums.touched, fee.sums.fees_minor, fee.sums.refused) == (3, 3, 2_100, 0)
    assert [(week, sums.touched, sums.fees_minor) for week, sums in fee.weeks] == [
        (date(2026, 11, 16), 2, 1_400),
        (date(2026, 11, 23), 1, 700),
    ]
    assert [(one.code, one.sums.touched, one.sums.fees_minor) for one in fee.companies] == [
        ("HAYASHI", 2, 1_400),
        ("KITAHAMA", 1, 700),
    ]
    # every order of nuts is looked at; the one of 30 would have been refused
    assert (minimum.since, minimum.orders) == (date(2026, 11, 20), 5)
    assert (minimum.sums.matched, minimum.sums.touched, minimum.sums.refused, minimum.sums.fees_minor) == (
        4,
        1,
        1,
        0,
    )
    assert (found["QT92"].since, found["QT92"].orders, found["QT92"].weeks) == (None, 0, [])


def test_the_sentence_is_the_same_figures(bought: Flask) -> None:
    found = trials(bought)
    with bought.app_context():
        speak("en")
        assert sentence(found["SC90"]) == (
            "Since Mon 16 Nov 2026 it would have: 3 of 5 orders changed, fees ¥2,100, 0 refused."
        )
        assert sentence(found["QT92"]).startswith("Nothing yet")
        speak("ja")
        assert sentence(found["QT90"]) == (
            "2026年11月20日(金)から、もし有効だったら: 5件のうち1件が変わる、手数料 ¥0、断り 1件。"
        )


def slowly(app: Flask, code: str, since: date) -> dict[str, Any]:
    """The same figures from the decision of each order, one by one."""
    sums: dict[str, Any] = defaultdict(int)
    with app.app_context():
        for order in get_session().scalars(
            select(Order).where(Order.state != "cancelled", Order.on >= since)
        ):
            sums["orders"] += 1
            for one in order.decision["shadow"]:
                if one["code"] != code:
                    continue
                change = Decimal(one["subtotal"]) - Decimal(order.decision["subtotal"])
                stopped = one["outcome"] in ("block", "quotation")
                sums["matched"] += 1
                sums["touched"] += change != 0 or one["outcome"] != order.decision["outcome"]
                sums["refused"] += stopped
                sums["fees"] += 0 if stopped or change < 0 else int(change)
    return dict(sums)


def test_the_figures_are_those_of_every_orders_own_decision(database_url: str, shop: Flask) -> None:
    clock: FixedClock = shop.extensions["koguchi"].clock
    with shop.app_context():
        for place in range(12):
            clock.forward(days=1)
            who = ("hayashi", "kitahama")[place % 2]
            placed(who, {"N4-SUS": 20 + place * 17 % 130, **({"P-12": 60} if place % 3 == 0 else {})})
    for code, trial in trials(shop).items():
        assert trial.since is not None
        slow = slowly(shop, code, trial.since)
        sums = trial.sums
        fast = {"orders": trial.orders, "matched": sums.matched, "touched": sums.touched, "refused": sums.refused,
                "fees": sums.fees_minor}  # fmt: skip
        assert fast == slow, code
        assert sum(one.sums.matched for one in trial.companies) == sums.matched
        assert sum(week.touched for _day, week in trial.weeks) == sums.touched


def test_results_can_be_made_again_from_the_orders(bought: Flask) -> None:
    before = trials(bought)
    with bought.app_context():
        with write() as session:
            session.execute(delete(TrialResult))
        assert trials(bought)["SC90"].sums.matched == 0
        assert rebuild_trials() == 5  # the cancelled order's too
        assert rebuild_trials() == 5
    assert trials(bought) == before


def test_a_refused_cart_is_kept_with_what_the_trial_would_have_done_and_goes_with_its_order(
    database_url: str,
    shop: Flask,
) -> None:
    client = shop.test_client()
    sign_in(client, "hayashi")
    client.post("/cart/add", data={"sku": "P-12", "quantity": "30", "do": "add"}).close()
    client.post("/cart/add", data={"sku": "N4-SUS", "quantity": "200", "do": "add"}).close()
    found = trials(shop)
    assert (found["QT92"].carts, found["QT92"].carts_through) == (1, 1)
    assert (found["QT90"].carts, found["QT90"].carts_through) == (1, 0)
    client.post("/cart", data={"q-P-12": "50"}).close()
    assert trials(shop)["QT92"].carts == 0, "the cart is no longer refused"
    client.post("/cart", data={"q-P-12": "30"}).close()
    assert trials(shop)["QT92"].carts == 1
    with shop.app_context():
        placed("hayashi", {"P-12": 50})
    found = trials(shop)
    assert (found["QT92"].carts, found["QT92"].sums.matched) == (0, 1)


def test_the_desk_shows_trials_and_pilots(bought: Flask, client_of: Callable[[Flask], FlaskClient]) -> None:
    client = client_of(bought)
    sign_in(client, "clerk")
    with bought.app_context():
        for place in range(3):
            make_user(f"extra{place}", company=make_company(f"EXTRA{place}", region="JP-13"))
    told = client.get("/admin/trials?lang=en").get_data(as_text=True)
    assert "3 of 5 orders changed, fees ¥2,100, 0 refused." in told
    assert "100% of the customers in Osaka, always KITAHAMA" in told
    assert "2 of 5" in told, "HAYASHI by its region, KITAHAMA by name"
    one = client.get("/admin/trials/SC90?lang=en").get_data(as_text=True)
    assert "北浜精機" in one and "Mon 23 Nov" in one and "<svg viewBox" in one
    assert client.get("/admin/trials/QT92").status_code == 200
    for code in ("QT10", "SC95", "XX99"):
        assert client.get(f"/admin/trials/{code}").status_code == 404


@pytest.fixture
def client_of() -> Callable[[Flask], FlaskClient]:
    return lambda app: app.test_client()


def test_more_orders_send_no_more_statements(shop: Flask) -> None:
    from sqlalchemy import event

    sent: list[str] = []
    with shop.app_context():
        placed("hayashi", {"N4-SUS": 30})
    trials(shop)
    engine = shop.extensions["koguchi"].databases.reading
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_rest: sent.append(statement))
    trials(shop)
    few, told = len(sent), len(" ".join(sent))
    assert "decision" not in " ".join(sent)
    with shop.app_context():
        placed("hayashi", {"N4-SUS": 40})
        placed("kitahama", {"N4-SUS": 40})
    sent.clear()
    trials(shop)
    assert (len(sent), bool(told)) == (few, True)


def test_scopes_are_said_in_words(bought: Flask) -> None:
    from rules.ruleset import Rule, Scope

    def said(**scope: Any) -> str:
        return scope_words(Rule("SC1", {}, None, "", scope=Scope(**scope)))  # type: ignore[arg-type]

    with bought.app_context():
        speak("en")
        assert said(percent=Decimal("12.5")) == "12.5% of all customers"
        assert said(regions=("JP-27", "JP-13")) == "the customers in Osaka, Tokyo"
        assert said(customers=("ACME",)) == "always ACME"
        assert said() == "nobody"
        speak("ja")
        assert said(regions=("JP-27",), percent=Decimal(20)) == "大阪府のお客さまの20%"


# --- the command ------------------------------------------------------------------------------------------------


def test_the_command_prints_the_same_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_shop(tmp_path / "shop", rules=RULES)
    app = make_app(folder, database_url=f"sqlite:///{folder}/var/shop.sqlite")
    seed(app)
    with app.app_context():
        placed("hayashi", {"N4-SUS": 30})
        placed("kitahama", {"M4-10": 100})
    app.extensions["koguchi"].close()
    assert main(["rules", "trials", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "SC90 Small lots of nuts: since 2026-11-16 would have: 1 of 2 orders, fees 700, 0 refused." in told
    assert "QT90 Nuts from 50: since 2026-11-20 would have: 1 of 2 orders, fees 0, 1 refused." in told
    assert "QT92 Turned parts from 10: nothing yet" in told
    assert main(["rules", "trials", str(folder), "--json", "--rebuild"]) == 0
    found = {one["code"]: one for one in json.loads(capsys.readouterr().out)}
    assert (found["SC90"]["orders"], found["SC90"]["touched"], found["SC90"]["fees"]) == (2, 1, "700")
    assert found["SC90"]["customers"][0]["customer"] == "HAYASHI"


def test_a_shop_without_a_database_or_trials_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_shop(tmp_path / "bare")
    assert main(["rules", "trials", str(folder)]) == 0
    assert capsys.readouterr().out == 'No rule says mode = "shadow".\n'
    assert main(["rules", "trials", str(tmp_path / "nowhere")]) == 2
    (folder / "rules" / "SC90.toml").write_text(TRIAL_FEE, encoding="utf-8")
    assert main(["rules", "trials", str(folder)]) == 2
    assert "koguchi db upgrade" in capsys.readouterr().err
