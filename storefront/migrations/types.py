"""How our column types are written into a revision, and compared with what a database tells.

As plain SQLAlchemy types, so that a revision never changes when a class does.
"""

from typing import Any

from flask_security import AsaList

from storefront.database import PRICE_DECIMALS, Json, Price, UtcDateTime
from storefront.search import FTS_TABLE

PLAIN = {
    Price: f"sa.Numeric(18, {PRICE_DECIMALS}).with_variant(sa.BigInteger(), 'sqlite')",
    UtcDateTime: "sa.DateTime(timezone=True)",
    Json: "sa.JSON(none_as_null=True)",
    AsaList: "sa.UnicodeText()",
}


def render_item(kind: str, item: Any, autogen: Any) -> Any:
    """Our column types as plain ones; False leaves everything else to Alembic."""
    return PLAIN.get(type(item), False) if kind == "type" else False


def compare_type(
    ctx: Any, inspected: Any, metadata: Any, inspected_type: Any, metadata_type: Any
) -> bool | None:
    """SQLite tells NUMERIC for what it keeps as an integer: the names of our own types decide there."""
    if isinstance(metadata_type, (Price, UtcDateTime, Json, AsaList)) and ctx.dialect.name == "sqlite":
        return False
    return None


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Everything but the search index: its DDL is not SQLAlchemy's, see storefront/search.py."""
    return not (name or "").startswith(FTS_TABLE)
