"""A buyer's quotation requests: asking, the list, one with its answer, and the cart filled from it.

A company sees its own requests only; a foreign number answers like an unknown one.
"""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from rules.facts import PURPOSES
from storefront import cart
from storefront.access import buyer, current_buyer, current_company
from storefront.accounts import Company
from storefront.catalog import Product
from storefront.clock import now, today
from storefront.database import get_session, locked, write
from storefront.language import _, ngettext
from storefront.quotations import asking, mails, words
from storefront.quotations.asking import Asked
from storefront.quotations.models import OPEN, QuotationRequest
from storefront.shop import current_shop

bp = Blueprint("quotations", __name__, url_prefix="/quotations")
PAGE_SIZE = 20

__all__ = ["bp", "mails"]  # mails registers the job that writes them


def _company() -> Company:
    company = current_company()
    assert company is not None
    return company


@bp.get("")
@buyer
def index() -> str:
    """The company's requests, newest first."""
    session = get_session()
    mine = select(QuotationRequest).where(is_own())
    total = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    newest = mine.order_by(QuotationRequest.created_at.desc(), QuotationRequest.id.desc())
    found = session.scalars(
        newest.options(selectinload(QuotationRequest.lines)).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    ).all()
    return render_template(
        "quotations/list.html",
        requests=[(one, words.shown_state(one, today())) for one in found],
        words=words.STATE_WORDS,
        total=total,
        page=page,
        pages=pages,
        size=PAGE_SIZE,
    )


@bp.get("/new")
@buyer
def form() -> ResponseReturnValue:
    """The form, filled in from the cart, or from the SKUs and quantities in the address."""
    session, key = get_session(), secrets.token_urlsafe(24)
    skus, quantities = request.args.getlist("sku"), request.args.getlist("quantity")
    if skus:
        pairs = zip(skus, [*quantities, *[""] * len(skus)], strict=False)
        asked = asking.from_pairs(session, current_shop(), _company(), today(), pairs, key)
    else:
        asked = asking.from_cart(session, current_shop(), _company(), today(), key)
    purpose = request.args.get("purpose", "")
    asked.purpose = purpose if purpose in PURPOSES else "normal"
    return _form(asked)


def _form(asked: Asked, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "quotations/form.html",
        asked=asked,
        purposes=[(key, _(word)) for key, word in words.PURPOSES.items()],
        on=today(),
    )
    return page, status


@bp.post("")
@buyer
def ask() -> ResponseReturnValue:
    """Keep the request; the same page sent twice leads to the same request."""
    person = current_buyer()
    assert person is not None
    asked = asking.from_form(get_session(), current_shop(), _company(), today(), request.form)
    if not asked.key:
        abort(400)
    if asked.faults:
        return _form(asked, 422)
    number, _is_new = asking.send(current_shop(), person, asked)
    return redirect(url_for("quotations.show", number=number, sent=1), 303)


def is_own() -> ColumnElement[bool]:
    """The wall between companies: what every question about requests is narrowed by."""
    return QuotationRequest.company_id == _company().id


def own_request(session: Session, number: str, *, for_change: bool = False) -> QuotationRequest:
    """The company's own request; 404 for a foreign number as for an unknown one."""
    query = select(QuotationRequest).where(QuotationRequest.number == number, is_own())
    query = (
        locked(query)
        if for_change
        else query.options(
            joinedload(QuotationRequest.user),
            joinedload(QuotationRequest.answerer),
            selectinload(QuotationRequest.lines),
        )
    )
    found = session.scalars(query).one_or_none() if number.isprintable() and len(number) <= 32 else None
    if found is None:
        abort(404)
    return found


@bp.get("/<number>")
@buyer
def show(number: str) -> str:
    """One request: what was asked and why, and our answer with the button that puts it into the cart."""
    found, on = own_request(get_session(), number), today()
    return render_template(
        "quotations/show.html",
        request_shown=found,
        state=words.shown_state(found, on),
        words=words.STATE_WORDS,
        purpose=_(words.PURPOSES[found.purpose]),
        may_order=words.is_open_to_order(found, on),
        may_withdraw=found.state in OPEN,
        is_new=request.args.get("sent") == "1",
    )


@bp.post("/<number>/cart")
@buyer
def order(number: str) -> ResponseReturnValue:
    """Put the answered lines into the cart, in the quantities asked for. The cart asks the rules as always."""
    found, on = own_request(get_session(), number), today()
    if not words.is_open_to_order(found, on):
        flash(_("This quotation cannot be ordered any more. Please ask again."), "block")
        return redirect(url_for("quotations.show", number=number), 303)
    wanted = {line.sku: line.quantity for line in found.lines if line.is_open}
    sold = set(get_session().scalars(select(Product.sku).where(Product.sku.in_(wanted), Product.is_active)))
    mine = cart.owner_for_writing()
    with write() as session:
        cart_id = cart.obtain(session, mine)
        for sku, quantity in wanted.items():
            if sku in sold:
                cart.set_quantity(session, cart_id, sku, quantity)
    if sold:
        flash(
            ngettext(
                "%(num)s line of the quotation is in the cart.",
                "%(num)s lines of the quotation are in the cart.",
                len(sold),
            ),
            "ok",
        )
    if gone := sorted(wanted.keys() - sold):
        flash(_("No longer sold: %(skus)s", skus=", ".join(gone)), "warn")
    return redirect(url_for("cart.show") if sold else url_for("quotations.show", number=number), 303)


@bp.post("/<number>/withdraw")
@buyer
def withdraw(number: str) -> ResponseReturnValue:
    """The buyer needs it no longer. What was opened stays open until its last day."""
    with write() as session:
        found = own_request(session, number, for_change=True)
        is_open = found.state in OPEN
        if is_open:
            found.state, found.closed_at = "closed", now()
    if is_open:
        flash(_("The request %(number)s is withdrawn.", number=number), "ok")
    else:
        flash(_("The request %(number)s was closed already.", number=number), "warn")
    return redirect(url_for("quotations.show", number=number), 303)
