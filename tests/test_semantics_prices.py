"""Rule-semantics 37 to 69, one by one: who wins, prices, catalog. The number stands in each docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules import CartError, TieError
from support.rulesets import CATALOG, decide, folder, load_files
from support.semantics import checks, codes_of

ACME = {"code": "ACME"}


def price(tmp_path: Path, files: dict[str, str], sku: str = "M4-10", quantity: int = 1, **cart: Any) -> Any:
    """(unit price, per, amount, codes of the steps) of one line."""
    line = decide(load_files(tmp_path, files), (sku, quantity), **cart).as_json()["lines"][0]
    return line["unit_price"], line["per"], line["amount"], [step.get("code") for step in line["steps"]]


def winner(tmp_path: Path, *whens: str, **cart: Any) -> str:
    """The code of the rule that wins the agreed lane; rules are PR1, PR2 ... with these conditions."""
    files = {f"PR{n}": f"[when]\n{when}\n[price]\nunit = {n}\n" for n, when in enumerate(whens, 1)}
    return str(price(tmp_path, files, **cart)[3][-1])


def test_only_bare_values_and_lists_in_when_make_a_rule_specific(tmp_path: Path) -> None:
    """37"""
    group = '"customer.group" = "standard"'
    for weak in (
        '"customer.code" = {starts_with = "AC"}',
        'any = [{"customer.code" = "ACME"}]',
        '"customer.known" = true\n"line.quantity" = 1',
        '"customer.group" = {not = "trial"}',
    ):
        assert winner(tmp_path, group, weak, customer=ACME) == "PR1"
    assert (
        winner(tmp_path, '"customer.region" = "JP-27"', '"customer.tags" = {has = "loyal"}', customer=ACME)
        == "PR2"
    )


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ('"product.sku" = "M4-10"', '"customer.country" = "JP"'),
        ('"customer.region" = "JP-27"\n"customer.country" = "JP"\n"product.sku" = "M4-10"',
         '"customer.tags" = "loyal"'),
        ('"customer.tags" = "loyal"', '"customer.group" = "standard"'),
        ('"customer.group" = "standard"\n"customer.tags" = "loyal"', '"customer.code" = "ACME"'),
        ('"customer.group" = "standard"', '"customer.group" = "standard"\n"customer.region" = "JP-27"'),
        ('"product.batch" = "m4"', '"product.sku" = "M4-10"'),
        ('"product.category" = "screws/pan"', '"product.batch" = "m4"'),
        ('"product.category" = "screws"', '"product.category" = "screws/pan"'),
        ('"product.brand" = "x"', '"product.category" = "screws"'),
        ('"product.tags" = "t"', '"product.brand" = "x"'),
        ('"line.quantity" = 1', '"product.tags" = "t"'),
        ('"product.category" = ["screws", "screws/pan"]', '"product.category" = "screws/pan"'),
    ],
)  # fmt: skip
def test_the_first_difference_from_the_left_decides(tmp_path: Path, weaker: str, stronger: str) -> None:
    """38, 39"""
    facts = {"products": {"M4-10": {"brand": "x", "tags": ["t"]}}, "customer": ACME}
    assert winner(tmp_path / "a", weaker, stronger, **facts) == "PR2"
    assert winner(tmp_path / "b", stronger, weaker, **facts) == "PR1"


def test_a_list_is_as_specific_as_one_value_and_region_and_country_count_once(tmp_path: Path) -> None:
    """38, 40"""
    unit = {1: "[price]\nunit = 1\n", 2: "[price]\nunit = 2\n"}
    one, several = '"customer.code" = "ACME"', '"customer.code" = ["ACME", "BETA"]'
    assert checks(
        tmp_path / "a", {"PR1": f"[when]\n{one}\n{unit[1]}", "PR2": f"[when]\n{several}\n{unit[2]}"}
    ) == ["tie"]
    one, both = '"customer.region" = "JP-27"', '"customer.region" = "JP-27"\n"customer.country" = "JP"'
    assert checks(
        tmp_path / "b", {"PR1": f"[when]\n{one}\n{unit[1]}", "PR2": f"[when]\n{both}\n{unit[2]}"}
    ) == ["tie"]


def test_beats_settles_equal_ranks_only_and_reaches_through_rules_in_any_mode(tmp_path: Path) -> None:
    """41, 8"""
    files = {
        "PR1": 'beats = ["PR2"]\n[price]\nunit = 1\n',
        "PR2": 'beats = ["PR3"]\nmode = "off"\n[price]\nunit = 2\n',
        "PR3": "[price]\nunit = 3\n",
    }
    assert price(tmp_path, files)[3] == [None, "PR1"]
    files["PR3"] = '[when]\n"product.sku" = "M4-10"\n[price]\nunit = 3\n'
    assert price(tmp_path, files)[3] == [None, "PR3"]
    other = {"PR1": 'beats = ["QT1"]\n[price]\nunit = 1\n', "QT1": "[quantity]\nminimum = 2\n"}
    assert "beats-needless" in checks(tmp_path / "group", other)
    adding = {"SC1": 'beats = ["SC2"]\n[surcharge]\namount = 1\n', "SC2": "[surcharge]\namount = 2\n"}
    assert "beats-needless" in checks(tmp_path / "adding", adding)
    lanes = {"PR1": 'beats = ["PR2"]\n[price]\nunit = 1\n', "PR2": "[price]\noff_percent = 1\n"}
    assert checks(tmp_path / "lanes", lanes) == []
    circle = {"PR1": 'beats = ["PR2"]\n[price]\nunit = 1\n', "PR2": 'beats = ["PR1"]\n[price]\nunit = 2\n'}
    assert "beats-circle" in checks(tmp_path / "circle", circle)


def test_of_agreeing_rules_the_smaller_code_as_text_is_named(tmp_path: Path) -> None:
    """42"""
    assert price(tmp_path, {"PR9": "[price]\nunit = 5\n", "PR10": "[price]\nunit = 5.0\n"})[3] == [
        None,
        "PR10",
    ]


def test_rules_that_can_meet_and_disagree_are_a_load_error_naming_both_and_where(tmp_path: Path) -> None:
    """42, 43, 8"""
    from rules import load_ruleset

    files = {
        "PR1": '[when]\n"customer.group" = "standard"\n[price]\nunit = 1\n',
        "PR2": '[when]\n"customer.group" = ["standard", "gold"]\n[price]\nunit = 2\n',
    }
    (tie,) = load_ruleset(folder(tmp_path, files), CATALOG).errors
    assert all(word in str(tie) for word in ("rules/PR1.toml", "rules/PR2.toml", "ACME", "M4-10"))
    assert checks(tmp_path, files | {"PR2": f'mode = "shadow"\n{files["PR2"]}'}) == ["tie"]
    assert checks(tmp_path, files | {"PR2": f'mode = "off"\n{files["PR2"]}'}) == []
    dated = {"PR1": f"until = 2026-12-01\n{files['PR1']}", "PR2": f"from = 2026-12-02\n{files['PR2']}"}
    assert checks(tmp_path, dated) == []
    same_day = dated | {"PR2": f"from = 2026-12-01\n{files['PR2']}"}
    assert checks(tmp_path, same_day) == ["tie"]


def test_a_tie_met_only_by_inline_facts_fails_that_evaluation(tmp_path: Path) -> None:
    """43"""
    files = {
        "PR1": '[when]\n"product.brand" = "a"\n"product.tags" = "x"\n[price]\nunit = 1\n',
        "PR2": '[when]\n"product.brand" = "a"\n"product.tags" = "y"\n[price]\nunit = 2\n',
    }
    rules = load_files(tmp_path, files)
    with pytest.raises(TieError, match=r"rules/PR1\.toml and rules/PR2\.toml"):
        decide(rules, ("M4-10", 1), products={"M4-10": {"brand": "a", "tags": ["x", "y"]}})


def test_the_companions_of_a_field_come_from_the_file_whose_field_wins(tmp_path: Path) -> None:
    """44"""
    files = {
        "QT1": '[quantity]\nminimum = 100\nmultiple = 10\noff_multiple = "warn"\ncounts = "order"\n'
        'below = [{outcome = "approval"}]\n',
        "QT2": '[when]\n"product.sku" = "M4-10"\n[quantity]\nminimum = 20\n',
    }
    issues = decide(load_files(tmp_path, files), ("M4-10", 15), ("N4", 10)).as_json()["issues"]
    assert [(one["code"], one["outcome"], one["lines"], one["have"], one["need"]) for one in issues] == [
        ("QT1", "approval", ["2"], "25", "100"),
        ("QT2", "block", ["1"], "15", "20"),
    ]


def test_each_order_field_comes_from_its_most_specific_rule(tmp_path: Path) -> None:
    """45"""
    files = {
        "OR1": "[order]\nminimum = 10000\nmaximum = 20000\n",
        "OR2": '[when]\n"customer.code" = "ACME"\n[order]\nminimum = 1000\n',
        "SH1": "[shipping]\nfree_from = 99999\nadd = 100\n",
        "SH2": '[when]\n"customer.code" = "ACME"\n[shipping]\nfree_from = 1000\nadd = 30\n',
    }
    rules = load_files(tmp_path, files)
    quotes = [{"code": "flat_rate", "amount": "770"}]
    decision = decide(rules, ("M4-10", 10), customer=ACME, shipping_quotes=quotes)
    assert (decision.issues, decision.shipping[0].amount) == ((), 130)
    assert codes_of(decide(rules, ("M4-10", 10)).issues) == ["OR1"]
    assert codes_of(decide(rules, ("M4-10", 200), customer=ACME).issues) == ["OR1"]


LOWEST = '[policy]\nprice_choice = "lowest"\n'


def test_with_lowest_the_cheapest_agreed_price_wins_and_the_list_price_takes_no_part(tmp_path: Path) -> None:
    """46"""
    files = {"shop.toml": LOWEST, "PR1": "[price]\nunit = 500\n", "PR2": "[price]\nunit = 130\n"}
    assert price(tmp_path, files) == ("130", 1, "130", [None, "PR2"])
    hundreds = files | {"PR3": "[price]\nunit = 1170\nper = 10\n"}
    assert price(tmp_path, hundreds)[3] == [None, "PR3"]
    equal = files | {"PR3": '[when]\n"product.sku" = "M4-10"\n[price]\nunit = 130\n'}
    assert price(tmp_path, equal)[3] == [None, "PR3"]  # on equal cost the more specific
    same = {"shop.toml": LOWEST, "PR9": "[price]\nunit = 7\n", "PR10": "[price]\nunit = 0.7\nper = 0.1\n"}
    same["PR10"] = "[price]\nunit = 70\nper = 10\n"
    assert price(tmp_path / "same", same)[3] == [None, "PR10"]  # then the smaller code


HEADER = "customer,group,sku,category,from,unit,rate,per,valid_from,valid_until,currency\n"


def rows(*lines: str) -> str:
    return HEADER + "\n".join(lines) + "\n"


def test_a_row_ranks_with_its_rule_and_a_table_without_a_fitting_row_takes_no_part(tmp_path: Path) -> None:
    """47"""
    files = {
        "PR1": '[price]\ntable = "prices/t.csv"\n',
        "PR2": '[when]\n"customer.group" = "standard"\n[price]\nunit = 50\n',
        "prices/t.csv": rows("ACME,,,,,60,,,,,", ",gold,,,,70,,,,,"),
    }
    assert price(tmp_path, files, customer=ACME)[3][-1] == "PR1"
    assert price(tmp_path, files, customer={"code": "NEW", "group": "standard"})[3][-1] == "PR2"
    assert price(tmp_path, files, customer={"code": "BETA"})[3] == [None]


def test_a_rate_is_of_the_price_after_the_list_lane(tmp_path: Path) -> None:
    """48, 49"""
    files = {
        "PR1": '[price]\nrate = 2\nlane = "list"\n',
        "PR2": "[price]\noff_percent = 50\n",
        "PR3": '[price]\nrate = 0.5\nlane = "volume"\n',
    }
    line = decide(load_files(tmp_path, files), ("M4-10", 1)).as_json()["lines"][0]
    assert line["list_price"] == "240"
    assert line["steps"] == [
        {"lane": "list", "unit_price": "120"},
        {"lane": "list", "code": "PR1", "unit_price": "240", "why": {"ja": "PR1", "en": "PR1"}},
        {"lane": "volume", "code": "PR3", "unit_price": "120", "why": {"ja": "PR3", "en": "PR3"}},
        {"lane": "promotion", "code": "PR2", "unit_price": "60", "why": {"ja": "PR2", "en": "PR2"}},
    ]


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ("unit = 1.234567", "1.234567"),  # typed prices stay as typed
        ("unit = 1.50", "1.5"),
        ("rate = 0.333333", "40"),  # 39.99996
        ("rate = 0.100001", "12.0001"),
        ("off_percent = 33.333333", "80"),
        ("rate = 0.65\nround = {to = 5}", "80"),
        ("unit = 2.5\nround = {to = 1}", "3"),
        ('unit = 2.5\nround = {to = 1, mode = "half_even"}', "2"),
        ('unit = 2.999\nround = {to = 0.01, mode = "floor"}', "2.99"),
        ('unit = 2.001\nround = {to = 0.3, mode = "ceil"}', "2.1"),
        ("off_amount = 500", "0"),  # never below 0
        ("off_amount = 100\nper = 100", "119"),
    ],
)
def test_the_unit_price_is_rounded_after_its_lane(tmp_path: Path, effect: str, expected: str) -> None:
    """50, 51, 54"""
    assert price(tmp_path, {"PR1": f"[price]\n{effect}\n"})[0] == expected


@pytest.mark.parametrize(("policy", "expected"), [("half_up", "4"), ("floor", "3"), ("ceil", "4")])
def test_a_line_amount_is_rounded_once(tmp_path: Path, policy: str, expected: str) -> None:
    """52"""
    files = {"shop.toml": f'[policy]\namount_rounding = "{policy}"\n', "PR1": "[price]\nunit = 0.5\n"}
    assert price(tmp_path, files, quantity=7)[2] == expected


def test_per_says_how_many_pieces_a_typed_price_is_for(tmp_path: Path) -> None:
    """53, 54"""
    files = {
        "PR1": '[price]\nunit = 1170\nper = 100\nlane = "list"\n',
        "PR2": "[price]\nrate = 0.5\n",
        "PR3": "[price]\noff_amount = 1\n",
    }
    assert price(tmp_path, files, quantity=30) == ("485", 100, "146", [None, "PR1", "PR2", "PR3"])
    table = {
        "PR1": '[price]\ntable = "t.csv"\nper = 10\n',
        "t.csv": rows(",,M4-10,,,500,,100,,,", ",,,,,50,,,,,"),
    }
    assert price(tmp_path / "t", table)[:2] == ("500", 100)
    assert price(tmp_path / "t", table, "M4-20")[:2] == ("50", 10)


def test_below_its_first_break_a_rule_takes_no_part(tmp_path: Path) -> None:
    """55, 56"""
    breaks = (
        "[price]\nbreaks = [{from = 10, unit = 90}, {from = 20, rate = 0.5}, {from = 30, off_percent = 10}]\n"
    )
    files = {"PR1": "[price]\nunit = 100\n", "PR2": breaks}
    assert [price(tmp_path, files, quantity=n)[0] for n in (9, 10, 19, 20, 30)] == [
        "100",
        "90",
        "90",
        "60",
        "90",
    ]
    assert price(tmp_path, files, quantity=9)[3] == [None, "PR1"]


def test_counts_names_the_quantity_that_picks_break_and_row(tmp_path: Path) -> None:
    """57"""
    for counts, expected in (("line", 120), ("product", 120), ("batch", 90), ("order", 90)):
        rule = f'[price]\nbreaks = [{{from = 10, unit = 90}}]\ncounts = "{counts}"\n'
        decision = decide(load_files(tmp_path, {"PR1": rule}), ("M4-10", 5), ("M4-20", 5), ("N4", 90))
        assert decision.lines[0].unit_price == expected, counts
    table = {
        "PR1": '[price]\ntable = "t.csv"\ncounts = "order"\n',
        "t.csv": rows(",,M4-10,,,50,,,,,", ",,M4-10,,10,40,,,,,"),
    }
    assert decide(load_files(tmp_path / "t", table), ("M4-10", 5), ("N4", 5)).lines[0].unit_price == 40


GRADUATED = '[price]\nbreaks = [{from = 11, unit = 100}, {from = 21, unit = 80}]\ntiers = "graduated"\n'


def test_a_graduated_price_is_kept_as_parts(tmp_path: Path) -> None:
    """58, 59"""
    files = {"PR1": GRADUATED}
    assert price(tmp_path, files, quantity=10) == ("120", 1, "1200", [None])
    assert price(tmp_path, files, quantity=23)[:3] == ("106.087", 1, "2440")  # 10 x 120, 10 x 100, 3 x 80
    off = files | {"PR2": "[price]\noff_percent = 10\n"}
    assert price(tmp_path, off, quantity=23)[:3] == ("95.4783", 1, "2196")
    assert price(tmp_path / "later", files | {"PR3": '[price]\nunit = 9\nlane = "promotion"\n'}, quantity=23)[
        :3
    ] == (
        "9",
        1,
        "207",
    )
    ordered = GRADUATED.replace("[price]", '[price]\ncounts = "order"')
    assert checks(tmp_path / "order", {"PR1": ordered}) == ["wrong-value"]


def test_graduated_breaks_over_graduated_parts_cut_each_part(tmp_path: Path) -> None:
    """59"""
    list_lane = GRADUATED.replace("[price]", '[price]\nlane = "agreed"')
    off = '[price]\nbreaks = [{from = 15, off_percent = 50}]\ntiers = "graduated"\n'
    # 10 x 120, 4 x 100, 6 x 50, 3 x 40
    assert price(tmp_path, {"PR1": list_lane, "PR2": off}, quantity=23)[2] == "2020"


def test_a_graduated_break_has_nothing_to_lower_without_a_price(tmp_path: Path) -> None:
    """58, 66"""
    files = {"PR1": GRADUATED}
    assert price(tmp_path, files, "ODD", 23)[0] is None
    rate = '[price]\nbreaks = [{from = 1, rate = 0.5}]\ntiers = "graduated"\n'
    assert price(tmp_path / "rate", {"PR1": rate}, "ODD", 23)[0] is None


def test_rows_are_compared_by_customer_group_sku_category_then_the_largest_from(tmp_path: Path) -> None:
    """60, 61"""
    table = rows(
        "ACME,,,,,1,,,,,", ",standard,M4-10,,,2,,,,,", ",standard,,screws/pan,,3,,,,,", ",standard,,screws,,4,,,,,",
        ",,M4-10,,1,5,,,,,", ",,M4-10,,10,6,,,,,", ",,,screws,,7,,,,,", ",,,,,8,,,,,",
    )  # fmt: skip
    files = {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": table}
    rules = load_files(tmp_path, files)

    def unit(sku: str, quantity: int = 1, **customer: str) -> Any:
        return decide(rules, (sku, quantity), customer=customer or None).lines[0].unit_price

    assert unit("M4-10", code="ACME") == 1
    assert [unit(sku, group="standard") for sku in ("M4-10", "M4-20", "N4")] == [2, 3, 8]
    assert [unit("M4-10", n) for n in (1, 9, 10)] == [5, 5, 6]
    assert [unit(sku) for sku in ("M4-20", "N4")] == [7, 8]
    inside = {
        "PR1": '[when]\n"customer.code" = "ACME"\n[price]\ntable = "t.csv"\n',
        "t.csv": rows("ACME,,,,,1,,,,,", ",standard,,,,2,,,,,"),
    }
    assert price(tmp_path / "inside", inside, customer=ACME)[0] == "1"  # by the rows' own cells


def test_a_shop_has_one_currency(tmp_path: Path) -> None:
    """62"""
    table = rows(",,,,,1,,,,,EUR", ",,,,,2,,,,,JPY")
    assert price(tmp_path, {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": table})[0] == "2"
    only = {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": rows(",,,,,1,,,,,EUR")}
    assert price(tmp_path / "only", only)[0] == "120"
    with pytest.raises(CartError, match="currency"):
        decide(load_files(tmp_path, {}), ("N4", 1), currency="EUR")


@pytest.mark.parametrize(
    ("lines", "check"),
    [
        ([",,,,,1,,,,,", ",,,,1,2,,,,,"], "repeated-row"),
        ([",,,,,1,,,,2026-12-01,", ",,,,,2,,,2026-12-01,,"], "repeated-row"),
        ([",,,,,1,,,,,JPY", ",,,,,2,,,,,"], "repeated-row"),
        ([",,,,,1,0.5,,,,"], "table-row"), ([",,,,,,,,,,"], "table-row"), ([",,,,,-1,,,,,"], "table-row"),
        ([",,,,,1e3,,,,,"], "table-row"), ([",,,,0,1,,,,,"], "table-row"), ([",,,,1.5,1,,,,,"], "table-row"),
        ([",,NO,,,1,,,,,"], "unknown-sku"), ([",,,,,1,,,2027-01-02,2027-01-01,"], "reversed-dates"),
        ([",,,,,0.1234567,,,,,"], "too-many-decimals"),
    ],
)  # fmt: skip
def test_rows_that_overlap_or_cannot_be_read_are_load_errors(
    tmp_path: Path, lines: list[str], check: str
) -> None:
    """61, 63, 64, 65"""
    assert check in checks(tmp_path, {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": rows(*lines)})


def test_rows_that_follow_each_other_do_not_overlap(tmp_path: Path) -> None:
    """63, 7"""
    lines = (",,,,,1,,,,2026-12-01,", ",,,,,2,,,2026-12-02,,")
    files = {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": "\ufeff" + rows(*lines).replace("\n", "\r\n")}
    rules = load_files(tmp_path, files)
    assert [decide(rules, ("N4", 1), on=f"2026-12-0{n}").lines[0].unit_price for n in (1, 2)] == [1, 2]


def test_an_unknown_column_is_a_load_error(tmp_path: Path) -> None:
    """64"""
    assert checks(
        tmp_path, {"PR1": '[price]\ntable = "t.csv"\n', "t.csv": "sku,unit,colour\nN4,1,red\n"}
    ) == ["table-row"]


def test_nothing_is_a_price_and_less_is_a_load_error(tmp_path: Path) -> None:
    """65, 141"""
    assert price(tmp_path, {"PR1": "[price]\nunit = 0\n"})[:3] == ("0", 1, "0")
    for code, wrong in (("PR1", "[price]\nunit = -1\n"), ("PR1", "[price]\nrate = -0.1\n"),
                        ("PR1", "[price]\noff_percent = -1\n"), ("PR1", "[price]\noff_percent = 101\n"),
                        ("PR1", "[price]\noff_amount = -1\n"), ("PR1", "[price]\nrate = 11\n"),
                        ("SC1", "[surcharge]\namount = -1\n")):  # fmt: skip
        assert set(checks(tmp_path / "wrong", {code: wrong})) == {"wrong-value"}
    tiers = '[lead_time]\ntiers = [{code = "economy", days = 9, percent = -5}]\n'
    assert checks(tmp_path / "tier", {"LT1": tiers}) == []


def test_a_line_without_any_price_is_no_price(tmp_path: Path) -> None:
    """66, 68, 78"""
    decision = decide(load_files(tmp_path, {}), ("ODD", 3), ("N4", 10)).as_json()
    line, issue = decision["lines"][0], decision["issues"][0]
    assert (line["list_price"], line["unit_price"], line["amount"], line["steps"]) == (None, None, None, [])
    assert (line["outcome"], decision["outcome"], decision["goods"]) == ("quotation", "quotation", "117")
    assert {key: issue[key] for key in ("code", "outcome", "lines", "have", "need", "fixes")} == {
        "code": "no_price", "outcome": "quotation", "lines": ["1"], "have": None, "need": None, "fixes": [],
    }  # fmt: skip


def test_steps_hold_the_list_price_and_one_entry_per_lane_with_per_when_it_is_not_1(tmp_path: Path) -> None:
    """67, 115"""
    files = {"PR1": 'because = "agreed"\n[price]\nunit = 500\nper = 10\n'}
    steps = decide(load_files(tmp_path, files), ("M4-10", 1)).as_json()["lines"][0]["steps"]
    assert steps == [
        {"lane": "list", "unit_price": "120"},
        {
            "lane": "agreed",
            "code": "PR1",
            "unit_price": "500",
            "per": 10,
            "why": {"ja": "agreed", "en": "agreed"},
        },
    ]


@pytest.mark.parametrize(
    ("effect", "outcome", "shown"),
    [("hide = true", "block", "120"), ("buy = false", "block", "120"), ('price = "quotation"', "quotation", None),
     ('price = "login"', "block", None), ('hide = true\nprice = "login"', "block", None)],
)  # fmt: skip
def test_catalog_rules_only_deny(tmp_path: Path, effect: str, outcome: str, shown: str | None) -> None:
    """68, 69, 78"""
    rules = load_files(tmp_path, {"CA1": f'[when]\n"product.sku" = "M4-10"\n[catalog]\n{effect}\n'})
    decision = decide(rules, ("M4-10", 1), ("N4", 10)).as_json()
    line, (issue,) = decision["lines"][0], decision["issues"]
    assert (line["outcome"], line["unit_price"], issue["code"], issue["have"], issue["fixes"]) == (
        outcome, shown, "CA1", None, [],
    )  # fmt: skip
    assert decision["goods"] == ("237" if shown else "117")


def test_login_has_no_effect_on_a_known_customer_and_nothing_allows_again(tmp_path: Path) -> None:
    """69, 68"""
    rules = load_files(tmp_path, {"CA1": '[catalog]\nprice = "login"\n'})
    decision = decide(rules, ("M4-10", 1), customer=ACME)
    assert (decision.outcome, decision.goods) == ("ok", 120)
    for wrong in ("hide = false", "buy = true", 'price = "show"'):
        assert checks(tmp_path / "wrong", {"CA1": f"[catalog]\n{wrong}\n"}) == ["wrong-value"]
