"""Prices a cart: its lines become facts, evaluate decides, and each line gets what a page shows beside it.

Prices are never kept: the same cart asked again is evaluated again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sqlalchemy import Row
from sqlalchemy.orm import Session

import rules
from rules import Cart, Decision, Line, Method, ShipTo
from rules.advice import Advice, advise
from rules.decision import Fix, Issue, LineDecision
from rules.offers import Offer
from storefront.lead_times import TierOffer, offers_of
from storefront.pricing.facts import customer_facts, product_facts, products_by_sku

if TYPE_CHECKING:
    from storefront.accounts.models import Company
    from storefront.shop import Shop


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line as a cart keeps it: what and how many pieces, never a price."""

    sku: str
    quantity: int
    line_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line for a page: its decision, the product's row, and the issues that name it."""

    line: LineDecision
    product: Row[Any]
    issues: tuple[Issue, ...]
    fixes: tuple[Fix, ...]
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A decided cart. `missing` are wanted lines whose product is gone; `fingerprint` names what the buyer saw."""

    decision: Decision
    lines: tuple[PricedLine, ...]
    missing: tuple[Wanted, ...]
    fingerprint: str
    lead_times: tuple[TierOffer, ...] = ()

    @property
    def lead_time(self) -> TierOffer | None:
        """The chosen tier with its promise; None where no rule offers tiers, none was chosen, or it is refused."""
        return next((each for each in self.lead_times if each.tier.chosen and each.is_offered), None)

    def issues_of_order(self) -> tuple[Issue, ...]:
        """Issues that name no line: order minimum, credit, methods."""
        return tuple(issue for issue in self.decision.issues if not issue.lines)


class OrderFacts(TypedDict, total=False):
    """What rules may look at beside lines and customer, as rules.Cart has it; what is left out has its default."""

    channel: str
    purpose: str
    ship_to: ShipTo
    shipping_quotes: tuple[Method, ...] | None  # None: not asked yet
    payment_methods: tuple[Method, ...] | None
    shipping: str | None
    payment: str | None
    delivery: date | None
    lead_time: str | None
    placing: bool


def price(
    session: Session,
    company: Company | None,
    lines: Sequence[Wanted],
    *,
    shop: Shop,
    on: date,
    moment: datetime | None = None,
    fixes: bool = True,
    offers: Mapping[str, Offer] | None = None,
    matcher: str = "indexed",
    rows: Mapping[str, Row[Any]] | None = None,
    **order: Unpack[OrderFacts],
) -> PricedCart | None:
    """Decide a cart. None when nothing of it can be priced (empty, or every product is gone).

    `offers` are this customer's price tables by SKU: with them each line has its advice, a larger quantity that costs
    less, or a better price that is near.
    `moment` is when the order is placed or looked at: with it each lead time has the day it can promise.
    `rows` are products by SKU that the caller has read already; without them one query reads them.
    Raises rules.TieError, rules.errors.MatcherError and storefront.rulebook.NoRulesError; the caller refuses then.
    """
    edition = shop.rulebook.edition()
    if rows is None:
        rows = products_by_sku(session, {wanted.sku for wanted in lines})
    present = tuple(_fact(wanted, rows[wanted.sku]) for wanted in lines if wanted.sku in rows)
    missing = tuple(wanted for wanted in lines if wanted.sku not in rows)
    if not present:
        return None
    cart = Cart(present, customer_facts(session, company, on, shop), **order)
    chosen = {"matcher": shop.rulebook.checkout_matcher} if matcher == "durable" else {}
    decision = rules.evaluate(edition.ruleset, cart, on, fixes=fixes, **chosen)
    hints = {hint.line: hint for hint in advise(edition.ruleset, cart, on, offers)} if offers else {}
    tiers = () if moment is None else offers_of(session, shop, decision, moment, is_placing=cart.placing)
    chosen_tier = next((each for each in tiers if each.tier.chosen), None)
    return PricedCart(
        decision, _priced_lines(decision, rows, hints), missing, fingerprint(decision, chosen_tier), tiers
    )


def _fact(wanted: Wanted, row: Row[Any]) -> Line:
    return Line(wanted.line_id, product_facts(row), wanted.quantity, wanted.attributes)


def _priced_lines(
    decision: Decision, rows: Mapping[str, Row[Any]], hints: Mapping[str, Advice]
) -> tuple[PricedLine, ...]:
    by_line: dict[str, list[Issue]] = {}
    for issue in decision.issues:
        for line_id in issue.lines:
            by_line.setdefault(line_id, []).append(issue)
    return tuple(
        PricedLine(line, rows[line.sku], tuple(own), _fixes_of(line.id, own), hints.get(line.id))
        for line in decision.lines
        for own in (by_line.get(line.id, []),)
    )


def _fixes_of(line_id: str, issues: Iterable[Issue]) -> tuple[Fix, ...]:
    """Every quantity issue of a line carries the same fixes; the first one's are enough."""
    for issue in issues:
        own = tuple(fix for fix in issue.fixes if fix.line == line_id)
        if own:
            return own
    return ()


def fingerprint(decision: Decision, lead_time: TierOffer | None = None) -> str:
    """A hash of everything a buyer agrees to: what, how many, each price, charge, tax, method, refusal and day."""
    seen: list[Any] = [
        [
            (one.sku, one.quantity, str(one.unit_price), one.per, one.amount, one.tax)
            for one in decision.lines
        ],
        [(one.code, one.amount, one.tax) for one in decision.surcharges],
        [(one.code, one.amount) for one in decision.discounts],
        [(one.code, one.outcome, one.lines) for one in decision.issues],
        [(one.category, str(one.rate), one.base, one.amount) for one in decision.tax],
        decision.terms and [decision.terms.code, dict(decision.terms.values)],
        [decision.currency, decision.subtotal, decision.total],
    ]
    if lead_time is not None:
        day = lead_time.promise.ready_on if lead_time.promise else None
        seen.append([lead_time.tier.by, lead_time.code, day])
    text = json.dumps(seen, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
