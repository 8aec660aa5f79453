"""Money that arrived: the bank's file read in, certain transfers booked with one button, the others by a person."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp, page_of
from storefront.bank_files import booking
from storefront.bank_files.models import BankReceipt
from storefront.bank_files.receipts import BankFile
from storefront.bank_files.table import read_table
from storefront.bank_files.zengin import is_zengin, read_zengin
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import N_, _, ngettext

BIGGEST = 5_000_000
ERRORS = {
    "length": N_("The record has %(value)s bytes instead of 200."),
    "kind": N_("The file is of kind %(value)s; notices of transfers are of kind 01."),
    "field": N_("The day or the amount %(value)s cannot be read."),
    "cancelled": N_("The bank takes a notice back: %(value)s. Look at it with the bank."),
    "record": N_("A record begins with “%(value)s”; 1, 2, 8 and 9 are known."),
    "sum": N_("The bank counts %(value)s; the transfers read are others."),
    "encoding": N_("The file is neither UTF-8 nor Shift_JIS."),
    "csv": N_("The row cannot be read: %(value)s."),
    "headings": N_("No line has the headings of day, amount and payer (取引日, 入金額, 摘要)."),
    "amount": N_("“%(value)s” is no amount. Write it like 1,200."),
    "day": N_("“%(value)s” is no day. Write it like 2026-04-01 or R8.4.1."),
}
WAYS = {
    "code": N_("by the payer's code"),
    "number": N_("by the order number in the text"),
    "name": N_("by amount and name"),
    "sum": N_("by the sum of all that is open"),
    "fee": N_("by name, less the bank's fee"),
    "person": N_("chosen by a person"),
}


@bp.get("/bank")
@staff
def bank() -> str:
    """Open transfers with what each would pay, and those decided last."""
    return _page()


def _page(file: BankFile | None = None, error: str = "") -> str:
    session = get_session()
    decided = select(BankReceipt).where(BankReceipt.state != "open")
    proposals = booking.proposals(session)
    return render_template(
        "admin/bank.html",
        proposals=proposals,
        certain=[one.receipt.id for one in proposals if one.match.how],
        open_items=booking.open_items(session) if proposals else [],
        decided=page_of(session, decided.order_by(BankReceipt.decided_at.desc(), BankReceipt.id.desc())),
        faults=[(one.line, _(ERRORS[one.error], value=one.value)) for one in file.errors] if file else [],
        error=error,
        ways=WAYS,
    )


@bp.post("/bank")
@owner
def bank_upload() -> str | Response | tuple[str, int]:
    """Read a file in. With any error nothing of it is kept: a file is whole or it is not."""
    sent = request.files.get("file")
    content = sent.read(BIGGEST + 1) if sent is not None else b""
    if not content:
        return _page(error=_("Choose a file of the bank that is not empty.")), 422
    if len(content) > BIGGEST:
        return _page(error=_("The file is larger than 5 MB.")), 413
    file = read_zengin(content, today()) if is_zengin(content) else read_table(content)
    if file.errors:
        return _page(file), 422
    with write() as session:
        new = booking.keep_receipts(session, file.receipts)
    told = ngettext("%(num)s new transfer.", "%(num)s new transfers.", new)
    known = len(file.receipts) - new
    if known:
        told += " " + ngettext("%(num)s was known already.", "%(num)s were known already.", known)
    flash(told, "ok")
    return redirect(url_for("admin.bank"), 303)


@bp.post("/bank/book")
@owner
def bank_book() -> Response:
    """Book the certain transfers that the page showed."""
    ids = [
        int(one)
        for one in request.form.getlist("receipt")
        if one.isascii() and one.isdigit() and len(one) < 12
    ]
    done = booking.book_certain(ids, _who())
    flash(ngettext("%(num)s transfer booked.", "%(num)s transfers booked.", done), "ok" if done else "warn")
    return redirect(url_for("admin.bank"), 303)


@bp.post("/bank/<int:receipt_id>")
@owner
def bank_decide(receipt_id: int) -> Response:
    """A person says what a transfer pays, or that it pays nothing here."""
    if request.form.get("do") == "aside":
        done = booking.set_aside(receipt_id, request.form.get("reason", "").strip(), _who())
        said = _("Set aside.")
    else:
        chosen = request.form.getlist("payment")
        ids = [int(one) for one in chosen if one.isascii() and one.isdigit() and len(one) < 12]
        done = booking.book_by_hand(receipt_id, ids, _who())
        said = _("Booked. Transfers signed like this one are recognised from now on.")
    if done:
        flash(said, "ok")
    else:
        flash(_("Nothing was booked: choose an open order, and look whether somebody was quicker."), "warn")
    return redirect(url_for("admin.bank"), 303)


def _who() -> str:
    person = current_person()
    if person is None:
        abort(403)
    return person.email
