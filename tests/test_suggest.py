"""Rules drafted from past orders: the prices that were planted are found, with their evidence, and nothing else is."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import load_ruleset
from rules.suggest import PaidLine, PriceRow, learn_prices, suggest_minimum
from storefront import cli
from support.rule_folders import write

START = date(2026, 1, 5)
CUSTOMERS = [f"C{n}" for n in range(12)]


def sold(
    draw: Random, *, days: int = 200, breaks: dict[int, int] | None = None, own: dict[str, int] | None = None
) -> list[PaidLine]:
    """A line a day of one product at 100: from a quantity on cheaper, for some customers at their own price."""
    lines = []
    for day in range(days):
        customer, quantity = draw.choice(CUSTOMERS), draw.randint(1, 60)
        reached = [unit for start, unit in sorted((breaks or {}).items()) if start <= quantity]
        unit = (own or {}).get(customer) or (reached[-1] if reached else 100)
        lines.append(PaidLine(START + timedelta(days=day), customer, "M4", quantity, Decimal(unit)))
    return lines


def rows(lines: list[PaidLine]) -> list[tuple[str | None, int, Decimal]]:
    return [(row.customer, row.start, row.unit) for row in learn_prices(lines).rows()]


@pytest.mark.parametrize("seed", range(5))
def test_quantity_breaks_and_a_customers_own_price_are_found_where_they_were_planted(seed: int) -> None:
    found = rows(sold(Random(seed), days=600, breaks={20: 90, 40: 80}, own={"C3": 70}))
    (first, second), own = found[:2], found[2:]
    assert (first[0], first[2]) == (None, 90)
    assert (
        18 <= first[1] <= 20
    )  # the smallest quantity that was sold so; a few of the lines below may be missing
    assert (second[0], second[2]) == (None, 80)
    assert 36 <= second[1] <= 40
    assert own == [("C3", 1, Decimal(70))]


@given(st.integers(0, 10_000))
def test_one_price_for_everybody_suggests_nothing(seed: int) -> None:
    assert rows(sold(Random(seed))) == []


@given(st.integers(0, 1_000))
def test_prices_at_random_suggest_no_quantity_break(seed: int) -> None:
    draw = Random(seed)
    lines = [line._replace(unit=Decimal(draw.choice((100, 100, 100, 80)))) for line in sold(draw, days=300)]
    assert [row for row in rows(lines) if row[0] is None] == []


def test_a_break_that_one_customer_alone_was_given_is_no_break() -> None:
    many, few = ("C1", 50, Decimal(80)), ("D", 5, Decimal(100))
    lines = [
        PaidLine(START + timedelta(days=n), f"{who}{n}" if who == "D" else who, "M4", pieces, unit)
        for n in range(60)
        for who, pieces, unit in ((many if n % 2 else few),)
    ]
    assert rows(lines) == [("C1", 1, Decimal(80))]


def test_prices_before_the_list_price_changed_count_for_nothing() -> None:
    lines = [
        PaidLine(
            START + timedelta(days=n), CUSTOMERS[n % 12], "M4", n % 60 + 1, Decimal(90 if n < 200 else 100)
        )
        for n in range(400)
    ]
    assert rows(lines) == []


def test_the_order_of_the_lines_changes_nothing() -> None:
    lines = sold(Random(1), breaks={20: 90}, own={"C3": 70})
    shuffled = lines[:]
    Random(2).shuffle(shuffled)
    assert learn_prices(shuffled).rows() == learn_prices(lines).rows()


def test_the_rows_tell_more_lines_than_the_usual_price_does() -> None:
    lines = sold(Random(3), days=400, breaks={30: 80}, own={"C3": 70})
    known, usual, told = learn_prices(lines[:300]).agreeing(lines[300:])
    assert known == 100
    assert told > 95 > usual


def test_the_evidence_counts_the_lines_it_speaks_of() -> None:
    lines = sold(Random(3), days=400, breaks={30: 80})
    (row,) = learn_prices(lines).rows()
    large = sum(line.quantity >= row.start for line in lines)
    assert row._replace(lines=0, agree=0) == PriceRow("M4", None, 30, Decimal(80), 0, 0, 12)
    assert 0.9 * large < row.lines == row.agree <= large  # all but those of the first days


# --- a minimum that pays ----------------------------------------------------------------------------------------


def test_the_minimum_is_the_round_amount_whose_margin_pays_for_handling() -> None:
    goods = [Decimal(n) for n in range(100, 6_000, 100)]
    found = suggest_minimum(goods, Decimal(750), Decimal("0.3"), Decimal(1))
    assert found is not None
    assert found.minimum == 3_000  # 750 / 0.3 is 2,500
    assert found.below == sum(one < 3_000 for one in goods)
    assert found.lost == sum(Decimal(750) - one * Decimal("0.3") for one in goods if one < 3_000)
    assert Decimal(1) <= found.fee <= 750
    assert found.fee <= found.fee_from < found.minimum


@given(
    st.lists(st.integers(1, 10**7), min_size=1, max_size=60),
    st.integers(1, 10_000),
    st.integers(1, 99),
    st.sampled_from((Decimal(1), Decimal("0.01"), Decimal("0.001"))),
)
def test_a_fee_lies_below_the_minimum_and_neither_is_finer_than_the_currency(
    goods: list[int], handling: int, margin: int, tick: Decimal
) -> None:
    found = suggest_minimum([one * tick for one in goods], handling * tick, Decimal(margin) / 100, tick)
    if found is not None:
        assert 0 < found.fee_from < found.minimum
        assert all(value % tick == 0 for value in (found.fee, found.fee_from, found.minimum))


def test_where_handling_costs_nothing_or_no_order_is_small_nothing_is_suggested() -> None:
    assert suggest_minimum([Decimal(5)] * 50, Decimal(0), Decimal("0.3"), Decimal(1)) is None
    assert suggest_minimum([Decimal(5_000)] * 50, Decimal(50), Decimal("0.3"), Decimal(1)) is None
    assert suggest_minimum([], Decimal(50), Decimal("0.3"), Decimal(1)) is None


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A bare shop folder whose orders.csv hides a break from 30 and a price of C3's own."""
    head = "order,on,customer,sku,quantity,unit_price\n"
    lines = sold(Random(4), days=300, breaks={30: 80}, own={"C3": 70})
    orders = "".join(
        f"{n},{one.on},{one.customer},{one.sku},{one.quantity},{one.unit}\n" for n, one in enumerate(lines)
    )
    return write(
        tmp_path / "shop",
        {
            "products.csv": "sku,list_price\nM4,100\n",
            "customers.csv": "code\n" + "".join(f"{code}\n" for code in CUSTOMERS),
            "orders.csv": head + orders,
            "rules/OR10.toml": 'code = "OR10"\nname = "Minimum"\n[order]\nminimum = 100\n',
        },
    )


def test_what_is_suggested_can_be_laid_over_the_shop_and_its_cases_pass(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rules", "suggest", str(shop), "--handling", "750", "--lang", "en"]) == 0
    assert "1 quantity breaks, 1 prices of 1 customers' own" in capsys.readouterr().out
    with (shop / "suggested" / "prices" / "from_history.csv").open() as file:
        assert [(row["customer"], row["unit"]) for row in csv.DictReader(file)] == [("", "80"), ("C3", "70")]
    overlay = {
        str(path.relative_to(shop / "suggested")): path.read_bytes()
        for path in (shop / "suggested").rglob("*")
        if path.suffix == ".toml" or path.parent.name == "prices"
    }
    loaded = load_ruleset(shop, today=date(2026, 12, 1), overlay=overlay)
    assert [one.check for one in loaded.findings if one.rule != "OR10"] == []
    assert {one.rule for one in loaded.cases if one.passed} == {"PR10", "OR20"}
    assert not (shop / "rules" / "PR10_from_history.toml").exists()


def test_both_languages_and_json_tell_the_same_figures(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["rules", "suggest", str(shop), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["lines"], told["breaks"], told["own_prices"]) == (300, 1, 1)
    assert told["held_out"]["lines"] == 29
    cli.main(["rules", "suggest", str(shop)])
    assert "数量の段 1、お客さまだけの価格 1(1社)" in capsys.readouterr().out
    assert "(300行" not in (shop / "suggested" / "rules" / "PR10_from_history.toml").read_text()


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"orders.csv": "order,on\n"}, 2, "orders.csv:1: the column customer is missing"),
        (
            {"orders.csv": "order,on,customer,sku,quantity,unit_price\n1,2026-01-01,C1,M4,x,5\n"},
            2,
            "orders.csv:2:",
        ),
        ({"rules/QT1.toml": "code = 1\n"}, 1, "rules/QT1.toml:1"),
    ],
)
def test_orders_or_rules_that_cannot_be_read_are_named_with_their_line(
    shop: Path, change: dict[str, str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(shop, change)
    assert cli.main(["rules", "suggest", str(shop)]) == code
    assert said in capsys.readouterr().err
    assert not (shop / "suggested").exists()


def test_a_shop_without_orders_says_what_is_missing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "orders.csv").unlink()
    assert cli.main(["rules", "suggest", str(shop)]) == 2
    assert "no orders to learn from" in capsys.readouterr().err
