"""Which names exist: SKUs, categories, groups, customers, methods, tax categories; each when its source is there.

A kind without a source is not checked, and `skipped` says so (rule-semantics 2).
"""

from collections.abc import Collection, Iterable

from rules.catalog import Catalog
from rules.report import nearest
from rules.ruleset import Policy

# fact -> kind of name
KINDS = {
    "product.sku": "sku",
    "product.category": "category",
    "customer.group": "group",
    "customer.code": "customer",
    "order.shipping": "method",
    "order.payment": "method",
    "product.tax": "tax",
}


class Names:
    """The known names of each kind; None where nothing is known."""

    def __init__(self, catalog: Catalog, methods: Collection[str] | None, policy: Policy) -> None:
        self.known: dict[str, Collection[str] | None] = {
            "sku": catalog.products,
            "category": None,
            "group": None,
            "customer": catalog.customers,
            "method": methods,
            "tax": frozenset(row.category for row in policy.tax_rates),
        }
        if catalog.products is not None:
            self.known["category"] = _with_parents(one.category for one in catalog.products.values())
        if catalog.customers is not None:
            self.known["group"] = {one.group for one in catalog.customers.values() if one.group is not None}
        self._wanted: set[str] = set()

    def hint(self, kind: str, name: str) -> str | None:
        """None when the name is known or cannot be checked; else the nearest known name, or an empty text."""
        known = self.known[kind]
        if known is None:
            self._wanted.add(kind)
            return None
        return None if name in known else nearest(name, known)

    def skipped(self) -> list[str]:
        """One sentence for each kind of name that a rule used and nothing could check."""
        source = {
            "sku": "there is no products.csv",
            "category": "there is no products.csv",
            "group": "there is no customers.csv",
            "customer": "there is no customers.csv",
            "method": "the installed plugins are not known",
        }
        words = {
            "sku": "SKUs", "category": "categories", "group": "groups", "customer": "customers", "method": "methods"
        }  # fmt: skip
        return [f"{words[kind]} were not checked: {source[kind]}." for kind in words if kind in self._wanted]


def _with_parents(categories: Iterable[str | None]) -> set[str]:
    found: set[str] = set()
    for category in categories:
        while category and category not in found:
            found.add(category)
            category = category.rpartition("/")[0]
    return found
