"""Products and categories, and what they are found by. Tables only: no page, no price but the list price."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, String, Text, event
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column, object_session

from storefront import search
from storefront.clock import now
from storefront.database import Base, Json, Price, UtcDateTime

# Compared code point by code point on both databases, so that ranges are prefixes and orders agree.
_Plain = String(250).with_variant(String(250, collation="C"), "postgresql")


class Category(Base):
    """A shelf: `path` such as fasteners/screws/pan, named in both languages."""

    __tablename__ = "categories"

    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[dict[str, str]] = mapped_column(Json)
    position: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """What can be ordered. Prices are per piece, without tax, in the shop's currency; texts are {ja, en}."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    sku_key: Mapped[str] = mapped_column(_Plain, index=True)  # folded, see storefront.search.sku_key
    sku_order: Mapped[str] = mapped_column(_Plain, index=True)  # so that M4-8 comes before M4-10
    name: Mapped[dict[str, str]] = mapped_column(Json)
    description: Mapped[dict[str, str] | None] = mapped_column(Json)
    spec: Mapped[dict[str, str] | None] = mapped_column(Json)  # one short line, such as material and standard
    category: Mapped[str | None] = mapped_column(String(200), index=True)
    brand: Mapped[str | None] = mapped_column(String(100))
    tags: Mapped[list[str] | None] = mapped_column(Json)
    batch: Mapped[str | None] = mapped_column(String(100))
    list_price: Mapped[Decimal | None] = mapped_column(Price)
    cost: Mapped[Decimal | None] = mapped_column(Price)  # never leaves the desk
    weight_g: Mapped[Decimal | None] = mapped_column(Price)
    length_mm: Mapped[int | None]  # of one piece as it is packed, like its weight
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    tax: Mapped[str | None] = mapped_column(String(32))
    cadence: Mapped[str | None] = mapped_column(String(100))
    setup_key: Mapped[str | None] = mapped_column(String(100))
    attributes: Mapped[dict[str, Any] | None] = mapped_column(Json)
    pieces_per_case: Mapped[int | None]
    unit: Mapped[str | None] = mapped_column(String(16))  # of goods by length or weight, such as m
    pieces_per_unit: Mapped[Decimal | None] = mapped_column(Price)
    sales_unit: Mapped[dict[str, str] | None] = mapped_column(Json)  # {ja: 個, en: pcs}
    drawing: Mapped[str | None] = mapped_column(String(200))  # file name in <shop>/drawings
    made_to_order: Mapped[bool] = mapped_column(default=False)
    lead_days: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    search: Mapped[str] = mapped_column(Text, default="")  # bigrams, see storefront.search.search_text
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


search.index_with(Product.metadata.tables["products"])


def search_columns(product: Product | Mapping[str, Any]) -> dict[str, str]:
    """The columns a product is found and sorted by; for bulk inserts, which bypass the hook below."""

    def get(key: str) -> Any:
        return product.get(key) if isinstance(product, Mapping) else getattr(product, key)

    sku = str(get("sku"))
    texts = [sku, search.compact(sku), get("brand")]
    for field in ("name", "spec", "description"):
        texts += (get(field) or {}).values()
    key = search.sku_key(sku)[:100]
    return {"sku_key": key, "sku_order": search.natural(key)[:250], "search": search.search_text(texts)}


def index_product(session: Session, product: Product) -> None:
    """Bring what a product is found by up to date; its row and the search index change in one transaction.

    Called by itself before every flush of a new or changed Product, so that nobody can forget it.
    """
    for key, value in search_columns(product).items():
        if getattr(product, key) != value:
            setattr(product, key, value)


@event.listens_for(Product, "before_insert")
@event.listens_for(Product, "before_update")
def _index_on_flush(_mapper: Mapper[Product], _connection: Connection, product: Product) -> None:
    session = object_session(product)
    assert session is not None  # a product being flushed has one
    index_product(session, product)
