"""Quotation requests: tables, asking, answering and mails. Buyers' pages are in quotations/pages.py.

What the rules do not sell as it stands can be asked for; the answer may let exactly that be ordered.
"""

from storefront.quotations.models import OPEN, STATES, QuotationLine, QuotationRequest

__all__ = ["OPEN", "STATES", "QuotationLine", "QuotationRequest"]
