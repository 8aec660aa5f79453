"""The answers to pasted order lines: which item was meant, whether it can be ordered so, and the ways out if not.

A fixed number of queries and at most two evaluations for the whole sheet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from rules.offers import Offer
from storefront import explained, format, pricing, search
from storefront.accounts import Company
from storefront.catalog import shelf
from storefront.catalog.entries import lot_sentence, product_href
from storefront.catalog.models import Product
from storefront.clock import today
from storefront.explained import Way
from storefront.language import _, text
from storefront.pricing import PricedCart, PricedLine, Wanted
from storefront.quantity import QuantityRefused, QuantityText, parse_quantity
from storefront.quick_order.pasted import PastedLine
from storefront.shop import current_shop

MOST_NAMES = 50  # words that are no SKU and are looked up as names, in one query
MOST_NAMED = 300


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answered line. `outcome` is ok, warn, surcharge, approval, quotation or block; `near` are SKUs to pick."""

    numbers: str
    text: str
    typed_sku: str
    typed_quantity: str
    outcome: str
    word: str
    sku: str = ""
    href: str = ""
    name: str = ""
    quantity: int = 0
    step: int = 1
    unit: Mapping[str, str] | None = None
    price: str = ""
    amount: str = "—"
    code: str | None = None
    details: Sequence[str] = ()
    ways: Sequence[Way] = ()
    near: Sequence[str] = ()
    save: Way | None = None  # a larger quantity that is worth a thought, on a line that can be ordered

    @property
    def is_orderable(self) -> bool:
        return self.outcome in ("ok", "warn", "surcharge", "approval")

    @property
    def is_prose(self) -> bool:
        """A greeting or the like between the items of a pasted mail: shown, and left out of the order."""
        return self.outcome == "none"


@dataclass(frozen=True, slots=True)
class Sheet:
    """All answers; `goods` and `fees` (discounts among them) are of the lines that can be ordered."""

    rows: Sequence[AnswerRow] = ()
    goods: str = ""
    fees: Sequence[tuple[str, str, str]] = ()

    def count(self, *outcomes: str) -> int:
        """How many rows have one of these outcomes."""
        return sum(row.outcome in outcomes for row in self.rows)


@dataclass(slots=True)
class _Meant:
    """What a line means: its product, whether that was read from a name, and lines of the same SKU added up."""

    lines: list[PastedLine]
    row: Row[Any] | None = None
    is_read_as: bool = False
    near: list[str] = field(default_factory=list)
    hits: list[Row[Any]] = field(default_factory=list)  # items whose texts hold the words
    asked: QuantityText | QuantityRefused | None = None


def answer_sheet(
    session: Session, lines: Sequence[PastedLine], company: Company | None, *, channel: str = "web"
) -> Sheet:
    """Answer every line for this company, in the order pasted; lines of one SKU are added up, as the cart would."""
    shop, on = current_shop(), today()
    hidden = pricing.hidden_skus(session, company, shop=shop, on=on)
    meant = _added_up(_find(session, lines, hidden, company))
    is_mail = any(one.row is not None for one in meant)
    rows = {one.row.sku: one.row for one in meant if one.row is not None}
    offers = pricing.offers_for(session, company, rows.values(), shop=shop, on=on)
    wanted = []
    for place, one in enumerate(meant):
        if one.row is None:
            continue
        if one.asked is None:
            one.asked = QuantityText("", offers[one.row.sku].first)
        if isinstance(one.asked, QuantityText):
            wanted.append(Wanted(one.row.sku, one.asked.quantity, str(place)))

    def priced(some: Sequence[Wanted], *, fixes: bool) -> PricedCart | None:
        return pricing.price(
            session, company, some, shop=shop, on=on, channel=channel, rows=rows, fixes=fixes,
            offers=offers if fixes else None,
        )  # fmt: skip

    whole = priced(wanted, fixes=True)
    by_place = {line.line.id: line for line in whole.lines} if whole else {}
    answers = [
        _answer(one, offers.get(one.row.sku) if one.row is not None else None, by_place.get(str(place)))
        for place, one in enumerate(meant)
    ]
    going = [each for each in wanted if answers[int(each.line_id)].is_orderable]
    shown = whole if len(going) == len(wanted) else priced(going, fixes=False)
    answers = [replace(row, outcome="none", word=_("No item: left out of the order"))
               if is_mail and _is_prose(one) else row
               for one, row in zip(meant, answers, strict=True)]  # fmt: skip
    if whole is None:
        return Sheet(answers)
    subtotal = shown.decision.subtotal if shown else 0
    currency = whole.decision.currency
    stopped = sum(not answers[int(each.line_id)].is_orderable for each in wanted)
    told = [
        replace(
            row, ways=_ways(by_place[str(place)], rows[row.sku], whole, subtotal if stopped == 1 else None)
        )
        if str(place) in by_place and not row.is_orderable and not row.ways
        else replace(row, save=_save(by_place[str(place)], rows[row.sku], currency))
        if row.is_orderable
        else row
        for place, row in enumerate(answers)
    ]
    if shown is None:
        return Sheet(told)
    fees = [
        (text(one.label), format.money(one.amount, currency, sign=True), one.code)
        for one in shown.decision.surcharges
    ]
    fees += [
        (text(off.label), format.money(-off.amount, currency), off.code) for off in shown.decision.discounts
    ]
    return Sheet(told, format.money(shown.decision.goods, currency), fees)


def _ways(line: PricedLine, row: Row[Any], whole: PricedCart, shown: int | None) -> list[Way]:
    """The change of the total `shown`; None: other lines are stopped too, and what this line adds is told."""
    fixes, decision = explained.possible(line.fixes, shelf.level_of(row)), whole.decision
    if shown is not None:
        return explained.ways(fixes, row, shown, decision.subtotal, decision.currency)
    own = sum(one.amount for one in decision.surcharges if one.lines == (line.line.id,))
    return explained.ways(fixes, row, 0, (line.line.amount or 0) + own, decision.currency)


def _save(line: PricedLine, row: Row[Any], currency: str) -> Way | None:
    return explained.advised(line.advice, row, line.line.quantity, shelf.level_of(row), currency)


def _is_prose(one: _Meant) -> bool:
    line = one.lines[0]
    if one.row is not None or one.near or line.quantity is not None:
        return False
    return not any(char.isdigit() for char in line.text) and (not line.sku.isascii() or " " in line.sku)


# --- which item was meant ----------------------------------------------------------------------------------------


def _find(
    session: Session, lines: Sequence[PastedLine], hidden: frozenset[str], company: Company | None
) -> list[_Meant]:
    """Each line with its product: by SKU in any case and width, else by name, else the nearest SKUs."""
    keys = {search.sku_key(line.sku) for line in lines} - {""}
    query = shelf.rows_with_stock().where(Product.sku_key.in_(sorted(keys)))
    by_key: dict[str, list[Row[Any]]] = {}
    for row in session.execute(query):
        if row.sku not in hidden:
            by_key.setdefault(row.sku_key, []).append(row)
    found = []
    for line in lines:
        same = by_key.get(search.sku_key(line.sku), [])
        exact = [row for row in same if row.sku == line.sku] or same
        # Two SKUs that differ only in case or width: the buyer chooses.
        found.append(
            _Meant(
                [line], exact[0] if len(exact) == 1 else None, near=[row.sku for row in exact[1:] and exact]
            )
        )
    _by_name(session, [one for one in found if one.row is None and not one.near], hidden, company)
    unknown = [one for one in found if one.row is None and not one.near]
    near = shelf.nearest_skus(session, [one.lines[0].sku for one in unknown], hidden) if unknown else {}
    for one in unknown:
        one.near = near.get(one.lines[0].sku, [])
    return found


def _by_name(
    session: Session, unknown: Sequence[_Meant], hidden: frozenset[str], company: Company | None
) -> None:
    """Lines that name an item instead of its SKU: one match is read as it, else the one ordered last; or offered."""
    named = [one for one in unknown if len(search.compact(one.lines[0].sku)) > 1][:MOST_NAMES]
    dialect = session.get_bind().dialect.name
    products = Product.__table__
    asked = [search.matches(one.lines[0].sku, products, dialect) for one in named]
    conditions = [condition for condition in asked if condition is not None]
    if not conditions:
        return
    columns = [*shelf.COLUMNS, Product.search]
    query = (
        shelf.rows_with_stock(*columns).where(or_(*conditions)).order_by(Product.sku_order).limit(MOST_NAMED)
    )
    rows = [row for row in session.execute(query) if row.sku not in hidden]
    for one in named:
        one.hits = [row for row in rows if search.holds(row.search, one.lines[0].sku)]
    several = {row.sku for one in named if len(one.hits) > 1 for row in one.hits}
    ordered = _ordered_before(session, several, company) if several else {}
    for one in named:
        usual = max(
            (row for row in one.hits if row.sku in ordered), key=lambda row: ordered[row.sku], default=None
        )
        if usual is not None or len(one.hits) == 1:
            one.row, one.is_read_as = usual or one.hits[0], True
        else:
            one.near = [row.sku for row in one.hits[:3]]


def _ordered_before(session: Session, skus: Collection[str], company: Company | None) -> dict[str, Any]:
    """When this company last ordered each of these items; one query."""
    from storefront.orders import Order, OrderLine

    if company is None:
        return {}
    query = select(OrderLine.sku, func.max(Order.placed_at)).join(Order, Order.id == OrderLine.order_id)
    query = query.where(
        Order.company_id == company.id, Order.state != "cancelled", OrderLine.sku.in_(sorted(skus))
    )
    rows = session.execute(query.group_by(OrderLine.sku)).all()
    return {row[0]: row[1] for row in rows}


def _added_up(found: Sequence[_Meant]) -> list[_Meant]:
    """Lines of one SKU as one, where every quantity can be read; the others stay apart, to be fixed."""
    first: dict[str, _Meant] = {}
    kept = []
    for one in found:
        if one.row is None:
            kept.append(one)
            continue
        typed = one.lines[0].quantity
        one.asked = None if typed is None else parse_quantity(typed, one.row)
        earlier = first.get(one.row.sku)
        if (
            earlier is not None
            and isinstance(earlier.asked, QuantityText)
            and isinstance(one.asked, QuantityText)
        ):
            total = earlier.asked.quantity + one.asked.quantity
            earlier.asked = parse_quantity(total, one.row)
            earlier.lines += one.lines
            continue
        first.setdefault(one.row.sku, one)
        kept.append(one)
    return kept


# --- one line's answer -------------------------------------------------------------------------------------------


def _answer(one: _Meant, offer: Offer | None, priced: PricedLine | None) -> AnswerRow:
    line, row = one.lines[0], one.row
    numbers = ", ".join(str(each.number) for each in one.lines)
    raw = "\n".join(each.text for each in one.lines)
    if row is None or offer is None:
        word = _("Which one is meant?") if one.near else _("There is no such SKU")
        return AnswerRow(numbers, raw, line.sku, line.quantity or "", "block", word, near=one.near)
    refused = one.asked if isinstance(one.asked, QuantityRefused) else None
    answer = AnswerRow(
        numbers,
        raw,
        row.sku if one.is_read_as else line.sku,
        refused.typed if refused else str(one.asked.quantity if isinstance(one.asked, QuantityText) else ""),
        "block",
        "",
        sku=row.sku,
        href=product_href(row.sku),
        name=text(row.name),
        step=offer.step,
        unit=row.sales_unit,
        details=_details(one, row, offer),
    )
    if refused or priced is None:
        label = _("Make it %(quantity)s", quantity=format.quantity(offer.first, row.sales_unit))
        smallest = Way(offer.first, label, _("the smallest order"))
        return replace(answer, word=refused.sentence if refused else "", ways=[smallest])
    return _judged(answer, one, row, offer, priced)


def _details(one: _Meant, row: Row[Any], offer: Offer) -> list[str]:
    """What the buyer should know beside the answer: how the line was read."""
    found = []
    if one.is_read_as:
        found.append(_("“%(words)s” was read as %(sku)s.", words=one.lines[0].sku, sku=row.sku))
    if len(one.lines) > 1:
        found.append(
            _("Lines %(numbers)s were added up.", numbers=", ".join(str(each.number) for each in one.lines))
        )
    if one.asked is not None and isinstance(one.asked, QuantityText) and one.asked.typed == "":
        smallest = format.quantity(one.asked.quantity, row.sales_unit)
        found.append(_("No quantity was given: the smallest order, %(quantity)s.", quantity=smallest))
    elif isinstance(one.asked, QuantityText) and one.asked.is_converted:
        found.append(explained.pieces(one.asked.quantity, row))
    if lot := lot_sentence(offer, row):
        found.append(lot)
    return found


def _judged(answer: AnswerRow, one: _Meant, row: Row[Any], offer: Offer, priced: PricedLine) -> AnswerRow:
    """The rules' and the stock's answer to a line whose item and quantity are known."""
    decided, currency = priced.line, current_shop().settings.currency
    has_price = decided.unit_price is not None and offer.issue is None
    answer = replace(
        answer,
        quantity=decided.quantity,
        price=format.unit_price(decided.unit_price, decided.per, row.sales_unit, currency)
        if has_price
        else "",
        amount=format.money(decided.amount, currency) if has_price else "—",
    )
    level = shelf.level_of(row)
    if sentence := explained.stock_refusal(decided.quantity, level, row):
        assert level is not None
        most = level.orderable // offer.step * offer.step
        label = _("Make it %(quantity)s", quantity=format.quantity(most, row.sales_unit))
        there = [Way(most, label, _("all that can be sent"))] if most >= offer.first else []
        return replace(answer, outcome="block", word=sentence, amount="—", ways=there)
    issues = explained.worst(priced.issues)
    if issues:
        issue = issues[0]
        is_stopped = issue.outcome not in explained.ORDERABLE
        amount = "—" if is_stopped else answer.amount
        return replace(
            answer, outcome=issue.outcome, word=explained.message(issue), code=issue.code, amount=amount
        )
    fee = next((issue for issue in priced.issues if issue.outcome == "surcharge"), None)
    if fee is not None:
        return replace(answer, outcome="surcharge", word=explained.message(fee), code=fee.code)
    return replace(answer, outcome="warn" if one.is_read_as else "ok", word=_("Can be ordered"))
