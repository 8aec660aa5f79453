"""What a draft of the rules changes for which customer, over what that customer bought, and the notice that says so.

The words and the comparison are rules/diff.py's; this room knows who bought what, and when a draft begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from rules import VISITOR, Catalog, Customer, Product, Ruleset
from rules.diff import CustomerDiff, Differ
from rules.differences import CHANGED, REMOVED, rule_differences
from rules.past_order import PastOrder

MOST_PRODUCTS = 200  # of the catalog, for somebody who has bought nothing


@dataclass(slots=True)
class Purchases:
    """By customer's code: the customer as last known, and the products bought."""

    customers: dict[str, Customer] = field(default_factory=dict)
    products: dict[str, dict[str, Product]] = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Iterable[PastOrder]) -> Purchases:
        found = cls()
        for order in orders:
            customer = order.cart.customer
            if customer.code is None:
                continue
            found.customers[customer.code] = customer
            bought = found.products.setdefault(customer.code, {})
            for line in order.cart.lines:
                bought[line.product.sku] = line.product
        return found


def diffs(
    live: Ruleset,
    draft: Ruleset,
    catalog: Catalog,
    purchases: Purchases,
    on: date,
    only: str | None = None,
    when: str = "year",
) -> Iterator[CustomerDiff]:
    """One for each known customer by code, changes or not, and last for visitors; `only` one customer.

    `when` the purchases were: in the last year, or any time.
    """
    differ = Differ(live, draft, on)
    every = list((catalog.products or {}).values())[:MOST_PRODUCTS]
    known = {**(catalog.customers or {}), **purchases.customers}
    for code in sorted(known):
        if only is None or code == only:
            own = purchases.products.get(code)
            yield differ.of(known[code], list(own.values()) if own else every, when if own else "")
    if only is None:
        yield differ.of(VISITOR, every, "")


def starts_on(live: Ruleset, draft: Ruleset, today: date) -> date:
    """The day from which the draft differs: today, or the first day of its rules when all of them begin later."""
    states = rule_differences(live, draft)
    differing = [rule for rule in draft.rules if rule.code in states]
    later = [rule.from_on for rule in differing if rule.from_on is not None and rule.from_on > today]
    if not later or len(later) < len(differing) or REMOVED in states.values():
        return today
    return min(later)


def gaps(live: Ruleset, draft: Ruleset, today: date) -> list[str]:
    """Codes of rules that are in force today and, by the draft, begin again only later: until then nothing holds."""
    states, new = rule_differences(live, draft), {rule.code: rule for rule in draft.rules}
    return [
        rule.code
        for rule in live.rules
        if states.get(rule.code) == CHANGED
        and rule.is_in_force(today)
        and (new[rule.code].from_on or today) > today
    ]
