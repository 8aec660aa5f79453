"""Promises about answers that were lost after the start: unknown is not failed, and one key acts once."""

from __future__ import annotations

from functools import partial
from typing import Any

from plugins.contract import Capability, Money, PaymentProvider, PaymentView, Result
from plugins.testing.asking import answer, kept
from plugins.testing.promises.paying import (
    ONCE,
    all_given_back,
    captured,
    fetch,
    needs,
    promised,
    started,
    third,
    told,
)
from plugins.testing.subject import Subject, after, key_of

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
        all_given_back(provider, after(view, done), amount.minor, done.status)


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
