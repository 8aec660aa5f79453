"""One order and its payments, and everything that may happen to them: at the provider, in the shop, to the machine.

A process dies at a chosen point: everything in memory is dropped, what was committed stays, and the shop goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import bindparam, delete, event, func, select, update
from sqlalchemy.orm import Session

from plugins import guard
from plugins.contract import WebhookEvent as Told
from plugins.guard import Guard
from storefront import jobs, payments, stock
from storefront.clock import now
from storefront.database import ReadSession, UtcDateTime, write
from storefront.incidents import Incident
from storefront.jobs import Outbox, run_due
from storefront.orders.models import Order
from storefront.orders.moves import START_AGAIN_AFTER, UNPAID, cancel_unpaid, move, record
from storefront.payments import Payment, inbox
from storefront.payments.models import WebhookEvent
from storefront.payments.reconcile import look_after
from storefront.payments.refunds import refund
from storefront.payments.review import resolve
from storefront.payments.trying_again import try_again
from storefront.payments.work import void_one
from storefront.stock import Reservation, StockItem
from support.bank import OPEN, Bank
from support.ordering import placed
from support.paying import CART, newly
from support.shop import START

CALLS = ("start", "fetch", "capture", "void", "refund")
PIECES = 100
_numbers = count(1)
_IDS = select(Payment.id).where(Payment.order_id == bindparam("order")).order_by(Payment.id)
_ANEW = (
    *(delete(model) for model in (Outbox, WebhookEvent, Incident)),
    delete(Reservation).where(Reservation.order_id != bindparam("stranger")),
    update(Reservation).where(Reservation.expires_at.is_not(None)).values(expires_at=None),
    update(StockItem).where(StockItem.reserved > PIECES).values(reserved=PIECES),
    update(Payment).where(Payment.ask_at.is_not(None)).values(ask_at=None),
)
# When a job, a payment and a reservation are due next; None where there is none.
_DUE = select(
    select(func.min(func.coalesce(Outbox.leased_until, Outbox.available_at), type_=UtcDateTime))
    .where(Outbox.done_at.is_(None), Outbox.dead_at.is_(None))
    .scalar_subquery(),
    select(func.min(Payment.ask_at)).scalar_subquery(),
    select(func.min(Reservation.expires_at)).scalar_subquery(),
)


_enqueue = jobs.enqueue


def _without_mails(session: Session, kind: str, *rest: Any, **options: Any) -> str:
    return "" if kind.endswith((".mail", ".alarm")) else _enqueue(session, kind, *rest, **options)


class DiedError(BaseException):
    """The process is gone."""


class World:
    """A shop, its provider, and the points at which its process may die. Serves many lives, one after another."""

    def __init__(self, app: Flask) -> None:
        self.app, self.shop = app, app.extensions["koguchi"]
        self.plugins = self.shop.plugins
        self.bank = Bank(self.plugins.payments["dummy"].settings)
        self.plugins.payments["dummy"] = self.bank
        for name in CALLS:
            setattr(self.plugins, name, partial(self._call, getattr(self.plugins, name)))
        self.left: int | None = None  # crash points until the process dies
        self.meanwhile: tuple[bool, Callable[[], Any]] | None = None
        self._context: Any = None
        with app.app_context():
            with write() as session:
                session.execute(update(StockItem).values(on_hand=10**6))
            self.tell(outcome="requires_action")
            self.stranger = placed("hayashi", CART, payment="dummy").id
            self.bank.other = replace(next(iter(self.bank.latest.values())), status="captured")
            first = newly().get_one(Order, self.stranger)
            self.values = {
                column.key: getattr(first, column.key)
                for column in Order.__mapper__.column_attrs
                if column.key != "id"
            }
            # of the rules' answer only what another try looks at: it is read at every step
            self.values["decision"] = {"payment": first.decision.get("payment", [])}
            self.total = first.total_minor
            held = newly().scalars(select(Reservation)).one()
            self.pieces = {held.product_id: held.quantity}

    def tell(self, **settings: Any) -> None:
        self.bank.settings = self.bank.settings.model_copy(update=settings)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While every commit is a point at which the process may die.

        Without what takes its time and changes nothing here: logs, mails, a thread for each call.
        """
        logging.disable()
        enqueue, jobs.enqueue = jobs.enqueue, _without_mails
        bounded, guard.bounded = guard.bounded, lambda call, _seconds: call()
        listener = self._at_commit
        for name in ("before_commit", "after_commit"):
            event.listen(Session, name, listener)
        try:
            yield
        finally:
            for name in ("before_commit", "after_commit"):
                event.remove(Session, name, listener)
            logging.disable(logging.NOTSET)
            jobs.enqueue, guard.bounded = enqueue, bounded
            self.stop()

    def _at_commit(self, session: Session) -> None:
        if not isinstance(session, ReadSession):
            self._point()

    def _point(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise DiedError

    def _call(self, real: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """A call to the provider: before it and after it the process may die, or another one may be at work."""
        self._point()
        self._another(before=True)
        answer = real(*args, **options)
        self._another(before=False)
        self._point()
        return answer

    def _another(self, *, before: bool) -> None:
        if self.meanwhile is None or self.meanwhile[0] is not before:
            return
        act, self.meanwhile, left, self.left = self.meanwhile[1], None, self.left, None
        with self.app.app_context():
            act()
        self.left = left

    def restart(self) -> None:
        """What was in memory is gone."""
        self.stop()
        self.left = self.meanwhile = None
        for name in self.plugins._guards:
            self.plugins._guards[name] = Guard(name, ticks=lambda: self.shop.clock().timestamp())
        self._context = self.app.app_context()
        self._context.push()

    def stop(self) -> None:
        if self._context is not None:
            self._context.pop()
            self._context = None

    def anew(self) -> None:
        """For the next life: nothing waits, nobody was told anything, the clock stands where it stood."""
        self.restart()
        self.shop.clock.moment = START
        self.plugins.payments["dummy"] = self.bank
        self.bank.accidents.clear()
        self.bank.refunds.clear()
        self.bank.is_trusting = True
        self.tell(outcome="captured", refund_outcome="refunded")
        with write() as session:
            for statement in _ANEW:
                session.execute(statement, {"stranger": self.stranger})


class Life:
    """One order from its placing on. Which of its payments something happens to is a number, newest is 0."""

    def __init__(self, world: World, outcome: str, *, whole: bool = False, die: int | None = None) -> None:
        self.world, self.bank = world, world.bank
        world.anew()
        world.tell(outcome=outcome)
        self.late: list[int] = []  # payments whose message comes at the end
        before, place = self._newest(), self._place_whole if whole else self._place
        self.may_die(place, die)
        if self._newest() == before:  # died before the commit: the buyer presses again
            place()
        self.order_id = self._newest()
        world.tell(outcome="captured")

    # ---- placing

    def _place(self) -> None:
        """What placing an order leaves behind, without asking the rules again."""
        with write() as session:
            number = f"L-{next(_numbers)}"
            order = Order(**self.world.values | {"number": number, "key": number})
            session.add(order)
            session.flush()
            record(session, order, "", "hayashi")
            items = stock.lock_items(session, self.world.pieces)
            stock.reserve(
                session,
                items,
                self.world.pieces,
                order_id=order.id,
                actor="hayashi",
                expires_at=now() + UNPAID,
            )
            payments.create(session, order, "dummy")
            jobs.enqueue(session, "payment.start", {"order_id": order.id}, at=now() + START_AGAIN_AFTER)
            placed_id = order.id
        payments.start_for(placed_id)

    def _place_whole(self) -> None:
        placed("hayashi", CART, payment="dummy")

    def _newest(self) -> int:
        return newly().scalar(select(func.max(Order.id))) or 0

    def may_die(self, act: Callable[[], Any], left: int | None = None) -> Any:
        """Do something; where the process dies of it, the shop is started anew."""
        self.world.left = left if left is not None else self.world.left
        try:
            return act()
        except DiedError:
            self.world.restart()
            return None

    # ---- what is there

    def ids(self) -> list[int]:
        return list(newly().scalars(_IDS, {"order": self.order_id}))

    def one(self, which: int) -> int:
        """A payment by its age, newest first."""
        found = self.ids()
        return found[-1 - which % len(found)]

    def order(self) -> Order:
        return newly().get_one(Order, self.order_id, populate_existing=True)

    # ---- at the provider

    def decide(self, which: int, status: str) -> None:
        """The buyer pays, is declined, or goes away; and a provider that said no may take another card."""
        payment = self.one(which)
        before = self.bank.status(str(payment))
        if before in ("requires_action", "pending", "failed"):
            self.bank.settle(str(payment), status)
        if before == "failed":
            self.late.append(payment)  # a provider keeps sending a message that was not taken

    def decide_another_sum(self, which: int, minor: int) -> None:
        payment = str(self.one(which))
        if self.bank.status(payment) in ("requires_action", "pending"):
            self.bank.settle(payment, "captured", minor=self.world.total + minor)

    def pay_back_there(self, which: int, minor: int) -> None:
        """On the provider's own page; its message comes, though late."""
        payment = self.one(which)
        if self.bank.pay_back_there(str(payment), minor):
            self.late.append(payment)

    # ---- in the shop

    def webhook(self, which: int, event_id: str, *, stranger: bool = False) -> None:
        """A message of the provider is stored, as the page does it; of a payment of ours, or of somebody else's."""
        payment = self.one(which)
        there = self.bank.other if stranger else self.bank.latest.get(str(payment))
        if there is None:
            return
        told = Told(f"{payment}-{event_id}", there.provider_ref or "", "changed")
        with write() as session:
            inbox.keep(session, "dummy", [told])

    def ask(self, which: int) -> None:
        payments.ask(self.one(which))

    def work(self, limit: int) -> None:
        run_due(limit)

    def look_after(self) -> None:
        look_after()

    def try_again(self, outcome: str) -> None:
        self.world.tell(outcome=outcome)
        try_again(self.order(), "dummy", "hayashi")
        self.world.tell(outcome="captured")

    def refund(self, which: int, part: int, outcome: str, *, by_hand: bool = False) -> None:
        self.world.tell(refund_outcome=outcome)
        amount = part or self.world.total
        refund(self.one(which), amount, "by hand" if by_hand else "", "owner", by_hand=by_hand)
        self.world.tell(refund_outcome="refunded")

    def cancel(self) -> None:
        with write() as session:
            move(session, self.order_id, "cancelled", "hayashi", by_buyer=True)

    def capture(self, which: int) -> None:
        if "dummy" in self.world.plugins.payments:  # else it would be the owner's word against the provider's
            payments.capture(self.one(which), "owner")

    def void(self, which: int) -> None:
        with suppress(RuntimeError):  # no answer: the page says so
            void_one(self.one(which), "owner")

    def resolve(self, which: int, *, is_paid: bool) -> None:
        resolve(self.one(which), is_paid=is_paid, reason="looked", actor="owner")

    def remove_plugin(self) -> None:
        self.world.plugins.payments.pop("dummy", None)

    def bring_plugin_back(self) -> None:
        self.world.plugins.payments["dummy"] = self.bank

    def forward(self, minutes: int) -> None:
        self.world.shop.clock.forward(minutes=minutes)

    # ---- the end

    def settle_down(self, end: str) -> bool:
        """The provider answers again and decides, and the worker has the time it needs; whether it came to rest."""
        world = self.world
        world.restart()
        self.bring_plugin_back()
        self.bank.accidents.clear()
        world.tell(outcome="captured", refund_outcome="refunded")
        ids = self.ids()
        for payment in ids:
            if end and self.bank.status(str(payment)) in OPEN[:2]:
                self.bank.settle(str(payment), end)
        for payment in self.late:
            self.webhook(len(ids) - 1 - ids.index(payment), "late")
        for each in range(14):
            due = newly().execute(_DUE).one()
            if not any(due):
                return True
            soon = min(moment for moment in due if moment)
            world.shop.clock.moment = moment = max(soon, now()) + timedelta(minutes=5 * 3**each)
            for when, work in zip(due, (run_due, look_after, cancel_unpaid), strict=True):
                if when and when <= moment:
                    work()
        return False
