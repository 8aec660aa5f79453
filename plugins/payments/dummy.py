"""A provider for tests and demonstrations that fails on demand. It moves no money: not for a real shop.

outcome, capture_outcome and refund_outcome say what start, capture and refund do; one key always gives one answer.
`settle` plays the buyer, `webhook` the provider's messages, signed with webhook_secret.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, SecretStr

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
    SignatureError,
    TaxedMoney,
    WebhookEvent,
    hookimpl,
)

PLUGIN_API = 1
TOLERANCE = 300  # seconds that a webhook may be old or ahead
HOSTED = "https://pay.dummy.example/"  # nobody answers there
Outcome = Literal[
    "captured",
    "authorized",
    "pending",
    "requires_action",
    "declined",
    "timeout",
    "timeout_after_commit",
    "raises",
    "hangs",
    "exits",
    "none",
]
CaptureOutcome = Literal["captured", "declined", "timeout", "timeout_after_commit"]
RefundOutcome = Literal["refunded", "declined", "pending", "timeout", "timeout_after_commit"]
DECLINED = {"ja": "お支払いが承認されませんでした", "en": "The payment was declined"}
NOT_PAID_BACK = {"ja": "返金できませんでした", "en": "The refund was declined"}


class Settings(Config):
    outcome: Outcome = Field(
        default="captured", description="what becomes of a payment", json_schema_extra={"ja": "支払の結果"}
    )
    capture_outcome: CaptureOutcome = "captured"
    refund_outcome: RefundOutcome = "refunded"
    fee_minor: int = Field(default=0, ge=0)
    disabled: bool = False
    hang_seconds: float = Field(default=60, gt=0)
    webhook_secret: SecretStr | None = None  # without one every webhook is refused


class Dummy:
    id = "dummy"
    label = {"ja": "テスト決済", "en": "Test payment"}
    capabilities = (
        Capability.AUTHORIZE
        | Capability.CAPTURE
        | Capability.PARTIAL_CAPTURE
        | Capability.VOID
        | Capability.REFUND
        | Capability.PARTIAL_REFUND
        | Capability.ASYNC
        | Capability.REDIRECT
    )
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self.started: dict[str, Result] = {}  # by key
        self.latest: dict[str, Result] = {}  # by payment
        self.captures: dict[str, Result] = {}  # by key
        self.refunds: dict[str, tuple[str, Result]] = {}  # by key: payment and answer

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
            reference = f"DUMMY-{key.replace(':', '-')}"  # no counter: it would begin anew with the process
            outcome = self.settings.outcome
            if outcome == "declined":
                result = Result(
                    "failed", reference, payment.amount, key, buyer_message=DECLINED, code="declined"
                )
            elif outcome == "requires_action":
                page = HOSTED + reference
                result = Result("requires_action", reference, payment.amount, key, redirect_url=page)
            elif outcome in ("authorized", "pending"):
                status: Literal["authorized", "pending"] = (
                    "authorized" if outcome == "authorized" else "pending"
                )
                result = Result(status, reference, payment.amount, key)
            else:
                result = Result("captured", reference, payment.amount, key)
            self.started[key] = self.latest[payment.id] = result
            return result

    def fetch(self, payment: PaymentView) -> Result:
        """What is known; pending for a payment that never arrived here. `refunded` carries the sum of all refunds."""
        with self._lock:
            known = self.latest.get(payment.id)
            back = sum(
                result.amount.minor
                for owner, result in self.refunds.values()
                if owner == payment.id and result.status == "refunded"
            )
        if known is None:
            return Result("pending", payment.provider_ref, payment.amount, "")
        if back:
            return replace(known, status="refunded", amount=Money(back, payment.amount.currency))
        return known

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        """What the settings say, once for each key. Refused, the answer is how the payment stands."""
        outcome = self.settings.capture_outcome
        if outcome == "timeout":
            raise TimeoutError("the test provider did not answer")
        with self._lock:
            if key not in self.captures:
                result = self._capture(payment, amount, key)
                if result.status != "captured":
                    return result
                self.captures[key] = self.latest[payment.id] = result
        if outcome == "timeout_after_commit":
            raise TimeoutError("the answer of the test provider was lost")
        return self.captures[key]

    def _capture(self, payment: PaymentView, amount: Money, key: str) -> Result:
        known = self.latest.get(payment.id)
        stands = known or Result("pending", payment.provider_ref, payment.amount, key)
        if self.settings.capture_outcome == "declined":
            return replace(stands, attempt_key=key, code="declined")
        is_over = known is not None and known.status not in ("authorized", "pending", "requires_action")
        if is_over or amount.currency != stands.amount.currency or amount.minor > stands.amount.minor:
            return replace(stands, attempt_key=key, code="refused")
        return Result("captured", stands.provider_ref, amount, key)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        """Refused once the money was taken: it has to be refunded then."""
        with self._lock:
            known = self.latest.get(payment.id)
        if payment.state == "captured" or (known is not None and known.status == "captured"):
            return self._refused(payment, payment.amount, key)
        return self._next(payment, Result("canceled", payment.provider_ref, payment.amount, key))

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """What the settings say, once for each key; `timeout_after_commit` pays back and then raises."""
        outcome = self.settings.refund_outcome
        if outcome == "timeout":
            raise TimeoutError("the test provider did not answer")
        with self._lock:
            if key in self.refunds and self.refunds[key][1].status != "pending":
                return self.refunds[key][1]
            if self._is_too_much(payment, amount, key):
                return self._refused(payment, amount, key)
            result = Result("refunded", payment.provider_ref, amount, key)
            if outcome == "declined":
                result = replace(result, status="failed", buyer_message=NOT_PAID_BACK, code="declined")
            elif outcome == "pending":
                result = replace(result, status="pending")
            self.refunds[key] = (payment.id, result)
        if outcome == "timeout_after_commit":
            raise TimeoutError("the answer of the test provider was lost")
        return result

    def _is_too_much(self, payment: PaymentView, amount: Money, key: str) -> bool:
        before = sum(
            done.amount.minor
            for other, (owner, done) in self.refunds.items()
            if owner == payment.id and other != key and done.status != "failed"
        )
        known = self.latest.get(payment.id)
        taken = known.amount if known is not None and known.status == "captured" else payment.amount
        return before + amount.minor > taken.minor

    def _refused(self, payment: PaymentView, amount: Money, key: str) -> Result:
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
        """Events of a body signed as `t=SECONDS,v1=HMAC of SECONDS.BODY` in the header Dummy-Signature."""
        secret = self.settings.webhook_secret
        parts = dict(part.partition("=")[::2] for part in raw.headers.get("dummy-signature", "").split(","))
        at = parts.get("t", "")
        if secret is None or not at.isascii() or not at.isdigit() or len(at) > 12:
            raise SignatureError("no signature")
        expected = _signature(secret, at, raw.body)
        if not hmac.compare_digest(expected.encode(), parts.get("v1", "").encode("utf-8", "replace")):
            raise SignatureError("the signature is wrong")
        if abs(raw.received_at.timestamp() - int(at)) > TOLERANCE:
            raise SignatureError("the message is too old, or from the future")
        try:
            told = json.loads(raw.body)
            return [
                WebhookEvent(str(each["id"]), str(each["ref"]), str(each.get("kind", "")))
                for each in told["events"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []  # signed, and no message that is known here: refused, it would come again for days

    # ---- for tests: what happens on the provider's side

    def settle(self, payment_id: str, status: Any, *, minor: int | None = None) -> Result:
        """The buyer paid, or did not; `minor` is another amount than was asked."""
        with self._lock:
            known = self.latest[payment_id]
            amount = known.amount if minor is None else Money(minor, known.amount.currency)
            message = DECLINED if status == "failed" else None
            self.latest[payment_id] = replace(
                known, status=status, amount=amount, redirect_url=None, buyer_message=message
            )
            return self.latest[payment_id]

    def webhook(self, at: int, *events: tuple[str, str, str]) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed message; an event is (id, reference, kind)."""
        told = [{"id": event, "ref": reference, "kind": kind} for event, reference, kind in events]
        body = json.dumps({"events": told}).encode()
        secret = self.settings.webhook_secret or SecretStr("")
        return {"Dummy-Signature": f"t={at},v1={_signature(secret, str(at), body)}"}, body


def _signature(secret: SecretStr, at: str, body: bytes) -> str:
    signed = at.encode() + b"." + body
    return hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [Dummy]
