"""Promises about a quote: an answer to every question, the same each time, and days after the goods leave."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from plugins.answers import bad_quote
from plugins.contract import (
    Money,
    NeedsQuotation,
    Parcel,
    Place,
    Quoted,
    Rate,
    RateRequest,
    ShippedLine,
    ShippingProvider,
    Unavailable,
)
from plugins.testing.asking import SECONDS, all_at_once, kept, lacks_a_language, quickest, watched, well
from plugins.testing.carrier import Carrier
from plugins.testing.subject import MissingPartError

MOST_SLOTS = 50
REFUSE = "return Unavailable({'ja': ..., 'en': ...}), or NeedsQuotation(...) when a person can set a price"
PARCEL = Parcel(weight_g=1_800, sum_cm=60, longest_cm=30)


def kind_of(provider: ShippingProvider) -> str:
    return "quote over http" if getattr(provider, "over_http", False) is True else "quote"


def quote(provider: ShippingProvider, request: RateRequest, currency: str) -> Quoted:
    """A whole answer, within the shop's deadline."""
    quoted = well(lambda: provider.quote(request), kind_of(provider))
    wrong = bad_quote(quoted, currency) or fault_of_quote(quoted)
    kept(
        not wrong,
        "quote answers a list of whole Rates in the currency asked, or NeedsQuotation or Unavailable with a reason",
        "Rate(code, {'ja': ..., 'en': ...}, Money(770, request.currency)): whole minor units, a date for a day",
        came=wrong or "",
    )
    return quoted  # type: ignore[no-any-return]


def fault_of_quote(quoted: Quoted) -> str | None:
    """What is wrong with an answer, beyond what the shop itself would notice, or None."""
    if isinstance(quoted, NeedsQuotation | Unavailable):
        return (
            f"the reason {quoted.reason!r:.120} is no text in ja and en"
            if lacks_a_language(quoted.reason)
            else None
        )
    found = rates(quoted)
    codes = [rate.code for rate in found]
    if len(set(codes)) != len(codes):
        return f"two rates share a code: {codes}"
    for rate in found:
        if wrong := fault_of_rate(rate):
            return f"rate {rate.code!r:.40}: {wrong}"
    return None


def fault_of_rate(rate: Rate) -> str | None:
    if not rate.code.strip():
        return "the code is empty"
    if lacks_a_language(rate.label):
        return f"the label {rate.label!r:.120} is no text in ja and en"
    if len(rate.slots) > MOST_SLOTS or len(set(rate.slots)) != len(rate.slots):
        return f"{len(rate.slots)} time slots: each once, at most {MOST_SLOTS}"
    if rate.cutoff is not None and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", rate.cutoff):
        return f"cutoff is {rate.cutoff!r:.40}: a time such as '15:00'"
    return None


def rates(quoted: Quoted) -> list[Rate]:
    return quoted if isinstance(quoted, list) else []


# ---- an answer to every question


def test_a_parcel_at_home_has_a_rate(carrier: Carrier) -> None:
    quoted = quote(carrier.fresh(), carrier.request(), carrier.currency)
    kept(
        isinstance(quoted, list),
        "an ordinary parcel of 1.8 kg has a rate",
        "when it goes elsewhere, say so: Carrier(Provider, destination=Place(...), currency=...)",
        came=quoted,
    )


def odd_requests(carrier: Carrier) -> dict[str, RateRequest]:
    """What a shop may ask though nobody thinks of it."""
    to = carrier.destination
    line = ShippedLine("M4-10", 3)
    return {
        "an unknown country": carrier.request(destination=Place("ZZ", None, None)),
        "an unknown region": carrier.request(destination=replace(to, region="ZZ-99")),
        "an unknown postcode": carrier.request(destination=replace(to, postcode="0000000")),
        "an address without region and postcode": carrier.request(
            destination=replace(to, region=None, postcode=None, city=None)
        ),
        "a remote place": carrier.request(destination=replace(to, remote=True)),
        "an unknown origin": carrier.request(origin=Place("ZZ")),
        "no parcels": carrier.request(parcels=()),
        "a parcel that nobody measured": carrier.request(parcels=(Parcel(),)),
        "a parcel of which only the weight is known": carrier.request(parcels=(Parcel(weight_g=900),)),
        "a parcel of a thousand tons": carrier.request(
            parcels=(Parcel(weight_g=10**9, sum_cm=10**6, longest_cm=10**6),)
        ),
        "a thousand frozen parcels": carrier.request(
            parcels=(Parcel(weight_g=1, temperature="frozen", count=1_000),)
        ),
        "parcels of two temperatures": carrier.request(
            parcels=(PARCEL, replace(PARCEL, temperature="chilled"))
        ),
        "lines without a weight": carrier.request(
            lines=(line, replace(line, sku="N4", weight_g=Decimal("2.5")))
        ),
        "an order for nothing": carrier.request(subtotal=Money(0, carrier.currency)),
        "a customer of a group": carrier.request(customer_group="wholesale"),
        "the last day of a leap year": carrier.request(ship_on=date(2028, 12, 31)),
    }


def test_whatever_is_asked_gets_an_answer_and_no_exception(carrier: Carrier) -> None:
    provider = carrier.fresh()
    for what, request in odd_requests(carrier).items():
        try:
            quote(provider, request, carrier.currency)
        except AssertionError as error:
            raise AssertionError(f"asked for {what}: {error}\n  or: {REFUSE}") from error.__cause__


def test_what_cannot_be_sent_says_why_in_both_languages(carrier: Carrier) -> None:
    provider = carrier.fresh()
    for request in odd_requests(carrier).values():
        quoted = provider.quote(request)
        if isinstance(quoted, NeedsQuotation | Unavailable):
            kept(
                not lacks_a_language(quoted.reason),
                "what cannot be sent says why, in ja and in en",
                REFUSE,
                came=quoted.reason,
            )


def test_another_currency_is_refused_or_answered_in_it(carrier: Carrier) -> None:
    provider = carrier.fresh()
    for other in {"USD", "JPY", "KWD"} - {carrier.currency}:
        request = carrier.request(currency=other, subtotal=Money(carrier.request().subtotal.minor, other))
        quote(provider, request, other)


# ---- the same answer


def test_the_same_question_has_the_same_answer(carrier: Carrier) -> None:
    provider, request = carrier.fresh(), carrier.request()
    same = "compute from the request and the settings alone: no clock, no random number, no counter, no set's order"
    first = quote(provider, request, carrier.currency)
    for what, second in (
        ("asked again", quote(provider, request, carrier.currency)),
        ("asked with an equal request", quote(provider, copy.deepcopy(request), carrier.currency)),
        ("asked after others", _after_others(carrier, provider, request)),
        ("asked of a second provider", quote(carrier.fresh(), request, carrier.currency)),
    ):
        kept(
            first == second,
            "the same question has the same answer: the shop asks again when the order is placed, and compares",
            same,
            came=f"{what}: {second!r:.240}, before: {first!r:.240}",
        )


def _after_others(carrier: Carrier, provider: ShippingProvider, request: RateRequest) -> Quoted:
    quote(provider, carrier.request(parcels=(replace(PARCEL, weight_g=900, count=3),)), carrier.currency)
    quote(provider, carrier.request(destination=Place("ZZ")), carrier.currency)
    return quote(provider, request, carrier.currency)


def test_the_order_of_parcels_and_lines_changes_nothing(carrier: Carrier) -> None:
    provider = carrier.fresh()
    parcels = (
        PARCEL,
        Parcel(weight_g=400, sum_cm=40, longest_cm=20),
        Parcel(weight_g=900, sum_cm=50, longest_cm=25),
    )
    lines = (ShippedLine("A", 1, Decimal(100)), ShippedLine("B", 2, Decimal(300)), ShippedLine("C", 3))
    one = quote(provider, carrier.request(parcels=parcels, lines=lines), carrier.currency)
    other = quote(provider, carrier.request(parcels=parcels[::-1], lines=lines[::-1]), carrier.currency)
    kept(
        {(rate.code, rate.price) for rate in rates(one)}
        == {(rate.code, rate.price) for rate in rates(other)},
        "the order of parcels and lines changes no price",
        "look at all of them, not at the first or the last",
        came=f"{one!r:.240}, turned round: {other!r:.240}",
    )


def test_eight_threads_get_the_same_answer(carrier: Carrier) -> None:
    provider = carrier.fresh()
    requests = [carrier.request(parcels=(replace(PARCEL, count=count),)) for count in (1, 2, 3, 4)] * 2
    alone = [quote(carrier.fresh(), request, carrier.currency) for request in requests]
    answers: dict[object, Quoted] = {}

    def ask(request: RateRequest) -> None:
        answers[request.parcels] = provider.quote(request)

    all_at_once(partial(ask, request) for request in requests)
    for request, expected in zip(requests, alone, strict=True):
        kept(
            answers[request.parcels] == expected,
            "buyers who ask at the same time each get their own answer",
            "keep nothing of a request in self",
            came=f"{answers[request.parcels]!r:.240} for {expected!r:.240}",
        )


def test_quote_changes_nothing_that_it_is_given(carrier: Carrier) -> None:
    request = carrier.request(lines=(ShippedLine("A", 1, Decimal(100), ("heavy",)),))
    before = copy.deepcopy(request)
    quote(carrier.fresh(), request, carrier.currency)
    kept(request == before, "what was given stays as it was", "copy before changing", came=request)


# ---- prices and days


def test_more_parcels_never_cost_less(carrier: Carrier) -> None:
    provider = carrier.fresh()
    costs = []
    for count in (1, 2, 5):
        quoted = quote(provider, carrier.request(parcels=(replace(PARCEL, count=count),)), carrier.currency)
        costs.append(min((rate.price.minor for rate in rates(quoted)), default=None))
    known = [cost for cost in costs if cost is not None]
    kept(
        known == sorted(known),
        "more parcels never cost less",
        "count parcel.count of every parcel",
        came=f"1, 2 and 5 parcels cost {costs}",
    )


def test_arrival_is_a_window_after_the_goods_leave(carrier: Carrier) -> None:
    provider = carrier.fresh()
    leave = carrier.request().ship_on
    for ship_on in (leave, leave + timedelta(days=45), leave + timedelta(days=400)):
        quoted = quote(provider, carrier.request(ship_on=ship_on), carrier.currency)
        for rate in rates(quoted):
            _window(rate, ship_on)


def _window(rate: Rate, ship_on: date) -> None:
    came = f"it leaves on {ship_on}, and arrives from {rate.earliest} to {rate.latest}"
    mend = "count days from request.ship_on, never from today"
    first, last = rate.earliest or rate.latest, rate.latest or rate.earliest
    if first is None or last is None:
        return
    kept(first >= ship_on, "nothing arrives before it leaves", mend, came=came)
    kept(last >= first, "earliest is not after latest", "turn them round", came=came)
    kept(last <= ship_on + timedelta(days=366), "it arrives within a year", mend, came=came)


# ---- nobody waits for it


def test_quote_asks_nobody_unless_it_says_over_http(carrier: Carrier) -> None:
    provider, request = carrier.fresh(), carrier.request()
    if kind_of(provider) == "quote over http":
        raise MissingPartError("it says that it asks a server")
    with watched() as done:
        _asked(provider, request, done)
    with watched(files=True) as again:  # once more: now nothing is left to import
        _asked(provider, request, again)
    kept(
        not done and not again,
        "quote computes: it opens no connection, starts no process, reads no file and does not sleep",
        "read files in __init__; a class that asks a server says over_http = True, and has 3.5 s",
        came=[*done, *again],
    )


def _asked(provider: ShippingProvider, request: RateRequest, done: list[str]) -> Any:
    try:
        return well(lambda: provider.quote(request), "quote")
    except AssertionError:
        if not done:
            raise
        return None


def test_quote_is_quick(carrier: Carrier) -> None:
    provider, request = carrier.fresh(), carrier.request()
    what = kind_of(provider)
    took = quickest(lambda: provider.quote(request), what)
    kept(
        took < SECONDS[what],
        f"quote answers within {SECONDS[what]:g} s: the checkout page waits for it",
        "look things up in __init__; a class that asks a server says over_http = True, and gives it 3 s",
        came=f"{took:.2f} s",
    )


def test_an_other_side_that_fails_costs_no_order(carrier: Carrier) -> None:
    if not carrier.fail:
        raise MissingPartError("give the kit Carrier.fail to run this test")
    for fail in carrier.fail:
        provider = carrier.fresh()
        fail(provider)
        quoted = quote(provider, carrier.request(), carrier.currency)
        kept(
            isinstance(quoted, list | NeedsQuotation),
            "when the other side fails, the buyer can order all the same",
            "answer a tariff of your own, or NeedsQuotation",
            came=quoted,
        )
