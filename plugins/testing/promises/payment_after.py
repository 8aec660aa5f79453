"""Promises about what follows: fetch tells the truth, and nothing is taken twice, or too much."""

from __future__ import annotations

from plugins.contract import Capability, Money
from plugins.testing.asking import all_at_once, kept
from plugins.testing.promises.paying import (
    ONCE,
    TRUTH,
    authorized,
    captured,
    change,
    fetch,
    is_offline,
    needs,
    promised,
    start,
    started,
    third,
)
from plugins.testing.subject import MissingPartError, Subject, after

# ---- fetch


def test_fetch_tells_the_truth_and_changes_nothing(subject: Subject) -> None:
    provider, view, result = started(subject)
    first, second = fetch(provider, view), fetch(provider, view)
    kept(
        (first.status, first.amount, first.provider_ref)
        == (second.status, second.amount, second.provider_ref),
        "fetch looks and changes nothing: asked twice it says the same",
        "read at the other side, and write nothing there",
        came=f"{first.status}, then {second.status}",
    )
    kept(
        first.provider_ref in (result.provider_ref, None),
        "fetch answers about the payment that it was asked about",
        "look it up by payment.provider_ref",
        came=f"asked about {result.provider_ref}, answered about {first.provider_ref}",
    )
    kept(
        first.amount == view.amount,
        "fetch answers with the amount of the payment, in minor units",
        "answer what the other side has, unscaled; the shop compares it with the order",
        came=first.amount,
    )
    if subject.made is not None:
        kept(subject.made(provider) == 1, "fetch makes no payment", "only start makes one")


def test_fetch_of_a_payment_that_never_arrived_is_no_failure(subject: Subject) -> None:
    provider, view = subject.fresh(), subject.ordinary()
    try:
        found = fetch(provider, view)
    except AssertionError:
        raise
    except Exception as error:
        kept(
            False,
            "a payment that nobody knows is pending",
            "look for it, and answer pending",
            came=repr(error),
        )
        raise
    kept(
        found.status not in ("failed", "captured", "refunded", "canceled", "disputed"),
        "a payment that nobody knows is pending: start may still be under way",
        "answer Result('pending', payment.provider_ref, payment.amount, '') when there is none",
        came=found.status,
    )


def test_fetch_tells_each_payment_apart(subject: Subject) -> None:
    pay = subject.part("pay")
    provider, mine, _result = started(subject)
    other = subject.ordinary(amount=Money(mine.amount.minor + 7, mine.amount.currency))
    result = start(provider, other)
    pay(provider, mine)
    kept(
        fetch(provider, mine).status in ("captured", "authorized"),
        "fetch says captured, or authorized, once the buyer has paid",
        TRUTH,
        came=fetch(provider, mine).status,
    )
    found = fetch(provider, after(other, result))
    kept(
        found.status == result.status and found.amount == other.amount,
        "what happens to one payment changes no other",
        "look up by payment.provider_ref, never by the latest one",
        came=f"another payment was paid, and this one is {found.status} with {found.amount}",
    )


def test_what_was_paid_is_told_with_its_amount(subject: Subject) -> None:
    provider, view = captured(subject)
    if is_offline(provider):
        raise MissingPartError("nobody but the owner knows whether the money is there")
    answers = all_at_once(lambda: fetch(provider, view) for _ in range(8))
    kept(
        {(found.status, found.amount) for found in answers} == {("captured", view.amount)},
        "fetch says captured, with the amount that was taken, to everybody who asks",
        TRUTH,
        came=answers[0],
    )


def test_a_failure_that_arrives_after_the_capture_does_not_undo_it(subject: Subject) -> None:
    pay, fail = subject.part("pay"), subject.part("fail_late")
    provider, view, _result = started(subject)
    pay(provider, view)
    before = fetch(provider, view).status
    fail(provider, view)
    found = fetch(provider, view).status
    kept(
        found == before and found in ("captured", "authorized"),
        "messages arrive in any order: a failure that comes late undoes no payment",
        "answer how the payment stands at the other side now, and not what the last message said",
        came=f"{before} before, {found} after a late failure",
    )


# ---- capture


def test_capture_answers_the_amount_captured(subject: Subject) -> None:
    provider, view, result = started(subject)
    needs(provider, Capability.CAPTURE)
    if subject.pay is not None and result.status == "requires_action" and not is_offline(provider):
        provider, view = authorized(subject)
    elif result.status == "captured":
        raise MissingPartError("only for a provider that authorizes first and takes the money later")
    done = change(provider, "capture", view, view.amount)
    if done.status == "captured":
        kept(
            done.amount == view.amount,
            "capture answers with the amount that was taken",
            "Result('captured', reference, amount, key)",
            came=done.amount,
        )
        again = change(provider, "capture", after(view, done), view.amount)
        kept(
            (again.provider_ref, again.amount) == (done.provider_ref, done.amount),
            "one key captures once",
            ONCE,
            came=again,
        )
        if not is_offline(provider):
            found = fetch(provider, after(view, done))
            kept(
                found.status == "captured" and found.amount == view.amount,
                "what was captured once is captured once",
                ONCE,
                came=found,
            )


def test_more_than_was_promised_is_not_taken(subject: Subject) -> None:
    provider, view = promised(subject)
    needs(provider, Capability.CAPTURE, moving=True)
    more = Money(view.amount.minor + 1, view.amount.currency)
    done = change(provider, "capture", view, more)
    kept(
        done.status != "captured" or done.amount.minor <= view.amount.minor,
        "no more is taken than the buyer agreed to",
        "compare with payment.amount, and answer Result('failed', ..., code=...)",
        came=done,
    )


def test_a_part_is_captured_as_a_part(subject: Subject) -> None:
    provider, view = promised(subject)
    needs(provider, Capability.CAPTURE, moving=True)
    part = third(view.amount)
    done = change(provider, "capture", view, part)
    if Capability.PARTIAL_CAPTURE not in provider.capabilities:
        kept(
            done.status != "captured" or done.amount == part,
            "who cannot capture a part takes nothing when a part is asked, and never the whole",
            "answer Result('failed', ...), or add Capability.PARTIAL_CAPTURE",
            came=done,
        )
        return
    kept(
        done.status in ("captured", "pending") and done.amount == part,
        "a part that was asked is the part that is taken",
        "send the amount that was given, not payment.amount",
        came=done,
    )
    rest = Money(view.amount.minor - part.minor + 1, part.currency)
    beyond = change(provider, "capture", after(view, done), rest, 2)
    kept(
        beyond.status != "captured" or beyond.amount.minor + part.minor <= view.amount.minor,
        "all parts together are no more than the buyer agreed to",
        "add up what was taken already",
        came=f"{part.minor} and then {beyond.amount.minor} of {view.amount.minor}",
    )


# ---- void


def test_void_after_capture_is_refused(subject: Subject) -> None:
    provider, view = captured(subject)
    if is_offline(provider):
        raise MissingPartError("nothing moves over this provider: the shop's own table of moves refuses")
    done = change(provider, "void", view)
    kept(
        done.status != "canceled",
        "money that was taken cannot be let go: it has to be refunded",
        "answer how the payment stands, or Result('failed', ..., code='refused')",
        came=done.status,
    )
    found = fetch(provider, view)
    kept(
        found.status == "captured",
        "a void that was refused changes nothing",
        "refuse first",
        came=found.status,
    )


def test_void_lets_a_payment_go_for_good(subject: Subject) -> None:
    provider, view = authorized(subject)
    needs(provider, Capability.VOID, moving=True)
    done = change(provider, "void", view)
    if done.status != "canceled":
        kept(
            done.status in ("pending", "failed"), "void answers canceled, or why not", ONCE, came=done.status
        )
        return
    again = change(provider, "void", view)
    kept(again.status == "canceled", "one key lets go once, and says so again", ONCE, came=again.status)
    found = fetch(provider, after(view, done))
    kept(
        found.status not in ("captured", "authorized", "refunded"),
        "what was let go is gone: fetch says so",
        TRUTH,
        came=found.status,
    )
    if Capability.CAPTURE in provider.capabilities:
        taken = change(provider, "capture", after(view, done), view.amount)
        kept(
            taken.status != "captured",
            "nothing is taken of a payment that was let go",
            "look at how the payment stands before capturing",
            came=taken.status,
        )
