"""Every pattern by its id, in the order in which the desk offers them."""

from storefront.patterns import catalog, charges, orders, prices, quantities
from storefront.patterns.kinds import Pattern

PATTERNS: dict[str, Pattern] = {
    one.id: one
    for one in (
        *quantities.PATTERNS,
        *charges.PATTERNS[:3],
        *prices.PATTERNS,
        charges.DISCOUNT,
        *orders.PATTERNS,
        *catalog.PATTERNS,
    )
}
