"""From a prepared cart to what the checkout page prints: choices with price and reason, lines, sums, differences.

Words and formats only; every number comes from the decision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules import Ruleset
from rules.decision import Issue, Offered
from rules.money import plain
from storefront import format
from storefront.checkout import carriage, promised
from storefront.explained import ORDERABLE
from storefront.language import _, ngettext, text
from storefront.orders.credit import NET_TERMS
from storefront.orders.preparing import Prepared
from storefront.payments import PaymentOption
from storefront.pricing import PricedCart
from storefront.shipping.quoting import ShippingOption
from storefront.stock import Shortage


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A way to ship or to pay as a radio; one that is refused stays in view with its reason."""

    value: str
    label: str
    amount: str
    is_chosen: bool
    is_refused: bool = False
    detail: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class SumRow:
    """For the sums macro."""

    label: str
    amount: str
    code: str | None = None
    detail: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class LineRow:
    name: str
    detail: str
    amount: str


def rule_reason(ruleset: Ruleset, code: str | None) -> str:
    """Why a rule says no, in the reader's language: its reason, else its name."""
    rule = next((each for each in ruleset.rules if each.code == code), None)
    return text(rule.because or rule.name) if rule is not None else ""


def shipping_rows(prepared: Prepared, ruleset: Ruleset) -> list[ChoiceRow]:
    """Every shipping plugin's answer after the rules."""
    return [
        _shipping_row(option, prepared.shipping_offer(option.code), prepared, ruleset)
        for option in prepared.shipping_options
    ]


def _shipping_row(
    option: ShippingOption, offer: Offered | None, prepared: Prepared, ruleset: Ruleset
) -> ChoiceRow:
    label = text(option.label)
    if option.answer != "quoted" or offer is None:
        return ChoiceRow(option.code, label, _("not offered"), False, True, text(option.reason))
    if not offer.offered:
        return ChoiceRow(
            option.code, label, _("not offered"), False, True, rule_reason(ruleset, offer.by), offer.by
        )
    is_chosen = option.code == prepared.shipping
    return ChoiceRow(
        option.code, label, format.money(offer.amount or 0), is_chosen, False, window(option), offer.free_by
    )


def slot_choices(prepared: Prepared) -> list[tuple[str, str]]:
    """The times of day of the chosen way to ship, for a select; none where it has none."""
    chosen = next((each for each in prepared.shipping_options if each.code == prepared.shipping), None)
    slots = chosen.slots if chosen is not None else ()
    return [("", _("Any time")), *((each, each) for each in slots)] if slots else []


def window(option: ShippingOption) -> str:
    """When it leaves and arrives."""
    until = _("leaves today if ordered by %(time)s", time=option.cutoff) if option.cutoff else ""
    return " · ".join(each for each in (_arrival(option), until) if each)


def _arrival(option: ShippingOption) -> str:
    if option.earliest is None:
        return ""
    if option.latest is None or option.latest == option.earliest:
        return _("arrives %(day)s", day=format.day_text(option.earliest))
    first, last = format.day_text(option.earliest), format.day_text(option.latest)
    return _("arrives %(first)s to %(last)s", first=first, last=last)


def payment_rows(prepared: Prepared, ruleset: Ruleset, credit_left: int | None) -> list[ChoiceRow]:
    """Every payment plugin's answer after the rules; `credit_left` is what is left before this order."""
    return [
        _payment_row(option, prepared.payment_offer(option.code), prepared, ruleset, credit_left)
        for option in prepared.payment_options
    ]


def _payment_row(
    option: PaymentOption,
    offer: Offered | None,
    prepared: Prepared,
    ruleset: Ruleset,
    credit_left: int | None,
) -> ChoiceRow:
    label = text(option.label)
    if not option.is_available or offer is None:
        return ChoiceRow(option.code, label, _("not offered"), False, True, text(option.reason))
    if not offer.offered:
        return ChoiceRow(
            option.code, label, _("not offered"), False, True, rule_reason(ruleset, offer.by), offer.by
        )
    fee = format.money(offer.amount, sign=True) if offer.amount else _("no fee")
    detail = text(option.note)
    given = prepared.priced.decision.terms if option.code == NET_TERMS else None
    if option.code == NET_TERMS and credit_left is not None:
        after = credit_left - prepared.priced.decision.total
        detail += _(". %(amount)s of credit left after this order", amount=format.money(max(after, 0)))
    is_chosen = option.code == prepared.payment
    return ChoiceRow(option.code, label, fee, is_chosen, False, detail, given.code if given else None)


def line_rows(priced: PricedCart) -> list[LineRow]:
    """The ordered goods in short."""
    return [
        LineRow(
            name=text(each.product.name) + (" ※" if each.line.tax == "reduced" else ""),
            detail=f"{format.quantity(each.line.quantity, each.product.sales_unit)} @ "
            + format.unit_price(each.line.unit_price, each.line.per, each.product.sales_unit),
            amount=format.money(each.line.amount),
        )
        for each in priced.lines
    ]


def charge_rows(priced: PricedCart) -> list[SumRow]:
    """Each surcharge as a line of its own, with the SKUs it was charged for."""
    skus = {each.line.id: each.line.sku for each in priced.lines}
    rows = [
        SumRow(
            text(charge.label),
            format.money(charge.amount, sign=True),
            charge.code,
            ", ".join(skus[line] for line in charge.lines if line in skus) if len(charge.lines) <= 3 else "",
            "surcharge" if charge.amount > 0 else "",
        )
        for charge in priced.decision.surcharges
    ]
    return rows + [
        SumRow(text(each.label), format.money(-each.amount), each.code, text(each.why))
        for each in priced.decision.discounts
    ]


def sum_rows(prepared: Prepared) -> list[SumRow]:
    """From the subtotal to what is to be paid."""
    decision = prepared.priced.decision
    rows = [SumRow(_("Subtotal (excl. tax)"), format.money(decision.subtotal))]
    ship = prepared.shipping_offer(prepared.shipping or "")
    if ship is not None and ship.offered:
        rows.append(SumRow(_("Shipping"), format.money(ship.amount or 0), ship.free_by))
    pay = prepared.payment_offer(prepared.payment or "")
    if pay is not None and pay.offered and pay.amount:
        rows.append(SumRow(_("Payment fee"), format.money(pay.amount)))
    rows += tax_rows((each.category, each.rate, each.base, each.amount) for each in decision.tax)
    rows.append(SumRow(_("To pay (incl. tax)"), format.money(decision.total), kind="sum"))
    return rows


def tax_rows(taxes: Any) -> list[SumRow]:
    """(category, rate, base, amount) as rows; the reduced rate carries its mark."""
    return [
        SumRow(
            _("Consumption tax %(rate)s", rate=format.percent(rate) + ("※" if category == "reduced" else "")),
            format.money(amount),
            detail=_("on %(amount)s", amount=format.money(base)),
        )
        for category, rate, base, amount in taxes
    ]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing can be ordered yet; `lines` are SKUs to fix in the cart."""

    sentence: str
    code: str | None = None
    outcome: str = "block"


def stops(prepared: Prepared, shortages: Sequence[Shortage]) -> list[Stop]:
    """Everything that must be fixed first, gravest first."""
    priced = prepared.priced
    found = [_stop(issue) for issue in priced.decision.issues if issue.outcome == "block"]
    units = {each.line.sku: each.product.sales_unit for each in priced.lines}
    found += [
        Stop(
            _(
                "%(sku)s: %(wanted)s wanted, %(there)s available",
                sku=short.sku,
                wanted=format.quantity(short.wanted, units.get(short.sku)),
                there=format.quantity(short.orderable, units.get(short.sku)),
            )
        )
        for short in shortages
    ]
    if promised.is_stopped(priced.lead_times):
        found.append(Stop(_("No lead time takes this order as it is. Please ask us for a quotation.")))
    if prepared.shipping_options and prepared.shipping is None:
        found.append(
            Stop(_("None of our ways to ship can take this order as it is. Please ask us for a quotation."))
        )
    if prepared.payment_methods is not None and prepared.payment is None:
        found.append(Stop(_("No way to pay is offered for this order as it is. Please call us.")))
    return found + [_stop(issue) for issue in priced.decision.issues if issue.outcome == "quotation"]


def stopped_lines(prepared: Prepared, shortages: Sequence[Shortage]) -> int:
    """How many lines cannot be ordered as they stand: those that the cart leaves out of its sum."""
    short = {one.sku for one in shortages}
    return sum(each.line.outcome not in ORDERABLE or each.line.sku in short for each in prepared.priced.lines)


def _stop(issue: Issue) -> Stop:
    code = issue.code if issue.code[:1].isupper() else None
    return Stop(text(issue.message), code, issue.outcome)


def snapshot(prepared: Prepared) -> str:
    """What this page shows, to tell the difference should it change before it is confirmed."""
    priced = prepared.priced
    lines = {each.line.sku: [_plain(each.line.unit_price), each.line.per] for each in priced.lines}
    seen = {"total": priced.decision.total, "lines": lines, "ready": promised.seen_day(priced)}
    return json.dumps(seen | carriage.seen(prepared), separators=(",", ":"))


def _plain(price: Any) -> str | None:
    return None if price is None else plain(price)


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed since the buyer saw the page."""

    heading: str
    lines: list[tuple[str, str, str]]  # SKU, before, now
    total_before: str | None
    total_now: str
    moved: str = ""  # that the promised day is another one
    carriage: list[str] = field(default_factory=list)  # what is different about the way to ship


def difference(seen: Mapping[str, Any], slot: str, prepared: Prepared) -> Difference:
    """Old and new, as far as the old is known. `seen` came from the browser and may hold anything."""
    priced = prepared.priced
    shipped = carriage.changes(seen, slot, prepared)
    before = seen.get("lines")
    known = before if isinstance(before, dict) else {}
    changed = []
    for each in priced.lines:
        old = known.get(each.line.sku)
        if not (isinstance(old, list) and len(old) == 2 and isinstance(old[0], str) and type(old[1]) is int):
            continue
        if old != [_plain(each.line.unit_price), each.line.per]:
            now = format.unit_price(each.line.unit_price, each.line.per, each.product.sales_unit)
            changed.append((each.line.sku, _old_price(old, each.product.sales_unit), now))
    total = seen.get("total")
    was = format.money(total) if type(total) is int and abs(total) < 10**15 else None
    moved = promised.moved(seen, priced)
    heading = (
        ngettext(
            "The price of %(num)s line changed after you looked",
            "The prices of %(num)s lines changed after you looked",
            len(changed),
        )
        if changed
        else moved
        if moved and total == priced.decision.total
        else _("The delivery is different from what you saw")
        if shipped and total == priced.decision.total
        else _("The total is different from what you saw")
    )
    now = format.money(priced.decision.total)
    return Difference(heading, changed, was, now, "" if heading == moved else moved, shipped)


def _old_price(old: list[Any], unit: Any) -> str:
    from decimal import Decimal, InvalidOperation

    try:
        price = Decimal(old[0])
    except InvalidOperation:
        return ""
    if not price.is_finite() or abs(price.adjusted()) > 18 or not 1 <= old[1] <= 10**9:
        return ""
    return format.unit_price(price, old[1], unit)
