"""Providers that break a promise about the start of a payment."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from plugins import (
    Money,
    PaymentView,
    Result,
)
from support.kit_broken.noting import breaks
from support.kit_subjects import DECLINED, Good, OtherSide, Settings, subject
from support.meeting import Meeting


class Fresh(Good):
    """Makes a new payment whatever the key."""

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        with self.other.lock:
            self.other.answers.pop(key, None)
            return super().start(payment, key=key, return_url=return_url)


@breaks("test_start_twice_with_one_key_is_one_payment")
class NewPaymentEachTime(Fresh):
    pass


@breaks("test_the_same_payment_is_known_after_a_restart")
class RemembersKeysInMemory(Fresh):
    """Looks well from outside until the shop is started anew, or has a second process."""

    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        self.memory: dict[str, Result] = {}

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        with self.other.lock:
            if key not in self.memory:
                self.memory[key] = super().start(payment, key=key, return_url=return_url)
            return self.memory[key]


@breaks("test_an_answer_that_was_lost_is_found_by_fetch")
class PaysAgainAfterATimeout(RemembersKeysInMemory):
    pass


@breaks("test_eight_threads_with_one_key_are_one_payment")
class LooksAndThenMakes(Good):
    """Looks, and makes it if it is not there: two threads both look before either makes."""

    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        self.both_looked = Meeting()

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        known = self.other.answers.get(key)
        if known is not None:
            return known
        if threading.current_thread() is not threading.main_thread():
            self.both_looked.wait()
        with self.other.lock:
            self.other.answers.pop(key, None)
            return super().start(payment, key=key, return_url=return_url)


@breaks("test_another_payment_is_another_reference")
class OneReferenceForAll(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        return super().answer(payment, key, return_url, mode, "SAME")


@breaks("test_another_key_is_another_attempt")
class ByOrderNumber(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        found = super().start(payment, key=payment.order_number, return_url=return_url)
        return replace(found, attempt_key=key)


@breaks("test_amounts_are_sent_unscaled")
class TimesHundred(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor * 100


@breaks("test_amounts_are_sent_unscaled")
class YenByHundred(Good):
    def on_the_wire(self, amount: Money) -> object:
        return f"{Decimal(amount.minor) / 100:.2f}"


@breaks("test_amounts_are_sent_unscaled")
class FloatOnTheWire(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor / 1


@breaks("test_amounts_are_sent_unscaled")
class RoundsDinars(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor // 10 * 10 if amount.currency == "KWD" else amount.minor


@breaks("test_amounts_are_sent_unscaled", lambda one: subject(one, sent_in="major"))
class DinarsWithTwoDecimals(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor if amount.currency == "JPY" else f"{Decimal(amount.minor) / 100:.2f}"


@breaks("test_amounts_are_sent_unscaled")
class DeclinesDollars(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        mode = mode if payment.amount.currency == "JPY" else "declined"
        return super().answer(payment, key, return_url, mode, reference)


@breaks("test_the_answer_is_a_result_for_this_attempt")
class AnswersMajorUnits(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, amount=Money(payment.amount.minor // 100, payment.amount.currency))


@breaks("test_the_answer_is_a_result_for_this_attempt")
class AnswersAFloat(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, amount=float(payment.amount.minor))  # type: ignore[arg-type]


@breaks("test_the_answer_is_a_result_for_this_attempt")
class OtherKey(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode, reference), attempt_key="another")


@breaks("test_the_answer_is_a_result_for_this_attempt")
class NaiveTime(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, expires_at=datetime(2026, 11, 21, 12, 0))  # noqa: DTZ001


@breaks("test_the_answer_is_a_result_for_this_attempt")
class AnswersATable(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        return {"status": "captured"}  # type: ignore[return-value]


@breaks("test_a_buyer_of_any_kind_gets_a_record")
class StumblesWithoutTerms(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        _ = payment.buyer.terms["closing_day"]  # type: ignore[union-attr, index]
        return super().start(payment, key=key, return_url=return_url)


@breaks("test_start_changes_nothing_that_it_is_given")
class ChangesTheTermsAtStart(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        if payment.buyer is not None and isinstance(payment.buyer.terms, dict):
            payment.buyer.terms.clear()
        return super().start(payment, key=key, return_url=return_url)


@breaks("test_a_redirect_is_https_and_comes_back_to_us")
class RedirectOverHttp(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, redirect_url=None if found.redirect_url is None else "http://pay.example/")


@breaks("test_a_redirect_is_https_and_comes_back_to_us")
class ScriptForAPage(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, redirect_url="https:evil")


@breaks("test_a_redirect_is_https_and_comes_back_to_us")
class ComesBackElsewhere(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        return super().answer(payment, key, "https://evil.example/thanks", mode, reference)


@breaks("test_a_redirect_is_https_and_comes_back_to_us")
class StraightBack(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode, reference), redirect_url=return_url)


@breaks("test_a_redirect_is_https_and_comes_back_to_us")
class ActionWithoutPage(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode, reference), redirect_url=None)


@breaks("test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages")
class DeclinedRaises(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        if mode == "declined":
            raise RuntimeError("card_declined")
        return super().answer(payment, key, return_url, mode, reference)


@breaks("test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages")
class DeclinedInEnglishOnly(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, buyer_message={"en": "declined"}) if mode == "declined" else found


@breaks("test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages")
class DeclinedIsPending(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, status="pending") if mode == "declined" else found


@breaks("test_an_answer_that_was_lost_is_found_by_fetch")
class UnknownIsFailed(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        try:
            return super().start(payment, key=key, return_url=return_url)
        except TimeoutError:
            return Result("failed", None, payment.amount, key, buyer_message=DECLINED, code="timeout")


@breaks("test_an_answer_that_was_lost_is_found_by_fetch")
class UnknownIsPaid(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        try:
            return super().start(payment, key=key, return_url=return_url)
        except TimeoutError:
            return Result("captured", None, payment.amount, key)


class Hanging(Good):
    """Waits for an answer without a timeout. Tried with a short patience: see the test."""

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        threading.Event().wait(20)
        raise TimeoutError("too late")
