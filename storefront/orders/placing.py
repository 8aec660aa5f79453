"""place_order: the only way an order comes into being, for every channel.

One write transaction: key, stock rows, prices, fingerprint, credit, order, outbox. No plugin is called inside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rules import TieError
from rules.errors import MatcherError
from storefront import cart, jobs, lead_times, payments, stock
from storefront.accounts import Company, User
from storefront.attempts import endings
from storefront.clock import now
from storefront.database import get_session, locked, retrying, write
from storefront.incidents import record_incident
from storefront.orders import keys
from storefront.orders.credit import NET_TERMS, exposure_minor
from storefront.orders.keys import LONGEST_KEY, order_of_key
from storefront.orders.models import Order
from storefront.orders.moves import START_AGAIN_AFTER, UNPAID, record
from storefront.orders.numbers import next_number
from storefront.orders.outcomes import (
    Changed,
    CheckoutChoice,
    InProgress,
    KeyReused,
    Outcome,
    Placed,
    Refused,
    Stop,
)
from storefront.orders.preparing import Prepared, prepare, ship_to_facts
from storefront.orders.writing import write_order
from storefront.plugins import events as plugin_events
from storefront.pricing import PricedCart, Wanted, has_rules_of_history, price
from storefront.rulebook import NoRulesError
from storefront.shop import Shop

__all__ = [
    "LONGEST_KEY",
    "Changed",
    "CheckoutChoice",
    "InProgress",
    "KeyReused",
    "Outcome",
    "Placed",
    "Refused",
    "Within",
    "order_of_key",
    "place_order",
]

log = logging.getLogger("koguchi.orders")

# What else belongs into the order's own transaction, given its id; the id of an older order stands in its place.
Within = Callable[[Session, int], int | None]


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
    moment: datetime  # when the button was pressed: the cutoff is not missed by waiting for a lock
    prepared: Prepared = field(repr=False)


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
    asked: dict[str, Any] = {
        "company_id": company_id, "user_id": user_id, "wanted": tuple(wanted), "choice": choice, "key": key,
        "fingerprint": fingerprint, "channel": channel, "actor": actor, "on": on, "cart_id": cart_id,
        "contact_id": contact_id, "within": within,
        "scope": f"user:{user_id}" if user_id is not None else f"company:{company_id}",
        "body_hash": keys.body_hash(wanted, choice, channel), "moment": now(),
    }  # fmt: skip
    before = keys.answered_before(get_session(), asked["scope"], key, asked["body_hash"])
    if before is not None:
        return before
    outcome = _attempt(shop, asked)
    if isinstance(outcome, Placed) and not outcome.is_repeated and outcome.state == "awaiting_payment":
        payments.start_for(outcome.order_id)
        outcome = _as_it_is(outcome)
    endings.confirmed(outcome, company_id=company_id, person_id=contact_id or user_id, channel=channel)
    return outcome


def _attempt(shop: Shop, asked: Mapping[str, Any]) -> Outcome:
    """Ask the plugins, then try the transaction; every expected end is an outcome."""
    try:
        return _place(shop, _ready(shop, asked))
    except Stop as stop:
        return stop.outcome
    except (MatcherError, TieError, NoRulesError) as error:
        _remember(error)
        return Refused("unavailable")
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_timeout: somebody else holds the key
            return InProgress()
        raise


def _ready(shop: Shop, asked: Mapping[str, Any]) -> _Request:
    """The request with quotes and methods of the plugins."""
    choice: CheckoutChoice = asked["choice"]
    company = get_session().get(Company, asked["company_id"])
    if company is None:
        raise Stop(Refused("account"))
    prepared = prepare(
        get_session(),
        shop,
        company,
        asked["wanted"],
        to=choice.to,
        shipping_code=choice.shipping,
        payment_code=choice.payment,
        lead_time_code=choice.lead_time,
        on=asked["on"],
        moment=asked["moment"],
        channel=asked["channel"],
        delivery=choice.delivery_on,
        fixes=False,
    )
    if prepared is None:
        raise Stop(Refused("gone", skus=tuple(each.sku for each in asked["wanted"])))
    return _Request(**asked, prepared=prepared)


def _as_it_is(placed: Placed) -> Placed:
    state = get_session().scalars(select(Order.state).where(Order.id == placed.order_id)).one()
    return Placed(placed.order_id, placed.number, state, placed.is_repeated)


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
    """The transaction. Raises Stop with any other outcome, which undoes it all."""
    with write() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL lock_timeout = '8s'"))
        claimed = keys.claim(session, request.scope, request.key, request.body_hash)
        company, user = _who(session, request)
        products = {each.line.sku: each.product for each in request.prepared.priced.lines}
        counted = _pieces(request.wanted, products)
        items = stock.lock_items(session, counted)
        company = _alone_with_its_orders(session, shop, company, request)
        priced = _price_again(session, shop, company, request)
        _compare(priced, request)
        missing = stock.shortages(items, counted, {product.id: sku for sku, product in products.items()})
        if missing:
            raise Stop(Refused("shortage", priced, tuple(missing)))
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
        _book(session, priced, order)
        payments.create(session, order)
        keys.answer(session, claimed, order.id)
        jobs.enqueue(session, "order.mail", {"order_id": order.id, "event": "received"})
        jobs.enqueue(session, "payment.start", {"order_id": order.id}, at=now() + START_AGAIN_AFTER)
        plugin_events.emit(session, "order_placed", {"order_id": order.id})
        if request.cart_id is not None:
            cart.clear(session, request.cart_id, [line.sku for line in request.wanted])
        if request.within is not None and (known := request.within(session, order.id)) is not None:
            raise Stop(keys.repeated(session, known))
        return Placed(order.id, order.number, order.state)


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
        raise Stop(Refused("account"))
    if request.contact_id is not None and (user is None or user.company_id != company.id):
        raise Stop(Refused("account"))
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
        lead_time=prepared.lead_time,
        moment=request.moment,
        placing=True,
        fixes=False,
        matcher="durable",
    )
    if priced is None or priced.missing:
        gone = tuple(each.sku for each in (priced.missing if priced else request.wanted))
        raise Stop(Refused("gone", priced, skus=gone))
    return priced


def _compare(priced: PricedCart, request: _Request) -> None:
    """Refuse what the rules refuse, and ask again when anything differs from what the buyer confirmed."""
    outcome = priced.decision.outcome
    if outcome == "block":
        raise Stop(Refused("rules", priced))
    if outcome == "quotation" or any(each.line.amount is None for each in priced.lines):
        raise Stop(Refused("quotation", priced))
    if request.fingerprint is not None and priced.fingerprint != request.fingerprint:
        raise Stop(Changed(priced))
    _compare_day(priced, request.choice.promised_on)
    _compare_carriage(priced, request)


def _compare_day(priced: PricedCart, latest: date | None) -> None:
    """Where a rule offers lead times an order has one of them, and it is not ready later than the caller knows."""
    if not priced.lead_times:
        return
    chosen = priced.lead_time
    if chosen is None or chosen.promise is None:
        raise Stop(Refused("lead_time", priced))
    if latest is not None and chosen.promise.ready_on > latest:
        raise Stop(Changed(priced))


def _compare_carriage(priced: PricedCart, request: _Request) -> None:
    """The chosen way arrives no later than the page said and has the time of day that was chosen; else ask again."""
    prepared, choice = request.prepared, request.choice
    option = next((each for each in prepared.shipping_options if each.code == prepared.shipping), None)
    if option is None:
        return
    last = option.latest or option.earliest
    is_later = choice.arrives_by is not None and (last is None or last > choice.arrives_by)
    if is_later or (choice.slot and choice.slot not in option.slots):
        raise Stop(Changed(priced))


def _book(session: Session, priced: PricedCart, order: Order) -> None:
    """Take the promised days; nobody else can since the tier was locked for the promise."""
    chosen = priced.lead_time
    if chosen is not None and chosen.promise is not None:
        lead_times.book(session, order.id, chosen.tier.by, chosen.code, chosen.promise.parts)


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
