"""Turns a decision into the rows of an order: lines, surcharges, taxes, labels, and the steps in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from rules.decision import Offered, TaxLine
from rules.money import plain
from rules.sentences import StepText, explain_steps
from storefront.clock import now
from storefront.orders.arrival import window
from storefront.orders.models import Order, OrderLine, OrderSurcharge, OrderTax
from storefront.orders.preparing import Prepared
from storefront.pricing import PricedCart, PricedLine

if TYPE_CHECKING:
    from storefront.orders.outcomes import CheckoutChoice


_LINES, _SURCHARGES, _TAXES = (
    insert(cast(Table, model.__table__)) for model in (OrderLine, OrderSurcharge, OrderTax)
)


def write_order(
    session: Session,
    prepared: Prepared,
    priced: PricedCart,
    choice: CheckoutChoice,
    **who: Any,
) -> Order:
    """The order and its rows with everything it was decided with; `who` are the columns that the decision knows not."""
    decision = priced.decision
    ship = _chosen(decision.shipping, prepared.shipping)
    pay = _chosen(decision.payment, prepared.payment)
    option = next((each for each in prepared.shipping_options if each.code == prepared.shipping), None)
    chosen = priced.lead_time
    way = next((each for each in prepared.payment_options if each.code == prepared.payment), None)
    order = Order(
        placed_at=now(),
        on=decision.on,
        currency=decision.currency,
        goods_minor=decision.goods,
        surcharges_minor=sum(each.amount for each in decision.surcharges),
        subtotal_minor=decision.subtotal,
        shipping_code=ship.code if ship else None,
        shipping_minor=(ship.amount or 0) if ship else 0,
        shipping_by=ship.free_by if ship else None,
        payment_code=pay.code if pay else None,
        payment_fee_minor=(pay.amount or 0) if pay else 0,
        tax_minor=sum(each.amount for each in decision.tax),
        total_minor=decision.total,
        ruleset_hash=decision.ruleset,
        decision=decision.as_json(),
        outcome=decision.outcome,
        purchase_order_number=choice.purchase_order_number,
        note=choice.note,
        ship_to=choice.to.as_json(),
        shipping_label=dict(option.label) if option and ship else None,
        payment_label=dict(way.label) if way and pay else None,
        arrives=window(option) if ship else None,
        requested_delivery_on=choice.delivery_on,
        delivery_slot=choice.slot if option and ship and choice.slot in option.slots else "",
        promised_on=chosen.promise.ready_on if chosen and chosen.promise else None,
        lead_time=chosen.as_json() if chosen else None,
        **who,
    )
    session.add(order)
    session.flush()
    for statement, rows in (
        (_LINES, [_line(place, each) for place, each in enumerate(priced.lines, 1)]),
        (_SURCHARGES, _charges(priced)),
        (_TAXES, [_tax(each) for each in decision.tax]),
    ):
        if rows:  # in one statement for all of them
            session.execute(statement, [{"order_id": order.id, **row} for row in rows])
    return order


def _charges(priced: PricedCart) -> list[dict[str, Any]]:
    """Surcharges, and discounts as amounts below zero."""
    decision = priced.decision
    skus = {each.line.id: each.line.sku for each in priced.lines}
    charges: list[tuple[str, Any, int, str, Any]] = [
        ("surcharge", each, each.amount, each.tax, None) for each in decision.surcharges
    ]
    charges += [
        ("discount", each, -each.amount, each.tax[0][0] if each.tax else decision.lines[0].tax, each.tax)
        for each in decision.discounts
    ]
    return [
        {
            "code": each.code,
            "kind": kind,
            "label": dict(each.label),
            "reason": dict(each.why) if each.why else None,
            "amount_minor": amount,
            "tax": tax,
            "taxes": None
            if parts is None
            else [{"category": category, "amount_minor": -part} for category, part in parts],
            "lines": list(dict.fromkeys(skus[line] for line in each.lines if line in skus)),
        }
        for kind, each, amount, tax, parts in charges
    ]


def _tax(row: TaxLine) -> dict[str, Any]:
    return {
        "category": row.category,
        "rate": row.rate,
        "base_minor": row.base,
        "amount_minor": row.amount,
    }


def _chosen(offers: tuple[Offered, ...], code: str | None) -> Offered | None:
    return next((each for each in offers if each.code == code and each.offered), None)


def _line(place: int, each: PricedLine) -> dict[str, Any]:
    line, product = each.line, each.product
    codes = [step.code for step in line.steps if step.code]
    codes += [issue.code for issue in each.issues if issue.code not in codes and issue.code != "no_price"]
    return {
        "position": place,
        "sku": line.sku,
        "product_id": product.id,
        "name": dict(product.name),
        "unit": dict(product.sales_unit) if product.sales_unit else None,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "per": line.per,
        "amount_minor": line.amount or 0,
        "tax": line.tax,
        "list_price": line.list_price,
        "codes": list(dict.fromkeys(codes)),
        "steps": {
            language: [step_json(step) for step in explain_steps(line, language)] for language in ("ja", "en")
        },
    }


def step_json(step: StepText) -> dict[str, Any]:
    """One explained step as plain JSON; Decimals become exact texts, what does not apply is left out."""
    values: Mapping[str, Any] = {
        "what": step.what,
        "unit_price": step.unit_price,
        "per": step.per,
        "code": step.code,
        "factor": step.factor,
        "percent": step.percent,
        "difference": step.difference,
        "reason": step.reason or None,
    }
    return {
        key: plain(value) if isinstance(value, Decimal) else value
        for key, value in values.items()
        if value is not None
    }
