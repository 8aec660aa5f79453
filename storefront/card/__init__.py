"""The rule card: one A4 sheet with a customer's prices, minima, lots and fees, for the wall and the FAX."""

from storefront.card.of_company import company_card, order_lines
from storefront.card.pages import bp

__all__ = ["bp", "company_card", "order_lines"]
