"""Idempotency keys: one key and body is one order, whoever posts it again, and however many at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storefront.clock import now
from storefront.orders.models import IdempotencyKey, Order
from storefront.orders.outcomes import CheckoutChoice, KeyReused, Placed, Stop
from storefront.pricing import Wanted

LONGEST_KEY = 255

_keys = cast(Table, IdempotencyKey.__table__)
_ANSWER = update(_keys).where(_keys.c.id == bindparam("its_id")).values(order_id=bindparam("its_order"))
_OF_KEY = (
    select(Order.id, Order.number, Order.state, IdempotencyKey.body_hash)
    .join(IdempotencyKey, IdempotencyKey.order_id == Order.id)
    .where(IdempotencyKey.scope == bindparam("its_scope"), IdempotencyKey.key == bindparam("its_key"))
)


def body_hash(wanted: Sequence[Wanted], choice: CheckoutChoice, channel: str) -> str:
    """What makes two requests with one key the same request."""
    body: list[Any] = [
        [(line.sku, line.quantity, dict(line.attributes)) for line in wanted],
        choice.to.as_json(),
        [choice.shipping, choice.payment, choice.purchase_order_number, choice.note],
        [str(choice.delivery_on), choice.lead_time, str(choice.promised_on), choice.slot],
        channel,
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def answered_before(session: Session, scope: str, key: str, hashed: str | None) -> Placed | KeyReused | None:
    """What this key already made; without a hash whatever the body was."""
    found = session.execute(_OF_KEY, {"its_scope": scope, "its_key": key}).first()
    if found is None:
        return None
    if hashed is not None and found.body_hash != hashed:
        return KeyReused()
    return Placed(found.id, found.number, found.state, is_repeated=True)


def order_of_key(session: Session, user_id: int, key: str) -> Placed | None:
    """The order that this user's key made, for a page posted again after its cart was emptied."""
    before = answered_before(session, f"user:{user_id}", key, None)
    return before if isinstance(before, Placed) else None


def claim(session: Session, scope: str, key: str, hashed: str) -> int:
    """Take the key, or stop with what it already made. A second taker waits here for the first."""
    values: dict[str, Any] = {"scope": scope, "key": key, "body_hash": hashed, "created_at": now()}
    new = session.execute(_claiming(session.get_bind().dialect.name), values).scalar_one_or_none()
    if new is not None:
        return int(new)
    known = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
    ).one()
    if known.body_hash != hashed:
        raise Stop(KeyReused())
    raise Stop(repeated(session, known.order_id))


def repeated(session: Session, order_id: int | None) -> Placed:
    """An order that was there already, as the answer."""
    order = session.get_one(Order, order_id)
    return Placed(order.id, order.number, order.state, is_repeated=True)


@cache
def _claiming(dialect: str) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in ("scope", "key", "body_hash", "created_at")}
    statement = (
        (postgresql if dialect == "postgresql" else sqlite).insert(_keys).values(**values, state="done")
    )
    return statement.on_conflict_do_nothing().returning(_keys.c.id)


def answer(session: Session, claimed: int, order_id: int) -> None:
    """Remember the order that the key made."""
    session.execute(_ANSWER, {"its_id": claimed, "its_order": order_id})
