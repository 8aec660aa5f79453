"""The vocabulary is one table: the types, the reader of facts, the schema and the pages agree with it."""

from dataclasses import fields
from pathlib import Path

import pytest

from rules import reading
from rules.facts import Customer, Product
from rules.keys import EFFECTS, KEY_TYPES, TABLE_COLUMNS, TABLES
from rules.names import KINDS
from rules.reference import reference
from rules.ruleset import GROUPS, LANES
from rules.values import _READERS
from rules.vocabulary import (
    ALL_FACTS,
    FACTS,
    OPERATORS,
    PLACEHOLDER,
    STAGES,
    TYPES,
    WEEKDAYS,
    find_fact,
    is_known_at,
    operators_of,
)

DOCS = Path(__file__).parents[1] / "docs"


def test_every_fact_of_the_rule_language_is_there_and_none_besides() -> None:
    book = """customer.code .group .tags .country .region .orders .since_days .credit_limit .credit_left .known
    product.sku .category .brand .tags .batch .list_price .cost .weight_g .tax .cadence .setup_key .attributes.NAME
    line.quantity .cases .loose .amount .attributes.NAME product.quantity .amount batch.quantity .amount .lines
    matching.quantity .amount order.quantity .subtotal .weight_g .lines order.channel .purpose .currency .on .weekday
    .delivery .payment .shipping .ship_to.country .ship_to.region .ship_to.postcode"""
    names, prefix = set(), ""
    for word in book.split():
        if not word.startswith("."):
            prefix = word.partition(".")[0]
        names.add(word if not word.startswith(".") else prefix + word)
    assert set(ALL_FACTS) == names


def test_every_fact_can_be_read_from_a_cart() -> None:
    for name in FACTS:
        if not name.startswith("matching."):
            assert callable(reading.reader_of(name)), name
    assert callable(reading.reader_of("product.attributes.material"))


def test_exactly_the_amounts_are_late() -> None:
    assert {name for name, fact in FACTS.items() if fact.stage != "catalog"} == set(reading.LATE)
    assert WEEKDAYS == reading.WEEKDAYS


def test_product_and_customer_facts_are_fields_of_the_records() -> None:
    for kind, record in (("customer", Customer), ("product", Product)):
        known = {field.name for field in fields(record)}
        for name in FACTS:
            prefix, _, word = name.partition(".")
            if prefix == kind and word not in ("quantity", "amount"):
                assert word in known, name


def test_stages_are_read_from_where_they_are_known() -> None:
    amount = FACTS["line.amount"]
    assert [stage for stage in STAGES if is_known_at(amount, stage)] == list(STAGES[3:])
    assert all(is_known_at(FACTS["order.quantity"], stage) for stage in STAGES)


def test_every_fact_has_a_type_a_meaning_in_both_languages_and_operators() -> None:
    for fact in ALL_FACTS.values():
        assert fact.type in TYPES
        assert fact.en and fact.ja
        assert operators_of(fact)
    for operator in OPERATORS.values():
        assert set(operator.types) <= set(TYPES)


def test_every_key_has_a_type_that_can_be_read_and_a_meaning_in_both_languages() -> None:
    for table, keys in TABLES.items():
        for name, key in keys.items():
            assert key.name == name
            assert key.type in KEY_TYPES
            assert key.type in _READERS or key.type in ("table", "tables", "free"), (table, name)
            assert key.en and key.ja
            assert (key.type == "choice") == bool(key.values), (table, name)
    assert set(EFFECTS) == set(GROUPS.values()) <= set(TABLES)
    assert set(TABLES["price"]["lane"].values) == set(LANES)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("product.attributes.材質", True),
        ("product.attributes.", False),
        ("line.attributes.a b", True),
        ("product", False),
    ],
)
def test_attributes_are_found_by_any_name(name: str, found: bool) -> None:
    assert (find_fact(name) is not None) == found


def test_placeholders_are_single_braces_around_a_word() -> None:
    text = "{line.quantity} {{config}} {7*7} ${} {} { line.quantity } {product.attributes.材質}{order.on}"
    assert PLACEHOLDER.findall(text) == ["line.quantity", "product.attributes.材質", "order.on"]


def test_kinds_of_names_are_facts() -> None:
    assert set(KINDS) <= set(FACTS)


def test_the_reference_page_is_the_one_the_vocabulary_makes() -> None:
    """Make it again with `koguchi rules vocabulary > docs/rule-reference.md`."""
    assert (DOCS / "rule-reference.md").read_text() == reference()


def test_the_reference_names_every_fact_operator_key_and_column() -> None:
    page = reference()
    words = [*ALL_FACTS, *OPERATORS, *TABLE_COLUMNS, *(name for keys in TABLES.values() for name in keys)]
    for word in words:
        if word not in TABLES["expect"]:
            assert f"`{word}`" in page, word
