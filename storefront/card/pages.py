"""The card as a PDF: a company's own for its buyers; anybody's at the desk (storefront/admin/cards.py)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from storefront.access import buyer, current_company
from storefront.accounts.models import Company
from storefront.card.of_company import company_card
from storefront.clock import today
from storefront.language import language

bp = Blueprint("card", __name__)


@bp.get("/card.pdf")
@buyer
def show() -> Response:
    """The card of the signed-in buyer's own company."""
    company = current_company()
    assert company is not None
    return card_answer(company)


def card_answer(company: Company) -> Response:
    """The card of a company, in the language of ?lang= or the reader's; no cache may keep it."""
    wish = request.args.get("lang")
    paper = company_card(company, today())
    answer = Response(paper.pdf(wish if wish in ("ja", "en") else language()), mimetype="application/pdf")
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in company.code)
    answer.headers["Content-Disposition"] = f'inline; filename="card-{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
