"""The checkout page: look, recalculate, confirm. Without a script the same form is posted as a whole.

Amounts are never read from the form: only what was chosen, and the fingerprint of what was shown.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rules import TieError
from rules.errors import MatcherError
from storefront import cart
from storefront.access import buyer, current_buyer, current_company
from storefront.accounts.addresses import addresses_of
from storefront.checkout import form as forms
from storefront.checkout.confirming import Confirming, shown, told
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import _
from storefront.orders import OrderLine
from storefront.orders.placing import Outcome, Placed, Refused, order_of_key, place_order
from storefront.pricing import Wanted
from storefront.shop import current_shop

bp = Blueprint("checkout", __name__)


@bp.get("/checkout")
@buyer
def show() -> ResponseReturnValue:
    """The page with the usual choices made."""
    return _page(_desk())


@bp.post("/checkout")
@buyer
def act() -> ResponseReturnValue:
    """Recalculate what was chosen, or confirm it."""
    desk = _desk()
    if request.form.get("do") != "place":
        return _page(desk)
    return _confirm(desk)


def _desk() -> Confirming:
    """The buyer's cart, with what was posted or the usual choices."""
    company, session = current_company(), get_session()
    assert company is not None
    addresses = addresses_of(session, company.id)
    lines = cart.lines_of(session, cart.owner(), held=False)
    wanted = [Wanted(line.sku, line.quantity, str(place)) for place, line in enumerate(lines, 1)]
    typed = forms.read(request.form, addresses) if request.method == "POST" else forms.blank(addresses)
    cart_id = lines[0].cart_id if lines else None
    return Confirming(wanted, company, current_buyer(), addresses, typed, cart_id=cart_id)


def _confirm(desk: Confirming) -> ResponseReturnValue:
    typed, session, person = desk.typed, get_session(), desk.person
    assert person is not None
    before = None if desk.wanted else order_of_key(session, person.id, typed.key)
    if before is not None:  # a second click, or the page sent again: the first answer emptied the cart
        return redirect(url_for("orders.show", number=before.number, placed=1), 303)
    forms.judge(typed, session, desk.company.id, today())
    to = forms.destination(typed, desk.addresses)
    if typed.faults or to is None:
        return _page(desk, status=422)
    # What the page showed as chosen, also where the buyer left the first choice as it was.
    ship, pay = typed.shipping or None, typed.payment or None
    outcome = place_order(
        current_shop(),
        company_id=desk.company.id,
        user_id=person.id,
        wanted=desk.wanted,
        choice=forms.choice(typed, to, forms.delivery_on(typed, today()), ship, pay),
        key=typed.key,
        fingerprint=typed.fingerprint,
        on=today(),
        actor=person.email,
        cart_id=desk.cart_id,
    )
    return _answer(desk, outcome)


def _answer(desk: Confirming, outcome: Outcome) -> ResponseReturnValue:
    """What the buyer sees after confirming."""
    if isinstance(outcome, Placed) and outcome.state != "cancelled":
        return redirect(url_for("orders.show", number=outcome.number, placed=1), 303)
    if isinstance(outcome, Refused) and outcome.code == "account":
        abort(403)
    if isinstance(outcome, Refused) and outcome.code in ("gone", "empty"):
        _tell_gone(outcome.skus)
        return redirect(url_for("cart.show"), 303)
    answer = told(desk, outcome)
    notice = answer.notice
    if isinstance(outcome, Placed):
        _put_back(outcome)
        notice += " " + _("Your cart is as it was; choose another way to pay.")
    return _page(desk, status=answer.status, changed=answer.is_changed, notice=notice)


def _put_back(placed: Placed) -> None:
    """The payment was refused and the order cancelled: the goods go back into the cart."""
    with write() as session:
        cart_id = cart.obtain(session, cart.owner_for_writing())
        lines = select(OrderLine.sku, OrderLine.quantity).where(OrderLine.order_id == placed.order_id)
        for sku, quantity in session.execute(lines.order_by(OrderLine.position)):
            cart.set_quantity(session, cart_id, sku, quantity)


def _tell_gone(skus: tuple[str, ...]) -> None:
    if skus:
        sentence = _(
            "%(skus)s can no longer be ordered. Take the line out of the cart.", skus=", ".join(skus)
        )
        flash(sentence, "block")


def _page(
    desk: Confirming, *, status: int = 200, changed: bool = False, notice: str = ""
) -> ResponseReturnValue:
    if not desk.wanted:
        return redirect(url_for("cart.show"), 303)
    try:
        prepared = desk.prepare()
    except (MatcherError, TieError):
        flash(_("The price of this cart could not be decided. Please call us."), "block")
        return redirect(url_for("cart.show"), 303)
    if prepared is None or prepared.priced.missing:
        gone = desk.wanted if prepared is None else prepared.priced.missing
        _tell_gone(tuple(each.sku for each in gone))
        return redirect(url_for("cart.show"), 303)
    template = "checkout/_form.html" if "HX-Request" in request.headers else "checkout/checkout.html"
    return render_template(template, **shown(desk, prepared, changed=changed, notice=notice)), status
