"""Every pattern by its id, in the order in which the desk offers them."""

from storefront.patterns import quantities
from storefront.patterns.kinds import Pattern

PATTERNS: dict[str, Pattern] = {one.id: one for one in (*quantities.PATTERNS,)}
