"""Rule-semantics 70 to 88, one by one: quantities and fixes. The number stands in each docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules import CartError
from support.rulesets import decide, load_files
from support.semantics import checks, codes_of, warnings


def issues(tmp_path: Path, rule: str | dict[str, str], *wanted: tuple[str, int], **cart: Any) -> list[Any]:
    """The issues as JSON, fixes as (line, quantity)."""
    files = rule if isinstance(rule, dict) else {"QT1": rule}
    found = decide(load_files(tmp_path, files), *wanted, **cart).as_json()["issues"]
    return [one | {"fixes": [(fix["line"], fix["quantity"]) for fix in one["fixes"]]} for one in found]


def outcomes(tmp_path: Path, rule: str, *quantities: int) -> list[str]:
    """The outcome of QT1 for each quantity, ok without an issue."""
    rules = load_files(tmp_path, {"QT1": rule})
    found = [decide(rules, ("M4-10", n)).issues for n in quantities]
    return [one[0].outcome if one else "ok" for one in found]


GRADED = (
    "[quantity]\nminimum = 100\n"
    'below = [{at_least = 60, outcome = "surcharge", amount = 800}, {at_least = 10, outcome = "quotation"}]\n'
)


def test_the_first_entry_that_is_reached_holds_and_without_one_it_is_block(tmp_path: Path) -> None:
    """70, 71"""
    assert outcomes(tmp_path, GRADED, 9, 10, 59, 60, 99, 100) == [
        "block", "quotation", "quotation", "surcharge", "surcharge", "ok",
    ]  # fmt: skip
    always = (
        '[quantity]\nminimum = 100\nbelow = [{at_least = 60, outcome = "warn"}, {outcome = "approval"}]\n'
    )
    assert outcomes(tmp_path, always, 1, 60) == ["approval", "warn"]
    rising = '[quantity]\nminimum = 9\nbelow = [{at_least = 6, outcome = "warn"}, {at_least = 6, outcome = "block"}]\n'
    assert checks(tmp_path, {"QT1": rising}) == ["wrong-value"]


def test_a_multiple_from_zero_is_checked_below_the_minimum_too(tmp_path: Path) -> None:
    """72"""
    rule = (
        '[quantity]\nminimum = 20\nmultiple = 10\noff_multiple = "quotation"\nbelow = [{outcome = "warn"}]\n'
    )
    assert outcomes(tmp_path, rule, 10, 15, 20, 25) == ["warn", "quotation", "ok", "quotation"]


def test_a_multiple_from_the_minimum_counts_up_from_it(tmp_path: Path) -> None:
    """73"""
    rule = (
        '[quantity]\nminimum = 15\nmultiple = 10\nmultiple_from = "minimum"\nbelow = [{outcome = "warn"}]\n'
    )
    assert outcomes(tmp_path, rule, 3, 15, 20, 25) == ["warn", "ok", "block", "ok"]
    alone = '[quantity]\nmultiple = 10\nmultiple_from = "minimum"\n'
    assert checks(tmp_path, {"QT1": alone}) == ["missing-key"]


def test_a_minimum_off_the_multiple_is_a_warning_and_the_next_multiple_valid(tmp_path: Path) -> None:
    """74"""
    rule = {"QT1": "[quantity]\nminimum = 25\nmultiple = 10\nmaximum = 57\n"}
    assert warnings(tmp_path, rule).count("minimum-off-multiple") == 2
    (low,) = issues(tmp_path, rule, ("M4-10", 7))
    (high,) = issues(tmp_path, rule, ("M4-10", 60))
    assert (low["fixes"], high["fixes"]) == ([("1", 30)], [("1", 50)])


def test_a_quantity_that_is_not_allowed_needs_the_next_above_else_the_largest(tmp_path: Path) -> None:
    """75, 78"""
    rule = '[quantity]\nallowed = [50, 10, 25]\noff_multiple = "approval"\n'
    assert [(i["outcome"], i["have"], i["need"]) for n in (3, 26, 51) for i in issues(tmp_path, rule, ("N4", n))] == [
        ("approval", "3", "10"), ("approval", "26", "50"), ("approval", "51", "50"),
    ]  # fmt: skip
    assert issues(tmp_path, rule, ("N4", 25)) == []


@pytest.mark.parametrize(
    "wrong",
    ['above = "surcharge"', 'off_multiple = "surcharge"', 'above = "ok"', 'below = [{outcome = "surcharge"}]',
     'below = [{outcome = "surcharge", amount = 1, percent = 2}]', 'below = [{outcome = "block", amount = 1}]'],
)  # fmt: skip
def test_a_surcharge_is_possible_below_only_and_needs_exactly_one_charge(tmp_path: Path, wrong: str) -> None:
    """76"""
    assert checks(tmp_path, {"QT1": f"[quantity]\nminimum = 5\nmaximum = 10\nmultiple = 5\n{wrong}\n"})


def test_a_rule_gives_one_issue_per_group_that_of_the_worst_outcome(tmp_path: Path) -> None:
    """77, 78, 79, 88"""
    rule = (
        '[quantity]\nminimum = 20\nmultiple = 10\noff_multiple = "warn"\nbelow = [{outcome = "approval"}]\n'
    )
    (issue,) = issues(tmp_path, rule, ("N4", 15))
    assert (issue["outcome"], issue["need"]) == ("approval", "20")
    equal = "[quantity]\nminimum = 20\nmultiple = 10\n"
    assert [(one["lines"], one["need"]) for one in issues(tmp_path, equal, ("N4", 15), ("N4", 25))] == [
        (["1"], "20"), (["2"], "10"),
    ]  # fmt: skip
    product = 'counts = "product"\n'
    (issue,) = issues(tmp_path, "[quantity]\nminimum = 50\n" + product, ("N4", 15), ("N4", 25), ("M4-10", 50))
    assert (issue["lines"], issue["have"]) == (["1", "2"], "40")


def test_the_count_may_include_lines_that_the_issue_does_not_name(tmp_path: Path) -> None:
    """79, 27"""
    rule = '[when]\n"product.sku" = "M4-10"\n[quantity]\nminimum = 50\ncounts = "batch"\n'
    (issue,) = issues(tmp_path, rule, ("M4-10", 10), ("M4-20", 30), ("N4", 99))
    assert (issue["lines"], issue["have"]) == (["1"], "40")
    assert issues(tmp_path, rule, ("M4-10", 10), ("M4-20", 40)) == []


def test_charges_below_the_minimum_are_of_the_lines_named_and_once_per_group(tmp_path: Path) -> None:
    """80, 81"""

    def charged(below: str, *wanted: tuple[str, int]) -> list[tuple[str, list[str]]]:
        rule = f'[quantity]\nminimum = 50\ncounts = "batch"\nbelow = [{{outcome = "surcharge", {below}}}]\n'
        found = decide(load_files(tmp_path, {"QT1": rule}), *wanted).as_json()["surcharges"]
        return [(one["amount"], one["lines"]) for one in found]

    assert charged("percent = 10", ("M4-10", 10), ("M4-20", 10)) == [("270", ["1", "2"])]
    assert charged("per_missing = 7", ("M4-10", 10), ("M4-20", 10)) == [("210", ["1", "2"])]
    assert charged("amount = 300", ("M4-10", 10), ("N4", 10), ("M4-20", 10)) == [
        ("300", ["1", "3"]),
        ("300", ["2"]),
    ]
    files = {"QT1": GRADED, "CA1": "[catalog]\nbuy = false\n"}
    assert codes_of(decide(load_files(tmp_path, files), ("N4", 60)).surcharges) == ["QT1"]


def test_a_surcharge_is_listed_as_an_issue_and_counts_as_ok(tmp_path: Path) -> None:
    """82"""
    decision = decide(load_files(tmp_path, {"QT1": GRADED}), ("M4-10", 60))
    assert (decision.outcome, decision.lines[0].outcome, decision.issues[0].outcome) == (
        "ok",
        "ok",
        "surcharge",
    )
    off = GRADED + 'multiple = 50\noff_multiple = "warn"\n'
    (issue,) = issues(tmp_path, off, ("M4-10", 60))
    assert issue["outcome"] == "warn"  # worse than ok
    assert codes_of(decide(load_files(tmp_path, {"QT1": off}), ("M4-10", 60)).surcharges) == ["QT1"]


def test_fixes_are_better_than_now_and_than_every_nearer_quantity(tmp_path: Path) -> None:
    """83, 82"""
    steps = (
        '[quantity]\nminimum = 100\nbelow = [{at_least = 80, outcome = "warn"}, '
        '{at_least = 60, outcome = "surcharge", amount = 800}, {at_least = 40, outcome = "approval"}, '
        '{at_least = 20, outcome = "quotation"}, {outcome = "block"}]\n'
    )
    found = {n: [q for _, q in issues(tmp_path, steps, ("N4", n))[0]["fixes"]] for n in (5, 30, 50, 70, 90)}
    assert found == {
        5: [20, 40, 60, 80, 100],
        30: [40, 60, 80, 100],
        50: [60, 80, 100],
        70: [80, 100],
        90: [100],
    }


def test_every_quantity_issue_of_a_line_carries_the_fixes_of_all_rules_together(tmp_path: Path) -> None:
    """83"""
    files = {
        "QT1": "[quantity]\nminimum = 30\n",
        "QT2": '[when]\n"product.category" = "nuts"\n[quantity]\nmultiple = 7\n',
    }
    found = issues(tmp_path, files, ("N4", 9))
    assert [(one["code"], one["fixes"]) for one in found] == [("QT1", [("1", 35)]), ("QT2", [("1", 35)])]
    both = issues(tmp_path / "both", "[quantity]\nallowed = [10, 25]\n", ("N4", 20))
    assert both[0]["fixes"] == [("1", 10), ("1", 25)]


def test_each_line_of_a_group_has_its_own_fixes(tmp_path: Path) -> None:
    """84, 114"""
    for counts, wanted in (
        ("product", (("N4", 20), ("N4", 30))),
        ("batch", (("M4-20", 20), ("M4-10", 30))),
        ("order", (("M4-20", 20), ("N4", 30))),
        ("matching", (("M4-20", 20), ("N4", 30))),
    ):
        (issue,) = issues(tmp_path, f'[quantity]\nminimum = 80\ncounts = "{counts}"\n', *wanted)
        assert issue["fixes"] == [("1", 50), ("2", 60)], counts
    many = '[quantity]\nallowed = [40, 60]\ncounts = "order"\n'
    (issue,) = issues(tmp_path, many, ("N4", 30), ("M4-10", 20))
    assert issue["fixes"] == [("1", 20), ("1", 40), ("2", 10), ("2", 30)]


def test_the_search_ends_and_may_find_nothing(tmp_path: Path) -> None:
    """85"""
    only = '[quantity]\nallowed = [10]\ncounts = "order"\n'
    (issue,) = issues(tmp_path, only, ("N4", 30), ("M4-10", 40))
    assert issue["fixes"] == []
    files = {
        "QT1": "[quantity]\nminimum = 10\n",
        "QT2": '[when]\n"product.category" = "nuts"\n[quantity]\nmultiple = 6\n',
    }
    assert issues(tmp_path / "b", files, ("N4", 7))[0]["fixes"] == [("1", 12)]


def test_conditions_on_quantities_are_part_of_the_search(tmp_path: Path) -> None:
    """83"""
    rule = '[when]\n"line.quantity" = {lt = 100}\n[quantity]\nallowed = [10]\n'
    assert issues(tmp_path, rule, ("N4", 60))[0]["fixes"] == [("1", 10), ("1", 100)]
    loose = '[when]\n"line.loose" = {gt = 0}\n[quantity]\nminimum = 1000\nbelow = [{outcome = "warn"}]\n'
    assert issues(tmp_path, loose, ("BOX", 30))[0]["fixes"] == [("1", 24), ("1", 36)]
    cases = '[when]\n"line.cases" = {lt = 3}\n[quantity]\nminimum = 1000\n'
    assert issues(tmp_path, cases, ("BOX", 30))[0]["fixes"] == [("1", 36)]
    matching = '[when]\n"matching.quantity" = {lt = 50}\n[quantity]\nminimum = 500\n'
    assert issues(tmp_path, matching, ("N4", 10), ("N4", 20))[0]["fixes"] == [("1", 30)]


def test_a_change_is_of_the_subtotal_with_its_sign(tmp_path: Path) -> None:
    """86, 113"""
    files = {
        "QT1": GRADED,
        "PR1": "[price]\nunit = 10\n",
        "PR2": "[price]\nbreaks = [{from = 100, unit = 1.5}]\n",
        "PR3": '[when]\n"product.sku" = "N4"\n[price]\nunit = 0\n',
    }
    rules = load_files(tmp_path, files)
    assert [one["change"] for one in decide(rules, ("M4-10", 70)).as_json()["issues"][0]["fixes"]] == [
        "-1350"
    ]
    files = {"QT1": "[quantity]\nminimum = 3\n", "PR1": "[price]\nunit = 0\n"}
    fixes = decide(load_files(tmp_path / "b", files), ("N4", 2)).as_json()["issues"][0]["fixes"]
    assert fixes == [{"line": "1", "quantity": 3, "change": "0"}]
    files = {"shop.toml": '[policy]\ncurrency = "GBP"\n', "QT1": "[quantity]\nminimum = 3\n"}
    fixes = decide(load_files(tmp_path / "c", files), ("N4", 2)).as_json()["issues"][0]["fixes"]
    assert fixes[0]["change"] == "+11.70"


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "5", True, None, 1_000_000_000, 1e3])
def test_a_quantity_is_a_whole_number_of_pieces(tmp_path: Path, quantity: Any) -> None:
    """87"""
    with pytest.raises(CartError, match=r"lines\[0\]\.quantity"):
        decide(load_files(tmp_path, {}), ("N4", quantity))


def test_the_largest_quantity_is_answered(tmp_path: Path) -> None:
    """87, 85"""
    rule = "[quantity]\nmaximum = 1000\nmultiple = 7\n"
    (issue,) = issues(tmp_path, rule, ("N4", 999_999_999))
    assert issue["fixes"] == [("1", 994)]


def test_goods_by_length_are_counted_in_pieces(tmp_path: Path) -> None:
    """87, 139"""
    decision = decide(load_files(tmp_path, {}), ("WIRE", 250)).as_json()
    assert (decision["lines"][0]["quantity"], decision["lines"][0]["amount"]) == (250, "125")


@pytest.mark.parametrize(
    "wrong",
    ["minimum = 0", "maximum = 0", "multiple = 0", "allowed = [0, 5]", "allowed = [5, 5]", "minimum = 2.0",
     "minimum = -1", "minimum = 1000000000"],
)  # fmt: skip
def test_quantities_of_rules_are_whole_numbers_from_one(tmp_path: Path, wrong: str) -> None:
    """128, 5"""
    assert checks(tmp_path, {"QT1": f"[quantity]\n{wrong}\n"})


def test_no_quantity_at_all_and_a_maximum_below_the_minimum_are_load_errors(tmp_path: Path) -> None:
    """74, 128"""
    assert checks(tmp_path / "a", {"QT1": "[quantity]\nminimum = 11\nmaximum = 19\nmultiple = 10\n"}) == [
        "no-quantity"
    ]
    assert checks(tmp_path / "b", {"QT1": "[quantity]\nminimum = 11\nmaximum = 10\n"}) == [
        "maximum-below-minimum"
    ]
