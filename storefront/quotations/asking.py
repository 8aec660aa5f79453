"""A request being written: which lines, why the rules do not sell them as they stand, and what was typed.

Reasons come from the rules at the moment of asking, never from the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from rules import CartError, Issue, MatcherError, TieError
from rules.facts import PURPOSES
from storefront import cart, explained, pricing
from storefront.accounts import Company, User
from storefront.catalog import shelf
from storefront.clock import now
from storefront.database import write
from storefront.forms import clean
from storefront.language import _
from storefront.orders.numbers import next_number
from storefront.pricing import PricedCart, Wanted
from storefront.quantity import MAX_QUANTITY, QuantityRefused, parse_quantity
from storefront.quotations.models import QuotationLine, QuotationRequest
from storefront.rulebook import NoRulesError
from storefront.shop import Shop

SERIES = "Q"
MOST_LINES = 50
LONGEST_MESSAGE = 2000
LONGEST_KEY = 64


@dataclass
class AskedLine:
    """A line of the form: what was typed, and what the rules say of it. An empty quantity leaves the line out."""

    sku: str
    row: Any
    typed: str
    per_year_typed: str = ""
    quantity: int | None = None
    per_year: int | None = None
    issues: Sequence[Issue] = ()
    price: str = ""
    error: str = ""
    per_year_error: str = ""


@dataclass
class Asked:
    """The whole form."""

    key: str
    lines: list[AskedLine] = field(default_factory=list)
    purpose: str = "normal"
    wanted_typed: str = ""
    wanted_on: date | None = None
    message: str = ""
    issues: Sequence[Issue] = ()  # of the whole cart
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """For the list on top of the form: field and sentence."""
        of_lines = [
            (f"{name}-{place}", sentence)
            for place, line in enumerate(self.lines)
            for name, sentence in (("quantity", line.error), ("per-year", line.per_year_error))
            if sentence
        ]
        return of_lines + list(self.errors.items())

    @property
    def kept(self) -> list[AskedLine]:
        """The lines that are asked for."""
        return [line for line in self.lines if line.quantity is not None]


def from_cart(session: Session, shop: Shop, company: Company, on: date, key: str) -> Asked:
    """The lines of the cart that need a quotation; all of them when it is the whole order that does."""
    found = cart.lines_of(session, cart.owner(), held=False)
    asked = _asked(session, shop, company, on, [(line.sku, str(line.quantity)) for line in found], key)
    stopped = [line for line in asked.lines if any(one.outcome == "quotation" for one in line.issues)]
    refused = [line for line in asked.lines if any(one.outcome == "block" for one in line.issues)]
    is_whole = any(one.outcome in ("quotation", "block") for one in asked.issues)
    if not is_whole:
        asked.lines = stopped or refused or asked.lines
    return asked


def from_pairs(
    session: Session, shop: Shop, company: Company, on: date, pairs: Iterable[tuple[str, str]], key: str
) -> Asked:
    """Lines named in the address by a product page, the quick order or the cart."""
    return _asked(session, shop, company, on, list(pairs)[:MOST_LINES], key)


def from_form(session: Session, shop: Shop, company: Company, on: date, form: MultiDict[str, str]) -> Asked:
    """What was posted: read, priced again, and each thing that is wrong beside its field."""
    key = clean(form.get("key"))[:LONGEST_KEY]
    skus, quantities = form.getlist("sku")[:MOST_LINES], form.getlist("quantity")[:MOST_LINES]
    asked = _asked(session, shop, company, on, list(zip(skus, quantities, strict=False)), key)
    years = dict(zip(skus, form.getlist("per_year"), strict=False))
    for line in asked.lines:
        _read_year(line, years.get(line.sku, ""))
    asked.purpose = form.get("purpose", "normal")
    if asked.purpose not in PURPOSES:
        asked.purpose = "normal"
    asked.wanted_typed = clean(form.get("wanted_on"))[:10]
    if asked.wanted_typed:
        try:
            asked.wanted_on = date.fromisoformat(asked.wanted_typed)
        except ValueError:
            asked.errors["wanted_on"] = _("Enter a day, like %(day)s.", day=on.isoformat())
    if asked.wanted_on is not None and asked.wanted_on < on:
        asked.errors["wanted_on"] = _("This day is over.")
    asked.message = clean(form.get("message"), lines=True)
    if len(asked.message) > LONGEST_MESSAGE:
        asked.errors["message"] = _("At most %(most)s characters.", most=LONGEST_MESSAGE)
    if not asked.kept and not asked.faults:
        asked.errors["quantity-0"] = _("Ask for at least one product.")
    return asked


def _read_year(line: AskedLine, typed: str) -> None:
    line.per_year_typed = clean(typed)[:40]
    if not line.per_year_typed:
        return
    answer = parse_quantity(line.per_year_typed, line.row)
    if isinstance(answer, QuantityRefused):
        line.per_year_error = answer.sentence
    else:
        line.per_year = answer.quantity


def _asked(
    session: Session, shop: Shop, company: Company, on: date, pairs: Sequence[tuple[str, str]], key: str
) -> Asked:
    """Lines of products that this company may see, one for each SKU, with what the rules say of them together."""
    typed: dict[str, str] = {}
    for sku, quantity in pairs:
        if sku.isprintable() and len(sku) <= 64:
            typed.setdefault(sku, clean(quantity)[:40])
    rows = shelf.rows_of(session, typed) if typed else {}
    offers = pricing.briefs_for(session, company, rows.values(), shop=shop, on=on) if rows else {}
    asked = Asked(key)
    for sku, quantity in typed.items():
        if sku not in rows or offers[sku].is_hidden:
            continue
        line = AskedLine(sku, rows[sku], quantity)
        answer = parse_quantity(quantity, rows[sku]) if quantity else None
        if isinstance(answer, QuantityRefused):
            line.error = answer.sentence
        elif answer is not None:
            line.quantity, line.typed = answer.quantity, str(answer.quantity)
        asked.lines.append(line)
    _explain(session, shop, company, on, asked, rows)
    return asked


def _explain(
    session: Session, shop: Shop, company: Company, on: date, asked: Asked, rows: Mapping[str, Any]
) -> None:
    priced = priced_lines(session, shop, company, on, asked, rows)
    if priced is None:
        return
    by_sku = {one.line.sku: one for one in priced.lines}
    for line in asked.kept:
        found = by_sku.get(line.sku)
        line.issues = explained.worst(found.issues) if found is not None else ()
    if all(
        one.line.amount is not None for one in priced.lines
    ):  # a sum without prices says nothing of the order
        asked.issues = [one for one in explained.worst(priced.issues_of_order()) if one.code not in _METHODS]


_METHODS = ("no_shipping", "no_payment")


def priced_lines(
    session: Session, shop: Shop, company: Company, on: date, asked: Asked, rows: Mapping[str, Any]
) -> PricedCart | None:
    """What the rules say of the lines; None when they say nothing just now. A request can be sent all the same."""
    wanted = [
        Wanted(line.sku, line.quantity, str(place))
        for place, line in enumerate(asked.lines)
        if line.quantity is not None and line.quantity <= MAX_QUANTITY
    ]
    if not wanted:
        return None
    try:
        return pricing.price(session, company, wanted, shop=shop, on=on, rows=rows, fixes=False)
    except (CartError, TieError, MatcherError, NoRulesError):
        return None


class _AskedBeforeError(Exception):
    """The key made a request in the meantime."""


def send(shop: Shop, person: User, asked: Asked) -> tuple[str, bool]:
    """Keep the request and tell both sides; (number, whether it is new). One key is one request, however often sent."""
    assert person.company_id is not None
    with write() as session:
        known = _number_of(session, person.id, asked.key)
    if known is not None:
        return known, False
    try:
        return _keep(shop, person, asked), True
    except _AskedBeforeError:
        with write() as session:
            number = _number_of(session, person.id, asked.key)
        assert number is not None
        return number, False


def _number_of(session: Session, user_id: int, key: str) -> str | None:
    mine = (QuotationRequest.user_id == user_id, QuotationRequest.key == key)
    return session.scalars(select(QuotationRequest.number).where(*mine)).one_or_none()


def _keep(shop: Shop, person: User, asked: Asked) -> str:
    from storefront.quotations.mails import tell

    ruleset = shop.rulebook.current()
    with write() as session:
        number = next_number(
            session, SERIES
        )  # locks the series: a second click waits here and then sees the first
        if _number_of(session, person.id, asked.key) is not None:
            raise _AskedBeforeError
        request = QuotationRequest(
            number=number, company_id=person.company_id, user_id=person.id, key=asked.key, state="received",
            created_at=now(), purpose=asked.purpose, wanted_on=asked.wanted_on, message=asked.message,
            reasons=[reason_json(one) for one in asked.issues], ruleset_hash=ruleset.hash,
            currency=ruleset.policy.currency, answer="",
        )  # fmt: skip
        request.lines = [
            QuotationLine(
                position=place, sku=line.sku, name=dict(line.row.name),
                unit=dict(line.row.sales_unit) if line.row.sales_unit else None, quantity=line.quantity,
                per_year=line.per_year, is_open=False, per=1, files=[],
                reasons=[reason_json(one) for one in line.issues],
            )
            for place, line in enumerate(asked.kept, 1)
        ]  # fmt: skip
        session.add(request)
        session.flush()
        tell(session, request, "received")
        tell(session, request, "asked")
    return number


def reason_json(issue: Issue) -> dict[str, Any]:
    """Why a line or the cart needs a quotation, as it is kept."""
    return {"outcome": issue.outcome, "code": issue.code, **issue.message}
