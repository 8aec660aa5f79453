"""Checkout sessions at Stripe: how one is asked for, and how one is found again.

Every question for a session brings its payment intent and the charge along, so that one answer tells all.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import stripe

from plugins import PaymentView
from plugins.payments.stripe_checkout.amounts import STRIPE_TYPES, Method, taken, wire

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsPaymentMethodOptions

    from plugins.payments.stripe_checkout.settings import Settings

ROUNDED = 600  # ends of sessions fall on ten minutes, so that a retry mostly sends what was sent before
SEARCHED = 2_000  # sessions looked through for one whose answer was lost
_WHOLE: list[str] = ["payment_intent.latest_charge"]
log = logging.getLogger("koguchi.plugins")


class TooManyError(RuntimeError):
    """The session was not among those looked through, and there are more."""


class Sessions:
    """The sessions of one account."""

    def __init__(
        self, client: stripe.StripeClient, settings: "Settings", now: Callable[[], datetime]
    ) -> None:
        self._api, self._customers = client.v1.checkout.sessions, client.v1.customers
        self._settings, self._now = settings, now
        self._told: set[tuple[Method, ...]] = set()

    def create(self, payment: PaymentView, *, key: str, return_url: str) -> stripe.checkout.Session:
        """Raises AmountError, and every error of Stripe's."""
        params = self._params(payment, key, return_url)
        return self._api.create(params, {"idempotency_key": key})

    def knock(self) -> None:
        """One question that changes nothing and is not repeated. Raises every error of Stripe's."""
        self._api.list({"limit": 1}, {"max_network_retries": 0})

    def get(self, session: str) -> stripe.checkout.Session:
        return self._api.retrieve(session, {"expand": _WHOLE})

    def of(self, payment: PaymentView) -> stripe.checkout.Session | None:
        """The session of a payment; looked for when its reference never arrived."""
        return self.find(payment) if payment.provider_ref is None else self.get(payment.provider_ref)

    def find(self, payment: PaymentView) -> stripe.checkout.Session | None:
        """The session whose answer was lost, by what it says of the payment; None when there is none."""
        since = int(datetime.combine(payment.on - timedelta(days=1), time(), UTC).timestamp())
        pages: Iterable[stripe.checkout.Session] = self._api.list(
            {"created": {"gte": since}, "limit": 100}
        ).auto_paging_iter()
        ours = _ours(payment)
        for count, session in enumerate(pages):
            if session.client_reference_id == payment.id and _said(session) == ours:
                return self.get(session.id)
            if count >= SEARCHED:
                raise TooManyError(f"more than {SEARCHED} sessions since {payment.on}")
        return None

    def with_intent(self, intent: str) -> str | None:
        """The id of the session that a payment intent belongs to; events about intents do not name it.

        Asked once: a webhook that gets no answer is sent again by Stripe.
        """
        found = self._api.list({"payment_intent": intent, "limit": 1}, {"max_network_retries": 0})
        return found.data[0].id if found.data else None

    def expire(self, session: str, *, key: str) -> None:
        self._api.expire(session, {}, {"idempotency_key": key})

    def dropped(self, session: stripe.checkout.Session, payment: PaymentView) -> tuple[Method, ...]:
        """The methods asked for that Stripe left out without a word; () once they have been told."""
        offered = session.payment_method_types
        asked = taken(payment.amount, self._settings.methods)
        missing = tuple(each for each in asked if STRIPE_TYPES[each] not in offered)
        if not missing or missing in self._told:
            return ()
        self._told.add(missing)
        log.warning("stripe_checkout: Stripe does not offer %s to buyers", ", ".join(missing))
        return missing

    def _params(self, payment: PaymentView, key: str, return_url: str) -> "SessionCreateParams":
        methods = taken(payment.amount, self._settings.methods)
        name = (
            f"ご注文 {payment.order_number}" if payment.language == "ja" else f"Order {payment.order_number}"
        )
        ends = self._now().timestamp() + self._settings.expire_minutes * 60
        params: SessionCreateParams = {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": payment.amount.currency.lower(),
                        "unit_amount": wire(payment.amount),
                        "product_data": {"name": name},
                    },
                }
            ],
            "allowed_payment_method_types": [STRIPE_TYPES[each] for each in methods],
            "payment_intent_data": {"description": name, "metadata": _ours(payment)},
            "client_reference_id": payment.id,
            "metadata": _ours(payment),
            "locale": "ja" if payment.language == "ja" else "en",
            "expires_at": math.ceil(ends / ROUNDED) * ROUNDED,
            "success_url": return_url,
            "cancel_url": return_url,
            "expand": _WHOLE,
        }
        options = self._options(methods)
        if options:
            params["payment_method_options"] = options
        if "jp_bank_transfer" in methods:
            params["customer"] = self._customer(payment, key)
        return params

    def _options(self, methods: Sequence[Method]) -> "SessionCreateParamsPaymentMethodOptions":
        options: SessionCreateParamsPaymentMethodOptions = {}
        if "card" in methods and self._settings.capture == "manual":
            options["card"] = {"capture_method": "manual"}
        if "konbini" in methods:
            options["konbini"] = {"expires_after_days": self._settings.konbini_days}
        if "jp_bank_transfer" in methods:
            options["customer_balance"] = {
                "funding_type": "bank_transfer",
                "bank_transfer": {"type": "jp_bank_transfer"},
            }
        return options

    def _customer(self, payment: PaymentView, key: str) -> str:
        """Whose account at the bank it is: a company keeps one account for all its orders."""
        metadata = {"koguchi_payment": payment.id}
        if payment.buyer is not None:
            metadata = {"koguchi_buyer": payment.buyer.code}
            code = payment.buyer.code.replace("\\", "\\\\").replace("'", "\\'")
            known = self._customers.search({"query": f"metadata['koguchi_buyer']:'{code}'", "limit": 1})
            if known.data:
                return known.data[0].id
        return self._customers.create({"metadata": metadata}, {"idempotency_key": f"{key}:customer"}).id


def _ours(payment: PaymentView) -> dict[str, str]:
    return {"koguchi_payment": payment.id, "koguchi_order": payment.order_number}


def _said(session: stripe.checkout.Session) -> dict[str, str]:
    return session.metadata.to_dict() if session.metadata else {}
