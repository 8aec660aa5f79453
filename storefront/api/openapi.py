"""GET /api/v1/openapi.json: the API described in OpenAPI 3.1, the cart's keys from the table that reads them.

A description only; nothing is decided or checked here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from functools import lru_cache
from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from rules.decision import OUTCOMES, Decision
from rules.facts import MAX_QUANTITY
from rules.keys import TABLES, Key
from rules.schema import rule_schema
from rules.vocabulary import FACTS
from storefront.access import public
from storefront.api import bp
from storefront.api.keys import SCOPES
from storefront.problems import MEDIA_TYPE

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_NUMBER: Schema = {"type": ["number", "string"], "description": "a number, or one in a string"}
_PLAIN: dict[str, Schema] = {
    "text": TEXT,
    "date": {"type": "string", "format": "date"},
    "bool": {"type": "boolean"},
    "whole": {"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "amount": _NUMBER,
    "money": _NUMBER,
    "number": {"type": "number"},
    "pieces": {"type": "integer"},
    "list": {"type": "array", "items": TEXT},
}
ERRORS = {
    400: "not JSON, a number that is none, a key named twice, an unknown parameter, or a key in the address",
    401: "no API key, or one that is unknown, expired or revoked",
    403: "the key may not ask this; errors names the fields",
    405: "another method than POST",
    409: "two rules of the shop disagree about this cart",
    413: "more than one request may hold",
    415: "not application/json",
    422: "a cart that cannot be evaluated; errors names every field that is wrong",
    429: "more requests than a key may make",
    503: "no rule set is in force",
}


@bp.get("/openapi.json")
@public
def describe() -> Response:
    """The description, for everyone: it holds nothing of this shop."""
    return jsonify(document())


@lru_cache(maxsize=1)
def document() -> Schema:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Koguchi", "version": "1", "description": "What an order costs, and why."},
        "servers": [{"url": ".", "description": "beside this document"}],
        "security": [{"key": []}],
        "paths": {"/evaluate": {"post": _evaluate()}, "/carrier/rates": {"post": _rates()}},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": f"kg_...; {', '.join(SCOPES)}"}
            },
            "schemas": {
                "Cart": _table("cart"),
                "Decision": _decision(),
                "Texts": rule_schema()["definitions"]["texts"],
                "Problem": _problem(),
                "NotEvaluated": _object({"error": {"enum": ["cart", "forbidden", "tie"]}, "detail": _many(TEXT)}),
            },
        },
    }  # fmt: skip


def _evaluate() -> Schema:
    cart, decision = ({"$ref": f"#/components/schemas/{name}"} for name in ("Cart", "Decision"))
    answer = {"anyOf": [decision, {"$ref": "#/components/schemas/NotEvaluated"}]}
    refusal = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": "evaluate",
        "summary": "The decision about a cart, or about each cart of an array. Nothing is stored.",
        "parameters": [
            {"name": "explain", "in": "query", "schema": {"enum": ["0", "1"], "default": "0"},
             "description": "1 adds every rule that was considered; scope evaluate:any"},
            {"name": "advice", "in": "query", "schema": {"enum": ["0", "1"], "default": "0"},
             "description": "1 adds larger quantities that cost less, end a fee, or have a better price close by"},
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [cart, _many(cart, 500)]}}},
        },
        "responses": {
            "200": {"description": "decided, whatever the outcome",
                    "content": {"application/json": {"schema": {"anyOf": [decision, _many(answer)]}}}},
            **{str(code): {"description": text, "content": refusal} for code, text in ERRORS.items()},
        },
    }  # fmt: skip


def _rates() -> Schema:
    """Shopify's CarrierService request and answer."""
    refusal = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    place = _object({"country": TEXT, "province": TEXT, "postal_code": TEXT, "city": TEXT},
                    ("province", "postal_code", "city"))  # fmt: skip
    whole = {"type": "integer", "minimum": 0}
    item = _object({"sku": TEXT, "quantity": _PLAIN["whole"], "grams": whole, "price": whole},
                   ("sku", "grams", "price"))  # fmt: skip
    rate = _object({"destination": place, "items": _many(item, 500), "currency": _PLAIN["currency"]})
    told = _object(
        dict.fromkeys(
            ("service_name", "service_code", "total_price", "currency", "description",
             "min_delivery_date", "max_delivery_date"),
            TEXT,
        ),
        ("min_delivery_date", "max_delivery_date"),
    )  # fmt: skip
    return {
        "operationId": "carrier_rates",
        "summary": "Shipping rates without tax, amounts in hundredths also of yen; scope carrier:rates",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _object({"rate": rate})}},
        },
        "responses": {
            "200": {"description": "the rates; none where it cannot go or a person must quote",
                    "content": {"application/json": {"schema": _object({"rates": _many(told)})}}},
            **{str(code): {"description": text, "content": refusal} for code, text in ERRORS.items() if code != 409},
        },
    }  # fmt: skip


def _many(items: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": items} | ({"maxItems": most} if most else {})


def _object(properties: Schema, optional: Collection[str] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def _table(name: str) -> Schema:
    keys = TABLES[name]
    required = [word for word, key in keys.items() if key.required] or (["lines"] if name == "cart" else [])
    properties = {word: _key(key) for word, key in keys.items()}
    if name == "cart.lines":
        properties["id"] = {**properties["id"], "type": ["string", "integer"]}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _key(key: Key) -> Schema:
    schema: Schema
    if key.type == "choice":
        schema = {"enum": list(key.values)}
    elif key.of in ("customer", "products"):
        facts = _facts(key.of.removesuffix("s"))
        schema = facts if key.of == "customer" else {"type": "object", "additionalProperties": facts}
    elif key.type in ("table", "tables"):
        one = _table(key.of) if key.of and key.of in TABLES else {"type": "object"}
        if key.of == "cart.method":  # a payment method may be its code alone
            one = {"anyOf": [TEXT, one]}
        schema = one if key.type == "table" else _many(one)
    else:
        schema = _PLAIN[key.type]
    return {**schema, "description": key.en}


def _facts(kind: str) -> Schema:
    found = {
        name.partition(".")[2]: {**_PLAIN.get(fact.type, TEXT), "description": fact.en}
        for name, fact in FACTS.items()
        if name.startswith(f"{kind}.")
    }
    return {"type": "object", "properties": found}


def _problem() -> Schema:
    error = _object({"field": TEXT, "message": TEXT})
    status = {"type": "integer", "minimum": 400, "maximum": 599}
    known = _object({"type": TEXT, "title": TEXT, "status": status, "detail": TEXT})
    known["properties"]["errors"] = _many(error)
    return known


def _decision() -> Schema:
    """The keys of Decision.as_json; money and rates are strings, so that nobody's float touches them."""
    plain = {"ruleset": TEXT, "on": _PLAIN["date"], "currency": _PLAIN["currency"],
             "outcome": {"enum": list(OUTCOMES)}, "goods": DECIMAL, "subtotal": DECIMAL, "total": DECIMAL,
             "terms": {"type": ["object", "null"]}, "exceptions": _many(TEXT)}  # fmt: skip
    line = _object({
        "id": TEXT, "sku": TEXT, "quantity": _PLAIN["whole"],
        **{name: {**DECIMAL, "type": ["string", "null"]} for name in ("list_price", "unit_price", "amount")},
        "per": _PLAIN["whole"], "tax": TEXT, "outcome": {"enum": list(OUTCOMES)}, "steps": _many({"type": "object"}),
    })  # fmt: skip
    names = [field.name for field in fields(Decision) if field.name != "free_shipping"]  # which is for pages
    decision = {name: _many({"type": "object"}) for name in names} | {"lines": _many(line)} | plain
    return _object(decision | {"advice": _many(_advice())}, optional=("advice",))


def _advice() -> Schema:
    """The keys of rules.advice.Advice.as_json."""
    return _object({
        "kind": {"enum": ["cliff", "step", "fee"]}, "line": TEXT, "quantity": _PLAIN["whole"], "change": TEXT,
        "unit_price": {**DECIMAL, "type": ["string", "null"]}, "per": _PLAIN["whole"],
        "dropped": _many(TEXT), "codes": _many(TEXT),
    })  # fmt: skip
