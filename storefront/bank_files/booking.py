"""Transfers kept once, matched with open payments, and booked. Booking is one transaction; capturing follows it.

A process that dies in between leaves a job that captures: nothing is booked twice, and nothing booked stays unpaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from plugins.contract import Money, Result
from storefront import jobs, payments
from storefront.accounts.models import Company
from storefront.bank_files.kana import comparable
from storefront.bank_files.matching import Match, OpenItem, match
from storefront.bank_files.models import BankName, BankReceipt
from storefront.bank_files.receipts import Receipt, keys_of
from storefront.clock import now
from storefront.database import get_session, locked, write
from storefront.orders.models import Order
from storefront.payments.models import ENDED, Payment

PROVIDERS = ("bank_transfer", "net_terms")
UNPAID = ("requires_action", "pending", "authorized")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open transfer with what it would pay; without `match.how` a person chooses among the candidates."""

    receipt: BankReceipt
    match: Match


def keep_receipts(session: Session, receipts: Sequence[Receipt]) -> int:
    """Store those that are not known yet; how many were new."""
    by_key = dict(zip(keys_of(tuple(receipts)), receipts, strict=True))
    known = set(session.scalars(select(BankReceipt.key).where(BankReceipt.key.in_(by_key))))
    for key, one in by_key.items():
        if key not in known:
            session.add(
                BankReceipt(
                    key=key, on=one.on, amount_minor=one.amount_minor, payer=one.payer[:200],
                    payer_code=one.payer_code[:40], edi=one.edi[:200], created_at=now(),
                )
            )  # fmt: skip
    return len(by_key) - len(known)


def open_items(session: Session, payment_ids: Iterable[int] | None = None) -> list[OpenItem]:
    """What is owed by transfer or on account: three queries, whatever their number."""
    query = (
        select(Payment.id, Payment.amount_minor, Payment.created_at, Order.number,
               Company.id.label("company"), Company.name, Company.name_kana)
        .join(Order, Order.id == Payment.order_id)
        .join(Company, Company.id == Order.company_id)
        .where(Payment.provider.in_(PROVIDERS), Payment.state.in_(UNPAID), Order.state != "cancelled")
        .order_by(Payment.id)
    )  # fmt: skip
    if payment_ids is not None:
        query = query.where(Payment.id.in_(list(payment_ids)))
    found = session.execute(query).all()
    booked = _booked_since(session, min((row.created_at for row in found), default=None))
    names: dict[int, list[str]] = {}
    codes: dict[int, list[str]] = {}
    for learnt in session.scalars(select(BankName)):
        names.setdefault(learnt.company_id, []).append(learnt.name)
        codes.setdefault(learnt.company_id, []).append(learnt.code)
    return [
        OpenItem(
            row.id,
            row.number,
            row.company,
            (row.name, row.name_kana or "", *names.get(row.company, ())),
            row.amount_minor,
            tuple(code for code in codes.get(row.company, ()) if code),
        )
        for row in found
        if row.id not in booked
    ]


def _booked_since(session: Session, moment: datetime | None) -> set[int]:
    """The payments that a transfer pays already: one that is booked may still be about to be captured."""
    if moment is None:
        return set()
    paid = select(BankReceipt.payments).where(BankReceipt.state == "booked", BankReceipt.decided_at >= moment)
    return {payment for each in session.scalars(paid) for payment in each}


def proposals(session: Session) -> list[Proposal]:
    """Every open transfer, oldest first, with what it would pay."""
    rows = list(
        session.scalars(
            select(BankReceipt).where(BankReceipt.state == "open").order_by(BankReceipt.on, BankReceipt.id)
        )
    )
    receipts = [Receipt(row.on, row.amount_minor, row.payer, row.payer_code, row.edi) for row in rows]
    found = match(receipts, open_items(session)) if rows else []
    return [Proposal(row, one) for row, one in zip(rows, found, strict=True)]


def book_certain(expected: Sequence[int], actor: str) -> int:
    """Book the transfers named, as far as they are still certain; how many were booked."""
    with write() as session:
        open_now = _hold_open(session)
        sure = [
            one
            for one in proposals(session)
            if one.match.how and one.receipt.id in open_now and one.receipt.id in set(expected)
        ]
        for one in sure:
            ids = [item.payment_id for item in one.match.items]
            _book(session, one.receipt, ids, str(one.match.how), one.match.missing, actor)
        done = [one.receipt.id for one in sure]
    capture_all(done)
    return len(done)


def book_by_hand(receipt_id: int, payment_ids: Sequence[int], actor: str) -> bool:
    """A person said what a transfer pays; the payer's name is learnt. False when it is booked or paid already."""
    with write() as session:
        row = _hold_open(session).get(receipt_id)
        items = open_items(session, payment_ids)
        if row is None or not payment_ids or len(items) != len(set(payment_ids)):
            return False
        owed = sum(item.amount_minor for item in items)
        _book(session, row, [item.payment_id for item in items], "person", owed - row.amount_minor, actor)
        if len({item.company_id for item in items}) == 1:
            _learn(session, items[0].company_id, row)
    capture_all([receipt_id])
    return True


def _hold_open(session: Session) -> dict[int, BankReceipt]:
    """Every open transfer, locked: two that book at once must not book one payment twice."""
    rows = session.scalars(
        locked(select(BankReceipt).where(BankReceipt.state == "open").order_by(BankReceipt.id))
    )
    return {row.id: row for row in rows}


def set_aside(receipt_id: int, reason: str, actor: str) -> bool:
    """The transfer pays no order of this shop; False when it is decided already."""
    with write() as session:
        row = session.scalars(locked(select(BankReceipt).where(BankReceipt.id == receipt_id))).one_or_none()
        if row is None or row.state != "open":
            return False
        row.state, row.reason, row.decided_by, row.decided_at = "set_aside", reason[:200], actor, now()
        return True


def _book(
    session: Session, row: BankReceipt, payment_ids: list[int], how: str, missing: int, actor: str
) -> None:
    row.state, row.how, row.payments, row.missing_minor = "booked", how, payment_ids, missing
    row.decided_by, row.decided_at = actor, now()
    jobs.enqueue(session, "bank.capture", {"receipt_id": row.id})


def _learn(session: Session, company_id: int, row: BankReceipt) -> None:
    name = comparable(row.payer)
    known = session.scalar(
        select(BankName.id).where(
            BankName.company_id == company_id, BankName.name == name, BankName.code == row.payer_code
        )
    )
    if known is None and (name or row.payer_code):
        session.add(BankName(company_id=company_id, name=name, code=row.payer_code))


def capture_all(receipt_ids: Iterable[int]) -> None:
    """Tell the payments of booked transfers that the money is there; may be called again."""
    for receipt_id in receipt_ids:
        row = get_session().get(BankReceipt, receipt_id, populate_existing=True)
        if row is None or row.state != "booked":
            continue
        for payment_id in row.payments:
            if payments.capture(payment_id, row.decided_by) in ENDED:
                _review(payment_id, row.decided_by)


def _review(payment_id: int, actor: str) -> None:
    """The order was cancelled between booking and capturing: its money waits for the owner's decision."""
    with write() as session:
        payment = session.get_one(Payment, payment_id)
        amount = Money(payment.amount_minor, payment.currency)
        here = Result("captured", payment.provider_ref, amount, payment.attempt_key)
        payments.apply(session, payment_id, here, actor=actor)


@jobs.handles("bank.capture")
def capture_later(job: jobs.Job) -> None:
    """What a process that died after booking left undone."""
    capture_all([int(job.payload["receipt_id"])])
