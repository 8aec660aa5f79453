"""Providers for the contract kit: one that keeps every promise, and twenty that each break one.

The good one has an other side in memory: it remembers keys, can decline, lose an answer, be paid, and sign webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import Field, SecretStr

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Money,
    PaymentView,
    RawRequest,
    Result,
    SignatureError,
    TaxedMoney,
    WebhookEvent,
)
from plugins.testing import Subject

SECRET = "sk-kit-very-secret"
DECLINED = {"ja": "お支払いが承認されませんでした", "en": "The payment was declined"}


class Settings(Config):
    api_key: SecretStr
    retries: int = Field(default=2, ge=0, le=5)


class Good:
    """A payment over the network as it should be; the network is a dictionary."""

    id = "good"
    label: Mapping[str, str] = {"ja": "よい決済", "en": "Good payments"}
    capabilities = (
        Capability.AUTHORIZE | Capability.CAPTURE | Capability.VOID | Capability.REFUND | Capability.PARTIAL_REFUND
        | Capability.REDIRECT
    )  # fmt: skip
    config: Any = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lock = threading.Lock()
        self.keys: dict[str, Result] = {}
        self.truth: dict[str, Result] = {}  # by payment
        self.sent: list[object] = []
        self.called = 0
        self.next = ""

    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available()

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return None

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        with self.lock:
            self.called += 1
            mode, self.next = self.next, ""
            if key not in self.keys:
                self.sent.append(self.on_the_wire(payment.amount))
                self.keys[key] = self.truth[payment.id] = self.answer(payment, key, return_url, mode)
            if mode == "lost":
                raise TimeoutError("the answer was lost")
            return self.keys[key]

    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        reference = f"GOOD-{len(self.keys) + 1}"
        if mode == "declined":
            return Result("failed", reference, payment.amount, key, buyer_message=DECLINED, code="declined")
        page = f"https://pay.example/{reference}?back={return_url}"
        return Result("requires_action", reference, payment.amount, key, redirect_url=page)

    def on_the_wire(self, amount: Money) -> object:
        return amount.minor

    def fetch(self, payment: PaymentView) -> Result:
        with self.lock:
            return self.truth.get(payment.id) or Result("pending", payment.provider_ref, payment.amount, "")

    def once(self, payment: PaymentView, key: str, make: Callable[[Result], Result]) -> Result:
        with self.lock:
            if key not in self.keys:
                self.called += 1
                self.keys[key] = make(self.truth[payment.id])
                if self.keys[key].status in ("captured", "canceled", "refunded"):
                    self.truth[payment.id] = replace(self.keys[key], amount=payment.amount)
            return self.keys[key]

    def refuse(self, payment: PaymentView, amount: Money, key: str) -> Result:
        text = {"ja": "できません", "en": "This cannot be done"}
        return Result("failed", payment.provider_ref, amount, key, buyer_message=text, code="refused")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        def make(now: Result) -> Result:
            return replace(now, status="captured", amount=amount, attempt_key=key, redirect_url=None)

        return self.once(payment, key, make)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        def make(now: Result) -> Result:
            if now.status == "captured":
                return self.refuse(payment, payment.amount, key)
            return replace(now, status="canceled", attempt_key=key, redirect_url=None)

        return self.once(payment, key, make)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        def make(now: Result) -> Result:
            if now.status != "captured" or amount.minor > now.amount.minor:
                return self.refuse(payment, amount, key)
            return replace(now, status="refunded", amount=amount, attempt_key=key)

        return self.once(payment, key, make)

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        self.verify(raw)
        try:
            told = json.loads(raw.body)
        except ValueError:
            return []
        if told.get("type") != "payment":
            return []
        return [WebhookEvent(told["id"], told["ref"], told["type"])]

    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        wanted = sign(raw.body, stamp)
        if not stamp.isdigit() or not hmac.compare_digest(signature, wanted):
            raise SignatureError("the signature is not ours")
        if abs(raw.received_at.timestamp() - int(stamp)) > 300:
            raise SignatureError("signed too long ago, or ahead of time")


def sign(body: bytes, stamp: str) -> str:
    return hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def webhook(provider: Any, view: PaymentView, at: datetime, kind: str) -> RawRequest:
    told = {
        "id": f"evt-{view.provider_ref}",
        "ref": view.provider_ref,
        "type": "payment" if kind == "known" else "odd",
    }
    body = b"no { json" if kind == "no_json" else json.dumps(told).encode()
    stamp = str(int(at.timestamp()))
    return RawRequest("POST", {"signature": f"{stamp},{sign(body, stamp)}"}, body, at)


def pay(provider: Any, view: PaymentView) -> None:
    now = provider.truth[view.id]
    provider.truth[view.id] = replace(now, status="captured", redirect_url=None)


def fail_late(provider: Any, view: PaymentView) -> None:
    provider.late = view.id


def subject(provider: Any = Good) -> Subject:
    """The provider with everything the kit may ask for."""
    return Subject(
        provider,
        {"api_key": SECRET},
        currencies=("JPY", "USD", "KWD"),
        smallest=1,
        decline=lambda one: setattr(one, "next", "declined"),
        lose_answer=lambda one: setattr(one, "next", "lost"),
        pay=pay,
        fail_late=fail_late,
        amounts_sent=lambda one: one.sent,
        calls=lambda one: one.called,
        webhook=webhook,
        secrets=(SECRET,),
        wrong_settings={"retries": 9},
    )


GOOD = subject()


# --- twenty that each break one promise, with the test of the kit that must notice


class NewPaymentEachTime(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        self.keys.pop(key, None)
        with self.lock:
            self.called += 1
        self.counter = getattr(self, "counter", 0) + 1
        found = self.answer(payment, key, return_url, self.next)
        self.truth[payment.id] = replace(found, provider_ref=f"NEW-{self.counter}")
        return self.truth[payment.id]


class OneReferenceForAll(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode), provider_ref="SAME")


class TimesHundred(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor * 100


class FloatOnTheWire(Good):
    def on_the_wire(self, amount: Money) -> object:
        return amount.minor / 1


class AnswersMajorUnits(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        found = super().answer(payment, key, return_url, mode)
        return replace(found, amount=Money(payment.amount.minor // 100, payment.amount.currency))


class OtherKey(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode), attempt_key="another")


class DeclinedRaises(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        if mode == "declined":
            raise RuntimeError("card_declined")
        return super().answer(payment, key, return_url, mode)


class DeclinedInEnglishOnly(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        found = super().answer(payment, key, return_url, mode)
        return replace(found, buyer_message={"en": "declined"}) if mode == "declined" else found


class UnknownIsFailed(Good):
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        try:
            return super().start(payment, key=key, return_url=return_url)
        except TimeoutError:
            return Result("failed", None, payment.amount, key, buyer_message=DECLINED, code="timeout")


class UnknownToFetchIsFailed(Good):
    def fetch(self, payment: PaymentView) -> Result:
        return self.truth.get(payment.id) or Result("failed", None, payment.amount, "")


class RedirectOverHttp(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        found = super().answer(payment, key, return_url, mode)
        return replace(found, redirect_url=None if found.redirect_url is None else "http://pay.example/")


class ActionWithoutPage(Good):
    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        return replace(super().answer(payment, key, return_url, mode), redirect_url=None)


class TakesUnsigned(Good):
    def verify(self, raw: RawRequest) -> None:
        """Believes everybody."""


class TakesOld(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        if signature != sign(raw.body, stamp):
            raise SignatureError("the signature is not ours")


class TakesTheFuture(Good):
    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        if signature != sign(raw.body, stamp) or raw.received_at.timestamp() - int(stamp or 0) > 300:
            raise SignatureError("the signature is not ours")


class NewEventEachTime(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        self.count = getattr(self, "count", 0) + 1
        return [
            replace(event, event_id=f"{event.event_id}-{self.count}") for event in super().parse_webhook(raw)
        ]


class StumblesOverNoJson(Good):
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        self.verify(raw)
        told = json.loads(raw.body)
        return [WebhookEvent(told["id"], told["ref"], told["type"])]


class VoidsWhatWasTaken(Good):
    def void(self, payment: PaymentView, *, key: str) -> Result:
        return Result("canceled", payment.provider_ref, payment.amount, key)


class GivesBackTooMuch(Good):
    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        return Result("refunded", payment.provider_ref, amount, key)


class TellsItsSecret(Good):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.key = settings.api_key.get_secret_value()
        logging.getLogger("koguchi.kit").warning("using %s", self.key)


class AsksTheNetworkFirst(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        import socket

        with socket.socket() as probe:
            probe.connect(("127.0.0.1", 9))
        return Available()


class LateFailureUndoes(Good):
    def fetch(self, payment: PaymentView) -> Result:
        found = super().fetch(payment)
        return replace(found, status="failed") if getattr(self, "late", None) == payment.id else found


BROKEN: Mapping[type[Good], str] = {
    NewPaymentEachTime: "test_start_twice_with_one_key_is_one_payment",
    OneReferenceForAll: "test_another_payment_is_another_reference",
    TimesHundred: "test_amounts_are_sent_unscaled",
    FloatOnTheWire: "test_amounts_are_sent_unscaled",
    AnswersMajorUnits: "test_the_answer_is_a_result_for_this_attempt",
    OtherKey: "test_the_answer_is_a_result_for_this_attempt",
    DeclinedRaises: "test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages",
    DeclinedInEnglishOnly: "test_a_declined_payment_is_a_record_with_a_sentence_in_both_languages",
    UnknownIsFailed: "test_an_answer_that_was_lost_is_found_by_fetch",
    UnknownToFetchIsFailed: "test_fetch_of_a_payment_that_never_arrived_is_no_failure",
    RedirectOverHttp: "test_a_redirect_is_https_and_comes_back_to_us",
    ActionWithoutPage: "test_a_redirect_is_https_and_comes_back_to_us",
    TakesUnsigned: "test_a_tampered_or_unsigned_webhook_is_refused",
    TakesOld: "test_an_old_webhook_and_one_of_the_future_are_refused",
    TakesTheFuture: "test_an_old_webhook_and_one_of_the_future_are_refused",
    NewEventEachTime: "test_a_webhook_names_the_payment_and_the_event",
    StumblesOverNoJson: "test_a_signed_webhook_that_is_no_json_or_of_an_unknown_kind_says_nothing",
    VoidsWhatWasTaken: "test_void_after_capture_is_refused",
    GivesBackTooMuch: "test_more_than_was_taken_is_not_given_back",
    TellsItsSecret: "test_no_secret_stands_in_a_repr_a_result_or_a_log",
    AsksTheNetworkFirst: "test_availability_and_fee_compute_and_ask_nobody",
    LateFailureUndoes: "test_a_failure_that_arrives_after_the_capture_does_not_undo_it",
}
