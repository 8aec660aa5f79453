"""Where a rule is filed, so that a line meets only those it could match: by customer, SKU, category and the like.

Filing never decides: it leaves out rules one of whose conditions cannot hold, and the matcher tests the rest.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from rules.compiled import CompiledRule
from rules.facts import Customer
from rules.reading import CATEGORY, LineFacts
from rules.ruleset import AnyOf, Rule

# Facts that narrow the search most, first; a rule is filed under the first of them that it names. Rules that name a
# customer's code are filed apart, for that customer alone.
_INDEXED = (
    "product.sku", "product.batch", CATEGORY, "product.brand", "product.tags",
    "customer.group", "customer.tags", "customer.region", "customer.country",
)  # fmt: skip
_OF_CUSTOMER = tuple(fact for fact in _INDEXED if fact.startswith("customer."))


class Shelf:
    """Rules filed under the values of one condition each, so that a line meets only those it could match."""

    __slots__ = ("anywhere", "by_batch", "by_brand", "by_category", "by_customer", "by_sku", "by_tag")

    def __init__(self) -> None:
        self.anywhere: list[CompiledRule] = []
        self.by_customer: dict[tuple[str, str], list[CompiledRule]] = {}
        self.by_sku: dict[str, list[CompiledRule]] = {}
        self.by_batch: dict[str, list[CompiledRule]] = {}
        self.by_category: dict[str, list[CompiledRule]] = {}
        self.by_brand: dict[str, list[CompiledRule]] = {}
        self.by_tag: dict[str, list[CompiledRule]] = {}

    def file(self, compiled: CompiledRule, fact: str | None, values: tuple[str, ...]) -> None:
        shelf: Any = {
            "product.sku": self.by_sku, "product.batch": self.by_batch, CATEGORY: self.by_category,
            "product.brand": self.by_brand, "product.tags": self.by_tag,
        }.get(fact or "")  # fmt: skip
        if fact is None:
            self.anywhere.append(compiled)
        elif shelf is None:
            for value in values:
                self.by_customer.setdefault((fact, value), []).append(compiled)
        else:
            for value in values:
                shelf.setdefault(value, []).append(compiled)

    def of_customer(self, customer: Customer) -> list[CompiledRule]:
        """Rules to look at for every line of this customer's cart."""
        found = list(self.anywhere)
        if self.by_customer:
            for fact in _OF_CUSTOMER:
                value = getattr(customer, fact[9:])
                for one in value if isinstance(value, tuple) else (value,):
                    found.extend(self.by_customer.get((fact, one), ()))
        return found

    def of_line(self, line: LineFacts) -> list[CompiledRule]:
        """Rules filed under something of this line's product."""
        product = line.product
        found = list(self.by_sku.get(line.sku, ()))
        if self.by_batch and product.batch is not None:
            found += self.by_batch.get(product.batch, ())
        if self.by_category and product.category is not None:
            path = product.category
            while path:
                found += self.by_category.get(path, ())
                path = path.rpartition("/")[0]
        if self.by_brand and product.brand is not None:
            found += self.by_brand.get(product.brand, ())
        if self.by_tag and product.tags:
            for tag in product.tags:
                found += self.by_tag.get(tag, ())
        return found


class Filing(NamedTuple):
    """Where a rule stands: for these customers' codes alone (none: for anyone), under these values of a fact."""

    codes: tuple[str, ...]
    fact: str | None
    values: tuple[str, ...]


def filed_under(rule: Rule) -> Filing:
    """The most telling bare values or list of a rule, each a condition that must hold for it to match."""
    named: dict[str, tuple[str, ...]] = {}
    for entry in rule.when:
        if isinstance(entry, AnyOf):
            continue
        for condition in entry.conditions:
            if condition.op in ("eq", "one_of", "has"):
                value = condition.value
                named[entry.fact] = tuple(value) if isinstance(value, tuple | list) else (value,)
    codes = named.get("customer.code", ())
    for fact in _INDEXED:
        if fact in named:
            return Filing(codes, fact, named[fact])
    return Filing(codes, None, ())


class Index:
    """A shelf of rules for anyone and one for each customer named: what others have agreed costs nothing."""

    __slots__ = ("anyone", "by_code", "is_empty")

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        self.anyone = Shelf()
        self.by_code: dict[str, Shelf] = {}
        self.is_empty = True
        for compiled in rules:
            self.is_empty = False
            codes, fact, values = filed_under(compiled.rule)
            shelves = [self.by_code.setdefault(code, Shelf()) for code in codes] if codes else [self.anyone]
            for shelf in shelves:
                shelf.file(compiled, fact, values)

    def of_customer(self, customer: Customer) -> list[CompiledRule]:
        """Rules to look at for every line of this customer's cart."""
        found = self.anyone.of_customer(customer)
        own = self.by_code.get(customer.code or "")
        return found if own is None else found + own.of_customer(customer)

    def of_line(self, line: LineFacts) -> list[CompiledRule]:
        """Rules filed under something of this line's product."""
        found = self.anyone.of_line(line)
        own = self.by_code.get(line.facts.customer.code or "")
        return found if own is None else found + own.of_line(line)
