"""Stock at the desk: count anew or book an arrival, each with its reason; buffer, backorders and next arrival.

Every change goes through storefront.stock or is audited here; less than is reserved needs a second, knowing yes.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storefront import audit, stock
from storefront.access import current_person, staff
from storefront.admin.desk import bp
from storefront.admin.products import find_product
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.language import _
from storefront.stock import BelowReserved, StockItem
from storefront.transfer import messages
from storefront.transfer.cells import CellError, whole
from storefront.transfer.records import RowError

MOST = 999_999_999
DOINGS = ("count", "receive")


@bp.get("/products/<sku>/stock")
@staff
def stock_form(sku: str) -> str:
    """The two forms: pieces, and what is kept back or may be ordered ahead."""
    return _page(find_product(sku))


def _page(
    product: Product,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    oversold: int = 0,
) -> str:
    item = get_session().get(StockItem, product.id)
    shown = {
        "do": "count",
        "buffer": str(item.buffer if item else 0),
        "backorder_limit": str(item.backorder_limit if item else 0),
        "next_arrival_on": item.next_arrival_on.isoformat() if item and item.next_arrival_on else "",
    }
    return render_template(
        "admin/stock.html",
        product=product,
        item=item,
        typed={**shown, **(typed or {})},
        errors=errors or {},
        oversold=oversold,
    )


def _read(fields: dict[str, tuple[int, int]]) -> tuple[dict[str, str], dict[str, int], dict[str, str]]:
    """What was typed, what was understood, and a sentence for each field that was not."""
    typed = {name: request.form.get(name, "").replace("\0", "").strip()[:100] for name in fields}
    values: dict[str, int] = {}
    errors: dict[str, str] = {}
    for name, (least, most) in fields.items():
        try:
            values[name] = whole(least, most)(typed[name])
        except CellError as fault:
            errors[name] = messages.say(RowError(0, name, fault.problem, fault.values))
    return typed, values, errors


@bp.post("/products/<sku>/stock")
@staff
def stock_change(sku: str) -> Response | tuple[str, int]:
    """Count anew, or add what arrived."""
    product, person = find_product(sku), current_person()
    doing = request.form.get("do", "")
    typed, values, errors = _read({"quantity": (1 if doing == "receive" else 0, MOST)})
    reason = request.form.get("reason", "").replace("\0", "").strip()[:500]
    typed |= {"do": doing, "reason": reason}
    if doing not in DOINGS:
        errors["do"] = _("Choose what happened.")
    if doing == "count" and not reason:
        errors["reason"] = _("Write why the count differs; it is kept with the stock move.")
    if errors:
        return _page(product, typed, errors), 422
    who = person.email if person is not None else "system"
    with write() as session:
        item = stock.lock_items(session, [product.id]).get(product.id)
        before = _facts(item)
        done: StockItem | BelowReserved
        if doing == "receive":
            if before.get("on_hand", 0) + values["quantity"] > MOST:
                return _page(product, typed, {"quantity": _("That is more than the shop can count.")}), 422
            done = stock.receive(session, product.id, values["quantity"], actor=who, reason=reason)
        else:
            anyway = request.form.get("oversold") == "yes"
            done = stock.adjust(
                session, product.id, values["quantity"], actor=who, reason=reason, even_oversold=anyway
            )
        if isinstance(done, BelowReserved):
            sentence = _("%(reserved)s pieces are reserved for orders; %(oversold)s of them would be missing.",
                         reserved=done.reserved, oversold=done.oversold)  # fmt: skip
            return _page(product, typed, {"quantity": sentence}, done.oversold), 422
        audit.record(session, person, "stock", f"product:{sku}", before, {**_facts(done), "reason": reason})
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.product", sku=sku))


@bp.post("/products/<sku>/stock/limits")
@staff
def stock_limits(sku: str) -> Response | tuple[str, int]:
    """What is kept back, how many may be ordered beyond stock, and when more arrives."""
    product, person = find_product(sku), current_person()
    typed, values, errors = _read({"buffer": (0, MOST), "backorder_limit": (0, MOST)})
    arrival = request.form.get("next_arrival_on", "").strip()[:10]
    typed["next_arrival_on"] = arrival
    on: date | None = None
    try:
        on = date.fromisoformat(arrival) if arrival else None
    except ValueError:
        errors["next_arrival_on"] = _("Write a date like 2026-12-01, or leave it empty.")
    if errors:
        return _page(product, typed, errors), 422
    with write() as session:
        item = stock.lock_items(session, [product.id]).get(product.id)
        if item is None:
            item = StockItem(product_id=product.id, on_hand=0, reserved=0)
            session.add(item)
        before = _facts(item)
        item.buffer, item.backorder_limit, item.next_arrival_on = (
            values["buffer"],
            values["backorder_limit"],
            on,
        )
        audit.record(session, person, "stock", f"product:{sku}", before, _facts(item))
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.product", sku=sku))


def _facts(item: StockItem | None) -> dict[str, Any]:
    """What the audit keeps of a stock item."""
    if item is None:
        return {}
    arrival = item.next_arrival_on.isoformat() if item.next_arrival_on else None
    return {
        "on_hand": item.on_hand,
        "buffer": item.buffer,
        "backorder_limit": item.backorder_limit,
        "next_arrival_on": arrival,
    }
