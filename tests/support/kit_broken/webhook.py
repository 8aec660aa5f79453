"""Providers that break a promise about webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from dataclasses import replace
from datetime import datetime, timedelta

from plugins import (
    RawRequest,
    SignatureError,
    WebhookEvent,
)
from support.kit_broken.noting import breaks
from support.kit_subjects import SECRET, Good, sign


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
