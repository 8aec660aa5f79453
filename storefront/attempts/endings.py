"""How a refused wish ended: by an order, by the buyer taking the line out, or by nobody coming back.

An order is looked at after it was placed; what a crash left out is caught up by the daily cleaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from storefront.accounts import Company
from storefront.attempts.models import Attempt, TrialResult
from storefront.attempts.noting import Asker, afterwards, is_kept, keep_trials, refused_at_checkout
from storefront.attempts.wishes import ending_of, trials_of
from storefront.clock import now
from storefront.database import get_session, write
from storefront.orders.models import Order
from storefront.shop import current_shop

REFUSALS = ("rules", "quotation", "shortage")  # codes of a refused order that teach something
AT_A_TIME = 500  # rows in one transaction: buyers must not wait for the cleaning
_attempts = cast(Table, Attempt.__table__)
_trials = cast(Table, TrialResult.__table__)


def confirmed(outcome: Any, *, company_id: int, person_id: int | None, channel: str) -> None:
    """What came of confirming an order, through whichever door: refused wishes, or the end of earlier ones."""
    order_id, priced = getattr(outcome, "order_id", None), getattr(outcome, "priced", None)
    if order_id is not None:
        if outcome.is_repeated or outcome.state == "cancelled":  # known, or declined and back in the cart
            return
        afterwards(lambda: learn_from(order_id))
    elif getattr(outcome, "code", "") in REFUSALS and priced is not None and is_kept():
        caller = f"user:{person_id}" if person_id is not None else f"company:{company_id}"

        def refused() -> None:
            asker = Asker(caller, get_session().get(Company, company_id), channel)
            refused_at_checkout(asker, priced, outcome.shortages)

        afterwards(refused)


_ORDER = (
    Order.id, Order.company_id, Order.user_id, Order.contact_id, Order.currency, Order.goods_minor, Order.on,
    Order.placed_at, Order.decision,
)  # fmt: skip


def learn_from(order_id: int) -> None:
    """Close the wishes that this order fulfils, and keep what rules on trial would have made of it. Twice is once."""
    session = get_session()
    order = session.execute(select(*_ORDER).where(Order.id == order_id)).one_or_none()
    if order is None:
        return
    people = [person for person in (order.user_id, order.contact_id) if person is not None]
    callers = [f"company:{order.company_id}", *(f"user:{person}" for person in people)]
    pieces = _pieces(order.decision)
    query = select(Attempt).where(
        Attempt.closed_at.is_(None),
        Attempt.first_at <= order.placed_at,
        or_(
            Attempt.caller.in_(callers),
            and_(Attempt.company_id == order.company_id, Attempt.sku.in_(list(pieces))),
        ),
    )
    changes, dropped = _changes(session.scalars(query), order, pieces)
    trials = trials_of(order.decision, order.currency)
    if not (changes or dropped or trials):
        return
    with write() as writing:
        if changes:
            writing.connection().execute(_CLOSE, changes)
        if dropped:
            writing.execute(delete(_attempts).where(_attempts.c.id.in_(dropped)))
        writing.execute(delete(_trials).where(_trials.c.source.in_([f"cart:{caller}" for caller in callers])))
        if trials:
            keep_trials(
                writing, f"order:{order.id}", trials,
                company_id=order.company_id, order_id=order.id, on=order.on, at=order.placed_at,
            )  # fmt: skip


_CLOSE = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("its_id"))
    .values(
        ending=bindparam("its_ending"), ordered_quantity=bindparam("its_quantity"), order_id=bindparam("its_order"),
        closed_at=bindparam("moment"),
    )
)  # fmt: skip


def _pieces(decision: Mapping[str, Any]) -> dict[str, int]:
    """Ordered pieces by SKU."""
    found: dict[str, int] = {}
    for line in decision["lines"]:
        found[line["sku"]] = found.get(line["sku"], 0) + line["quantity"]
    return found


def _charged(decision: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(rule, SKU) whose minimum was missed and paid for; the whole order has SKU ""."""
    skus = {line["id"]: line["sku"] for line in decision["lines"]}
    found = set()
    for issue in decision["issues"]:
        if issue["outcome"] == "surcharge":
            found |= {(issue["code"], skus[line]) for line in issue["lines"]} or {(issue["code"], "")}
    return found


def _changes(wishes: Any, order: Any, pieces: Mapping[str, int]) -> tuple[list[dict[str, Any]], list[int]]:
    """Rows to close, and rows to drop: an order's minimum that a cart merely passed on its way was no refusal."""
    changes, dropped, charged = [], [], _charged(order.decision)
    for wish in wishes:
        if wish.sku and wish.sku not in pieces:
            if wish.ending != "removed":
                continue  # set aside, or left in the cart: still open
            ending, quantity, number = "removed", None, None
        else:
            ending = ending_of(wish, pieces, order.goods_minor, charged)
            quantity, number = pieces.get(wish.sku, order.goods_minor if not wish.sku else 0), order.id
        if not wish.sku and ending == "raised" and not wish.at_checkout:
            dropped.append(wish.id)
            continue
        changes.append(
            {"its_id": wish.id, "its_ending": ending, "its_quantity": quantity, "its_order": number,
             "moment": order.placed_at}
        )  # fmt: skip
    return changes, dropped


# --- the daily cleaning --------------------------------------------------------------------------------------


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or that month's last day."""
    place = day.year * 12 + day.month - 1 - months
    year, month = divmod(place, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))


def clear_attempts() -> int:
    """Mark what nobody came back for, and delete what is too old to keep; how many rows were deleted."""
    history, moment = current_shop().settings.history, now()
    _catch_up(moment - timedelta(days=2))
    _give_up(moment - timedelta(days=history.abandoned_after_days))
    oldest_on = months_before(moment.date(), history.keep_months)
    oldest = moment.replace(year=oldest_on.year, month=oldest_on.month, day=oldest_on.day)
    carts = and_(_trials.c.order_id.is_(None), _trials.c.at < oldest)
    return _empty(_attempts, _attempts.c.last_at < oldest) + _empty(_trials, carts)


def _catch_up(since: datetime) -> None:
    """Orders of the last days whose wishes are still open: their own look at them was cut short."""
    query = (
        select(Order.id)
        .distinct()
        .join(Attempt, Attempt.company_id == Order.company_id)
        .where(Order.placed_at >= since, Attempt.closed_at.is_(None), Attempt.first_at <= Order.placed_at)
        .order_by(Order.id)
    )
    for order_id in get_session().scalars(query).all():
        learn_from(order_id)


def _give_up(before: datetime) -> None:
    """Close what was left lying: a line taken out stays taken out, everything else was abandoned."""
    old = and_(_attempts.c.closed_at.is_(None), _attempts.c.last_at < before)
    while True:
        with write() as session:
            rows = session.execute(
                select(_attempts.c.id, _attempts.c.ending).where(old).limit(AT_A_TIME)
            ).all()
            for ending in ("removed", "abandoned"):
                ids = [row.id for row in rows if (row.ending == "removed") == (ending == "removed")]
                _close(session, ids, ending)
        if len(rows) < AT_A_TIME:
            return


def _close(session: Session, ids: Sequence[int], ending: str) -> None:
    if ids:
        session.execute(
            update(_attempts).where(_attempts.c.id.in_(ids)).values(ending=ending, closed_at=now())
        )


def _empty(table: Table, old: Any) -> int:
    cleared = 0
    while True:
        with write() as session:
            ids = list(session.scalars(select(table.c.id).where(old).limit(AT_A_TIME)))
            session.execute(delete(table).where(table.c.id.in_(ids)))
        cleared += len(ids)
        if len(ids) < AT_A_TIME:
            return cleared


def rebuild_trials() -> int:
    """Make the orders' trial results again from what each order was decided with; how many orders had some."""
    session, last, found = get_session(), 0, 0
    while True:
        rows = session.execute(
            select(*_ORDER).where(Order.id > last).order_by(Order.id).limit(AT_A_TIME)
        ).all()
        with write() as writing:
            for row in rows:
                trials = trials_of(row.decision, row.currency)
                found += bool(trials)
                if trials:
                    keep_trials(
                        writing, f"order:{row.id}", trials,
                        company_id=row.company_id, order_id=row.id, on=row.on, at=row.placed_at,
                    )  # fmt: skip
        if len(rows) < AT_A_TIME:
            return found
        last = rows[-1].id


__all__ = ["clear_attempts", "confirmed", "learn_from", "months_before", "rebuild_trials"]
