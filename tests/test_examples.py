"""The example shops are models for owners: no errors, every case passes, and every case guards its rule."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rules import evaluate, load_ruleset, read_cart
from rules.cases import run_cases
from storefront.own_packages import examples_folder

METHODS = frozenset({"flat_rate", "table_rate", "bank_transfer", "net_terms", "dummy"})
TODAY = date(2026, 12, 1)
SHOPS = ("neji", "starter", "online-retail")
GROUPS_BUILT = {"CA", "PR", "QT", "SC", "DC", "OR", "LT", "SH", "PM"}


def load(name):
    return load_ruleset(examples_folder() / name, methods=METHODS, today=TODAY)


def codes(name):
    return [rule.code for rule in load(name).ruleset.rules]


@pytest.mark.parametrize("name", SHOPS)
def test_an_example_shop_has_no_finding_and_every_case_passes(name):
    loaded = load(name)
    assert [str(finding) for finding in loaded.findings] == []
    results = list(run_cases(loaded.ruleset, loaded.catalog, TODAY))
    assert [result.name for result in results if not result.passed] == []
    assert {result.rule for result in results if result.covered} == {
        rule.code for rule in loaded.ruleset.rules
    }


@pytest.mark.parametrize("name", SHOPS)
def test_every_rule_of_an_example_has_a_reason_in_both_languages_and_two_cases(name):
    for rule in load(name).ruleset.rules:
        assert {"ja", "en"} <= rule.name.keys(), rule.code
        assert rule.because is not None and {"ja", "en"} <= rule.because.keys(), rule.code
        assert len(rule.cases) >= 2, rule.code


def test_the_demo_shows_every_group_of_rules():
    assert {code[:2] for code in codes("neji")} == GROUPS_BUILT


def without(ruleset, code):
    """The rule set as it would be without that rule's effect, its cases kept: it is in force on no day."""
    rules = tuple(
        replace(rule, from_on=date(1999, 1, 1), until_on=date(1999, 1, 1)) if rule.code == code else rule
        for rule in ruleset.rules
    )
    return replace(ruleset, rules=rules, compiled={})


def failing(ruleset, catalog, code):
    return [one.name for one in run_cases(ruleset, catalog, TODAY) if one.rule == code and not one.passed]


@pytest.mark.parametrize(("name", "code"), [(name, code) for name in SHOPS for code in codes(name)])
def test_without_its_rule_some_case_fails(name, code):
    loaded = load(name)
    on_days = {rule.code: rule.from_on for rule in loaded.ruleset.rules}
    cut = without(loaded.ruleset, code)
    cases = tuple({"on": on_days[code] or TODAY, **case} for case in loaded.ruleset.rule(code).cases)
    rules = tuple(replace(rule, cases=cases) if rule.code == code else rule for rule in cut.rules)
    assert failing(replace(cut, rules=rules, compiled={}), loaded.catalog, code)


def guards_itself(rule):
    """Price tables say in their rows for what they are, and `terms = null` cannot be written in a case."""
    return getattr(rule.effect, "kind", "") == "table" or getattr(rule.effect, "terms", None) is not None


@pytest.mark.parametrize("name", SHOPS)
def test_without_any_one_condition_some_case_of_the_rule_fails(name):
    loaded = load(name)
    weak = []
    for rule in loaded.ruleset.rules:
        for place, line in enumerate(rule.when):
            wide = replace(rule, when=rule.when[:place] + rule.when[place + 1 :])
            rules = tuple(wide if one.code == rule.code else one for one in loaded.ruleset.rules)
            if not guards_itself(rule) and not failing(
                replace(loaded.ruleset, rules=rules, compiled={}), loaded.catalog, rule.code
            ):
                weak.append((rule.code, line))
    assert weak == []


def decide(loaded, customer, *lines, **more):
    cart, on = read_cart(
        {
            "customer": {"code": customer},
            "on": "2026-12-01",
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            **more,
        },
        loaded.ruleset,
        loaded.catalog,
    )
    return evaluate(loaded.ruleset, cart, on)


def test_a_buyer_of_30_screws_reads_both_ways_out():
    decision = decide(load("neji"), "HAYASHI", ("M4-10", 30))
    (issue,) = [issue for issue in decision.issues if issue.code == "QT10"]
    assert (decision.outcome, issue.have, issue.need) == ("block", "30", "100")
    assert [(fix.quantity, fix.outcome) for fix in issue.fixes] == [(60, "surcharge"), (100, "ok")]


def test_a_company_with_agreed_prices_gets_its_own_and_nobody_else_does():
    loaded = load("neji")
    prices = {
        customer: str(decide(loaded, customer, ("M4-10", 100)).lines[0].unit_price)
        for customer in ("KITAHAMA", "ONISHI", "HAYASHI", "NAKANO", "KOHOKU")
    }
    assert prices == {"KITAHAMA": "62", "ONISHI": "64", "HAYASHI": "65", "NAKANO": "110.40", "KOHOKU": "120"}


def test_the_exception_lets_one_customer_take_30_of_one_product():
    loaded = load("neji")
    own = decide(loaded, "NAKANO", ("P-20", 30))
    assert own.outcome == "ok"
    assert decide(loaded, "NAKANO", ("P-12", 30)).outcome == "block"
    assert decide(loaded, "YAMATE", ("P-20", 30)).outcome == "block"


def test_the_demo_has_the_products_customers_and_regions_the_tour_needs():
    catalog = load("neji").catalog
    assert len(catalog.products) >= 60
    assert {customer.group for customer in catalog.customers.values()} == {"standard", "partner", "trial"}
    assert len(catalog.customers) == 8
    assert {customer.region for customer in catalog.customers.values()} == {"JP-27", "JP-13", None}
    drawings = {path.name for path in (examples_folder() / "neji" / "drawings").iterdir()}
    text = (examples_folder() / "neji" / "products.csv").read_text(encoding="utf-8")
    assert all(name in text for name in drawings)


def test_the_registration_number_of_the_demo_has_a_valid_check_digit():
    number = next(
        line.split('"')[1]
        for line in (examples_folder() / "neji" / "shop.toml").read_text(encoding="utf-8").splitlines()
        if line.startswith("registration_number")
    )
    digits = number.removeprefix("T")
    total = sum(int(digit) * (1, 2)[place % 2] for place, digit in enumerate(reversed(digits[1:])))
    assert len(digits) == 13 and int(digits[0]) == 9 - total % 9


def test_a_case_fails_when_an_owner_changes_the_starter_as_its_readme_says(tmp_path: Path):
    shop = tmp_path / "shop"
    shutil.copytree(examples_folder() / "starter", shop, ignore=shutil.ignore_patterns("var"))
    rule = shop / "rules" / "QT10_boxes.toml"
    rule.write_text(
        rule.read_text(encoding="utf-8").replace("minimum = 50", "minimum = 30"), encoding="utf-8"
    )
    findings = load_ruleset(shop, methods=METHODS, today=TODAY).findings
    assert {finding.check for finding in findings} == {"case-fails"}
