"""Cards, convenience stores and bank transfers through Stripe's own page (Checkout). docs/stripe.md sets it up.

The reference of a payment is its Checkout session. What a call that raised came to is unknown: the shop asks again.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import stripe

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Disabled,
    Health,
    Hidden,
    Money,
    PaymentProvider,
    PaymentView,
    RawRequest,
    Result,
    Status,
    TaxedMoney,
    WebhookEvent,
    hookimpl,
)
from plugins.payments.stripe_checkout import events
from plugins.payments.stripe_checkout.amounts import AmountError, Method, least_of, money, taken, wire
from plugins.payments.stripe_checkout.results import (
    charge_of,
    failed,
    intent_of,
    is_lost,
    key_of,
    otherwise_said,
    paid_back,
    released,
    short,
    standing,
)
from plugins.payments.stripe_checkout.sessions import Sessions
from plugins.payments.stripe_checkout.settings import Settings
from plugins.payments.stripe_checkout.texts import (
    ANSWERS,
    ANSWERS_IN_TEST,
    NOT_BEGUN,
    NOT_REFUNDED,
    arrival_text,
    label_of,
    no_answer,
    offered_text,
    sentence,
    told,
)

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams

PLUGIN_API = 1
API_VERSION = "2026-10-28.endive"  # what these calls are written for, whatever the account's default is
TIMEOUTS = (3, 10)  # seconds to connect, seconds to wait for an answer
RETRIES = 2
log = logging.getLogger("koguchi.plugins")

stripe.enable_telemetry = False
stripe.set_app_info("Koguchi")


class UnknownOutcomeError(RuntimeError):
    """Stripe gave no answer that says what became of the call. The text holds no secret."""


class StripeCheckout:
    id = "stripe_checkout"
    label = label_of(("card", "konbini", "jp_bank_transfer"))  # of a shop: what its settings name
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

    def __init__(
        self,
        settings: Settings,
        *,
        http_client: stripe.HTTPClient | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings, self.label = settings, label_of(settings.methods)
        client = stripe.StripeClient(
            settings.api_key.get_secret_value(),
            stripe_version=API_VERSION,
            stripe_account=settings.account,
            max_network_retries=RETRIES,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUTS),
        )
        self._sessions = Sessions(client, settings, now)
        self._intents, self._refunds = client.v1.payment_intents, client.v1.refunds
        self._disputes = client.v1.disputes

    # --- before the order

    def availability(self, ctx: CheckoutContext) -> Availability:
        """Offered for an amount that one of the methods takes."""
        try:
            methods = taken(ctx.total, self.settings.methods)
        except AmountError:
            return Disabled(sentence("amount_not_taken", NOT_BEGUN))
        if methods:
            return Available(offered_text(methods))
        least = least_of(ctx.total.currency, self.settings.methods)
        if least is None:
            return Hidden()
        return Disabled(
            sentence("amount_too_small" if wire(ctx.total) < least else "amount_too_large", NOT_BEGUN)
        )

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return None

    # --- calls that go over the network

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        """Make the session that the buyer is sent to. One key makes one session, however often it is sent."""
        dropped: Sequence[Method] = ()
        with _outcome("start"):
            try:
                if not taken(payment.amount, self.settings.methods):
                    return failed(payment, key, "amount_not_taken", NOT_BEGUN)
                session = self._sessions.create(payment, key=key, return_url=return_url)
                dropped = self._sessions.dropped(session, payment)
            except AmountError:
                return failed(payment, key, "amount_not_taken", NOT_BEGUN)
            except stripe.IdempotencyError:  # sent before, with an earlier end or another customer
                found = self._sessions.find(payment)
                if found is None:
                    raise
                session = found
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                code = told(error.json_body) or "refused"
                log.error("stripe_checkout: start was refused: %s, request %s", code, error.request_id)
                return failed(payment, key, code, otherwise_said(error))
            return self._standing(session, payment, key, dropped=dropped)

    def fetch(self, payment: PaymentView) -> Result:
        """What Stripe knows; pending for a payment that never arrived there."""
        with _outcome("fetch"):
            session = self._sessions.of(payment)
            if session is None:
                return Result("pending", payment.provider_ref, payment.amount, "")
            return self._standing(session, payment, "")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        """Take what was authorized. Where Stripe refuses, the answer is how the payment stands."""

        def take(session: stripe.checkout.Session) -> None:
            intent = intent_of(session)
            if intent is not None and intent.status == "requires_capture":
                self._intents.capture(
                    intent.id, {"amount_to_capture": wire(amount)}, {"idempotency_key": key}
                )

        return self._change("capture", payment, key, take)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        """Let a payment go that was not taken. Where Stripe refuses, the answer is how the payment stands."""

        def let_go(session: stripe.checkout.Session) -> None:
            intent = intent_of(session)
            if session.status == "open":
                self._sessions.expire(session.id, key=key)
            elif intent is not None and intent.status not in ("succeeded", "canceled"):
                self._intents.cancel(intent.id, {}, {"idempotency_key": key})

        return self._change("void", payment, key, let_go)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """Give money back. Pending while the buyer still has to name an account, as after a konbini payment."""
        if amount.currency != payment.amount.currency or not 0 < amount.minor <= payment.amount.minor:
            return failed(payment, key, "over_refund", NOT_REFUNDED, amount)
        with _outcome("refund"):
            session = self._sessions.of(payment)
            intent = intent_of(session)
            if session is None or intent is None or not intent.amount_received:
                return failed(payment, key, "not_paid", NOT_REFUNDED, amount)
            made = self._earlier_refund(intent.id, key)
            try:  # a refusal is certain of the refund alone: a look that is refused says nothing of an earlier try
                made = made or self._refund(session, intent, amount, key, reason)
            except AmountError:
                return failed(payment, key, "amount_not_taken", NOT_REFUNDED, amount)
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                return failed(payment, key, told(error.json_body) or "refused", NOT_REFUNDED, amount)
            if made.status in ("failed", "canceled"):
                return failed(payment, key, "refund_failed", NOT_REFUNDED, amount)
            status: Status = "refunded" if made.status == "succeeded" else "pending"
            code = None if status == "refunded" else short(made.status)
            amount, when = money(made.amount, made.currency), arrival_text(charge_of(intent), status)
            return Result(status, session.id, amount, key, buyer_message=when, code=code)

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        """Events about our sessions. Signed within five minutes, by any of the secrets; SignatureError else."""
        secrets = [each.get_secret_value() for each in self.settings.webhook_secrets]
        event = events.verified(raw, secrets)
        with _outcome("webhook"):
            return events.about_sessions(event, self._sessions.with_intent)

    def health(self) -> Health:
        """Whether Stripe answers to this key."""
        try:
            self._sessions.knock()
        except stripe.StripeError as error:
            return Health(False, no_answer(error))
        is_test = self.settings.api_key.get_secret_value()[2:].startswith("_test_")
        return Health(True, ANSWERS_IN_TEST if is_test else ANSWERS)

    # --- the parts

    def _change(
        self,
        what: str,
        payment: PaymentView,
        key: str,
        change: Callable[[stripe.checkout.Session], None],
    ) -> Result:
        code: str | None = None
        with _outcome(what):
            session = self._sessions.of(payment)
            if session is None:  # it never arrived: nothing to take, and nothing to let go
                return Result("canceled" if what == "void" else "pending", None, payment.amount, key)
            try:
                change(session)
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                code = told(error.json_body) or "refused"
            except AmountError:
                code = "amount_not_taken"
            return self._standing(self._sessions.get(session.id), payment, key, code=code)

    def _standing(
        self,
        session: stripe.checkout.Session,
        payment: PaymentView,
        key: str,
        *,
        code: str | None = None,
        dropped: Sequence[Method] = (),
    ) -> Result:
        intent, charge = intent_of(session), charge_of(intent_of(session))
        given_back = charge.amount_refunded if charge else 0
        if intent and charge and given_back and released(charge):
            given_back = paid_back(charge, self._refunds_of(intent.id))
        disputed = bool(
            charge and charge.disputed and is_lost(self._disputes.list({"charge": charge.id}).data)
        )
        return standing(
            session,
            payment,
            key,
            transfer_days=self.settings.transfer_days,
            disputed=disputed,
            given_back=given_back,
            code=code,
            dropped=dropped,
        )

    def _earlier_refund(self, intent: str, key: str) -> stripe.Refund | None:
        """The refund of this key. Stripe forgets keys after a day, and a konbini refund can take longer."""
        for each in self._refunds_of(intent):
            if key_of(each) == key:
                return each
        return None

    def _refunds_of(self, intent: str) -> Sequence[stripe.Refund]:
        return self._refunds.list({"payment_intent": intent, "limit": 100}).data

    def _refund(
        self,
        session: stripe.checkout.Session,
        intent: stripe.PaymentIntent,
        amount: Money,
        key: str,
        reason: str | None,
    ) -> stripe.Refund:
        params: RefundCreateParams = {
            "payment_intent": intent.id,
            "amount": wire(amount),
            "metadata": {"koguchi_key": key, **({"reason": reason[:500]} if reason else {})},
        }
        charge, buyer = charge_of(intent), session.customer_details
        paid_by = charge.payment_method_details.type if charge and charge.payment_method_details else "card"
        if paid_by != "card" and buyer is not None and buyer.email:
            params["instructions_email"] = buyer.email  # Stripe asks the buyer for a bank account
        return self._refunds.create(params, {"idempotency_key": key})


@contextmanager
def _outcome(what: str) -> Iterator[None]:
    """What Stripe left open is raised without its own sentence, which may repeat what was sent."""
    try:
        yield
    except stripe.StripeError as error:
        raise UnknownOutcomeError(
            f"{what}: {type(error).__name__}, status {error.http_status}, request {error.request_id}"
        ) from None


@hookimpl
def health(settings: Settings) -> Health:
    return StripeCheckout(settings).health()


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [StripeCheckout]
