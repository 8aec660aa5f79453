"""Quotation requests at the desk: the list, one with what the rules and its margin say, and its answer.

One button answers and lets exactly that company order exactly those products until the answer's last day.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from rules import Decision, Issue
from rules.money import to_minor
from storefront.access import current_person, staff
from storefront.accounts import Company
from storefront.admin.desk import asked, bp, contains, page_of
from storefront.admin.exceptions import judge_until, may_except, read_day, said
from storefront.catalog import Product
from storefront.clock import today
from storefront.database import get_session
from storefront.forms import clean
from storefront.language import _
from storefront.pricing import Wanted
from storefront.pricing.trials import decide_by
from storefront.quotations import OPEN, STATES, QuotationLine, QuotationRequest, answering, opening, words
from storefront.quotations.opening import Offer, Opening
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop

VALID_DAYS = 30  # what the form proposes
LONGEST_TEXT = 2000


@dataclass
class Answer:
    """The form as typed: prices by line id, the text, the last day; and what is wrong with them."""

    prices: dict[int, str] = field(default_factory=dict)
    text: str = ""
    until: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    left: list[Issue] = field(default_factory=list)

    @property
    def faults(self) -> list[tuple[str, str]]:
        return list(self.errors.items())


@dataclass(frozen=True)
class Row:
    """A line beside what the rules say of it today. `margin` is of today's price, before fees; None is unknown."""

    line: QuotationLine
    price: Decimal | None
    per: int
    issues: Sequence[Issue]
    cost: Decimal | None
    margin: int | None


@bp.get("/quotations")
@staff
def quotations() -> str:
    """The list; those that wait for an answer stand first."""
    state, words_asked = asked("state", 16), asked("q")
    query = (
        select(QuotationRequest)
        .join(Company, Company.id == QuotationRequest.company_id)
        .order_by(
            (QuotationRequest.state != "received"),
            QuotationRequest.created_at.desc(),
            QuotationRequest.id.desc(),
        )
    )
    if state in STATES:
        query = query.where(QuotationRequest.state == state)
    else:
        state = ""
    if words_asked:
        query = query.where(contains(words_asked, QuotationRequest.number, Company.code, Company.name))
    loaded = query.options(joinedload(QuotationRequest.company), selectinload(QuotationRequest.lines))
    on = today()
    page = page_of(get_session(), loaded, 25)
    return render_template(
        "admin/quotations.html",
        page=page,
        shown={one.id: words.shown_state(one, on) for one in page.items},
        looks=words.DESK_WORDS,
        states=[("", _("All")), *((key, _(words.DESK_WORDS[key][0])) for key in STATES)],
        filters={"state": state, "q": words_asked},
    )


def _request(number: str) -> QuotationRequest:
    query = select(QuotationRequest).where(QuotationRequest.number == number)
    found = (
        get_session()
        .scalars(
            query.options(
                joinedload(QuotationRequest.company),
                joinedload(QuotationRequest.user),
                joinedload(QuotationRequest.answerer),
                selectinload(QuotationRequest.lines),
            )
        )
        .unique()
        .one_or_none()
    )
    if found is None:
        abort(404)
    return found


@bp.get("/quotations/<number>")
@staff
def quotation(number: str) -> ResponseReturnValue:
    """One request: what was asked and why, what the rules and the margin say, and the answer."""
    found = _request(number)
    until = (today() + timedelta(days=VALID_DAYS)).isoformat()
    prices = {line.id: str(line.unit_price) for line in found.lines if line.unit_price is not None}
    return _page(
        found, Answer(prices, found.answer, found.valid_until.isoformat() if found.valid_until else until)
    )


def _page(found: QuotationRequest, answer: Answer, status: int = 200) -> ResponseReturnValue:
    decision = _today(found)
    page = render_template(
        "admin/quotation.html",
        asked=found,
        rows=_rows(found, decision),
        decision=decision,
        state=words.shown_state(found, today()),
        looks=words.DESK_WORDS,
        purpose=_(words.PURPOSES[found.purpose]),
        answer=answer,
        is_open=found.state in OPEN,
        is_ordered=any(line.is_open for line in found.lines),
        on=today(),
    )
    return page, status


def _today(found: QuotationRequest) -> Decision | None:
    """What the rules decide of the lines today; None when they decide nothing."""
    try:
        ruleset = current_shop().rulebook.current()
    except NoRulesError:
        return None
    wanted = [Wanted(line.sku, line.quantity, str(line.id)) for line in found.lines]
    return decide_by(ruleset, get_session(), found.company, wanted, shop=current_shop(), on=today())


def _rows(found: QuotationRequest, decision: Decision | None) -> list[Row]:
    skus = [line.sku for line in found.lines]
    costs = dict(get_session().execute(select(Product.sku, Product.cost).where(Product.sku.in_(skus))).all())
    decided = {one.id: one for one in decision.lines} if decision is not None else {}
    rows = []
    for line in found.lines:
        mine, cost = decided.get(str(line.id)), costs.get(line.sku)
        issues = [one for one in decision.issues if str(line.id) in one.lines] if decision is not None else []
        amount = mine.amount if mine is not None else None
        margin = None
        if amount is not None and cost is not None:
            margin = amount - to_minor(cost * line.quantity, found.currency)
        price, per = (mine.unit_price, mine.per) if mine is not None else (None, 1)
        rows.append(Row(line, price, per, issues, cost, margin))
    return rows


@bp.post("/quotations/<number>")
@staff
def quotation_decide(number: str) -> ResponseReturnValue:
    """Press one of the buttons: answer, answer and let it be ordered, decline, close."""
    found, person = _request(number), current_person()
    assert person is not None
    form, do = request.form, request.form.get("do", "")
    answer = Answer(
        {line.id: clean(form.get(f"price-{line.id}"))[:40] for line in found.lines},
        clean(form.get("text"), lines=True),
        clean(form.get("until"))[:10],
    )
    if do not in ("answer", "open", "decline", "close"):
        abort(400)
    if do == "open" and not may_except():
        abort(403)
    if found.state not in OPEN:
        return _too_late(number)
    if len(answer.text) > LONGEST_TEXT:
        answer.errors["text"] = _("At most %(most)s characters.", most=LONGEST_TEXT)
    if do == "decline" and not answer.text:
        answer.errors["text"] = _("Write why; the customer reads it.")
    if answer.errors:
        return _page(found, answer, 422)
    if do == "close":
        is_done = answering.close(found.id, person)
        return _done(number, is_done, _("The request %(number)s is closed.", number=number))
    if do == "decline":
        is_done = answering.decline(found.id, person, answer.text)
        return _done(number, is_done, _("The customer is told that we cannot offer it."))
    return _answered(found, answer, is_opening=do == "open")


def _too_late(number: str) -> ResponseReturnValue:
    flash(_("Somebody has decided this request in the meantime."), "warn")
    return redirect(url_for("admin.quotation", number=number), 303)


def _done(number: str, is_done: bool, sentence: str) -> ResponseReturnValue:
    if not is_done:
        return _too_late(number)
    flash(sentence, "ok")
    return redirect(url_for("admin.quotation", number=number), 303)


def _answered(found: QuotationRequest, answer: Answer, *, is_opening: bool) -> ResponseReturnValue:
    """Answer; with `is_opening` write the files first, and nothing at all when they would not do."""
    person, shop, on = current_person(), current_shop(), today()
    assert person is not None
    if is_opening and any(line.is_open for line in found.lines):
        flash(_("This request can be ordered already. Change its exceptions instead."), "warn")
        return redirect(url_for("admin.quotation", number=found.number), 303)
    offers = _offers(found, answer)
    until = read_day(answer.until, "until", answer.errors)
    if until is not None:
        judge_until(until, on, "until", answer.errors)
    if answer.errors or until is None:
        return _page(found, answer, 422)
    plan = None
    reason = f"quotation {found.number}"
    if is_opening:
        plan = opening.plan(get_session(), shop, found, offers, on=on, until=until, person=person)
        if not plan.is_good:
            return _refused(found, answer, plan)
        failed = opening.write_files(shop, plan, actor=person.email, reason=reason)
        if failed is not None:
            answer.findings = said(failed.findings)
            answer.errors["text"] = _("The files could not be written; nothing was answered. Try again.")
            return _page(found, answer, 409)
    is_done = answering.answer(
        found.id, person, offers=offers, text=answer.text, valid_until=until, opening=plan
    )
    if not is_done and plan is not None:
        opening.take_back(shop, plan, actor=person.email, reason=reason)
    sentence = (
        _("Answered, and the customer can order it until %(day)s.", day=until.isoformat())
        if is_opening
        else _("The answer is on its way.")
    )
    return _done(found.number, is_done, sentence)


def _refused(found: QuotationRequest, answer: Answer, plan: Opening) -> ResponseReturnValue:
    """Why the lines cannot be opened; nothing was written and nobody was told."""
    answer.findings, answer.left = said(plan.findings), plan.left
    answer.errors["text"] = _(
        "No exception can open this as it stands; see below. Nothing was written or sent."
    )
    if any(issue.code == "no_price" for issue in plan.left):
        first = next((line for line in found.lines if not answer.prices.get(line.id)), found.lines[0])
        answer.errors = {f"price-{first.id}": _("The rules name no price; enter the one you offer.")}
    return _page(found, answer, 422)


def _offers(found: QuotationRequest, answer: Answer) -> list[Offer]:
    """The prices that were typed, for the pieces that the rules' own price is for."""
    rows = {row.line.id: row for row in _rows(found, _today(found))}
    offers = []
    for line in found.lines:
        typed, per = answer.prices.get(line.id, ""), rows[line.id].per
        price = read_price(typed) if typed else None
        if typed and price is None:
            answer.errors[f"price-{line.id}"] = _("Enter a price, like 97.50 or 1,200.")
        offers.append(Offer(line, price, per))
    return offers


def read_price(typed: str) -> Decimal | None:
    """A price of at most six decimals and twelve digits before the point; None for anything else."""
    plain = unicodedata.normalize("NFKC", typed).replace(",", "").strip().lstrip("¥£$€").strip()
    return Decimal(plain) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", plain) else None
