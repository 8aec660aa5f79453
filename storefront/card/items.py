"""Which products stand on a customer's card: what the company orders most, then the catalog from its beginning.

One query for each of the two.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from storefront.catalog.models import Product
from storefront.orders.models import Order, OrderLine

YEAR = timedelta(days=365)


def usual_items(
    session: Session, company_id: int, on: date, *, most: int, hidden: Collection[str] = ()
) -> list[tuple[Row[Any], int | None]]:
    """(product row, pieces last ordered or None), the most often ordered first, at most `most` of them."""
    lines = (
        select(
            OrderLine.sku,
            OrderLine.quantity,
            func.count().over(partition_by=OrderLine.sku).label("times"),
            func.row_number()
            .over(partition_by=OrderLine.sku, order_by=(Order.placed_at.desc(), OrderLine.id.desc()))
            .label("place"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.company_id == company_id, Order.state != "cancelled", Order.on > on - YEAR)
        .subquery()
    )
    table = Product.__table__
    query: Select[Any] = (
        select(*table.c, lines.c.quantity)
        .outerjoin(lines, (lines.c.sku == table.c.sku) & (lines.c.place == 1))
        .where(table.c.is_active)
        .order_by(func.coalesce(lines.c.times, 0).desc(), table.c.sku_order)
    )
    if hidden:
        query = query.where(table.c.sku.not_in(sorted(hidden)))
    return [(row, row.quantity) for row in session.execute(query.limit(most))]
