"""From an order to its slip, and from shop.toml to the sender. What the order cannot say is asked at the desk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.catalog import Product
from storefront.orders.models import Order
from storefront.payments import Payment
from storefront.regions import REGIONS
from storefront.settings import Settings
from storefront.shipping.origin import origin_of
from storefront.shipping.packing import temperature_of
from storefront.slips import Sender, Slip, SlipError

COLLECTING = "cash_on_delivery"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the desk says of one order: parcels, and the time of day; None is what the buyer wished for."""

    parcels: int = 1
    slot: str | None = None


def sender_of(settings: Settings) -> Sender:
    """[slips] of shop.toml; what it leaves out is the shop's own name, address and phone."""
    slips, origin = settings.slips, origin_of(settings)
    return Sender(
        origin.name,
        origin.postcode,
        origin.address,
        plain_phone(origin.phone),
        slips.yamato_customer,
        slips.yamato_fare,
        slips.sagawa_customer,
    )


def plain_phone(typed: str) -> str:
    """06-0000-1111 from full-width digits and whatever hyphens were typed."""
    return re.sub(r"[‐-―−ー]", "-", unicodedata.normalize("NFKC", typed)).replace(" ", "")


def slips_of(
    session: Session, orders: Sequence[Order], wishes: Mapping[str, Wishes], *, ship_on: date, goods: str
) -> tuple[list[Slip], list[SlipError]]:
    """A slip for each order, and what no carrier of ours takes. `goods` is what the slip calls the contents."""
    ids = [order.id for order in orders]
    payments = select(Payment).where(Payment.order_id.in_(ids)).order_by(Payment.id)
    paid = {payment.order_id: payment.state for payment in session.scalars(payments)}
    products = {line.product_id for order in orders for line in order.lines if line.product_id is not None}
    rows = session.execute(select(Product.id, Product.tags).where(Product.id.in_(products)))
    tags = {product_id: tuple(tagged or ()) for product_id, tagged in rows}
    slips: list[Slip] = []
    errors: list[SlipError] = []
    for order in orders:
        errors += _refused(order, ship_on)
        slips.append(
            _slip(order, wishes.get(order.number, Wishes()), ship_on, goods, tags, paid.get(order.id))
        )
    return slips, errors


def _refused(order: Order, ship_on: date) -> list[SlipError]:
    found = []
    if order.ship_to.get("country", "JP") != "JP":
        found.append(SlipError(order.number, "address", "country", order.ship_to["country"]))
    if order.requested_delivery_on is not None and order.requested_delivery_on < ship_on:
        found.append(SlipError(order.number, "deliver_on", "past", order.requested_delivery_on.isoformat()))
    if order.payment_code == COLLECTING and order.currency != "JPY":
        found.append(SlipError(order.number, "collect", "currency", order.currency))
    return found


def _slip(
    order: Order,
    wishes: Wishes,
    ship_on: date,
    goods: str,
    tags: Mapping[int, tuple[str, ...]],
    payment: str | None,
) -> Slip:
    to = order.ship_to
    all_tags = [tag for line in order.lines for tag in tags.get(line.product_id or 0, ())]
    collects = order.payment_code == COLLECTING and payment != "captured"
    region = to.get("region", "")
    return Slip(
        number=order.number,
        recipient=to.get("recipient", ""),
        postcode=to.get("postcode", ""),
        region=REGIONS[region]["ja"] if region in REGIONS else "",
        city=to.get("city", ""),
        street=to.get("street", ""),
        phone=plain_phone(to.get("phone", "")),
        ship_on=ship_on,
        goods=goods,
        deliver_on=order.requested_delivery_on,
        slot=order.delivery_slot if wishes.slot is None else wishes.slot,
        temperature=temperature_of(all_tags),
        parcels=wishes.parcels,
        collect=order.total_minor if collects else None,
        collect_tax=order.tax_minor,
    )
