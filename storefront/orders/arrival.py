"""When an order's goods will arrive, asked anew at the plugin that ships them: never what it costs.

An order that waited for money or approval leaves later than the carrier was told when it was placed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from storefront import jobs
from storefront.catalog import Product
from storefront.clock import now, today
from storefront.database import get_session, locked, write
from storefront.lead_times.promising import AT_ONCE
from storefront.orders.models import Order
from storefront.shipping import quoting as shipping
from storefront.shipping.quoting import Destination, ShippingOption
from storefront.shop import Shop, current_shop

LEAVING = ("confirmed", "in_production")


def option_of(
    shop: Shop, order: Order, place: Mapping[str, str], ship_on: date | None = None
) -> ShippingOption | None:
    """What the order's way to ship answers for its goods to `place` today; None where it cannot be asked."""
    pieces = Counter[str]()
    for line in order.lines:
        pieces[line.sku] += line.quantity
    rows = get_session().scalars(select(Product).where(Product.sku.in_(pieces)))
    lines = [(product, pieces[product.sku]) for product in rows]
    if order.shipping_code is None or len(lines) < len(pieces):
        return None  # a product was taken out of the catalog: nobody knows its weight any more
    known = {name: place[name] for name in Destination.__slots__ if name in place}
    options = shipping.quotes(
        shop,
        lines,
        Destination(**known),
        company=order.company,
        goods_minor=order.goods_minor,
        on=today(),
        ship_on=ship_on,
        moment=now(),
        only=order.shipping_code,
    )
    return next(iter(options), None)


def window(option: ShippingOption | None) -> list[str] | None:
    """The first and last day of arrival as an order keeps them."""
    if option is None or option.earliest is None:
        return None
    return [option.earliest.isoformat(), (option.latest or option.earliest).isoformat()]


def ask_again(session: Session, order: Order, moment: datetime) -> None:
    """Forget the days of arrival that an order was placed with once it is released later, and ask for others."""
    if order.arrives is not None and moment > order.placed_at + AT_ONCE:
        order.arrives = None
        jobs.enqueue(session, "order.arrival", {"order_id": order.id})


@jobs.handles("order.arrival")
def arrive_anew(job: jobs.Job) -> None:
    """Keep the days that the carrier names now; where it names none the order has none."""
    query = select(Order).where(Order.id == int(job.payload["order_id"]))
    order = get_session().scalars(query.options(selectinload(Order.lines), selectinload(Order.company))).one()
    if order.state not in LEAVING:
        return
    ready = max(order.promised_on or today(), today())
    days = window(option_of(current_shop(), order, order.ship_to, ready))
    with write() as session:
        held = session.scalars(locked(select(Order).where(Order.id == order.id))).one()
        if held.state in LEAVING:
            held.arrives = days
