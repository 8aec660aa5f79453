"""Quantities where rules meet: nothing left to order, and entries that nobody can order, each told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import load_ruleset
from rules.errors import Finding
from support.rulesets import CATALOG, METHODS, ON, folder

BAGS = '[when]\n"product.category" = "screws"\n[quantity]\nallowed = [10, 50, 100]\n'
STEPS = """[quantity]
minimum = 100
[[quantity.below]]
at_least = 60
outcome = "surcharge"
amount = 800
[[quantity.below]]
at_least = 10
outcome = "approval"
[[quantity.below]]
outcome = "block"
"""


def found(tmp_path: Path, files: dict[str, str]) -> list[Finding]:
    shop = folder(tmp_path, files)
    findings = load_ruleset(shop, CATALOG, METHODS, ON).findings
    return [one for one in findings if one.check in ("no-quantity", "unreachable-quantity")]


def test_an_allowed_quantity_below_the_minimum_of_another_rule_is_told(tmp_path: Path) -> None:
    [one] = found(tmp_path, {"QT10": "[quantity]\nminimum = 20\n", "QT20": BAGS})
    assert (one.file, one.line, one.severity) == ("rules/QT20.toml", 6, "warning")
    assert one.message == (
        "the allowed quantity 10 is below the minimum 20 of QT10 (rules/QT10.toml): nobody can order it."
    )
    assert one.said("ja")[0].startswith(
        "注文できる数量の 10 は、QT10(rules/QT10.toml)の最低数量 20 に届きません。"
    )


@pytest.mark.parametrize(
    ("other", "entries"),
    [
        ("maximum = 60", ["100"]),
        ("multiple = 50", ["10"]),
        ("multiple = 5", []),
        ("minimum = 20\nabove = 'warn'\nmaximum = 60", ["10"]),
        ("multiple = 50\noff_multiple = 'warn'", []),
        ("minimum = 20\n[[quantity.below]]\noutcome = 'surcharge'\namount = 5", []),
        ("minimum = 20\ncounts = 'order'", []),
    ],
)
def test_only_what_the_other_field_blocks_is_told(tmp_path: Path, other: str, entries: list[str]) -> None:
    findings = found(tmp_path, {"QT10": f"[quantity]\n{other}\n", "QT20": BAGS})
    assert [one.message.split()[3] for one in findings] == entries


def test_an_entry_that_one_product_can_reach_is_not_told(tmp_path: Path) -> None:
    own = '[when]\n"product.sku" = "M4-10"\n[quantity]\nminimum = 20\n'
    assert found(tmp_path, {"QT10": own, "QT20": BAGS}) == []


def test_an_entry_that_some_customer_can_reach_is_not_told(tmp_path: Path) -> None:
    general = '[when]\n"customer.group" = ["standard", "trial"]\n[quantity]\nminimum = 20\n'
    assert found(tmp_path / "a", {"QT10": general, "QT20": BAGS}) == []
    freed = '[when]\n"customer.code" = "ACME"\n[quantity]\nminimum = 5\n'
    everybody = "[quantity]\nminimum = 20\n"
    assert found(tmp_path / "b", {"QT05": freed, "QT10": everybody, "QT20": BAGS}) == []


def test_nothing_is_told_where_a_rule_that_reads_the_order_may_decide_the_field(tmp_path: Path) -> None:
    prototype = '[when]\n"order.purpose" = "prototype"\n[quantity]\nminimum = 1\n'
    everybody = "[quantity]\nminimum = 20\n"
    assert found(tmp_path, {"QT05": prototype, "QT10": everybody, "QT20": BAGS}) == []


def test_a_step_below_the_minimum_that_no_lot_reaches_is_told(tmp_path: Path) -> None:
    lots = '[when]\n"product.category" = "screws"\n[quantity]\nmultiple = 50\n'
    [one] = found(tmp_path / "a", {"QT10": '[when]\n"product.category" = "screws"\n' + STEPS, "QT20": lots})
    assert one.message == (
        "no quantity of the step from 60 to 99 agrees with QT20 (rules/QT20.toml): nobody can order it."
    )
    assert (one.file, one.line) == ("rules/QT10.toml", 7)
    assert found(tmp_path / "b", {"QT10": STEPS, "QT20": lots}) == []  # nuts reach it


def test_a_step_that_blocks_needs_nobody_who_reaches_it(tmp_path: Path) -> None:
    steps = "[quantity]\nminimum = 100\nmultiple = 50\n[[quantity.below]]\nat_least = 60\noutcome = 'block'\n"
    assert found(tmp_path, {"QT10": steps}) == []


def test_three_rules_that_leave_nothing_together_are_all_named(tmp_path: Path) -> None:
    files = {
        "QT10": "[quantity]\nminimum = 30\n",
        "QT20": '[when]\n"product.category" = "screws"\n[quantity]\nmultiple = 25\n',
        "QT30": '[when]\n"product.sku" = "M4-10"\n[quantity]\nmaximum = 40\n',
    }
    [one] = found(tmp_path, files)
    assert (one.check, one.severity, one.file, one.line) == ("no-quantity", "error", "rules/QT30.toml", 6)
    assert one.message == (
        "QT10 (rules/QT10.toml) and QT20 (rules/QT20.toml) and QT30 (rules/QT30.toml) together leave no quantity "
        "to order for product M4-10 and customer ACME."
    )
    assert "商品 M4-10 と得意先 ACME で注文できる数量が一つも残りません" in one.said("ja")[0]


def test_two_rules_that_leave_nothing_are_told_once(tmp_path: Path) -> None:
    files = {
        "QT10": "[quantity]\nminimum = 30\n",
        "QT20": '[when]\n"product.category" = "screws"\n[quantity]\nmaximum = 20\n',
        "QT30": '[when]\n"product.sku" = "M4-10"\n[quantity]\nmultiple = 5\n',
    }
    assert [one.check for one in found(tmp_path, files)] == ["no-quantity"]


def test_a_rule_that_has_ended_or_that_only_watches_stands_in_nobodys_way(tmp_path: Path) -> None:
    for place, line in enumerate(('mode = "shadow"', "until = 2026-11-01")):
        files = {"QT10": f"{line}\n[quantity]\nminimum = 20\n", "QT20": BAGS}
        assert found(tmp_path / str(place), files) == []


def test_an_entry_that_is_meant_is_accepted(tmp_path: Path) -> None:
    accepted = 'accept = ["unreachable-quantity"]\n' + BAGS
    assert found(tmp_path, {"QT10": "[quantity]\nminimum = 20\n", "QT20": accepted}) == []
