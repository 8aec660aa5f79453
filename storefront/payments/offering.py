"""What each payment plugin says to this order before the rules have their say. A plugin that fails is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from plugins.contract import Available, Buyer, CheckoutContext, Disabled, Money, Place
from plugins.guard import Failure
from rules import Method
from rules.money import to_major
from storefront.accounts import Company
from storefront.shipping.quoting import tax_category
from storefront.shop import Shop

if TYPE_CHECKING:
    from storefront.orders.models import Order


@dataclass(frozen=True, slots=True)
class PaymentOption:
    """One way to pay as its plugin sees it; `reason` is why not, `note` what to know."""

    code: str
    label: Mapping[str, str]
    is_available: bool
    note: Mapping[str, str] | None = None
    reason: Mapping[str, str] | None = None
    fee_minor: int | None = None
    tax: str | None = None


def buyer_view(
    company: Company | None,
    currency: str,
    credit_left_minor: int | None = None,
    terms: Mapping[str, Any] | None = None,
) -> Buyer | None:
    """A company as plugins may see it. `terms` are those that a rule gave; they are taken whole, before its own."""
    if company is None:
        return None
    limit = company.credit_limit_minor
    return Buyer(
        code=company.code,
        group=company.group,
        country=company.country,
        region=company.region,
        credit_limit=None if limit is None else Money(limit, currency),
        credit_left=None if credit_left_minor is None else Money(credit_left_minor, currency),
        terms=deepcopy(terms or company.terms),
    )


def terms_of(order: Order) -> dict[str, Any] | None:
    """The payment terms that a rule gave when the order was placed; None: the company's own."""
    given = order.decision.get("terms") or {}
    return {name: value for name, value in given.items() if name != "code"} or None


def offered(
    shop: Shop,
    company: Company | None,
    *,
    total_minor: int,
    goods_minor: int,
    on: date,
    to: Place | None = None,
    terms: Mapping[str, Any] | None = None,
) -> list[PaymentOption]:
    """Every payment plugin's answer, in the shop's order; hidden and failing ones are absent."""
    ruleset = shop.rulebook.current()
    currency = ruleset.policy.currency
    ctx = CheckoutContext(
        buyer_view(company, currency, terms=terms),
        Money(total_minor, currency),
        Money(goods_minor, currency),
        on,
        to,
    )
    options: list[PaymentOption] = []
    for name, provider in shop.plugins.payments.items():
        if ctx.buyer is not None:  # one that changes what it was given changes nothing for the next
            ctx = replace(ctx, buyer=buyer_view(company, currency, terms=terms))
        answer = shop.plugins.availability(name, ctx)
        if isinstance(answer, Failure):
            continue
        if isinstance(answer.value, Disabled):
            options.append(PaymentOption(name, provider.label, False, reason=answer.value.reason))
        elif isinstance(answer.value, Available):
            fee = shop.plugins.fee(name, ctx)
            if isinstance(fee, Failure):
                continue
            asked = fee.value
            options.append(
                PaymentOption(
                    name,
                    provider.label,
                    True,
                    note=answer.value.note,
                    fee_minor=None if asked is None else asked.amount.minor,
                    tax=None if asked is None else tax_category(ruleset, asked.tax_rate, on),
                )
            )
    return options


def methods(options: Sequence[PaymentOption], currency: str) -> tuple[Method, ...]:
    """The available options as facts for the rules."""
    return tuple(
        Method(
            option.code,
            None if option.fee_minor is None else to_major(option.fee_minor, currency),
            option.tax,
        )
        for option in options
        if option.is_available
    )
