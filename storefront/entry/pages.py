"""The page on which a buyer confirms an order that is no cart: read from a file, or an old one again.

Its address is a secret of the one buyer who began it; anybody else finds nothing there.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import cart
from storefront.access import buyer, current_buyer
from storefront.cart.store import MOST_LINES, count
from storefront.checkout.confirming import told
from storefront.database import get_session, write
from storefront.entry import Entry, store, work
from storefront.entry.again import beside_the_old
from storefront.entry.work import Work
from storefront.language import _
from storefront.orders.placing import Placed

bp = Blueprint("entry", __name__, url_prefix="/entry")


def _own(token: str) -> Entry:
    person = current_buyer()
    assert person is not None
    found = store.buyers_own(get_session(), token, person)
    if found is None or found.state == "discarded":
        abort(404)
    return found


def _at_work(entry: Entry) -> Work:
    judge = beside_the_old(entry) if entry.again_id is not None else None
    return work.begin(entry, contact=current_buyer(), judge=judge)


@bp.get("/<token>")
@buyer
def show(token: str) -> ResponseReturnValue:
    """The lines with their answers, and the choices of the checkout."""
    entry = _own(token)
    if entry.order is not None:
        return redirect(url_for("orders.show", number=entry.order.number), 303)
    return _page(_at_work(entry))


@bp.post("/<token>")
@buyer
def act(token: str) -> ResponseReturnValue:
    """Change lines, look again, leave out what cannot go, take them to the cart, or confirm."""
    entry = _own(token)
    if entry.order is not None:  # a second click, or the page sent again
        return redirect(url_for("orders.show", number=entry.order.number, placed=1), 303)
    at_work = _at_work(entry)
    work.keep(at_work)
    do = request.form.get("do")
    if do == "rest":
        return _with_the_rest(at_work)
    if do == "cart":
        return _into_the_cart(at_work)
    if do == "place":
        return _placed(at_work)
    return _page(at_work)


def _with_the_rest(at_work: Work) -> ResponseReturnValue:
    with write() as session:
        store.keep(session, at_work.entry.id, text=at_work.without_the_unorderable())
    return redirect(url_for("entry.show", token=at_work.entry.token), 303)


def _into_the_cart(at_work: Work) -> ResponseReturnValue:
    """The lines that can be ordered join the cart; the entry is given up, unless the cart has no room."""
    rows = [row for row in at_work.sheet.rows if row.is_orderable]
    mine = cart.owner_for_writing()
    if count(get_session(), mine) + len(rows) > MOST_LINES:
        flash(_("The cart holds %(most)s lines at most. Order these first.", most=MOST_LINES), "block")
        return _page(at_work, status=422)
    with write() as session:
        cart_id = cart.obtain(session, mine)
        for row in rows:
            cart.add(session, cart_id, row.sku, row.quantity)
        store.discard(session, at_work.entry.id)
    gone = [row.typed_sku for row in at_work.to_mend]
    if gone:
        flash(_("Left out: %(skus)s", skus=", ".join(gone)), "warn")
    return redirect(url_for("cart.show"), 303)


def _placed(at_work: Work) -> ResponseReturnValue:
    person = current_buyer()
    assert person is not None
    outcome = work.place(at_work, person)
    if outcome is None:
        return _page(at_work, status=422)
    if isinstance(outcome, Placed) and outcome.state != "cancelled":
        return redirect(url_for("orders.show", number=outcome.number, placed=1), 303)
    answer = told(at_work.desk, outcome)
    return _page(at_work, answer=answer, status=answer.status)


def _page(at_work: Work, *, status: int = 200, answer: Any = None) -> ResponseReturnValue:
    entry = at_work.entry
    is_htmx = "HX-Request" in request.headers
    values = {**work.shown(at_work, answer), "form_action": url_for("entry.act", token=entry.token)}
    return render_template(
        "checkout/_form.html" if is_htmx else "entry/entry.html", **values, **_words(entry)
    ), status


def _words(entry: Entry) -> dict[str, str]:
    if entry.again is not None:
        number = entry.again.number
        return {
            "title": _("Order %(number)s again", number=number),
            "intro": _("At today's prices and rules. Nothing is ordered before you confirm it below."),
            "back": url_for("orders.show", number=number),
            "back_word": _("Order %(number)s", number=number),
        }
    return {
        "title": _("Order from a file"),
        "intro": _("Nothing is ordered before you confirm it below."),
        "back": url_for("order_files.show"),
        "back_word": _("Another file"),
    }
