"""Promises about the checkout page: whether a payment is offered and what it costs is computed, and asks nobody."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from plugins.answers import bad_availability, bad_fee
from plugins.contract import Available, Buyer, CheckoutContext, Disabled, Money, PaymentProvider, Place
from plugins.testing.asking import SECONDS, kept, lacks_a_language, quickest, watched, well
from plugins.testing.subject import BUYER, Subject, context


def both(provider: PaymentProvider, ctx: CheckoutContext) -> tuple[Any, Any]:
    """What the checkout asks: the fee only of what is offered."""
    offered = well(lambda: provider.availability(ctx), "availability")
    return offered, well(lambda: provider.fee(ctx), "fee") if isinstance(offered, Available) else None


def checked(provider: PaymentProvider, ctx: CheckoutContext) -> tuple[Any, Any]:
    offered, fee = both(provider, ctx)
    asked = f"for {ctx.total.minor} {ctx.total.currency}, {'a visitor' if ctx.buyer is None else 'a buyer'}"
    wrong = bad_availability(offered)
    kept(
        not wrong,
        "availability answers Available(), Hidden() or Disabled({'ja': ..., 'en': ...})",
        "return one of the three for every buyer, amount, currency and place",
        came=f"{asked}: {wrong}",
    )
    texts = (
        offered.reason
        if isinstance(offered, Disabled)
        else offered.note
        if isinstance(offered, Available)
        else None
    )
    kept(
        texts is None or not lacks_a_language(texts),
        "a note or a reason is a sentence in ja and one in en",
        "write both",
        came=texts,
    )
    wrong = bad_fee(fee, ctx.total.currency)
    kept(
        not wrong,
        "fee answers None or TaxedMoney in the currency of the total, not below zero",
        "TaxedMoney(Money(330, ctx.total.currency), Decimal('0.10')); None in a currency without a fee",
        came=f"{asked}: {wrong}",
    )
    return offered, fee


def test_availability_and_fee_compute_and_ask_nobody(subject: Subject) -> None:
    provider = subject.fresh()
    ctx = context(subject.ordinary().amount)
    with watched() as done:
        first = _or_refused(lambda: both(provider, ctx), done)
    with watched(files=True) as again:  # once more: now nothing is left to import
        second = _or_refused(lambda: both(provider, ctx), again)
    kept(
        not done and not again,
        "availability and fee compute: they open no connection, start no process, read no file and do not sleep",
        "read files in __init__; ask the other side in start and fetch alone",
        came=[*done, *again],
    )
    kept(
        first == second,
        "the same question has the same answer",
        "look at ctx and the settings alone; ctx.on is the date",
        came=f"{first!r:.200}, then {second!r:.200}",
    )
    if subject.calls is not None:
        came = subject.calls(provider)
        kept(
            came == 0, "availability and fee ask nobody", "ask in start and fetch alone", came=f"{came} calls"
        )
    checked(provider, ctx)


def _or_refused(call: Any, done: list[str]) -> Any:
    try:
        return call()
    except Exception:
        if done:
            return None
        raise


def test_availability_answers_a_visitor_and_any_amount(subject: Subject) -> None:
    provider = subject.fresh()
    currencies = dict.fromkeys((*subject.currencies, "JPY", "USD", "KWD"))
    stranger = Buyer("STRANGER")
    for currency in currencies:
        for minor in (0, 1, 10**12):
            for buyer in (None, BUYER, stranger):
                for place in (None, Place("JP", "JP-27", "5770000"), Place("ZZ")):
                    amount = Money(minor, currency)
                    checked(provider, replace(context(amount), buyer=buyer, ship_to=place))


def test_availability_and_fee_change_nothing_that_they_are_given(subject: Subject) -> None:
    provider = subject.fresh()
    ctx = context(subject.ordinary().amount)
    terms = dict(ctx.buyer.terms or {}) if ctx.buyer else {}
    ctx = replace(ctx, buyer=replace(BUYER, terms=terms))
    before = copy.deepcopy(ctx)
    both(provider, ctx)
    kept(ctx == before, "what was given stays as it was", "copy a table before changing it", came=ctx)


def test_availability_and_fee_are_quick(subject: Subject) -> None:
    provider = subject.fresh()
    ctx = context(subject.ordinary().amount)
    for what in ("availability", "fee"):
        took = quickest(lambda name=what: getattr(provider, name)(ctx), what)  # type: ignore[misc]
        kept(
            took < SECONDS[what],
            f"{what} answers within {SECONDS[what]:g} s: the checkout page waits for it",
            "compute; look things up in __init__",
            came=f"{took:.2f} s",
        )
