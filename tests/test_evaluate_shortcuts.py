"""Fixes are found with shortcuts when no rule looks at other lines: the decision must be the same without them."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from rules.errors import TieError
from rules.evaluate import evaluate
from rules.facts import Cart, Customer, Line, Product
from rules.in_force import rules_in_force
from rules.ruleset import Below, Condition, PriceEffect, QuantityEffect, Rule, Ruleset, Scope, WhenLine
from support.random_rules import DAY

COUNTS = ("line", "product", "batch", "matching", "order")


def quantity_rule(random: Random, number: int, counts: tuple[str, ...]) -> Rule:
    when = [
        WhenLine(fact, (Condition(fact, "eq", random.choice(values)),))
        for fact, values in (
            ("product.sku", ("A", "B")), ("product.category", ("a", "a/b")), ("product.brand", ("x", "y")),
            ("customer.group", ("g", "h")),
        )
        if random.random() < 0.4
    ]  # fmt: skip
    if random.random() < 0.6:
        op = random.choice(("lt", "ge"))
        when.append(WhenLine("line.quantity", (Condition("line.quantity", op, random.choice((3, 7, 20))),)))
    field = random.choice(("minimum", "minimum", "multiple", "maximum", "allowed"))
    value: Any = (
        tuple(sorted(random.sample(range(1, 30), 3))) if field == "allowed" else random.randint(2, 12)
    )
    below = (Below("surcharge", Decimal(4), amount=Decimal(100)),) if random.random() < 0.5 else ()
    effect = QuantityEffect(
        **{field: value}, counts=random.choice(counts), below=below, above="approval", off_multiple="warn"
    )
    code = f"QT{number}"
    scope = Scope(regions=("JP-13",)) if random.random() < 0.1 else None
    return Rule(code, {"en": code}, effect, f"rules/{code}.toml", scope=scope, when=tuple(when))


def decide(ruleset: Ruleset, cart: Cart) -> str:
    try:
        return evaluate(ruleset, cart, DAY).to_bytes().decode()
    except TieError as tie:
        return str(tie)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_the_decision_is_the_same_without_shortcuts(first: int) -> None:
    with_fixes = 0
    for seed in range(first, first + 100):
        random = Random(seed)
        counts = COUNTS if seed % 2 else ("line",)
        rules = [quantity_rule(random, n, counts) for n in range(random.randint(1, 4))]
        rules.append(
            Rule("PR1", {"en": "PR1"}, PriceEffect("off_percent", "promotion", Decimal(5)), "rules/PR1.toml")
        )
        ruleset = Ruleset(tuple(sorted(rules, key=lambda rule: rule.code)))
        products = [
            Product(sku, "a/b" if sku == "A" else "a", random.choice("xy"), batch="m", list_price=Decimal(10))
            for sku in ("A", "B", "A", "C")
        ]
        cart = Cart(
            tuple(Line(str(n), product, random.randint(1, 25)) for n, product in enumerate(products)),
            customer=Customer("ACME", group="g", region="JP-27"),
        )
        quick = decide(ruleset, cart)
        with_fixes += '"fixes":[{' in quick
        rules_in_force(ruleset, DAY).has_shared = True
        assert decide(ruleset, cart) == quick
    assert with_fixes > 10
