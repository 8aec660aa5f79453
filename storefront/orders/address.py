"""An order's delivery address corrected before it ships: only where no price can change by it, and never silently.

Another prefecture is another order. A corrected postcode or city is asked about at the plugin that ships it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from plugins.contract import Place
from storefront import audit, jobs, payments
from storefront.accounts import User
from storefront.clock import now, today
from storefront.database import locked, retrying, write
from storefront.orders.arrival import option_of
from storefront.orders.models import Order, OrderAddress
from storefront.payments import PaymentOption
from storefront.shop import Shop

CORRECTABLE = frozenset({"awaiting_approval", "awaiting_payment", "confirmed", "in_production"})
FIELDS = ("recipient", "postcode", "region", "city", "street", "phone")
_PRICED_BY = ("region", "postcode", "city")  # what plugins and rules are told of an address
_POSTCODE_FACT = "order.ship_to.postcode"
Why = Literal[
    "state",  # it is on its way or over
    "changed",  # somebody else corrected it meanwhile
    "same",  # nothing is different
    "region",  # another prefecture
    "rules",  # rules of the shop look at the postcode
    "price",  # shipping costs another amount there
    "unanswered",  # the way to ship does not say what it costs
    "payment",  # the way to pay differs
]


@dataclass(frozen=True, slots=True)
class Corrected:
    number: str


@dataclass(frozen=True, slots=True)
class NotCorrected:
    """Nothing was written. The amounts are those of shipping, where they differ."""

    number: str
    why: Why
    state: str = ""
    before_minor: int | None = None
    after_minor: int | None = None


def may_correct(order: Order) -> bool:
    """Whether its goods are still here."""
    return order.state in CORRECTABLE


def seal_of(order: Order) -> str:
    """What a page was made from: it corrects this address and no later one."""
    return hashlib.sha256(json.dumps(order.ship_to, sort_keys=True).encode()).hexdigest()[:16]


def corrections_of(session: Session, order_id: int) -> list[OrderAddress]:
    """What was corrected, oldest first."""
    query = select(OrderAddress).where(OrderAddress.order_id == order_id)
    return list(session.scalars(query.order_by(OrderAddress.id)))


def correct(
    shop: Shop, order: Order, to: Mapping[str, str], *, seal: str, actor: User, reason: str
) -> Corrected | NotCorrected:
    """Write the corrected address into an order that has not left, with who, when and why. `to` has FIELDS.

    Asks the shipping plugin before its own transaction; opens that itself.
    """
    new = {**order.ship_to, **{name: to[name] for name in FIELDS}}
    refused = _refused(order, new, seal)
    if refused is None and any(new[name] != order.ship_to.get(name, "") for name in _PRICED_BY):
        refused = _priced_otherwise(shop, order, new)
    return refused or _write(order.id, new, seal=seal, actor=actor, reason=reason)


def _refused(order: Order, new: Mapping[str, str], seal: str) -> NotCorrected | None:
    """What can be said without asking anybody."""
    if not may_correct(order):
        return NotCorrected(order.number, "state", order.state)
    if seal_of(order) != seal:
        return NotCorrected(order.number, "changed")
    if new == order.ship_to:
        return NotCorrected(order.number, "same")
    if new["region"] != order.ship_to.get("region"):
        return NotCorrected(order.number, "region")
    return None


def _priced_otherwise(shop: Shop, order: Order, new: Mapping[str, str]) -> NotCorrected | None:
    """Whether the corrected place might have another price; both are asked about today."""
    if (
        new["postcode"] != order.ship_to.get("postcode")
        and _POSTCODE_FACT in shop.rulebook.edition().facts_used
    ):
        return NotCorrected(order.number, "rules")
    if _paid_otherwise(shop, order, new):
        return NotCorrected(order.number, "payment")
    if order.shipping_code is None:
        return None
    before, after = (option_of(shop, order, place) for place in (order.ship_to, new))
    if before is None or after is None or after.answer != "quoted" or before.answer != "quoted":
        return NotCorrected(order.number, "unanswered")
    if (before.amount_minor, before.tax) != (after.amount_minor, after.tax):
        return NotCorrected(order.number, "price", "", before.amount_minor, after.amount_minor)
    return None


def _paid_otherwise(shop: Shop, order: Order, new: Mapping[str, str]) -> bool:
    """Whether the order's way to pay is offered otherwise there, or for another fee."""

    def way(to: Mapping[str, str]) -> PaymentOption | None:
        place = Place(to.get("country", "JP"), to.get("region") or None, to.get("postcode") or None)
        ways = payments.offered(
            shop,
            order.company,
            total_minor=order.total_minor,
            goods_minor=order.goods_minor,
            on=today(),
            to=place,
        )
        return next((each for each in ways if each.code == order.payment_code), None)

    return way(order.ship_to) != way(new)


@retrying
def _write(
    order_id: int, new: dict[str, str], *, seal: str, actor: User, reason: str
) -> Corrected | NotCorrected:
    """Judge once more under the order's lock: shipping it and correcting it wait for each other."""
    with write() as session:
        order = session.scalars(locked(select(Order).where(Order.id == order_id))).one()
        refused = _refused(order, new, seal)
        if refused is not None:
            return refused
        before = dict(order.ship_to)
        session.add(
            OrderAddress(
                order_id=order.id,
                before=before,
                after=new,
                reason=reason,
                actor=actor.email,
                actor_id=actor.id,
                at=now(),
            )
        )
        order.ship_to = new
        audit.record(
            session,
            actor,
            "correct",
            f"order:{order.number}",
            {"ship_to": before},
            {"ship_to": new, "reason": reason},
        )
        jobs.enqueue(session, "order.mail", {"order_id": order.id, "event": "address"})
        return Corrected(order.number)


def of_number(session: Session, number: str) -> Order | None:
    """An order with its lines and company."""
    query = select(Order).where(Order.number == number).options(selectinload(Order.lines))
    return session.scalars(query.options(selectinload(Order.company))).one_or_none()
