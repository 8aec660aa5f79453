"""Back from the provider: the page that confirms a payment, sends on to one, and lets a failed one be tried again.

It never says that a payment failed unless the provider said so for good.
"""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import parse
from sqlalchemy import select

from plugins.contract import Capability
from storefront.access import buyer, current_buyer, current_company
from storefront.database import get_session
from storefront.language import _
from storefront.orders.models import Order
from storefront.payments import mails
from storefront.payments.attempts import ask, payment_of
from storefront.payments.models import UNKNOWN, WAITING, Payment
from storefront.payments.pages import bp
from storefront.payments.trying_again import try_again, ways_again
from storefront.security import limiter
from storefront.shop import current_shop

ASKED = parse("20 per minute")  # of one payment; who looks more often sees what is known


def _own(number: str) -> tuple[Order, Payment]:
    """The company's own order and its newest payment; 404 for a foreign number as for an unknown one."""
    company = current_company()
    assert company is not None
    statement = select(Order).where(Order.number == number, Order.company_id == company.id)
    order = get_session().scalars(statement).one_or_none() if number.isprintable() else None
    payment = payment_of(get_session(), order.id) if order is not None else None
    if order is None or payment is None:
        abort(404)
    return order, payment


@bp.get("/orders/<number>/payment")
@buyer
def show(number: str) -> ResponseReturnValue:
    """Where the payment stands, asked of the provider itself. A fragment of it polls, a page reloads itself."""
    is_fragment = "HX-Request" in request.headers
    order, payment = _own(number)
    if _may_ask(order, payment, is_poll=is_fragment or request.args.get("poll") == "1"):
        ask(payment.id)
        order, payment = _own(number)
    stage = stage_of(order, payment)
    if stage == "over":
        is_well = order.state != "cancelled" and payment.state != "review"
        target = url_for("orders.show", number=number, placed=1 if is_well else None)
        return ("", 200, {"HX-Redirect": target}) if is_fragment else redirect(target, 303)
    if stage == "failed" and is_fragment:
        return "", 200, {"HX-Redirect": url_for("payments.show", number=number)}
    if is_fragment and stage == "confirming" and request.args.get("shown") == payment.state:
        return "", 204  # nothing is swapped: what has the focus keeps it, and nothing is read out again
    if stage == "failed" and payment.told_at is None:
        mails.seen(payment.id)  # no mail says it once more
        order, payment = _own(number)
    return render_template(
        "payments/_confirming.html" if is_fragment else "payments/payment.html",
        order=order,
        payment=payment,
        stage=stage,
        is_active=payment.provider in current_shop().plugins.payments,
        ways=ways_again(order) if stage == "failed" else [],
    )


def stage_of(order: Order, payment: Payment) -> str:
    """confirming, failed, or over: then the order's own page says what there is to say."""
    if order.state != "awaiting_payment":
        return "over"
    if payment.state == "failed":
        return "failed"
    is_for_the_buyer = payment.state == "pending" and bool(payment.instructions)
    is_offline = current_shop().plugins.can(payment.provider, Capability.OFFLINE)
    is_open = payment.state in WAITING or payment.state == "created"
    return "confirming" if is_open and not is_for_the_buyer and not is_offline else "over"


def _may_ask(order: Order, payment: Payment, *, is_poll: bool) -> bool:
    """Not while the first look at an unanswered payment is on its way: the page must not hang with the provider."""
    if order.state != "awaiting_payment" or payment.state not in WAITING:
        return False
    if payment.state == "pending" and payment.code == UNKNOWN and not is_poll:
        return False
    return not limiter.enabled or limiter.limiter.hit(ASKED, "payment", str(payment.id))


@bp.get("/orders/<number>/payment/go")
@buyer
def go(number: str) -> ResponseReturnValue:
    """On to the provider's own page: by a link and a reload, as a form of ours may lead to our own pages only."""
    order, payment = _own(number)
    target = payment.redirect_url or ""
    if (
        order.state != "awaiting_payment"
        or payment.state != "requires_action"
        or not target.startswith("https://")
    ):
        return redirect(url_for("payments.show", number=number), 303)
    return render_template("payments/go.html", order=order, payment=payment, target=target)


@bp.post("/orders/<number>/payment/again")
@buyer
def again(number: str) -> ResponseReturnValue:
    """Try a failed payment again, the same way or another. A second click finds the first one's payment."""
    order, _payment = _own(number)
    person = current_buyer()
    assert person is not None
    state = try_again(order, request.form.get("method", "")[:64], person.email)
    if state is None:
        flash(_("This way of paying is not offered for this order. Choose another one."), "block")
    endpoint = "payments.go" if state == "requires_action" else "payments.show"
    return redirect(url_for(endpoint, number=number), 303)
