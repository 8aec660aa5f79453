"""From a decision to what a page prints beside each number: steps, reasons and ways out, in the reader's language.

Words and formats only. Which quantities are ways out is the rules' answer, cut to what stock can give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules.advice import Advice
from rules.decision import Discount, Fix, Issue, LineDecision, Surcharge
from rules.sentences import explain_steps
from storefront import format
from storefront.language import _, language, text
from storefront.quantity import both_ways
from storefront.stock import Level

ORDERABLE = ("ok", "warn", "approval")


@dataclass(frozen=True, slots=True)
class StepRow:
    """A row of the steps list: what, its operation and result; `kind` is "", "surcharge" or "sum"."""

    what: str
    result: str
    operation: str = ""
    code: str | None = None
    reason: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A way out as a button: the quantity, its words, and what choosing it does to the total."""

    quantity: int
    label: str
    detail: str


def pieces(quantity: int, row: Any) -> str:
    """80個, or 250 cm = 2.5 m and 36個 = 3箱 for goods that are also counted otherwise."""
    unit = format.unit_name(row.sales_unit, quantity)
    other = both_ways(
        quantity, row, piece=unit, case=_("case") if quantity == row.pieces_per_case else _("cases")
    )
    return other or format.quantity(quantity, row.sales_unit)


def price_steps(line: LineDecision, row: Any, currency: str) -> list[StepRow]:
    """How the amount of a line came about: list price, each lane, times the quantity."""
    rows = []
    for step in explain_steps(line, language()):
        operation = ""
        if step.factor is not None:
            operation = f"× {format.number(step.factor)}"
        elif step.percent is not None:
            operation = f"{format.MINUS}{format.number(step.percent)}%"
        elif step.difference:
            sign = format.MINUS if step.difference < 0 else "+"
            operation = f"{sign} {format.price(abs(step.difference), currency)}"
        what = step.what if step.per == 1 else f"{step.what} ({format.quantity(step.per, row.sales_unit)})"
        rows.append(
            StepRow(what, _step_price(step.unit_price, step.per, currency), operation, step.code, step.reason)
        )
    if rows and line.amount is not None:
        amount = format.money(line.amount, currency)
        times = Decimal(line.quantity) / line.per
        operation = (
            f"× {format.number(times)}" if times == round(times, 6) else f"× {line.quantity:,} / {line.per:,}"
        )
        what = _("For %(quantity)s", quantity=format.quantity(line.quantity, row.sales_unit))
        rows.append(StepRow(what, amount, operation))
    return rows


def _step_price(price: Decimal, per: int, currency: str) -> str:
    whole = per > 1 and price == price.to_integral_value()
    return format.price(price, currency, decimals=0 if whole else 2)


def surcharge_steps(surcharges: Sequence[Surcharge], currency: str) -> list[StepRow]:
    """Each surcharge of a product asked for by itself; one of the whole order says that it is."""
    rows = []
    for one in surcharges:
        reason = text(one.why)
        if one.code.startswith("OR"):
            only = _("Only when nothing else is ordered.")
            reason = _("%(reason)s. %(only)s", reason=reason.rstrip(".。"), only=only) if reason else only
        rows.append(
            StepRow(text(one.label), format.money(one.amount, currency), "+", one.code, reason, "surcharge")
        )
    return rows


def discount_steps(discounts: Sequence[Discount], currency: str) -> list[StepRow]:
    """What is taken off the whole order, should nothing else be ordered."""
    return [
        StepRow(text(one.label), format.money(one.amount, currency), format.MINUS, one.code, text(one.why))
        for one in discounts
    ]


def total_step(amount: int, currency: str, *, what: str | None = None) -> StepRow:
    """The last row, under which the double rule runs."""
    return StepRow(what or _("Total, excl. tax"), format.money(amount, currency), kind="sum")


def with_sum(rows: list[StepRow]) -> list[StepRow]:
    """Let the last row be the sum when nothing follows it."""
    if not rows:
        return rows
    last = rows[-1]
    return [*rows[:-1], StepRow(last.what, last.result, last.operation, last.code, last.reason, "sum")]


def possible(fixes: Sequence[Fix], level: Level | None) -> list[Fix]:
    """Fixes that stock can give (rule-semantics 142)."""
    return [fix for fix in fixes if level is None or fix.quantity <= level.orderable]


def ways(fixes: Sequence[Fix], row: Any, shown: int | None, subtotal: int, currency: str) -> list[Way]:
    """Valid quantities as buttons; the change is told against the total `shown` on the page.

    A fix changes the decided `subtotal`; the page may show another one, without lines that cannot be ordered,
    or none at all: then the new total itself is told.
    """
    cheapest = min((fix.change for fix in fixes), default=0) if len(fixes) > 1 else None
    found = []
    for fix in fixes:
        total = subtotal + fix.change
        change = (
            format.money(total, currency)
            if shown is None
            else format.money(total - shown, currency, sign=True)
        )
        notes = [_("total %(change)s", change=change), _grade_note(fix.outcome)]
        notes += [_("the cheapest way")] if fix.change == cheapest else []
        label = _("Make it %(quantity)s", quantity=format.quantity(fix.quantity, row.sales_unit))
        detail = (", " if language() == "en" else "、").join(note for note in notes if note)
        found.append(Way(fix.quantity, label, detail))
    return found


def advised(advice: Advice | None, row: Any, quantity: int, level: Level | None, currency: str) -> Way | None:
    """A larger quantity that costs less, a better price close by, or an end of a fee; None without the stock."""
    if advice is None or (level is not None and advice.quantity > level.orderable):
        return None
    more = format.quantity(advice.quantity - quantity, row.sales_unit)
    there = format.quantity(advice.quantity, row.sales_unit)
    price = _step_price(advice.unit_price, advice.per, currency) if advice.unit_price is not None else ""
    if advice.per != 1:
        price = f"{price}/{format.quantity(advice.per, row.sales_unit)}"
    if advice.kind == "cliff":
        label = _(
            "%(more)s more and the total falls by %(amount)s",
            more=more,
            amount=format.money(-advice.change, currency),
        )
        detail = _("Make it %(quantity)s: unit price %(price)s", quantity=there, price=price)
    else:
        if advice.kind == "fee":
            label = _(
                "%(more)s more and the fee goes (%(codes)s)", more=more, codes=", ".join(advice.dropped)
            )
        else:
            label = _("%(more)s more and the unit price is %(price)s", more=more, price=price)
        change = format.money(advice.change, currency, sign=True)
        detail = _("Make it %(quantity)s: total %(change)s", quantity=there, change=change)
    if advice.dropped and advice.kind != "fee":
        detail = _("%(detail)s, and the fee goes (%(codes)s)", detail=detail, codes=", ".join(advice.dropped))
    return Way(advice.quantity, label, detail)


def _grade_note(outcome: str) -> str:
    return {
        "surcharge": _("fee included"),
        "approval": _("the shop confirms it"),
        "quotation": _("by quotation"),
        "warn": "",
    }.get(outcome, "")


def message(issue: Issue) -> str:
    """The rule's own sentence."""
    return text(issue.message)


def worst(issues: Sequence[Issue]) -> list[Issue]:
    """Issues to show on a line, the gravest first; a surcharge is shown with its amount instead."""
    order = ("block", "quotation", "approval", "warn")
    return sorted((one for one in issues if one.outcome in order), key=lambda one: order.index(one.outcome))


def stock_refusal(quantity: int, level: Level | None, row: Any) -> str | None:
    """Why stock cannot give this quantity, naming what it can give; None when it can."""
    if level is None or quantity <= level.orderable:
        return None
    if level.orderable == 0:
        return _("%(sku)s is out of stock.", sku=row.sku)
    return _(
        "%(wanted)s cannot be ordered: %(there)s are in stock.",
        wanted=format.quantity(quantity, row.sales_unit),
        there=format.quantity(level.orderable, row.sales_unit),
    )


def tax_words(category: str, rates: Mapping[str, Decimal]) -> str:
    """税抜 10%, 8%※: the tax category that stands with every price."""
    rate = rates.get(category)
    if rate is None or rate == 0:
        return _("tax exempt")
    mark = "※" if category == "reduced" else ""
    return _("excl. %(rate)s tax", rate=f"{format.percent(rate)}{mark}")
