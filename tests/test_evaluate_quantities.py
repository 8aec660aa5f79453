"""Quantity rules: who decides each field, what is missed, and the ways out."""

import json

import pytest

from support.rulesets import decide, load

EXAMPLE = """
because = {ja = "段取り替えに30分かかります", en = "Each run needs a 30 minute set-up"}
[when]
"product.category" = "screws"
[quantity]
minimum = 100
multiple = 10
maximum = 5000
above = "approval"
[[quantity.below]]
at_least = 60
outcome = "surcharge"
amount = 800
label = {ja = "小ロット手数料", en = "Small-lot fee"}
[[quantity.below]]
at_least = 10
outcome = "quotation"
[[quantity.below]]
outcome = "block"
"""
RATE = '[when]\n"customer.group" = "standard"\n[price]\nrate = 0.65\n'


@pytest.fixture
def example(tmp_path):
    return load(tmp_path, QT10=EXAMPLE, PR20=RATE)


def fixes(decision, line="1"):
    return [
        (fix.quantity, fix.change) for issue in decision.issues for fix in issue.fixes if fix.line == line
    ]


def test_sixty_screws_pay_the_small_lot_fee_and_are_shown_the_hundred(example):
    decision = decide(example, ("M4-10", 60), customer={"code": "ACME"})
    (issue,) = decision.issues
    assert (decision.outcome, issue.outcome, issue.have, issue.need) == ("ok", "surcharge", "60", "100")
    assert (decision.goods, decision.surcharges[0].amount, decision.subtotal) == (4680, 800, 5480)
    assert (decision.tax[0].amount, decision.total) == (548, 6028)
    assert fixes(decision) == [(100, 2320)]


def test_five_screws_are_refused_and_every_better_quantity_is_named(example):
    decision = decide(example, ("M4-10", 5), customer={"code": "ACME"})
    assert decision.outcome == "block"
    assert fixes(decision) == [(10, 390), (60, 5090), (100, 7410)]


def test_a_quantity_off_the_multiple_has_both_neighbours(example):
    assert fixes(decide(example, ("M4-10", 101), customer={"code": "ACME"})) == [(100, -78), (110, 702)]


def test_above_the_maximum_the_way_out_is_down(example):
    decision = decide(example, ("M4-10", 5010), customer={"code": "ACME"})
    assert decision.outcome == "approval"
    assert [quantity for quantity, _ in fixes(decision)] == [5000]


def test_the_limits_themselves_are_allowed(example):
    for quantity in (100, 5000):
        assert decide(example, ("M4-10", quantity), customer={"code": "ACME"}).issues == ()


def test_without_below_less_than_the_minimum_is_refused(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nminimum = 3\n")
    assert decide(rules, ("N4", 2)).outcome == "block"


def test_a_multiple_from_zero_is_checked_below_the_minimum_too(tmp_path):
    rules = load(
        tmp_path, QT10='[quantity]\nminimum = 100\nmultiple = 10\n[[quantity.below]]\noutcome = "warn"\n'
    )
    (issue,) = decide(rules, ("N4", 55)).issues
    assert (issue.outcome, issue.need) == ("block", "10")


def test_a_multiple_from_the_minimum_counts_up_from_it_and_says_nothing_below(tmp_path):
    rules = load(
        tmp_path,
        QT10='[quantity]\nminimum = 25\nmultiple = 10\nmultiple_from = "minimum"\n'
        '[[quantity.below]]\noutcome = "warn"\n',
    )
    assert decide(rules, ("N4", 35)).issues == ()
    assert decide(rules, ("N4", 7)).outcome == "warn"
    assert [quantity for quantity, _ in fixes(decide(rules, ("N4", 30)))] == [25, 35]


def test_allowed_quantities_name_the_next_one_above(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nallowed = [10, 25, 50]\n")
    (issue,) = decide(rules, ("N4", 30)).issues
    assert (issue.outcome, issue.need) == ("block", "50")
    assert [fix.quantity for fix in issue.fixes] == [25, 50]
    assert decide(rules, ("N4", 60)).issues[0].need == "50"


def test_each_field_comes_from_its_most_specific_rule(tmp_path):
    rules = load(
        tmp_path,
        QT10="[quantity]\nminimum = 100\nmultiple = 10\n",
        QT20='[when]\n"product.sku" = "M4-10"\n[quantity]\nminimum = 20\n',
    )
    assert decide(rules, ("M4-10", 20)).issues == ()
    (issue,) = decide(rules, ("M4-10", 25)).issues
    assert (issue.code, issue.need) == ("QT10", "10")


def test_product_counts_add_two_lines_of_one_sku(tmp_path):
    rules = load(tmp_path, QT10='[quantity]\nminimum = 100\ncounts = "product"\n')
    assert decide(rules, ("M4-10", 60), ("M4-10", 40)).issues == ()
    (issue,) = decide(rules, ("M4-10", 30), ("M4-10", 40)).issues
    assert (issue.have, issue.lines) == ("70", ("1", "2"))
    assert [(fix.line, fix.quantity) for fix in issue.fixes] == [("1", 60), ("2", 70)]


def test_lines_are_judged_one_by_one_unless_counts_says_otherwise(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nminimum = 50\n")
    decision = decide(rules, ("M4-10", 30), ("M4-10", 50))
    assert [line.outcome for line in decision.lines] == ["block", "ok"]


def test_a_batch_counts_across_products_and_a_product_without_batch_is_its_own(tmp_path):
    rules = load(tmp_path, QT10='[quantity]\nminimum = 100\ncounts = "batch"\n')
    decision = decide(rules, ("M4-10", 60), ("M4-20", 40), ("N4", 99))
    (issue,) = decision.issues
    assert issue.lines == ("3",)


def test_a_worse_finding_hides_the_surcharge_but_not_its_charge(tmp_path):
    rules = load(
        tmp_path,
        QT10='[quantity]\nminimum = 100\nmultiple = 10\n[[quantity.below]]\noutcome = "surcharge"\namount = 500\n',
    )
    decision = decide(rules, ("N4", 55))
    assert [issue.outcome for issue in decision.issues] == ["block"]
    assert [charge.amount for charge in decision.surcharges] == [500]


def test_per_missing_charges_each_missing_piece_once_per_group(tmp_path):
    rules = load(
        tmp_path,
        QT10='[quantity]\nminimum = 100\ncounts = "product"\n'
        '[[quantity.below]]\noutcome = "surcharge"\nper_missing = 12.5\n',
    )
    decision = decide(rules, ("N4", 30), ("N4", 37))
    assert [(charge.amount, charge.lines) for charge in decision.surcharges] == [(413, ("1", "2"))]


def test_fixes_notice_conditions_on_the_quantity_itself(tmp_path):
    rules = load(
        tmp_path,
        QT10='[when]\n"line.quantity" = {lt = 50}\n[quantity]\nmultiple = 7\n',
        QT20='[when]\n"line.quantity" = {ge = 50}\n[quantity]\nmultiple = 10\n',
    )
    found = [quantity for quantity, _ in fixes(decide(rules, ("N4", 48)))]
    assert found == [42, 49]


def test_a_huge_quantity_is_answered_at_once(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nmultiple = 7\nmaximum = 999999999\n")
    found = [quantity for quantity, _ in fixes(decide(rules, ("N4", 999_999_998)))]
    assert found == [999_999_994]


def test_the_decision_names_the_same_bytes_for_any_order_of_files(tmp_path):
    one = load(
        tmp_path / "a",
        QT10="[quantity]\nminimum = 5\n",
        QT20='[when]\n"product.sku"="N4"\n[quantity]\nmaximum=9\n',
    )
    two = load(
        tmp_path / "b",
        QT20='[when]\n"product.sku"="N4"\n[quantity]\nmaximum=9\n',
        QT10="[quantity]\nminimum = 5\n",
    )
    first, second = decide(one, ("N4", 11)), decide(two, ("N4", 11))
    assert first.to_bytes() == second.to_bytes()
    assert json.loads(first.to_bytes())["issues"][0]["code"] == "QT20"
