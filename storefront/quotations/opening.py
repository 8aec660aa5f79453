"""What must change so that exactly this company can order a line as we answered it: exceptions, and a price rule.

Finds the changes by asking the rules themselves, tries them on a draft of the folder, and only then writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import tomlkit
from sqlalchemy.orm import Session

from rules import Decision, Finding, Issue, Rule, RuleException, Ruleset
from rules.money import plain, to_major
from rules.ruleset import OrderEffect, QuantityEffect, WhenLine
from storefront.accounts import Company, User
from storefront.exceptions.files import (
    FOLDER,
    NewException,
    change_of,
    path_of,
    text_of,
    with_from,
    with_until,
)
from storefront.pricing import Wanted
from storefront.pricing.trials import decide_by, prices_of
from storefront.quotations.models import QuotationLine, QuotationRequest
from storefront.shop import Shop
from storefront.shop_folder import files as shop_files

ROUNDS = 5  # a change may let the next rule speak; more than this is no small exception any more
STOPS = ("block", "quotation")
FIRST_PRICE = 9000  # price rules of quotations are PR9000 and up, apart from the owner's own


@dataclass
class Opening:
    """Files to write, and what is left that no exception can change: issues of the rules, or findings of the check."""

    files: dict[str, str | None] = field(default_factory=dict)  # None: the file goes
    before: dict[str, shop_files.ShopFile] = field(default_factory=dict)  # those that stand there now
    by_line: dict[int, list[str]] = field(default_factory=dict)  # line id to its files
    left: list[Issue] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    decision: Decision | None = None
    is_undecided: bool = False

    @property
    def is_good(self) -> bool:
        return not self.left and not self.findings and not self.is_undecided


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered for one line: a price for `per` pieces, or None for the price that the rules make."""

    line: QuotationLine
    unit_price: Decimal | None
    per: int


class _Plan:
    """The changes as they grow: for each rule and line the keys of its exception."""

    def __init__(
        self, session: Session, shop: Shop, request: QuotationRequest, offers: Sequence[Offer], on: date
    ) -> None:
        self.session, self.shop, self.request, self.on = session, shop, request, on
        self.offers = offers
        self.changes: dict[tuple[str, int], dict[str, Any]] = {}

    def add(self, ruleset: Ruleset, issue: Issue, decision: Decision) -> bool:
        """Let the rule of this issue allow what was asked for; False when no exception can."""
        rule = next((one for one in ruleset.rules if one.code == issue.code), None)
        if rule is None:
            return False
        places = [int(line) for line in issue.lines] or list(range(len(self.offers)))
        added = False
        for place in places:
            offer = self.offers[place]
            change = _change(rule, issue, offer.line.quantity, decision)
            known = self.changes.get((rule.code, place), {})
            if any(known.get(key) != value for key, value in change.items()):
                self.changes[rule.code, place] = known | change
                added = True
        return added


def _change(rule: Rule, issue: Issue, quantity: int, decision: Decision) -> dict[str, Any]:
    """The keys of the rule's table that let this quantity pass; empty when the rule cannot be changed so."""
    if rule.group == "CA":  # shown to those signed in: for a known customer that is a plain price
        return {"price": "login"} if issue.outcome == "quotation" else {}
    if isinstance(rule.effect, QuantityEffect):
        effect = rule.effect
        if issue.field == "allowed":
            return {"allowed": sorted({*(effect.allowed or ()), quantity})}
        if issue.field in ("minimum", "maximum", "multiple"):
            return {issue.field: quantity}
    if isinstance(rule.effect, OrderEffect) and issue.field in ("minimum", "maximum") and decision.goods > 0:
        return {issue.field: _major(decision.goods, decision.currency)}
    return {}


def _major(minor: int, currency: str) -> Decimal | int:
    amount = to_major(minor, currency)
    return int(amount) if amount == amount.to_integral_value() else amount


def plan(
    session: Session,
    shop: Shop,
    request: QuotationRequest,
    offers: Sequence[Offer],
    *,
    on: date,
    until: date,
    person: User,
) -> Opening:
    """What would have to be written; nothing is. Asks the rules, changes what stops the lines, and asks again."""
    ruleset = shop.rulebook.current()
    company = request.company
    working = _Plan(session, shop, request, offers, on)
    earlier = _earlier_prices(
        ruleset, company, {one.line.sku for one in offers if one.unit_price is not None}, on
    )
    usual = replace(ruleset, rules=tuple(one for one in ruleset.rules if one not in earlier), compiled={})
    prices = _price_files(
        usual, request, offers, on, until, session, shop, company, {one.code for one in earlier}
    )
    opening = Opening()
    for _round in range(ROUNDS):
        opening = _files(working, ruleset, prices, until, person)
        for rule in earlier:
            _end(shop, opening, rule.path, rule.from_on, on)
        loaded = shop_files.check_draft(shop, opening.files) if opening.files else None
        if loaded is not None:
            brought, _others = shop_files.sort_errors(shop, loaded, opening.files)
            if brought:
                opening.findings = brought
                return opening
        draft = loaded.parsed if loaded is not None and loaded.parsed is not None else ruleset
        decision = decide_by(draft, session, company, _wanted(offers), shop=shop, on=on)
        opening.decision = decision
        if decision is None:
            opening.is_undecided = True
            return opening
        stopping = [issue for issue in decision.issues if issue.outcome in STOPS]
        if not stopping:
            return opening
        grown = [working.add(draft, issue, decision) for issue in stopping]
        if not any(grown):
            opening.left = stopping
            return opening
    opening.left = [issue for issue in (decision.issues if decision else ()) if issue.outcome in STOPS]
    return opening


def _wanted(offers: Sequence[Offer]) -> list[Wanted]:
    return [Wanted(one.line.sku, one.line.quantity, str(place)) for place, one in enumerate(offers)]


def _files(
    working: _Plan, ruleset: Ruleset, prices: Mapping[int, tuple[str, str]], until: date, person: User
) -> Opening:
    """The texts of the plan as it stands."""
    opening = Opening()
    request, on = working.request, working.on
    folder = working.shop.settings.folder / FOLDER
    taken = {f"{FOLDER}/{path.name}" for path in folder.glob("*.toml")} if folder.is_dir() else set()
    for place, (path, text) in prices.items():
        opening.files[path] = text
        opening.by_line.setdefault(working.offers[place].line.id, []).append(path)
    for (code, place), change in sorted(working.changes.items()):
        line = working.offers[place].line
        standing = [
            one for one in ruleset.exceptions if _is_met(one, code, request.company.code, line.sku, on, until)
        ]
        for one in standing:
            text = shop_files.read(working.shop, one.path).text
            change = change_of(text) | change
            if (
                one.until_on is not None and one.until_on > until
            ):  # what was agreed for longer comes back afterwards
                rest = path_of(code, request.company.code, on, taken | opening.files.keys())
                opening.files[rest] = with_from(text, until + timedelta(days=1))
            _end(working.shop, opening, one.path, one.from_on, on)
        path = path_of(code, request.company.code, on, taken | opening.files.keys())
        new = NewException(
            code, request.company.code, line.sku, change, f"見積り {request.number} / quotation {request.number}",
            person.name or person.email, on, until,
        )  # fmt: skip
        opening.files[path] = text_of(new)
        opening.by_line.setdefault(line.id, []).append(path)
    return opening


def _is_met(one: RuleException, code: str, customer: str, sku: str, on: date, until: date) -> bool:
    """Whether an exception stands for the same rule, customer and product on one of these days."""
    is_same = (one.rule, one.customer, one.sku) == (code, customer, sku) and bool(one.path)
    starts = one.from_on is None or one.from_on <= until
    return is_same and starts and (one.until_on is None or one.until_on >= on)


def _end(shop: Shop, opening: Opening, path: str, from_on: date | None, on: date) -> None:
    """Let a file end yesterday; one that begins today or later goes."""
    there = opening.before[path] = shop_files.read(shop, path)
    yesterday = on - timedelta(days=1)
    is_gone = from_on is not None and from_on > yesterday
    opening.files[path] = None if is_gone else with_until(there.text, yesterday)


def _earlier_prices(ruleset: Ruleset, company: Company, skus: set[str], on: date) -> list[Rule]:
    """Prices of earlier quotations for the same company and products: a new answer takes their place."""
    found = []
    for rule in ruleset.rules:
        if (
            rule.group != "PR"
            or int(rule.code[2:]) < FIRST_PRICE
            or not (rule.until_on and rule.until_on >= on)
        ):
            continue
        named = {one.fact: one.conditions[0].value for one in rule.when if isinstance(one, WhenLine)}
        if named.get("customer.code") == company.code and named.get("product.sku") in skus:
            found.append(rule)
    return found


def _price_files(
    ruleset: Ruleset,
    request: QuotationRequest,
    offers: Sequence[Offer],
    on: date,
    until: date,
    session: Session,
    shop: Shop,
    company: Company,
    taken: set[str],
) -> dict[int, tuple[str, str]]:
    """For each line that is offered at a price of its own: path and text of the rule that says so."""
    codes = {rule.code for rule in ruleset.rules if rule.group == "PR"} | taken
    used = {int(code[2:]) for code in codes}
    number = FIRST_PRICE
    found = {}
    for place, offer in enumerate(offers):
        if offer.unit_price is None:
            continue
        while number in used:
            number += 1
        used.add(number)
        code = f"PR{number}"
        stop = _cheaper_from(ruleset, session, shop, company, offer, on)
        found[place] = (
            f"rules/{code}_{request.number}.toml",
            price_rule(code, request, offer, on, until, stop),
        )
    return found


def _cheaper_from(
    ruleset: Ruleset, session: Session, shop: Shop, company: Company, offer: Offer, on: date
) -> int | None:
    """The first larger quantity at which the company's own price is lower than the offered one."""
    assert offer.unit_price is not None
    for row in prices_of(ruleset, session, company, offer.line.sku, shop=shop, on=on):
        if row.start <= offer.line.quantity or row.unit_price is None:
            continue
        if row.unit_price * offer.per < offer.unit_price * row.per:
            return row.start
    return None


def price_rule(
    code: str, request: QuotationRequest, offer: Offer, on: date, until: date, stop: int | None
) -> str:
    """A price rule for one company and product, from the quantity that was asked for until the answer's last day.

    In the last lane, so that it is the price whatever stands before; `stop` is where the usual price is lower again.
    """
    assert offer.unit_price is not None
    usual = f", {{from = {stop}, off_percent = 0}}" if stop is not None else ""
    per = f"per = {offer.per}\n" if offer.per != 1 else ""
    number = request.number
    return f"""\
code = {_quoted(code)}
name = {{ja = {_quoted(f"見積価格 {number}")}, en = {_quoted(f"Price of quotation {number}")}}}
because = {{ja = {_quoted(f"お見積り {number} の価格です")}, en = {_quoted(f"The price of our quotation {number}")}}}
note = {_quoted(f"/admin/quotations/{number}")}
from = {on.isoformat()}
until = {until.isoformat()}
accept = ["rule-without-case", "expired", "price-cliff", "dearer-lane", "break-off-quantity", "above-list"]

[when]
"customer.code" = {_quoted(request.company.code)}
"product.sku" = {_quoted(offer.line.sku)}

[price]
lane = "promotion"
{per}breaks = [{{from = {offer.line.quantity}, unit = {plain(offer.unit_price)}}}{usual}]
"""


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    return tomlkit.item(text).as_string()


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A file could not be put into the folder; those written before it were taken back. `findings` say why."""

    findings: tuple[Finding, ...] = ()


def write_files(shop: Shop, opening: Opening, *, actor: str, reason: str) -> NotWritten | None:
    """Put all files of the plan into the folder, or none of them. None: they stand there.

    What ends goes first, so that the folder is right after every single file.
    """
    done: list[str] = []
    for path in sorted(opening.files, key=lambda one: (one not in opening.before, one)):
        there = opening.before.get(path)
        expected = there.etag if there is not None else ""
        saved = shop_files.save(
            shop, path, opening.files[path], expected=expected, actor=actor, reason=reason
        )
        if not isinstance(saved, shop_files.Saved):
            _undo(shop, opening, done, actor, reason)
            return NotWritten(saved.findings if isinstance(saved, shop_files.Invalid) else ())
        done.append(path)
    return None


def take_back(shop: Shop, opening: Opening, *, actor: str, reason: str) -> None:
    """Undo files that were written for an answer that nobody gave; a file changed since then stays."""
    _undo(
        shop, opening, sorted(opening.files, key=lambda one: (one not in opening.before, one)), actor, reason
    )


def _undo(shop: Shop, opening: Opening, done: Sequence[str], actor: str, reason: str) -> None:
    for path in reversed(done):
        text, there = opening.files[path], opening.before.get(path)
        now = "" if text is None else shop_files.etag_of(text.encode())
        before = there.text if there is not None else None
        shop_files.save(shop, path, before, expected=now, actor=actor, reason=f"{reason}: taken back")
