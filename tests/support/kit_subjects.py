"""Providers for the contract kit: one that keeps every promise, and many that each break one.

The good one has an other side in memory, which holds payments by key, can decline, lose an answer, and be paid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

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
REFUSED = {"ja": "この操作はできません", "en": "This cannot be done"}


class Settings(Config):
    api_key: SecretStr
    retries: int = Field(default=2, ge=0, le=5)


@dataclass
class Held:
    """A payment as the other side holds it."""

    reference: str
    amount: Money
    status: Any = "requires_action"
    taken: int = 0
    back: int = 0


class OtherSide:
    """The payment service: one key is one answer, whoever asks."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.answers: dict[str, Result] = {}
        self.held: dict[str, Held] = {}
        self.sent: list[object] = []
        self.returns: list[str] = []
        self.called = 0
        self.next = ""
        self.late = ""


class Good:
    """A payment over the network as it should be; the network is an object in memory."""

    id = "good"
    label: Mapping[str, str] = {"ja": "よい決済", "en": "Good payments"}
    capabilities = (
        Capability.AUTHORIZE | Capability.CAPTURE | Capability.PARTIAL_CAPTURE | Capability.VOID | Capability.REFUND
        | Capability.PARTIAL_REFUND | Capability.REDIRECT
    )  # fmt: skip
    config: Any = Settings

    def __init__(self, settings: Settings, other: OtherSide | None = None) -> None:
        self.settings = settings
        self.other = other or OtherSide()

    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available()

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return None

    # ---- start

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        other = self.other
        with other.lock:
            other.called += 1
            mode, other.next = other.next, ""
            if key not in other.answers:
                other.sent.append(self.on_the_wire(payment.amount))
                other.returns.append(self.way_back(return_url))
                other.answers[key] = self.accept(payment, key, return_url, mode)
            if mode == "lost":
                raise TimeoutError("the answer was lost")
            return other.answers[key]

    def accept(self, payment: PaymentView, key: str, return_url: str, mode: str) -> Result:
        held = Held(f"GOOD-{len(self.other.held) + 1}", payment.amount)
        self.other.held[held.reference] = held
        result = self.answer(payment, key, return_url, mode, held.reference)
        held.status = result.status
        return result

    def answer(self, payment: PaymentView, key: str, return_url: str, mode: str, reference: str) -> Result:
        if mode == "declined":
            return Result("failed", reference, payment.amount, key, buyer_message=DECLINED, code="declined")
        page = f"https://pay.example/{reference}?back={quote(return_url, safe='')}"
        return Result("requires_action", reference, payment.amount, key, redirect_url=page)

    def way_back(self, return_url: str) -> str:
        return return_url

    def on_the_wire(self, amount: Money) -> object:
        return amount.minor

    # ---- afterwards

    def known(self, payment: PaymentView) -> Held | None:
        return self.other.held.get(payment.provider_ref or "")

    def maybe_lost(self) -> None:
        if self.other.next == "lost":
            self.other.next = ""
            raise TimeoutError("the answer was lost")

    def fetch(self, payment: PaymentView) -> Result:
        with self.other.lock:
            self.maybe_lost()
            held = self.known(payment)
            if held is None:
                return Result("pending", payment.provider_ref, payment.amount, "")
            if held.back:
                return Result("refunded", held.reference, Money(held.back, held.amount.currency), "")
            if held.status == "captured":
                return Result("captured", held.reference, Money(held.taken, held.amount.currency), "")
            page = "https://pay.example/" if held.status == "requires_action" else None
            return Result(held.status, held.reference, held.amount, "", redirect_url=page)

    def once(
        self, payment: PaymentView, amount: Money, key: str, make: Callable[[Held], str | None]
    ) -> Result:
        """The answer under this key; `make` changes what is held and says what it is now, or None: refused."""
        with self.other.lock:
            if key not in self.other.answers:
                self.other.called += 1
                held = self.known(payment)
                status: Any = make(held) if held is not None else None
                self.other.answers[key] = (
                    Result(status, payment.provider_ref, amount, key)
                    if status
                    else Result(
                        "failed", payment.provider_ref, amount, key, buyer_message=REFUSED, code="refused"
                    )
                )
            self.maybe_lost()
            return self.other.answers[key]

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        def make(held: Held) -> str | None:
            if held.status not in ("authorized", "captured") or held.taken + amount.minor > held.amount.minor:
                return None
            held.taken += amount.minor
            held.status = "captured"
            return "captured"

        return self.once(payment, amount, key, make)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        def make(held: Held) -> str | None:
            if held.status == "captured":
                return None
            held.status = "canceled"
            return "canceled"

        return self.once(payment, payment.amount, key, make)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        def make(held: Held) -> str | None:
            if held.back + amount.minor > held.taken:
                return None
            self.other.sent.append(self.on_the_wire(amount))
            held.back += amount.minor
            return "refunded"

        return self.once(payment, amount, key, make)

    # ---- webhooks

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        self.verify(raw)
        try:
            told = json.loads(raw.body)
        except ValueError:
            return []
        if told.get("type") != "payment":
            return []
        return [WebhookEvent(told["id"], told["ref"], told["type"])]

    @staticmethod
    def sign(body: bytes, stamp: str) -> str:
        return sign(body, stamp)

    def verify(self, raw: RawRequest) -> None:
        stamp, _, signature = raw.headers.get("signature", "").partition(",")
        wanted = sign(raw.body, stamp)
        if not hmac.compare_digest(signature.encode(), wanted.encode()):
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
    return RawRequest("POST", {"signature": f"{stamp},{provider.sign(body, stamp)}"}, body, at)


def pay_now(provider: Any, view: PaymentView) -> None:
    held = provider.other.held[view.provider_ref]
    held.status, held.taken = "captured", held.amount.minor


def promise(provider: Any, view: PaymentView) -> None:
    provider.other.held[view.provider_ref].status = "authorized"


def fail_late(provider: Any, view: PaymentView) -> None:
    provider.other.late = view.provider_ref


def subject(provider: Any = Good, **values: Any) -> Subject:
    """The provider with everything the kit may ask for; the buyer is charged at once."""
    usual: dict[str, Any] = {
        "currencies": ("JPY", "USD", "KWD"),
        "smallest": 1,
        "decline": lambda one: setattr(one.other, "next", "declined"),
        "lose_answer": lambda one: setattr(one.other, "next", "lost"),
        "pay": pay_now,
        "fail_late": fail_late,
        "amounts_sent": lambda one: one.other.sent,
        "calls": lambda one: one.other.called,
        "made": lambda one: len(one.other.held),
        "again": lambda one: type(one)(one.settings, one.other),
        "webhook": webhook,
        "returns_sent": lambda one: one.other.returns,
        "secrets": (SECRET,),
        "wrong_settings": {"retries": 9},
    }
    return Subject(provider, {"api_key": SECRET}, **{**usual, **values})


def later(provider: Any = Good) -> Subject:
    """The same, and the buyer only promises: the money is taken by capture."""
    return subject(provider, pay=promise)


GOOD, GOOD_LATER = subject(), later()
