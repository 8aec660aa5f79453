"""The JSON Schema accepts every rule that loads, and refuses the usual mistakes of the hand."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rules.schema import rule_schema
from support.rule_folders import rule

ROOT = Path(__file__).parents[1]
RULES = sorted(
    [*(ROOT / "examples").glob("*/rules/*.toml"), *(ROOT / "tests/support/book_shop/rules").glob("*.toml")]
)
SCHEMA = rule_schema()
_TYPES = {"string": str, "object": dict, "array": list, "boolean": bool}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """The part of JSON Schema that ours uses; dates are texts, as editors hand them over."""
    if isinstance(value, date):
        value = value.isoformat()
    if "$ref" in schema:
        return fits(SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]], value)
    if "anyOf" in schema and not any(fits(one, value) for one in schema["anyOf"]):
        return False
    if "const" in schema and value is not schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = schema.get("type", [])
    if kinds and not any(is_a(kind, value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    if isinstance(value, str):
        return (
            len(value) >= schema.get("minLength", 0)
            and re.search(schema.get("pattern", ""), value) is not None
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return fits_number(schema, value)
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(
            fits(schema.get("items", {}), one) for one in value
        )
    return fits_table(schema, value) if isinstance(value, dict) else True


def is_a(kind: str, value: Any) -> bool:
    if kind in ("integer", "number"):
        wanted = int if kind == "integer" else int | float
        return isinstance(value, wanted) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


def fits_number(schema: dict[str, Any], value: float) -> bool:
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    return (
        (low is None or value >= low) and (high is None or value <= high) and (above is None or value > above)
    )


def fits_table(schema: dict[str, Any], value: dict[str, Any]) -> bool:
    if any(name not in value for name in schema.get("required", ())) or len(value) < schema.get(
        "minProperties", 0
    ):
        return False
    for name, one in value.items():
        inner = schema.get("properties", {}).get(name)
        patterns = [
            part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, name)
        ]
        if inner is None and not patterns and schema.get("additionalProperties") is False:
            return False
        if not all(fits(part, one) for part in ([inner] if inner is not None else patterns)):
            return False
    return True


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_every_rule_of_the_examples_fits(path: Path) -> None:
    assert fits(SCHEMA, tomllib.loads(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "[quantity]\nminumum = 5\n",
        "[quantity]\nminimum = '5'\n",
        "[quantity]\nminimum = 0\n",
        "[quantity]\nabove = 'surcharge'\n",
        "[price]\nrate = 65\n",
        "[catalog]\nhide = false\n",
        "[when]\n'product.categry' = 'x'\n",
        "[when]\n'order.channel' = 'wbe'\n",
        "[when]\n'line.quantity' = {less = 5}\n",
        "[when]\n'product.sku' = []\n",
        "mode = 'on'\n",
    ],
)
def test_the_usual_mistakes_do_not_fit(text: str) -> None:
    assert not fits(SCHEMA, tomllib.loads(rule("QT10", text)))
    assert fits(SCHEMA, tomllib.loads(rule("QT10", "[quantity]\nminimum = 5\n")))
