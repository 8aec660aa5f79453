"""A provider for tests and demonstrations that fails on demand. It moves no money: not for a real shop.

[plugins.dummy] outcome says what start does; one key always gives one reference, as a real provider would.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Disabled,
    Money,
    PaymentProvider,
    PaymentView,
    RawRequest,
    Result,
    TaxedMoney,
    WebhookEvent,
    hookimpl,
)

PLUGIN_API = 1
Outcome = Literal[
    "captured",
    "authorized",
    "pending",
    "declined",
    "timeout",
    "timeout_after_commit",
    "raises",
    "hangs",
    "exits",
    "none",
]


class Settings(Config):
    outcome: Outcome = "captured"
    fee_minor: int = Field(default=0, ge=0)
    disabled: bool = False
    hang_seconds: float = Field(default=60, gt=0)


class Dummy:
    id = "dummy"
    label = {"ja": "テスト決済", "en": "Test payment"}
    capabilities = (
        Capability.AUTHORIZE
        | Capability.CAPTURE
        | Capability.PARTIAL_CAPTURE
        | Capability.VOID
        | Capability.REFUND
    )
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self.started: dict[str, Result] = {}  # by key
        self.latest: dict[str, Result] = {}  # by payment

    def availability(self, ctx: CheckoutContext) -> Availability:
        if self.settings.disabled:
            return Disabled({"ja": "ただいま使えません", "en": "Not available at the moment"})
        return Available()

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        fee = self.settings.fee_minor
        return TaxedMoney(Money(fee, ctx.total.currency)) if fee else None

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        """What the settings say. `timeout_after_commit` accepts the payment and then raises TimeoutError."""
        outcome = self.settings.outcome
        if outcome == "raises":
            raise RuntimeError("the test provider raises on demand")
        if outcome == "timeout":
            raise TimeoutError("the test provider did not answer")
        if outcome == "hangs":
            threading.Event().wait(self.settings.hang_seconds)
        if outcome == "exits":
            raise SystemExit(3)
        if outcome == "none":
            return None  # type: ignore[return-value]
        result = self._accept(payment, key)
        if outcome == "timeout_after_commit":
            raise TimeoutError("the answer of the test provider was lost")
        return result

    def _accept(self, payment: PaymentView, key: str) -> Result:
        with self._lock:
            if key in self.started:
                return self.started[key]
            reference = f"DUMMY-{len(self.started) + 1}"
            if self.settings.outcome == "declined":
                text = {"ja": "お支払いが承認されませんでした", "en": "The payment was declined"}
                result = Result("failed", reference, payment.amount, key, buyer_message=text, code="declined")
            elif self.settings.outcome in ("authorized", "pending"):
                status: Literal["authorized", "pending"] = (
                    "authorized" if self.settings.outcome == "authorized" else "pending"
                )
                result = Result(status, reference, payment.amount, key)
            else:
                result = Result("captured", reference, payment.amount, key)
            self.started[key] = self.latest[payment.id] = result
            return result

    def fetch(self, payment: PaymentView) -> Result:
        """What is known; pending for a payment that never arrived here."""
        with self._lock:
            return self.latest.get(payment.id) or Result("pending", payment.provider_ref, payment.amount, "")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        return self._next(payment, Result("captured", payment.provider_ref, amount, key))

    def void(self, payment: PaymentView, *, key: str) -> Result:
        """Refused once the money was taken: it has to be refunded then."""
        if self._is(payment, "captured"):
            return self._refuse(payment, payment.amount, key)
        return self._next(payment, Result("canceled", payment.provider_ref, payment.amount, key))

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """Refused for more than the payment."""
        if amount.minor > payment.amount.minor:
            return self._refuse(payment, amount, key)
        return self._next(payment, Result("refunded", payment.provider_ref, amount, key))

    def _is(self, payment: PaymentView, status: str) -> bool:
        with self._lock:
            known = self.latest.get(payment.id)
        return known is not None and known.status == status

    def _refuse(self, payment: PaymentView, amount: Money, key: str) -> Result:
        text = {"ja": "この操作はできません", "en": "This cannot be done"}
        return Result("failed", payment.provider_ref, amount, key, buyer_message=text, code="refused")

    def _next(self, payment: PaymentView, result: Result) -> Result:
        with self._lock:
            known = self.latest.get(payment.id)
            if known is not None and result.provider_ref is None:
                result = replace(result, provider_ref=known.provider_ref)
            self.latest[payment.id] = result
            return result

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        return []


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [Dummy]
