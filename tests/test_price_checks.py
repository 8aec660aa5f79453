"""Warnings about prices and dates: each where it is right, at its line, with both sides in the message."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import load_ruleset
from rules.catalog import Catalog
from rules.errors import Finding
from support.rulesets import CATALOG, METHODS, ON, folder

PRICES = ("price-cliff", "below-cost", "above-list", "dearer-lane", "date-gap", "stale-accept")
PRODUCTS = "sku,category,list_price,cost\nM4,screws/pan,120,40\nM5,screws/pan,150,90\nN4,nuts,10,4\n"
CUSTOMERS = "code,group,region\nACME,standard,JP-27\nBETA,trial,JP-13\n"
FEE = """[when]
"product.sku" = "M4"
[quantity]
minimum = 100
multiple = 10
[[quantity.below]]
at_least = 60
outcome = "surcharge"
amount = 1500
[[quantity.below]]
outcome = "block"
"""


def found(tmp_path: Path, files: dict[str, str], today: date | None = ON) -> list[Finding]:
    """The findings of these checks, of a shop with three products and two customers."""
    shop = folder(tmp_path, {"products.csv": PRODUCTS, "customers.csv": CUSTOMERS} | files)
    loaded = load_ruleset(shop, methods=METHODS, today=today)
    assert not loaded.errors, loaded.errors
    return [one for one in loaded.findings if one.check in PRICES]


def told(findings: list[Finding]) -> list[tuple[str, str, int]]:
    return [(one.check, one.file, one.line) for one in findings]


def test_a_cliff_names_both_quantities_and_both_totals(tmp_path: Path) -> None:
    [cliff] = found(
        tmp_path, {"PR10": '[when]\n"product.sku" = "M4"\n[price]\nbreaks = [{from = 100, unit = 98}]\n'}
    )
    assert cliff.severity == "warning"
    assert cliff.message == "100 pieces of M4 cost ACME 9800, less than 99 pieces with 11880."


def test_each_break_that_is_a_cliff_is_told_and_no_other(tmp_path: Path) -> None:
    breaks = "breaks = [\n{from = 5, unit = 119},\n{from = 100, unit = 98},\n{from = 200, unit = 90},\n]\n"
    cliffs = found(tmp_path, {"PR10": f'[when]\n"product.sku" = "M4"\n[price]\n{breaks}'})
    assert [one.line for one in cliffs] == [8, 9]


def test_on_a_lot_the_pieces_before_are_the_last_that_can_be_ordered(tmp_path: Path) -> None:
    price = '[when]\n"product.sku" = "M4"\n[price]\nbreaks = [{from = 100, unit = 109}]\n'
    assert len(found(tmp_path / "a", {"PR10": price})) == 1
    assert found(tmp_path / "b", {"PR10": price, "QT10": "[quantity]\nmultiple = 10\n"}) == []


def test_a_small_lot_fee_that_ends_in_a_cliff_is_told_at_the_minimum(tmp_path: Path) -> None:
    [cliff] = found(tmp_path, {"QT10": FEE})
    assert told([cliff]) == [("price-cliff", "rules/QT10.toml", 6)]
    assert cliff.message == "100 pieces of M4 cost ACME 12000, less than 90 pieces with 12300."
    assert found(tmp_path / "low", {"QT10": FEE.replace("1500", "1200")}) == []


def test_a_price_step_and_a_fee_that_end_together_are_one_cliff(tmp_path: Path) -> None:
    price = '[when]\n"product.sku" = "M4"\n[price]\nbreaks = [{from = 100, unit = 115}]\n'
    [cliff] = found(tmp_path, {"PR10": price, "QT10": FEE})
    assert cliff.rule == "PR10"
    assert "100 pieces of M4 cost ACME 11500, less than 90 pieces with 12300." in cliff.message


def test_a_surcharge_for_few_pieces_is_a_cliff_where_it_ends(tmp_path: Path) -> None:
    few = '[when]\n"product.sku" = "N4"\n"line.quantity" = {lt = 50}\n[surcharge]\namount = 300\n'
    [cliff] = found(tmp_path, {"SC10": few})
    assert cliff.message == "50 pieces of N4 cost ACME 500, less than 49 pieces with 790."


def test_a_surcharge_below_an_amount_is_a_cliff_where_the_amount_is_reached(tmp_path: Path) -> None:
    few = '[when]\n"product.sku" = "N4"\n"line.amount" = {lt = 1000}\n[surcharge]\namount = 300\n'
    [cliff] = found(tmp_path, {"SC10": few})
    assert cliff.message == "100 pieces of N4 cost ACME 1000, less than 99 pieces with 1290."


@pytest.mark.parametrize(
    "files",
    [
        {"OR10": '[order]\nminimum = 3000\n[[order.below]]\noutcome = "surcharge"\namount = 900\n'},
        {"SC10": '[when]\n"line.quantity" = {lt = 50}\n[surcharge]\namount = 300\nper = "order"\n'},
        {"DC10": '[when]\n"line.quantity" = {ge = 50}\n[discount]\npercent = 20\n'},
    ],
)
def test_what_belongs_to_the_whole_order_makes_no_cliff(tmp_path: Path, files: dict[str, str]) -> None:
    assert found(tmp_path, files) == []


def test_a_graduated_price_has_no_cliff(tmp_path: Path) -> None:
    breaks = 'breaks = [{from = 1, unit = 120}, {from = 100, unit = 98}]\ntiers = "graduated"\n'
    assert found(tmp_path, {"PR10": f'[when]\n"product.sku" = "M4"\n[price]\n{breaks}'}) == []


def test_a_cliff_in_a_price_table_stands_at_its_row(tmp_path: Path) -> None:
    table = (
        "group,sku,from,unit\nstandard,M4,1,110\nstandard,M4,100,108\nstandard,M4,200,90\ntrial,M5,1,140\n"
    )
    cliffs = found(tmp_path, {"PR10": '[price]\ntable = "prices/a.csv"\n', "prices/a.csv": table})
    assert told(cliffs) == [("price-cliff", "prices/a.csv", 3), ("price-cliff", "prices/a.csv", 4)]
    assert cliffs[1].message == "200 pieces of M4 cost ACME 18000, less than 199 pieces with 21492."


def test_a_row_that_a_more_specific_rule_overrules_is_not_told(tmp_path: Path) -> None:
    table = "group,sku,from,unit\nstandard,M4,1,110\nstandard,M4,200,90\n"
    mine = '[when]\n"customer.code" = "ACME"\n[price]\nunit = 100\n'
    files = {"PR10": '[price]\ntable = "prices/a.csv"\n', "prices/a.csv": table}
    assert len(found(tmp_path / "a", files)) == 1
    assert (
        found(tmp_path / "b", {**files, "PR20": mine.replace("[price]", '"product.sku" = "M4"\n[price]')})
        == []
    )


def test_where_no_products_are_known_the_products_of_the_cases_are_tried(tmp_path: Path) -> None:
    case = 'name = "a"\ncart = [{sku = "X", quantity = 1}]\nproducts = {X = {list_price = 2}}\nexpect = {goods = 2}\n'
    rule = f"[price]\nbreaks = [{{from = 100, off_percent = 5}}]\n[[case]]\n{case}"
    loaded = load_ruleset(folder(tmp_path, {"PR10": rule}), today=ON)
    assert [one.message for one in loaded.findings if one.check == "price-cliff"] == [
        "100 pieces of X cost a visitor 190, less than 99 pieces with 198."
    ]


def test_below_cost_names_product_customer_price_and_cost(tmp_path: Path) -> None:
    rate = '[when]\n"customer.group" = "trial"\n[price]\nrate = 0.5\n'
    [cost] = found(tmp_path, {"PR10": rate})
    assert (cost.check, cost.rule) == ("below-cost", "PR10")
    assert cost.message == "1 piece of M5 cost BETA 75, below the cost 90."


def test_the_rule_that_takes_a_price_below_cost_is_named_and_not_the_one_before(tmp_path: Path) -> None:
    rate = '[when]\n"product.sku" = "M5"\n[price]\nrate = 0.7\n'
    off = '[when]\n"product.sku" = "M5"\n[price]\noff_percent = 20\n'
    assert [one.rule for one in found(tmp_path, {"PR10": rate, "PR20": off})] == ["PR20"]


def test_a_list_price_below_cost_stands_at_the_product(tmp_path: Path) -> None:
    findings = found(tmp_path, {"products.csv": PRODUCTS + "P1,pins,5,7\n"})
    assert told(findings) == [("below-cost", "products.csv", 5)]


def test_a_row_below_cost_and_one_above_list_stand_at_their_lines(tmp_path: Path) -> None:
    table = "customer,sku,unit\nACME,M5,80\nACME,M4,130\nBETA,N4,9\n"
    findings = found(tmp_path, {"PR10": '[price]\ntable = "prices/a.csv"\n', "prices/a.csv": table})
    assert told(findings) == [("below-cost", "prices/a.csv", 2), ("above-list", "prices/a.csv", 3)]


def test_a_price_for_a_hundred_is_compared_by_the_piece(tmp_path: Path) -> None:
    table = "sku,unit,per\nN4,900,100\n"
    files = {"PR10": '[price]\ntable = "prices/a.csv"\n', "prices/a.csv": table}
    assert found(tmp_path / "a", files) == []
    files["prices/a.csv"] = table.replace("900", "390")
    assert [one.check for one in found(tmp_path / "b", files)] == ["below-cost"]


def test_the_list_lane_is_the_list_and_never_above_it(tmp_path: Path) -> None:
    assert (
        found(tmp_path, {"PR10": '[when]\n"product.sku" = "M4"\n[price]\nunit = 200\nlane = "list"\n'}) == []
    )


def test_a_dearer_lane_names_both_lanes_and_both_prices(tmp_path: Path) -> None:
    agreed = '[when]\n"customer.code" = "ACME"\n"product.sku" = "M4"\n[price]\nunit = 80\n'
    volume = '[when]\n"product.sku" = "M4"\n[price]\nbreaks = [{from = 2, rate = 0.9}]\n'
    [dearer] = found(tmp_path, {"PR10": agreed, "PR20": volume})
    assert (dearer.check, dearer.rule) == ("dearer-lane", "PR20")
    assert "108 in the volume lane, more than 80 in the agreed lane (PR10)" in dearer.message


# dates

RATE = "[price]\nrate = {}\n"


def year(first: str, last: str, rate: str) -> str:
    ends = f"until = {last}\n" if last else ""
    return f"from = {first}\n{ends}{RATE.format(rate)}"


def test_a_hole_between_two_rules_is_told_with_its_days(tmp_path: Path) -> None:
    rules = {"PR10": year("2026-04-01", "2027-03-30", "0.7"), "PR20": year("2027-04-02", "", "0.8")}
    [gap] = found(tmp_path, rules)
    assert told([gap]) == [("date-gap", "rules/PR20.toml", 3)]
    assert "in force from 2027-03-31 to 2027-04-01 (2 days)" in gap.message


def test_days_that_follow_on_a_third_rule_and_holes_of_the_past_are_fine(tmp_path: Path) -> None:
    first, last = year("2026-04-01", "2027-03-31", "0.7"), year("2027-04-02", "", "0.8")
    assert found(tmp_path / "a", {"PR10": first, "PR20": last.replace("04-02", "04-01")}) == []
    bridge = year("2027-04-01", "2027-04-01", "0.75")
    assert found(tmp_path / "b", {"PR10": first, "PR15": bridge, "PR20": last}) == []
    assert found(tmp_path / "c", {"PR10": first, "PR20": last}, date(2027, 5, 1)) == []


def test_rules_of_other_conditions_or_lanes_have_no_gap(tmp_path: Path) -> None:
    first, last = year("2026-04-01", "2027-03-31", "0.7"), year("2027-05-01", "", "0.8")
    screws = last.replace("[price]", '[when]\n"product.category" = "screws"\n[price]')
    assert found(tmp_path / "a", {"PR10": first, "PR20": screws}) == []
    assert found(tmp_path / "b", {"PR10": first, "PR20": last + 'lane = "volume"\n'}) == []


def test_a_hole_between_two_rows_of_a_table_stands_at_the_later_row(tmp_path: Path) -> None:
    table = "sku,unit,valid_from,valid_until\nM4,110,2026-01-01,2026-12-31\nM4,115,2027-02-01,\n"
    [gap] = found(tmp_path, {"PR10": '[price]\ntable = "prices/a.csv"\n', "prices/a.csv": table})
    assert told([gap]) == [("date-gap", "prices/a.csv", 3)]
    assert "from 2027-01-01 to 2027-01-31 (31 days)" in gap.message


# what is meant

MEANT = '[when]\n"product.sku" = "M4"\n[price]\nbreaks = [{from = 100, unit = 98}]\n'


def test_a_warning_that_its_rule_accepts_is_not_told_and_that_of_another_rule_is(tmp_path: Path) -> None:
    other = MEANT.replace("M4", "M5").replace("98", "120")
    findings = found(tmp_path, {"PR10": 'accept = ["price-cliff"]\n' + MEANT, "PR20": other})
    assert [one.rule for one in findings] == ["PR20"]


@pytest.mark.parametrize("word", ["price-clif", "tie"])
def test_only_warnings_that_exist_can_be_accepted(tmp_path: Path, word: str) -> None:
    shop = folder(tmp_path, {"PR10": f'accept = ["{word}"]\n' + MEANT})
    [error] = load_ruleset(shop, CATALOG, METHODS, ON).errors
    assert error.check == "wrong-value"
    assert word in error.message


# bounds


def test_rules_that_are_off_or_expired_are_left_alone(tmp_path: Path) -> None:
    assert found(tmp_path / "a", {"PR10": 'mode = "off"\n' + MEANT}) == []
    assert found(tmp_path / "b", {"PR10": "until = 2026-11-30\n" + MEANT}) == []


def test_a_rule_that_only_watches_is_checked_as_if_it_were_live(tmp_path: Path) -> None:
    [cliff] = found(tmp_path, {"PR10": 'mode = "shadow"\n' + MEANT})
    assert (cliff.check, cliff.rule) == ("price-cliff", "PR10")
    assert cliff.message == (
        "if PR10 were live, 100 pieces of M4 cost ACME 9800, less than 99 pieces with 11880."
    )
    assert cliff.said("ja")[0] == (
        "PR10 を有効(live)にした場合、得意先 ACME が M4 を100個買うと 9800、99個買うと 11880 です。"
        "多く買うほうが安くなります。"
    )


def test_a_cliff_that_is_there_without_the_watching_rule_is_told_of_the_live_one_alone(
    tmp_path: Path,
) -> None:
    other = 'mode = "shadow"\n[when]\n"product.sku" = "M4"\n[price]\noff_percent = 1\n'
    findings = found(tmp_path, {"PR10": MEANT, "PR20": other})
    assert [(one.check, one.rule) for one in findings] == [("price-cliff", "PR10")]


# accepted warnings that are gone


def test_an_accepted_warning_that_still_comes_is_not_stale(tmp_path: Path) -> None:
    assert found(tmp_path, {"PR10": 'accept = ["price-cliff"]\n' + MEANT}) == []


def test_an_accepted_warning_that_no_longer_comes_is_told_at_its_line(tmp_path: Path) -> None:
    mended = MEANT.replace("98", "119.9")
    [stale] = found(tmp_path, {"PR10": 'accept = ["price-cliff"]\n' + mended})
    assert (stale.check, stale.line, stale.rule) == ("stale-accept", 3, "PR10")
    assert "price-cliff is accepted here" in stale.message


def test_a_stale_entry_of_a_rule_that_is_off_waits_until_it_is_on_again(tmp_path: Path) -> None:
    mended = MEANT.replace("98", "119.9")
    assert found(tmp_path, {"PR10": 'mode = "off"\naccept = ["price-cliff"]\n' + mended}) == []


def test_nothing_is_called_stale_where_prices_could_not_be_checked(tmp_path: Path) -> None:
    body = 'accept = ["price-cliff", "never-applies"]\n[price]\nunit = 5\n'
    shop = folder(tmp_path, {"PR10": body})
    found_here = load_ruleset(shop, Catalog(), METHODS, ON).findings
    assert [one.message[:13] for one in found_here if one.check == "stale-accept"] == ["never-applies"]


def test_a_rule_of_the_future_is_checked_on_its_first_day(tmp_path: Path) -> None:
    assert len(found(tmp_path, {"PR10": "from = 2027-06-01\n" + MEANT})) == 1


def test_many_cliffs_of_one_table_are_counted_in_a_note(tmp_path: Path) -> None:
    products = "sku,list_price\n" + "".join(f"P{n},100\n" for n in range(60))
    table = "sku,from,unit\n" + "".join(f"P{n},1,90\nP{n},100,80\n" for n in range(60))
    files = {"products.csv": products, "prices/a.csv": table, "PR10": '[price]\ntable = "prices/a.csv"\n'}
    loaded = load_ruleset(folder(tmp_path, files), today=ON)
    assert sum(one.check == "price-cliff" for one in loaded.findings) == 20
    assert "prices/a.csv: 40 more findings price-cliff of PR10 are not shown." in loaded.skipped


def test_a_thousand_rules_and_a_hundred_thousand_rows_are_checked(tmp_path: Path) -> None:
    products = "".join(f"P{n},c{n % 9},{20 + n % 500},{5 + n % 90}\n" for n in range(2000))
    customers = "".join(f"C{n},g{n % 4}\n" for n in range(500))
    rows = "".join(
        f"C{n % 500},P{n * 7 % 2000},{start},{unit}\n"
        for n in range(25_000)
        for start, unit in ((n // 2000 * 4 + 1, 19), (500 + n // 2000, 17), (1000 + n, 15), (60_000 + n, 14))
    )
    files = {
        "products.csv": "sku,category,list_price,cost\n" + products,
        "customers.csv": "code,group\n" + customers,
        "prices/a.csv": "customer,sku,from,unit\n" + rows,
        "PR1": '[price]\ntable = "prices/a.csv"\n',
    }
    breaks = ", ".join(f"{{from = {100 * 2**n}, off_percent = {5 + n}}}" for n in range(6))
    for n in range(999):
        files[f"PR{1000 + n}"] = f'[when]\n"product.sku" = "P{n}"\n[price]\nbreaks = [{breaks}]\n'
    shop = folder(tmp_path, files)
    loaded = load_ruleset(shop, methods=METHODS, today=ON)
    assert not loaded.errors
    assert {one.file for one in loaded.findings if one.check == "price-cliff"} >= {
        "prices/a.csv",
        "rules/PR1000.toml",
    }
