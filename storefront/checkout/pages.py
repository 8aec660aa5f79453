"""The checkout page: look, recalculate, confirm. Without a script the same form is posted as a whole.

Amounts are never read from the form: only what was chosen, and the fingerprint of what was shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rules import TieError
from rules.errors import MatcherError
from storefront import cart, stock
from storefront.access import buyer, current_buyer, current_company
from storefront.accounts import Address
from storefront.accounts.addresses import addresses_of
from storefront.checkout import form as forms
from storefront.checkout import view
from storefront.checkout.form import Typed
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import _, text
from storefront.orders import OrderLine
from storefront.orders.credit import exposure_minor
from storefront.orders.placing import (
    Changed,
    InProgress,
    KeyReused,
    Outcome,
    Placed,
    Refused,
    order_of_key,
    place_order,
)
from storefront.orders.preparing import Prepared, prepare
from storefront.payments import payment_of
from storefront.pricing import Wanted
from storefront.regions import region_options
from storefront.shop import current_shop

bp = Blueprint("checkout", __name__)


@dataclass
class _Desk:
    """What a request works with: the cart's lines, the addresses, and what was typed."""

    wanted: list[Wanted]
    addresses: list[Address]
    typed: Typed
    prepared: Prepared | None = None

    def prepare(self) -> Prepared | None:
        typed, on = self.typed, today()
        self.prepared = prepare(
            get_session(),
            current_shop(),
            current_company(),
            self.wanted,
            to=forms.destination(typed, self.addresses),
            shipping_code=typed.shipping or None,
            payment_code=typed.payment or None,
            delivery=forms.delivery_on(typed, on),
            on=on,
            fixes=False,
            is_strict=False,
        )
        return self.prepared


@bp.get("/checkout")
@buyer
def show() -> ResponseReturnValue:
    """The page with the usual choices made."""
    addresses = _addresses()
    return _page(_Desk(_wanted(), addresses, forms.blank(addresses)))


@bp.post("/checkout")
@buyer
def act() -> ResponseReturnValue:
    """Recalculate what was chosen, or confirm it."""
    addresses = _addresses()
    desk = _Desk(_wanted(), addresses, forms.read(request.form, addresses))
    if request.form.get("do") != "place":
        return _page(desk)
    return _confirm(desk)


def _wanted() -> list[Wanted]:
    lines = cart.lines_of(get_session(), cart.owner(), held=False)
    return [Wanted(line.sku, line.quantity, str(place)) for place, line in enumerate(lines, 1)]


def _addresses() -> list[Address]:
    company = current_company()
    assert company is not None
    return addresses_of(get_session(), company.id)


def _confirm(desk: _Desk) -> ResponseReturnValue:
    typed, session = desk.typed, get_session()
    person, company = current_buyer(), current_company()
    assert person is not None
    assert company is not None
    before = None if desk.wanted else order_of_key(session, person.id, typed.key)
    if before is not None:  # a second click, or the page sent again: the first answer emptied the cart
        return redirect(url_for("orders.show", number=before.number, placed=1), 303)
    forms.judge(typed, session, company.id, today())
    to = forms.destination(typed, desk.addresses)
    if typed.faults or to is None:
        return _page(desk, status=422)
    # What the page showed as chosen, also where the buyer left the first choice as it was.
    ship, pay = typed.shipping or None, typed.payment or None
    outcome = place_order(
        current_shop(),
        company_id=company.id,
        user_id=person.id,
        wanted=desk.wanted,
        choice=forms.choice(typed, to, forms.delivery_on(typed, today()), ship, pay),
        key=typed.key,
        fingerprint=typed.fingerprint,
        on=today(),
        actor=person.email,
        cart_id=cart.find(session, cart.owner()),
    )
    return _answer(desk, outcome)


def _answer(desk: _Desk, outcome: Outcome) -> ResponseReturnValue:
    """What the buyer sees after confirming."""
    if isinstance(outcome, Placed):
        if outcome.state == "cancelled":
            return _declined(desk, outcome)
        return redirect(url_for("orders.show", number=outcome.number, placed=1), 303)
    if isinstance(outcome, Changed):
        return _page(desk, status=409, changed=True)
    if isinstance(outcome, KeyReused):
        desk.typed.key = forms.new_key()
        return _page(
            desk, status=422, notice=_("This page was used for another order. Check it and confirm again.")
        )
    if isinstance(outcome, InProgress):
        return _page(
            desk, status=409, notice=_("This order is being placed. Look into your orders in a moment.")
        )
    return _refused(desk, outcome)


def _refused(desk: _Desk, refused: Refused) -> ResponseReturnValue:
    if refused.code == "account":
        abort(403)
    if refused.code in ("gone", "empty"):
        if refused.skus:
            skus = ", ".join(refused.skus)
            flash(_("%(skus)s can no longer be ordered. Take the line out of the cart.", skus=skus), "block")
        return redirect(url_for("cart.show"), 303)
    if refused.code == "unavailable":
        notice = _(
            "Your order could not be checked just now. Nothing was ordered; please call us, or try again later."
        )
        return _page(desk, status=503, notice=notice)
    return _page(desk, status=422, notice=_why(refused))


def _why(refused: Refused) -> str:
    """What speaks against the whole order, such as a method that is not offered; lines are shown by themselves."""
    if refused.priced is None:
        return ""
    issues = refused.priced.issues_of_order()
    return " ".join(text(issue.message) for issue in issues if issue.outcome == "block")


def _declined(desk: _Desk, placed: Placed) -> ResponseReturnValue:
    """The payment was refused and the order cancelled: the goods go back into the cart, with the reason."""
    payment = payment_of(get_session(), placed.order_id)
    with write() as session:
        cart_id = cart.obtain(session, cart.owner_for_writing())
        lines = select(OrderLine.sku, OrderLine.quantity).where(OrderLine.order_id == placed.order_id)
        for sku, quantity in session.execute(lines.order_by(OrderLine.position)):
            cart.set_quantity(session, cart_id, sku, quantity)
    reason = text(payment.buyer_message) if payment is not None else ""
    notice = reason or _("The payment was declined.")
    desk.typed.key = forms.new_key()
    desk.typed.payment = ""
    return _page(
        desk, status=422, notice=notice + " " + _("Your cart is as it was; choose another way to pay.")
    )


def _page(desk: _Desk, *, status: int = 200, changed: bool = False, notice: str = "") -> ResponseReturnValue:
    if not desk.wanted:
        return redirect(url_for("cart.show"), 303)
    try:
        prepared = desk.prepare()
    except (MatcherError, TieError):
        flash(_("The price of this cart could not be decided. Please call us."), "block")
        return redirect(url_for("cart.show"), 303)
    if prepared is None or prepared.priced.missing:
        gone = desk.wanted if prepared is None else prepared.priced.missing
        skus = ", ".join(each.sku for each in gone)
        flash(_("%(skus)s can no longer be ordered. Take the line out of the cart.", skus=skus), "block")
        return redirect(url_for("cart.show"), 303)
    template = "checkout/_form.html" if "HX-Request" in request.headers else "checkout/checkout.html"
    return render_template(template, **_shown(desk, prepared, changed, notice)), status


def _shown(desk: _Desk, prepared: Prepared, changed: bool, notice: str) -> dict[str, Any]:
    ruleset = current_shop().rulebook.current()
    priced = prepared.priced
    short = _shortages(prepared)
    person = current_buyer()
    limit = person.order_limit_minor if person is not None else None
    held = [issue for issue in priced.decision.issues if issue.outcome == "approval"]
    return {
        "typed": desk.typed,
        "addresses": desk.addresses,
        "shipping_rows": view.shipping_rows(prepared, ruleset),
        "payment_rows": view.payment_rows(prepared, ruleset, _credit_left(prepared)),
        "line_rows": view.line_rows(priced),
        "charge_rows": view.charge_rows(priced),
        "sum_rows": view.sum_rows(prepared),
        "stops": view.stops(prepared, short),
        "warnings": [one for one in priced.decision.issues if one.outcome == "warn"],
        "held": held,
        "limit": limit,
        "is_above_limit": limit is not None and priced.decision.total > limit,
        "difference": view.difference(desk.typed.seen, priced) if changed else None,
        "notice": notice,
        "total": priced.decision.total,
        "fingerprint": priced.fingerprint,
        "snapshot": view.snapshot(priced),
        "earliest": today() + timedelta(days=1),
        "region_options": region_options(),
        "swapped": _swapped(desk.typed, prepared),
    }  # fmt: skip


def _swapped(typed: Typed, prepared: Prepared) -> list[str]:
    """A chosen method that is not offered any more, and what stands in its place."""
    names = {each.code: text(each.label) for each in prepared.shipping_options}
    names |= {each.code: text(each.label) for each in prepared.payment_options}
    pairs = ((typed.shipping, prepared.shipping), (typed.payment, prepared.payment))
    return [
        _("%(old)s is not offered for this order; %(new)s is chosen instead.", old=names[old], new=names[new])
        for old, new in pairs
        if old in names and new is not None and new != old
    ]


def _credit_left(prepared: Prepared) -> int | None:
    company = current_company()
    if company is None or company.credit_limit_minor is None or prepared.payment_offer("net_terms") is None:
        return None
    return company.credit_limit_minor - exposure_minor(get_session(), company.id)


def _shortages(prepared: Prepared) -> list[stock.Shortage]:
    """What stock cannot give as far as one can see without a lock; placing looks again."""
    wanted: dict[int, tuple[str, int]] = {}
    for each in prepared.priced.lines:
        if not each.product.made_to_order:
            _sku, pieces = wanted.get(each.product.id, ("", 0))
            wanted[each.product.id] = (each.line.sku, pieces + each.line.quantity)
    levels = stock.availability(get_session(), list(wanted))
    return [
        stock.Shortage(sku, pieces, levels[product_id].orderable)
        for product_id, (sku, pieces) in wanted.items()
        if product_id in levels and pieces > levels[product_id].orderable
    ]
