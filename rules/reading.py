"""Reads facts: from a line of a cart to the value of every fact a rule may name, and whether a condition holds.

None is absent. Sums over the cart are made once per cart, and only when a rule asks.
"""

import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from rules.facts import Cart, Line
from rules.ruleset import AnyOf, Condition, WhenLine

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Known from the surcharge stage on (rule-semantics 31); all other facts from the start.
LATE = frozenset({"line.amount", "product.amount", "batch.amount", "matching.amount", "order.subtotal"})
# Depend on other lines of the cart, so changing one line may change another's rules.
SHARED = frozenset(
    {
        "product.quantity", "product.amount", "batch.quantity", "batch.amount", "batch.lines", "order.quantity",
        "order.subtotal", "order.weight_g", "order.lines", "matching.quantity", "matching.amount",
    }
)  # fmt: skip
# Change when the quantity of a line changes; a search over quantities must look at their thresholds.
COUNTED = SHARED | {"line.quantity", "line.cases", "line.loose", "line.amount"}
CATEGORY = "product.category"
TAGS = frozenset({"product.tags", "customer.tags"})


class CartFacts:
    """One cart on one date, with its sums. `amounts` (major units by place) are set when prices are known."""

    __slots__ = ("_sums", "amounts", "cart", "currency", "customer", "lines", "on")

    def __init__(self, cart: Cart, on: date, currency: str) -> None:
        self.cart = cart
        self.on = on
        self.currency = currency
        self.customer = cart.customer
        self.amounts: list[Decimal] | None = None
        self.lines = [LineFacts(self, line, place) for place, line in enumerate(cart.lines)]
        self._sums: dict[str, Any] = {}

    def by_key(
        self, name: str, key: Callable[["LineFacts"], Any], weigh: Callable[["LineFacts"], Any]
    ) -> dict[Any, Any]:
        """Sums of `weigh` over the lines grouped by `key`, made once under `name`."""
        sums = self._sums.get(name)
        if sums is None:
            sums = self._sums[name] = {}
            for line in self.lines:
                group = key(line)
                sums[group] = sums.get(group, 0) + weigh(line)
        return sums

    def quantity(self) -> int:
        total = self._sums.get("quantity")
        if total is None:
            total = self._sums["quantity"] = sum(line.quantity for line in self.lines)
        return int(total)

    def weight_g(self) -> Decimal | None:
        """Absent as soon as one line's weight is unknown (rule-semantics 29)."""
        if "weight" not in self._sums:
            total: Decimal | None = Decimal(0)
            for line in self.lines:
                if line.product.weight_g is None:
                    total = None
                    break
                total = (total or Decimal(0)) + line.product.weight_g * line.quantity
            self._sums["weight"] = total
        weight: Decimal | None = self._sums["weight"]
        return weight

    def subtotal(self) -> Decimal | None:
        return None if self.amounts is None else sum(self.amounts, Decimal(0))


class LineFacts:
    """One line as rules see it; `batch` is the product's batch, or the product itself (rule-semantics 28)."""

    __slots__ = ("batch", "facts", "line", "place", "product", "quantity", "sku")

    def __init__(self, facts: CartFacts, line: Line, place: int) -> None:
        self.facts = facts
        self.line = line
        self.place = place
        self.product = line.product
        self.quantity = line.quantity
        self.sku = line.product.sku
        batch = line.product.batch
        self.batch: tuple[str, str] = ("batch", batch) if batch is not None else ("sku", line.product.sku)

    @property
    def amount(self) -> Decimal | None:
        amounts = self.facts.amounts
        return None if amounts is None else amounts[self.place]


def _batch_amount(line: LineFacts) -> Decimal | None:
    return (
        None
        if line.amount is None
        else _sum(line, "batch.amount", lambda one: one.batch, lambda one: one.amount)
    )


def _product_amount(line: LineFacts) -> Decimal | None:
    return (
        None
        if line.amount is None
        else _sum(line, "product.amount", lambda one: one.sku, lambda one: one.amount)
    )


def _sum(
    line: LineFacts, name: str, key: Callable[[LineFacts], Any], weigh: Callable[[LineFacts], Any]
) -> Any:
    return line.facts.by_key(name, key, weigh)[key(line)]


def _cases(line: LineFacts) -> int | None:
    per_case = line.product.pieces_per_case
    return None if per_case is None else line.quantity // per_case


def _loose(line: LineFacts) -> int | None:
    per_case = line.product.pieces_per_case
    return None if per_case is None else line.quantity % per_case


def _reader(path: str) -> Callable[[LineFacts], Any]:
    """A reader for customer.X and product.X, which are plain attributes."""
    owner, _, name = path.partition(".")
    if owner == "customer":
        return lambda line: getattr(line.facts.customer, name)
    return lambda line: getattr(line.product, name)


Reader = Callable[[LineFacts], Any]
READERS: dict[str, Reader] = {
    **{
        f"customer.{name}": _reader(f"customer.{name}")
        for name in "code group tags country region orders since_days credit_limit credit_left known".split()
    },
    **{
        f"product.{name}": _reader(f"product.{name}")
        for name in "sku category brand tags batch list_price cost weight_g tax cadence setup_key".split()
    },
    "line.quantity": lambda line: line.quantity,
    "line.cases": _cases,
    "line.loose": _loose,
    "line.amount": lambda line: line.amount,
    "product.quantity": lambda line: _sum(
        line, "product.quantity", lambda one: one.sku, lambda one: one.quantity
    ),
    "product.amount": _product_amount,
    "batch.quantity": lambda line: _sum(
        line, "batch.quantity", lambda one: one.batch, lambda one: one.quantity
    ),
    "batch.amount": _batch_amount,
    "batch.lines": lambda line: _sum(line, "batch.lines", lambda one: one.batch, lambda one: 1),
    "order.quantity": lambda line: line.facts.quantity(),
    "order.subtotal": lambda line: line.facts.subtotal(),
    "order.weight_g": lambda line: line.facts.weight_g(),
    "order.lines": lambda line: len(line.facts.lines),
    "order.channel": lambda line: line.facts.cart.channel,
    "order.purpose": lambda line: line.facts.cart.purpose,
    "order.currency": lambda line: line.facts.currency,
    "order.on": lambda line: line.facts.on,
    "order.weekday": lambda line: WEEKDAYS[line.facts.on.weekday()],
    "order.delivery": lambda line: line.facts.cart.delivery,
    "order.payment": lambda line: line.facts.cart.payment,
    "order.shipping": lambda line: line.facts.cart.shipping,
    "order.ship_to.country": lambda line: line.facts.cart.ship_to.country,
    "order.ship_to.region": lambda line: line.facts.cart.ship_to.region,
    "order.ship_to.postcode": lambda line: line.facts.cart.ship_to.postcode,
}


def reader_of(fact: str) -> Reader:
    """The reader of a fact; attributes are read by name. KeyError for a word the vocabulary does not have."""
    for prefix in ("product.attributes.", "line.attributes."):
        if fact.startswith(prefix):
            name = fact[len(prefix) :]
            if prefix[0] == "p":
                return lambda line: line.product.attributes.get(name)
            return lambda line: line.line.attributes.get(name)
    return READERS[fact]


def is_cart_fact(fact: str) -> bool:
    """Has one value for the whole cart, so that it is asked once and not per line."""
    return fact.startswith(("customer.", "order."))


Predicate = Callable[[Any], bool]


def predicate(condition: Condition) -> Predicate:
    """Whether a value satisfies the condition. An absent value satisfies only `known = false`."""
    op, wanted = condition.op, condition.value
    if op == "known":
        return (lambda value: value is not None) if wanted else (lambda value: value is None)
    if op in _ORDERED:
        return _ordered(op, wanted, condition.fact)
    test = _equality(condition)
    if op in ("not", "not_in"):
        same_type = _same_type(condition.fact, wanted)
        return lambda value: value is not None and same_type(value) and not test(value)
    return lambda value: value is not None and test(value)


def _equality(condition: Condition) -> Predicate:
    """The positive test of eq, one_of, has, starts_with, and what not and not_in deny."""
    fact, op, wanted = condition.fact, condition.op, condition.value
    if op == "starts_with":
        return lambda value: isinstance(value, str) and value.startswith(wanted)
    values = tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,)
    if fact in TAGS:
        chosen = frozenset(values)
        return lambda value: not chosen.isdisjoint(value)
    if fact == CATEGORY:
        inside = tuple(f"{one}/" for one in values)
        exact = frozenset(values)
        return lambda value: value in exact or value.startswith(inside)
    if _is_attribute(fact):
        return lambda value: any(_kind(value) is _kind(one) and value == one for one in values)
    if len(values) == 1:
        only = values[0]
        return lambda value: bool(value == only)
    chosen = frozenset(values)
    return lambda value: value in chosen


_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda value, wanted: value < wanted,
    "le": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "ge": lambda value, wanted: value >= wanted,
    "between": lambda value, wanted: wanted[0] <= value <= wanted[1],
}


def _ordered(op: str, wanted: Any, fact: str) -> Predicate:
    compare = _ORDERED[op]
    if not _is_attribute(fact):
        return lambda value: value is not None and compare(value, wanted)
    kind = _kind(wanted[0] if op == "between" else wanted)
    return lambda value: value is not None and _kind(value) is kind and compare(value, wanted)


def _is_attribute(fact: str) -> bool:
    return ".attributes." in fact


def _same_type(fact: str, wanted: Any) -> Predicate:
    """Attributes are typed by their value: a comparison between different types is false (rule-semantics 19)."""
    if not _is_attribute(fact):
        return lambda value: True
    kinds = {_kind(one) for one in (wanted if isinstance(wanted, tuple | list) else (wanted,))}
    return lambda value: _kind(value) in kinds


def _kind(value: Any) -> type:
    """bool, str, or Decimal for every number; bool first because Python counts it as an int."""
    if isinstance(value, bool):
        return bool
    return Decimal if isinstance(value, int | Decimal) else type(value)


def text(value: str) -> str:
    """The form in which texts are compared: NFC (rule-semantics 18)."""
    return unicodedata.normalize("NFC", value)


def when_facts(when: tuple[WhenLine | AnyOf, ...]) -> set[str]:
    """Every fact that a [when] names, inside `any` too."""
    facts: set[str] = set()
    for entry in when:
        if isinstance(entry, AnyOf):
            facts.update(line.fact for table in entry.tables for line in table)
        else:
            facts.add(entry.fact)
    return facts
