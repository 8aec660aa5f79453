"""Past orders as carts for a replay: from the shop's database, or from an orders.csv when there is none.

Reads in bulk and changes nothing. A customer's history counts as it stood on the day of each order.
What was chosen then (payment, shipping, lead time) is chosen again, and refused where the rules no longer offer it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rules import VISITOR, Cart, Catalog, Customer, Line, Product, ShipTo
from rules.money import to_major, to_minor
from rules.past_order import PastOrder
from storefront.past.periods import ALL, Period

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PLACES = {place: str(place + 1) for place in range(1_000)}
CHUNK = 250  # orders whose lines are read at once
COLUMNS = (
    "order",
    "on",
    "customer",
    "sku",
    "quantity",
    "unit_price",
)  # of orders.csv; the last may be absent
NOT_PLACED = ("cancelled",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders to read: those of a period, and of these only some by their ids."""

    period: Period = ALL
    only: frozenset[int] | None = None


EVERY = Wanted()


class OrdersError(Exception):
    """The orders cannot be read; the message names file and line."""


class History:
    """customer.orders and customer.since_days as they grow from order to order."""

    def __init__(self) -> None:
        self._orders: dict[str | None, int] = {}
        self._first: dict[str | None, date] = {}

    def of(self, customer: Customer, on: date) -> Customer:
        """The customer as known on that day, before this order."""
        if customer.code is None:
            return customer
        count = self._orders.get(customer.code, 0)
        self._orders[customer.code] = count + 1
        first = self._first.setdefault(customer.code, on)
        return replace(customer, orders=count, since_days=(on - first).days if count else None)


# --- from the database ----------------------------------------------------------------------------------------


def ids_of_orders(connection: Connection, period: Period = ALL) -> list[int]:
    """The ids of the orders that a replay will see, oldest first."""
    from sqlalchemy import select

    from storefront.orders import Order

    rows = connection.execute(
        select(Order.id, Order.on).where(Order.state.not_in(NOT_PLACED)).order_by(Order.on, Order.id)
    )
    return [order_id for order_id, on in rows if period.has(on)]


def days_of_orders(connection: Connection) -> tuple[date, date] | None:
    """The days of the first and the last order; None when there is none."""
    from sqlalchemy import func, select

    from storefront.orders import Order

    found = connection.execute(
        select(func.min(Order.on), func.max(Order.on)).where(Order.state.not_in(NOT_PLACED))
    ).one()
    return None if found[0] is None else (found[0], found[1])


def from_database(connection: Connection, currency: str, wanted: Wanted = EVERY) -> Iterator[PastOrder]:
    """The orders wanted that were not cancelled, oldest first; their lines are read in chunks."""
    from sqlalchemy import select

    from storefront.orders import Order

    customers = _customers(connection, currency)
    products = _products(connection)
    history = History()
    columns = (
        Order.id,
        Order.number,
        Order.company_id,
        Order.on,
        Order.goods_minor,
        Order.surcharges_minor,
        Order.channel,
        Order.purpose,
        Order.ship_to,
        Order.requested_delivery_on,
        Order.shipping_code,
        Order.payment_code,
        Order.lead_time,
    )
    query = select(*columns).where(Order.state.not_in(NOT_PLACED)).order_by(Order.on, Order.id)
    # Earlier orders are read too, without their lines: they are the customer's history on the day of the later ones.
    rows = [(row, history.of(customers[row.company_id], row.on)) for row in connection.execute(query)]
    rows = [
        entry
        for entry in rows
        if wanted.period.has(entry[0].on) and (wanted.only is None or entry[0].id in wanted.only)
    ]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        lines = _lines(connection, [row.id for row, _customer in chunk], products)
        for row, customer in chunk:
            cart = Cart(
                lines=lines.get(row.id, ()),
                customer=customer,
                channel=row.channel,
                purpose=row.purpose,
                delivery=row.requested_delivery_on,
                ship_to=_ship_to(row.ship_to),
                shipping=row.shipping_code,
                payment=row.payment_code,
                lead_time=(row.lead_time or {}).get("tier"),
            )
            yield PastOrder(row.number, row.on, cart, row.goods_minor, row.surcharges_minor)


def _lines(
    connection: Connection, ids: list[int], products: dict[str, Product]
) -> dict[int, tuple[Line, ...]]:
    """The lines of some orders by order; only what every line needs is read, a year of orders has many."""
    from sqlalchemy import select

    from storefront.orders import OrderLine

    query = select(OrderLine.order_id, OrderLine.sku, OrderLine.quantity)
    rows = connection.execute(
        query.where(OrderLine.order_id.in_(ids)).order_by(OrderLine.order_id, OrderLine.position)
    ).all()
    gone = {sku for _order, sku, _quantity in rows} - products.keys()
    if gone:  # no longer in the catalog: what an order remembers of them
        remembered = select(OrderLine.sku, OrderLine.list_price, OrderLine.tax).where(
            OrderLine.order_id.in_(ids), OrderLine.sku.in_(gone)
        )
        products |= {
            sku: Product(sku, list_price=list_price, tax=tax)
            for sku, list_price, tax in connection.execute(remembered)
        }
    found: dict[int, list[Line]] = {}
    for order_id, sku, quantity in rows:
        lines = found.setdefault(order_id, [])
        lines.append(Line(_PLACES.get(len(lines)) or str(len(lines) + 1), products[sku], quantity))
    return {order_id: tuple(lines) for order_id, lines in found.items()}


def _ship_to(stored: Mapping[str, Any] | None) -> ShipTo:
    if not stored:
        return ShipTo()
    return ShipTo(stored.get("country") or None, stored.get("region") or None, stored.get("postcode") or None)


def _customers(connection: Connection, currency: str) -> dict[int, Customer]:
    from sqlalchemy import select

    from storefront.accounts import Company

    table: Any = Company.__table__
    return {
        row.id: Customer(
            code=row.code,
            group=row.group or None,
            tags=tuple(row.tags or ()),
            country=row.country or None,
            region=row.region or None,
            credit_limit=None
            if row.credit_limit_minor is None
            else to_major(row.credit_limit_minor, currency),
            terms=row.terms or None,
        )
        for row in connection.execute(select(table))
    }


def _products(connection: Connection) -> dict[str, Product]:
    from sqlalchemy import select

    from storefront.catalog import Product as Row
    from storefront.pricing import PRODUCT_FACTS, product_facts

    table: Any = Row.__table__
    query = select(*(table.c[name] for name in PRODUCT_FACTS))
    return {row.sku: product_facts(row) for row in connection.execute(query)}


# --- from a file ----------------------------------------------------------------------------------------------


def from_file(path: Path, catalog: Catalog, currency: str) -> list[PastOrder]:
    """orders.csv: one row a line, rows of one order standing together. Raises OrdersError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS[:5] if name not in (rows.fieldnames or ())]
        if missing:
            raise OrdersError(
                f"{path}:1: the column {missing[0]} is missing; needed are {', '.join(COLUMNS[:5])}"
            )
        read = [(number, row) for number, row in enumerate(rows, start=2)]
    history = History()
    orders = []
    for name, group in groupby(read, key=lambda entry: entry[1]["order"]):
        orders.append(_order_of_file(path, name, list(group), catalog, currency))
    orders.sort(key=lambda order: order.on)
    return [
        order._replace(cart=replace(order.cart, customer=history.of(order.cart.customer, order.on)))
        for order in orders
    ]


def _order_of_file(
    path: Path, name: str, rows: Sequence[tuple[int, dict[str, str]]], catalog: Catalog, currency: str
) -> PastOrder:
    products, customers = catalog.products or {}, catalog.customers or {}
    lines: list[Line] = []
    goods = 0
    for number, row in rows:
        try:
            _, quantity = date.fromisoformat(row["on"]), int(row["quantity"])
            paid = Decimal(row.get("unit_price") or 0)
        except (ValueError, InvalidOperation) as error:
            raise OrdersError(f"{path}:{number}: {error}") from None
        if quantity < 1 or not paid.is_finite():
            raise OrdersError(f"{path}:{number}: quantity is a whole number from 1, unit_price a number")
        product = products.get(row["sku"])
        if product is None:
            raise OrdersError(f"{path}:{number}: products.csv has no SKU {row['sku']}")
        lines.append(Line(str(len(lines) + 1), product, quantity))
        goods += to_minor(paid * quantity, currency)
    number, first = rows[0]
    code = first["customer"]
    if code and code not in customers:
        raise OrdersError(f"{path}:{number}: customers.csv has no customer {code}")
    cart = Cart(tuple(lines), customer=customers[code] if code else VISITOR)
    return PastOrder(name, date.fromisoformat(first["on"]), cart, goods, 0)
