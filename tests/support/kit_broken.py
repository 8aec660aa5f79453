"""Payment providers that each break one promise of the contract, and the test of the kit that must notice."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, model_validator

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Disabled,
    Money,
    PaymentView,
    RawRequest,
    Result,
    SignatureError,
    TaxedMoney,
    WebhookEvent,
)
from plugins.testing import Subject
from support.kit_subjects import DECLINED, SECRET, Good, Held, OtherSide, Settings, later, sign, subject

BROKEN: dict[type, tuple[str, Callable[[Any], Subject]]] = {}


def breaks(test: str, build: Callable[[Any], Subject] = subject) -> Callable[[type], type]:
    """The test of the kit that must find this one."""

    def note(provider: type) -> type:
        BROKEN[provider] = (test, build)
        return provider

    return note


# ---- what it is


@breaks("test_it_says_what_it_is")
class LabelInEnglishOnly(Good):
    label: Mapping[str, str] = {"en": "Good payments"}


@breaks("test_it_says_what_it_is")
class LabelIsAText(Good):
    label: Any = "Good payments"


@breaks("test_it_says_what_it_is")
class RefundsPartsButNotTheWhole(Good):
    capabilities = Capability.CAPTURE | Capability.PARTIAL_REFUND


@breaks("test_its_methods_take_what_the_shop_gives")
class KeyByPosition(Good):
    def start(self, payment: PaymentView, idempotency_key: str, return_url: str) -> Result:  # type: ignore[override]
        return super().start(payment, key=idempotency_key, return_url=return_url)


@breaks("test_its_methods_take_what_the_shop_gives")
class AsyncFetch(Good):
    async def fetch(self, payment: PaymentView) -> Result:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().fetch(payment)


# ---- settings and secrets


class Forgiving(BaseModel):
    """No plugins.Config: pydantic's own default drops what it does not know."""

    api_key: SecretStr
    retries: int = 2


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class TakesUnknownSettings(Good):
    config = Forgiving


class Nameless(Config):
    api_key: SecretStr
    retries: int = 2

    @model_validator(mode="after")
    def _sensible(self) -> Nameless:
        if self.retries > 5:
            raise ValueError("that is not possible")
        return self


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class RefusesWithoutTheName(Good):
    config = Nameless


class OpenKey(Config):
    api_key: str
    retries: int = Settings.model_fields["retries"]  # type: ignore[assignment]


@breaks("test_a_wrong_setting_is_refused_by_its_name")
class KeyIsAPlainText(Good):
    config = OpenKey


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class LogsItsSecret(Good):
    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        logging.getLogger("koguchi.kit").debug("using %s", settings.api_key.get_secret_value())


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInItsRepr(Good):
    def __repr__(self) -> str:
        return f"<Good {self.settings.api_key.get_secret_value()}>"


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInInstructions(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        found = super().answer(payment, key, return_url, mode, reference)
        return replace(found, instructions={"client": self.settings.api_key.get_secret_value()})


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class SecretInAnError(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        try:
            return super().start(payment, key=key, return_url=return_url)
        except TimeoutError as error:
            raise RuntimeError(f"POST /pay Bearer {self.settings.api_key.get_secret_value()}") from error


@breaks("test_no_secret_stands_in_a_repr_a_result_or_a_log")
class PrintsItsSecret(Good):
    def verify(self, raw: RawRequest) -> None:
        print("checking with", SECRET)
        super().verify(raw)


@breaks("test_building_it_asks_nobody")
class ConnectsInInit(Good):
    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        super().__init__(settings, other)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), 0.1).close()


@breaks("test_nothing_is_kept_in_the_class")
class KeptInTheClass(Good):
    seen: dict[str, Result] = {}  # noqa: RUF012

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        if key not in self.seen:
            self.seen[key] = super().start(payment, key=key, return_url=return_url)
        return self.seen[key]


# ---- before the order


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AsksTheNetworkFirst(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        with socket.socket() as probe:
            probe.connect(("127.0.0.1", 9))
        return Available()


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AsksAndSwallows(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        with suppress(OSError):
            socket.getaddrinfo("status.pay.example", 443)
        return Available()


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class ReadsAFileEachTime(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        Path(__file__).read_bytes()
        return None


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AnswersAtRandom(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(random.randrange(10**6), ctx.total.currency))


@breaks("test_availability_answers_a_visitor_and_any_amount")
class NeedsABuyer(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available() if ctx.buyer.group else Disabled({"ja": "不可", "en": "no"})  # type: ignore[union-attr]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class SaysTrue(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return True  # type: ignore[return-value]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class ReasonInEnglishOnly(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available() if ctx.buyer else Disabled({"en": "Sign in"})


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeInYenAlways(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(330, "JPY"))


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeOfFloats(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(330, ctx.total.currency), 0.1)  # type: ignore[arg-type]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeBelowZero(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(100 - ctx.total.minor, ctx.total.currency))


@breaks("test_availability_and_fee_change_nothing_that_they_are_given")
class ChangesTheTerms(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        if ctx.buyer is not None and isinstance(ctx.buyer.terms, dict):
            ctx.buyer.terms["closing_day"] = 31
        return Available()


# ---- start


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

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        known = self.other.answers.get(key)
        if known is not None:
            return known
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.02)
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


# ---- afterwards


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


# ---- webhooks


@breaks("test_a_tampered_or_unsigned_webhook_is_refused")
class TakesUnsigned(Good):
    def verify(self, raw: RawRequest) -> None:
        """Believes everybody."""


@breaks("test_a_tampered_or_unsigned_webhook_is_refused")
class TakesWithoutAHeader(Good):
    def verify(self, raw: RawRequest) -> None:
        if "signature" in raw.headers:
            super().verify(raw)


@breaks("test_a_tampered_or_unsigned_webhook_is_refused")
class ComparesText(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        if not hmac.compare_digest(signature, sign(raw.body, stamp)):
            raise SignatureError("the signature is not ours")
        super().verify(raw)


@breaks("test_a_tampered_or_unsigned_webhook_is_refused")
class ConvertsFirst(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp = raw.headers.get("signature", "").partition(",")[0]
        if stamp.isdigit() and abs(raw.received_at.timestamp() - int(stamp)) > 300:
            raise SignatureError("too old")
        super().verify(raw)


@breaks("test_a_tampered_or_unsigned_webhook_is_refused")
class SignsWhatItRead(Good):
    """Signs the message as it understood it, not the bytes that came."""

    def verify(self, raw: RawRequest) -> None:
        try:
            same = json.dumps(json.loads(raw.body)).encode()
        except ValueError:
            same = raw.body
        super().verify(replace(raw, body=same))


@breaks("test_an_old_webhook_and_one_of_the_future_are_refused")
class TakesOld(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp = raw.headers.get("signature", "").partition(",")[0]
        at = (
            raw.received_at
            if not stamp.isdigit()
            else datetime.fromtimestamp(int(stamp), raw.received_at.tzinfo)
        )
        super().verify(replace(raw, received_at=at))


@breaks("test_an_old_webhook_and_one_of_the_future_are_refused")
class TakesTheFuture(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp = raw.headers.get("signature", "").partition(",")[0]
        if stamp.isascii() and stamp.isdigit() and int(stamp) > raw.received_at.timestamp():
            raw = replace(raw, received_at=datetime.fromtimestamp(int(stamp), raw.received_at.tzinfo))
        super().verify(raw)


@breaks("test_an_old_webhook_and_one_of_the_future_are_refused")
class LooksAtItsOwnClock(Good):
    def verify(self, raw: RawRequest) -> None:
        super().verify(replace(raw, received_at=raw.received_at + timedelta(days=400)))


@breaks("test_the_time_of_a_webhook_is_signed_with_it")
class TimeIsNotSigned(Good):
    @staticmethod
    def sign(body: bytes, stamp: str) -> str:
        return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        if not hmac.compare_digest(signature.encode(), self.sign(raw.body, stamp).encode()):
            raise SignatureError("the signature is not ours")
        if not stamp.isascii() or not stamp.isdigit() or abs(raw.received_at.timestamp() - int(stamp)) > 300:
            raise SignatureError("too old")


@breaks("test_a_webhook_names_the_payment_and_the_event")
class NewEventEachTime(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        found = super().parse_webhook(raw)
        return [replace(event, event_id=f"{event.event_id}-{random.random()}") for event in found]


@breaks("test_a_webhook_that_comes_eight_times_at_once_is_one_event")
class ForgetsWhatItSaw(Good):
    """Drops what it has seen: the shop, which may have failed to keep it, never gets it again."""

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        found = super().parse_webhook(raw)
        fresh = [event for event in found if event.event_id not in self.other.answers]
        self.other.answers.update({event.event_id: None for event in found})  # type: ignore[misc]
        return fresh


@breaks("test_a_webhook_names_the_payment_and_the_event")
class NamesTheOrder(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        return [replace(event, provider_ref="A-10001") for event in super().parse_webhook(raw)]


@breaks("test_a_signed_webhook_that_is_no_json_or_of_an_unknown_kind_says_nothing")
class StumblesOverNoJson(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        self.verify(raw)
        told = json.loads(raw.body)
        return [WebhookEvent(told["id"], told["ref"], told["type"])] if told["type"] == "payment" else []


@breaks("test_a_signed_webhook_that_is_no_json_or_of_an_unknown_kind_says_nothing")
class RefusesTheUnknown(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        found = super().parse_webhook(raw)
        if not found:
            raise SignatureError("unknown event")
        return found


class Hanging(Good):
    """Waits for an answer without a timeout. Tried with a short patience: see the test."""

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        threading.Event().wait(20)
        raise TimeoutError("too late")
