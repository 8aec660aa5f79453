"""docs/api.md and openapi.json say what the API is: every address, key, scope and status, and none that is not."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from rules.keys import TABLES
from storefront.access import access_of
from storefront.api import evaluate, openapi
from storefront.api.keys import SCOPES
from support.api import ask, cart_of, make_key

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def first_cells(title: str) -> set[str]:
    return codes(" ".join(line.split("|")[1] for line in section(title).splitlines() if line.startswith("|")))


def routes(app: Flask) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def schemas(value: Any) -> list[dict[str, Any]]:
    """Every table inside a document."""
    if isinstance(value, list):
        return [one for part in value for one in schemas(part)]
    if not isinstance(value, dict):
        return []
    return [value, *(one for part in value.values() for one in schemas(part))]


def test_the_page_names_every_address_and_scope_and_no_other(app: Flask) -> None:
    assert {one for one in codes(PAGE) if re.match(r"(GET|POST|PUT|DELETE) ", one)} == routes(app)
    assert first_cells("Keys") == set(SCOPES)


def test_the_page_names_every_key_of_a_cart_and_of_a_decision(app: Flask) -> None:
    assert first_cells("A cart") == set(TABLES["cart"])
    decision = ask(app, make_key(app, None), cart_of(("M4-10", 100))).get_json()
    assert set(decision) - {"shadow"} <= codes(section("The decision"))


def test_page_and_document_name_the_same_statuses(document: dict[str, Any]) -> None:
    named = set(re.findall(r"^\| (\d{3}) \|", section("Errors"), re.M))
    answers = document["paths"]["/evaluate"]["post"]["responses"]
    assert named == {str(code) for code in openapi.ERRORS} == set(answers) - {"200"}
    assert {str(code) for code in evaluate.STATUS.values()} <= named


def test_the_limits_on_the_page_are_the_real_ones() -> None:
    said = section("A cart")
    most = (evaluate.MOST_CARTS, evaluate.MOST_LINES, evaluate.MOST_LINES_AT_ONCE, evaluate.MOST_BYTES)
    for number, word in zip(most, ("carts", "lines in a cart", "lines and", "bytes"), strict=True):
        assert f"{number:,} {word}" in said


def test_the_document_has_every_address_that_needs_a_key(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = {
        f"{method.upper()} /api/v1{path}" for path, item in document["paths"].items() for method in item
    }
    keyed = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if access_of(app, rule.endpoint) == "api"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == keyed


def test_every_reference_leads_somewhere_and_every_required_key_is_described(
    document: dict[str, Any],
) -> None:
    for schema in schemas(document):
        if "$ref" in schema:
            assert schema["$ref"].rpartition("/")[2] in document["components"]["schemas"]
        if isinstance(schema.get("required"), list):
            assert set(schema["required"]) <= set(schema["properties"])


def test_a_real_decision_has_exactly_the_described_keys_in_their_types(
    app: Flask, document: dict[str, Any]
) -> None:
    described = document["components"]["schemas"]["Decision"]
    decision = ask(app, make_key(app, "HAYASHI"), cart_of(("M4-10", 60), ("P-12", 5)), "?advice=1").get_json()
    assert set(decision) == set(described["properties"])
    assert set(decision) - set(described["required"]) == {"advice"}  # only when it is asked for
    line = described["properties"]["lines"]["items"]["properties"]
    assert all(set(one) == set(line) for one in decision["lines"])
    kinds = {"string": str, "array": list, "object": dict, "integer": int, "null": type(None)}
    for table, values in ((described["properties"], decision), (line, decision["lines"][0])):
        for name, schema in table.items():
            if "enum" in schema:
                assert values[name] in schema["enum"]
                continue
            types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            assert isinstance(values[name], tuple(kinds[one] for one in types)), name
            if isinstance(values[name], str) and "pattern" in schema:
                assert re.fullmatch(schema["pattern"].strip("^$"), values[name]), name


def test_the_document_has_every_key_of_a_cart(document: dict[str, Any]) -> None:
    cart = document["components"]["schemas"]["Cart"]
    assert set(cart["properties"]) == set(TABLES["cart"])
    assert cart["required"] == ["lines"]
    line = cart["properties"]["lines"]["items"]["properties"]
    assert set(line) == set(TABLES["cart.lines"])
