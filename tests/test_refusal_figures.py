"""Medians, histograms, what-ifs and drafts: against a hand-made example and against a slow count of single carts."""

from __future__ import annotations

import statistics
import tomllib
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.attempts.drafting import with_fee
from storefront.attempts.figures import Count, Refusals, grouped, histogram, median_of, round_step, what_if

NEJI = Path(__file__).parent.parent / "examples" / "neji" / "rules"
ENDINGS = ("", "ordered", "raised", "paid_fee", "removed", "abandoned")


def row(asked: int, ending: str, carts: int, amount: int) -> tuple[object, ...]:
    return ("QT12", "P-12", "rule", "minimum", "pieces", asked, 50, ending, carts, amount)


def test_the_example_of_the_owners_page() -> None:
    rows = [
        row(10, "abandoned", 7, 10_500), row(20, "removed", 8, 24_000), row(30, "raised", 12, 54_000),
        row(40, "abandoned", 6, 36_000), row(40, "paid_fee", 4, 24_000),
    ]  # fmt: skip
    (one,) = grouped(rows, {("QT12", "P-12"): 9})
    assert (one.carts, one.companies, one.median, one.need) == (37, 9, 30, 50)
    assert (one.ended("raised"), one.ended("paid_fee"), one.gave_up, one.lost_minor) == (12, 4, 21, 70_500)
    guess = what_if(one.counts, at=30, fee_minor=600)
    assert (guess.reached, guess.earned_minor, guess.raised) == (22, 13_200, 12)
    assert what_if(one.counts, at=30, fee_minor=600, share=50).earned_minor == 6_600
    assert what_if(one.counts, at=50, fee_minor=600).earned_minor == 0
    assert what_if(one.counts, at=40, fee_minor=5, share=1).earned_minor == 1  # 0.5 is rounded up


def test_the_most_refused_come_first_and_the_field_met_most_names_the_entry() -> None:
    rows = [
        ("QT10", "M4-10", "rule", "multiple", "pieces", 110, 120, "", 1, None),
        ("QT10", "M4-10", "rule", "minimum", "pieces", 20, 100, "", 3, 5),
        ("OR10", "", "rule", "minimum", "money", 900, 3000, "", 5, 900),
    ]
    found = grouped(rows, {})
    assert [(one.code, one.carts, one.field, one.need) for one in found] == [
        ("OR10", 5, "minimum", 3000),
        ("QT10", 4, "minimum", 100),
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 300),
            st.sampled_from((50, 120, None)),
            st.sampled_from(ENDINGS),
            st.integers(0, 900),
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 200),
    st.integers(0, 5_000),
    st.integers(0, 100),
)
def test_figures_of_counts_are_those_of_single_carts(
    carts: list[tuple[int, int | None, str, int]], at: int, fee: int, share: int
) -> None:
    together = Counter((asked, need, ending) for asked, need, ending, _amount in carts)
    counts = tuple(
        Count(asked, need, ending, number,
              sum(amount for *key, amount in carts if tuple(key) == (asked, need, ending)))
        for (asked, need, ending), number in together.items()
    )  # fmt: skip
    one = Refusals("QT12", "P-12", "rule", "minimum", "pieces", 0, counts)
    assert one.carts == len(carts)
    assert one.median == statistics.median_low([cart[0] for cart in carts])
    assert one.lost_minor == sum(cart[3] for cart in carts if cart[2] in ("removed", "abandoned"))
    would_pay = [cart for cart in carts if cart[0] >= at and (cart[1] is None or cart[0] < cart[1])]
    guess = what_if(counts, at=at, fee_minor=fee, share=share)
    assert guess.reached == len(would_pay)
    assert guess.earned_minor == (2 * len(would_pay) * fee * share + 100) // 200
    assert guess.raised == sum(cart[2] == "raised" for cart in would_pay)
    bins = histogram(one.asked())
    assert len(bins) <= 10
    assert sum(each.carts for each in bins) == len(carts)
    for each in bins:
        assert each.carts == sum(each.first <= cart[0] <= each.last for cart in carts)
    assert all(left.last + 1 == right.first for left, right in pairwise(bins))


def test_nobody_asked_is_no_median_and_no_histogram() -> None:
    assert (median_of({}), histogram({})) == (0, [])


@pytest.mark.parametrize(
    ("low", "high", "step"), [(1, 10, 1), (10, 40, 5), (1, 100, 20), (680, 2900, 500), (7, 7, 1)]
)
def test_bins_are_round(low: int, high: int, step: int) -> None:
    assert round_step(low, high, 10) == step


# --- the draft --------------------------------------------------------------------------------------------------


def rule_of(name: str) -> str:
    return (NEJI / name).read_text(encoding="utf-8")


def test_a_fee_goes_in_its_place_and_comments_stay() -> None:
    old = rule_of("QT10_screws.toml")
    new = with_fee(old, at=20, fee=Decimal(600), sku="M4-10")
    assert new is not None
    assert [line for line in old.splitlines() if line not in new.splitlines()] == []
    below = tomllib.loads(new)["quantity"]["below"]
    assert [(entry.get("at_least"), entry["outcome"], entry.get("amount")) for entry in below] == [
        (60, "surcharge", 800),
        (20, "surcharge", 600),
        (None, "block", None),
    ]
    assert below[1]["label"]["ja"] == "小ロット手数料"
    case = tomllib.loads(new)["case"][-1]
    assert case["cart"] == [{"sku": "M4-10", "quantity": 20}]
    assert case["expect"]["surcharges"] == [{"code": "QT10", "amount": 600}]


def test_a_rule_without_grades_gets_one_and_still_blocks_below_it() -> None:
    new = with_fee(rule_of("QT12_turned.toml"), at=25, fee=Decimal(600), sku="P-12")
    assert new is not None
    rule = tomllib.loads(new)
    assert [(entry.get("at_least"), entry["outcome"]) for entry in rule["quantity"]["below"]] == [
        (25, "surcharge"),
        (None, "block"),
    ]
    assert rule["quantity"]["maximum"] == 2000
    assert rule["case"][-1]["cart"] == [{"sku": "P-12", "quantity": 30}], "on the lot of 10"


def test_a_grade_of_the_same_quantity_is_changed_not_doubled() -> None:
    new = with_fee(rule_of("QT10_screws.toml"), at=60, fee=Decimal(900))
    assert new is not None
    assert [entry.get("amount") for entry in tomllib.loads(new)["quantity"]["below"]] == [900, None]


def test_an_orders_minimum_takes_a_fee_too() -> None:
    new = with_fee(rule_of("OR10_order_minimum.toml"), at=Decimal(500), fee=Decimal("300"))
    assert new is not None
    below = tomllib.loads(new)["order"]["below"]
    assert [(entry.get("at_least"), entry.get("amount")) for entry in below] == [
        (1000, 500),
        (500, 300),
        (None, None),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "no toml = [", 'code = "PR10"\n[price]\nrate = 1\n', "[quantity]\nmultiple = 20\n", "quantity = 3\n",
     "[quantity]\nminimum = 30\n", "[quantity]\nminimum = 50\nbelow = 7\n", "#" * 200_000],
)  # fmt: skip
def test_what_has_no_minimum_above_it_makes_no_draft(text: str) -> None:
    assert with_fee(text, at=30, fee=Decimal(600), sku="P-12") is None
