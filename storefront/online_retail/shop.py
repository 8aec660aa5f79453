"""Makes a shop of cleaned Online Retail lines: a folder with rules and CSV files, and a database with past orders.

Written in bulk and in one transaction: all of it or nothing. Never writes into a folder or database in use.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Connection, Table, insert, select

from rules.money import plain, to_minor
from storefront.accounts import Company
from storefront.catalog import Category, Product, search_columns
from storefront.database import Base
from storefront.online_retail.lines import CASH, OTHER, SHELVES, SOURCE, Buyer, Item, Line, Retail
from storefront.orders import Order, OrderLine, OrderMove
from storefront.own_packages import examples_folder
from storefront.stock import StockItem, StockMove

CURRENCY = "GBP"
ZONE = ZoneInfo("Europe/London")
UNKNOWN_COUNTRY = "GB"  # of lines without a customer or with a country that is none
ACTOR = "import"
IMPORTED = "imported"  # stands where an order of our own has the hash of its rule set
CHUNK = 5_000

Progress = Callable[[str, int, int], None]  # what, done, of how many


class NotEmptyError(Exception):
    """The folder or the database already holds something; the message says which."""


def write_folder(folder: Path, retail: Retail) -> None:
    """The shop folder: settings and rules of the example, products.csv, customers.csv, not_taken.csv."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmptyError(f"{folder} is not empty: name a folder that does not exist yet")
    shutil.copytree(
        examples_folder() / "online-retail", folder, ignore=shutil.ignore_patterns("var"), dirs_exist_ok=True
    )
    _csv(
        folder / "products.csv",
        ("sku", "name_en", "category", "list_price", "tax", "on_hand"),
        (
            (one.sku, one.name, one.category, plain(one.list_price), "standard", one.on_hand)
            for one in retail.items
        ),
    )
    _csv(
        folder / "customers.csv",
        ("code", "name", "group", "country", "language"),
        ((one.code, _name(one), one.group, one.country or UNKNOWN_COUNTRY, "en") for one in retail.buyers),
    )
    _csv(
        folder / "not_taken.csv",
        ("line", "reason", "invoice", "code", "description", "quantity", "price", "customer"),
        ((one.line, one.reason, *_cells(one.row)) for one in retail.not_taken),
    )


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _cells(row: list[str]) -> list[str]:
    whole = [*row, "", "", "", "", "", "", ""]
    return [whole[place] for place in (0, 1, 2, 3, 5, 6)]


def _name(buyer: Buyer) -> str:
    return "Sales without a customer number" if buyer.code == CASH else f"Customer {buyer.code}"


def write_database(app: Flask, retail: Retail, progress: Progress) -> int:
    """Catalog, stock, customers and past orders in one transaction; the number of orders."""
    with app.app_context():
        writing = app.extensions["koguchi"].databases.writing
    with writing.begin() as connection:
        if connection.execute(select(Product.id).limit(1)).first() is not None:
            raise NotEmptyError("the database already holds products: give the shop a database of its own")
        began = retail.lines[0].at.replace(tzinfo=ZONE).astimezone(UTC) if retail.lines else datetime.now(UTC)
        _write_catalog(connection, retail.items, began)
        _insert(connection, Company, [_company(one, began) for one in retail.buyers])
        orders = retail.orders()
        _write_orders(connection, orders, {item.sku: item for item in retail.items}, progress)
    return len(orders)


def _write_catalog(connection: Connection, items: list[Item], began: datetime) -> None:
    shelves = [(path, title) for path, title, _words in SHELVES] + [OTHER]
    rows = [
        {"path": path, "name": {"en": title, "ja": title}, "position": place * 10}
        for place, (path, title) in enumerate(shelves, start=1)
    ]
    _insert(connection, Category, rows)
    _insert(connection, Product, [_product(item, began) for item in items])
    ids = dict(connection.execute(select(Product.sku, Product.id)).all())
    stock = [(ids[item.sku], item.on_hand) for item in items]
    _insert(
        connection,
        StockItem,
        [
            {"product_id": one, "on_hand": pieces, "reserved": 0, "buffer": 0, "backorder_limit": 0}
            for one, pieces in stock
        ],
    )
    reason = "invented: sold in the last 28 days of the file, at least 10"
    _insert(
        connection,
        StockMove,
        [
            {
                "product_id": one,
                "kind": "receive",
                "quantity": pieces,
                "reason": reason,
                "actor": ACTOR,
                "at": began,
            }
            for one, pieces in stock
        ],
    )


def _product(item: Item, began: datetime) -> dict[str, Any]:
    row = {
        "sku": item.sku,
        "name": {"en": item.name, "ja": item.name},
        "category": item.category,
        "tags": [],
        "list_price": item.list_price,
        "tax": "standard",
        "sales_unit": {"en": "pcs", "ja": "個"},
        "made_to_order": False,
        "is_active": True,
        "created_at": began,
        "updated_at": began,
    }
    return {**row, **search_columns(row)}


def _company(buyer: Buyer, began: datetime) -> dict[str, Any]:
    return {
        "code": buyer.code,
        "name": _name(buyer),
        "name_kana": "",
        "group": buyer.group,
        "tags": [],
        "country": buyer.country or UNKNOWN_COUNTRY,
        "payment_notes": "",
        "status": "active",
        "language": "en",
        "note": SOURCE,
        "created_at": began,
    }


def _write_orders(
    connection: Connection, orders: dict[str, list[Line]], items: dict[str, Item], progress: Progress
) -> None:
    companies = dict(connection.execute(select(Company.code, Company.id)).all())
    _insert(connection, Order, [_order(number, lines, companies) for number, lines in orders.items()])
    ids = dict(connection.execute(select(Order.number, Order.id)).all())
    _insert(
        connection,
        OrderMove,
        [
            {
                "order_id": ids[number],
                "from_state": "",
                "to_state": "delivered",
                "actor": ACTOR,
                "at": _moment(lines),
                "reason": SOURCE,
            }
            for number, lines in orders.items()
        ],
    )
    products = dict(connection.execute(select(Product.sku, Product.id)).all())
    names = {sku: {"en": item.name, "ja": item.name} for sku, item in items.items()}
    unit = {"en": "pcs", "ja": "個"}
    rows = (
        {
            "order_id": ids[number],
            "position": place,
            "sku": line.sku,
            "product_id": products[line.sku],
            "name": names[line.sku],
            "unit": unit,
            "quantity": line.quantity,
            "unit_price": line.price,
            "per": 1,
            "amount_minor": _amount(line),
            "tax": "standard",
            "list_price": items[line.sku].list_price,
            "codes": [],
            "steps": {},
        }
        for number, lines in orders.items()
        for place, line in enumerate(lines, start=1)
    )
    total = sum(map(len, orders.values()))
    _insert(connection, OrderLine, rows, lambda done: progress("order lines", done, total))


def _order(number: str, lines: list[Line], companies: dict[str, int]) -> dict[str, Any]:
    """A delivered order with the prices that were paid. The file tells no tax, so past orders carry none."""
    first = min(lines, key=lambda line: line.at)
    goods = sum(map(_amount, lines))
    return {
        "number": number,
        "company_id": companies[first.customer],
        "user_id": None,
        "state": "delivered",
        "channel": "csv",
        "purpose": "normal",
        "placed_at": _moment(lines),
        "on": first.at.date(),
        "currency": CURRENCY,
        "goods_minor": goods,
        "surcharges_minor": 0,
        "subtotal_minor": goods,
        "shipping_minor": 0,
        "payment_fee_minor": 0,
        "tax_minor": 0,
        "total_minor": goods,
        "ruleset_hash": IMPORTED,
        "decision": {},
        "outcome": "ok",
        "held": [],
        "purchase_order_number": "",
        "note": SOURCE,
        "ship_to": {},
        "key": f"online-retail:{number}",
    }


def _moment(lines: list[Line]) -> datetime:
    return min(line.at for line in lines).replace(tzinfo=ZONE).astimezone(UTC)


def _amount(line: Line) -> int:
    return to_minor(Decimal(line.quantity) * line.price, CURRENCY)


def _insert(
    connection: Connection,
    model: type[Base],
    rows: Iterable[dict[str, Any]],
    told: Callable[[int], None] = lambda done: None,
) -> None:
    table: Table = model.__table__  # type: ignore[assignment]
    statement = insert(table)
    done = 0
    for chunk in _chunks(rows):
        connection.execute(statement, chunk)
        done += len(chunk)
        told(done)


def _chunks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
