"""Payments at the desk: what waits for a person, and of an order what happened to its money and what can be done.

Whoever works here may look and ask the provider; what moves money is the owner's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from plugins.contract import Capability
from rules.money import amount_text, to_minor, unit
from storefront import audit, format
from storefront import payments as paying
from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp
from storefront.database import get_session, write
from storefront.language import _, text
from storefront.orders import Order
from storefront.orders.view import instruction_rows
from storefront.payments import captures, refunds, review, work
from storefront.payments.models import OPEN, WAITING, Capture, Payment, Refund, WebhookEvent
from storefront.payments.timeline import LOOKS, Happened, payments_of, timeline
from storefront.shop import current_shop

SHOWN = 100
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,4})?")


@dataclass(frozen=True, slots=True)
class ShownPayment:
    """One attempt with its history, and which buttons it has; `gone` says why there are none of the plugin's."""

    payment: Payment
    label: str
    look: tuple[str, str]
    happened: Sequence[Happened]
    left_minor: int
    may: frozenset[str]
    is_gone: bool
    cannot_refund: str
    under_way: Capture | None = None  # money is being taken, and nobody knows yet what came of it
    may_take_part: bool = False
    released_minor: int = 0
    odd: Sequence[Refund] = ()  # refunds of which the provider says another amount
    whole: str = ""  # the amount as it would be typed
    instructions: Sequence[tuple[str, str]] = ()
    is_offline: bool = False  # no provider holds the money: the owner sees it arrive


def shown_payments(order: Order) -> list[ShownPayment]:
    """The attempts to pay an order, the newest first."""
    return [_shown(payment, order) for payment in reversed(payments_of(get_session(), order.id))]


def _shown(payment: Payment, order: Order) -> ShownPayment:
    session, plugins = get_session(), current_shop().plugins
    is_gone = payment.provider not in plugins.payments
    left = refunds.left_minor(session, payment) if payment.state in refunds.REFUNDABLE else 0
    cannot = refunds.unable(payment) if left else None
    return ShownPayment(
        payment,
        label_of(payment, order),
        LOOKS.get(payment.state, ("warn", payment.state)),
        timeline(session, payment),
        left,
        frozenset(_may(payment, is_gone, left)),
        is_gone,
        _(refunds.WHY[cannot]) if cannot else "",
        captures.under_way(session, payment.id) if payment.state in OPEN else None,
        captures.may_take_part(payment),
        captures.released_minor(session, payment),
        refunds.odd(session, payment.id),
        amount_text(payment.amount_minor, payment.currency),
        instruction_rows(payment),
        plugins.can(payment.provider, Capability.OFFLINE),
    )


def label_of(payment: Payment, order: Order) -> str:
    """What the way of paying is called; of a plugin that is gone what the order kept, else its name."""
    provider = current_shop().plugins.payments.get(payment.provider)
    if provider is not None:
        return text(provider.label)
    kept = text(order.payment_label) if payment.provider == order.payment_code else ""
    return kept or payment.provider


def _may(payment: Payment, is_gone: bool, left: int) -> list[str]:
    can, name = current_shop().plugins.can, payment.provider
    is_promised = payment.state in ("authorized", "pending")
    is_due = payment.state == "authorized" or (payment.state == "pending" and can(name, Capability.OFFLINE))
    return [
        button
        for button, shows in {
            "ask": payment.state in WAITING and _may_be_asked(name),
            "capture": (is_due and can(name, Capability.CAPTURE)) or (is_gone and is_promised),
            "void": payment.state in OPEN - {"created"} and can(name, Capability.VOID),
            "refund": left > 0,
            "resolve": payment.state == "review",
        }.items()
        if shows
    ]


def _may_be_asked(provider: str) -> bool:
    """Nobody but the owner's bank knows of a payment that is offline."""
    plugins = current_shop().plugins
    return provider in plugins.payments and not plugins.can(provider, Capability.OFFLINE)


@bp.get("/payments")
@staff
def payments() -> str:
    """What waits for a person: payments in review, refunds without an outcome or failed, messages nobody knows."""
    session = get_session()
    with_order = select(Payment, Order).join(Order, Order.id == Payment.order_id)
    back = (
        select(Refund, Payment, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(or_(Refund.state == "requested", (Refund.state == "failed") & ~refunds.was_made_good()))
    )
    unknown = select(WebhookEvent).where(WebhookEvent.state == "unknown")
    opened = with_order.where(Payment.state.in_(WAITING))
    return render_template(
        "admin/payments.html",
        looks=LOOKS,
        label=label_of,
        review=session.execute(
            with_order.where(Payment.state.in_(("review", "disputed"))).order_by(Payment.id).limit(SHOWN)
        ).all(),
        back=session.execute(back.order_by(Refund.id.desc()).limit(SHOWN)).all(),
        open=session.execute(opened.order_by(Payment.id.desc()).limit(SHOWN)).all(),
        unknown=session.scalars(unknown.order_by(WebhookEvent.id.desc()).limit(SHOWN)).all(),
        may_be_asked=_may_be_asked,
    )


@bp.post("/payments/<int:payment_id>/ask")
@staff
def payment_ask(payment_id: int) -> ResponseReturnValue:
    """Ask the provider now what became of a payment."""
    payment, order = _found(payment_id)
    state = paying.ask(payment.id)
    if state is None:
        flash(_("%(name)s gives no answer just now. Nothing changed.", name=_name(order)), "warn")
    else:
        flash(_("%(name)s says: %(state)s.", name=_name(order), state=_(LOOKS[state][1])), "ok")
    return redirect(_back(order), 303)


@bp.post("/payments/<int:payment_id>/do")
@owner
def payment_do(payment_id: int) -> ResponseReturnValue:
    """Take the money or a part of it, give a payment up, pay back, or end a review."""
    payment, order = _found(payment_id)
    button = request.form.get("do", "")
    reason = request.form.get("reason", "").replace("\0", "").strip()[:500]
    may = _shown(payment, order).may
    allowed = may | {"paid", "unpaid"} if "resolve" in may else may
    if button not in allowed or button in ("resolve", "ask"):
        flash(_("The payment has moved on in the meantime. Look at it again."), "warn")
    elif button != "capture" and not reason:
        flash(_("Write the reason; it is kept with the payment."), "block")
    else:
        _do(button, payment, order, reason)
    return redirect(_back(order), 303)


def _do(button: str, payment: Payment, order: Order, reason: str) -> None:
    actor = current_person()
    assert actor is not None
    before = {"state": payment.state}
    if button == "refund":
        said, after = _pay_back(payment, reason, actor.email)
    elif button in ("paid", "unpaid"):
        state = review.resolve(payment.id, is_paid=button == "paid", reason=reason, actor=actor.email)
        said, after = _said(state or payment.state, before["state"]), {"state": state}
    elif button == "capture":
        said, after = _take(payment, reason, actor.email)
    else:
        said, after = _void(payment, actor.email)
    if after:
        with write() as session:
            told = after | ({"reason": reason} if reason else {})
            audit.record(session, actor, f"payment_{button}", f"order:{order.number}", before, told)
    if said:
        flash(said, "ok" if after else "warn")


def _take(payment: Payment, reason: str, actor: str) -> tuple[str, dict[str, object]]:
    """All of it unless another amount was typed; less needs a reason, as the buyer reads that there was one."""
    typed, was = request.form.get("amount"), payment.state
    amount = payment.amount_minor if typed is None else minor_of(typed, payment.currency)
    if amount is None:
        return _("Write the amount as a number, such as %(example)s.", example="1200"), {}
    if amount != payment.amount_minor and not reason:
        return _("Write the reason; it is kept with the payment."), {}
    answer = captures.take(payment.id, amount, reason, actor)
    if isinstance(answer, captures.NotTaken):
        return _(captures.WHY[answer.code]), {}
    after: dict[str, object] = {"amount": amount, "state": answer.payment_state}
    if answer.state == "requested":
        return _("What came of it is not known yet; it is asked about until it is."), after
    if answer.state == "failed":
        flash(_("The money was not taken. See why below."), "block")
    if answer.state == "done" and amount < payment.amount_minor:
        taken, rest = (
            format.money(each, payment.currency) for each in (amount, payment.amount_minor - amount)
        )
        return _("%(taken)s taken, %(rest)s let go.", taken=taken, rest=rest), after
    return _said(answer.payment_state, was), after


def _void(payment: Payment, actor: str) -> tuple[str, dict[str, object]]:
    was = payment.state
    try:
        state = work.void_one(payment.id, actor)
    except RuntimeError:
        return _("The provider gives no answer just now. Nothing changed."), {}
    return _said(state, was), {"state": state}


def _said(state: str, before: str) -> str:
    if state == before:
        return _("The payment stays as it was: %(state)s.", state=_(LOOKS[state][1]))
    return _("The payment is now: %(state)s.", state=_(LOOKS[state][1]))


def _pay_back(payment: Payment, reason: str, actor: str) -> tuple[str, dict[str, object]]:
    amount = minor_of(request.form.get("amount", ""), payment.currency)
    if amount is None:
        return _("Write the amount as a number, such as %(example)s.", example="1200"), {}
    by_hand = request.form.get("by_hand") == "1"
    answer = refunds.refund(payment.id, amount, reason, actor, by_hand=by_hand)
    shown = format.money(amount, payment.currency)
    if isinstance(answer, refunds.NotRefunded):
        left = _("Left: %(left)s.", left=format.money(answer.left_minor, payment.currency))
        return f"{_(refunds.WHY[answer.code])} {left}", {}
    after: dict[str, object] = {"refund": amount, "state": answer.state}
    if answer.state == "failed":
        flash(_("The refund of %(amount)s failed. See why below.", amount=shown), "block")
        return "", after
    if answer.state == "requested":
        return _("The outcome of the refund is not known yet; it is asked about until it is."), after
    if by_hand:
        return _("Refund of %(amount)s: noted.", amount=shown), after
    return _("%(amount)s went back to the buyer.", amount=shown), after


@bp.post("/payments/refunds/<int:refund_id>/settle")
@owner
def refund_settle(refund_id: int) -> ResponseReturnValue:
    """End a refund that does not fit: as the provider says, or as the owner found out."""
    row = get_session().get(Refund, refund_id)
    if row is None:
        abort(404)
    payment, order = _found(row.payment_id)
    reason = request.form.get("reason", "").replace("\0", "").strip()[:300]
    said_so = request.form.get("do") == "accept"
    amount = row.answered_minor if said_so else minor_of(request.form.get("amount", ""), payment.currency)
    if not reason:
        flash(_("Write the reason; it is kept with the payment."), "block")
    elif amount is None:
        flash(_("Write the amount as a number, such as %(example)s.", example="1200"), "block")
    else:
        _settle(row, payment, order, amount, reason)
    return redirect(_back(order), 303)


def _settle(row: Refund, payment: Payment, order: Order, amount: int, reason: str) -> None:
    actor = current_person()
    assert actor is not None
    before = {"refund": row.amount_minor, "answered": row.answered_minor}
    answer = refunds.settle(row.id, amount, reason, actor.email)
    if isinstance(answer, refunds.NotRefunded):
        flash(_(refunds.WHY[answer.code]), "warn")
        return
    with write() as session:
        told = {"refund": amount, "reason": reason}
        audit.record(session, actor, "payment_settle", f"order:{order.number}", before, told)
    shown = format.money(amount, payment.currency)
    flash(_("Settled: %(amount)s went back.", amount=shown), "ok")


def minor_of(typed: str, currency: str) -> int | None:
    """A typed amount in minor units; None for what is no exact amount of the currency."""
    plain = unicodedata.normalize("NFKC", typed).replace(",", "").replace("¥", "").strip()
    if not plain.isascii() or not _AMOUNT.fullmatch(plain):
        return None
    amount = Decimal(plain)
    return to_minor(amount, currency) if amount % unit(currency) == 0 else None


def _found(payment_id: int) -> tuple[Payment, Order]:
    payment = get_session().get(Payment, payment_id)
    if payment is None:
        abort(404)
    return payment, get_session().get_one(Order, payment.order_id)


def _name(order: Order) -> str:
    return text(order.payment_label) or order.payment_code or ""


def _back(order: Order) -> str:
    return url_for("admin.order", number=order.number, _anchor="payments")
