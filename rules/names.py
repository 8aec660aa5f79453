"""Which names exist: SKUs, categories, groups, customers, methods, tax categories; each when its source is there.

A kind without a source is not checked, and `skipped` says so (rule-semantics 2).
"""

from collections.abc import Collection, Iterable

from rules.catalog import Catalog
from rules.report import allowed, nearest, shown
from rules.ruleset import Policy
from rules.said import Said, say

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
# What a message calls a name of each kind.
NAMES = {
    "sku": say("name.sku"),
    "product": say("name.product"),
    "category": say("name.category"),
    "group": say("name.group"),
    "customer": say("name.customer"),
    "method": say("name.method"),
    "tax": say("name.tax"),
}
# The lanes of a price.
LANE_NAMES = {
    "list": say("lane.list"),
    "agreed": say("lane.agreed"),
    "volume": say("lane.volume"),
    "promotion": say("lane.promotion"),
}
_MANY = {
    "sku": (say("names.sku"), say("why.no-products")),
    "category": (say("names.category"), say("why.no-products")),
    "group": (say("names.group"), say("why.no-customers")),
    "customer": (say("names.customer"), say("why.no-customers")),
    "method": (say("names.method"), say("why.no-plugins")),
}
_FEW = 12  # names that fit into a message


def unknown_name(kind: Said, name: str) -> Said:
    return say("name.unknown", kind=kind, name=shown(name))


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

    def is_known(self, kind: str, name: str) -> bool:
        """Whether there is that name; yes where nothing can say."""
        known = self.known[kind]
        if known is None:
            self._wanted.add(kind)
            return True
        return name in known

    def nearest(self, kind: str, name: str) -> Said | None:
        """The nearest known name, as a hint; all of them where none is near and there are few."""
        known = sorted(self.known[kind] or ())
        return nearest(name, known) or (allowed(known) if 0 < len(known) <= _FEW else None)

    def skipped(self) -> list[Said]:
        """One sentence for each kind of name that a rule used and nothing could check."""
        wanted = [words for kind, words in _MANY.items() if kind in self._wanted]
        return [say("skipped.names", names=names, why=why) for names, why in wanted]


def _with_parents(categories: Iterable[str | None]) -> set[str]:
    found: set[str] = set()
    for category in categories:
        while category and category not in found:
            found.add(category)
            category = category.rpartition("/")[0]
    return found
