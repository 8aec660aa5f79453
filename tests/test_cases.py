"""Cases run against the whole set, with their rule live, and say plainly what did not come out."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules.cases import mismatches, run_cases
from support.rule_folders import TODAY, load, loaded, rule, rules

PRODUCTS = {"products.csv": "sku,list_price\nM4,120\n"}
DECISION: dict[str, Any] = {
    "outcome": "block",
    "currency": "JPY",
    "goods": "4680",
    "lines": [{"id": "1", "sku": "M4", "quantity": 60, "unit_price": "78.5",
               "steps": [{"lane": "list"}, {"code": "PR10"}]}],
    "surcharges": [{"code": "QT10", "amount": "800", "lines": ["1"]}],
    "issues": [
        {"code": "QT10", "have": "60", "need": "100", "lines": ["1"],
         "fixes": [{"quantity": 60}, {"quantity": 100, "change": "+2320"}]},
        {"code": "OR10", "lines": [], "have": None, "fixes": []},
    ],
    "shipping": [{"code": "flat_rate", "offered": False, "by": "SH10"}],
    "terms": None,
    "exceptions": [],
    "on": "2026-12-01",
}  # fmt: skip


@pytest.mark.parametrize(
    "expected",
    [
        {"outcome": "block", "goods": 4680},
        {"goods": Decimal("4680.00")},
        {"goods": "4680"},
        {"on": date(2026, 12, 1)},
        {"lines": [{"quantity": "60", "unit_price": Decimal("78.50")}]},
        {"lines": [{"steps": [{"code": "PR10"}]}]},
        {"surcharges": [{"code": "QT10", "amount": 800, "lines": ["1"]}]},
        {"issues": [{"code": "OR10"}, {"code": "QT10", "have": 60}]},
        {"issues": [{"code": "QT10", "fixes": [60, 100]}]},
        {"issues": [{"code": "QT10", "fixes": [100, 60]}]},
        {"issues": [{"code": "QT10", "fixes": [{"quantity": 100, "change": 2320}]}]},
        {"issues": [{"code": "OR10", "fixes": [], "lines": []}]},
        {"shipping": [{"code": "flat_rate", "offered": False}]},
        {"exceptions": []},
    ],
)
def test_what_holds_of_a_decision_is_no_mismatch(expected: dict[str, Any]) -> None:
    assert list(mismatches(expected, DECISION, "QT99")) == []


@pytest.mark.parametrize(
    "expected",
    [
        {"outcome": "ok"},
        {"goods": 4681},
        {"goods": True},
        {"total": 1},
        {"lines": [{"quantity": 61}]},
        {"surcharges": [{"code": "QT10", "amount": 801}]},
        {"surcharges": [{"code": "QT10", "lines": ["2"]}]},
        {"issues": [{"code": "QT10", "fixes": [100]}]},
        {"issues": [{"code": "QT10", "fixes": []}]},
        {"issues": [{"code": "QT10", "fixes": [60, 100, 200]}]},
        {"issues": [{"code": "QT10", "fixes": ["x", "y"]}]},
        {"shipping": [{"code": "flat_rate", "offered": True}]},
        {"terms": {"code": "PM10"}},
        {"lines": {"sku": "M4"}},
    ],
)
def test_what_does_not_hold_is_told_in_a_sentence(expected: dict[str, Any]) -> None:
    found = list(mismatches(expected, DECISION, "QT99"))
    assert len(found) == 1
    assert str(found[0]).startswith(next(iter(expected)))


def test_an_empty_array_means_nothing_with_the_code_of_this_rule() -> None:
    assert list(mismatches({"surcharges": [], "issues": []}, DECISION, "QT20")) == []
    assert len(list(mismatches({"surcharges": [], "issues": []}, DECISION, "QT10"))) == 2
    assert len(list(mismatches({"lines": []}, DECISION, "PR10"))) == 1
    assert len(list(mismatches({"shipping": []}, DECISION, "SH10"))) == 1
    assert list(mismatches({"shipping": []}, DECISION, "flat_rates")) == []


def case(body: str, expect: str) -> str:
    return f"[[case]]\nname = 'c'\n{body}\ncart = [{{sku = 'M4', quantity = 5}}]\nexpect = {expect}\n"


QUANTITY = "[quantity]\nminimum = 100\n"


def test_a_rule_in_shadow_off_or_scope_is_live_in_its_own_cases(tmp_path: Path) -> None:
    for place, head in enumerate(('mode = "shadow"\n', 'mode = "off"\n', "[scope]\npercent = 0\n")):
        files = {**rules(QT10=head + QUANTITY + case("", "{outcome = 'block'}")), **PRODUCTS}
        found = load(tmp_path / str(place), files)
        assert [(one.passed, one.covered) for one in found.cases] == [(True, True)]


def test_other_rules_keep_their_mode(tmp_path: Path) -> None:
    files = {
        **rules(
            QT10='mode = "shadow"\n' + QUANTITY,
            SC10="[surcharge]\namount = 300\n" + case("", "{outcome = 'ok', surcharges = [{code = 'SC10'}]}"),
        ),
        **PRODUCTS,
    }
    assert [one.passed for one in load(tmp_path, files).cases] == [True]


def test_a_case_runs_on_its_date_else_the_rules_else_the_day_of_the_check(tmp_path: Path) -> None:
    files = {
        **rules(
            QT10="from = 2027-04-01\n" + QUANTITY
            + case("", "{on = '2027-04-01', outcome = 'block'}")
            + case("on = 2027-03-31", "{on = 2027-03-31, outcome = 'ok', issues = []}"),
            SC10="[surcharge]\namount = 300\n" + case("", "{on = '2026-12-01'}"),
        ),
        **PRODUCTS,
    }  # fmt: skip
    assert [one.passed for one in load(tmp_path, files).cases] == [True, True, True]


def test_a_failing_case_blocks_and_says_where_and_what(tmp_path: Path) -> None:
    files = {**rules(QT10=QUANTITY + case("", "{outcome = 'ok', goods = 599}")), **PRODUCTS}
    found = load(tmp_path, files)
    assert found.ruleset is None
    assert [(one.check, one.line) for one in found.errors] == [("case-fails", 5)]
    assert 'outcome is "block", expected "ok"; goods is "600", expected 599' in found.errors[0].message


def test_a_cart_that_cannot_be_evaluated_fails_its_case(tmp_path: Path) -> None:
    body = "[[case]]\ncart = [{sku = 'M9', quantity = 0}]\nexpect = {outcome = 'ok'}\n"
    found = load(tmp_path, {**rules(QT10=QUANTITY + body), **PRODUCTS})
    assert "lines[0].sku" in found.errors[0].message
    assert "lines[0].quantity" in found.errors[0].message


def test_a_case_takes_any_key_of_the_cart_input(tmp_path: Path) -> None:
    body = """[when]
"customer.group" = "trial"
"order.channel" = "fax"
"product.brand" = "K"
[payment]
hide = ["net_terms"]
[[case]]
name = "everything inline"
channel = "fax"
customer = {group = "trial"}
products = {X = {brand = "K", list_price = 10.5}}
payment_methods = ["net_terms", {code = "dummy", amount = 100}]
ship_to = {region = "JP-27"}
cart = [{sku = "X", quantity = 2, id = "a"}]
expect = {goods = 21, payment = [{code = "net_terms", offered = false, by = "PM10"}]}
"""
    assert [one.problems for one in load(tmp_path, rules(PM10=body)).cases] == [()]


def test_a_case_may_say_what_another_rule_would_do_that_only_watches(tmp_path: Path) -> None:
    case = """[surcharge]
amount = 5
[[case]]
products = {X = {list_price = 10}}
cart = [{sku = "X", quantity = 1}]
expect = {shadow = [{code = "SC20"}]}
"""
    watching = 'mode = "shadow"\n[surcharge]\namount = 9\n'
    found = load(tmp_path, rules(SC10=case, SC20=watching)).cases
    assert [one.problems for one in found] == [()]


def test_a_rule_without_case_or_reached_by_none_is_a_warning(tmp_path: Path) -> None:
    files = {
        **rules(
            QT10=QUANTITY,
            QT20='[when]\n"product.sku" = "M4"\n"line.quantity" = {gt = 9}\n[quantity]\nminimum = 2\n'
            + case("", "{outcome = 'block'}"),
        ),
        **PRODUCTS,
    }
    assert [(one.check, one.rule) for one in load(tmp_path, files).findings] == [
        ("rule-without-case", "QT10"), ("rule-not-covered", "QT20")
    ]  # fmt: skip


def test_unknown_keys_of_cases_and_expectations_are_load_errors(tmp_path: Path) -> None:
    body = QUANTITY + "[[case]]\ncrat = [{sku = 'M4', quantity = 5}]\nexpect = {outcom = 'ok'}\n"
    assert [one.check for one in load(tmp_path, rules(QT10=body)).errors] == [
        "missing-key",
        "unknown-key",
        "unknown-key",
    ]


def test_cases_of_other_rules_run_without_a_folder_again(tmp_path: Path) -> None:
    text = rule("QT10", QUANTITY + case("", "{outcome = 'block'}"))
    ruleset = loaded(tmp_path, {"QT10": text, **PRODUCTS})
    catalog = load(tmp_path, {}).catalog
    assert [one.name for one in run_cases(ruleset, catalog, TODAY)] == ["c"]
