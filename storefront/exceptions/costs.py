"""What each exception has cost: orders that name it, decided once with it and once without it, by today's rules.

A call looks through a bounded number of orders and keeps what it found; a page then only adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from rules import ShipTo
from storefront.accounts import Company
from storefront.clock import now
from storefront.database import write
from storefront.exceptions.uses import ExceptionScan, ExceptionUse
from storefront.orders import Order, OrderLine
from storefront.pricing.facts import customer_facts
from storefront.pricing.trials import WithoutException, cart_of_order, facts_by_sku
from storefront.shop import Shop

LOOKED_AT = 5_000  # orders that one call looks through
WORKED_OUT = 200  # of these, orders with exceptions that it decides again
SETTLED = timedelta(minutes=10)  # a transaction with a smaller id may still be under way before that
_REFUSED = ("block", "quotation")


@dataclass(frozen=True, slots=True)
class Cost:
    """Sums over the orders that name an exception; amounts are minor units, before tax and shipping.

    `minor` is how much less was charged (negative: more); `refused` orders would not have been taken without it.
    """

    orders: int = 0
    minor: int = 0
    refused: int = 0
    refused_goods: int = 0
    unknown: int = 0


def costs(session: Session) -> dict[str, Cost]:
    """By exception, from the kept rows alone: one query. Cancelled orders do not count."""
    refused = func.coalesce(func.sum(as_number(ExceptionUse.is_refused)), 0)
    goods = func.sum(ExceptionUse.goods_minor * as_number(ExceptionUse.is_refused))
    query = (
        select(
            ExceptionUse.exception,
            func.count(),
            func.coalesce(func.sum(ExceptionUse.difference_minor), 0),
            refused,
            func.coalesce(goods, 0),
            func.count(ExceptionUse.difference_minor),
        )
        .join(Order, Order.id == ExceptionUse.order_id)
        .where(Order.state != "cancelled")
        .group_by(ExceptionUse.exception)
    )
    return {
        name: Cost(orders, -int(difference), int(lost), int(lost_goods), orders - told - int(lost))
        for name, orders, difference, lost, lost_goods, told in session.execute(query)
    }


def as_number(column: Any) -> Any:
    """A truth as 1 or 0, on both databases."""

    return case((column, 1), else_=0)


def look_through(session: Session, shop: Shop) -> bool:
    """Work out orders not looked at yet; whether some are left for the next call. Opens its own short write."""
    mark = session.scalar(select(ExceptionScan.order_id).where(ExceptionScan.id == 1)) or 0
    looked = select(Order.id).where(Order.id > mark).order_by(Order.id).limit(LOOKED_AT).subquery()
    last = session.scalar(select(func.max(looked.c.id)))
    if last is None:
        return False
    with_exceptions = cast(Order.decision, Text).like('%"exceptions":["%')
    done = select(ExceptionUse.order_id).where(ExceptionUse.order_id > mark)
    query = (
        select(Order)
        .where(Order.id > mark, Order.id <= last, with_exceptions, Order.id.not_in(done))
        .order_by(Order.id)
        .limit(WORKED_OUT + 1)
    )
    found = list(session.scalars(query))
    is_more = len(found) > WORKED_OUT
    found = found[:WORKED_OUT]
    rows = _work_out(session, shop, found)
    reached = found[-1].id if is_more else last
    settled = session.scalar(
        select(func.max(Order.id)).where(Order.id <= reached, Order.placed_at < now() - SETTLED)
    )
    if rows or (settled or 0) > mark:
        _keep(rows, max(settled or 0, mark))
    return is_more or session.scalar(select(Order.id).where(Order.id > last).limit(1)) is not None


def _keep(rows: Sequence[dict[str, Any]], mark: int) -> None:
    with write() as session:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        if rows:  # two pages at once find the same orders
            session.execute(dialect.insert(ExceptionUse).on_conflict_do_nothing(), list(rows))
        one = dialect.insert(ExceptionScan).values(id=1, order_id=mark)
        session.execute(one.on_conflict_do_update(index_elements=["id"], set_={"order_id": mark}))


def _work_out(session: Session, shop: Shop, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """One row for each order and each exception that it names."""
    if not orders:
        return []
    trial = WithoutException(shop.rulebook.current())
    ids = [order.id for order in orders]
    lines: dict[int, list[tuple[str, int]]] = {}
    query = select(OrderLine.order_id, OrderLine.sku, OrderLine.quantity).where(OrderLine.order_id.in_(ids))
    for order_id, sku, quantity in session.execute(query.order_by(OrderLine.order_id, OrderLine.position)):
        lines.setdefault(order_id, []).append((sku, quantity))
    facts = facts_by_sku(session, {sku for some in lines.values() for sku, _quantity in some})
    companies = {
        company.id: company
        for company in session.scalars(
            select(Company).where(Company.id.in_({order.company_id for order in orders}))
        )
    }
    rows = []
    for order in orders:
        customer = customer_facts(session, companies[order.company_id], order.on, shop)
        cart = cart_of_order(
            lines.get(order.id, []),
            facts,
            customer,
            channel=order.channel,
            purpose=order.purpose,
            ship_to=_ship_to(order),
            lead_time=_tier(order),
        )
        for name in order.decision.get("exceptions") or ():
            rows.append({
                "exception": str(name)[:200], "order_id": order.id, "goods_minor": order.goods_minor,
                "ruleset_hash": trial.ruleset.hash, "at": now(), **_difference(trial, cart, order, str(name)),
            })  # fmt: skip
    return rows


def _difference(trial: WithoutException, cart: Any, order: Order, name: str) -> dict[str, Any]:
    """With it less without it, when both can be told."""
    if name not in trial.known or not cart.lines:
        return {"difference_minor": None, "is_refused": False}
    with_it, without = trial.decide(cart, order.on, name)
    if with_it is None or without is None:
        return {"difference_minor": None, "is_refused": False}
    if without.outcome in _REFUSED and with_it.outcome not in _REFUSED:
        return {"difference_minor": None, "is_refused": True}
    return {"difference_minor": with_it.subtotal - without.subtotal, "is_refused": False}


def _ship_to(order: Order) -> ShipTo:
    to = order.ship_to or {}
    return ShipTo(to.get("country") or None, to.get("region") or None, to.get("postcode") or None)


def _tier(order: Order) -> str | None:
    """The lead-time tier that was chosen, as the decision remembers it."""
    tiers = order.decision.get("lead_time") or ()
    return next((tier["code"] for tier in tiers if isinstance(tier, dict) and tier.get("chosen")), None)
