"""Keeps refused wishes: after the answer is out, so that no buyer waits for it and no failure of it is a buyer's.

Called by the writing actions alone. What it needs of the request is taken along; the rest it reads by itself.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

from flask import Flask, Response, after_this_request, current_app, g, has_request_context
from sqlalchemy import Table, case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storefront import pricing
from storefront.access import current_company, current_person
from storefront.accounts import Company
from storefront.attempts.models import REFUSED, Attempt, TrialResult
from storefront.attempts.wishes import Wish, short_of, trials_of, wishes_of
from storefront.cart import owners, store
from storefront.cart.store import CartOwner
from storefront.catalog import shelf
from storefront.clock import now, today
from storefront.database import get_session, retrying, write
from storefront.quantity import MAX_QUANTITY
from storefront.quick_order import pasted
from storefront.rulebook import Edition
from storefront.shop import Shop, current_shop

log = logging.getLogger("koguchi.attempts")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, and through which door."""

    caller: str
    company: Company | None = None
    channel: str = "web"
    purpose: str = "normal"

    def as_row(self) -> dict[str, Any]:
        region = self.company.region if self.company is not None else None
        company_id = self.company.id if self.company is not None else None
        return {
            "caller": self.caller,
            "channel": self.channel,
            "purpose": self.purpose,
            "region": region or None,
            "company_id": company_id,
        }


def caller_of(owner: CartOwner) -> str:
    """The name of a cart: its user, or a hash of the visitor's token, which must stand nowhere else."""
    if owner.user_id is not None:
        return f"user:{owner.user_id}"
    return f"visitor:{hashlib.sha256((owner.token or '').encode()).hexdigest()[:32]}"


# --- the doors of the cart -----------------------------------------------------------------------------------


def cart_changed(
    removed: Sequence[str] = (),
    left: Sequence[tuple[str, int]] = (),
    *,
    priced: pricing.PricedCart | None = None,
) -> None:
    """The cart was written: look at it once the answer is out.

    `removed` are SKUs that the buyer took out, `left` what the door refused before it reached the cart. `priced` is
    the whole cart where the answer shows it, so that it is not decided a second time.
    """
    asked = _asker_of_request()
    if asked is not None:
        owner, asker = asked
        afterwards(lambda: _look_at_cart(owner, asker, removed, left, priced))


def stock_refused(sku: str, asked: int, there: int) -> None:
    """More than the stock can give was refused before it reached the cart."""
    found = _asker_of_request(is_first=True)
    if found is not None:
        asker = found[1]
        afterwards(lambda: _keep(asker, [short_of(sku, asked, there)]))


def _asker_of_request(is_first: bool = False) -> tuple[CartOwner, Asker] | None:
    """The cart and its buyer; None where nothing is kept: the shop has switched it off, or staff only look.

    With `is_first` a visitor may have no cart yet and gets the token of one, so that two visitors stay two.
    """
    person = current_person()
    if not is_kept() or (person is not None and person.company_id is None):
        return None
    owner = owners.owner_for_writing() if is_first else owners.owner()
    return owner, Asker(caller_of(owner), current_company())


def is_kept() -> bool:
    """Whether this shop keeps refused wishes at all."""
    return current_shop().settings.history.refusals


def afterwards(work: Callable[[], None]) -> None:
    """Do it when the answer is out; at once where there is no request. With sessions of its own either way."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]

    def run(edition: Edition | None = None) -> None:
        with app.app_context():  # a failed statement would spoil the caller's transaction
            g.koguchi_edition = edition
            quietly(work)

    if not has_request_context():
        run()
        return

    @after_this_request
    def after(response: Response) -> Response:
        response.call_on_close(partial(run, g.get("koguchi_edition")))  # by the rules of the answer
        return response


def quietly(work: Callable[[], None]) -> None:
    """Whatever goes wrong here is logged and stays here."""
    try:
        work()
    except Exception:
        log.exception("a refusal could not be kept")


def lines_refused(caller: str, company_id: int, channel: str, lines: Sequence[tuple[str, int]]) -> None:
    """(SKU, pieces) of an order that is no cart, from a file, an old order or the desk: keep what stops them."""
    if not is_kept() or not lines:
        return

    def look() -> None:
        asker = Asker(caller, get_session().get(Company, company_id), channel)
        wishes, _trials = _judge(asker, _wanted(lines))
        _keep(asker, [wish for wish in wishes if wish.sku])

    afterwards(look)


def text_refused(caller: str, company_id: int, channel: str, text: str) -> None:
    """The same for lines as text, a SKU and a number each; what cannot be read so is left to its page."""
    lines = [(line.sku, line.quantity or "") for line in pasted.read_lines(text)]
    asked = [
        (sku, int(typed)) for sku, typed in lines if typed.isascii() and typed.isdigit() and len(typed) < 8
    ]
    lines_refused(caller, company_id, channel, asked)


def _wanted(lines: Sequence[tuple[str, int]]) -> list[pricing.Wanted]:
    return [
        pricing.Wanted(sku, pieces, f"left-{place}")
        for place, (sku, pieces) in enumerate(lines)
        if 1 <= pieces <= MAX_QUANTITY
    ]


def _look_at_cart(
    owner: CartOwner,
    asker: Asker,
    removed: Sequence[str],
    left: Sequence[tuple[str, int]],
    priced: pricing.PricedCart | None,
) -> None:
    if priced is not None:
        kept = {each.line.sku for each in priced.lines}
        wishes, trials = _judged(priced)
    else:
        lines = store.lines_of(get_session(), owner, held=False)
        kept = {line.sku for line in lines}
        in_cart = [pricing.Wanted(line.sku, line.quantity, str(line.id)) for line in lines]
        wishes, trials = _judge(asker, [*in_cart, *_wanted(left)])
    gone = [sku for sku in removed if sku not in kept]
    has_trials = _has_trials(current_shop())
    if wishes or gone or has_trials:
        _keep(asker, wishes, removed=gone, trials=trials if has_trials else None)


def _judge(asker: Asker, wanted: Sequence[pricing.Wanted]) -> tuple[list[Wish], list[dict[str, Any]]]:
    """The refused wishes among these lines, and what rules on trial make of them while they are refused."""
    session, shop = get_session(), current_shop()
    rows = shelf.rows_of(session, [each.sku for each in wanted]) if wanted else {}
    priced = pricing.price(
        session, asker.company, wanted, shop=shop, on=today(), channel=asker.channel, rows=rows, fixes=False
    )
    return ([], []) if priced is None else _judged(priced)


def _judged(priced: pricing.PricedCart) -> tuple[list[Wish], list[dict[str, Any]]]:
    wishes = wishes_of(priced, current_shop().rulebook.current())
    for each in priced.lines:
        level = shelf.level_of(each.product)
        if level is not None and each.line.quantity > level.orderable:
            wishes.append(short_of(each.line.sku, each.line.quantity, level.orderable, each.line.amount))
    if priced.decision.outcome not in ("block", "quotation"):
        return wishes, []
    return wishes, trials_of(priced.decision.as_json(), priced.decision.currency)


def _has_trials(shop: Shop) -> bool:
    return any(rule.mode == "shadow" for rule in shop.rulebook.current().rules)


# --- writing -------------------------------------------------------------------------------------------------

_attempts = cast(Table, Attempt.__table__)
_trials = cast(Table, TrialResult.__table__)
_OPEN = _attempts.c.closed_at.is_(None)


@retrying
def _keep(
    asker: Asker,
    wishes: Iterable[Wish],
    *,
    removed: Sequence[str] = (),
    trials: Sequence[Mapping[str, Any]] | None = None,
    at_checkout: bool = False,
) -> None:
    """Write the wishes of one cart. `trials` None leaves those of the cart alone, otherwise they replace them."""
    source = f"cart:{asker.caller}"
    stale = trials is not None and _is_known(get_session(), source)
    rows = [_row(asker, wish, at_checkout) for wish in wishes]
    if not (rows or removed or trials or stale):
        return
    with write() as session:
        if rows:
            session.execute(_wishing(session.get_bind().dialect.name).values(rows))
        if removed:
            session.execute(
                update(_attempts)
                .where(_OPEN, _attempts.c.caller == asker.caller, _attempts.c.sku.in_(removed))
                .values(ending="removed", last_at=now())
            )
        if stale:
            session.execute(delete(_trials).where(_trials.c.source == source))
        if trials:
            keep_trials(session, source, trials, company_id=asker.as_row()["company_id"])


def _row(asker: Asker, wish: Wish, at_checkout: bool) -> dict[str, Any]:
    moment = now()
    return {
        **asker.as_row(),
        **wish.as_row(),
        "at_checkout": at_checkout,
        "first_at": moment,
        "last_at": moment,
        "ending": "",
    }


def _is_known(session: Session, source: str) -> bool:
    return session.scalar(select(TrialResult.id).where(TrialResult.source == source).limit(1)) is not None


@cache
def _wishing(dialect: str) -> Any:
    """Insert a wish, or tell an open one what was asked last; a lighter answer does not cover a graver one."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(_attempts)
    new, old = statement.excluded, _attempts.c
    is_worse = new["rank"] >= old["rank"]
    graver = {
        name: case((is_worse, new[name]), else_=old[name])
        for name in ("asked", "need", "missing", "amount_minor", "outcome", "rank", "field")
    }
    return statement.on_conflict_do_update(
        index_elements=["caller", "sku", "code"],
        index_where=_OPEN,
        set_={
            **graver,
            "at_checkout": or_(old["at_checkout"], new["at_checkout"]),
            "last_at": new["last_at"],
            "ending": "",
        },
    )


def keep_trials(
    session: Session,
    source: str,
    trials: Sequence[Mapping[str, Any]],
    *,
    company_id: int | None,
    order_id: int | None = None,
    on: Any = None,
    at: Any = None,
) -> None:
    """Write what the shadow rules would have made of one source; once written it stays."""
    rows = [
        {
            **one,
            "source": source,
            "company_id": company_id,
            "order_id": order_id,
            "on": on or today(),
            "at": at or now(),
        }
        for one in trials
    ]
    dialect = session.get_bind().dialect.name
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(_trials)
    session.execute(statement.on_conflict_do_nothing(index_elements=["code", "source"]).values(rows))


# --- confirming and signing in -------------------------------------------------------------------------------


def refused_at_checkout(asker: Asker, priced: Any, shortages: Iterable[Any]) -> None:
    """An order was refused on confirming, through whichever door."""
    decision, shop = priced.decision, current_shop()
    wishes = wishes_of(priced, shop.rulebook.current())
    amounts = {each.line.sku: each.line.amount for each in priced.lines}
    wishes += [short_of(one.sku, one.wanted, one.orderable, amounts.get(one.sku)) for one in shortages]
    refused = [wish for wish in wishes if wish.as_row()["rank"] >= REFUSED]
    trials = trials_of(decision.as_json(), decision.currency) if _has_trials(shop) else None
    if refused or trials:
        _keep(asker, refused, trials=trials, at_checkout=True)


def merged(token: str, owner: CartOwner) -> None:
    """A visitor signed in: what the visitor's cart met is the buyer's now, where the buyer's did not meet the same."""
    old, new = caller_of(CartOwner(token=token)), caller_of(owner)

    def work() -> None:
        mine = _attempts.alias("mine")
        is_mine = (
            select(mine.c.id)
            .where(mine.c.caller == new, mine.c.sku == _attempts.c.sku, mine.c.code == _attempts.c.code)
            .where(mine.c.closed_at.is_(None))
            .exists()
        )
        if (
            get_session().scalar(
                select(Attempt.id).where(Attempt.caller == old, Attempt.closed_at.is_(None)).limit(1)
            )
            is None
        ):
            return
        with write() as session:
            session.execute(delete(_attempts).where(_OPEN, _attempts.c.caller == old, is_mine))
            session.execute(
                update(_attempts)
                .where(_OPEN, _attempts.c.caller == old)
                .values(caller=new, company_id=owner.company_id)
            )
            session.execute(delete(_trials).where(_trials.c.source == f"cart:{old}"))

    afterwards(work)
