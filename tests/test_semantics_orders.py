"""Rule-semantics 89 to 119, 124, 138 and 144, one by one: charges, order, methods, tax and the decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules import CartError
from support.rulesets import CATALOG, ON, decide, folder, load_files
from support.semantics import checks, codes_of

ACME = {"code": "ACME"}
PER_LINE = 'per = "line"\n'


def charged(tmp_path: Path, rule: str, *wanted: tuple[str, int], **cart: Any) -> list[tuple[str, list[str]]]:
    found = decide(load_files(tmp_path, {"SC1": rule}), *wanted, **cart).as_json()["surcharges"]
    return [(one["amount"], one["lines"]) for one in found]


def test_per_is_line_by_default_and_needed_when_no_condition_sees_a_product(tmp_path: Path) -> None:
    """89"""
    assert charged(tmp_path, "[surcharge]\namount = 7\n", ("N4", 1), ("N4", 1)) == [
        ("7", ["1"]),
        ("7", ["2"]),
    ]
    when = '[when]\n"order.subtotal" = {lt = 100}\n"customer.group" = "gold"\n'
    assert checks(tmp_path / "a", {"SC1": f"{when}[surcharge]\namount = 7\n"}) == ["surcharge-without-per"]
    assert checks(tmp_path / "b", {"SC1": f"{when}[surcharge]\namount = 7\n{PER_LINE}"}) == []


def test_a_surcharge_looks_at_the_lines_its_rule_matches_grouped_by_per(tmp_path: Path) -> None:
    """90"""
    wanted = (("M4-10", 1), ("M4-20", 1), ("N4", 1), ("M4-10", 1))
    expected = {
        "line": [["1"], ["2"], ["4"]], "product": [["1", "4"], ["2"]], "batch": [["1", "2", "4"]],
        "matching": [["1", "2", "4"]], "order": [["1", "2", "3", "4"]],
    }  # fmt: skip
    for per, lines in expected.items():
        rule = f'[when]\n"product.category" = "screws"\n[surcharge]\namount = 7\nper = "{per}"\n'
        assert charged(tmp_path, rule, *wanted) == [("7", one) for one in lines], per
        assert charged(tmp_path, rule, ("N4", 1)) == []


def test_percent_is_of_the_goods_of_the_base(tmp_path: Path) -> None:
    """91, 97"""
    files = {
        "PR1": "[price]\noff_percent = 50\n",
        "SC1": '[surcharge]\npercent = 10\nper = "matching"\n',
        "SC2": '[surcharge]\namount = 1000\nper = "order"\n',
    }
    found = decide(load_files(tmp_path, files), ("M4-10", 10)).as_json()
    assert [one["amount"] for one in found["surcharges"]] == ["60", "1000"]
    assert (found["goods"], found["subtotal"]) == ("600", "1660")


def test_per_lot_charges_every_started_lot_of_the_group(tmp_path: Path) -> None:
    """92"""
    rule = '[surcharge]\nper_lot = {lot = 50, amount = 300}\nper = "product"\n'
    assert charged(tmp_path, rule, ("N4", 50), ("N4", 1), ("M4-10", 50)) == [
        ("600", ["1", "2"]),
        ("300", ["3"]),
    ]


def test_bounds_hold_before_the_one_rounding(tmp_path: Path) -> None:
    """93"""
    rule = "[surcharge]\nper_unit = 0.3\nat_least = 5\nat_most = 10\n"
    assert [charged(tmp_path, rule, ("N4", n))[0][0] for n in (1, 18, 25, 100)] == ["5", "5", "8", "10"]
    files = {"shop.toml": '[policy]\namount_rounding = "floor"\n', "SC1": "[surcharge]\npercent = 3.3\n"}
    assert decide(load_files(tmp_path, files), ("M4-10", 1)).surcharges[0].amount == 3


def test_a_surcharge_has_its_own_tax_category_else_the_default(tmp_path: Path) -> None:
    """94"""
    files = {"SC1": '[surcharge]\namount = 100\ntax = "reduced"\n', "SC2": "[surcharge]\namount = 50\n"}
    found = decide(load_files(tmp_path, files), ("SALT", 1)).as_json()
    assert [(one["code"], one["tax"]) for one in found["surcharges"]] == [
        ("SC1", "reduced"),
        ("SC2", "standard"),
    ]
    assert [(row["category"], row["base"]) for row in found["tax"]] == [
        ("standard", "50"),
        ("reduced", "780"),
    ]
    default = {"shop.toml": '[tax]\ndefault = "reduced"\n', "SC1": "[surcharge]\namount = 100\n"}
    assert decide(load_files(tmp_path / "b", default), ("SALT", 1)).surcharges[0].tax == "reduced"


def test_exactly_one_kind_of_charge_and_nothing_is_not_listed(tmp_path: Path) -> None:
    """95"""
    assert charged(tmp_path, "[surcharge]\npercent = 0.1\n", ("N4", 1)) == []
    assert checks(tmp_path / "a", {"SC1": "[surcharge]\namount = 1\npercent = 1\n"}) == ["conflicting-keys"]
    assert checks(tmp_path / "b", {"SC1": '[surcharge]\nper = "line"\n'}) == ["missing-key"]


def test_a_line_without_a_price_counts_as_nothing_in_amounts(tmp_path: Path) -> None:
    """96, 68"""
    rule = '[when]\n"line.amount" = {le = 0}\n[surcharge]\nper_unit = 2\nper = "matching"\n'
    assert charged(tmp_path, rule, ("ODD", 5), ("N4", 1)) == [("10", ["1"])]
    percent = '[surcharge]\npercent = 10\nper = "order"\n'
    assert charged(tmp_path, percent, ("ODD", 5), ("M4-10", 1)) == [("12", ["1", "2"])]


def test_order_limits_are_allowed_themselves_and_name_no_lines(tmp_path: Path) -> None:
    """97, 98, 78"""
    files = {"OR1": "[order]\nminimum = 1200\nmaximum = 2400\n", "SC1": "[surcharge]\namount = 5000\n"}
    rules = load_files(tmp_path, files)
    assert [codes_of(decide(rules, ("M4-10", n)).issues) for n in (9, 10, 20, 21)] == [
        ["OR1"],
        [],
        [],
        ["OR1"],
    ]
    issue = decide(rules, ("M4-10", 9)).as_json()["issues"][0]
    assert (issue["lines"], issue["fixes"], issue["have"], issue["need"]) == ([], [], "1080", "1200")


def test_below_the_order_minimum_at_least_is_an_amount_and_the_charge_names_every_line(
    tmp_path: Path,
) -> None:
    """99, 80"""
    rule = (
        "[order]\nminimum = 3000\nbelow = ["
        '{at_least = 2000, outcome = "surcharge", per_missing = 0.5}, '
        '{at_least = 1000, outcome = "surcharge", percent = 10}]\n'
    )
    rules = load_files(tmp_path, {"OR1": rule})

    def found(*wanted: tuple[str, int]) -> list[tuple[str, list[str]]]:
        return [(one["amount"], one["lines"]) for one in decide(rules, *wanted).as_json()["surcharges"]]

    assert found(("M4-10", 10), ("N4", 100)) == [("315", ["1", "2"])]  # 0.5 x (3000 - 2370)
    assert found(("M4-10", 10)) == [("120", ["1"])]
    assert decide(rules, ("M4-10", 8)).outcome == "block"


def test_credit_is_checked_last_against_the_total(tmp_path: Path) -> None:
    """100"""
    rules = load_files(tmp_path, {"OR1": '[order]\ncredit = "approval"\n'})
    for left, expected in (("1319", "approval"), ("1320", "ok"), (None, "ok")):
        customer = {"code": "ACME"} | ({"credit_left": left} if left else {})
        decision = decide(rules, ("M4-10", 10), customer=customer)
        assert decision.outcome == expected
    issue = decide(rules, ("M4-10", 10), customer={"code": "ACME", "credit_left": "0"}).as_json()["issues"][0]
    assert (issue["lines"], issue["have"], issue["need"]) == ([], "1320", "0")
    assert (
        decide(
            load_files(tmp_path, {"OR1": "[order]\nminimum = 1\n"}),
            ("M4-10", 10),
            customer={"credit_left": "0"},
        ).outcome
        == "ok"
    )


def test_a_chosen_tier_is_a_surcharge_line(tmp_path: Path) -> None:
    """101, 115"""
    tiers = (
        '[lead_time]\ntiers = [{code = "economy", days = 10, percent = -5}, '
        '{code = "express", days = 1, percent = 12.5, cutoff = "12:30", max_quantity = 10, per_day = 3}]\n'
    )
    rules = load_files(tmp_path, {"LT1": tiers})
    found = decide(rules, ("M4-10", 10), lead_time="express").as_json()
    assert found["lead_time"] == [
        {"code": "economy", "days": 10, "percent": "-5", "offered": True, "amount": "-60", "by": "LT1"},
        {"code": "express", "days": 1, "percent": "12.5", "offered": True, "amount": "150", "by": "LT1",
         "cutoff": "12:30", "max_quantity": 10, "per_day": 3},
    ]  # fmt: skip
    assert [(one["code"], one["amount"]) for one in found["surcharges"]] == [("LT1", "150")]
    assert decide(rules, ("M4-10", 10), lead_time="economy").subtotal == 1140
    assert decide(rules, ("M4-10", 11), lead_time="express").outcome == "block"
    assert decide(rules, ("M4-10", 11)).lead_time[1].offered is False


QUOTES = [{"code": "flat_rate", "amount": "770"}, {"code": "table_rate", "amount": "1100", "tax": "reduced"}]


def methods(tmp_path: Path, files: dict[str, str], **cart: Any) -> Any:
    cart = {"shipping_quotes": QUOTES} | cart
    return decide(load_files(tmp_path, files), ("M4-10", 10), **cart).as_json()


def test_methods_are_offered_when_every_only_names_them_and_no_hide_does(tmp_path: Path) -> None:
    """102, 103, 114"""
    files = {
        "SH2": '[shipping]\nonly = ["flat_rate", "pickup"]\n',
        "SH10": '[shipping]\nhide = ["table_rate"]\n',
        "PM1": '[payment]\nonly = ["net_terms"]\n',
        "PM2": '[when]\n"order.shipping" = "flat_rate"\n[payment]\nhide = ["net_terms"]\n',
    }
    found = methods(tmp_path, files, payment_methods=["net_terms", "bank_transfer"])
    assert found["shipping"] == [
        {"code": "flat_rate", "offered": True, "amount": "770"},
        {"code": "table_rate", "offered": False, "by": "SH10"},
    ]
    assert [(one["code"], one["offered"], one.get("by")) for one in found["payment"]] == [
        ("net_terms", True, None), ("bank_transfer", False, "PM1"),
    ]  # fmt: skip
    chosen = methods(tmp_path, files, payment_methods=["net_terms"], shipping="flat_rate")
    assert chosen["payment"] == [{"code": "net_terms", "offered": False, "by": "PM2"}]


def test_free_from_then_every_add_and_never_below_nothing(tmp_path: Path) -> None:
    """104, 105, 45"""
    files = {
        "SH1": "[shipping]\nfree_from = 1200\nadd = 100\n",
        "SH2": '[shipping]\nadd = 30\nmethods = ["table_rate"]\n',
    }
    assert [one["amount"] for one in methods(tmp_path / "a", files)["shipping"]] == ["100", "130"]
    files["SH1"] = "[shipping]\nfree_from = 1201\nadd = -800\n"
    assert [one["amount"] for one in methods(tmp_path / "a", files)["shipping"]] == ["0", "330"]
    files["SH1"] = '[shipping]\nfree_from = 1\nmethods = ["flat_rate"]\n'
    assert [one["amount"] for one in methods(tmp_path / "a", files)["shipping"]] == ["0", "1130"]


def test_a_choice_that_is_not_offered_blocks_and_nothing_left_matters_at_placement(tmp_path: Path) -> None:
    """106, 78"""
    files = {"SH1": '[shipping]\nhide = ["flat_rate", "table_rate"]\n'}
    found = methods(tmp_path, files, shipping="flat_rate")
    (issue,) = found["issues"]
    assert (issue["code"], issue["outcome"], issue["lines"], issue["have"], issue["need"]) == (
        "SH1", "block", [], None, None,
    )  # fmt: skip
    assert methods(tmp_path, files)["outcome"] == "ok"
    placed = methods(tmp_path, files, placing=True, payment_methods=[])
    assert [one["code"] for one in placed["issues"]] == ["no_payment", "no_shipping"]


def test_the_chosen_method_is_in_the_total_and_its_tax_base_not_in_the_subtotal(tmp_path: Path) -> None:
    """107"""
    assert methods(tmp_path, {})["total"] == "1320"
    found = methods(tmp_path, {}, shipping="table_rate")
    assert (found["subtotal"], found["total"]) == ("1200", "2508")
    assert [(row["category"], row["base"], row["amount"]) for row in found["tax"]] == [
        ("standard", "1200", "120"), ("reduced", "1100", "88"),
    ]  # fmt: skip


def test_payment_methods_may_carry_an_amount_and_terms_come_whole_from_one_rule(tmp_path: Path) -> None:
    """108, 131, 137"""
    assert methods(tmp_path, {})["terms"] is None
    files = {
        "PM1": "[payment]\nterms = {closing_day = 31, pay_month = 1, pay_day = 31}\n",
        "PM2": '[when]\n"customer.code" = "ACME"\n[payment]\nterms = {net_days = 30}\n',
    }
    cash = [{"code": "cash_on_delivery", "amount": "330"}]
    found = methods(tmp_path, files, payment_methods=cash, payment="cash_on_delivery", customer=ACME)
    assert found["terms"] == {"code": "PM2", "net_days": 30}
    assert (found["payment"][0]["amount"], found["total"]) == ("330", "1683")
    assert methods(tmp_path, files)["terms"] == {
        "code": "PM1",
        "closing_day": 31,
        "pay_month": 1,
        "pay_day": 31,
    }
    wrong = (
        "{closing_day = 29, pay_month = 1, pay_day = 31}",
        "{closing_day = 20}",
        "{net_days = 30, closing_day = 20}",
    )
    for terms in wrong:
        assert checks(tmp_path / "w", {"PM1": f"[payment]\nterms = {terms}\n"})
    assert checks(tmp_path / "s", {"SH1": "[shipping]\nterms = {net_days = 30}\n"}) == ["unknown-key"]


def test_tax_is_rounded_once_per_rate_and_shared_by_largest_remainder(tmp_path: Path) -> None:
    """109, 110, 112"""
    toml = (
        '[tax]\nrates = [{category = "standard", rate = 0.1}, {category = "book", rate = 0.1}, '
        '{category = "art", rate = 0.1}]\n'
    )
    rules = load_files(tmp_path, {"shop.toml": toml})
    products = {
        "A": {"list_price": "5", "tax": "standard"}, "B": {"list_price": "5", "tax": "book"},
        "C": {"list_price": "9", "tax": "art"},
    }  # fmt: skip
    rows = decide(rules, ("A", 1), ("B", 1), ("C", 1), products=products).as_json()["tax"]
    # 19 x 0.1 = 1.9, floored to 1; shares 5/19, 5/19, 9/19: the largest remainder gets it
    assert [(row["category"], row["base"], row["amount"]) for row in rows] == [
        ("art", "9", "1"), ("book", "5", "0"), ("standard", "5", "0"),
    ]  # fmt: skip
    two = decide(rules, ("A", 1), ("B", 1), products=products).as_json()["tax"]
    assert [(row["category"], row["amount"]) for row in two] == [
        ("book", "1"),
        ("standard", "0"),
    ]  # equal: by name


def test_tax_rows_fall_by_rate_and_exempt_has_its_row(tmp_path: Path) -> None:
    """111, 113, 3"""
    products = {"E": {"list_price": "100", "tax": "exempt"}}
    rows = decide(load_files(tmp_path, {}), ("E", 1), ("SALT", 1), ("N4", 1), products=products).as_json()[
        "tax"
    ]
    assert [(row["category"], row["rate"], row["amount"]) for row in rows] == [
        ("standard", "0.10", "1"), ("reduced", "0.08", "54"), ("exempt", "0.00", "0"),
    ]  # fmt: skip
    with pytest.raises(CartError, match="tax"):
        decide(load_files(tmp_path, {}), ("E", 1), products={"E": {"list_price": "1", "tax": "luxury"}})


def test_the_rate_is_the_one_valid_on_the_day(tmp_path: Path) -> None:
    """3, 7, 111"""
    toml = (
        '[tax]\nrounding = "half_up"\nrates = [{category = "standard", rate = 0.12, from = 2027-01-01}, '
        '{category = "standard", rate = 0.0825, from = 2020-01-01}]\n'
    )
    rules = load_files(tmp_path, {"shop.toml": toml})
    rows = [decide(rules, ("M4-10", 1), on=on).as_json()["tax"][0] for on in ("2026-12-31", "2027-01-01")]
    assert [(row["rate"], row["amount"]) for row in rows] == [("0.0825", "10"), ("0.12", "14")]


def test_a_negative_tax_base_mirrors_its_sale() -> None:
    """144"""
    from decimal import Decimal

    from rules.taxes import tax_of

    for rounding in ("floor", "half_up", "ceil"):
        for base in (1, 5, 15, 99, 104):
            assert tax_of(-base, Decimal("0.10"), rounding) == -tax_of(base, Decimal("0.10"), rounding)


def test_amounts_have_the_currency_s_decimals_and_prices_no_trailing_zeros(tmp_path: Path) -> None:
    """113"""
    for currency, amount, change in (
        ("JPY", "1", "+1"),
        ("GBP", "1.00", "+0.50"),
        ("KWD", "1.000", "+0.500"),
    ):
        files = {
            "shop.toml": f'[policy]\ncurrency = "{currency}"\n',
            "PR1": "[price]\nunit = 0.500000\n",
            "QT1": "[quantity]\nminimum = 3\n",
        }
        found = decide(load_files(tmp_path / currency, files), ("N4", 2)).as_json()
        line = found["lines"][0]
        assert (line["unit_price"], line["amount"], line["list_price"]) == ("0.5", amount, "11.7")
        assert found["issues"][0]["fixes"][0]["change"] == change
    small = {"PR1": "[price]\nunit = 0.000001\n", "PR2": '[price]\nunit = 100000000000\nlane = "list"\n'}
    found = decide(load_files(tmp_path / "small", small), ("N4", 1)).as_json()
    assert [step["unit_price"] for step in found["lines"][0]["steps"]] == ["11.7", "100000000000", "0.000001"]


def test_parts_are_sorted_by_code_as_text_then_by_place(tmp_path: Path) -> None:
    """114"""
    files = {
        "SC9": "[surcharge]\namount = 1\n",
        "SC10": "[surcharge]\namount = 1\n",
        "QT9": "[quantity]\nminimum = 100\n",
        "CA1": '[when]\n"product.sku" = "N4"\n[catalog]\nbuy = false\n',
    }
    rules = load_files(tmp_path, files)
    from rules import evaluate, read_cart

    lines = [{"id": name, "sku": "N4", "quantity": 1} for name in ("b", "a")]
    cart, _ = read_cart({"lines": lines}, rules, CATALOG)
    found = evaluate(rules, cart, ON, explain=True).as_json()
    assert [line["id"] for line in found["lines"]] == ["b", "a"]
    assert [(one["code"], one["lines"]) for one in found["surcharges"]] == [
        ("SC10", ["b"]), ("SC10", ["a"]), ("SC9", ["b"]), ("SC9", ["a"]),
    ]  # fmt: skip
    assert [(one["code"], one["lines"]) for one in found["issues"]] == [
        ("CA1", ["b"]), ("CA1", ["a"]), ("QT9", ["b"]), ("QT9", ["a"]),
    ]  # fmt: skip
    assert [(one["code"], one["line"]) for one in found["considered"]][:3] == [
        ("CA1", "b"),
        ("CA1", "a"),
        ("QT9", "b"),
    ]


def test_keys_that_do_not_apply_are_left_out(tmp_path: Path) -> None:
    """115, 120"""
    found = decide(load_files(tmp_path, {"QT1": "[quantity]\nminimum = 5\n"}), ("N4", 1)).as_json()
    assert list(found) == [
        "ruleset", "on", "currency", "outcome", "lines", "surcharges", "issues", "shipping", "payment", "goods",
        "discounts", "subtotal", "terms", "lead_time", "exceptions", "tax", "total", "shadow", "considered",
    ]  # fmt: skip
    assert list(found["lines"][0]) == [
        "id", "sku", "quantity", "list_price", "unit_price", "per", "amount", "tax", "outcome", "steps",
    ]  # fmt: skip
    assert list(found["issues"][0]) == ["code", "outcome", "lines", "message", "have", "need", "fixes"]
    assert found["lines"][0]["steps"] == [{"lane": "list", "unit_price": "11.7"}]


def test_a_line_s_outcome_is_the_worst_of_its_issues(tmp_path: Path) -> None:
    """116"""
    files = {
        "QT1": '[quantity]\nminimum = 10\nbelow = [{outcome = "approval"}]\n',
        "CA1": '[when]\n"product.sku" = "N4"\n[catalog]\nprice = "quotation"\n',
        "OR1": "[order]\nminimum = 100000\n",
    }
    decision = decide(load_files(tmp_path, files), ("N4", 1), ("M4-10", 1), ("M4-20", 10))
    assert [line.outcome for line in decision.lines] == ["quotation", "approval", "ok"]
    assert decision.outcome == "block"


def test_considered_has_one_entry_per_rule_and_line_with_the_reason(tmp_path: Path) -> None:
    """117"""
    files = {
        "PR1": "[price]\nunit = 5\n",
        "PR2": '[when]\n"product.sku" = "N4"\n"line.quantity" = {ge = 10}\n[price]\nunit = 4\n',
        "QT1": "[quantity]\nminimum = 2\nmultiple = 2\n",
        "QT2": '[when]\n"product.sku" = "N4"\n[quantity]\nminimum = 3\nmultiple = 3\n',
        "QT3": "from = 2027-01-01\n[quantity]\nallowed = [6]\n",
        "SC1": '[scope]\ncustomers = ["BETA"]\n[surcharge]\namount = 1\n',
        "SC2": 'mode = "shadow"\n[surcharge]\namount = 1\n',
        "OR1": '[when]\n"product.sku" = "SALT"\n[order]\nminimum = 1\n',
        "SH1": '[shipping]\nhide = ["pickup"]\n',
    }
    rules = load_files(tmp_path, files)
    found = decide(rules, ("N4", 12), ("M4-10", 4), explain=True).as_json()["considered"]
    assert found == [
        {"code": "OR1", "status": "not_matched", "condition": "product.sku", "value": "N4"},
        {"code": "PR1", "line": "1", "status": "outranked_by", "by": "PR2"},
        {"code": "PR1", "line": "2", "status": "applied"},
        {"code": "PR2", "line": "1", "status": "applied"},
        {"code": "PR2", "line": "2", "status": "not_matched", "condition": "product.sku", "value": "M4-10"},
        {"code": "QT1", "line": "1", "status": "outranked_by", "by": "QT2"},
        {"code": "QT1", "line": "2", "status": "applied"},
        {"code": "QT2", "line": "1", "status": "applied"},
        {"code": "QT2", "line": "2", "status": "not_matched", "condition": "product.sku", "value": "M4-10"},
        {"code": "QT3", "status": "outside_dates"},
        {"code": "SC1", "status": "out_of_scope"},
        {"code": "SH1", "status": "applied"},
    ]
    (entry,) = [
        one for one in decide(rules, ("N4", 9), explain=True).as_json()["considered"] if one["code"] == "PR2"
    ]
    assert (entry["condition"], entry["value"]) == ("line.quantity", 9)


def test_shadow_says_what_one_rule_would_have_done(tmp_path: Path) -> None:
    """118, 8"""
    files = {
        "QT1": 'mode = "shadow"\n[when]\n"product.sku" = "N4"\n[quantity]\nminimum = 50\n',
        "SC1": 'mode = "shadow"\n[surcharge]\namount = 100\n',
        "SC2": 'mode = "off"\n[surcharge]\namount = 900\n',
        "PM1": 'mode = "shadow"\n[when]\n"product.sku" = "SALT"\n[payment]\nhide = ["net_terms"]\n',
    }
    found = decide(load_files(tmp_path, files), ("M4-10", 10), ("N4", 10)).as_json()
    assert (found["outcome"], found["subtotal"]) == ("ok", "1317")
    assert found["shadow"] == [
        {"code": "QT1", "lines": ["2"], "outcome": "block", "subtotal": "1317", "total": "1448"},
        {"code": "SC1", "lines": ["1", "2"], "outcome": "ok", "subtotal": "1517", "total": "1668"},
    ]


def test_texts_come_in_the_languages_of_the_rule_with_placeholders_filled(tmp_path: Path) -> None:
    """119, 4"""
    files = {
        "shop.toml": '[policy]\ncurrency = "GBP"\n',
        "SC1": "[surcharge]\namount = 1\n"
        'label = {ja = "{product.sku} {line.quantity} {line.amount} {product.list_price}"}\n',
        "SC2": '[surcharge]\namount = 1\nper = "matching"\n'
        'label = {en = "{matching.quantity} of {order.quantity}, {customer.group}{{x}}"}\n',
        "SC3": 'name = {ja = "名前", en = "Name"}\n[surcharge]\namount = 1\n',
    }
    files["SC3"] = 'code = "SC3"\n' + files["SC3"]
    found = decide(load_files(tmp_path, files), ("N4", 2), ("M4-10", 1)).as_json()
    labels = {one["code"]: one["label"] for one in found["surcharges"] if "1" in one["lines"]}
    assert labels == {
        "SC1": {"ja": "N4 2 23.40 11.7"},
        "SC2": {"en": "3 of 3, {{x}}"},
        "SC3": {"ja": "名前", "en": "Name"},
    }
    for wrong in ("{line.colour}", "{order.subtotal}"):
        rule = f'because = "{wrong}"\n[quantity]\nminimum = 1\n'
        assert checks(tmp_path / "w", {"QT1": rule}) == ["placeholder"]


def test_the_json_is_utf8_without_blanks_or_needless_escapes(tmp_path: Path) -> None:
    """120"""
    rules = load_files(tmp_path, {"QT1": 'because = "五個\\"から\\""\n[quantity]\nminimum = 5\n'})
    decision = decide(rules, ("N4", 1))
    content = decision.to_bytes()
    assert json.loads(content) == decision.as_json()
    assert '五個\\"から\\"'.encode() in content
    assert b'": ' not in content and b'", "' not in content


def exception(change: str, rule: str = "QT1", **more: str) -> str:
    head = {"rule": rule, "reason": "r", "approved_by": "a"} | more
    return (
        "".join(f'{key} = "{value}"\n' for key, value in head.items())
        + f"until = 2026-12-31\n[change]\n{change}\n"
    )


def test_an_exception_replaces_single_keys_and_the_most_specific_counts(tmp_path: Path) -> None:
    """10, 11, 124"""
    files = {
        "QT1": "[quantity]\nminimum = 100\nmultiple = 50\n",
        "exceptions/a.toml": exception("minimum = 50", customer="ACME"),
        "exceptions/b.toml": exception("minimum = 20\nmultiple = 10", customer="ACME", sku="N4"),
        "exceptions/c.toml": exception("minimum = 150", sku="N4"),
    }
    rules = load_files(tmp_path, files)

    def found(sku: str, quantity: int, **cart: Any) -> Any:
        decision = decide(rules, (sku, quantity), **cart).as_json()
        return [(one["need"], one.get("exception")) for one in decision["issues"]], decision["exceptions"]

    assert found("N4", 10, customer=ACME) == ([("20", "b")], ["b"])
    assert found("M4-10", 10, customer=ACME) == ([("50", "a")], ["a"])
    assert found("M4-10", 50, customer=ACME) == ([], ["a"])  # it took part: without it 50 were too few
    assert found("N4", 100) == ([("150", "c")], ["c"])
    assert found("M4-10", 50) == ([("100", None)], [])
    assert found("M4-10", 50, customer=ACME, on="2027-01-01") == ([("100", None)], [])  # until is included


def test_an_exception_keeps_rank_and_lane_and_may_change_the_kind(tmp_path: Path) -> None:
    """11, 124"""
    files = {
        "PR1": "[price]\nunit = 100\n",
        "PR2": '[when]\n"product.sku" = "N4"\n[price]\nunit = 50\n',
        "exceptions/a.toml": exception("off_percent = 10", "PR1", customer="ACME"),
        "SC1": "[surcharge]\namount = 500\n",
        "exceptions/s.toml": exception("percent = 10", "SC1", customer="ACME"),
    }
    rules = load_files(tmp_path, files)
    found = decide(rules, ("N4", 1), ("M4-10", 1), customer=ACME).as_json()
    assert [line["unit_price"] for line in found["lines"]] == ["50", "108"]
    assert found["lines"][1]["steps"][1] == {
        "lane": "agreed", "code": "PR1", "unit_price": "108", "why": {"ja": "PR1", "en": "PR1"}, "exception": "a",
    }  # fmt: skip
    assert [(one["amount"], one["exception"]) for one in found["surcharges"]] == [("5", "s"), ("11", "s")]
    assert found["exceptions"] == ["a", "s"]


def test_lines_under_different_exceptions_are_never_counted_or_charged_together(tmp_path: Path) -> None:
    """11"""
    files = {
        "QT1": '[quantity]\nminimum = 30\ncounts = "order"\n',
        "exceptions/a.toml": exception("minimum = 10", sku="N4"),
        "SC1": '[surcharge]\namount = 500\nper = "order"\n',
        "exceptions/s.toml": exception("amount = 200", "SC1", sku="N4"),
        "DC1": '[discount]\npercent = 10\nper = "order"\n',
        "exceptions/d.toml": exception("percent = 90", "DC1", sku="N4"),
    }
    found = decide(load_files(tmp_path, files), ("N4", 8), ("M4-10", 25)).as_json()
    assert [(one["lines"], one["have"], one["need"]) for one in found["issues"]] == [
        (["1"], "8", "10"), (["2"], "25", "30"),
    ]  # fmt: skip
    assert [(one["lines"], one["amount"]) for one in found["surcharges"]] == [(["1"], "200"), (["2"], "500")]
    assert [(one["lines"], one["amount"]) for one in found["discounts"]] == [(["2"], "300")]


def test_a_cart_s_own_exceptions_come_first(tmp_path: Path) -> None:
    """11"""
    files = {
        "QT1": "[quantity]\nminimum = 100\n",
        "exceptions/b.toml": exception("minimum = 50", customer="ACME", sku="N4"),
    }
    own = {
        "rule": "QT1",
        "sku": "N4",
        "change": {"minimum": 5},
        "reason": "r",
        "approved_by": "a",
        "until": "2026-12-31",
    }
    found = decide(
        load_files(tmp_path, files), ("N4", 5), customer=ACME, exceptions=[own | {"id": "quotation-7"}]
    )
    assert (found.outcome, found.exceptions) == ("ok", ("quotation-7",))


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (exception("minimum = 5", "QT9", customer="ACME"), "unknown-rule"), (exception("minimum = 5"), "missing-key"),
        (exception("minimun = 5", customer="ACME"), "unknown-key"), (exception("", customer="ACME"), "empty-value"),
        (exception("minimum = 0", customer="ACME"), "wrong-value"),
        (exception("minimum = 5", customer="NOBODY"), "unknown-customer"),
        (exception("minimum = 5", customer="ACME").replace("until = 2026-12-31\n", ""), "missing-key"),
        (exception("minimum = 5", customer="ACME").replace('reason = "r"\n', ""), "missing-key"),
    ],
)  # fmt: skip
def test_a_wrong_exception_is_a_load_error(tmp_path: Path, text: str, check: str) -> None:
    """10"""
    assert check in checks(tmp_path, {"QT1": "[quantity]\nminimum = 100\n", "exceptions/x.toml": text})


def test_equal_exceptions_with_overlapping_dates_are_a_load_error(tmp_path: Path) -> None:
    """11"""
    one, other = exception("minimum = 5", customer="ACME"), exception("minimum = 6", customer="ACME")
    files = {"QT1": "[quantity]\nminimum = 100\n", "exceptions/a.toml": one, "exceptions/b.toml": other}
    assert checks(tmp_path, files) == ["repeated-exception"]
    files["exceptions/b.toml"] = other.replace("until = 2026-12-31", "from = 2027-01-01\nuntil = 2027-12-31")
    assert checks(tmp_path, files) == []


def test_the_best_discount_applies_alone_and_the_goods_stay_before_it(tmp_path: Path) -> None:
    """138"""
    files = {
        "DC1": '[discount]\namount = 100\nper = "order"\n',
        "DC2": '[when]\n"product.sku" = "M4-10"\n[discount]\npercent = 10\nper = "matching"\n',
        "DC10": '[discount]\namount = 120\nper = "order"\n',
        "OR1": "[order]\nminimum = 1880\n",
        "SH1": "[shipping]\nfree_from = 1880\n",
    }
    rules = load_files(tmp_path, files)
    found = decide(rules, ("M4-10", 10), ("SALT", 1), shipping_quotes=QUOTES).as_json()
    assert found["discounts"] == [
        {"code": "DC10", "label": {"ja": "DC10", "en": "DC10"}, "amount": "120", "lines": ["1", "2"],
         "tax": [{"category": "reduced", "amount": "43"}, {"category": "standard", "amount": "77"}]},
    ]  # fmt: skip
    assert (found["goods"], found["subtotal"], found["outcome"]) == ("1880", "1760", "ok")
    assert [(row["category"], row["base"]) for row in found["tax"]] == [
        ("standard", "1123"),
        ("reduced", "637"),
    ]
    assert found["shipping"][0]["amount"] == "0"
    capped = {
        "DC1": '[discount]\namount = 5000\nper = "order"\n',
        "DC2": "[discount]\npercent = 50\nat_most = 30\n",
    }
    assert decide(load_files(tmp_path / "b", capped), ("N4", 10)).subtotal == 0


def test_line_cases_and_loose_pieces_are_absent_without_pieces_per_case(tmp_path: Path) -> None:
    """139"""
    rule = '[when]\n"line.cases" = 2\n"line.loose" = 6\n[surcharge]\namount = 9\n'
    assert charged(tmp_path, rule, ("BOX", 30), ("N4", 30), ("BOX", 24)) == [("9", ["1"])]
    absent = '[when]\n"line.loose" = {known = false}\n[surcharge]\namount = 9\n'
    assert charged(tmp_path, absent, ("BOX", 30), ("N4", 30)) == [("9", ["2"])]


def test_the_two_decisions_of_the_book(tmp_path: Path) -> None:
    """The example of the last section: 60 and 5 pieces at 120 with the agreed rate 0.65."""
    files = {
        "PR20": "[price]\nrate = 0.65\n",
        "QT10": '[when]\n"product.category" = "screws"\n[quantity]\nminimum = 100\nmultiple = 10\nmaximum = 5000\n'
        'below = [{at_least = 60, outcome = "surcharge", amount = 800}, {at_least = 10, outcome = "quotation"}, '
        '{outcome = "block"}]\n',
    }
    rules = load_files(tmp_path, files)
    sixty, five = (decide(rules, ("M4-10", n)).as_json() for n in (60, 5))
    assert [sixty[key] for key in ("outcome", "goods", "subtotal", "total")] == ["ok", "4680", "5480", "6028"]
    assert sixty["tax"] == [{"category": "standard", "rate": "0.10", "base": "5480", "amount": "548"}]
    assert (sixty["issues"][0]["outcome"], sixty["issues"][0]["have"], sixty["issues"][0]["need"]) == (
        "surcharge", "60", "100",
    )  # fmt: skip
    assert sixty["issues"][0]["fixes"] == [{"line": "1", "quantity": 100, "change": "+2320"}]
    assert five["outcome"] == "block"
    assert [(fix["quantity"], fix["change"]) for fix in five["issues"][0]["fixes"]][-1] == (100, "+7410")
    assert [fix["quantity"] for fix in five["issues"][0]["fixes"]] == [10, 60, 100]


def test_no_order_of_files_or_lines_changes_a_byte(tmp_path: Path) -> None:
    """The result never depends on the order of files; lines keep the cart's order and nothing else moves."""
    files = {f"SC{n}": f"[surcharge]\namount = {n}\n" for n in (3, 1, 2)}
    one = decide(load_files(folder(tmp_path / "a", {}), files), ("N4", 1), ("SALT", 2))
    other = decide(
        load_files(folder(tmp_path / "b", {}), dict(reversed(files.items()))), ("N4", 1), ("SALT", 2)
    )
    assert one.to_bytes() == other.to_bytes()


def test_rules_about_different_methods_do_not_tie(tmp_path: Path) -> None:
    """42, 105"""
    files = {
        "SH1": '[shipping]\nfree_from = 1300\nmethods = ["flat_rate"]\n',
        "SH2": '[shipping]\nfree_from = 1200\nmethods = ["table_rate"]\n',
    }
    found = methods(tmp_path, files)
    assert [one["amount"] for one in found["shipping"]] == ["770", "0"]
    assert methods(tmp_path, files, shipping_quotes=None)["outcome"] == "ok"
    files["SH2"] = '[shipping]\nfree_from = 1200\nmethods = ["table_rate", "flat_rate"]\n'
    assert checks(tmp_path, files) == ["tie"]


def test_a_tax_category_without_a_rate_on_the_day_refuses_the_cart(tmp_path: Path) -> None:
    """111, 121"""
    rates = '{category = "standard", rate = 0.1}, {category = "luxury", rate = 0.3, from = 2027-01-01}'
    toml = f"[tax]\nrates = [{rates}]\n"
    rules = load_files(tmp_path, {"shop.toml": toml, "SC1": '[surcharge]\namount = 5\ntax = "luxury"\n'})
    with pytest.raises(CartError, match="luxury"):
        decide(rules, ("N4", 1), on="2026-12-31")
    assert decide(rules, ("N4", 1), on="2027-01-01").total == 12 + 5 + 2


def test_the_largest_numbers_are_exact(tmp_path: Path) -> None:
    """5, 52, 91, 92, 93"""
    from fractions import Fraction

    price, percent, pieces = "999999999999.999999", "12.345678", 999_999_999
    files = {
        "shop.toml": '[policy]\namount_rounding = "ceil"\n[tax]\nrounding = "ceil"\n',
        "PR1": f"[price]\nunit = {price}\n",
        "SC1": f"[surcharge]\npercent = {percent}\n",
        "SC2": f"[surcharge]\nper_unit = {price}\n",
    }
    decision = decide(load_files(tmp_path, files), ("N4", pieces))
    goods = -((-Fraction(price) * pieces) // 1)
    charge = -((-goods * Fraction(percent) / 100) // 1)
    assert (decision.goods, [one.amount for one in decision.surcharges]) == (goods, [charge, goods])
    assert decision.tax[0].amount == -((-(2 * goods + charge) * Fraction(1, 10)) // 1)
