"""Lines as they were charged, for what can be learnt from them: from the shop's database, or from orders.csv.

One query for all; changes nothing. Cancelled orders and lines without a price are left out.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from rules.suggest import PaidLine
from storefront.commands.order_source import database_url
from storefront.past.orders import COLUMNS, NOT_PLACED, OrdersError
from storefront.past.periods import ALL, Period, read_source


def read_paid_lines(shop: Path, words: str | None, today: date) -> tuple[list[PaidLine], list[Decimal]]:
    """The lines that `words` name (as --orders does), and the goods total of each order in major units.

    Raises OrdersError, PeriodError or OSError.
    """
    wanted = ALL if words is None else read_source(words, today, shop)
    if isinstance(wanted, Path):
        return _from_file(wanted, ALL)
    if (shop / "shop.toml").is_file() and (url := database_url(shop)) is not None:
        found = _from_database(url, wanted)
        if found[0]:
            return found
    path = shop / "orders.csv"
    if not path.is_file():
        raise OrdersError(f"no orders to learn from: the database has none, and there is no {path}")
    return _from_file(path, wanted)


def _from_database(url: str, period: Period) -> tuple[list[PaidLine], list[Decimal]]:
    from sqlalchemy import select
    from sqlalchemy.exc import DBAPIError

    from storefront.accounts.models import Company
    from storefront.database import open_databases
    from storefront.orders.models import Order, OrderLine

    query = (
        select(
            Order.id,
            Order.on,
            Company.code,
            OrderLine.sku,
            OrderLine.quantity,
            OrderLine.unit_price,
            OrderLine.per,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Company, Company.id == Order.company_id)
        .where(Order.state.not_in(NOT_PLACED), OrderLine.unit_price.is_not(None))
    )
    if period.first is not None:
        query = query.where(Order.on >= period.first)
    if period.last is not None:
        query = query.where(Order.on <= period.last)
    engine = open_databases(url).reading
    try:
        with engine.connect() as connection:
            rows: list[Any] = [tuple(row) for row in connection.execute(query)]
    except DBAPIError as error:
        raise OrdersError(f"the orders in the database cannot be read: {error.orig}") from None
    finally:
        engine.dispose()
    return _lines(
        (order, PaidLine(on, code, sku, pieces, _each(unit, per)))
        for order, on, code, sku, pieces, unit, per in rows
    )


@cache
def _each(unit: Decimal, per: int) -> Decimal:
    return (unit / per).normalize()


def _from_file(path: Path, period: Period) -> tuple[list[PaidLine], list[Decimal]]:
    """orders.csv; a row that cannot be read is named with its line."""
    found: list[tuple[str, PaidLine]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise OrdersError(
                f"{path}:1: the column {missing[0]} is missing; needed are {', '.join(COLUMNS)}"
            )
        for number, row in enumerate(rows, start=2):
            try:
                on, pieces, unit = (
                    date.fromisoformat(row["on"]),
                    int(row["quantity"]),
                    Decimal(row["unit_price"] or 0),
                )
            except (ValueError, InvalidOperation) as error:
                raise OrdersError(f"{path}:{number}: {error}") from None
            if pieces < 1 or not unit.is_finite():
                raise OrdersError(f"{path}:{number}: quantity is a whole number from 1, unit_price a number")
            if unit > 0 and period.has(on):
                found.append(
                    (
                        row["order"],
                        PaidLine(on, row["customer"] or None, row["sku"], pieces, unit.normalize()),
                    )
                )
    return _lines(found)


def _lines(rows: Iterable[tuple[object, PaidLine]]) -> tuple[list[PaidLine], list[Decimal]]:
    goods: dict[object, Decimal] = defaultdict(Decimal)
    lines: list[PaidLine] = []
    for order, line in rows:
        lines.append(line)
        goods[order] += line.quantity * line.unit
    return lines, list(goods.values())


def held_out(lines: Sequence[PaidLine]) -> tuple[list[PaidLine], list[PaidLine]]:
    """The lines before the last tenth of the days, and those of that tenth: to learn from, and to test with."""
    if not lines:
        return [], []
    first, last = min(line.on for line in lines), max(line.on for line in lines)
    border = last - (last - first) / 10
    return [line for line in lines if line.on <= border], [line for line in lines if line.on > border]
