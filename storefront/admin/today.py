"""Today: what a person must do, as numbers that lead there, and the orders that wait for approval.

Also the page More, which lists the desk's pages for phones.
"""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy import func, select

from storefront import clock
from storefront.access import staff
from storefront.accounts import Application
from storefront.admin import orders
from storefront.admin.desk import MORE, TABS, bp
from storefront.admin.rules import health
from storefront.attempts.reading import refused_this_week
from storefront.database import get_session
from storefront.incidents import Incident
from storefront.language import _
from storefront.lead_times.kept import promise_of
from storefront.orders import Order
from storefront.payments import Payment, refunds
from storefront.payments.models import Refund
from storefront.quotations import QuotationRequest
from storefront.shop import current_shop
from storefront.stock import StockItem


def _count(*conditions: Any, of: Any) -> int:
    return int(get_session().scalar(select(func.count()).select_from(of).where(*conditions)) or 0)


@bp.get("/")
@staff
def today() -> str:
    """The numbers of the day, each a link, then the approvals."""
    on = clock.today()
    count, total = get_session().execute(
        select(func.count(), func.coalesce(func.sum(Order.total_minor), 0)).where(
            Order.on == on, Order.state != "cancelled"
        )
    ).one()  # fmt: skip
    states = dict(
        get_session()
        .execute(
            select(Order.state, func.count())
            .where(Order.state.in_(("awaiting_approval", "awaiting_payment", "confirmed", "in_production")))
            .group_by(Order.state)
        )
        .all()
    )
    waiting = orders.waiting(("awaiting_approval",))
    calendar = current_shop().calendar
    calendar.current()
    return render_template(
        "admin/today.html",
        on=on,
        count=count,
        total=int(total),
        states=states,
        waiting=waiting,
        margins={order.id: orders.margin_of(order) for order in waiting},
        incidents=_count(Incident.seen_at.is_(None), of=Incident),
        quotations=_count(QuotationRequest.state == "received", of=QuotationRequest),
        reviews=_count(Payment.state.in_(("review", "disputed")), of=Payment),
        refunds=_count(refunds.needs_somebody(), of=Refund),
        applications=_count(Application.state == "new", of=Application),
        low=_count(StockItem.on_hand - StockItem.reserved - StockItem.buffer <= 0, of=StockItem),
        promises={order.id: promise_of(order) for order in waiting},
        due=_count(orders.due(), of=Order),
        closures=calendar.findings,
        refused=refused_this_week(get_session()),
        rules=health(),
    )


@bp.get("/more")
@staff
def more() -> str:
    """The pages that the tabs have no room for."""
    wide = [(path, word) for path, word, width in TABS if width == "wide"]
    return render_template("admin/more.html", pages=[(path, _(word)) for path, word in (*wide, *MORE)])
