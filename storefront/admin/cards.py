"""A customer's rule card at the desk: the sheet for the wall and the FAX."""

from __future__ import annotations

from flask import Response

from storefront.access import staff
from storefront.admin.customers import company_of_code
from storefront.admin.desk import bp
from storefront.card.pages import card_answer


@bp.get("/customers/<code>/card.pdf")
@staff
def card(code: str) -> Response:
    """One A4 sheet with this customer's prices, minima, lots and fees."""
    return card_answer(company_of_code(code))
