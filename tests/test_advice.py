"""Advice: a larger quantity that costs less, ends a fee, or has a better price close by; every figure is evaluated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import Cart, Customer, Line, Product, Ruleset, evaluate
from rules.advice import Advice, advise
from rules.errors import TieError
from rules.facts import MAX_QUANTITY
from rules.offers import offer
from support.api import ask, make_key
from support.random_shop import CUSTOMERS, PRODUCTS, Shop
from support.rule_folders import load, loaded, rules
from support.shop import sign_in

ON = date(2026, 12, 1)
NAMES = "sku,category,list_price\nM4,screws,100\nN4,nuts,10\n"


def advice(ruleset: Ruleset, *lines: tuple[str, int]) -> list[Advice]:
    products = {
        "M4": Product("M4", category="screws", list_price=Decimal(100)),
        "N4": Product("N4", category="nuts", list_price=Decimal(10)),
    }
    cart = Cart(
        tuple(Line(str(n), products[sku], pieces) for n, (sku, pieces) in enumerate(lines, 1)),
        Customer("ACME"),
    )
    return list(
        advise(ruleset, cart, ON, {sku: offer(ruleset, cart, one, ON) for sku, one in products.items()})
    )


def shop(tmp_path: Path, **bodies: str) -> Ruleset:
    return loaded(tmp_path, {"products.csv": NAMES, **rules(**bodies)})


BREAKS = "[price]\nbreaks = [{from = 1, unit = 100}, {from = 100, unit = 80}]\n"
FEE = '[when]\n"line.quantity" = {lt = 50}\n[surcharge]\namount = 800\n'


def test_a_larger_quantity_that_costs_less_in_all_is_told_with_the_saving(tmp_path: Path) -> None:
    (found,) = advice(shop(tmp_path, PR1=BREAKS), ("M4", 90))
    assert (found.kind, found.quantity, found.change, found.codes) == ("cliff", 100, -1000, ("PR1",))


def test_a_better_price_close_by_is_told_and_one_far_away_is_not(tmp_path: Path) -> None:
    ruleset = shop(tmp_path, PR1="[price]\nbreaks = [{from = 1, unit = 100}, {from = 100, unit = 99}]\n")
    (found,) = advice(ruleset, ("M4", 80))
    assert (found.kind, found.quantity, found.change) == ("step", 100, 1900)
    assert advice(ruleset, ("M4", 79)) == []


def test_where_a_fee_ends_is_told_however_far_with_what_it_costs_to_get_there(tmp_path: Path) -> None:
    (found,) = advice(shop(tmp_path, SC1=FEE), ("M4", 5))
    assert (found.kind, found.quantity, found.change, found.dropped) == ("fee", 50, 3700, ("SC1",))


def test_the_fee_below_a_minimum_ends_at_the_minimum(tmp_path: Path) -> None:
    below = '[quantity]\nminimum = 30\n[[quantity.below]]\noutcome = "surcharge"\namount = 500\n'
    (found,) = advice(shop(tmp_path, QT1=below), ("M4", 20))
    assert (found.kind, found.quantity, found.change, found.dropped) == ("fee", 30, 500, ("QT1",))


def test_a_fee_that_another_line_keeps_alive_is_not_promised_to_end(tmp_path: Path) -> None:
    shared = '[when]\n"order.quantity" = {lt = 50}\n[surcharge]\namount = 800\nper = "order"\n'
    alone = '[when]\n"product.category" = "nuts"\n[surcharge]\namount = 300\nper = "order"\n'
    ruleset = shop(tmp_path, SC1=shared, SC2=alone)
    (found,) = [one for one in advice(ruleset, ("M4", 40), ("N4", 5)) if one.line == "1"]
    assert found.dropped == ("SC1",)


def test_a_line_that_is_refused_gets_ways_out_and_no_advice(tmp_path: Path) -> None:
    assert advice(shop(tmp_path, PR1=BREAKS, QT1="[quantity]\nminimum = 95\n"), ("M4", 90)) == []


def test_at_most_a_hundred_lines_are_looked_at(tmp_path: Path) -> None:
    found = advice(shop(tmp_path, PR1=BREAKS), *[("M4", 90)] * 120)
    assert [one.line for one in found] == [str(n) for n in range(1, 101)]


@given(st.integers(0, 10**9))
@settings(max_examples=25, deadline=None)
def test_every_change_is_the_difference_of_two_decisions(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    draw = Random(seed)
    ruleset = load(tmp_path_factory.mktemp("shop"), Shop(draw).files).ruleset
    if ruleset is None or ruleset.policy.currency != "JPY":
        return
    customer = CUSTOMERS[draw.choice(sorted(CUSTOMERS))]
    skus = draw.sample(sorted(PRODUCTS), 3)
    lines = tuple(Line(str(n), PRODUCTS[sku], draw.randint(1, 30)) for n, sku in enumerate(skus))
    cart = Cart(lines, customer)
    try:
        offers = {sku: offer(ruleset, cart, PRODUCTS[sku], ON) for sku in skus}
        told = advise(ruleset, cart, ON, offers)
        before = evaluate(ruleset, cart, ON, fixes=False)
    except TieError:
        return
    for one in told:
        assert lines[int(one.line)].quantity < one.quantity <= MAX_QUANTITY
        changed = tuple(
            replace(line, quantity=one.quantity) if line.id == one.line else line for line in lines
        )
        after = evaluate(ruleset, replace(cart, lines=changed), ON, fixes=False)
        assert one.change == after.subtotal - before.subtotal
        fees = [
            {charge.code for charge in found.surcharges if one.line in charge.lines}
            for found in (before, after)
        ]
        assert set(one.dropped) == fees[0] - fees[1]
        assert (one.kind == "cliff") == (one.change < 0)


# --- through the doors ------------------------------------------------------------------------------------------


def test_the_api_adds_advice_after_the_decision_when_it_is_asked_for(app: Flask) -> None:
    key = make_key(app, "HAYASHI")
    cart = {"lines": [{"sku": "M4-10", "quantity": 80}]}
    plain, advised = ask(app, key, cart), ask(app, key, cart, "?advice=1")
    assert advised.get_data().startswith(plain.get_data()[:-1] + b',"advice":[')
    (one,) = advised.get_json()["advice"]
    assert one == {
        "kind": "fee", "line": "1", "quantity": 100, "change": "+1600", "unit_price": "120", "per": 1,
        "dropped": ["SC10"], "codes": [],
    }  # fmt: skip
    both = ask(app, key, [cart, {"lines": []}], "?advice=1").get_json()
    assert [sorted(answer) == ["detail", "error"] for answer in both] == [False, True]
    assert ask(app, key, cart, "?advice=yes").status_code == 400
    assert json.loads(plain.get_data()).get("advice") is None


def test_quick_order_tells_on_an_orderable_line_where_the_fee_ends_and_one_button_takes_it(
    client: FlaskClient,
) -> None:
    sign_in(client, "hayashi")
    page = client.post("/quick-order", data={"paste": "M4-10 80"}).get_data(as_text=True)
    assert "あと20個で手数料がなくなります(SC10)" in page
    assert 'name="set" value="0:100"' in page


def test_of_several_ways_out_the_cheapest_is_named(client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    page = client.post("/quick-order", data={"paste": "M4-10 30"}).get_data(as_text=True)
    fewer, more = (
        page.partition(f'class="btn" name="set" value="0:{pieces}">')[2].partition("</button>")[0]
        for pieces in (20, 40)
    )
    assert "いちばん安い" in fewer
    assert more != ""
    assert "いちばん安い" not in more
