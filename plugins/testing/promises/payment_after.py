"""Promises about what follows: fetch tells the truth, and nothing is taken or given back twice, or too much."""

from __future__ import annotations

from functools import partial
from typing import Any

from plugins.contract import Capability, Money, PaymentProvider, PaymentView, Result
from plugins.testing.asking import all_at_once, answer, kept
from plugins.testing.promises.paying import (
    ONCE,
    authorized,
    captured,
    change,
    fetch,
    is_offline,
    promised,
    start,
    started,
    third,
    told,
)
from plugins.testing.promises.payment_start import is_written
from plugins.testing.subject import MissingPartError, Subject, after, key_of

TRUTH = "ask the other side in fetch, each time; keep no answer of your own"
TOO_MUCH = (
    "compare with payment.amount less what was given back already, and answer Result('failed', ..., code=...)"
)


def needs(provider: PaymentProvider, capability: Capability, *, moving: bool = False) -> None:
    if capability not in provider.capabilities:
        raise MissingPartError(f"only for a provider with Capability.{capability.name}")
    if moving and is_offline(provider):
        raise MissingPartError("nothing moves over this provider: the shop's own table of moves refuses")


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


# ---- refund


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
    _all_given_back(provider, after(view, done), amount.minor, done.status)


def _all_given_back(provider: PaymentProvider, view: PaymentView, minor: int, status: str) -> None:
    if is_offline(provider) or status != "refunded":
        return  # nobody but the owner knows; or it is still under way
    found = fetch(provider, view)
    kept(
        found.status == "refunded" and found.amount.minor == minor,
        "after a refund fetch answers refunded, with all that was given back so far",
        "add up the refunds at the other side; " + ONCE,
        came=f"{minor} were given back, fetch says {found.status} {found.amount.minor}",
    )


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
    _all_given_back(provider, after(view, done), amount.minor, done.status)


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
        _all_given_back(provider, after(view, second), 2 * part.minor, second.status)
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


# ---- when an answer is lost afterwards

LOST = "a timeout is no refusal: let it raise, or answer pending; the shop asks again under the same key"


def test_a_look_that_gets_no_answer_is_no_failure(subject: Subject) -> None:
    lose = subject.part("lose_answer")
    provider, view, result = started(subject)
    lose(provider)
    try:
        found = answer(lambda: provider.fetch(view), "fetch")
    except AssertionError:
        raise
    except Exception:
        return  # raising says: unknown
    kept(
        found.status not in ("failed", "canceled", "refunded") and found.status in (result.status, "pending"),
        "while the other side does not answer nothing is known: a payment neither fails nor succeeds",
        LOST,
        came=found.status,
    )


def test_a_refund_whose_answer_was_lost_is_given_back_once(subject: Subject) -> None:
    lose = subject.part("lose_answer")
    provider, view = captured(subject)
    needs(provider, Capability.REFUND, moving=True)
    amount = third(view.amount) if Capability.PARTIAL_REFUND in provider.capabilities else view.amount
    done = _through_a_loss(subject, provider, "refund", view, amount, lose)
    if done is not None:
        _all_given_back(provider, after(view, done), amount.minor, done.status)


def test_a_capture_whose_answer_was_lost_is_taken_once(subject: Subject) -> None:
    lose = subject.part("lose_answer")
    provider, view = promised(subject)
    needs(provider, Capability.CAPTURE, moving=True)
    done = _through_a_loss(subject, provider, "capture", view, view.amount, lose)
    if done is not None and done.status == "captured":
        found = fetch(provider, after(view, done))
        kept(
            found.status == "captured" and found.amount == view.amount,
            "what was captured once is captured once, also when its answer was lost",
            ONCE,
            came=found,
        )


def _through_a_loss(
    subject: Subject, provider: PaymentProvider, what: str, view: PaymentView, amount: Money, lose: Any
) -> Result | None:
    """The answer in the end, asked again under one key; None where the other side goes on losing answers."""
    lose(provider)
    key, more = key_of(view, what), {"reason": None} if what == "refund" else {}
    for _ in range(5):
        try:
            result = answer(partial(getattr(provider, what), view, amount, key=key, **more), what)
        except AssertionError:
            raise
        except Exception:  # noqa: S112  (raising says: unknown, ask again)
            continue
        kept(
            result.status != "failed",
            f"a {what} whose answer was lost is unknown, and not failed",
            LOST,
            came=result,
        )
        if result.status != "pending":
            return told(result, what, key)
    return None
