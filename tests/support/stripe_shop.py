"""stripe_checkout in front of the fake Stripe: a provider, a payment, and what the contract kit wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from flask import Flask

from plugins import Buyer, Money, PaymentProvider, PaymentView, RawRequest, Result
from plugins.payments.stripe_checkout import Settings, StripeCheckout
from plugins.testing import Subject
from support.fake_stripe import KEY, SECRET, FakeStripe

NOW = datetime(2026, 11, 20, 1, 20, tzinfo=UTC)
RETURN = "https://shop.example/orders/A-10432/payment"
HAYASHI = Buyer("HAYASHI")
METHODS = ("card", "konbini", "jp_bank_transfer")
SETTINGS = {"api_key": KEY, "webhook_secrets": [SECRET], "methods": METHODS}
_numbers = count(1)


class Counter:
    """A provider, its Stripe, and one payment that goes over it."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: NOW, **settings: Any) -> None:
        self.stripe = FakeStripe(now=now)
        self.provider = StripeCheckout(Settings(**SETTINGS | settings), http_client=self.stripe, now=now)
        self.view = a_payment()

    def start(self, view: PaymentView | None = None, *, number: int = 1) -> Result:
        """Start, and keep the reference for what follows."""
        asked = view or self.view
        result = self.provider.start(asked, key=f"{asked.id}:start:{number}", return_url=RETURN)
        self.view = replace(asked, provider_ref=result.provider_ref, state=result.status)
        return result

    @property
    def session(self) -> str:
        assert self.view.provider_ref is not None
        return self.view.provider_ref

    def paid(self, how: Callable[[FakeStripe, str], None] = FakeStripe.pay) -> Counter:
        self.start()
        how(self.stripe, self.session)
        return self

    def fetch(self) -> Result:
        return self.provider.fetch(self.view)

    def refund(self, minor: int, *, number: int = 1, reason: str | None = None) -> Result:
        amount = Money(minor, self.view.amount.currency)
        return self.provider.refund(self.view, amount, key=f"{self.view.id}:refund:{number}", reason=reason)

    def created(self) -> list[dict[str, Any]]:
        """The parameters of every session that was asked for."""
        return [
            dict(params)
            for method, path, params, _ in self.stripe.calls
            if (method, path) == ("post", "/v1/checkout/sessions")
        ]


def a_payment(amount: Money | None = None, **values: Any) -> PaymentView:
    number = next(_numbers)
    view = PaymentView(
        str(number), f"A-{10_000 + number}", amount or Money(16_884, "JPY"), "created", NOW.date(), HAYASHI
    )
    return replace(view, **values)


def _stripe(provider: PaymentProvider) -> FakeStripe:
    return provider.kit  # type: ignore[attr-defined,no-any-return]


def _make(**settings: Any) -> StripeCheckout:
    counter = Counter(**settings)
    counter.provider.kit = counter.stripe  # type: ignore[attr-defined]
    return counter.provider


def _again(provider: PaymentProvider) -> StripeCheckout:
    stripe = _stripe(provider)
    settings = provider.settings  # type: ignore[attr-defined]
    other = StripeCheckout(settings, http_client=stripe, now=lambda: NOW)
    other.kit = stripe  # type: ignore[attr-defined]
    return other


def _webhook(provider: PaymentProvider, view: PaymentView, at: datetime, kind: str) -> RawRequest:
    stripe = _stripe(provider)
    if kind == "no_json":
        return stripe.raw("this is no JSON 1", at=at)
    about = {"id": view.provider_ref, "object": "checkout.session"}
    name = "checkout.session.completed" if kind == "known" else "checkout.session.invented"
    return stripe.raw(stripe.emit(name, about), at=at)


def _fail_late(provider: PaymentProvider, view: PaymentView) -> None:
    _stripe(provider).emit("checkout.session.async_payment_failed", {"id": view.provider_ref})


def _amounts(provider: PaymentProvider) -> list[object]:
    return [
        params["line_items"][0]["price_data"]["unit_amount"]
        for method, path, params, _ in _stripe(provider).calls
        if (method, path) == ("post", "/v1/checkout/sessions")
    ]


KIT = Subject(
    StripeCheckout,
    SETTINGS,
    make=_make,
    currencies=("JPY", "USD", "KWD"),
    decline=lambda provider: _stripe(provider).faults.extend(["", "", "decline:insufficient_funds"]),
    lose_answer=lambda provider: _stripe(provider).faults.extend(["", "", "lost", "lost", "lost"]),
    pay=lambda provider, view: _stripe(provider).pay(str(view.provider_ref)),
    fail_late=_fail_late,
    amounts_sent=_amounts,
    calls=lambda provider: len(_stripe(provider).calls),
    made=lambda provider: len(_stripe(provider).sessions),
    again=_again,
    webhook=_webhook,
    secrets=(KEY, SECRET),
    wrong_settings={
        "api_key": "pk_live_1",
        "webhook_secrets": ["secret"],
        "methods": ["cash"],
        "capture": "later",
        "expire_minutes": 5,
        "konbini_days": 61,
        "account": "mine",
    },
)
KIT_MANUAL = replace(
    KIT,
    settings={**SETTINGS, "capture": "manual", "methods": ("card",)},
    make=lambda: _make(capture="manual", methods=("card",)),
    decline=None,
    lose_answer=None,
)


def in_the_shop(app: Flask, *, page: str | None = None) -> FakeStripe:
    """Put a fake Stripe behind the shop's own plugin, with the shop's clock."""
    shop = app.extensions["koguchi"]
    settings = shop.plugins.payments["stripe_checkout"].settings
    fake = FakeStripe(now=lambda: shop.clock())
    fake.page = page or fake.page
    shop.plugins.payments["stripe_checkout"] = StripeCheckout(settings, http_client=fake, now=fake.now)
    return fake
