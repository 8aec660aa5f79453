"""place_order: the only way an order comes into being, for every channel.

One write transaction: key, stock rows, prices, fingerprint, credit, order, outbox. No plugin is called inside it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rules import TieError
from rules.errors import MatcherError
from storefront import cart, jobs, payments, stock
from storefront.accounts import Company, User
from storefront.clock import now
from storefront.database import get_session, locked, retrying, write
from storefront.incidents import record_incident
from storefront.orders.credit import NET_TERMS, exposure_minor
from storefront.orders.models import IdempotencyKey, Order
from storefront.orders.moves import record
from storefront.orders.numbers import next_number
from storefront.orders.preparing import Prepared, prepare, ship_to_facts
from storefront.orders.writing import write_order
from storefront.pricing import PricedCart, Wanted, has_rules_of_history, price
from storefront.rulebook import NoRulesError
from storefront.shipping import Destination
from storefront.shop import Shop
from storefront.stock import Shortage

log = logging.getLogger("koguchi.orders")

LONGEST_KEY = 255
START_AGAIN_AFTER = timedelta(minutes=2)  # the outbox starts a payment that the placing process did not
UNPAID = timedelta(days=30)  # how long stock waits for a payment whose provider names no end


@dataclass(frozen=True, slots=True)
class CheckoutChoice:
    """Everything the buyer chose besides the lines."""

    to: Destination
    shipping: str | None
    payment: str | None
    purchase_order_number: str = ""
    note: str = ""
    delivery_on: date | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The order; `is_repeated` when the key was used before and nothing happened now."""

    order_id: int
    number: str
    state: str
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """Something the buyer confirmed is different now: show it and ask again."""

    priced: PricedCart


@dataclass(frozen=True, slots=True)
class Refused:
    """No order. `code` is rules, quotation, shortage, gone, empty, account or unavailable."""

    code: str
    priced: PricedCart | None = None
    shortages: tuple[Shortage, ...] = ()
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same key is at work elsewhere and did not finish in time."""


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used for something else."""


Outcome = Placed | Changed | Refused | InProgress | KeyReused
# What else belongs into the order's own transaction, given its id; the id of an older order stands in its place.
Within = Callable[[Session, int], int | None]


class _Stop(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Request:
    company_id: int
    user_id: int | None
    wanted: tuple[Wanted, ...]
    choice: CheckoutChoice
    key: str
    fingerprint: str | None
    channel: str
    actor: str
    on: date
    cart_id: int | None
    contact_id: int | None
    within: Within | None
    scope: str
    body_hash: str
    prepared: Prepared = field(repr=False)


def _body_hash(wanted: Sequence[Wanted], choice: CheckoutChoice, channel: str) -> str:
    """What makes two requests with one key the same request."""
    body: list[Any] = [
        [(line.sku, line.quantity, dict(line.attributes)) for line in wanted],
        choice.to.as_json(),
        [choice.shipping, choice.payment, choice.purchase_order_number, choice.note],
        str(choice.delivery_on),
        channel,
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def place_order(
    shop: Shop,
    *,
    company_id: int,
    user_id: int | None,
    wanted: Sequence[Wanted],
    choice: CheckoutChoice,
    key: str,
    fingerprint: str | None,
    on: date,
    channel: str = "web",
    actor: str = "",
    cart_id: int | None = None,
    contact_id: int | None = None,
    within: Within | None = None,
) -> Outcome:
    """Place an order and start its payment.

    `key` is 1 to 255 characters and belongs to the user: the same key and body is answered with the same order.
    `fingerprint` is what the buyer confirmed; None only where nobody looked at a price (no web page does that).
    Lines of `cart_id` that were ordered leave that cart in the same transaction; `within` is done there too.
    `contact_id` is the buyer for whom staff place it: the limit and the mails are that person's.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise ValueError(f"a key has 1 to {LONGEST_KEY} characters")
    if not wanted:
        return Refused("empty")
    scope = f"user:{user_id}" if user_id is not None else f"company:{company_id}"
    hashed = _body_hash(wanted, choice, channel)
    reader = get_session()
    if (before := _answered_before(reader, scope, key, hashed)) is not None:
        return before
    company = reader.get(Company, company_id)
    if company is None:
        return Refused("account")
    try:
        prepared = prepare(
            reader,
            shop,
            company,
            wanted,
            to=choice.to,
            shipping_code=choice.shipping,
            payment_code=choice.payment,
            on=on,
            channel=channel,
            delivery=choice.delivery_on,
            fixes=False,
        )
        if prepared is None:
            return Refused("gone", skus=tuple(each.sku for each in wanted))
        request = _Request(
            company_id,
            user_id,
            tuple(wanted),
            choice,
            key,
            fingerprint,
            channel,
            actor,
            on,
            cart_id,
            contact_id,
            within,
            scope,
            hashed,
            prepared,
        )
        outcome: Outcome = _place(shop, request)
    except _Stop as stop:
        outcome = stop.outcome
    except (MatcherError, TieError, NoRulesError) as error:
        _remember(error)
        return Refused("unavailable")
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_timeout: somebody else holds the key
            return InProgress()
        raise
    if isinstance(outcome, Placed) and not outcome.is_repeated and outcome.state == "awaiting_payment":
        payments.start_for(outcome.order_id)
        outcome = _as_it_is(outcome)
    return outcome


def _as_it_is(placed: Placed) -> Placed:
    state = get_session().scalars(select(Order.state).where(Order.id == placed.order_id)).one()
    return Placed(placed.order_id, placed.number, state, placed.is_repeated)


_OF_KEY = (
    select(Order.id, Order.number, Order.state, IdempotencyKey.body_hash)
    .join(IdempotencyKey, IdempotencyKey.order_id == Order.id)
    .where(IdempotencyKey.scope == bindparam("its_scope"), IdempotencyKey.key == bindparam("its_key"))
)


def _answered_before(
    session: Session, scope: str, key: str, body_hash: str | None
) -> Placed | KeyReused | None:
    """What this key already made; without a hash whatever the body was."""
    found = session.execute(_OF_KEY, {"its_scope": scope, "its_key": key}).first()
    if found is None:
        return None
    if body_hash is not None and found.body_hash != body_hash:
        return KeyReused()
    return Placed(found.id, found.number, found.state, is_repeated=True)


def order_of_key(session: Session, user_id: int, key: str) -> Placed | None:
    """The order that this user's key made, for a page posted again after its cart was emptied."""
    before = _answered_before(session, f"user:{user_id}", key, None)
    return before if isinstance(before, Placed) else None


def _remember(error: Exception) -> None:
    """An order that met an incident is refused; the incident is kept."""
    log.error("an order was refused: %s: %s", type(error).__name__, error)
    kind = {
        "MatcherDisagreement": "matcher_disagreement",
        "MatcherFailed": "matcher_failed",
        "TieError": "tie",
    }
    with write() as session:
        detail = dict(getattr(error, "detail", {}) or {})
        record_incident(session, kind.get(type(error).__name__, "no_rules"), str(error)[:500], detail or None)


@retrying
def _place(shop: Shop, request: _Request) -> Placed:
    """The transaction. Raises _Stop with any other outcome, which undoes it all."""
    with write() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL lock_timeout = '8s'"))
        claimed = _claim(session, request)
        company, user = _who(session, request)
        products = {each.line.sku: each.product for each in request.prepared.priced.lines}
        counted = _pieces(request.wanted, products)
        items = stock.lock_items(session, counted)
        company = _alone_with_its_orders(session, shop, company, request)
        priced = _price_again(session, shop, company, request)
        _compare(priced, request)
        missing = stock.shortages(items, counted, {product.id: sku for sku, product in products.items()})
        if missing:
            raise _Stop(Refused("shortage", priced, tuple(missing)))
        held = _held(session, priced, request, company, user)
        order = write_order(
            session,
            request.prepared,
            priced,
            request.choice,
            number=next_number(session),
            company_id=company.id,
            user_id=request.user_id,
            contact_id=request.contact_id,
            channel=request.channel,
            key=request.key,
            held=held,
            state="awaiting_approval" if held else "awaiting_payment",
        )
        record(session, order, "", request.actor, "; ".join(each["en"] for each in held))
        stock.reserve(
            session, items, counted, order_id=order.id, actor=request.actor,
            expires_at=None if held else now() + UNPAID,
        )  # fmt: skip
        payments.create(session, order)
        session.execute(_ANSWER, {"its_id": claimed, "its_order": order.id})
        jobs.enqueue(session, "order.mail", {"order_id": order.id, "event": "received"})
        jobs.enqueue(session, "payment.start", {"order_id": order.id}, at=now() + START_AGAIN_AFTER)
        if request.cart_id is not None:
            cart.clear(session, request.cart_id, [line.sku for line in request.wanted])
        if request.within is not None and (known := request.within(session, order.id)) is not None:
            raise _Stop(_repeated(session, known))
        return Placed(order.id, order.number, order.state)


_keys = cast(Table, IdempotencyKey.__table__)
_ANSWER = update(_keys).where(_keys.c.id == bindparam("its_id")).values(order_id=bindparam("its_order"))


@cache
def _claiming(dialect: str) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in ("scope", "key", "body_hash", "created_at")}
    statement = (
        (postgresql if dialect == "postgresql" else sqlite).insert(_keys).values(**values, state="done")
    )
    return statement.on_conflict_do_nothing().returning(_keys.c.id)


def _claim(session: Session, request: _Request) -> int:
    """Take the key, or answer with what it already made. A second taker waits here for the first."""
    values: dict[str, Any] = {
        "scope": request.scope,
        "key": request.key,
        "body_hash": request.body_hash,
        "created_at": now(),
    }
    new = session.execute(_claiming(session.get_bind().dialect.name), values).scalar_one_or_none()
    if new is not None:
        return int(new)
    known = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key)
    ).one()
    if known.body_hash != request.body_hash:
        raise _Stop(KeyReused())
    raise _Stop(_repeated(session, known.order_id))


def _repeated(session: Session, order_id: int | None) -> Placed:
    order = session.get_one(Order, order_id)
    return Placed(order.id, order.number, order.state, is_repeated=True)


_WHO = (
    select(Company, User)
    .outerjoin(User, User.id == bindparam("user"))
    .where(Company.id == bindparam("company"))
)


def _who(session: Session, request: _Request) -> tuple[Company, User | None]:
    """Company and the person who orders as they are now: a closed account places nothing."""
    orders = request.contact_id or request.user_id
    company, user = session.execute(_WHO, {"company": request.company_id, "user": orders}).one()
    if company.status != "active" or (user is not None and not user.active):
        raise _Stop(Refused("account"))
    if request.contact_id is not None and (user is None or user.company_id != company.id):
        raise _Stop(Refused("account"))
    return company, user


def _alone_with_its_orders(session: Session, shop: Shop, company: Company, request: _Request) -> Company:
    """The company read anew under its lock, where the rules or the credit look at its other orders.

    Before pricing: otherwise two orders at one moment would each be judged as if the other were not there.
    """
    if request.prepared.payment != NET_TERMS and not has_rules_of_history(shop):
        return company
    held: Company = session.scalars(locked(select(Company).where(Company.id == request.company_id))).one()
    return held


def _pieces(wanted: Sequence[Wanted], products: dict[str, Any]) -> dict[int, int]:
    """Pieces by product id of what is kept in stock; goods made to order promise a date instead."""
    counted: dict[int, int] = {}
    for line in wanted:
        product = products.get(line.sku)
        if product is not None and not product.made_to_order:
            counted[product.id] = counted.get(product.id, 0) + line.quantity
    return counted


def _price_again(session: Session, shop: Shop, company: Company, request: _Request) -> PricedCart:
    prepared, choice = request.prepared, request.choice
    priced = price(
        session,
        company,
        request.wanted,
        shop=shop,
        on=request.on,
        channel=request.channel,
        ship_to=ship_to_facts(choice.to),
        shipping_quotes=prepared.shipping_quotes,
        payment_methods=prepared.payment_methods,
        shipping=prepared.shipping,
        payment=prepared.payment,
        delivery=choice.delivery_on,
        placing=True,
        fixes=False,
        matcher="durable",
    )
    if priced is None or priced.missing:
        gone = tuple(each.sku for each in (priced.missing if priced else request.wanted))
        raise _Stop(Refused("gone", priced, skus=gone))
    return priced


def _compare(priced: PricedCart, request: _Request) -> None:
    """Refuse what the rules refuse, and ask again when anything differs from what the buyer confirmed."""
    outcome = priced.decision.outcome
    if outcome == "block":
        raise _Stop(Refused("rules", priced))
    if outcome == "quotation" or any(each.line.amount is None for each in priced.lines):
        raise _Stop(Refused("quotation", priced))
    if request.fingerprint is not None and priced.fingerprint != request.fingerprint:
        raise _Stop(Changed(priced))


def _held(
    session: Session, priced: PricedCart, request: _Request, company: Company, user: User | None
) -> list[dict[str, Any]]:
    """Why a person must approve first; empty when nobody has to. On account the company's row is locked."""
    decision = priced.decision
    held: list[dict[str, Any]] = [
        {"code": issue.code, **issue.message} for issue in decision.issues if issue.outcome == "approval"
    ]
    limit = user.order_limit_minor if user is not None else None
    if limit is not None and decision.total > limit:
        held.append(
            {
                "code": "limit",
                "ja": f"ご担当の上限 {limit:,} を超えています",
                "en": f"Above this person's order limit of {limit:,}",
            }
        )
    if request.prepared.payment == NET_TERMS:
        credit = company.credit_limit_minor
        owed = exposure_minor(session, request.company_id)
        if credit is not None and owed + decision.total > credit:
            held.append(
                {
                    "code": "credit",
                    "ja": f"与信枠 {credit:,} を超えます(残り {max(credit - owed, 0):,})",
                    "en": f"Above the credit limit of {credit:,} ({max(credit - owed, 0):,} left)",
                }
            )
    return held
