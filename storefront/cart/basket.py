"""A cart as its page shows it: each line with its price, reasons and ways out, and the sums of what can go.

Two evaluations at most and a fixed number of queries, however many lines there are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from rules import CartError, MatcherError, TieError
from rules.decision import Decision, Fix
from rules.offers import Offer
from storefront import explained, format, pricing
from storefront.access import current_company
from storefront.cart import store
from storefront.cart.store import CartLine, CartOwner
from storefront.catalog import shelf
from storefront.catalog.entries import StockWord, drawing_href, lot_sentence, product_href, stock_word
from storefront.clock import now, today
from storefront.explained import StepRow, Way
from storefront.language import _, text
from storefront.lead_times.words import ready_sentence
from storefront.pricing import PricedCart, PricedLine, Wanted
from storefront.quantity import QuantityRefused
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """A finding on a line or on the order: its outcome, rule, sentence, and the ways out of it."""

    outcome: str
    code: str | None
    message: str
    ways: Sequence[Way] = ()


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of the page."""

    sku: str
    href: str
    name: str
    drawing: str | None
    price: str
    stock: StockWord
    typed: str
    quantity: int
    step: int
    unit: str
    pieces: str
    lot: str
    echo: str | None
    amount: str
    tax: str
    error: str | None
    is_blocked: bool
    notes: Sequence[Note]
    fees: Sequence[tuple[str, str, str]]  # label, amount, code
    save: Way | None
    steps: Sequence[StepRow]


@dataclass(frozen=True, slots=True)
class SumRow:
    """A row of the sums; `kind` is "", "surcharge" or "sum"."""

    label: str
    amount: str
    code: str | None = None
    detail: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """How far the goods are from free shipping, in minor units and in words."""

    code: str
    goods: int
    start: int
    goods_words: str
    start_words: str
    missing: str | None  # None: reached


@dataclass(frozen=True, slots=True)
class Basket:
    """The whole page. `sums` are of the lines that can be ordered; `fault` says why nothing can be priced.

    `priced` is the order without the lines that cannot go, `whole` all that is not set aside, when nothing is gone.
    """

    lines: Sequence[BasketLine] = ()
    held: Sequence[BasketLine] = ()
    gone: Sequence[str] = ()
    sums: Sequence[SumRow] = ()
    order_notes: Sequence[Note] = ()
    total: str = ""
    priced: PricedCart | None = None
    whole: PricedCart | None = None
    fault: str | None = None
    free: FreeShipping | None = None
    ready: str = ""
    reduced: bool = False
    blocked: Sequence[BasketLine] = field(default=())

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.held or self.gone)

    @property
    def going(self) -> int:
        """How many lines the sums are of."""
        return len(self.lines) - len(self.blocked)

    @property
    def is_stopped(self) -> bool:
        """Whether the order as a whole cannot go on, for a reason that is no single line's."""
        return any(note.outcome in ("block", "quotation") for note in self.order_notes)


def read_basket(
    session: Session,
    owner: CartOwner,
    refused: Mapping[str, QuantityRefused] | None = None,
    *,
    rows: Mapping[str, Any] | None = None,
) -> Basket:
    """Read, price and explain the owner's cart.

    `refused` are quantities just typed that could not be read, `rows` the products when the caller has read them.
    """
    lines = store.lines_of(session, owner)
    if not lines:
        return Basket()
    if rows is None:
        rows = shelf.rows_of(session, [line.sku for line in lines])
    try:
        return _read(session, lines, rows, refused or {})
    except (CartError, TieError, MatcherError, NoRulesError) as error:
        # Fail closed: without an answer of the rules nothing is sold, and nothing in the cart is lost.
        log.error("the cart could not be priced: %s", error)
        fault = _(
            "Prices cannot be worked out just now. Your cart is kept; please try again soon or call us."
        )
        return Basket(gone=[line.sku for line in lines], fault=fault)


def _read(
    session: Session,
    lines: Sequence[CartLine],
    rows: Mapping[str, Any],
    refused: Mapping[str, QuantityRefused],
) -> Basket:
    company, shop, on = current_company(), current_shop(), today()
    offers = pricing.offers_for(session, company, rows.values(), shop=shop, on=on)
    here = [line for line in lines if line.sku in rows and not offers[line.sku].is_hidden]
    skus_here = {line.sku for line in here}
    gone = [line.sku for line in lines if line.sku not in skus_here]
    active = [line for line in here if not line.is_held]

    def priced_of(some: Sequence[CartLine], *, whole: bool) -> PricedCart | None:
        wanted = [Wanted(line.sku, line.quantity, str(line.id)) for line in some]
        return pricing.price(
            session, company, wanted, shop=shop, on=on, rows=rows, fixes=whole, moment=now(),
            offers=offers if whole else None,
        )  # fmt: skip

    whole = priced_of(active, whole=True)
    if whole is None:
        held = [_set_aside(line, rows[line.sku], offers[line.sku]) for line in here]
        return Basket(held=held, gone=gone)
    by_id = {line.line.id: line for line in whole.lines}
    stops = {line.sku: _is_stopped(line, by_id[str(line.id)], rows[line.sku], refused) for line in active}
    going = [line for line in active if not stops[line.sku]]
    shown = whole if len(going) == len(active) else priced_of(going, whole=False)
    rates = shop.rulebook.current().policy.rates_on(on)
    explainer = _Explainer(whole, shown, offers, rates)
    page = [explainer.line(line, rows[line.sku], stops[line.sku], refused.get(line.sku)) for line in active]
    return Basket(
        lines=page,
        held=[_set_aside(line, rows[line.sku], offers[line.sku]) for line in here if line.is_held],
        gone=gone,
        sums=sums(shown.decision) if shown else (),
        order_notes=order_notes(shown) if shown else (),
        total=format.money(shown.decision.total, shown.decision.currency) if shown else "",
        priced=shown,
        whole=None if gone else whole,
        free=free_shipping(shown.decision) if shown else None,
        ready=ready_sentence(shown.lead_times) if shown else "",
        reduced=any(row.category == "reduced" for row in (shown.decision.tax if shown else ())),
        blocked=[line for line in page if line.is_blocked],
    )


def _is_stopped(line: CartLine, priced: PricedLine, row: Any, refused: Mapping[str, QuantityRefused]) -> bool:
    return (
        line.sku in refused
        or priced.line.outcome not in explained.ORDERABLE
        or explained.stock_refusal(line.quantity, shelf.level_of(row), row) is not None
    )


def _set_aside(line: CartLine, row: Any, offer: Offer) -> BasketLine:
    """A line that is kept for later: what it is and how many, without a price."""
    return BasketLine(
        sku=line.sku,
        href=product_href(line.sku),
        name=text(row.name),
        drawing=drawing_href(row.drawing),
        price="",
        stock=stock_word(row, shelf.level_of(row), offer.first),
        typed=str(line.quantity),
        quantity=line.quantity,
        step=offer.step,
        unit=format.unit_name(row.sales_unit),
        pieces=format.quantity(line.quantity, row.sales_unit),
        lot=lot_sentence(offer, row),
        echo=None,
        amount="",
        tax="",
        error=None,
        is_blocked=False,
        notes=(),
        fees=(),
        save=None,
        steps=(),
    )


class _Explainer:
    """Lines of one decided cart; changes are told against the sums that the page shows."""

    def __init__(
        self,
        whole: PricedCart,
        shown: PricedCart | None,
        offers: Mapping[str, Offer],
        rates: Mapping[str, Decimal],
    ) -> None:
        self.priced = {line.line.id: line for line in whole.lines}
        self.decision = whole.decision
        self.currency = whole.decision.currency
        self.shown = shown.decision.subtotal if shown else 0
        self.offers = offers
        self.rates = rates
        charged = shown.decision.surcharges if shown else ()
        self.fees: dict[str, list[tuple[str, str, str]]] = {}
        for one in charged:
            if len(one.lines) == 1:
                fee = (text(one.label), format.money(one.amount, self.currency), one.code)
                self.fees.setdefault(one.lines[0], []).append(fee)

    def line(self, line: CartLine, row: Any, is_stopped: bool, refused: QuantityRefused | None) -> BasketLine:
        priced = self.priced[str(line.id)]
        decided, offer, level = priced.line, self.offers[line.sku], shelf.level_of(row)
        fixes = explained.possible(priced.fixes, level)
        issues = explained.worst(priced.issues)
        told = self._ways(fixes, row)
        notes = [
            Note(issue.outcome, issue.code, explained.message(issue), told if place == 0 else ())
            for place, issue in enumerate(issues)
        ]
        if sentence := explained.stock_refusal(line.quantity, level, row):
            notes.insert(0, Note("block", None, sentence, self._what_is_there(level, offer, row)))
        # Of goods priced for one quantity only, as a quotation does, the offer for any quantity names no price.
        has_price = decided.unit_price is not None and (offer.issue is None or offer.issue.code == "no_price")
        price = (
            format.unit_price(decided.unit_price, decided.per, row.sales_unit, self.currency)
            if has_price
            else ""
        )
        other = explained.pieces(line.quantity, row) if row.unit or row.pieces_per_case else ""
        return BasketLine(
            sku=line.sku,
            href=product_href(line.sku),
            name=text(row.name),
            drawing=drawing_href(row.drawing),
            price=price,
            stock=stock_word(row, level, offer.first),
            typed=refused.typed if refused else str(line.quantity),
            quantity=line.quantity,
            step=offer.step,
            unit=format.unit_name(row.sales_unit),
            pieces="",
            lot=lot_sentence(offer, row),
            echo=other if "=" in other else None,
            amount="—" if is_stopped else format.money(decided.amount, self.currency),
            tax=_("not counted") if is_stopped else explained.tax_words(decided.tax, self.rates),
            error=refused.sentence if refused else None,
            is_blocked=is_stopped,
            notes=notes,
            fees=self.fees.get(decided.id, ()),
            save=None
            if is_stopped
            else explained.advised(priced.advice, row, line.quantity, level, self.currency),
            steps=explained.with_sum(explained.price_steps(decided, row, self.currency)) if has_price else (),
        )

    def _ways(self, fixes: Sequence[Fix], row: Any) -> list[Way]:
        return explained.ways(fixes, row, self.shown, self.decision.subtotal, self.currency)

    def _what_is_there(self, level: Any, offer: Offer, row: Any) -> list[Way]:
        most = level.orderable // offer.step * offer.step
        if most < offer.first:
            return []
        label = _("Make it %(quantity)s", quantity=format.quantity(most, row.sales_unit))
        return [Way(most, label, _("all that can be sent"))]


def sums(decision: Decision) -> list[SumRow]:
    """Goods, each fee and discount as a line of its own, subtotal, tax by rate, and what is to be paid."""
    currency = decision.currency
    names = {line.id: line.sku for line in decision.lines}
    rows = [SumRow(_("Goods"), format.money(decision.goods, currency))]
    for one in decision.surcharges:
        which = ", ".join(dict.fromkeys(names[line_id] for line_id in one.lines))
        detail = ": ".join(part for part in (which if len(one.lines) <= 5 else "", text(one.why)) if part)
        amount = format.money(one.amount, currency, sign=True)
        rows.append(SumRow(text(one.label), amount, one.code, detail, "surcharge"))
    for off in decision.discounts:
        rows.append(SumRow(text(off.label), format.money(-off.amount, currency), off.code, text(off.why)))
    rows.append(SumRow(_("Subtotal, excl. tax"), format.money(decision.subtotal, currency)))
    for tax in decision.tax:
        if not tax.rate:
            label = _("Tax exempt")
        else:
            mark = "※" if tax.category == "reduced" else ""
            label = _("Tax %(rate)s", rate=f"{format.percent(tax.rate)}{mark}")
        rows.append(
            SumRow(
                label,
                format.money(tax.amount, currency),
                None,
                _("on %(base)s", base=format.money(tax.base, currency)),
            )
        )
    rows.append(SumRow(_("Total, incl. tax"), format.money(decision.total, currency), kind="sum"))
    return rows


def free_shipping(decision: Decision) -> FreeShipping | None:
    """The way to free shipping, when some rule opens one for this cart."""
    if decision.free_shipping is None:
        return None
    code, start = decision.free_shipping
    missing = start - decision.goods
    return FreeShipping(
        code,
        min(decision.goods, start),
        start,
        format.money(decision.goods, decision.currency),
        format.money(start, decision.currency),
        format.money(missing, decision.currency) if missing > 0 else None,
    )


def order_notes(priced: PricedCart) -> list[Note]:
    """Findings that name no line, such as the order minimum."""
    return [
        Note(issue.outcome, issue.code, explained.message(issue))
        for issue in priced.issues_of_order()
        if issue.outcome != "surcharge"
    ]
