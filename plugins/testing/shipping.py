"""The contract of a shipping provider as tests: pytest --pyargs plugins.testing.shipping --provider PKG:OBJ."""

from __future__ import annotations

from dataclasses import replace

from plugins.answers import bad_quote, bad_texts
from plugins.contract import NeedsQuotation, Parcel, Place, Quoted, Unavailable
from plugins.testing.carrier import Carrier
from plugins.testing.payments import refusal
from plugins.testing.subject import MissingPartError


def checked(quoted: Quoted, currency: str) -> Quoted:
    assert not (wrong := bad_quote(quoted, currency)), wrong
    return quoted


def test_it_says_what_it_is(carrier: Carrier) -> None:
    provider = carrier.fresh()
    assert isinstance(provider.id, str) and provider.id == provider.id.strip() != "", "id is a word"
    assert not bad_texts(provider.label), "label is a text in ja and en"
    assert {"ja", "en"} <= set(provider.label), "label is a text in ja and en"


def test_a_wrong_setting_is_refused_by_its_name(carrier: Carrier) -> None:
    config = carrier.provider.config  # type: ignore[attr-defined]
    for name, value in {"a_setting_that_is_none": 1, **carrier.wrong_settings}.items():
        told = refusal(config, {**carrier.settings, name: value})
        assert told is not None, f"{name} = {value!r} was taken"
        assert name in told, f"the message does not name {name}"


def test_a_parcel_at_home_has_a_rate(carrier: Carrier) -> None:
    quoted = checked(carrier.fresh().quote(carrier.request()), carrier.currency)
    assert isinstance(quoted, list), f"no rate for an ordinary parcel: {quoted}"
    assert len({rate.code for rate in quoted}) == len(quoted), "two rates share a code"
    for rate in quoted:
        assert {"ja", "en"} <= set(rate.label), "label is a text in ja and en"


def test_the_same_question_has_the_same_answer(carrier: Carrier) -> None:
    provider = carrier.fresh()
    assert provider.quote(carrier.request()) == provider.quote(carrier.request()), (
        "it would change at order commit"
    )


def test_arrival_is_a_window_after_the_goods_leave(carrier: Carrier) -> None:
    request = carrier.request()
    quoted = checked(carrier.fresh().quote(request), carrier.currency)
    for rate in quoted if isinstance(quoted, list) else ():
        if rate.earliest is not None:
            assert rate.earliest >= request.ship_on, "it arrives before it leaves"
        if rate.earliest is not None and rate.latest is not None:
            assert rate.latest >= rate.earliest, "the window is reversed"


def test_whatever_is_asked_gets_an_answer_and_no_exception(carrier: Carrier) -> None:
    provider = carrier.fresh()
    odd = (
        carrier.request(destination=Place("ZZ", None, None)),
        carrier.request(destination=replace(carrier.destination, region=None, postcode=None)),
        carrier.request(destination=replace(carrier.destination, remote=True)),
        carrier.request(parcels=()),
        carrier.request(parcels=(Parcel(),)),
        carrier.request(parcels=(Parcel(weight_g=10**9, sum_cm=10**6, longest_cm=10**6),)),
        carrier.request(parcels=(Parcel(weight_g=1, temperature="frozen", count=1000),)),
    )
    for request in odd:
        checked(provider.quote(request), carrier.currency)


def test_what_cannot_be_sent_says_why_in_both_languages(carrier: Carrier) -> None:
    provider = carrier.fresh()
    for request in (
        carrier.request(destination=Place("ZZ", None, None)),
        carrier.request(parcels=(Parcel(weight_g=10**9, sum_cm=10**6, longest_cm=10**6),)),
    ):
        quoted = provider.quote(request)
        if isinstance(quoted, NeedsQuotation | Unavailable):
            assert {"ja", "en"} <= set(quoted.reason), "no reason in ja and en"


def test_more_parcels_never_cost_less(carrier: Carrier) -> None:
    provider = carrier.fresh()
    costs = []
    for count in (1, 2, 5):
        quoted = provider.quote(
            carrier.request(parcels=(Parcel(weight_g=1_800, sum_cm=60, longest_cm=30, count=count),))
        )
        costs.append(min(rate.price.minor for rate in quoted) if isinstance(quoted, list) else None)
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known), f"1, 2 and 5 parcels cost {costs}"


def test_another_currency_is_refused_or_answered_in_it(carrier: Carrier) -> None:
    other = "USD" if carrier.currency != "USD" else "JPY"
    request = carrier.request(currency=other, subtotal=replace(carrier.request().subtotal, currency=other))
    checked(carrier.fresh().quote(request), other)


def test_an_other_side_that_fails_costs_no_order(carrier: Carrier) -> None:
    if not carrier.fail:
        raise MissingPartError("give the kit Carrier.fail to run this test")
    for fail in carrier.fail:
        provider = carrier.fresh()
        fail(provider)
        checked(provider.quote(carrier.request()), carrier.currency)
