"""Quick order: lines pasted, scanned or uploaded, each answered and put into the cart together.

The pasted text is the state: every change is written back into it, so nothing typed is lost.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from storefront import card
from storefront.access import current_company, public
from storefront.attempts import noting
from storefront.cart import owners, store
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import _, ngettext
from storefront.page import lead_to
from storefront.quick_order import pasted
from storefront.quick_order.answered import answered_text, joined, without_hidden_characters
from storefront.quick_order.answers import Sheet, answer_sheet

bp = Blueprint("quick_order", __name__)


@bp.get("/quick-order")
@public
def show() -> Any:
    """The empty sheet, or the lines that were left to fix; from a price sheet's code the lines of that sheet."""
    text = store.draft_of(get_session(), owners.owner())
    company = current_company()
    if "card" in request.args and company is not None:
        text = joined(text, card.order_lines(company, today()))
    return _page(text)


@bp.get("/quick-order/sample.csv")
@public
def sample() -> Response:
    """A sheet to fill in; with BOM, so that spreadsheets read its Japanese heading."""
    heading = f"{_('SKU')},{_('Quantity')}\r\n"
    answer = Response(("\ufeff" + heading + "M4-10,100\r\n").encode(), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="quick-order.csv"'
    return answer


@bp.post("/quick-order")
@public
def read() -> Any:
    """Read what was pasted, scanned or uploaded; or carry out a button of the answers."""
    if "rows" in request.form:
        return _changed()
    text = request.form.get("paste")
    if text is None:
        text = store.draft_of(get_session(), owners.owner())
    file_fault = None
    upload = request.files.get("csv")
    if upload is not None and upload.filename:
        with upload.stream as stream:
            sheet = pasted.read_file(stream.read(pasted.BIGGEST_FILE + 1))
        file_fault = sheet.fault
        text = joined(text, sheet.text)
    scanned = request.form.get("scan", "").strip()
    if scanned:
        text = joined(text, scanned[: pasted.LONGEST_LINE])
    return _page(text, file_fault=file_fault, scanned=bool(scanned))


def _page(
    text: str, *, fault: str | None = None, file_fault: str | None = None, scanned: bool = False
) -> Any:
    text = without_hidden_characters(text)
    unreadable = pasted.fault_of(text)
    lines = [] if unreadable else pasted.read_lines(text)
    sheet = answer_sheet(get_session(), lines, current_company()) if lines else Sheet()
    body = render_template(
        "quick_order/quick_order.html",
        text=text,
        sheet=sheet,
        fault=fault or unreadable,
        file_fault=file_fault,
        scanned=scanned,
        most=pasted.MOST_LINES,
    )
    return body, 422 if fault or unreadable or file_fault else 200


def _changed() -> Any:
    """Carry out a button of the answers."""
    text = answered_text(request.form)
    if request.form.get("do") == "add":
        return _added(text)
    return _page(text)


def _added(text: str) -> Any:
    """Put what can be ordered into the cart; what cannot stays on the sheet."""
    if pasted.fault_of(text):
        return _page(text)
    session, mine = get_session(), owners.owner_for_writing()
    sheet = answer_sheet(session, pasted.read_lines(text), current_company())
    taken = [row for row in sheet.rows if row.is_orderable]
    room = store.MOST_LINES - store.count(session, mine)
    if len(taken) > room:
        sentence = _("The cart has room for %(room)s more lines. Order those in it first.", room=max(room, 0))
        return _page(text, fault=sentence)
    left = [row for row in sheet.rows if not row.is_orderable and not row.is_prose]
    with write() as writing:
        cart_id = store.obtain(writing, mine)
        for row in taken:
            store.add(writing, cart_id, row.sku, row.quantity)
        store.keep_draft(writing, cart_id, "\n".join(row.text for row in left))
    noting.cart_changed(left=[(row.sku, row.quantity) for row in left if row.sku and row.quantity])
    if taken:
        flash(
            ngettext("%(num)s line put into the cart.", "%(num)s lines put into the cart.", len(taken)), "ok"
        )
    if left:
        flash(ngettext("%(num)s line still needs a look and stays here.",
                       "%(num)s lines still need a look and stay here.", len(left)), "warn")  # fmt: skip
        return lead_to(url_for("quick_order.show"))
    return lead_to(url_for("cart.show"))
