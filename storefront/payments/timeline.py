"""What happened to the payments of an order, in one line each: moves, messages of providers, refunds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.money import CURRENCIES
from storefront import format
from storefront.language import N_, _, text
from storefront.payments.models import Capture, Payment, PaymentMove, Refund, WebhookEvent

# state: its mark and its word
LOOKS = {
    "created": ("none", N_("not begun")),
    "requires_action": ("half", N_("waiting for the customer")),
    "pending": ("half", N_("waiting for the money")),
    "authorized": ("ok", N_("promised")),
    "captured": ("full", N_("paid")),
    "partially_refunded": ("full", N_("partly paid back")),
    "refunded": ("none", N_("paid back")),
    "disputed": ("warn", N_("disputed")),
    "review": ("warn", N_("in review")),
    "failed": ("block", N_("failed")),
    "canceled": ("none", N_("given up")),
}
REFUND_WORDS = {
    "requested": ("half", N_("Refund of %(amount)s: outcome not known yet")),
    "done": ("ok", N_("Refund of %(amount)s")),
    "failed": ("block", N_("Refund of %(amount)s failed")),
}
CAPTURE_WORDS = {
    "requested": ("half", N_("To be taken: %(amount)s, outcome not known yet")),
    "done": ("ok", N_("Taken: %(amount)s")),
    "failed": ("block", N_("Not taken: %(amount)s")),
}
CODES = {
    "by_hand": N_("paid back by hand"),
    "mismatch": N_("the provider answered another amount"),
    "settled": N_("looked up and settled"),
    "came_back": N_("it was done, and the money came back"),
    "unknown": N_("no answer yet"),
    "pending": N_("the provider is at it"),
    "review": N_("the provider answered another amount"),
}
_ANOTHER_AMOUNT = re.compile(r"(\S+) answered (\d{1,16}) ([A-Z]{3}), asked (\d{1,16}) ([A-Z]{3})", re.A)
_ANOTHER_REFERENCE = re.compile(r"(\S+) answered with another reference")
_REFUNDED = re.compile(r"\d+:refund:\d+ \d+", re.A)  # told by the refund's own line
_AFTER_THE_END = re.compile(r"(\S+) says (\w+) after the payment had ended \((\w+)\)")


@dataclass(frozen=True, slots=True)
class Happened:
    at: datetime
    mark: str
    word: str
    who: str
    note: str = ""


def payments_of(session: Session, order_id: int) -> Sequence[Payment]:
    """Every attempt to pay an order, oldest first."""
    return session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)).all()


def timeline(session: Session, payment: Payment) -> list[Happened]:
    """What happened to one payment, oldest first."""
    moves = session.scalars(select(PaymentMove).where(PaymentMove.payment_id == payment.id))
    told = session.scalars(select(WebhookEvent).where(WebhookEvent.payment_id == payment.id))
    back = session.scalars(select(Refund).where(Refund.payment_id == payment.id))
    asked = session.scalars(select(Capture).where(Capture.payment_id == payment.id))
    rows = [Happened(payment.created_at, "none", _("Begun"), payment.provider)]
    rows += [_moved(each) for each in moves.all()]
    rows += [_told(each) for each in told.all()]
    rows += [_capture(each, payment) for each in asked.all() if _is_worth_telling(each, payment)]
    rows += [_refund(each, payment.currency) for each in back.all()]
    return sorted(rows, key=lambda row: row.at)


def _moved(move: PaymentMove) -> Happened:
    mark, word = LOOKS.get(move.to_state, ("warn", move.to_state))
    if move.to_state == move.from_state:
        return Happened(move.at, "warn", _("An answer that was not taken"), move.actor, in_words(move.note))
    return Happened(move.at, mark, _(word), move.actor, in_words(move.note))


def in_words(note: str) -> str:
    """What transition.py notes of an answer that does not fit, in the reader's language; other notes as they are."""
    if (found := _ANOTHER_AMOUNT.fullmatch(note)) and {found[3], found[5]} <= CURRENCIES.keys():
        got, asked = (format.money(int(found[n]), found[n + 1]) for n in (2, 4))
        return _("%(name)s answered %(got)s, asked was %(asked)s", name=found[1], got=got, asked=asked)
    if found := _ANOTHER_REFERENCE.fullmatch(note):
        return _("%(name)s answered with another reference", name=found[1])
    if found := _AFTER_THE_END.fullmatch(note):
        said, ended = (_(LOOKS[found[n]][1]) if found[n] in LOOKS else found[n] for n in (2, 3))
        return _(
            "%(name)s says %(said)s after the payment had ended (%(ended)s)",
            name=found[1],
            said=said,
            ended=ended,
        )
    return "" if _REFUNDED.fullmatch(note) else note


def _told(event: WebhookEvent) -> Happened:
    return Happened(
        event.received_at, "ok", _("Message of the provider"), event.provider, event.kind or event.event_id
    )


def _is_worth_telling(capture: Capture, payment: Payment) -> bool:
    """All of it, at once: the move to paid says that already."""
    return capture.state != "done" or capture.amount_minor != payment.amount_minor or bool(capture.reason)


def _capture(capture: Capture, payment: Payment) -> Happened:
    mark, word = CAPTURE_WORDS[capture.state]
    amount = format.money(capture.amount_minor, payment.currency)
    code = _(CODES[capture.code]) if capture.code in CODES else capture.code or ""
    note = ", ".join(each for each in (capture.reason, code) if each)
    return Happened(capture.done_at or capture.at, mark, _(word, amount=amount), capture.actor, note)


def _refund(refund: Refund, currency: str) -> Happened:
    mark, word = REFUND_WORDS[refund.state]
    amount = format.money(refund.amount_minor, currency)
    code = _(CODES[refund.code]) if refund.code in CODES else refund.code or ""
    why = [refund.reason, text(refund.message) if refund.message else "", code]
    note = ", ".join(each for each in why if each)
    return Happened(refund.done_at or refund.at, mark, _(word, amount=amount), refund.actor, note)
