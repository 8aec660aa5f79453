"""Cards, convenience stores and bank transfers through Stripe's own page (Checkout). docs/stripe.md sets it up."""

from plugins.payments.stripe_checkout.provider import (
    PLUGIN_API,
    StripeCheckout,
    UnknownOutcomeError,
    health,
    register_payment_providers,
)
from plugins.payments.stripe_checkout.settings import Settings

__all__ = [
    "PLUGIN_API",
    "Settings",
    "StripeCheckout",
    "UnknownOutcomeError",
    "health",
    "register_payment_providers",
]
