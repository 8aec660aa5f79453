"""What `--orders` names, found: the shop's database, its orders.csv, or another file of orders.

Opens, counts and says what is missing; reads no line of an order from the database itself.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules import Catalog
    from storefront.past.periods import Period
    from storefront.replays.parallel import Source


def find_orders(shop: Path, words: str | None, catalog: Catalog, currency: str, today: date) -> Source:
    """The orders of a shop folder. Raises OrdersError, PeriodError or OSError."""
    from storefront.past import orders as past_orders
    from storefront.past.periods import ALL, read_source
    from storefront.replays.parallel import FromMemory

    wanted = ALL if words is None else read_source(words, today, shop)
    if isinstance(wanted, Path):
        return FromMemory(past_orders.from_file(wanted, catalog, currency))
    path = shop / "orders.csv"
    found, days = _in_database(shop, wanted, currency)
    if found is not None and (len(found) or days or not path.is_file()):
        return _some(found, wanted, days)
    if not path.is_file():
        raise past_orders.OrdersError(f"no orders: {shop} has no database yet and there is no {path}")
    orders = past_orders.from_file(path, catalog, currency)
    every = (orders[0].on, orders[-1].on) if orders else None
    return _some(FromMemory([one for one in orders if wanted.has(one.on)]), wanted, every)


def _some(source: Source, period: Period, days: tuple[date, date] | None) -> Source:
    """The source; OrdersError when there are orders and none of them in the period."""
    from storefront.past.orders import OrdersError

    if not len(source) and days is not None:
        raise OrdersError(
            f"no order from {period.first} to {period.last}; they stand from {days[0]} to {days[1]}"
        )
    return source


def _in_database(shop: Path, period: Period, currency: str) -> tuple[Source | None, tuple[date, date] | None]:
    """The orders of the period, and the days of the first and the last of all; None when there is no database."""
    from sqlalchemy.exc import DBAPIError

    from storefront.past import orders as past_orders
    from storefront.replays.parallel import FromDatabase

    url = database_url(shop)
    if url is None:
        return None, None
    from storefront.database import open_databases

    engine = open_databases(url).reading
    try:
        with engine.connect() as connection:
            ids = past_orders.ids_of_orders(connection, period)
            return FromDatabase(url, ids, currency), past_orders.days_of_orders(connection)
    except DBAPIError as error:
        raise past_orders.OrdersError(
            f"the orders in the database cannot be read: {error.orig}; `koguchi db upgrade` brings it up to date"
        ) from None
    finally:
        engine.dispose()  # a process that is forked must find no open connection


def database_url(shop: Path) -> str | None:
    """The address of the shop's database; None when it has none yet. Raises OrdersError."""
    from storefront.past.orders import OrdersError
    from storefront.settings import SettingsError, load_settings

    try:
        url = load_settings(shop, overrides={"secret_key": "of no use here"}).database_url
    except SettingsError as error:
        raise OrdersError(str(error)) from None
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        return None
    return url
