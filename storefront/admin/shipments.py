"""Sending orders off: slips for the carriers' software, tracking numbers read back, and a shipment taken back."""

from __future__ import annotations

import unicodedata
from datetime import date

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response as Redirect

from storefront import audit
from storefront.access import current_person, staff
from storefront.admin.desk import bp
from storefront.admin.orders import LOOKS
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import N_, _, ngettext, text
from storefront.orders import Order
from storefront.shipments import Shipment, Wishes, apply, plan, sender_of, slips_of, undo
from storefront.shipments.keeping import READY
from storefront.shop import current_shop
from storefront.slips import (
    CARRIERS,
    SLOTS,
    Carrier,
    SlipError,
    Tracked,
    TrackingError,
    export,
    link,
    read_tracking,
)
from storefront.slips.tracking import is_tracking

BIGGEST = 5_000_000
MOST = 200  # orders on one page, and so in one file
SHOWN = 30  # shipments below it
PICKUP = "pickup"
FIELDS = {
    "number": N_("Order number"),
    "recipient": N_("Recipient"),
    "address": N_("Address"),
    "postcode": N_("Postcode"),
    "phone": N_("Phone number"),
    "goods": N_("Contents on the slip"),
    "parcels": N_("Parcels"),
    "slot": N_("Time of day"),
    "deliver_on": N_("Delivery day"),
    "collect": N_("Cash on delivery"),
    "sender_name": N_("Sender's name"),
    "sender_address": N_("Sender's address"),
    "sender_postcode": N_("Sender's postcode"),
    "sender_phone": N_("Sender's phone"),
    "customer_code": N_("Customer code with the carrier"),
    "fare_number": N_("Fare number with the carrier"),
}
PROBLEMS = {
    "missing": N_("It is empty; the carrier needs it."),
    "too_long": N_("“%(value)s” has %(have)s full-width characters; %(allowed)s are allowed."),
    "too_long_half": N_("“%(value)s” has %(have)s half-width characters; %(allowed)s are allowed."),
    "characters": N_("The carrier's software has no %(value)s. Write it with other characters."),
    "control": N_("It holds a line break or a character that cannot be printed."),
    "formula": N_("“%(value)s” begins with a sign that spreadsheets run as a formula (= + - @)."),
    "digits": N_("“%(value)s” holds more than half-width letters and digits."),
    "slot": N_("The carrier has no time of day “%(value)s”; choose another."),
    "slot_over": N_("The carrier does not offer the time of day “%(value)s” any more; choose another."),
    "collect": N_("Every one of the %(value)s labels would collect the amount. Send it as one parcel."),
    "country": N_("It goes to %(value)s; these slips are for Japan."),
    "past": N_("The wished day %(value)s is before the day it is sent."),
    "currency": N_("Drivers collect yen, and the order is in %(value)s."),
}
CORRECTABLE = {"recipient", "address", "postcode", "phone"}  # what the desk may correct in the order itself
TRACKING_PROBLEMS = {
    "number": N_("There is no order number in this row."),
    "tracking": N_("“%(value)s” is no tracking number of twelve digits."),
    "twice": N_("%(value)s stands beside two orders."),
    "empty": N_("The file has no rows."),
    "order": N_("There is no order %(value)s."),
    "state": N_("%(value)s: an order in this state is not shipped."),
    "stock": N_("%(value)s: fewer pieces are on hand than the order needs. Count the stock."),
}
WISHED = "wished"  # in place of a time of day: whatever the buyer wrote


@bp.get("/shipments")
@staff
def shipments() -> str:
    """Orders ready to go, oldest first, and what went last."""
    return _page()


def _ready() -> list[Order]:
    query = (
        select(Order)
        .where(Order.state.in_(READY))
        .order_by(Order.promised_on.is_(None), Order.promised_on, Order.placed_at, Order.id)
        .limit(MOST)
        .options(joinedload(Order.company), selectinload(Order.lines))
    )
    return list(get_session().scalars(query))


def _page(
    errors: list[tuple[str, str, str, str]] | None = None,
    faults: list[tuple[int, str]] | None = None,
    error: str = "",
) -> str:
    gone = select(Shipment).options(joinedload(Shipment.order)).order_by(Shipment.id.desc()).limit(SHOWN)
    chosen = set(request.form.getlist("order"))
    return render_template(
        "admin/shipments.html",
        orders=_ready(),
        gone=list(get_session().scalars(gone)),
        carriers=[(one.id, text(one.label), one.software) for one in CARRIERS.values()],
        names={one.id: text(one.label) for one in CARRIERS.values()},
        slots_of=_slots_of,
        wished=WISHED,
        chosen=chosen,
        form=request.form,
        pickup=PICKUP,
        on=request.form.get("ship_on") or today().isoformat(),
        goods=request.form.get("goods", current_shop().settings.slips.goods),
        looks=LOOKS,
        link=link,
        errors=errors or [],
        faults=faults or [],
        error=error,
    )


@bp.post("/shipments")
@staff
def shipments_do() -> Response | Redirect | str | tuple[str, int]:
    """The page's three forms: make slips, look at a file of tracking numbers, keep what was looked at."""
    forms = {"slips": _make_slips, "tracking": _look, "keep": _keep}
    form = forms.get(request.form.get("do", ""))
    if form is None:
        abort(400)
    return form()


def _make_slips() -> Response | str | tuple[str, int]:
    """The chosen orders as the carrier's file. With any error there is no file, and every error is named."""
    carrier = _carrier()
    session = get_session()
    numbers = [one for one in request.form.getlist("order")[:MOST] if one.isprintable()]
    query = select(Order).where(Order.number.in_(numbers), Order.state.in_(READY)).order_by(Order.id)
    orders = list(session.scalars(query.options(selectinload(Order.lines))))
    ship_on = _day(request.form.get("ship_on", ""))
    if not orders:
        return _page(error=_("Choose at least one order.")), 422
    if ship_on is None:
        return _page(error=_("Enter the day on which the parcels leave.")), 422
    wishes = {order.number: _wishes(order.number) for order in orders}
    goods = request.form.get("goods", "").strip()[:200]
    slips, errors = slips_of(session, orders, wishes, ship_on=ship_on, goods=goods)
    made = export(carrier, slips, sender_of(current_shop().settings))
    if errors or isinstance(made, list):
        errors += made if isinstance(made, list) else []
        return _page([_said(one) for one in errors]), 422
    name = f"{carrier.id}-{ship_on.isoformat()}.csv"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(made, content_type="text/csv; charset=Shift_JIS", headers=headers)


def _wishes(number: str) -> Wishes:
    parcels, slot = request.form.get(f"parcels-{number}", "1"), request.form.get(f"slot-{number}", WISHED)
    is_count = parcels.isascii() and parcels.isdigit() and 0 < len(parcels) < 3 and int(parcels) > 0
    is_chosen = slot in ("", *SLOTS)
    return Wishes(int(parcels) if is_count else 1, slot if is_chosen else None)


def _slots_of(order: Order) -> list[tuple[str, str, bool]]:
    """(value, word, whether chosen) of every time of day; what the buyer wished for stands first as it was written."""
    named = f"slot-{order.number}"
    wish = order.delivery_slot
    chosen = request.form.get(named, WISHED if wish else "")
    words = [("", _("any time")), *((key, _("in the morning") if key == "am" else key) for key in SLOTS)]
    if wish:
        words.insert(0, (WISHED, _("%(slot)s (wished)", slot=wish)))
    return [(key, word.replace("-", "–") if key in SLOTS else word, key == chosen) for key, word in words]


def _visible(character: str) -> str:
    """A character as somebody can look for it: marks without a shape of their own by their number."""
    has_shape = unicodedata.category(character)[0] in "LNPS"
    return character if has_shape else f" U+{ord(character):04X} "


def _said(error: SlipError) -> tuple[str, str, str, str]:
    """(order, field, sentence, where it can be mended)."""
    problem = error.problem + ("_half" if error.problem == "too_long" and error.unit == "half" else "")
    value = error.value if len(error.value) <= 60 else f"{error.value[:60]}…"
    if error.problem == "characters":
        value = "".join(map(_visible, value))
    sentence = _(PROBLEMS[problem], value=value, have=error.have, allowed=error.allowed)
    mend = ""
    if error.number and error.field in CORRECTABLE:
        mend = url_for("admin.order_address", number=error.number, back="shipments")
    return error.number or _("All"), _(FIELDS.get(error.field, error.field)), sentence, mend


def _look() -> str | tuple[str, int]:
    """Read the carrier's file and show what it would do; nothing is written yet."""
    carrier = _carrier()
    sent = request.files.get("file")
    content = sent.read(BIGGEST + 1) if sent is not None else b""
    if not content:
        return _page(error=_("Choose a file of the carrier's software that is not empty.")), 422
    if len(content) > BIGGEST:
        return _page(error=_("The file is larger than 5 MB.")), 413
    rows, errors = read_tracking(carrier, content)
    if errors:
        return _page(faults=_told(errors)), 422
    return _preview(carrier, rows)


def _preview(carrier: Carrier, rows: list[Tracked]) -> str | tuple[str, int]:
    planned, errors = plan(get_session(), carrier.id, rows)
    if errors:
        return _page(faults=_told(errors)), 422
    return render_template(
        "admin/shipments_preview.html",
        carrier=carrier.id,
        name=text(carrier.label),
        planned=planned,
        on=today().isoformat(),
        words={"ship": _("Is shipped"), "add": _("Gets this number"), "known": _("Known already")},
        marks={"ship": "full", "add": "ok", "known": "none"},
    )


def _told(errors: list[TrackingError]) -> list[tuple[int, str]]:
    unread = N_("The row cannot be read: %(value)s.")
    said = []
    for error in errors[:100]:
        is_known = error.problem in TRACKING_PROBLEMS
        value = error.value if is_known else f"{error.problem} {error.value}".strip()
        said.append((error.line, _(TRACKING_PROBLEMS.get(error.problem, unread), value=value)))
    return said


def _keep() -> str | Redirect | tuple[str, int]:
    """Keep the numbers that the preview showed and ship their orders: all of them or none."""
    carrier = _carrier()
    rows = _previewed(request.form.get("rows", ""))
    shipped_on, actor = _day(request.form.get("shipped_on", "")), current_person()
    if not rows or shipped_on is None or actor is None:
        return _page(error=_("Nothing was written: the page was incomplete. Read the file in again.")), 422
    done = apply(carrier.id, rows, shipped_on=shipped_on, actor=actor.email)
    if isinstance(done, list):
        return _page(faults=_told(done)), 422
    with write() as session:
        told = {"orders": done.orders, "numbers": done.numbers, "known": done.known}
        audit.record(session, actor, "add", f"shipments:{carrier.id}", {}, told)
    sentence = ngettext("%(num)s order shipped.", "%(num)s orders shipped.", done.orders)
    if done.known:
        sentence += " " + ngettext(
            "%(num)s number was known already.", "%(num)s numbers were known already.", done.known
        )
    flash(sentence, "ok")
    return redirect(url_for("admin.shipments"), 303)


@bp.post("/shipments/<int:shipment_id>/undo")
@staff
def shipment_undo(shipment_id: int) -> Redirect:
    """The parcel did not leave: with the order's last one its goods are back in the house."""
    actor = current_person()
    if shipment_id > 2**31 - 1 or actor is None:
        abort(404)
    done = undo(shipment_id, actor.email)
    if done == "unknown":
        abort(404)
    if done == "undone":
        with write() as session:
            audit.record(session, actor, "undo", f"shipment:{shipment_id}", {}, {"undone": True})
        flash(_("Taken back. The goods are set aside for the order again."), "ok")
    elif done == "again":
        flash(_("This shipment was taken back already."), "warn")
    else:
        flash(_("The order has moved on since it was shipped; nothing was taken back."), "warn")
    return redirect(url_for("admin.shipments"), 303)


def _previewed(written: str) -> list[Tracked]:
    """The rows that the preview carried; all of them are looked at again before anything is written."""
    rows = []
    for line, words in enumerate((each.split(" ", 2) for each in written.splitlines()), 1):
        if len(words) == 3 and is_tracking(words[1]) and words[2]:
            rows.append(Tracked(line, words[2], words[1], _count(words[0])))
    return rows


def _carrier() -> Carrier:
    found = CARRIERS.get(request.form.get("carrier", ""))
    if found is None:
        abort(400)
    return found


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if len(written) == 10 else None
    except ValueError:
        return None


def _count(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and 0 < len(written) < 4 else 1
