"""Stripe's webhooks: who sent one, and which Checkout session it is about.

An event is only a reason to ask: what it says of money is never believed.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import stripe

from plugins import RawRequest, SignatureError, WebhookEvent

TOLERANCE = 300  # seconds either way; Stripe's own check takes any time to come
_SIGNED_AT = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)", re.ASCII)
# The object is a session, so its id is the payment's reference.
SESSION_EVENTS = frozenset(
    f"checkout.session.{each}"
    for each in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
)
# What happens to a payment outside a session: the object is, or belongs to, its payment intent.
INTENT_EVENTS = frozenset(
    {
        "payment_intent.canceled",
        "payment_intent.partially_funded",
        "charge.captured",
        "charge.refunded",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "refund.failed",
        "refund.updated",
        "customer_cash_balance_transaction.created",
    }
)


def verified(raw: RawRequest, secrets: Sequence[str]) -> object:
    """The event as JSON, or None when the body is no JSON. Raises SignatureError: it does not come from Stripe.

    Several secrets are good at one time, so that one can be changed without losing an event.
    """
    header = raw.headers.get("stripe-signature", "")
    signed = _SIGNED_AT.search(header)
    if not signed or not header.isascii():
        raise SignatureError("there is no signature that can be read")
    if not any(_signed_by(secret, raw.body, header) for secret in secrets):
        raise SignatureError("the signature is by none of webhook_secrets")
    if abs(raw.received_at.timestamp() - int(signed[1])) > TOLERANCE:
        raise SignatureError(f"it was signed more than {TOLERANCE} seconds before or after it came")
    try:
        return json.loads(raw.body)
    except ValueError:
        return None


def _signed_by(secret: str, body: bytes, header: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def about_sessions(event: object, session_with: Callable[[str], str | None]) -> list[WebhookEvent]:
    """The one thing the shop wants to know: something happened to this session. [] for everything else."""
    if not isinstance(event, Mapping):
        return []
    event_id, kind = event.get("id"), event.get("type")
    data = event.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    if not (isinstance(event_id, str) and event_id and isinstance(kind, str) and isinstance(about, Mapping)):
        return []
    session: object = None
    if kind in SESSION_EVENTS:
        session = about.get("id")
    elif kind in INTENT_EVENTS:
        intent = _intent(kind, about)
        session = session_with(intent) if intent else None
    return [WebhookEvent(event_id, session, kind)] if isinstance(session, str) and session else []


def _intent(kind: str, about: Mapping[str, Any]) -> str | None:
    if kind.startswith("payment_intent."):
        named = about.get("id")
    elif kind.startswith("customer_cash_balance"):
        applied = about.get("applied_to_payment")
        named = applied.get("payment_intent") if isinstance(applied, Mapping) else None
    else:
        named = about.get("payment_intent")
    return named if isinstance(named, str) and named.startswith("pi_") else None
