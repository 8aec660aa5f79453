"""THE doorway to the rules: rows to facts, one call of evaluate, and what pages need beside the decision.

Nobody else calls rules. Prices are never kept: the same cart asked again is evaluated again.
"""

from rules.offers import Offer
from storefront.pricing.carts import PricedCart, PricedLine, Wanted, fingerprint, price
from storefront.pricing.facts import (
    PRODUCT_FACTS,
    catalog_facts,
    customer_facts,
    has_rules_of_history,
    product_facts,
    products_by_sku,
)
from storefront.pricing.inputs import Decided, Refused, decide
from storefront.pricing.offers import briefs_for, hidden_skus, offer_for, offers_for

__all__ = [
    "PRODUCT_FACTS",
    "Decided",
    "Offer",
    "PricedCart",
    "PricedLine",
    "Refused",
    "Wanted",
    "briefs_for",
    "catalog_facts",
    "customer_facts",
    "decide",
    "fingerprint",
    "has_rules_of_history",
    "hidden_skus",
    "offer_for",
    "offers_for",
    "price",
    "product_facts",
    "products_by_sku",
]
