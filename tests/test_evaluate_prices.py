"""Price rules: lanes, who wins, breaks, tables, rounding, and the steps that explain it."""

from decimal import Decimal

import pytest

from rules import TieError
from support.rulesets import decide, load, load_files


def price(decision, line="1"):
    return decision.line(line).unit_price


def test_a_rate_is_of_the_list_price_and_the_steps_say_so(tmp_path):
    rules = load(tmp_path, PR20='[when]\n"customer.group" = "standard"\n[price]\nrate = 0.65\n')
    line = decide(rules, ("M4-10", 10), customer={"code": "ACME"}).lines[0]
    assert (line.list_price, line.unit_price, line.amount) == (Decimal(120), Decimal(78), 780)
    assert [(step.lane, step.code, step.unit_price) for step in line.steps] == [
        ("list", None, Decimal(120)),
        ("agreed", "PR20", Decimal("78.00")),
    ]


def test_a_customer_beats_a_group_and_a_group_beats_anyone(tmp_path):
    rules = load(
        tmp_path,
        PR10="[price]\nunit = 100\n",
        PR20='[when]\n"customer.group" = "standard"\n[price]\nunit = 90\n',
        PR30='[when]\n"customer.code" = "ACME"\n[price]\nunit = 95\n',
    )
    assert price(decide(rules, ("M4-10", 1), customer={"code": "ACME"})) == 95
    assert price(decide(rules, ("M4-10", 1), customer={"group": "standard"})) == 90
    assert price(decide(rules, ("M4-10", 1))) == 100


def test_any_customer_condition_outranks_every_product_condition(tmp_path):
    rules = load(
        tmp_path,
        PR10='[when]\n"product.sku" = "M4-10"\n[price]\nunit = 50\n',
        PR20='[when]\n"customer.country" = "JP"\n[price]\nunit = 70\n',
    )
    assert price(decide(rules, ("M4-10", 1), customer={"code": "ACME"})) == 70


def test_with_lowest_the_cheapest_agreed_price_wins(tmp_path):
    rules = load_files(
        tmp_path,
        {
            "shop.toml": '[policy]\nprice_choice = "lowest"\n',
            "PR10": "[price]\nunit = 60\n",
            "PR20": '[when]\n"customer.code" = "ACME"\n[price]\nunit = 95\n',
        },
    )
    assert price(decide(rules, ("M4-10", 1), customer={"code": "ACME"})) == 60


def test_equal_ranks_that_meet_only_through_inline_facts_fail_naming_both_files(tmp_path):
    rules = load(
        tmp_path,
        PR10='[when]\n"product.tags" = "steel"\n[price]\nunit = 5\n',
        PR20='[when]\n"product.tags" = "brass"\n[price]\nunit = 6\n',
    )
    with pytest.raises(TieError, match=r"rules/PR10\.toml and rules/PR20\.toml"):
        decide(rules, ("N4", 1), products={"N4": {"tags": ["steel", "brass"]}})


def test_beats_settles_a_tie_and_reaches_through(tmp_path):
    rules = load(
        tmp_path,
        PR10='beats = ["PR20"]\n[price]\nunit = 1\n',
        PR20='beats = ["PR30"]\n[price]\nunit = 2\n',
        PR30="[price]\nunit = 3\n",
    )
    assert price(decide(rules, ("N4", 1))) == 1


def test_breaks_come_after_the_agreed_price_and_below_the_first_take_no_part(tmp_path):
    rules = load(
        tmp_path,
        PR20="[price]\nrate = 0.65\n",
        PR30="[price]\nbreaks = [{from = 60, unit = 75}, {from = 100, off_percent = 10}]\n",
    )
    assert [price(decide(rules, ("M4-10", n))) for n in (59, 60, 99, 100)] == [78, 75, 75, Decimal("70.2")]


def test_a_rate_in_a_break_is_of_the_list_price(tmp_path):
    rules = load(
        tmp_path, PR20="[price]\nrate = 0.65\n", PR30="[price]\nbreaks = [{from = 10, rate = 0.5}]\n"
    )
    assert price(decide(rules, ("M4-10", 10))) == 60


def test_graduated_prices_add_up_their_parts_and_round_once(tmp_path):
    rules = load(
        tmp_path,
        PR30='[price]\ntiers = "graduated"\nbreaks = [{from = 11, unit = 100.3}, {from = 21, unit = 90}]\n',
    )
    line = decide(rules, ("M4-10", 25)).lines[0]
    # 10 at the list price of 120, 10 at 100.3, 5 at 90
    assert line.amount == 1200 + 1003 + 450
    assert line.unit_price == Decimal("106.12")


def test_a_promotion_applies_to_each_graduated_part(tmp_path):
    rules = load(
        tmp_path,
        PR30='[price]\ntiers = "graduated"\nbreaks = [{from = 1, unit = 100}, {from = 3, unit = 50}]\n',
        PR40="[price]\noff_percent = 10\n",
    )
    line = decide(rules, ("M4-10", 4)).lines[0]
    assert (line.amount, line.unit_price) == (270, Decimal("67.5"))


def test_a_price_for_100_pieces_is_never_divided_only_the_amount_is(tmp_path):
    rules = load(tmp_path, PR10="[price]\nunit = 1170\nper = 100\n", PR40="[price]\noff_amount = 1.7\n")
    line = decide(rules, ("N4", 150)).lines[0]
    assert (line.unit_price, line.per, line.amount) == (1000, 100, 1500)
    assert line.steps[-1].per == 100


def test_a_computed_price_is_rounded_half_up_to_four_decimals_and_round_overrides(tmp_path):
    plain = load(tmp_path / "a", PR20="[price]\nrate = 0.333333\n")
    assert price(decide(plain, ("N4", 1))) == Decimal("3.9000")
    assert price(decide(plain, ("M4-20", 1))) == Decimal("50.0000")
    stepped = load(tmp_path / "b", PR20='[price]\nrate = 0.333333\nround = {to = 0.5, mode = "floor"}\n')
    assert price(decide(stepped, ("M4-10", 1))) == Decimal("39.5")


def test_off_amount_never_goes_below_zero(tmp_path):
    rules = load(tmp_path, PR40="[price]\noff_amount = 500\n")
    assert price(decide(rules, ("M4-10", 1))) == 0


def test_a_line_without_any_price_asks_for_a_quotation(tmp_path):
    decision = decide(load(tmp_path, QT10="[quantity]\nminimum = 1\n"), ("ODD", 3), ("N4", 10))
    assert [(issue.code, issue.outcome, issue.lines) for issue in decision.issues] == [
        ("no_price", "quotation", ("1",))
    ]
    assert (decision.lines[0].unit_price, decision.lines[0].amount, decision.goods) == (None, None, 117)


TABLE = """customer,group,sku,category,from,unit,rate,per,valid_from,valid_until,currency
,,M4-10,,,100,,,,,
,,M4-10,,50,90,,,,,
,standard,M4-10,,,80,,,,,
ACME,,,screws,,,0.5,,,,
,,,screws,,,0.9,,,,
,,N4,,,1200,,100,2026-01-01,2026-12-31,
"""


def test_in_a_table_the_most_specific_row_wins(tmp_path):
    rules = load_files(tmp_path, {"prices/all.csv": TABLE, "PR10": '[price]\ntable = "prices/all.csv"\n'})
    assert price(decide(rules, ("M4-10", 10))) == 100
    assert price(decide(rules, ("M4-10", 50))) == 90
    assert price(decide(rules, ("M4-10", 50), customer={"group": "standard"})) == 80
    assert price(decide(rules, ("M4-10", 50), customer={"code": "ACME"})) == 60
    assert price(decide(rules, ("M4-20", 1))) == 135
    nuts = decide(rules, ("N4", 100)).lines[0]
    assert (nuts.unit_price, nuts.per, nuts.amount) == (1200, 100, 1200)
    assert price(decide(rules, ("N4", 100), on="2027-01-01")) == Decimal("11.7")


def test_a_row_ranks_with_the_rule_around_it(tmp_path):
    rules = load_files(
        tmp_path,
        {
            "prices/a.csv": "sku,unit\nM4-10,77\n",
            "PR10": '[when]\n"customer.group" = "standard"\n[price]\ntable = "prices/a.csv"\n',
            "PR20": '[when]\n"customer.group" = "standard"\n"product.category" = "screws"\n[price]\nunit = 88\n',
        },
    )
    assert price(decide(rules, ("M4-10", 1), customer={"code": "ACME"})) == 77
    assert price(decide(rules, ("M4-20", 1), customer={"code": "ACME"})) == 88


def test_lane_puts_any_kind_into_any_lane(tmp_path):
    rules = load(
        tmp_path,
        PR10='[price]\nlane = "list"\nunit = 200\n',
        PR20="[price]\nrate = 0.5\n",
    )
    line = decide(rules, ("M4-10", 1)).lines[0]
    assert (line.list_price, line.unit_price) == (200, 100)
    assert [(step.lane, step.unit_price) for step in line.steps] == [
        ("list", 120),
        ("list", 200),
        ("agreed", 100),
    ]


def test_amounts_round_once_per_line(tmp_path):
    rules = load(tmp_path, PR10="[price]\nunit = 0.1\n")
    assert decide(rules, ("N4", 14)).goods == 1
    assert decide(rules, ("N4", 15)).goods == 2


def test_an_exception_changes_one_key_for_one_customer(tmp_path):
    rules = load_files(
        tmp_path,
        {
            "PR10": "[price]\nunit = 100\n",
            "exceptions/2026-11-ACME-M4.toml": 'rule = "PR10"\ncustomer = "ACME"\nsku = "M4-10"\n'
            'reason = "trial run"\napproved_by = "Aoyagi"\nuntil = 2026-12-31\n[change]\nunit = 90\n',
        },
    )
    decision = decide(rules, ("M4-10", 1), customer={"code": "ACME"})
    assert (price(decision), decision.exceptions) == (90, ("2026-11-ACME-M4",))
    assert decision.lines[0].steps[-1].exception == "2026-11-ACME-M4"
    assert price(decide(rules, ("M4-10", 1), customer={"code": "BETA"})) == 100
    assert price(decide(rules, ("M4-20", 1), customer={"code": "ACME"})) == 100
    assert price(decide(rules, ("M4-10", 1), customer={"code": "ACME"}, on="2027-01-01")) == 100
