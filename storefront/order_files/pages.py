"""The page that takes a buyer's order file, and the template to fill in. A file with a fault is refused whole.

Nothing is ordered here: a file that can be read becomes an entry, which its buyer looks at and confirms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import pricing
from storefront.access import buyer, current_buyer, current_company
from storefront.attempts import noting
from storefront.catalog import shelf
from storefront.catalog.models import Product
from storefront.clock import today
from storefront.database import get_session, write
from storefront.entry import store
from storefront.language import _, language
from storefront.order_files import reading
from storefront.order_files.reading import Fault
from storefront.shop import current_shop
from storefront.transfer import sheet

bp = Blueprint("order_files", __name__, url_prefix="/order-files")


@bp.get("")
@buyer
def show() -> str:
    """The form and how a file looks."""
    return _page()


def _page(faults: Sequence[Fault] = (), filename: str = "", fault: str = "") -> str:
    return render_template(
        "order_files/order_files.html", faults=faults, filename=filename, fault=fault, most=reading.LIMITS.rows,
        size=reading.LIMITS.size // 1000,
    )  # fmt: skip


@bp.get("/template.csv")
@buyer
def template() -> Response:
    """A file to fill in, with the items this company ordered last; in UTF-8 with BOM, as spreadsheets want it."""
    data = sheet.write(reading.HEADER[language()], _usual() or [["M4-10", "100", "", ""]])
    answer = Response(data, mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename="order.csv")
    return answer


def _usual() -> list[list[str]]:
    """The lines of the last order, which is what most people change a little."""
    from sqlalchemy import select

    from storefront.orders import Order, OrderLine

    company = current_company()
    assert company is not None
    last = select(Order.id).where(Order.company_id == company.id).order_by(Order.id.desc()).limit(1)
    lines = select(OrderLine.sku, OrderLine.quantity).where(OrderLine.order_id == last.scalar_subquery())
    return [
        [sku, str(quantity), "", ""]
        for sku, quantity in get_session().execute(lines.order_by(OrderLine.position))
    ]


@bp.post("")
@buyer
def upload() -> ResponseReturnValue:
    """Read the file: every fault with its line, or on to the page where it is confirmed."""
    person, company = current_buyer(), current_company()
    assert person is not None
    assert company is not None
    sent = request.files.get("file")
    data = b""
    if sent is not None:
        with sent.stream as stream:
            data = stream.read(reading.LIMITS.size + 1)
    if sent is None or not data:
        return _page(fault=_("Choose a CSV file that is not empty.")), 422
    found = reading.read(data, _find, _near)
    if found.faults:
        name = "".join(char for char in sent.filename or "" if char.isprintable())[-100:]
        return _page(found.faults, name), 422
    with write() as session:
        entry = store.begin(
            session,
            company_id=company.id,
            person=person,
            channel="csv",
            text=found.text,
            form={"purchase_order_number": found.purchase_order_number, "note": found.note},
        )
    noting.text_refused(f"entry:{entry.id}", company.id, "csv", found.text)
    return redirect(url_for("entry.show", token=entry.token), 303)


def _hidden() -> frozenset[str]:
    return pricing.hidden_skus(get_session(), current_company(), shop=current_shop(), on=today())


def _find(keys: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    """Products by folded SKU; what is hidden from this company does not exist."""
    hidden = _hidden()
    query = shelf.rows_with_stock().where(Product.sku_key.in_(sorted(set(keys) - {""})))
    found: dict[str, list[Any]] = {}
    for row in get_session().execute(query):
        if row.sku not in hidden:
            found.setdefault(row.sku_key, []).append(row)
    return found


def _near(skus: Sequence[str]) -> Mapping[str, Sequence[str]]:
    return shelf.nearest_skus(get_session(), list(skus), _hidden())
