"""Pages that plugins bring for the shop's staff: paragraphs and tables, written out by the shop."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import abort, render_template

from plugins.contract import Money
from plugins.guard import Failure
from storefront import format
from storefront.access import staff
from storefront.admin.desk import bp
from storefront.language import text
from storefront.shop import current_shop


@bp.get("/plugins/<name>/pages/<page_id>")
@staff
def plugin_page(name: str, page_id: str) -> str | tuple[str, int]:
    """One page; where its plugin fails, that is what it says, with 502."""
    plugins = current_shop().plugins
    page = plugins.page(name, page_id)
    if page is None:
        abort(404)
    shown = plugins.show(name, page)
    if isinstance(shown, Failure):
        return render_template("admin/plugin_page.html", name=name, page=page, failure=shown), 502
    return render_template(
        "admin/plugin_page.html", name=name, page=page, view=shown.value, cell=cell, is_number=is_number
    )


def cell(value: Any) -> Any:
    """A cell as it is read: money in its currency, a moment in the shop's zone, numbers grouped."""
    if value is None or value == "":
        return "—"
    if isinstance(value, Money):
        return format.money(value.minor, value.currency)
    if isinstance(value, datetime):
        return format.moment(value, year=True)
    if isinstance(value, date):
        return format.day(value, year=True)
    return format.number(value) if isinstance(value, int | Decimal) else text(value)


def is_number(rows: Any, column: int) -> bool:
    """Whether a column holds amounts: those are set to the right."""
    held = [row[column] for row in rows if row[column] is not None]
    return bool(held) and all(isinstance(each, Money | int | Decimal) for each in held)
