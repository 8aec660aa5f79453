"""Promises about start: one key is one payment, amounts go out as they are, and unknown is not failed."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from plugins.contract import Money, PaymentProvider, Result
from plugins.testing.asking import all_at_once, kept, lacks_a_language, pages_in
from plugins.testing.promises.paying import (
    DECLINE,
    ask,
    fetch,
    is_offline,
    start,
    start_or_raise,
    started,
    told,
)
from plugins.testing.subject import BUYER, RETURN_URL, MissingPartError, Subject, after, payment

# Minor units: yen have no decimals, dollars two, dinars three.
AMOUNTS = {
    "JPY": (1, 120, 1_200, 9_999_999),
    "USD": (50, 1_999, 9_999_999),
    "KWD": (100, 1_999, 1_990, 9_999_990),
}
PLACES = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
ONE_KEY = (
    "send the key to the other side as its idempotency key, or look for a payment under it before making one; "
    "memory alone is lost at a restart"
)


def one_payment(subject: Subject, provider: PaymentProvider, after_what: str) -> None:
    if subject.made is not None:
        count = subject.made(provider)
        kept(
            count == 1,
            f"{after_what} leaves one payment at the other side",
            ONE_KEY,
            came=f"{count} payments",
        )


def test_start_twice_with_one_key_is_one_payment(subject: Subject) -> None:
    provider, view = subject.fresh(), subject.ordinary()
    first, second = start(provider, view), start(provider, view)
    kept(
        first.provider_ref == second.provider_ref,
        "one key is one payment, however often it comes: a retry must not charge twice",
        ONE_KEY,
        came=f"references {first.provider_ref} and {second.provider_ref}",
    )
    kept(
        first.amount == second.amount,
        "the same key has the same amount",
        "answer the payment's amount",
        came=f"{first.amount} and {second.amount}",
    )
    kept(
        first.provider_ref or first.status in ("pending", "failed"),
        "a payment has the reference by which the other side knows it",
        "put the other side's number into Result.provider_ref",
        came=first,
    )
    one_payment(subject, provider, "start, twice with one key,")


def test_eight_threads_with_one_key_are_one_payment(subject: Subject) -> None:
    provider, view = subject.fresh(), subject.ordinary()
    results = all_at_once(lambda: start(provider, view) for _ in range(8))
    references = {result.provider_ref for result in results}
    kept(
        len(references) == 1,
        "one key is one payment, also when eight threads start it at once",
        ONE_KEY + "; guard what is kept in memory by a lock",
        came=references,
    )
    one_payment(subject, provider, "start, in eight threads with one key,")


def test_another_payment_is_another_reference(subject: Subject) -> None:
    provider = subject.fresh()
    references = [start(provider, subject.ordinary()).provider_ref for _ in range(3)]
    kept(
        len(set(references)) == 3,
        "two payments never share a reference",
        "let the other side number them; a number of your own is made from payment.id",
        came=references,
    )


def test_another_key_is_another_attempt(subject: Subject) -> None:
    provider, view = subject.fresh(), subject.ordinary()
    if is_offline(provider):
        raise MissingPartError("nothing moves over this provider: an attempt has no reference of its own")
    first, second = start(provider, view, 1), start(provider, view, 2)
    kept(
        first.provider_ref != second.provider_ref,
        "another key is another attempt: after a decline the buyer tries again under a new one",
        "remember answers by key, not by payment.id or order_number",
        came=f"both have {first.provider_ref}",
    )


def test_the_same_payment_is_known_after_a_restart(subject: Subject) -> None:
    again = subject.part("again")
    provider, view, result = started(subject)
    other = again(provider)
    found = fetch(other, view)
    kept(
        found.provider_ref in (result.provider_ref, None) and found.status == fetch(provider, view).status,
        "a shop has several processes and is restarted: each finds the payment by its reference",
        "ask the other side in fetch; keep nothing of a payment in memory",
        came=f"{fetch(provider, view).status} here, {found.status} in another process",
    )
    retry = start(other, view)
    kept(
        retry.provider_ref == result.provider_ref,
        "one key is one payment, also when another process sends it again",
        ONE_KEY,
        came=f"references {result.provider_ref} and {retry.provider_ref}",
    )
    one_payment(subject, other, "start, again from another process,")


def test_the_answer_is_a_result_for_this_attempt(subject: Subject) -> None:
    _provider, view, result = started(subject)
    kept(
        result.amount == view.amount,
        "start answers with the amount that was asked",
        "Result(status, reference, payment.amount, key): minor units, unscaled",
        came=f"{view.amount} was asked, {result.amount} answered",
    )
    kept(
        result.status not in ("refunded", "disputed"),
        "a payment that was just started is not refunded",
        "answer requires_action, pending, authorized, captured, failed or canceled",
        came=result.status,
    )


def test_a_buyer_of_any_kind_gets_a_record(subject: Subject) -> None:
    for view in (
        subject.ordinary(buyer=None),
        subject.ordinary(language="en"),
        subject.ordinary(buyer=replace(BUYER, credit_limit=None, credit_left=None, terms=None, region=None)),
    ):
        _provider, _view, result = started(subject, view)
        kept(
            result.status != "failed" or not lacks_a_language(result.buyer_message),
            "who cannot pay so is told why in ja and en",
            DECLINE,
            came=result,
        )


def test_start_changes_nothing_that_it_is_given(subject: Subject) -> None:
    provider = subject.fresh()
    view = subject.ordinary(buyer=replace(BUYER, terms=dict(BUYER.terms or {})))
    before = copy.deepcopy(view)
    start(provider, view)
    fetch(provider, view)
    kept(view == before, "what was given stays as it was", "copy a table before changing it", came=view)


# ---- amounts


def written(amount: Money, how: str) -> Decimal:
    return Decimal(amount.minor).scaleb(-PLACES.get(amount.currency, 2) if how == "major" else 0)


def is_written(sent: object, amount: Money, how: str) -> bool:
    """Whether that is the amount as the other side writes it. A float never is."""
    if isinstance(sent, float | bool) or sent is None:
        return False
    try:
        return Decimal(str(sent)) == written(amount, how) and ("." not in str(sent) or how == "major")
    except InvalidOperation:
        return False


def test_amounts_are_sent_unscaled(subject: Subject) -> None:
    for currency in subject.currencies:
        taken = 0
        for minor in AMOUNTS.get(currency, (1_999,)):
            if minor > subject.largest:
                continue
            amount = Money(minor, currency)
            is_small = minor < subject.smallest
            provider, view = subject.fresh(), payment(amount)
            try:
                result = start(provider, view)
            except Exception:
                if is_small:
                    continue  # it need not take so little
                raise
            if result.status == "failed":
                continue  # declined for its amount, which is an answer
            taken += not is_small
            _exact(subject, provider, amount, result)
        kept(
            taken
            or not any(subject.smallest <= minor <= subject.largest for minor in AMOUNTS.get(currency, ())),
            f"of the ordinary amounts in {currency} one is taken",
            "name in Subject.currencies, smallest and largest what the other side takes",
            came="all were declined",
        )


def _exact(subject: Subject, provider: PaymentProvider, amount: Money, result: Result) -> None:
    scale = (
        f"{amount.currency} has {PLACES.get(amount.currency, 2)} decimals; send amount.minor as it is, or "
    )
    mend = scale + "Decimal(minor).scaleb(-places), never minor / 100, never * 100 for yen"
    kept(
        result.amount == amount,
        f"{amount.minor} {amount.currency} stays {amount.minor} minor units",
        mend,
        came=f"came back as {result.amount}",
    )
    if subject.amounts_sent is not None:
        sent = list(subject.amounts_sent(provider))
        kept(sent, "the amount is sent", "let Subject.amounts_sent answer what was sent")
        kept(
            all(is_written(one, amount, subject.sent_in) for one in sent),
            f"{amount.minor} {amount.currency} goes out as {written(amount, subject.sent_in)}, and never as a float",
            mend,
            came=sent,
        )


# ---- where the buyer is sent


def test_a_redirect_is_https_and_comes_back_to_us(subject: Subject) -> None:
    _provider, _view, result = started(subject)  # https is looked at there
    kept(
        result.status != "requires_action" or result.redirect_url,
        "requires_action says where the buyer acts",
        "fill redirect_url, or answer pending when there is nothing to do",
        came="no redirect_url",
    )
    if result.redirect_url is not None:
        foreign = [page for page in pages_in(result.redirect_url) if not page.startswith(RETURN_URL)]
        kept(
            not foreign,
            "the way back is the return_url that was given, and no other",
            "send return_url as it is; take no address from the request, the settings or an answer",
            came=foreign,
        )
        kept(
            result.status != "requires_action" or result.redirect_url != RETURN_URL,
            "the buyer is sent to the page where the payment is made, not straight back",
            "fill redirect_url with the other side's page",
            came=result.redirect_url,
        )


def test_the_way_back_is_sent_as_it_was_given(subject: Subject) -> None:
    sent_by = subject.part("returns_sent")
    provider, _view, _result = started(subject)
    sent = list(sent_by(provider))
    kept(
        sent and all(page == RETURN_URL for page in sent),
        "the way back is the return_url that was given, unchanged",
        "send return_url as it is; take no address from the settings, and add nothing to it",
        came=sent,
    )


# ---- when it does not go well


def test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages(subject: Subject) -> None:
    decline = subject.part("decline")
    provider, view = subject.fresh(), subject.ordinary()
    decline(provider)
    try:
        result = start_or_raise(provider, view)
    except AssertionError:
        raise
    except Exception as error:
        kept(False, "a decline is an answer; an exception says that nobody knows", DECLINE, came=repr(error))
        raise
    kept(result.status == "failed", "a declined payment has the status failed", DECLINE, came=result.status)
    kept(
        not lacks_a_language(result.buyer_message),
        "a declined payment tells the buyer why, in ja and in en",
        DECLINE,
        came=result.buyer_message,
    )
    kept(result.code, "a declined payment has a code, for the owner", DECLINE, came=result.code)
    found = fetch(provider, after(view, result))
    kept(
        found.status not in ("captured", "authorized", "refunded"),
        "what was declined is not paid",
        "ask the other side in fetch",
        came=found.status,
    )


def test_an_answer_that_was_lost_is_found_by_fetch(subject: Subject) -> None:
    lose = subject.part("lose_answer")
    provider, view = subject.fresh(), subject.ordinary()
    lose(provider)
    try:
        lost: Result | None = start_or_raise(provider, view)
    except AssertionError:
        raise
    except Exception:
        lost = None  # raising says: unknown, ask again
    unknown = "catch a timeout and answer pending, or let it raise: the shop asks again under the same key"
    kept(
        lost is None or lost.status == "pending",
        "an answer that was lost is unknown: pending, never failed and never paid",
        unknown,
        came=lost,
    )
    found = told(ask(provider, "fetch", view), "fetch")  # the shop has no reference yet
    kept(
        found.status != "failed",
        "fetch does not call a payment failed of which it knows nothing",
        unknown,
        came=found,
    )
    again = start(provider, view)
    for what, other in (
        ("fetch", found),
        ("the lost answer", lost),
        ("fetch", fetch(provider, after(view, again))),
    ):
        kept(
            other is None or other.provider_ref in (again.provider_ref, None),
            "the retry finds the payment that was accepted",
            ONE_KEY,
            came=f"{what} says {other.provider_ref if other else None}, the retry {again.provider_ref}",
        )
        kept(
            other is None or other.status != "failed",
            "a payment that was accepted is not told as failed",
            unknown,
            came=other,
        )
    one_payment(subject, provider, "start, again after a lost answer,")
