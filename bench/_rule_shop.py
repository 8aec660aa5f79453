"""A seeded shop for the rules benchmark: rules as a store owner would file them, carts, and the same rules for others.

Every rule is conditions of a few plain kinds, so that a hand-written loop and zen-engine can be given the same task.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from rules.facts import Cart, Customer, Line, Method, Product
from rules.ruleset import (
    Below,
    Break,
    Condition,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    QuantityEffect,
    Rule,
    Ruleset,
    SurchargeEffect,
    WhenLine,
)

DAY = date(2026, 12, 1)
GROUPS = ("standard", "trial", "partner", "school")
FACTS = {
    "customer": "customer.code", "group": "customer.group", "sku": "product.sku", "batch": "product.batch",
    "category": "product.category", "brand": "product.brand", "tag": "product.tags", "channel": "order.channel",
}  # fmt: skip


@dataclass
class Plain:
    """A rule's conditions in plain words; `low` and `high` bound the line's quantity, low included."""

    code: str
    effect: Any
    equal: dict[str, str] = field(default_factory=dict)
    low: int | None = None
    high: int | None = None

    def rule(self) -> Rule:
        when = [
            WhenLine(FACTS[key], (Condition(FACTS[key], "eq", value),)) for key, value in self.equal.items()
        ]
        bounds = [("ge", self.low), ("lt", self.high)]
        limits = tuple(Condition("line.quantity", op, limit) for op, limit in bounds if limit is not None)
        if limits:
            when.append(WhenLine("line.quantity", limits))
        name = {"en": f"Rule {self.code}", "ja": f"規則{self.code}"}
        return Rule(self.code, name, self.effect, f"rules/{self.code}.toml", because=name, when=tuple(when))


def products() -> list[Product]:
    return [
        Product(
            f"P{n:05}",
            category=f"c{n % 20}/s{n % 100}",
            brand=f"b{n % 30}",
            tags=(f"t{n % 10}",),
            batch=f"m{n % 500}",
            list_price=Decimal(20 + n % 977) + Decimal(n % 4) / 4,
            weight_g=Decimal(n % 300),
        )
        for n in range(5000)
    ]


def customer(number: int) -> Customer:
    return Customer(
        f"C{number:03}", group=GROUPS[number % 4], region="JP-27", country="JP", orders=number % 7
    )


def general() -> list[Plain]:
    """Ten rules of the kind every shop has."""
    breaks = tuple(
        Break(start, "rate", Decimal(rate)) for start, rate in ((1, "1"), (100, "0.9"), (1000, "0.8"))
    )
    below = (Below("surcharge", Decimal(1), amount=Decimal(300)),)
    return [
        Plain("PR1", PriceEffect("rate", "agreed", Decimal("0.92")), {"group": "standard"}),
        Plain("PR2", PriceEffect("off_percent", "promotion", Decimal(3)), {"channel": "web"}, low=500),
        Plain("PR3", PriceEffect("breaks", "volume", breaks=breaks), {"category": "c1"}),
        Plain("QT1", QuantityEffect(minimum=10, below=below), {"category": "c2"}),
        Plain("QT2", QuantityEffect(multiple=10), {"tag": "t3"}),
        Plain("SC1", SurchargeEffect("amount", Decimal(500), per="order"), {}, high=20),
        Plain("SC2", SurchargeEffect("percent", Decimal(2)), {"brand": "b3"}),
        Plain("OR1", OrderEffect(minimum=Decimal(1000))),
        Plain("SH1", MethodEffect(free_from=Decimal(20000))),
        Plain("PM1", MethodEffect(hide=("net_terms",)), {"group": "trial"}),
    ]


def special(number: int) -> Plain:
    """One of the rules that a shop gathers over the years: for one customer, product, batch or category."""
    kind, sku = number % 6, f"P{number * 7 % 5000:05}"
    code = 1000 + number
    if kind <= 1:
        effect = PriceEffect("unit", "agreed", Decimal(10 + number % 500))
        return Plain(f"PR{code}", effect, {"customer": f"C{number * 11 % 500:03}", "sku": sku})
    if kind == 2:
        return Plain(f"QT{code}", QuantityEffect(minimum=10), {"sku": sku})
    if kind == 3:
        return Plain(
            f"SC{code}", SurchargeEffect("amount", Decimal(80)), {"batch": f"m{number % 500}"}, high=50
        )
    if kind == 4:
        equal = {"group": GROUPS[number % 4], "category": f"c{number % 20}/s{number % 100}"}
        return Plain(f"QT{code}", QuantityEffect(maximum=100_000), equal)
    effect = PriceEffect("off_percent", "promotion", Decimal(5))
    return Plain(f"PR{code}", effect, {"group": GROUPS[number % 4], "sku": sku}, low=200)


def stranger(number: int) -> Plain:
    """A rule that no cart here meets: for a product and a customer that do not order."""
    kind, code = number % 3, f"{500_000 + number}"
    if kind == 0:
        return Plain(f"SC{code}", SurchargeEffect("amount", Decimal(80)), {"sku": f"X{number}"})
    if kind == 1:
        effect = PriceEffect("unit", "agreed", Decimal(10))
        return Plain(f"PR{code}", effect, {"customer": f"X{number}", "sku": f"P{number % 5000:05}"})
    return Plain(f"QT{code}", QuantityEffect(minimum=10), {"group": f"x{number}"})


def rules_of(size: int) -> list[Plain]:
    """`size` rules: the general ones and as many special ones as it takes."""
    return [*general(), *map(special, range(size - 10))][:size]


def ruleset_of(rules: list[Plain]) -> Ruleset:
    return Ruleset(tuple(sorted((one.rule() for one in rules), key=lambda rule: rule.code)))


def carts(lines: int, seed: int, count: int = 5) -> list[Cart]:
    """Carts of distinct products whose quantities keep the rules."""
    random, catalog = Random(seed), products()
    return [
        Cart(
            tuple(
                Line(str(n), product, random.choice((50, 100, 200, 600)))
                for n, product in enumerate(random.sample(catalog, lines), 1)
            ),
            customer=customer(random.randrange(500)),
            shipping_quotes=(Method("flat_rate", Decimal(800)), Method("pickup")),
            payment_methods=(Method("bank_transfer"), Method("net_terms")),
            shipping="flat_rate",
            payment="bank_transfer",
        )
        for _ in range(count)
    ]
