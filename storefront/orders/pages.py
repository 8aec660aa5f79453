"""A buyer's orders: the list, one order as it was decided, cancelling it, and ordering the same again.

A company sees its own orders only; a foreign number answers like an unknown one.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from plugins.contract import Capability
from storefront.access import buyer, current_buyer, current_company
from storefront.attempts import noting
from storefront.database import get_session, write
from storefront.entry.again import begin_again
from storefront.forms import clean
from storefront.language import _
from storefront.lead_times.kept import promise_of
from storefront.orders import STATES, Order, OrderLine, address, mails, view
from storefront.orders.approval import approval_of
from storefront.orders.moves import Moved, may_cancel, move
from storefront.orders.view import STATE_WORDS
from storefront.payments import captures, payment_of, refunds
from storefront.payments.models import PAID, Payment
from storefront.shipments import shipments_of
from storefront.shop import current_shop

bp = Blueprint("orders", __name__, url_prefix="/orders")
PAGE_SIZE = 20

__all__ = ["bp", "mails"]  # mails registers the job that writes them


@bp.get("")
@buyer
def index() -> str:
    """The company's orders, newest first, by number, own number or SKU, and by state."""
    company = current_company()
    assert company is not None
    asked = clean(request.args.get("q", ""))[:100]
    state = request.args.get("state", "")
    statement = select(Order).where(Order.company_id == company.id)
    if state in STATES:
        statement = statement.where(Order.state == state)
    if asked:
        statement = statement.where(_matches(asked))
    session = get_session()
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    newest = statement.order_by(Order.placed_at.desc(), Order.id.desc())
    orders = session.scalars(newest.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    return render_template(
        "orders/list.html",
        orders=orders,
        asked=asked,
        state=state,
        states=[("", _("All states"))] + [(each, _(STATE_WORDS[each][0])) for each in STATES],
        words=STATE_WORDS,
        total=total,
        page=page,
        pages=pages,
        size=PAGE_SIZE,
    )


def _matches(asked: str) -> Any:
    """Numbers that begin so, or an order with that SKU; % and _ mean themselves."""
    lines = select(OrderLine.order_id).where(func.lower(OrderLine.sku) == asked.lower())
    return or_(
        func.lower(Order.number).startswith(asked.lower(), autoescape=True),
        func.lower(Order.purchase_order_number).startswith(asked.lower(), autoescape=True),
        Order.id.in_(lines),
    )


_WHOLE = (
    select(Order)
    .where(Order.number == bindparam("number"), Order.company_id == bindparam("company"))
    .options(
        joinedload(Order.user),
        *(selectinload(part) for part in (Order.lines, Order.surcharges, Order.taxes, Order.moves)),
    )
)


def own_order(session: Session, number: str) -> Order:
    """The company's own order; 404 for a foreign number as for an unknown one."""
    company = current_company()
    assert company is not None
    values = {"number": number, "company": company.id}
    order = session.scalars(_WHOLE, values).one_or_none() if number.isprintable() else None
    if order is None:
        abort(404)
    return order


@bp.get("/<number>")
@buyer
def show(number: str) -> ResponseReturnValue:
    """One order: its lines with the rules that made each number, what happens next, and what can still be done."""
    session = get_session()
    order = own_order(session, number)
    payment = payment_of(session, order.id)
    is_new = request.args.get("placed") == "1"
    if is_new and payment is not None and payment.state == "requires_action" and payment.redirect_url:
        # whichever door the order came through: on to paying it
        return redirect(url_for("payments.go", number=number), 303)
    return render_template(
        "orders/show.html",
        order=order,
        payment=payment,
        is_new=is_new,
        is_confirming=_is_confirming(order, payment),
        released=captures.released_minor(session, payment) if payment is not None else 0,
        refunds=refunds.of_order(session, order.id) if payment is not None and payment.state in PAID else [],
        word=STATE_WORDS[order.state],
        words=STATE_WORDS,
        line_rows=view.line_rows(order),
        sum_rows=view.sum_rows(order),
        track=view.track(order),
        promise=promise_of(order),
        instructions=view.instruction_rows(payment),
        may_cancel=may_cancel(order),
        approval=approval_of(session, order),
        shipments=shipments_of(session, order.id),
        corrections=address.corrections_of(session, order.id),
    )


def _is_confirming(order: Order, payment: Payment | None) -> bool:
    """Whether a provider has still to say what became of the payment, and the buyer has nothing to do."""
    if payment is None or order.state != "awaiting_payment" or payment.instructions:
        return False
    return payment.state == "pending" and not current_shop().plugins.can(payment.provider, Capability.OFFLINE)


@bp.post("/<number>/cancel")
@buyer
def cancel(number: str) -> ResponseReturnValue:
    """Cancel before production begins; too late is said."""
    person = current_buyer()
    assert person is not None
    with write() as session:
        order = own_order(session, number)
        answer = move(session, order, "cancelled", person.email, "by the buyer", by_buyer=True)
    if isinstance(answer, Moved):
        flash(_("Order %(number)s is cancelled.", number=number), "ok")
    else:
        state = _(STATE_WORDS[answer.state][0])
        flash(
            _(
                "Order %(number)s can no longer be cancelled here (%(state)s). Please call us.",
                number=number,
                state=state,
            ),
            "block",
        )
    return redirect(url_for("orders.show", number=number), 303)


@bp.post("/<number>/again")
@buyer
def again(number: str) -> ResponseReturnValue:
    """Begin the same order anew; its page says line by line what is the same and what changed since."""
    person = current_buyer()
    assert person is not None
    with write() as session:
        entry = begin_again(session, own_order(session, number), person)
    noting.text_refused(f"entry:{entry.id}", entry.company_id, entry.channel, entry.text)
    return redirect(url_for("entry.show", token=entry.token), 303)
