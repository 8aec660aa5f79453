"""products.csv: the catalog in and out. The columns are those of a shop folder's products.csv.

Stock changes go through storefront.stock, so that every piece has its move; prices and costs are audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import audit, stock
from storefront.accounts import User
from storefront.catalog import Category, Product
from storefront.database import locked
from storefront.stock import StockItem
from storefront.transfer import columns, sheet
from storefront.transfer.cells import (
    attribute,
    category,
    flag,
    pattern,
    price,
    text,
    whole,
    word,
    words,
)
from storefront.transfer.columns import Column, Kind, plain_column, text_column
from storefront.transfer.records import (
    CHANGED,
    NEW,
    SAME,
    Change,
    FieldChange,
    Limits,
    Plan,
    PlanRefusedError,
    Record,
    RowError,
    Rows,
    ShopFacts,
)

LIMITS = Limits()
SHOP = ShopFacts()
KEY = "sku"
VERBS = {NEW: "add", CHANGED: "change"}
MAX_PIECES = 999_999_999
LONGEST_MM = 20_000
ATTRIBUTES = "attributes."


def _attribute_column(name: str) -> Column | None:
    key = name.removeprefix(ATTRIBUTES)
    if key == name or not key or len(key) > 64 or any(one.isspace() for one in key):
        return None

    def put(row: Any, value: Any) -> None:
        rest = {other: old for other, old in (row.attributes or {}).items() if other != key}
        row.attributes = (
            rest if value is None else {**rest, key: float(value) if isinstance(value, Decimal) else value}
        )

    def get(row: Any) -> Any:
        value = (row.attributes or {}).get(key)
        return Decimal(repr(value)) if isinstance(value, float) else value

    return Column(name, attribute, get, put)


def _put_pieces_per_unit(row: Any, value: int | None) -> None:
    row.pieces_per_unit = None if value is None else Decimal(value)


# Stock stands in a table of its own: read and written by `plan` and `apply`, never as a value of the product.
_ON_HAND = Column("on_hand", whole(0, MAX_PIECES), lambda row: None, lambda row, value: None, keeps=True)


_COLUMNS = (
    plain_column("sku", word(64, forbidden="/\\?#%"), required=True),
    text_column("name_ja", text(200), "name", "ja"),
    text_column("name_en", text(200), "name", "en"),
    text_column("description_ja", text(10_000, lines=True), "description", "ja"),
    text_column("description_en", text(10_000, lines=True), "description", "en"),
    text_column("spec_ja", text(300), "spec", "ja"),
    text_column("spec_en", text(300), "spec", "en"),
    plain_column("category", category),
    plain_column("brand", word(100)),
    plain_column("tags", words(64), empty=[]),
    plain_column("batch", word(100)),
    plain_column("list_price", price),
    plain_column("cost", price),
    plain_column("weight_g", price),
    plain_column("length_mm", whole(1, LONGEST_MM)),
    plain_column("width_mm", whole(1, LONGEST_MM)),
    plain_column("height_mm", whole(1, LONGEST_MM)),
    plain_column("tax", word(32)),
    plain_column("cadence", word(100)),
    plain_column("setup_key", word(100)),
    plain_column("pieces_per_case", whole(1, MAX_PIECES)),
    plain_column("unit", word(16)),
    Column("pieces_per_unit", whole(1, MAX_PIECES), lambda row: row.pieces_per_unit, _put_pieces_per_unit),
    text_column("sales_unit_ja", text(20), "sales_unit", "ja"),
    text_column("sales_unit_en", text(20), "sales_unit", "en"),
    plain_column("drawing", pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.svg", "M4-10.svg")),
    plain_column("made_to_order", flag, empty=False),
    plain_column("lead_days", whole(0, 999)),
    plain_column("active", flag, "is_active", empty=True),
    _ON_HAND,
)
KIND = Kind("products", KEY, {column.name: column for column in _COLUMNS}, family=_attribute_column)


def read(data: bytes, limits: Limits = LIMITS) -> Rows:
    """The rows of a products.csv, typed, with every error. Pure."""
    return columns.read(data, KIND, limits)


def plan(session: Session, rows: Rows, shop: ShopFacts = SHOP) -> Plan:
    """What these rows would change in the catalog, and why they may not. Writes nothing."""
    return _plan(session, rows, shop, lock=False)


def _plan(session: Session, rows: Rows, shop: ShopFacts, *, lock: bool) -> Plan:
    found = _products(session, [record.values[KEY] for record in rows.records], lock=lock)
    stocks = _stocks(session, found, lock=lock) if "on_hand" in rows.columns else {}
    errors = list(rows.errors)
    changes = []
    for record in rows.records:
        product = found.get(record.values[KEY])
        errors += faults(record, product, shop)
        change = columns.compare(record, product, KIND, rows.encoding)
        item = stocks.get(product.id) if product is not None else None
        changes.append(_with_stock(change, record, item, errors))
    return Plan(
        "products",
        rows,
        tuple(changes),
        tuple(sorted(errors, key=lambda one: one.line)),
        tuple(_notices(session, rows)),
    )


def faults(record: Record, product: Product | None, shop: ShopFacts) -> list[RowError]:
    """What is wrong with a row taken together, with this shop, and with what the product has."""
    values, found = record.values, []
    tax = values.get("tax")
    if tax and tax not in shop.tax_categories:
        allowed = {"value": tax, "allowed": ", ".join(shop.tax_categories)}
        found.append(RowError(record.line, "tax", "one_of", allowed))
    kept = (product.name or {}) if product is not None else {}
    if not any(values.get(f"name_{lang}", kept.get(lang)) for lang in ("ja", "en")):
        named = next((name for name in ("name_ja", "name_en") if name in values), None)
        found.append(RowError(record.line, named, "name_missing"))
    unit, pieces = (values.get(name, getattr(product, name, None)) for name in ("unit", "pieces_per_unit"))
    if bool(unit) != bool(pieces) and ("unit" in values or "pieces_per_unit" in values):
        found.append(RowError(record.line, "pieces_per_unit", "unit_pair"))
    return found


def _with_stock(change: Change, record: Record, item: StockItem | None, errors: list[RowError]) -> Change:
    """The change with its stock: `on_hand` is compared with the counted pieces of the stock item."""
    fields = tuple(part for part in change.fields if part.column != "on_hand")
    wanted = record.values.get("on_hand")
    if wanted is not None and (item is None or wanted != item.on_hand):
        if item is not None and wanted < item.reserved:
            values = {"value": wanted, "reserved": item.reserved}
            errors.append(RowError(record.line, "on_hand", "below_reserved", values))
        fields += (FieldChange("on_hand", "" if item is None else str(item.on_hand), str(wanted)),)
    state = NEW if change.state == NEW else CHANGED if fields else SAME
    return replace(change, fields=fields, state=state)


def _notices(session: Session, rows: Rows) -> Iterable[RowError]:
    """Categories this file would make: right for a new one, and how a slip of the pen shows."""
    known = set(session.scalars(select(Category.path)))
    first: dict[str, int] = {}
    for record in rows.records:
        path = record.values.get("category")
        if path and path not in known:
            first.setdefault(path, record.line)
    return [RowError(line, "category", "new_category", {"value": path}) for path, line in first.items()]


def apply(session: Session, plan: Plan, actor: User | None, shop: ShopFacts = SHOP) -> dict[str, int]:
    """Write the plan inside the caller's write transaction: all of it, or PlanRefusedError and nothing.

    Looks again under lock: when the catalog has changed since then, the new plan is in the refusal.
    Returns how many rows were new, changed and same.
    """
    fresh = _plan(session, plan.rows, shop, lock=True)
    if not fresh.is_ok or fresh.fingerprint != plan.fingerprint:
        raise PlanRefusedError(fresh)
    found = _products(session, [record.values[KEY] for record in plan.rows.records])
    add_categories(session, (record.values.get("category") for record in plan.rows.records))
    changes = [change for change in fresh.changes if change.state != SAME]
    records = {record.values[KEY]: record for record in plan.rows.records}
    for change in changes:
        if change.key not in found:
            found[change.key] = _new(session, change.key)
        columns.put(records[change.key], change, found[change.key], KIND)
    session.flush()
    for change in changes:
        _set_stock(session, found[change.key], change, actor)
        before = {part.column: part.old for part in change.fields if change.state != NEW}
        after = {part.column: part.new for part in change.fields}
        audit.record(session, actor, VERBS[change.state], f"product:{change.key}", before, after)
    return fresh.counts


def _set_stock(session: Session, product: Product, change: Change, actor: User | None) -> None:
    """Count the pieces anew when the file says so; the difference becomes a stock move."""
    for part in change.fields:
        if part.column == "on_hand":
            who = actor.email if actor is not None else "system"
            stock.adjust(session, product.id, int(part.new), actor=who, reason="CSV")


def _new(session: Session, sku: str) -> Product:
    product = Product(sku=sku, name={}, tags=[], attributes={}, made_to_order=False, is_active=True)
    session.add(product)
    return product


def add_categories(session: Session, paths: Iterable[str | None]) -> None:
    """Make every category a product stands in, and those above it; new ones are named by their path."""
    known = set(session.scalars(select(Category.path)))
    for wanted in paths:
        parts = (wanted or "").split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path and path not in known:
                known.add(path)
                name = parts[depth - 1].replace("_", " ")
                session.add(Category(path=path, name={"ja": name, "en": name}, position=len(known)))


def _products(session: Session, skus: Sequence[str], *, lock: bool = False) -> dict[str, Product]:
    """The products of these SKUs, a few hundred at a time, in SKU order so that locks never cross."""
    found: dict[str, Product] = {}
    ordered = sorted(skus)
    for start in range(0, len(ordered), 500):
        query = select(Product).where(Product.sku.in_(ordered[start : start + 500])).order_by(Product.sku)
        found |= {product.sku: product for product in session.scalars(locked(query) if lock else query)}
    return found


def _stocks(session: Session, products: dict[str, Product], *, lock: bool = False) -> dict[int, StockItem]:
    """The stock items of products, by product id; locked in the order in which placing an order locks them."""
    ids = [product.id for product in sorted(products.values(), key=lambda one: (one.sku_key, one.sku))]
    found: dict[int, StockItem] = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        if lock:
            found |= stock.lock_items(session, part)
        else:
            query = select(StockItem).where(StockItem.product_id.in_(part))
            found |= {item.product_id: item for item in session.scalars(query)}
    return found


def export(session: Session, encoding: str = "utf-8", *, with_stock: bool = True) -> bytes:
    """The whole catalog as products.csv, by SKU. Raises sheet.UncodableError when CP932 cannot hold it."""
    products = list(session.scalars(select(Product).order_by(Product.sku)))
    attributes = sorted({name for product in products for name in (product.attributes or {})})
    names = [name for name in KIND.columns if name != "on_hand"] + [ATTRIBUTES + name for name in attributes]
    stocks = _stocks(session, {product.sku: product for product in products}) if with_stock else {}
    rows = columns.table(products, names, KIND)
    if not with_stock:
        return sheet.write(names, rows, encoding)
    counted = [str(stocks[product.id].on_hand) if product.id in stocks else "" for product in products]
    return sheet.write(
        [*names, "on_hand"], ([*row, have] for row, have in zip(rows, counted, strict=True)), encoding
    )
