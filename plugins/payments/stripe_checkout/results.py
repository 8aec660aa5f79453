"""What the shop is told: how a payment stands, from its session and payment intent as they are now."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import stripe

from plugins import Money, PaymentView, Result, Status, Texts
from plugins.payments.stripe_checkout.amounts import Method, money
from plugins.payments.stripe_checkout.texts import (
    DECLINED,
    EXPIRED,
    NOT_BEGUN,
    dropped_text,
    sentence,
    waiting,
)

_BACK_WITH_US = frozenset({"won", "warning_closed", "prevented"})  # disputes that took no money in the end


def intent_of(session: stripe.checkout.Session | None) -> stripe.PaymentIntent | None:
    intent = session.payment_intent if session is not None else None
    return intent if isinstance(intent, stripe.PaymentIntent) else None


def charge_of(intent: stripe.PaymentIntent | None) -> stripe.Charge | None:
    charge = intent.latest_charge if intent is not None else None
    return charge if isinstance(charge, stripe.Charge) else None


def is_lost(disputes: Sequence[stripe.Dispute]) -> bool:
    """Whether a buyer's bank holds the money back, for now or for good."""
    return any(each.status not in _BACK_WITH_US for each in disputes)


def standing(
    session: stripe.checkout.Session,
    payment: PaymentView,
    key: str,
    *,
    transfer_days: int,
    disputed: bool = False,
    given_back: int = 0,
    code: str | None = None,
    dropped: Sequence[Method] = (),
) -> Result:
    """The payment's state; `given_back` as Stripe writes amounts. A word nobody knows yet reads as pending."""
    asked = money(session.amount_total or 0, session.currency or payment.amount.currency)
    intent, notice = intent_of(session), dropped_text(dropped) if dropped else None
    if intent is not None and intent.status in ("succeeded", "requires_capture", "canceled"):
        status, amount, why = _settled(intent, disputed, given_back)
        message = sentence(code or why, EXPIRED) if status == "canceled" else None
        return Result(status, session.id, amount, key, buyer_message=message, code=code or why, notice=notice)
    if session.status == "open":
        return Result(
            "requires_action",
            session.id,
            asked,
            key,
            redirect_url=session.url,
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
            code=code,
            notice=notice,
        )
    if session.status == "expired":
        return Result("canceled", session.id, asked, key, buyer_message=EXPIRED, code="expired")
    if intent is not None and intent.status == "requires_payment_method":
        why = _declined(intent)
        return Result("failed", session.id, asked, key, buyer_message=sentence(why, DECLINED), code=why)
    rows, until = waiting(intent) if intent is not None else (None, None)
    if rows and until is None:
        until = datetime.fromtimestamp(session.created, UTC) + timedelta(days=transfer_days)
    return Result("pending", session.id, asked, key, instructions=rows, expires_at=until, code=code)


def _settled(
    intent: stripe.PaymentIntent, disputed: bool, given_back: int
) -> tuple[Status, Money, str | None]:
    if intent.status == "canceled":
        return "canceled", money(intent.amount, intent.currency), short(intent.cancellation_reason)
    if intent.status == "requires_capture":
        return "authorized", money(intent.amount_capturable, intent.currency), None
    taken_in = money(intent.amount_received, intent.currency)
    if disputed:
        return "disputed", taken_in, None
    if given_back:
        return "refunded", money(given_back, intent.currency), None
    return "captured", taken_in, None


def released(charge: stripe.Charge | None) -> int:
    """What was authorized and not captured, as Stripe writes amounts."""
    if charge is None or not charge.captured:
        return 0
    return max(charge.amount - charge.amount_captured, 0)


def paid_back(charge: stripe.Charge, refunds: Sequence[stripe.Refund]) -> int:
    """What went back to the buyer. After a capture in part Stripe writes the rest down as a refund, which it is not.

    Nothing marks that refund but its amount and that the shop did not ask for it.
    """
    rest = released(charge)
    is_rest = any(each.amount == rest and key_of(each) is None for each in refunds)
    return charge.amount_refunded - (rest if is_rest else 0)


def key_of(refund: stripe.Refund) -> str | None:
    """The shop's key of a refund that the shop asked for."""
    key = refund.metadata.to_dict().get("koguchi_key") if refund.metadata else None
    return None if key is None else str(key)


def _declined(intent: stripe.PaymentIntent) -> str:
    error = intent.last_payment_error
    word = getattr(error, "decline_code", None) or getattr(error, "code", None)
    return short(word) or "declined"


def failed(
    payment: PaymentView, key: str, code: str, otherwise: Texts, amount: Money | None = None
) -> Result:
    """A refusal that is certain."""
    message = sentence(code, otherwise)
    reference = payment.provider_ref
    return Result("failed", reference, amount or payment.amount, key, buyer_message=message, code=code)


def otherwise_said(error: stripe.StripeError) -> Texts:
    """The sentence for a code that has none of its own."""
    return DECLINED if isinstance(error, stripe.CardError) else NOT_BEGUN


def short(word: str | None) -> str | None:
    return word[:64] if word else None
