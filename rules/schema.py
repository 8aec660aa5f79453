"""JSON Schema of rule files, for editors (Taplo, Even Better TOML), derived from the vocabulary. Data in, data out.

An editor's help, not the judge: what a schema cannot say, such as stages and ties, `koguchi rules check` says.
"""

from typing import Any

from rules.check_table import CHECKS
from rules.keys import EFFECTS, TABLES, Key
from rules.vocabulary import ALL_FACTS, FACTS, OPERATORS, Fact, operators_of

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string", "minLength": 1}
_DATE: Schema = {"type": "string", "format": "date"}
_NUMBER: Schema = {"type": "number"}
_OF_KEY: dict[str, Schema] = {
    "text": _TEXT,
    "texts": {"$ref": "#/definitions/texts"},
    "true": {"const": True},
    "false": {"const": False},
    "bool": {"type": "boolean"},
    "whole": {"type": "integer", "minimum": 1},
    "count": {"type": "integer", "minimum": 0},
    "price": {"type": "number", "minimum": 0},
    "amount": {"type": "number", "minimum": 0},
    "positive_amount": {"type": "number", "exclusiveMinimum": 0},
    "signed_amount": _NUMBER,
    "factor": {"type": "number", "minimum": 0, "maximum": 10},
    "percent": {"type": "number", "minimum": 0},
    "percent_100": {"type": "number", "minimum": 0, "maximum": 100},
    "percent_signed": {"type": "number", "minimum": -100},
    "positive": {"type": "number", "exclusiveMinimum": 0},
    "day": {"type": "integer", "minimum": 1, "maximum": 31},
    "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "date": _DATE,
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "zone": _TEXT,
    "names": {"type": "array", "items": _TEXT, "minItems": 1},
    "checks": {
        "type": "array",
        "items": {"enum": [code for code, check in CHECKS.items() if check.severity == "warning"]},
        "minItems": 1,
    },
    "wholes": {
        "type": "array",
        "items": {"type": "integer", "minimum": 1},
        "minItems": 1,
        "uniqueItems": True,
    },
    "path": _TEXT,
    "free": {},
}
_OF_FACT: dict[str, Schema] = {
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "region": {"type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,3}$"},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "postcode": {"type": "string", "pattern": "^[0-9A-Za-z]+$"},
    "pieces": {"type": "integer"},
    "number": _NUMBER,
    "money": _NUMBER,
    "date": _DATE,
    "bool": {"type": "boolean"},
    "attribute": {"type": ["string", "number", "boolean"]},
}


def rule_schema() -> Schema:
    """The schema of one rule file."""
    properties = {name: _key(key) for name, key in TABLES[""].items()}
    properties["when"] = {"$ref": "#/definitions/when", "description": TABLES[""]["when"].en}
    for name in EFFECTS:
        properties[name] = {"type": "object"} if name == "follow_up" else _table(name)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Koguchi rule",
        "type": "object",
        "properties": properties,
        "required": [name for name, key in TABLES[""].items() if key.required],
        "additionalProperties": False,
        "definitions": {"texts": _texts(), "when": _when(has_any=True), "alternative": _when(has_any=False)},
    }


def _texts() -> Schema:
    table = {
        "type": "object",
        "properties": {"ja": _TEXT, "en": _TEXT},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [_TEXT, table]}


def _table(name: str) -> Schema:
    keys = TABLES[name]
    schema: Schema = {
        "type": "object",
        "properties": {word: _key(key) for word, key in keys.items()},
        "additionalProperties": False,
    }
    if required := [word for word, key in keys.items() if key.required]:
        schema["required"] = required
    return schema


def _key(key: Key) -> Schema:
    schema: Schema
    if key.type == "choice":
        schema = {"enum": list(key.values)}
    elif key.type == "table":
        schema = _table(key.of) if key.of in TABLES and key.of else {"type": "object"}
    elif key.type == "tables":
        item = _table(key.of) if key.of in TABLES else {"type": "object"}
        schema = {"type": "array", "items": item, "minItems": 1}
        if key.of == "cart.method":  # a payment method may be its code alone
            schema["items"] = {"anyOf": [_TEXT, item]}
    else:
        schema = dict(_OF_KEY[key.type])
    default = f" Default: {key.default}." if key.default else ""
    return {**schema, "description": f"{key.en}.{default} / {key.ja}"}


def _when(has_any: bool) -> Schema:
    properties = {
        name: {**_condition(fact), "description": f"{fact.en} / {fact.ja}"} for name, fact in FACTS.items()
    }
    if has_any:
        item = {"$ref": "#/definitions/alternative"}
        properties["any"] = {
            "type": "array",
            "items": item,
            "minItems": 1,
            "description": "one of these must hold",
        }
    attribute = _condition(ALL_FACTS["product.attributes.NAME"])
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^(product|line)\\.attributes\\..+$": attribute},
        "additionalProperties": False,
    }


def _single(fact: Fact) -> Schema:
    return {"enum": list(fact.values)} if fact.type == "choice" else _OF_FACT.get(fact.type, _TEXT)


def _condition(fact: Fact) -> Schema:
    """A bare value, a list of them, or a table of operators."""
    single = _single(fact)
    many = {"type": "array", "items": single, "minItems": 1}
    takes = {
        "one": single,
        "list": many,
        "either": {"anyOf": [single, many]},
        "two": {"type": "array", "items": single, "minItems": 2, "maxItems": 2},
        "bool": {"type": "boolean"},
    }
    operators = {name: takes[OPERATORS[name].takes] for name in operators_of(fact)}
    if "starts_with" in operators:
        operators["starts_with"] = _TEXT
    table = {"type": "object", "properties": operators, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [single, many, table]}
