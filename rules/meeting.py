"""Where two rules can meet: dates, facts one by one, and a known product and customer that satisfy both.

Rule-semantics 43. Products and customers are bits of large integers, so that thousands of rules compare quickly.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.catalog import Catalog
from rules.facts import VISITOR, Customer, Product
from rules.in_force import is_in_scope
from rules.ranking import Rank, specificity
from rules.reading import CATEGORY, TAGS, predicate
from rules.ruleset import AnyOf, Condition, PriceTable, Rule, WhenLine
from rules.satisfy import alternatives, can_hold

# What a customer's record cannot say for all time; conditions on them exclude no known customer.
_CHANGING = frozenset({"customer.orders", "customer.since_days", "customer.credit_left"})
Shape = tuple[bool, bool, bool, int]  # filled cells of a table row: customer, group, sku, category levels
Box = tuple[int, int]  # bits of products, bits of customers
# Absent without pieces_per_case, so a rule that asks for them excludes all other products (rule-semantics 139).
_OF_CASES = frozenset({"line.cases", "line.loose"})
_IN_CASES = (Condition("product.pieces_per_case", "known", True),)
Place = tuple[Product | None, Customer | None]
MOST_PLACES = 50  # products and customers that are tried where rows overrule each other
EVERYTHING = -1  # every bit set: nothing is known, or nothing is asked


@dataclass(slots=True)
class Profile:
    """A rule as the checks look at it. `facts` are its ways to hold; `sets` the values of bare facts and lists."""

    rule: Rule
    when: tuple[WhenLine | AnyOf, ...]
    first: date
    last: date
    rank: Rank
    facts: list[dict[str, list[Condition]]]
    sets: dict[str, frozenset[Any]]
    boxes: list[Box] | None = None
    row_of: tuple[PriceTable, Shape] | None = None  # of a table row

    @classmethod
    def of(
        cls, rule: Rule, extra: tuple[WhenLine, ...] = (), only: tuple[WhenLine | AnyOf, ...] | None = None
    ) -> "Profile":
        """`only` looks at some lines of the rule's [when] alone."""
        when = (*(rule.when if only is None else only), *extra)
        first, last = rule.from_on or date.min, rule.until_on or date.max
        return cls(rule, when, first, last, specificity(when), list(alternatives(when)), _sets(when))

    def with_row(
        self, table: PriceTable, shape: Shape, cells: dict[str, str], first: date | None, last: date | None
    ) -> "Profile":
        """The rule as one row of its table: its own lines and the row's cells and dates."""
        extra = tuple(WhenLine(fact, (Condition(fact, "eq", value),)) for fact, value in cells.items())
        row = Profile.of(self.rule, extra)
        row.first, row.last = max(self.first, first or date.min), min(self.last, last or date.max)
        row.row_of = table, shape
        return row


def _sets(when: Iterable[WhenLine | AnyOf]) -> dict[str, frozenset[Any]]:
    found: dict[str, frozenset[Any]] = {}
    for entry in when:
        if isinstance(entry, AnyOf):
            continue
        for condition in entry.conditions:
            if condition.op in ("eq", "one_of"):
                value = condition.value
                values = frozenset(value if isinstance(value, tuple) else (value,))
                found[entry.fact] = values & found[entry.fact] if entry.fact in found else values
    return found


def can_meet(one: Profile, other: Profile) -> bool:
    """Whether dates overlap and, fact by fact, some value satisfies both."""
    if max(one.first, other.first) > min(one.last, other.last):
        return False
    for fact, values in one.sets.items():
        if (
            fact in other.sets
            and fact != CATEGORY
            and fact not in TAGS
            and values.isdisjoint(other.sets[fact])
        ):
            return False
    window = _window(one, other)
    return any(
        _fit(mine, theirs, window) for mine in one.facts for theirs in other.facts
    )  # one pair, unless there is an any


def _window(one: Profile, other: Profile) -> Condition:
    """The days on which both rules are in force, as a condition."""
    return Condition("order.on", "between", (max(one.first, other.first), min(one.last, other.last)))


def _fit(mine: dict[str, list[Condition]], theirs: dict[str, list[Condition]], window: Condition) -> bool:
    for fact, conditions in mine.items():
        if fact in theirs and not can_hold([*conditions, *theirs[fact]]):
            return False
    if "order.on" in mine or "order.on" in theirs:
        return can_hold([*mine.get("order.on", ()), *theirs.get("order.on", ()), window])
    return True


class Known:
    """The known products and customers, and which of them a rule's conditions admit."""

    def __init__(self, catalog: Catalog) -> None:
        self.products = list((catalog.products or {}).values())
        self.customers = list((catalog.customers or {}).values())
        if self.customers:
            self.customers.append(VISITOR)
        self._bits: dict[tuple[str, tuple[Condition, ...]], int] = {}
        self._places: dict[str, dict[Any, list[int]]] = {}
        self._scopes: dict[int, int] = {}

    def boxes(self, profile: Profile) -> list[Box]:
        """For each way in which the rule can hold, the products and customers it admits."""
        if profile.boxes is None:
            scope = self._scope(profile.rule)
            admitted = [self._admitted(facts) for facts in profile.facts]
            profile.boxes = [(products, customers & scope) for products, customers in admitted]
        return profile.boxes

    def admits_any(self, profile: Profile) -> bool:
        """Whether some known product and customer satisfy the rule together."""
        return any(products and customers for products, customers in self.boxes(profile))

    def common(self, one: Profile, other: Profile) -> Place | None:
        """A known product and customer where both rules take part; each None where none are known."""
        rows = [profile for profile in (one, other) if profile.row_of is not None]
        for product, customer in self._places_of_both(one, other):
            if not any(_is_overruled(row, product, customer) for row in rows):
                return product, customer
        return None

    def _places_of_both(self, one: Profile, other: Profile) -> Iterator[Place]:
        window = _window(one, other)
        for mine, (my_products, my_customers) in zip(one.facts, self.boxes(one), strict=True):
            for theirs, (products, customers) in zip(other.facts, self.boxes(other), strict=True):
                both, who = my_products & products, my_customers & customers
                if not (both and who and _fit(mine, theirs, window)):
                    continue
                for customer in _chosen(self.customers, who):
                    for product in _chosen(self.products, both):
                        yield product, customer

    def _scope(self, rule: Rule) -> int:
        """Customers a rule is switched on for; a rule out of scope does not exist (rule-semantics 36)."""
        if rule.scope is None or not self.customers:
            return EVERYTHING
        key = id(rule)
        if key not in self._scopes:
            scope = rule.scope
            self._scopes[key] = _as_bits(
                place for place, customer in enumerate(self.customers) if is_in_scope(scope, customer)
            )
        return self._scopes[key]

    def _admitted(self, facts: dict[str, list[Condition]]) -> Box:
        products = customers = EVERYTHING
        for fact, conditions in facts.items():
            if fact in _CHANGING:
                continue
            if fact.startswith("customer.") and self.customers:
                customers &= self._matching(fact, conditions, self.customers)
            elif (
                fact.startswith("product.") and self.products and not fact.endswith((".quantity", ".amount"))
            ):
                products &= self._matching(fact, conditions, self.products)
            elif (
                fact in _OF_CASES
                and self.products
                and not all(test(None) for test in map(predicate, conditions))
            ):
                products &= self._matching("product.pieces_per_case", _IN_CASES, self.products)
        return products, customers

    def _matching(self, fact: str, conditions: Sequence[Condition], records: Sequence[Any]) -> int:
        key = (fact, tuple(conditions))
        bits = self._bits.get(key)
        if bits is None:
            bits = self._bits[key] = self._find(fact, conditions, records)
        return bits

    def _find(self, fact: str, conditions: Sequence[Condition], records: Sequence[Any]) -> int:
        read = _reader(fact)
        tests = [predicate(condition) for condition in conditions]
        places: Iterable[int] = range(len(records))
        if (
            len(conditions) == 1
            and conditions[0].op in ("eq", "one_of", "has")
            and ".attributes." not in fact
        ):
            value = conditions[0].value
            index = self._index(fact, records, read)
            places = {
                place
                for one in (value if isinstance(value, tuple) else (value,))
                for place in index.get(one, ())
            }
        return _as_bits(place for place in places if all(test(read(records[place])) for test in tests))

    def _index(self, fact: str, records: Sequence[Any], read: Callable[[Any], Any]) -> dict[Any, list[int]]:
        index = self._places.get(fact)
        if index is None:
            index = self._places[fact] = {}
            for place, record in enumerate(records):
                for value in _values(fact, read(record)):
                    index.setdefault(value, []).append(place)
        return index


def _values(fact: str, value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    if fact in TAGS:
        return tuple(value)
    if fact == CATEGORY:
        parts = value.split("/")
        return tuple("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return (value,)


def _reader(fact: str) -> Callable[[Any], Any]:
    name = fact.partition(".")[2]
    if name.startswith("attributes."):
        attribute = name.partition(".")[2]
        return lambda record: record.attributes.get(attribute)
    return lambda record: getattr(record, name)


def _as_bits(places: Iterable[int]) -> int:
    marks = bytearray()
    for place in places:
        if place >> 3 >= len(marks):
            marks.extend(bytes((place >> 3) + 1 - len(marks)))
        marks[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(marks, "little")


def _chosen(records: Sequence[Any], bits: int) -> Iterator[Any]:
    """The records whose bits are set, only so many; a single None when nothing is known."""
    if not records:
        yield None
        return
    bits &= (1 << len(records)) - 1
    for _ in range(MOST_PLACES):
        if not bits:
            return
        lowest = bits & -bits
        yield records[lowest.bit_length() - 1]
        bits ^= lowest


def _is_overruled(row: Profile, product: Product | None, customer: Customer | None) -> bool:
    """Whether a more specific row of the same table always takes this row's place there (rule-semantics 47)."""
    if row.row_of is None or product is None or customer is None:
        return False
    table, shape = row.row_of
    levels = product.category.split("/") if product.category else []
    for other in table.shapes:
        if other <= shape or other[3] > len(levels):
            continue
        key = (
            customer.code if other[0] else None,
            customer.group if other[1] else None,
            product.sku if other[2] else None,
            "/".join(levels[: other[3]]) if other[3] else None,
        )
        if any((cell is None) == bool(filled) for cell, filled in zip(key, other, strict=True)):
            continue
        for one in table.rows.get(key, ()):
            covers = (one.valid_from or date.min) <= row.first and (one.valid_until or date.max) >= row.last
            if one.start == 1 and covers:
                return True
    return False
