"""The controls of the crowd: each takes one protection out of the shop in its process, so that it is seen missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import set_committed_value


def locks(app: Any) -> None:
    """Stock, states and credit are believed as they were before the start, as if nothing locked."""
    from storefront import stock
    from storefront.database import write
    from storefront.orders import moves, placing
    from storefront.pricing import facts

    with app.app_context(), write() as session:
        items = {
            item.product_id: (item.on_hand, item.reserved)
            for item in session.scalars(select(stock.StockItem))
        }

    def believed(session: Any, product_ids: Any) -> dict[int, Any]:
        found = {
            product_id: session.get_one(stock.StockItem, product_id)
            for product_id in product_ids
            if product_id in items
        }
        for product_id, item in found.items():
            for name, value in zip(("on_hand", "reserved"), items[product_id], strict=True):
                set_committed_value(item, name, value)
        return found

    stock.lock_items = believed
    moves.ALLOWED = dict.fromkeys(moves.ALLOWED, frozenset(moves.ALLOWED))
    placing.exposure_minor = lambda *_: 0
    facts._history = lambda *_: (0, None, 0)


def the_companys_lock(_job: Any) -> None:
    """Orders of one company are priced side by side."""
    from storefront.orders import placing

    placing._alone_with_its_orders = lambda _session, _shop, company, _request: company


def the_tiers_lock(_job: Any) -> None:
    """Days of a lead time are promised side by side."""
    from storefront.lead_times import bookings

    bookings.lock = lambda *_: None


def the_days_taken(_job: Any) -> None:
    """What a day of a lead time has taken is believed as it was before the start: nothing."""
    from storefront.lead_times import bookings

    bookings.booked = lambda *_: {}


def counting_in_the_database(_job: Any) -> None:
    """What was there at the start is written back with the pieces added, instead of adding where the row is."""
    from storefront import stock

    def write_back(session: Any, pieces: Any, *, reserved: int = 0, **_: Any) -> None:
        for product_id, quantity in pieces.items():
            session.execute(
                update(stock.StockItem)
                .where(stock.StockItem.product_id == product_id)
                .values(reserved=reserved * quantity)
            )

    stock._change = write_back


def the_order_of_locks(job: Any) -> None:
    """Stock is locked as the cart names it; each waits until the others have their first row; nobody tries again."""
    from storefront import stock
    from storefront.orders import placing

    real, barrier = stock.lock_items, threading.Barrier(job["threads"])

    def one_by_one(session: Any, product_ids: Any) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for product_id in product_ids:
            found |= real(session, [product_id])
            if len(found) == 1:
                with suppress(threading.BrokenBarrierError):
                    barrier.wait(timeout=1)
        return found

    stock.lock_items = one_by_one
    placing._place = placing._place.__wrapped__


def the_outbox(_job: Any) -> None:
    """Nothing is written down to be done later."""
    from storefront import jobs

    jobs.enqueue = lambda *_, **__: ""


def waiting_for_the_commit(_job: Any) -> None:
    """Orders are acknowledged although their transactions are given up."""
    from storefront import payments
    from storefront.orders import placing

    real = placing.write

    @contextmanager
    def write() -> Iterator[Any]:
        with real() as session:
            yield session
            session.rollback()

    placing.write = write
    payments.start_for = lambda _order_id: None
    placing._as_it_is = lambda placed: placed


def the_rename(_job: Any) -> None:
    """A file is written where it stands, and the power goes after the first half."""
    import os
    import signal

    from storefront.shop_folder import durable as durable_files

    def write_in_place(target: Any, content: bytes) -> int:
        with open(target, "wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    durable_files.replace_file = write_in_place


def the_stored_key(_job: Any) -> None:
    """A payment is begun under a key of the process that begins it."""
    import os
    from types import SimpleNamespace

    from storefront.payments import attempts

    real = attempts.begin

    def begin(shop: Any, number: str, payment: Any, view: Any) -> Any:
        key = f"{payment.attempt_key}:{os.getpid()}"
        return real(shop, number, SimpleNamespace(provider=payment.provider, attempt_key=key), view)

    attempts.begin = begin


def the_sum_of_refunds(_job: Any) -> None:
    """What may be paid back is believed as it was before the start: all of it."""
    from storefront.payments import refunds

    refunds.left_minor = lambda _session, payment: payment.amount_minor
    refunds.REFUNDABLE = refunds.REFUNDABLE | {"refunded"}


def the_one_event(_job: Any) -> None:
    """Events are kept without looking whether they are there already."""
    from itertools import count
    from os import getpid

    from storefront.payments import inbox

    numbers, real = count(1), inbox._short
    inbox._short = lambda text: (
        f"{real(text)}-{getpid()}-{next(numbers)}" if text.startswith("evt") else real(text)
    )


def putting_the_look_off(_job: Any) -> None:
    """Whoever finds a payment due asks about it, without telling the others."""
    from storefront.database import get_session
    from storefront.payments import Payment, reconcile

    def take(payment_id: int) -> tuple[str, str]:
        payment = get_session().get_one(Payment, payment_id)
        return payment.state, payment.provider

    reconcile._take = take
