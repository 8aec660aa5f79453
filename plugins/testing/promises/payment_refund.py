"""Promises about refunds: the amount asked is given back once, and never more than was taken."""

from __future__ import annotations

from plugins.contract import Capability, Money
from plugins.testing.asking import all_at_once, kept
from plugins.testing.promises.paying import (
    ONCE,
    all_given_back,
    captured,
    change,
    is_offline,
    needs,
    started,
    third,
)
from plugins.testing.promises.payment_start import is_written
from plugins.testing.subject import MissingPartError, Subject, after

TOO_MUCH = (
    "compare with payment.amount less what was given back already, and answer Result('failed', ..., code=...)"
)


def test_a_refund_gives_back_the_amount_asked_once(subject: Subject) -> None:
    provider, view = captured(subject)
    needs(provider, Capability.REFUND)
    has_parts = Capability.PARTIAL_REFUND in provider.capabilities
    amount = third(view.amount) if has_parts else view.amount
    before = len(subject.amounts_sent(provider)) if subject.amounts_sent is not None else 0
    done = change(provider, "refund", view, amount)
    kept(
        done.status in ("refunded", "pending"),
        "who says Capability.REFUND gives money back",
        "answer refunded, or pending when it takes days",
        came=done,
    )
    kept(
        done.amount == amount,
        "the answer of refund has the amount of this refund, unscaled",
        "answer the amount that was given; the sum of all refunds belongs into fetch",
        came=f"{amount} was asked, {done.amount} answered",
    )
    if subject.amounts_sent is not None:
        sent = list(subject.amounts_sent(provider))[before:]
        kept(
            all(is_written(one, amount, subject.sent_in) for one in sent),
            "a refund sends the amount that was given, unscaled",
            "send amount.minor as it is",
            came=sent,
        )
    again = change(provider, "refund", view, amount)
    kept(
        (again.status, again.amount) == (done.status, done.amount),
        "one key gives back once: the same key has the same answer",
        ONCE,
        came=f"{done.status} {done.amount.minor}, then {again.status} {again.amount.minor}",
    )
    all_given_back(provider, after(view, done), amount.minor, done.status)


def test_eight_threads_with_one_key_refund_once(subject: Subject) -> None:
    provider, view = captured(subject)
    needs(provider, Capability.REFUND, moving=True)
    amount = third(view.amount) if Capability.PARTIAL_REFUND in provider.capabilities else view.amount
    results = all_at_once(lambda: change(provider, "refund", view, amount) for _ in range(8))
    kept(
        {result.amount for result in results} == {amount}
        and {result.status for result in results} in ({"refunded"}, {"pending"}),
        "one key gives back once, and has one answer, also in eight threads",
        ONCE,
        came=[(result.status, result.amount.minor) for result in results],
    )
    done = results[0]
    all_given_back(provider, after(view, done), amount.minor, done.status)


def test_a_second_refund_is_a_second_amount(subject: Subject) -> None:
    provider, view = captured(subject)
    needs(provider, Capability.REFUND)
    needs(provider, Capability.PARTIAL_REFUND)
    part = third(view.amount)
    first = change(provider, "refund", view, part, 1)
    second = change(provider, "refund", after(view, first), part, 2)
    kept(
        second.status in ("refunded", "pending") and second.amount == part,
        "another key is another refund, and its answer has its own amount",
        "answer the amount of this refund; the sum belongs into fetch",
        came=second,
    )
    if first.status == "refunded":
        all_given_back(provider, after(view, second), 2 * part.minor, second.status)
    if is_offline(provider):
        return
    rest = Money(view.amount.minor - 2 * part.minor + 1, part.currency)
    beyond = change(provider, "refund", after(view, second), rest, 3)
    kept(
        beyond.status == "failed",
        "all refunds together are no more than was taken",
        TOO_MUCH,
        came=f"{2 * part.minor} and then {rest.minor} of {view.amount.minor}: {beyond.status}",
    )


def test_more_than_was_taken_is_not_given_back(subject: Subject) -> None:
    provider, view = captured(subject)
    needs(provider, Capability.REFUND, moving=True)
    more = Money(view.amount.minor + 1, view.amount.currency)
    done = change(provider, "refund", view, more)
    kept(done.status == "failed", "no more is given back than was taken", TOO_MUCH, came=done)


def test_who_cannot_refund_a_part_refuses_a_part(subject: Subject) -> None:
    provider, view = captured(subject)
    needs(provider, Capability.REFUND, moving=True)
    if Capability.PARTIAL_REFUND in provider.capabilities:
        raise MissingPartError("only for a provider that gives back the whole or nothing")
    part = third(view.amount)
    done = change(provider, "refund", view, part)
    kept(
        done.status == "failed" or (done.status in ("refunded", "pending") and done.amount == part),
        "who cannot give back a part gives nothing when a part is asked, and never the whole",
        "answer Result('failed', ...), or add Capability.PARTIAL_REFUND",
        came=done,
    )


def test_what_it_cannot_do_is_a_record_and_no_exception(subject: Subject) -> None:
    provider, view, _result = started(subject)
    for name in ("capture", "void", "refund"):
        if Capability[name.upper()] in provider.capabilities:
            continue
        change(provider, name, view, None if name == "void" else view.amount)
