"""Providers that break a promise about what follows the start."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from plugins import (
    Capability,
    Money,
    PaymentView,
    Result,
)
from support.kit_broken.noting import breaks
from support.kit_subjects import DECLINED, Good, Held, later


@breaks("test_fetch_of_a_payment_that_never_arrived_is_no_failure")
class UnknownToFetchIsFailed(Good):
    def fetch(self, payment: PaymentView) -> Result:
        if self.known(payment) is None:
            return Result("failed", None, payment.amount, "")
        return super().fetch(payment)


@breaks("test_fetch_of_a_payment_that_never_arrived_is_no_failure")
class FetchOfNothingRaises(Good):
    def fetch(self, payment: PaymentView) -> Result:
        _ = self.other.held[str(payment.provider_ref)]
        return super().fetch(payment)


@breaks("test_fetch_tells_the_truth_and_changes_nothing")
class FetchInMajorUnits(Good):
    def fetch(self, payment: PaymentView) -> Result:
        found = super().fetch(payment)
        return replace(found, amount=Money(found.amount.minor // 100, found.amount.currency))


@breaks("test_fetch_tells_each_payment_apart")
class StaleFetch(Good):
    def fetch(self, payment: PaymentView) -> Result:
        for result in self.other.answers.values():
            if payment.provider_ref and result.provider_ref == payment.provider_ref:
                return result
        return super().fetch(payment)


@breaks("test_fetch_tells_each_payment_apart")
class FetchOfAnyPaid(Good):
    def known(self, payment: PaymentView) -> Held | None:
        paid = [held for held in self.other.held.values() if held.status == "captured"]
        return paid[0] if paid and payment.provider_ref else super().known(payment)


@breaks("test_a_failure_that_arrives_after_the_capture_does_not_undo_it")
class LateFailureUndoes(Good):
    def fetch(self, payment: PaymentView) -> Result:
        found = super().fetch(payment)
        return replace(found, status="failed") if self.other.late == payment.provider_ref else found


@breaks("test_what_was_paid_is_told_with_its_amount")
class TellsWhatIsLeftOfIt(Good):
    """The amount less the service's own charge."""

    def fetch(self, payment: PaymentView) -> Result:
        found = super().fetch(payment)
        left = Money(found.amount.minor * 964 // 1000, found.amount.currency)
        return replace(found, amount=left) if found.status == "captured" else found


@breaks("test_capture_answers_the_amount_captured", later)
class CapturesTwice(Good):
    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        result = super().capture(payment, amount, key=key)
        self.other.held[str(payment.provider_ref)].taken += amount.minor
        return result


@breaks("test_a_part_is_captured_as_a_part", later)
class CapturesTheWhole(Good):
    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        return super().capture(payment, payment.amount, key=key)


class NoSums(Good):
    """Believes every amount."""

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        held = self.other.held[str(payment.provider_ref)]
        held.status, held.taken = "captured", amount.minor
        return Result("captured", payment.provider_ref, amount, key)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        if amount.minor > payment.amount.minor:
            return Result("failed", payment.provider_ref, amount, key, buyer_message=DECLINED, code="x")

        def make(held: Held) -> str | None:
            held.back += amount.minor
            return "refunded"

        return self.once(payment, amount, key, make)


@breaks("test_more_than_was_promised_is_not_taken", later)
class TakesTooMuch(NoSums):
    pass


@breaks("test_a_part_is_captured_as_a_part", later)
class PartsWithoutASum(NoSums):
    pass


@breaks("test_void_after_capture_is_refused")
class VoidsWhatWasTaken(Good):
    def void(self, payment: PaymentView, *, key: str) -> Result:
        return Result("canceled", payment.provider_ref, payment.amount, key)


@breaks("test_void_lets_a_payment_go_for_good", later)
class VoidsNothing(VoidsWhatWasTaken):
    """Says canceled and does not tell the other side."""


@breaks("test_more_than_was_taken_is_not_given_back")
class GivesBackTooMuch(Good):
    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        return Result("refunded", payment.provider_ref, amount, key)


@breaks("test_a_second_refund_is_a_second_amount")
class RefundsWithoutASum(NoSums):
    capture = Good.capture


class Twice(Good):
    """One key gives back each time it comes."""

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        with self.other.lock:
            self.other.answers.pop(key, None)
            return super().refund(payment, amount, key=key, reason=reason)


@breaks("test_a_refund_gives_back_the_amount_asked_once")
class RefundsTwice(Twice):
    pass


@breaks("test_eight_threads_with_one_key_refund_once")
class RefundsInEachThread(Twice):
    pass


@breaks("test_a_second_refund_is_a_second_amount")
class AnswersTheSum(Good):
    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        result = super().refund(payment, amount, key=key, reason=reason)
        back = self.other.held[str(payment.provider_ref)].back
        return replace(result, amount=Money(back, amount.currency)) if result.status == "refunded" else result


@breaks("test_a_refund_gives_back_the_amount_asked_once")
class RefundsAlwaysTheWhole(Good):
    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        result = super().refund(payment, payment.amount, key=key, reason=reason)
        return replace(result, amount=amount)


@breaks("test_a_refund_gives_back_the_amount_asked_once")
class RefundedAndStillCaptured(Good):
    def fetch(self, payment: PaymentView) -> Result:
        found = super().fetch(payment)
        return (
            replace(found, status="captured", amount=payment.amount) if found.status == "refunded" else found
        )


@breaks("test_who_cannot_refund_a_part_refuses_a_part")
class WholeForAPart(Good):
    capabilities = Capability.CAPTURE | Capability.REFUND

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        return super().refund(payment, payment.amount, key=key, reason=reason)


@breaks("test_what_it_cannot_do_is_a_record_and_no_exception")
class NotDone(Good):
    capabilities = Capability.CAPTURE

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        raise NotImplementedError("refund")


@breaks("test_the_way_back_is_sent_as_it_was_given")
class KnowsTheWayBackItself(Good):
    def way_back(self, return_url: str) -> str:
        return "https://shop.example/thanks"


class SwallowsTimeouts(Good):
    """Every exception is a failure to it."""

    def fetch(self, payment: PaymentView) -> Result:
        try:
            return super().fetch(payment)
        except TimeoutError:
            return Result("failed", payment.provider_ref, payment.amount, "", code="error")

    def once(
        self, payment: PaymentView, amount: Money, key: str, make: Callable[[Held], str | None]
    ) -> Result:
        try:
            return super().once(payment, amount, key, make)
        except TimeoutError:
            return Result("failed", payment.provider_ref, amount, key, buyer_message=DECLINED, code="error")


@breaks("test_a_look_that_gets_no_answer_is_no_failure")
class LooksAndFails(SwallowsTimeouts):
    pass


@breaks("test_a_refund_whose_answer_was_lost_is_given_back_once")
class RefundThatFails(SwallowsTimeouts):
    pass


@breaks("test_a_capture_whose_answer_was_lost_is_taken_once", later)
class CaptureThatFails(SwallowsTimeouts):
    pass


@breaks("test_a_refund_whose_answer_was_lost_is_given_back_once")
class RefundsAgainAfterATimeout(Good):
    """Remembers what it heard, and sends no key: what it did not hear it does again."""

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        known = getattr(self, "heard", {})
        if key not in known:
            result = super().refund(payment, amount, key=f"{key}:{random.random()}", reason=reason)
            self.heard = {**known, key: replace(result, attempt_key=key)}
        return self.heard[key]
