"""Whom and what a rule can concern, by what it says of customers and products; what depends on the cart is left out.

Words about a rule set, never a decision: only evaluate decides.
"""

from typing import Any

from rules.facts import Customer, Product
from rules.in_force import is_in_scope
from rules.reading import predicate
from rules.ruleset import AnyOf, Rule, WhenLine

_OF_THE_CART = ("quantity", "amount")  # product.quantity is a sum over lines, no fact of a product


def may_concern_customer(rule: Rule, customer: Customer) -> bool:
    """Whether the rule can concern this customer: by its conditions on customers, and by its scope."""
    return _may(rule, "customer", customer) and (rule.scope is None or is_in_scope(rule.scope, customer))


def may_concern_product(rule: Rule, product: Product) -> bool:
    """Whether the rule can concern this product, by its conditions on products."""
    return _may(rule, "product", product)


def _may(rule: Rule, owner: str, row: Customer | Product) -> bool:
    for entry in rule.when:
        if isinstance(entry, AnyOf):
            if not any(all(_holds(line, owner, row) for line in table) for table in entry.tables):
                return False
        elif not _holds(entry, owner, row):
            return False
    return True


def _holds(line: WhenLine, owner: str, row: Any) -> bool:
    """Whether a line of [when] holds for the row; true for lines about something else."""
    kind, _dot, name = line.fact.partition(".")
    if kind != owner or name in _OF_THE_CART:
        return True
    if name.startswith("attributes."):
        value = row.attributes.get(name.removeprefix("attributes."))
    else:
        value = getattr(row, name, None)
    return all(predicate(condition)(value) for condition in line.conditions)
