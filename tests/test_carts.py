"""Cart input is read to the letter; everything wrong with it is named at once."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules import (
    VISITOR,
    Cart,
    CartError,
    Catalog,
    Customer,
    Method,
    Product,
    Ruleset,
    ShipTo,
    read_cart,
    read_json,
)
from rules.ruleset import QuantityEffect
from support.rule_folders import TODAY, loaded, rules

ACME = Customer("ACME", "standard", ("old",), "JP", "JP-27", credit_limit=Decimal(100000))
M4 = Product("M4", "screws/pan", list_price=Decimal(120), tags=("steel",), attributes={"size": 4})
CATALOG = Catalog({"M4": M4}, {"ACME": ACME})
EMPTY = Ruleset()


def read(ruleset: Ruleset = EMPTY, catalog: Catalog = CATALOG, **cart: Any) -> Cart:
    cart.setdefault("lines", [{"sku": "M4", "quantity": 10}])
    return read_cart(cart, ruleset, catalog, today=TODAY)[0]


def faults(**cart: Any) -> dict[str, str]:
    with pytest.raises(CartError) as error:
        read(**cart)
    return {fault.field: fault.message for fault in error.value.faults}


def test_a_bare_cart_has_the_defaults_of_the_semantics() -> None:
    cart, on = read_cart(
        {"lines": [{"sku": "M4", "quantity": 10}, {"sku": "M4", "quantity": 1}]}, EMPTY, CATALOG
    )
    assert on is None
    assert cart.customer == VISITOR
    assert (cart.channel, cart.purpose, cart.currency) == ("web", "normal", "JPY")
    assert [(line.id, line.product, line.quantity) for line in cart.lines] == [("1", M4, 10), ("2", M4, 1)]
    assert cart.shipping_quotes is None and cart.payment_methods is None
    assert (cart.delivery, cart.shipping, cart.payment, cart.lead_time) == (None, None, None, None)


def test_a_full_cart_is_read_whole() -> None:
    data = {
        "on": "2026-12-05", "channel": "fax", "purpose": "top_up", "currency": "JPY", "delivery": "2026-12-24",
        "customer": {"code": "ACME"}, "lines": [{"id": "a", "sku": "M4", "quantity": 5, "attributes": {"cut": "9.5"}}],
        "ship_to": {"country": "JP", "region": "JP-13", "postcode": "100-0001"}, "lead_time": "express",
        "shipping_quotes": [{"code": "flat_rate", "amount": "770", "tax": "standard"}],
        "payment_methods": ["net_terms", {"code": "dummy", "amount": 330}], "shipping": "flat_rate", "payment": "dummy",
    }  # fmt: skip
    cart, on = read_cart(data, EMPTY, CATALOG)
    assert on == date(2026, 12, 5)
    assert cart.customer == ACME
    assert cart.lines[0].attributes == {"cut": "9.5"}
    assert cart.ship_to == ShipTo("JP", "JP-13", "1000001")
    assert cart.shipping_quotes == (Method("flat_rate", Decimal(770), "standard"),)
    assert cart.payment_methods == (Method("net_terms"), Method("dummy", Decimal(330)))
    assert (cart.channel, cart.purpose, cart.delivery) == ("fax", "top_up", date(2026, 12, 24))


def test_inline_facts_override_one_by_one() -> None:
    cart = read(
        customer={"code": "ACME", "group": "trial", "region": None, "orders": 0},
        products={"M4": {"list_price": "130.5", "attributes": {"color": "red"}, "tags": []}},
    )
    assert cart.customer == Customer(
        "ACME", "trial", ("old",), "JP", None, orders=0, credit_limit=Decimal(100000), known=True
    )
    product = cart.lines[0].product
    assert (product.list_price, product.category, product.tags) == (Decimal("130.5"), "screws/pan", ())
    assert product.attributes == {"size": 4, "color": "red"}


def test_inline_products_make_new_ones_and_need_no_catalog() -> None:
    cart = read(
        catalog=Catalog(),
        lines=[{"sku": "X", "quantity": 1}],
        products={
            "X": {
                "list_price": 5,
                "pieces_per_case": 12,
                "unit": "m",
                "pieces_per_unit": 100,
                "attributes.len": 2,
            }
        },
    )
    assert cart.lines[0].product == Product(
        "X", list_price=Decimal(5), pieces_per_case=12, unit="m", pieces_per_unit=100, attributes={"len": 2}
    )


def test_a_cart_names_a_customer_by_any_fact_at_all() -> None:
    assert read(customer={"group": "trial"}).customer == Customer(group="trial")
    assert read(customer={"orders": 0}).customer.known
    assert read(customer={"tags": []}).customer.known
    for nobody in ({}, None, {"code": ""}, {"group": None}):
        assert not read(customer=nobody).customer.known
    assert read(customer={"code": "NEW"}).customer == Customer("NEW")
    assert not read(customer={"known": False}).customer.known


def test_null_and_the_empty_text_are_absent_zero_and_false_are_not() -> None:
    cart = read(
        channel="",
        purpose=None,
        products={"M4": {"brand": "", "cost": 0, "attributes": {"a": False, "b": ""}}},
    )
    assert (cart.channel, cart.purpose) == ("web", "normal")
    product = cart.lines[0].product
    assert (product.brand, product.cost, product.attributes) == (None, Decimal(0), {"size": 4, "a": False})


@pytest.mark.parametrize(
    "quantity",
    [
        0,
        -1,
        1.5,
        Decimal("5.0"),
        "5",
        "",
        True,
        None,
        [5],
        {},
        10**400,
        1_000_000_000,
        Decimal("1e30"),
        "\uff15",
        "NaN",
    ],
)
def test_a_quantity_is_a_whole_json_number_from_1_to_999999999(quantity: Any) -> None:
    assert list(faults(lines=[{"sku": "M4", "quantity": quantity}])) == ["lines[0].quantity"]
    assert read(lines=[{"sku": "M4", "quantity": 999_999_999}]).lines[0].quantity == 999_999_999


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        lines=[
            {"sku": "M5", "quantity": 0},
            {"sku": "M4", "quantity": 1, "id": "1", "qty": 2},
            {"id": 1, "sku": "M4", "quantity": 1},
            5,
        ],
        channel="wbe",
        purpose="fun",
        currency="USD",
        customer={"gruop": "x", "orders": "many"},
        shipping_quotes=[{"code": "a", "tax": "luxury", "amount": "1.5"}],
        on="2026-02-30",
        coupon="X",
    )
    assert set(found) == {
        "lines[0].sku", "lines[0].quantity", "lines[1].qty", "lines[1].id", "lines[2].id", "lines[3]", "channel",
        "purpose", "currency",
        "customer.gruop", "customer.orders", "shipping_quotes[0].tax", "shipping_quotes[0].amount", "on", "coupon",
    }  # fmt: skip
    assert 'Did you mean "M4"?' in found["lines[0].sku"]
    assert 'Did you mean "web"?' in found["channel"]
    assert 'Did you mean "group"?' in found["customer.gruop"]


@pytest.mark.parametrize("lines", [None, [], "", {}, "M4", 5])
def test_a_cart_without_lines_is_not_evaluated(lines: Any) -> None:
    assert list(faults(lines=lines)) == ["lines"]


@pytest.mark.parametrize("data", [None, 5, "x", [], [{}]])
def test_a_cart_is_an_object(data: Any) -> None:
    with pytest.raises(CartError):
        read_cart(data, EMPTY, CATALOG)


def test_an_unknown_tax_category_is_a_fault_of_the_product(tmp_path: Path) -> None:
    assert list(faults(products={"M4": {"tax": "luxury"}})) == ["lines[0].sku"]
    shop = '[tax]\ndefault = "food"\nrates = [{category = "food", rate = 0.08, from = 2027-01-01}]\n'
    ruleset = loaded(tmp_path, {"shop.toml": shop})
    assert read_cart({"on": "2027-01-01", "lines": [{"sku": "M4", "quantity": 1}]}, ruleset, CATALOG)
    with pytest.raises(CartError):
        read_cart({"on": "2026-12-31", "lines": [{"sku": "M4", "quantity": 1}]}, ruleset, CATALOG)


def test_exceptions_of_a_cart_have_the_form_of_exception_files(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, rules(QT10="[quantity]\nminimum = 100\n", PR10="[price]\nunit = 100\n"))
    one = {
        "id": "Q-77", "rule": "QT10", "customer": "ACME", "change": {"minimum": 5}, "reason": "quotation",
        "approved_by": "Sato", "until": "2027-01-31",
    }  # fmt: skip
    two = {**one, "id": None, "rule": "PR10", "change": {"unit": "95.5"}}
    first, second = read(ruleset=ruleset, exceptions=[one, two]).exceptions
    assert (first.id, first.effect, first.until_on) == ("Q-77", QuantityEffect(minimum=5), date(2027, 1, 31))  # type: ignore[attr-defined]
    assert (second.id, second.effect.value) == ("cart-2", Decimal("95.5"))  # type: ignore[attr-defined]
    for wrong in (
        {**one, "rule": "QT11"},
        {**one, "change": {"minimum": "5"}},
        {**one, "reason": ""},
        {**one, "x": 1},
        5,
    ):
        assert list(faults(ruleset=ruleset, exceptions=[wrong])) == ["exceptions[0]"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}}", '{"a": NaN}', "[Infinity]", '{"a": 1e1000000}', '{"a": -1e999999999999999999999}',
     '{"a": 1, "a": 2}',
     "[" * 100_000, '{"a":' * 100_000, "9" * 5000, "\x00", b"\xff\xfe", '{"a": 0.' + "1" * 5000 + "}"],
)  # fmt: skip
def test_json_that_would_cost_time_or_mean_two_things_is_refused(text: str | bytes) -> None:
    with pytest.raises(CartError):
        read_json(text)


def test_json_numbers_are_exact() -> None:
    assert read_json('{"a": 0.1, "b": 5, "c": 5.0, "d": [1e2]}') == {
        "a": Decimal("0.1"), "b": 5, "c": Decimal("5.0"), "d": [Decimal("1E+2")]
    }  # fmt: skip
    assert read_json("\ufeff[]".encode()) == []


def test_texts_are_compared_after_nfc() -> None:
    assert (
        read(lines=[{"sku": "e\u0301", "quantity": 1}], products={"\u00e9": {}}).lines[0].product.sku
        == "\u00e9"
    )
