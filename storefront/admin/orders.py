"""Orders at the desk: the list with its filters and CSV, one order with its reasons and margin, and its moves.

Never changes an order by itself: every move goes through storefront.orders.moves and storefront.payments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response as Redirect

from rules.money import amount_text, to_minor
from storefront import audit, payments, shipments
from storefront.access import current_person, staff
from storefront.accounts import Company
from storefront.admin.desk import asked, bp, contains, page_of
from storefront.admin.payments import shown_payments
from storefront.catalog import Product
from storefront.clock import in_shop_zone, today
from storefront.database import get_session, write
from storefront.language import N_, _
from storefront.lead_times.kept import promise_of
from storefront.orders import STATES, Order, OrderLine, address
from storefront.orders import moves as order_moves
from storefront.orders.view import steps_of
from storefront.payments.timeline import LOOKS as PAYMENT_LOOKS
from storefront.transfer import sheet

# state: (mark, word); the words are msgids
LOOKS = {
    "awaiting_approval": ("approval", N_("Awaiting approval")),
    "awaiting_payment": ("half", N_("Awaiting payment")),
    "confirmed": ("ok", N_("Confirmed")),
    "in_production": ("made", N_("In production")),
    "shipped": ("full", N_("Shipped")),
    "delivered": ("full", N_("Delivered")),
    "closed": ("ok", N_("Closed")),
    "cancelled": ("none", N_("Cancelled")),
}
MOVING = tuple(state for state in STATES if state not in ("closed", "cancelled"))
TO_MAKE = ("confirmed", "in_production")
EXPORTED = 20_000  # rows of one CSV; a longer list is narrowed by date first


@dataclass(frozen=True)
class Step:
    """One button: what it does, from which states, and whether a reason is needed."""

    name: str
    word: str
    to: str
    from_states: tuple[str, ...]
    style: str = ""
    needs_reason: bool = False


STEPS = (
    Step("approve", N_("Approve"), "awaiting_payment", ("awaiting_approval",), "main"),
    Step("decline", N_("Decline"), "cancelled", ("awaiting_approval",), "danger", True),
    Step("paid", N_("Payment received"), "confirmed", ("awaiting_payment",), "main"),
    Step("produce", N_("Start production"), "in_production", ("confirmed",)),
    Step("ship", N_("Ship"), "shipped", ("confirmed", "in_production"), "main"),
    Step("deliver", N_("Mark delivered"), "delivered", ("shipped",), "main"),
    Step("close", N_("Close the order"), "closed", ("shipped", "delivered")),
    Step(
        "cancel",
        N_("Cancel the order"),
        "cancelled",
        ("awaiting_payment", "confirmed", "in_production"),
        "danger",
        True,
    ),
)


def steps_from(state: str) -> list[Step]:
    """The buttons of an order in that state."""
    return [step for step in STEPS if state in step.from_states and step.to in order_moves.ALLOWED[state]]


def _asked_orders() -> tuple[Select[Any], dict[str, str]]:
    """The orders the filters ask for, newest first, and the filters as they were understood."""
    text, state, since = asked("q"), asked("state", 32), asked("since", 10)
    query = (
        select(Order)
        .join(Company, Company.id == Order.company_id)
        .order_by(Order.placed_at.desc(), Order.id.desc())
    )
    if state in STATES:
        query = query.where(Order.state == state)
    elif state == "due":
        query = query.where(due())
    elif state != "all":
        query, state = query.where(Order.state.in_(MOVING)), ""
    try:
        query = query.where(Order.on >= date.fromisoformat(since)) if since else query
    except ValueError:
        since = ""
    if text:
        has_sku = exists().where(OrderLine.order_id == Order.id, OrderLine.sku == text)
        columns = (Order.number, Order.purchase_order_number, Company.code, Company.name, Company.name_kana)
        query = query.where(or_(contains(text, *columns), has_sku))
    return query, {"q": text, "state": state, "since": since}


@bp.get("/orders")
@staff
def orders() -> str:
    """The list of orders."""
    query, filters = _asked_orders()
    loaded = query.options(joinedload(Order.company), selectinload(Order.surcharges))
    page = page_of(get_session(), loaded, 25)
    states = [
        ("", _("Orders in progress")),
        *((state, _(LOOKS[state][1])) for state in STATES),
        ("due", _("Promised by today")),
        ("all", _("All")),
    ]
    total = sum(order.total_minor for order in page.items)
    return render_template(
        "admin/orders.html",
        page=page,
        filters=filters,
        states=states,
        looks=LOOKS,
        total=total,
        channels=channels(),
        on=today(),
        to_make=TO_MAKE,
    )


def due() -> ColumnElement[bool]:
    """Orders that should be ready by now: promised for today or earlier, and not shipped yet."""
    return (Order.promised_on <= today()) & Order.state.in_(TO_MAKE)


def channels() -> dict[str, str]:
    """How an order came in, in words."""
    return {
        "web": "Web",
        "api": "API",
        "phone": _("By phone"),
        "fax": "FAX",
        "staff": _("Staff"),
        "reorder": _("Reorder"),
        "csv": "CSV",
        "quotation": _("Quotation"),
    }


@bp.get("/orders.csv")
@staff
def orders_csv() -> Response:
    """The same list as CSV, cells harmless for spreadsheets."""
    query, _filters = _asked_orders()
    found = get_session().scalars(query.options(joinedload(Order.company)).limit(EXPORTED))
    header = (
        "number", "placed_at", "state", "company", "company_name", "channel", "goods", "surcharges", "discounts",
        "shipping", "payment_fee", "tax", "total", "currency", "payment", "purchase_order_number", "ruleset",
        "lead_time", "promised_on",
    )  # fmt: skip
    encoding = "cp932" if asked("encoding", 8) == "cp932" else "utf-8"
    try:
        data = sheet.write(header, (_csv_row(order) for order in found), encoding)
    except sheet.UncodableError:
        data = sheet.write(
            header, (_csv_row(order) for order in get_session().scalars(query.limit(EXPORTED)))
        )
    name = f"orders-{today().isoformat()}.csv"
    return Response(
        data, mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
    )


def _csv_row(order: Order) -> list[str]:
    amounts = (
        order.goods_minor,
        order.surcharges_minor,
        order.subtotal_minor - order.goods_minor - order.surcharges_minor,
        order.shipping_minor,
        order.payment_fee_minor,
        order.tax_minor,
        order.total_minor,
    )
    return [
        order.number,
        in_shop_zone(order.placed_at).isoformat(timespec="minutes"),
        order.state,
        order.company.code,
        order.company.name,
        order.channel,
        *(amount_text(amount, order.currency) for amount in amounts),
        order.currency,
        order.payment_code or "",
        order.purchase_order_number,
        order.ruleset_hash,
        order.lead_time["tier"] if order.lead_time else "",
        order.promised_on.isoformat() if order.promised_on else "",
    ]


def _order(number: str) -> Order:
    query = select(Order).where(Order.number == number).options(
        joinedload(Order.company), joinedload(Order.user), selectinload(Order.lines), selectinload(Order.surcharges),
        selectinload(Order.taxes), selectinload(Order.moves),
    )  # fmt: skip
    found = get_session().scalars(query).unique().one_or_none()
    if found is None:
        abort(404)
    return found


@dataclass(frozen=True)
class Margin:
    """What is left of the goods after today's cost; `unknown` lines have no cost and are not in it."""

    lines: dict[int, int]
    total_minor: int
    percent: Decimal | None
    unknown: int


def margin_of(order: Order) -> Margin:
    """Line amounts less discounts and pieces times today's cost; surcharges and shipping do not count."""
    ids = [line.product_id for line in order.lines if line.product_id is not None]
    found = get_session().execute(select(Product.id, Product.cost).where(Product.id.in_(ids))) if ids else ()
    costs = {product_id: cost for product_id, cost in found if cost is not None}
    lines, amount = {}, 0
    for line in order.lines:
        if line.product_id in costs:
            lines[line.id] = line.amount_minor - to_minor(
                costs[line.product_id] * line.quantity, order.currency
            )
            amount += line.amount_minor
    off = sum(min(charge.amount_minor, 0) for charge in order.surcharges) if lines else 0
    total, amount = sum(lines.values()) + off, amount + off
    percent = (Decimal(total) / amount).quantize(Decimal("0.001")) if amount else None
    return Margin(lines, total, percent, len(order.lines) - len(lines))


@bp.get("/orders/<number>")
@staff
def order(number: str) -> str:
    """One order: lines with codes and steps, why it waits, margin, moves."""
    found = _order(number)
    return _page(found)


def _notes(order: Order) -> list[audit.AuditEntry]:
    """What staff noted when they moved the order; kept with the changes, never with what the buyer reads."""
    query = select(audit.AuditEntry).where(audit.AuditEntry.subject == f"order:{order.number}")
    found = get_session().scalars(query.order_by(audit.AuditEntry.id))
    return [entry for entry in found if (entry.after or {}).get("note")]


def _page(found: Order, reason: str = "", error: str = "", note: str = "") -> str:
    shown = shown_payments(found)
    may_be_paid = not shown or any("capture" in each.may for each in shown)
    return render_template(
        "admin/order.html",
        order=found,
        margin=margin_of(found),
        payment=payments.payment_of(get_session(), found.id),
        steps=[step for step in steps_from(found.state) if step.name != "paid" or may_be_paid],
        looks=LOOKS,
        channels=channels(),
        told=[(line, steps_of(line, found.currency)) for line in found.lines],
        rule_link=lambda code: url_for("admin.rule", code=code),
        reason=reason,
        error=error,
        note=note,
        notes=_notes(found),
        promise=promise_of(found),
        payments=shown,
        may_correct=address.may_correct(found),
        corrections=address.corrections_of(get_session(), found.id),
    )


@bp.post("/orders/<number>/move")
@staff
def order_move(number: str) -> Redirect | str | tuple[str, int]:
    """Press one of the buttons. A page that is out of date moves nothing and says where the order stands."""
    found = _order(number)
    step = next((step for step in STEPS if step.name == request.form.get("do")), None)
    if step is None:
        abort(400)
    reason = request.form.get("reason", "").replace("\0", "").strip()[:1000]
    note = request.form.get("note", "").replace("\0", "").strip()[:1000]
    if found.state not in step.from_states:
        _moved_on(number, found.state)
        return redirect(url_for("admin.order", number=number))
    if step.needs_reason and not reason:
        sentence = _("Write the reason; the customer may ask, and it is kept with the order.")
        return _page(found, reason, sentence, note), 422
    moved = _take(step, found, reason, note)
    _tell(step, found, moved)
    return redirect(_back(number))


def _back(number: str) -> str:
    """To the list of things to do when the button was there, else to the order."""
    is_today = request.form.get("back") == "today"
    return url_for("admin.today") if is_today else url_for("admin.order", number=number)


def _take(step: Step, order: Order, reason: str, note: str = "") -> Any:
    """Do what the button says; the answer of the move, or the state of the payment. The note is for staff alone."""
    actor = current_person()
    who = actor.email if actor is not None else "system"
    if step.name == "approve":
        done: Any = order_moves.approve(order.id, who, reason)
    elif step.name == "paid" and payments.payment_of(get_session(), order.id) is not None:
        done = payments.mark_paid(order.id, who)
    elif step.name == "ship":
        with write() as session:
            done = shipments.send_off(session, order.id, who, reason)
    else:
        with write() as session:
            done = order_moves.move(session, order.id, step.to, who, reason)
    if not isinstance(done, order_moves.NotMoved):
        with write() as session:
            after = {"do": step.name, "reason": reason} | ({"note": note} if note else {})
            audit.record(session, actor, step.name, f"order:{order.number}", {"state": order.state}, after)
    return done


def _tell(step: Step, order: Order, moved: Any) -> None:
    """Say what happened, in particular when nothing did."""
    if isinstance(moved, order_moves.NotMoved) and moved.skus:
        skus = ", ".join(moved.skus)
        sentence = _(
            "Not shipped: fewer pieces of %(skus)s are on hand than the order needs. Count the stock.",
            skus=skus,
        )
        flash(sentence, "block")
    elif isinstance(moved, order_moves.NotMoved):
        _moved_on(order.number, moved.state)
    elif step.name == "paid" and isinstance(moved, str) and moved != "captured":
        sentence = _("The plugin does not confirm the payment of %(number)s.", number=order.number)
        word = _(PAYMENT_LOOKS[moved][1]) if moved in PAYMENT_LOOKS else moved
        flash(f"{sentence} ({word})", "warn")
    else:
        flash(_("%(number)s: %(step)s. Done.", number=order.number, step=_(step.word)), "ok")


def _moved_on(number: str, state: str) -> None:
    """The page was out of date."""
    word = _(LOOKS[state][1])
    flash(_("%(number)s has moved on in the meantime: %(state)s.", number=number, state=word), "warn")


def waiting(states: Iterable[str], limit: int = 5) -> list[Order]:
    """The oldest orders in these states, with what a card shows of them."""
    query = (
        select(Order)
        .where(Order.state.in_(tuple(states)))
        .order_by(Order.placed_at, Order.id)
        .limit(limit)
        .options(joinedload(Order.company), selectinload(Order.lines), selectinload(Order.surcharges))
    )
    return list(get_session().scalars(query))
