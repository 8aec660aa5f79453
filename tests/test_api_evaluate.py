"""POST /api/v1/evaluate: the same figures as everywhere, for the caller's own company; every fault has its sentence."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from rules import TieError
from storefront import cli
from storefront.api.evaluate import MOST_BYTES, MOST_CARTS, MOST_LINES
from storefront.catalog import Product
from storefront.database import write
from support.api import EVALUATE, ask, cart_of, make_key
from support.ordering import allow_terms, placed
from support.shelf import SHELF_RULES, get
from support.shop import make_app, make_product, sign_in, write_shop

CART = cart_of(("M4-10", 60), ("P-12", 55), on="2026-12-01")


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    """The rules of the catalog's tests: an agreed price of HAYASHI for M4-10, and SECRET-1 hidden from all others."""
    return write_shop(tmp_path / "shop", rules=SHELF_RULES)


@pytest.fixture(autouse=True)
def more_products(app: Flask) -> None:
    with app.app_context():
        make_product("SECRET-1", category="turned", list_price=Decimal(100))
        make_product("LB4-Z", category="turned", list_price=Decimal("73.73"))


def told(answer: Any, status: int) -> dict[str, Any]:
    """A problem of that status, in the form that RFC 9457 wants, with a sentence."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return problem


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


def test_the_decision_has_the_very_bytes_of_the_command_line(
    app: Flask, shop_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DATABASE_URL", app.extensions["koguchi"].settings.database_url)
    key = make_key(app, None)
    carts = [
        {**CART, "customer": {"code": "HAYASHI"}},
        {**CART, "customer": {"group": "gold", "region": "JP-13"}, "products": {"M4-10": {"list_price": "98.5"}}},
        cart_of(("M4-10", 7), ("LB4-Z", 1), on="2026-12-01", shipping_quotes=[{"code": "flat_rate", "amount": 770}]),
    ]  # fmt: skip
    for cart in carts:
        answer = ask(app, key, cart)
        assert answer.mimetype == "application/json"
        assert _by_command(shop_folder, cart, tmp_path, capsys) == answer.get_data()
        explained = ask(app, key, cart, "?explain=1").get_data()
        assert _by_command(shop_folder, cart, tmp_path, capsys, "--explain") == explained
        assert explained != answer.get_data()
    wrong = cart_of(("M4-10", 0), ("GONE", 5))
    assert _by_command(shop_folder, [*carts, wrong], tmp_path, capsys).startswith(
        ask(app, key, [*carts, wrong]).get_data().rpartition(b',{"error"')[0]
    )


def _by_command(
    folder: Path, cart: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> bytes:
    file = tmp_path / "cart.json"
    file.write_text(json.dumps(cart), encoding="utf-8")
    assert cli.main(["rules", "evaluate", str(folder), "--cart", str(file), *more]) == 0
    said = json.loads(capsys.readouterr().out)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_companys_key_gets_the_figures_of_its_cart_page(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    client.post("/cart/add", data={"sku": "M4-10", "quantity": "60"})
    page = get(client, "/cart")
    decision = ask(app, make_key(app, "HAYASHI"), cart_of(("M4-10", 60))).get_json()
    assert decision["lines"][0]["unit_price"] == "44.4"
    for name in ("goods", "subtotal", "total"):
        assert f"¥{int(decision[name]):,}" in page, name
    assert (decision["goods"], decision["subtotal"]) == ("2664", "3464")


def test_the_price_of_another_company_is_never_visible(app: Flask) -> None:
    own, other, visitor = make_key(app, "HAYASHI"), make_key(app, "KITAHAMA"), make_key(app, None)
    control = ask(app, own, CART).get_data(as_text=True)
    assert "44.4" in control
    assert "PR20" in control
    for cart in (CART, [CART, CART], {**CART, "channel": "api"}, {**CART, "customer": {"code": "KITAHAMA"}}):
        seen = ask(app, other, cart).get_data(as_text=True)
        assert '"120"' in seen
        assert "44.4" not in seen
        assert "PR20" not in seen
    assert "44.4" not in ask(app, visitor, CART).get_data(as_text=True)


def test_another_companys_code_is_refused_alike_whether_it_exists_or_not(app: Flask) -> None:
    key = make_key(app, "KITAHAMA")
    answers = [
        ask(app, key, {**CART, "customer": {"code": code}}) for code in ("HAYASHI", "NOBODY", "hayashi", 5)
    ]
    assert len({answer.get_data() for answer in answers}) == 1
    assert fields(told(answers[0], 403)) == ["customer.code"]
    in_array = ask(app, key, [{**CART, "customer": {"code": "HAYASHI"}}, CART]).get_json()
    assert in_array[0]["error"] == "forbidden"
    assert in_array[1]["outcome"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"customer": {"group": "gold"}}, ["customer.group"]),
        ({"customer": {"code": "KITAHAMA", "tags": [], "credit_left": 9}}, ["customer.tags", "customer.credit_left"]),
        ({"products": {"M4-10": {"list_price": 1}}}, ["products"]),
        ({"exceptions": [{"rule": "PR20"}]}, ["exceptions"]),
        ({"channel": "staff"}, ["channel"]),
    ],
)  # fmt: skip
def test_a_companys_key_may_not_bring_facts_of_its_own(
    app: Flask, more: dict[str, Any], named: list[str]
) -> None:
    answer = ask(app, make_key(app, "KITAHAMA"), {**CART, **more})
    assert fields(told(answer, 403)) == named


def test_what_is_hidden_from_a_company_does_not_exist_for_its_key(app: Flask) -> None:
    def answer(code: str, sku: str) -> Any:
        cart = cart_of((sku, 50), ("M4-10", 0))
        return ask(app, make_key(app, code), cart)

    hidden = answer("KITAHAMA", "SECRET-1").get_data(as_text=True)
    unknown = answer("KITAHAMA", "SECRET-2").get_data(as_text=True)
    assert hidden.replace("SECRET-1", "") == unknown.replace("SECRET-2", "")
    assert "lines[0].sku" in hidden
    assert "lines[0].sku" not in answer("HAYASHI", "SECRET-1").get_data(as_text=True)


def test_a_key_of_a_company_hears_nothing_of_cost_rules_in_trial_or_prices_on_request(
    app: Flask, shop_folder: Path
) -> None:
    (shop_folder / "rules" / "PR77_trial.toml").write_text(
        'code = "PR77"\nmode = "shadow"\nname = "Trial"\n[when]\n"product.cost" = { gt = 1 }\n[price]\nrate = 0.5\n',
        encoding="utf-8",
    )
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().cost = Decimal("31.4159")
    cart = cart_of(("M4-10", 60), ("LB4-Z", 60))
    own = ask(app, make_key(app, "HAYASHI"), cart)
    assert own.status_code == 200
    assert own.get_json()["shadow"] == own.get_json()["considered"] == []
    assert "73.73" not in own.get_data(as_text=True)
    assert fields(told(ask(app, make_key(app, "HAYASHI"), cart, "?explain=1"), 403)) == ["explain"]
    shop = ask(app, make_key(app, None), cart, "?explain=1").get_json()
    assert shop["shadow"][0]["code"] == "PR77"
    assert {entry["code"] for entry in shop["considered"]} >= {"QT10", "PR20"}


def test_every_fault_of_a_cart_is_named_with_its_field(app: Flask) -> None:
    cart = {
        "lines": [
            {"id": "a", "sku": "M4-10", "quantity": 1.5},
            {"id": "a", "sku": "NONE", "quantity": True},
            {"sku": "P-12"},
        ],
        "channel": "pigeon",
        "currency": "USD",
        "on": "2026-02-30",
        "colour": "red",
    }
    problem = told(ask(app, make_key(app, None), cart), 422)
    assert set(fields(problem)) == {
        "lines[0].quantity", "lines[1].id", "lines[1].sku", "lines[1].quantity", "lines[2].quantity",
        "channel", "currency", "on", "colour",
    }  # fmt: skip
    assert told(ask(app, make_key(app, "HAYASHI"), cart), 422)["errors"]
    for empty in ({}, {"lines": []}, 5, '"x"', None, {"lines": None}):
        assert told(ask(app, make_key(app, "HAYASHI"), empty), 422)["errors"]


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "lines=1", '{"lines": NaN}', '{"lines": [{"sku": "M4-10", "quantity": Infinity}]}',
        '{"lines": [{"sku": "M4-10", "quantity": 1e1000000}]}', '{"lines": [{"quantity": 1e999}]}',
        '{"a": ' + "9" * 400_000 + "}", '{"lines": [], "lines": []}', "[" * 5000, '{"a": "\\ud800"}',
        b'{"a": "\xff"}', '{"lines": [{"sku": "M4-10", "quantity": 1, "quantity": 100}]}',
    ],
)  # fmt: skip
def test_what_is_no_json_or_no_number_is_refused(app: Flask, body: str | bytes) -> None:
    key = make_key(app, "HAYASHI")
    told(ask(app, key, body), 400)


@pytest.mark.parametrize("odd", ["\0", "\u202e", "'--", "x" * 5000, "神", "💣", "\u0000M4-10"])
def test_odd_names_are_unknown_products_and_never_a_fault_of_ours(
    app: Flask, database_url: str, odd: str
) -> None:
    cart = {"lines": [{"sku": odd, "quantity": 1, "id": odd}], "customer": {"code": odd}, "shipping": odd}
    assert told(ask(app, make_key(app, None), cart), 422)["errors"]
    told(ask(app, make_key(app, "HAYASHI"), cart), 403)
    ours = {"lines": [{"sku": "M4-10", "quantity": 20, "attributes": {odd: odd}}], "customer": {"code": odd}}
    assert ask(app, make_key(app, None), ours).status_code in {200, 422}


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, "", None, [5], True, 2**31, 2**63, "100", "１００", {}, 1000000000]
)
def test_an_odd_quantity_is_a_fault_with_its_field(app: Flask, quantity: Any) -> None:
    cart = {"lines": [{"sku": "M4-10", "quantity": quantity}]}
    assert fields(told(ask(app, make_key(app, "HAYASHI"), cart), 422)) == ["lines[0].quantity"]


def test_the_wrong_type_method_or_size_is_refused_with_a_sentence(app: Flask) -> None:
    key = make_key(app, "HAYASHI")
    told(ask(app, key, "a=1", **{"Content-Type": "application/x-www-form-urlencoded"}), 415)
    told(ask(app, key, b"\x1f\x8b", **{"Content-Encoding": "gzip"}), 415)
    told(ask(app, key, " " * (MOST_BYTES + 1)), 413)
    told(ask(app, key, [CART] * (MOST_CARTS + 1)), 413)
    told(ask(app, key, cart_of(*[("M4-10", 20)] * (MOST_LINES + 1))), 413)
    told(ask(app, key, [cart_of(*[("M4-10", 20)] * MOST_LINES)] * 3), 413)
    without_a_length = app.test_client().post(
        EVALUATE,
        input_stream=BytesIO(json.dumps(CART).encode() + b" " * MOST_BYTES),
        environ_base={"wsgi.input_terminated": True},
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    told(without_a_length, 413)
    answer = app.test_client().get(EVALUATE)
    told(answer, 405)
    assert "POST" in answer.headers["Allow"]
    told(app.test_client().get("/api/v1/nothing"), 404)
    told(ask(app, key, CART, "?explain=yes"), 400)
    told(ask(app, key, CART, "?customer_id=2"), 400)


def test_a_shop_without_any_good_rules_answers_503(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "broken", rules={"QT10_x.toml": "code = "})
    app = make_app(folder, database_url=f"sqlite:///{tmp_path / 'broken.sqlite'}")
    answer = ask(app, make_key(app, None), CART)
    told(answer, 503)
    assert answer.headers["Retry-After"]
    app.extensions["koguchi"].close()


def test_a_fault_of_ours_is_a_problem_without_its_insides(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(app, None)

    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("storefront.pricing.decide", broken)
    answer = ask(app, key, CART)
    told(answer, 500)
    assert "secret" not in answer.get_data(as_text=True)


def test_two_rules_that_disagree_are_told_and_nothing_is_priced(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tied(*_args: object, **_named: object) -> None:
        raise TieError("rules/PR20.toml", "rules/PR21.toml", "1")

    monkeypatch.setattr("rules.evaluate", tied)
    key = make_key(app, None)
    assert "PR21" in told(ask(app, key, CART), 409)["detail"]
    assert ask(app, key, [CART]).get_json()[0]["error"] == "tie"


def test_past_orders_and_what_is_left_of_the_credit_count_as_in_the_cart(
    app: Flask, database_url: str, shop_folder: Path
) -> None:
    for name, effect in (("PR60", "[price]\noff_amount = 2"), ("OR60", '[order]\ncredit = "approval"')):
        when = '[when]\n"customer.orders" = { ge = 1 }\n' if name == "PR60" else ""
        file = shop_folder / "rules" / f"{name}_history.toml"
        file.write_text(f'code = "{name}"\nname = "History"\n{when}{effect}\n', encoding="utf-8")
    allow_terms(app, "KITAHAMA", 5000)
    cart = cart_of(("N4-SUS", 100))
    key, shop = make_key(app, "KITAHAMA"), make_key(app, None)
    first = ask(app, key, cart).get_json()
    assert (first["lines"][0]["unit_price"], first["issues"]) == ("18", [])
    with app.app_context():
        placed("kitahama", {"N4-SUS": 200}, payment="net_terms")
    named = {**cart, "customer": {"code": "KITAHAMA"}}
    for answer in (ask(app, key, cart), ask(app, shop, named), ask(app, shop, [named])):
        decision = answer.get_json()[0] if isinstance(answer.get_json(), list) else answer.get_json()
        assert decision["lines"][0]["unit_price"] == "16"
        assert [issue["code"] for issue in decision["issues"]] == ["OR60"]


def test_an_array_is_answered_in_its_order_with_an_error_in_place_of_a_bad_cart(app: Flask) -> None:
    carts = [CART, cart_of(("GONE", 1)), 7, cart_of(("N4-SUS", 100), on="2027-01-05")]
    answers = ask(app, make_key(app, "HAYASHI"), carts).get_json()
    assert [answer.get("on") for answer in answers] == ["2026-12-01", None, None, "2027-01-05"]
    assert answers[1]["error"] == "cart"
    assert answers[1]["detail"][0].startswith("lines[0].sku: ")
    assert ask(app, make_key(app, "HAYASHI"), []).get_json() == []


def test_nothing_is_stored_no_cookie_is_set_and_nobody_may_keep_the_answer(app: Flask) -> None:
    client = app.test_client()
    sign_in(client, "hayashi")
    key = make_key(app, "KITAHAMA")
    answer = client.post(EVALUATE, json=CART, headers={"Authorization": f"Bearer {key}"})
    assert "44.4" not in answer.get_data(as_text=True), "the session of the browser counts for nothing"
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]
    assert not {"ETag", "Last-Modified"} & set(answer.headers.keys())
    assert "Set-Cookie" not in ask(app, None, CART, "?lang=ja").headers


def test_the_questions_to_the_database_do_not_grow_with_the_cart_or_the_carts(
    app: Flask, queries: Callable[[], list[str]]
) -> None:
    def count(code: str | None, body: Any) -> int:
        key = make_key(app, code)
        ask(app, key, CART)  # which notes the use of the key
        queries()
        assert ask(app, key, body).status_code == 200
        return len(queries())

    many = [cart_of(*[("M4-10", 20), ("P-12", 50), ("N4-SUS", 5)] * 40)] * 8
    assert count("HAYASHI", CART) == count("HAYASHI", many) == 2
    named = {**CART, "customer": {"code": "HAYASHI"}}
    assert count(None, named) == count(None, [named, {**CART, "customer": {"code": "KITAHAMA"}}]) == 3


def test_the_catalog_is_never_read_as_a_whole(app: Flask, queries: Callable[[], list[str]]) -> None:
    ask(app, make_key(app, "HAYASHI"), CART)
    queries()
    ask(app, make_key(app, "HAYASHI"), CART)
    assert all(" IN (" in one for one in queries() if "FROM products" in one)
