"""An order's rows as pages and mails print them: state words, lines with steps, sums, the track, how to pay.

Everything comes from what was stored with the order; nothing is priced again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from storefront import format
from storefront.checkout.view import SumRow, tax_rows
from storefront.explained import StepRow
from storefront.language import N_, _, language
from storefront.orders.models import Order, OrderLine

# state: its word, and the shape beside it
STATE_WORDS = {
    "awaiting_approval": (N_("Waiting for our confirmation"), "approval"),
    "awaiting_payment": (N_("Waiting for payment"), "half"),
    "confirmed": (N_("Confirmed"), "ok"),
    "in_production": (N_("In production"), "made"),
    "shipped": (N_("Shipped"), "full"),
    "delivered": (N_("Delivered"), "full"),
    "closed": (N_("Closed"), "full"),
    "cancelled": (N_("Cancelled"), "none"),
}
COMING = {"shipped": N_("Shipment"), "delivered": N_("Arrival")}
INSTRUCTION_WORDS = {
    "bank": N_("Bank"),
    "branch": N_("Branch"),
    "account_type": N_("Account type"),
    "account": N_("Account number"),
    "holder": N_("Account holder"),
    "reference": N_("Reference to write"),
    "pay_by": N_("Pay by"),
    "closing_on": N_("Closing day"),
    "due_on": N_("Payment due"),
    "konbini_until": N_("Pay at a store by"),
    "konbini_familymart": N_("FamilyMart"),
    "konbini_lawson": N_("Lawson"),
    "konbini_ministop": N_("Ministop"),
    "konbini_seicomart": N_("Seicomart"),
    "voucher": N_("Guide"),
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    line: OrderLine
    steps: list[StepRow]


def line_rows(order: Order) -> list[ShownLine]:
    """The lines with their stored steps in the reader's language."""
    return [ShownLine(line, steps_of(line, order.currency)) for line in order.lines]


def steps_of(line: OrderLine, currency: str) -> list[StepRow]:
    """How a line's amount came about, from what was stored with the order."""
    rows = []
    for step in (line.steps or {}).get(language(), []):
        operation = ""
        if "factor" in step:
            operation = f"× {format.number(Decimal(step['factor']))}"
        elif "percent" in step:
            operation = f"{format.MINUS}{format.number(Decimal(step['percent']))}%"
        elif step.get("difference", "0") != "0":
            change = Decimal(step["difference"])
            operation = f"{format.MINUS if change < 0 else '+'} {format.price(abs(change), currency)}"
        shown = format.unit_price(Decimal(step["unit_price"]), step.get("per", 1), line.unit, currency)
        rows.append(StepRow(step["what"], shown, operation, step.get("code"), step.get("reason", "")))
    amount = format.money(line.amount_minor, currency)
    what = _("For %(quantity)s", quantity=format.quantity(line.quantity, line.unit))
    rows.append(StepRow(what, amount, kind="sum"))
    return rows


def sum_rows(order: Order) -> list[SumRow]:
    """From the subtotal to the total, as they were confirmed."""
    rows = [SumRow(_("Subtotal (excl. tax)"), format.money(order.subtotal_minor, order.currency))]
    if order.shipping_code:
        rows.append(
            SumRow(_("Shipping"), format.money(order.shipping_minor, order.currency), order.shipping_by)
        )
    if order.payment_fee_minor:
        rows.append(SumRow(_("Payment fee"), format.money(order.payment_fee_minor, order.currency)))
    rows += tax_rows((each.category, each.rate, each.base_minor, each.amount_minor) for each in order.taxes)
    rows.append(SumRow(_("Total (incl. tax)"), format.money(order.total_minor, order.currency), kind="sum"))
    return rows


@dataclass(frozen=True, slots=True)
class TrackStep:
    word: str
    icon: str
    is_done: bool
    at: Any = None
    note: str = ""


def track(order: Order) -> list[TrackStep]:
    """Where the order stands: what happened, with its time, and what comes next."""
    when = {move.to_state: move for move in order.moves}
    done = [
        TrackStep(_(STATE_WORDS[move.to_state][0]), STATE_WORDS[move.to_state][1], True, move.at)
        for move in order.moves[1:]
    ]
    first = order.moves[0] if order.moves else None
    steps = [TrackStep(_("Order received"), "ok", True, first.at if first else order.placed_at), *done]
    if order.state == "cancelled":
        return steps
    if order.state in ("awaiting_approval", "awaiting_payment"):
        word, icon = STATE_WORDS[order.state]
        if not done:
            steps.append(TrackStep(_(word), icon, False))
    coming = [each for each in ("shipped", "delivered") if each not in when and order.state != "closed"]
    for each in coming:
        note = _planned(order) if each == "delivered" and "confirmed" in when else ""
        if each == "shipped" and order.promised_on is not None:
            note = _("ready on %(day)s", day=format.day_text(order.promised_on))
        steps.append(TrackStep(_(COMING[each]), "none", False, note=note))
    return steps


def _planned(order: Order) -> str:
    if not order.arrives:
        return ""
    first, last = (format.day_text(date.fromisoformat(each)) for each in order.arrives)
    about = (
        _("about %(day)s", day=first)
        if first == last
        else _("about %(first)s to %(last)s", first=first, last=last)
    )
    return f"{about} · {order.delivery_slot}" if order.delivery_slot else about


def instruction_rows(payment: Any) -> list[tuple[str, str]]:
    """What the buyer needs to pay, each with its word; dates with their weekday."""
    rows: list[tuple[str, str]] = []
    given = (payment.instructions or {}) if payment is not None else {}
    if "voucher" in given and payment.state != "pending":
        return rows  # codes that were good for one payment, which is over
    for key, value in given.items():
        shown = value
        if key in ("pay_by", "due_on", "closing_on", "konbini_until"):
            try:
                shown = format.day_text(date.fromisoformat(value), year=True)
            except ValueError:
                shown = value
        rows.append((_(INSTRUCTION_WORDS[key]) if key in INSTRUCTION_WORDS else key, shown))
    return rows
