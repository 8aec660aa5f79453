"""The blueprint of the owner's desk, its tabs, and what its lists share: search text, paging.

No screen lives here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, request
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront.language import N_

bp = Blueprint("admin", __name__, url_prefix="/admin")

# (path, word, width): words are msgids; "wide" tabs have no room on a phone and stand on the page More as well.
TABS = (
    ("/admin/", N_("Today"), ""),
    ("/admin/orders", N_("Orders received"), ""),
    ("/admin/quotations", N_("Quotation requests"), "wide"),
    ("/admin/customers", N_("Customers"), ""),
    ("/admin/products", N_("Products and stock"), "wide"),
    ("/admin/rules", N_("Shop rules"), ""),
    ("/admin/applications", N_("Applications"), "wide"),
    ("/admin/files", N_("CSV"), "wide"),
    ("/admin/more", N_("More"), ""),
)
MORE = (
    ("/admin/shipments", N_("Shipping desk")),
    ("/admin/bank", N_("Bank transfers")),
    ("/admin/payments", N_("Payments")),
    ("/admin/replays", N_("Try rules on past orders")),
    ("/admin/entries", N_("Write an order down")),
    ("/admin/exceptions", N_("Exceptions")),
    ("/admin/refusals", N_("What was refused")),
    ("/admin/trials", N_("Rules on trial")),
    ("/admin/incidents", N_("Incidents")),
    ("/admin/jobs", N_("Work that did not succeed")),
    ("/admin/mails", N_("Mails")),
    ("/admin/plugins", N_("Plugins")),
    ("/admin/shipping-trial", N_("Try out a shipping quote")),
    ("/admin/audit", N_("Changes")),
    ("/admin/api-keys", N_("API keys")),
)
PAGE = 50


@bp.before_request
def only_what_a_database_can_hold() -> None:
    """An address with a NUL is not found; PostgreSQL would refuse to be asked."""
    if any(isinstance(value, str) and "\0" in value for value in (request.view_args or {}).values()):
        abort(404)


@dataclass(frozen=True)
class Page:
    """One page of a list: its items, its number from 1, how many pages and items there are."""

    items: Sequence[Any]
    number: int
    pages: int
    total: int
    size: int


def asked(name: str, limit: int = 100) -> str:
    """A text from the address, without what no text holds, and no longer than anybody searches."""
    return request.args.get(name, "")[:limit].replace("\0", "").strip()


def asked_page() -> int:
    """The page wanted; 1 for whatever is no page number."""
    wanted = request.args.get("page", "1")
    return max(int(wanted), 1) if len(wanted) < 7 and wanted.isascii() and wanted.isdigit() else 1


def page_of(
    session: Session, query: Select[*tuple[Any, ...]], size: int = PAGE, *, rows: bool = False
) -> Page:
    """The wanted page of a query: two statements, whatever its length. `rows` keeps tuples as they are."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(-(-total // size), 1)
    number = min(asked_page(), pages)
    found = session.execute(query.limit(size).offset((number - 1) * size))
    return Page(list(found) if rows else list(found.scalars()), number, pages, total, size)


def contains(text: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Some column holds the text, whatever the case; % and _ are plain characters."""
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
