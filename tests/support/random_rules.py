"""Random rule sets and carts over the whole vocabulary, from small pools of values so that rules do match.

`random.Random` in, records out: seeded for the long runs, Hypothesis's own for the ones that shrink.
"""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from rules.facts import VISITOR, Cart, Customer, Line, Product, ShipTo
from rules.reading import CartFacts
from rules.ruleset import (
    AnyOf,
    Condition,
    PriceEffect,
    Rule,
    Ruleset,
    Scope,
    SurchargeEffect,
    WhenLine,
)

DAY = date(2026, 12, 1)
# é as one code point: texts are NFC when they get here; the two-code-point form is another text.
TEXTS = (
    "A",
    "a",
    "AB",
    "é",
    "e\u0301",
    "株式会社",
    "ｶﾅ",
    'say "5"',
    "back\\slash",
    "nul\0l",
    "x" * 300,
    "0",
    "1",
)
CATEGORIES = ("a", "a/b", "a/b/c", "a/bc", "b", "ねじ", "ねじ/なべ", "a/b/c/d/e/f")
DECIMALS = tuple(map(Decimal, "0 0.000001 0.1 1 1.0 2.5 100 120.000001 9007199254740993 0.1234567".split()))
NUMBERS = (0, 1, 2, 3, 5, 10, 50, 100, 999_999_999)
DAYS = tuple(DAY + timedelta(days=days) for days in range(-2, 3))
TEXT_FACTS = (
    "customer.code", "customer.group", "customer.country", "customer.region", "product.sku", "product.brand",
    "product.batch", "product.tax", "product.cadence", "product.setup_key", "order.channel", "order.purpose",
    "order.currency", "order.weekday", "order.payment", "order.shipping", "order.ship_to.country",
    "order.ship_to.region", "order.ship_to.postcode",
)  # fmt: skip
POOLS = {
    "order.channel": ("web", "api"), "order.purpose": ("normal", "prototype"), "order.currency": ("JPY", "EUR"),
    "order.weekday": ("mon", "tue"),
}  # fmt: skip
TAG_FACTS = ("customer.tags", "product.tags")
INT_FACTS = (
    "customer.orders", "customer.since_days", "line.quantity", "line.cases", "line.loose", "product.quantity",
    "batch.quantity", "batch.lines", "order.quantity", "order.lines", "matching.quantity",
)  # fmt: skip
DECIMAL_FACTS = (
    "customer.credit_limit", "customer.credit_left", "product.list_price", "product.cost", "product.weight_g",
    "order.weight_g",
)  # fmt: skip
LATE_FACTS = ("line.amount", "product.amount", "batch.amount", "order.subtotal", "matching.amount")
DAY_FACTS = ("order.on", "order.delivery")
ATTRIBUTES = ("product.attributes.material", "line.attributes.cut")
ATTRIBUTE_VALUES = ("steel", "1", 1, Decimal("1.0"), Decimal("2.5"), True, False, "é")


def random_condition(random: Random, fact: str) -> Condition:
    if random.random() < 0.08:
        return Condition(fact, "known", random.random() < 0.5)
    if fact == "customer.known":
        return Condition(fact, "eq", random.random() < 0.5)
    if fact in TAG_FACTS:
        return _among(random, fact, TEXTS, ("eq", "one_of", "has", "not", "not_in"))
    if fact == "product.category":
        return _among(random, fact, CATEGORIES, ("eq", "one_of", "not", "not_in", "starts_with"))
    if fact in TEXT_FACTS:
        return _among(random, fact, POOLS.get(fact, TEXTS), ("eq", "one_of", "not", "not_in", "starts_with"))
    if fact in ATTRIBUTES:
        if random.random() < 0.4:
            return _ordered(random, fact, (1, Decimal("1.0"), Decimal("2.5"), 3))
        return _among(random, fact, ATTRIBUTE_VALUES, ("eq", "one_of", "not", "not_in"))
    if fact in DAY_FACTS:
        return _number_like(random, fact, DAYS)
    return _number_like(random, fact, NUMBERS if fact in INT_FACTS else DECIMALS)


def _number_like(random: Random, fact: str, pool: tuple[Any, ...]) -> Condition:
    if random.random() < 0.3:
        return _among(random, fact, pool, ("eq", "one_of", "not", "not_in"))
    return _ordered(random, fact, pool)


def _ordered(random: Random, fact: str, pool: tuple[Any, ...]) -> Condition:
    op = random.choice(("lt", "le", "gt", "ge", "between"))
    if op == "between":
        return Condition(fact, op, tuple(sorted((random.choice(pool), random.choice(pool)))))
    return Condition(fact, op, random.choice(pool))


def _among(random: Random, fact: str, pool: tuple[Any, ...], ops: tuple[str, ...]) -> Condition:
    op = random.choice(ops)
    if op in ("one_of", "not_in", "has"):
        return Condition(fact, op, tuple(random.choice(pool) for _ in range(random.randint(1, 4))))
    value = random.choice(pool)
    return Condition(fact, op, value[:1] if op == "starts_with" else value)


def random_line(random: Random, late: bool) -> WhenLine:
    facts = (
        *TEXT_FACTS, *TAG_FACTS, *INT_FACTS, *DECIMAL_FACTS, *DAY_FACTS, *ATTRIBUTES, "product.category",
        "product.category", "customer.known", *(LATE_FACTS if late else ()),
    )  # fmt: skip
    fact = random.choice(facts)
    count = 2 if random.random() < 0.1 else 1
    return WhenLine(fact, tuple(random_condition(random, fact) for _ in range(count)))


def random_when(random: Random, late: bool) -> tuple[WhenLine | AnyOf, ...]:
    lines: dict[str, WhenLine | AnyOf] = {}
    for _ in range(random.choice((0, 1, 1, 2, 2, 3))):
        line = random_line(random, late)
        lines[line.fact] = line
    if random.random() < 0.15:
        tables = tuple(
            tuple(random_line(random, late) for _ in range(random.randint(1, 2)))
            for _ in range(random.randint(1, 3))
        )
        lines["any"] = AnyOf(tables)
    return tuple(lines.values())


def random_rule(random: Random, number: int) -> Rule:
    late = random.random() < 0.3
    scope = None
    if random.random() < 0.1:
        scope = Scope(
            regions=(random.choice(TEXTS),) if random.random() < 0.5 else None,
            customers=(random.choice(TEXTS),),
            percent=Decimal(random.choice((0, 20, 100))) if random.random() < 0.5 else None,
        )
    effect: Any = SurchargeEffect("amount", Decimal(100))
    code = f"SC{number}"
    if not late and random.random() < 0.3:
        code, effect = f"PR{number}", PriceEffect("off_percent", "promotion", Decimal(1))
    return Rule(code, {"en": code}, effect, f"rules/{code}.toml", scope=scope, when=random_when(random, late))


def random_ruleset(random: Random, size: int) -> Ruleset:
    rules = [random_rule(random, number) for number in range(size)]
    return Ruleset(tuple(sorted(rules, key=lambda rule: rule.code)))


def _maybe(random: Random, pool: tuple[Any, ...]) -> Any:
    return random.choice(pool) if random.random() < 0.75 else None


def _tags(random: Random) -> tuple[str, ...] | None:
    if random.random() < 0.3:
        return None
    return tuple(random.choice(TEXTS) for _ in range(random.randint(0, 3)))


def _attributes(random: Random, name: str) -> dict[str, Any]:
    return {name: random.choice(ATTRIBUTE_VALUES)} if random.random() < 0.75 else {}


def random_product(random: Random) -> Product:
    return Product(
        sku=random.choice(TEXTS),
        category=_maybe(random, (*CATEGORIES, "a/x", "c")),
        brand=_maybe(random, TEXTS),
        tags=_tags(random),
        batch=_maybe(random, TEXTS),
        list_price=_maybe(random, DECIMALS),
        cost=_maybe(random, DECIMALS),
        weight_g=_maybe(random, DECIMALS) or Decimal("2.5"),
        tax=_maybe(random, TEXTS),
        cadence=_maybe(random, TEXTS),
        setup_key=_maybe(random, TEXTS),
        attributes=_attributes(random, "material"),
        pieces_per_case=_maybe(random, (1, 3, 10)),
    )


def random_customer(random: Random) -> Customer:
    if random.random() < 0.1:
        return VISITOR
    return Customer(
        code=_maybe(random, TEXTS),
        group=_maybe(random, TEXTS),
        tags=_tags(random),
        country=_maybe(random, TEXTS),
        region=_maybe(random, TEXTS),
        orders=_maybe(random, NUMBERS),
        since_days=_maybe(random, NUMBERS),
        credit_limit=_maybe(random, DECIMALS),
        credit_left=_maybe(random, DECIMALS),
    )


def random_cart(random: Random, lines: int) -> Cart:
    return Cart(
        lines=tuple(
            Line(str(n), random_product(random), random.choice(NUMBERS[1:]), _attributes(random, "cut"))
            for n in range(lines)
        ),
        customer=random_customer(random),
        channel=random.choice(POOLS["order.channel"]),
        purpose=random.choice(POOLS["order.purpose"]),
        delivery=_maybe(random, DAYS),
        ship_to=ShipTo(_maybe(random, TEXTS), _maybe(random, TEXTS), _maybe(random, TEXTS)),
        shipping=_maybe(random, TEXTS),
        payment=_maybe(random, TEXTS),
    )


def facts_of(cart: Cart, random: Random, late: bool) -> CartFacts:
    """The facts a matcher is asked with; late: with amounts, as if prices were known."""
    facts = CartFacts(cart, DAY, "JPY")
    if late:
        facts.amounts = [random.choice(DECIMALS) for _ in facts.lines]
    return facts
