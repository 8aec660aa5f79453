"""Surcharges, order limits, discounts, methods, tax, catalog, scope, shadow and the trace."""

from decimal import Decimal

import pytest

from rules import CartError
from support.rulesets import ON, decide, load, load_files


def charges(decision):
    return [(one.code, one.amount, one.lines) for one in decision.surcharges]


def test_a_shared_set_up_is_charged_once_per_batch(tmp_path):
    rules = load(tmp_path, SC10='[surcharge]\namount = 2000\nper = "batch"\n')
    decision = decide(rules, ("M4-10", 1), ("N4", 1), ("M4-20", 1))
    assert charges(decision) == [("SC10", 2000, ("1", "3")), ("SC10", 2000, ("2",))]


def test_per_order_takes_the_whole_order_as_its_base(tmp_path):
    rules = load(tmp_path, SC10='[when]\n"product.sku" = "N4"\n[surcharge]\npercent = 10\nper = "order"\n')
    assert charges(decide(rules, ("M4-10", 10), ("N4", 100))) == [("SC10", 237, ("1", "2"))]
    assert charges(decide(rules, ("M4-10", 10))) == []


def test_per_lot_charges_every_started_lot(tmp_path):
    rules = load(tmp_path, SC10='[surcharge]\nper_lot = {lot = 50, amount = 300}\nper = "product"\n')
    assert charges(decide(rules, ("N4", 51), ("N4", 49))) == [("SC10", 600, ("1", "2"))]
    assert charges(decide(rules, ("N4", 101))) == [("SC10", 900, ("1",))]


def test_bounds_hold_before_the_charge_is_rounded(tmp_path):
    rules = load(tmp_path, SC10="[surcharge]\nper_unit = 0.3\nat_least = 5\nat_most = 10\n")
    assert [decide(rules, ("N4", n)).surcharges[0].amount for n in (1, 18, 20, 100)] == [5, 5, 6, 10]


def test_a_charge_of_nothing_is_not_listed(tmp_path):
    rules = load(tmp_path, SC10="[surcharge]\npercent = 0.1\n")
    assert charges(decide(rules, ("N4", 1))) == []


def test_a_small_order_fee_looks_at_the_goods(tmp_path):
    rules = load(
        tmp_path, SC10='[when]\n"order.subtotal" = {lt = 3000}\n[surcharge]\namount = 500\nper = "order"\n'
    )
    assert charges(decide(rules, ("M4-10", 24))) == [("SC10", 500, ("1",))]
    assert charges(decide(rules, ("M4-10", 25))) == []


def test_matching_sums_only_the_lines_of_this_rule(tmp_path):
    rules = load(
        tmp_path,
        SC10='[when]\n"product.category" = "screws"\n"matching.quantity" = {lt = 100}\n'
        '[surcharge]\namount = 300\nper = "matching"\n',
    )
    assert charges(decide(rules, ("M4-10", 50), ("M4-20", 49), ("N4", 500))) == [("SC10", 300, ("1", "2"))]
    assert charges(decide(rules, ("M4-10", 50), ("M4-20", 50), ("N4", 1))) == []


def test_below_the_order_minimum_the_graded_outcomes_apply(tmp_path):
    rules = load(
        tmp_path,
        OR10='[order]\nminimum = 3000\n[[order.below]]\nat_least = 1000\noutcome = "surcharge"\namount = 500\n',
    )
    assert decide(rules, ("M4-10", 25)).issues == ()
    fee = decide(rules, ("M4-10", 10))
    assert (fee.outcome, fee.goods, fee.subtotal, charges(fee)) == ("ok", 1200, 1700, [("OR10", 500, ("1",))])
    assert (fee.issues[0].have, fee.issues[0].need, fee.issues[0].lines) == ("1200", "3000", ())
    assert decide(rules, ("M4-10", 5)).outcome == "block"


def test_credit_is_checked_last_with_tax_and_shipping(tmp_path):
    rules = load(tmp_path, OR20='[order]\ncredit = "approval"\n')
    customer = {"code": "ACME", "credit_left": "1400"}
    quotes = [{"code": "flat_rate", "amount": "100"}]
    decision = decide(rules, ("M4-10", 10), customer=customer, shipping_quotes=quotes, shipping="flat_rate")
    assert (decision.total, decision.outcome) == (1430, "approval")
    assert decide(rules, ("M4-10", 10), customer=customer).outcome == "ok"


def test_the_best_discount_applies_alone_and_is_split_over_tax_rates(tmp_path):
    rules = load_files(
        tmp_path,
        {
            "DC10": '[discount]\namount = 1000\nper = "order"\n',
            "DC20": '[discount]\npercent = 1\nper = "order"\n',
        },
    )
    lines = {"products": {"A": {"list_price": "8250"}, "B": {"list_price": "4125", "tax": "reduced"}}}
    decision = decide(rules, ("A", 1), ("B", 1), **lines)
    (discount,) = decision.discounts
    assert (discount.code, discount.amount, discount.tax) == (
        "DC10", 1000, (("reduced", 333), ("standard", 667)),
    )  # fmt: skip
    assert [(row.category, row.base) for row in decision.tax] == [("standard", 7583), ("reduced", 3792)]
    assert (decision.goods, decision.subtotal) == (12375, 11375)


@pytest.mark.parametrize(("prices", "expected"), [((105, 105, 105), (315, 31)), ((1890,), (1890, 189))])
def test_tax_is_rounded_once_per_rate(tmp_path, prices, expected):
    rules = load(tmp_path, QT10="[quantity]\nminimum = 1\n")
    products = {f"P{n}": {"list_price": str(price)} for n, price in enumerate(prices)}
    decision = decide(rules, *((sku, 1) for sku in products), products=products)
    assert (decision.tax[0].base, decision.tax[0].amount) == expected


def test_an_exempt_product_has_a_row_of_its_own(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nminimum = 1\n")
    decision = decide(
        rules, ("SALT", 1), ("M4-10", 1), ("X", 1), products={"X": {"list_price": "7", "tax": "exempt"}}
    )
    assert [(row["category"], row["rate"], row["amount"]) for row in decision.as_json()["tax"]] == [
        ("standard", "0.10", "12"), ("reduced", "0.08", "54"), ("exempt", "0.00", "0"),
    ]  # fmt: skip


def test_free_from_makes_the_quote_free_and_add_is_still_paid(tmp_path):
    rules = load(
        tmp_path,
        SH10="[shipping]\nfree_from = 1000\n",
        SH20='[when]\n"order.ship_to.region" = "JP-47"\n[shipping]\nadd = 500\n',
        SH30='[when]\n"order.ship_to.region" = "JP-47"\n[shipping]\nhide = ["pickup"]\n',
    )
    decision = decide(
        rules, ("M4-10", 10), ship_to={"region": "JP-47"}, shipping="flat_rate",
        shipping_quotes=[{"code": "flat_rate", "amount": "770"}, {"code": "pickup", "amount": "0"}],
    )  # fmt: skip
    assert decision.as_json()["shipping"] == [
        {"code": "flat_rate", "offered": True, "amount": "500"},
        {"code": "pickup", "offered": False, "by": "SH30"},
    ]
    assert (decision.subtotal, decision.total) == (1200, 1870)


def test_a_chosen_method_that_is_not_offered_blocks_with_the_code_that_denies_it(tmp_path):
    rules = load(tmp_path, PM10='[when]\n"customer.known" = true\n[payment]\nonly = ["bank_transfer"]\n')
    methods = ["bank_transfer", "net_terms"]
    decision = decide(
        rules, ("N4", 9), customer={"code": "BETA"}, payment="net_terms", payment_methods=methods
    )
    assert (decision.outcome, decision.issues[0].code) == ("block", "PM10")
    assert decide(rules, ("N4", 9), payment="net_terms", payment_methods=methods).outcome == "ok"


def test_terms_come_whole_from_the_most_specific_rule(tmp_path):
    rules = load(
        tmp_path,
        PM10="[payment]\nterms = {net_days = 30}\n",
        PM20='[when]\n"customer.group" = "gold"\n[payment]\n'
        "terms = {closing_day = 20, pay_month = 1, pay_day = 31}\n",
    )
    assert decide(rules, ("N4", 1)).as_json()["terms"] == {"code": "PM10", "net_days": 30}
    gold = decide(rules, ("N4", 1), customer={"code": "GOLD"}).as_json()["terms"]
    assert gold == {"code": "PM20", "closing_day": 20, "pay_month": 1, "pay_day": 31}


def test_a_hidden_product_is_blocked_and_a_quotation_product_shows_no_price(tmp_path):
    rules = load(
        tmp_path,
        CA10='[when]\n"product.sku" = "N4"\n[catalog]\nhide = true\n',
        CA20='[when]\n"product.sku" = "M4-10"\n[catalog]\nprice = "quotation"\n',
        CA30='[when]\n"product.sku" = "SALT"\n[catalog]\nprice = "login"\n',
    )
    decision = decide(rules, ("N4", 1), ("M4-10", 1), ("SALT", 1))
    assert [line.outcome for line in decision.lines] == ["block", "quotation", "block"]
    assert [line.unit_price for line in decision.lines] == [Decimal("11.7"), None, None]
    known = decide(rules, ("SALT", 1), customer={"code": "ACME"})
    assert (known.outcome, known.goods) == ("ok", 680)


def test_a_pilot_reaches_the_same_customers_for_every_rule(tmp_path):
    rules = load(
        tmp_path,
        SC10='[scope]\nregions = ["JP-27"]\n[surcharge]\namount = 100\n',
        SC20='[scope]\ncustomers = ["BETA"]\n[surcharge]\namount = 200\n',
    )
    assert [c[0] for c in charges(decide(rules, ("N4", 1), customer={"code": "ACME"}))] == ["SC10"]
    assert [c[0] for c in charges(decide(rules, ("N4", 1), customer={"code": "BETA"}))] == ["SC20"]
    assert charges(decide(rules, ("N4", 1))) == []


def test_a_shadow_rule_changes_nothing_and_says_what_it_would_have_done(tmp_path):
    rules = load(tmp_path, SC10='mode = "shadow"\n[when]\n"product.sku" = "N4"\n[surcharge]\namount = 100\n')
    decision = decide(rules, ("N4", 10), ("M4-10", 1))
    assert decision.surcharges == ()
    assert decision.as_json()["shadow"] == [
        {"code": "SC10", "lines": ["1"], "outcome": "ok", "subtotal": "337", "total": "370"}
    ]


def test_the_trace_names_every_candidate_and_the_first_condition_that_failed(tmp_path):
    rules = load(
        tmp_path,
        PR10="[price]\nunit = 100\n",
        PR20='[when]\n"customer.group" = "standard"\n[price]\nunit = 90\n',
        PR30="from = 2027-01-01\nbeats = ['PR10']\n[price]\nunit = 1\n",
        QT10='[when]\n"customer.group" = "gold"\n"product.sku" = "N4"\n[quantity]\nminimum = 5\n',
        SC10='[scope]\ncustomers = ["GOLD"]\n[surcharge]\namount = 1\n',
    )
    decision = decide(rules, ("M4-10", 1), customer={"code": "ACME"}, explain=True)
    assert decision.as_json()["considered"] == [
        {"code": "PR10", "line": "1", "status": "outranked_by", "by": "PR20"},
        {"code": "PR20", "line": "1", "status": "applied"},
        {"code": "PR30", "status": "outside_dates"},
        {
            "code": "QT10",
            "line": "1",
            "status": "not_matched",
            "condition": "customer.group",
            "value": "standard",
        },
        {"code": "SC10", "status": "out_of_scope"},
    ]


def test_a_lead_time_tier_is_a_line_of_its_own_and_may_be_cheaper(tmp_path):
    rules = load(
        tmp_path,
        LT10='[lead_time]\ntiers = [{code = "economy", days = 10, percent = -3}, '
        '{code = "express", days = 2, percent = 20, cutoff = "12:30", max_quantity = 50}]\n',
    )
    slow = decide(rules, ("M4-10", 100), lead_time="economy")
    assert (charges(slow), slow.subtotal) == ([("LT10", -360, ("1",))], 11640)
    assert [(tier.code, tier.offered) for tier in slow.lead_time] == [("economy", True), ("express", False)]
    assert decide(rules, ("M4-10", 100), lead_time="express").outcome == "block"


def test_a_cart_that_cannot_be_evaluated_names_every_fault(tmp_path):
    rules = load(tmp_path, QT10="[quantity]\nminimum = 1\n")
    with pytest.raises(CartError) as caught:
        decide(rules, ("NOPE", 1), ("N4", 0), currency="USD")
    assert {fault.field for fault in caught.value.faults} >= {"lines[0].sku", "lines[1].quantity", "currency"}


def test_the_same_date_decides_rules_and_tax(tmp_path):
    rules = load_files(
        tmp_path,
        {
            "shop.toml": '[tax]\nrates = [{category = "standard", rate = 0.10}, '
            '{category = "standard", rate = 0.12, from = 2027-04-01}]\n',
            "PR10": "until = 2027-03-31\n[price]\nunit = 100\n",
        },
    )
    assert decide(rules, ("M4-10", 1)).total == 110
    assert decide(rules, ("M4-10", 1), on="2027-04-01").total == 134
    assert ON.year == 2026
