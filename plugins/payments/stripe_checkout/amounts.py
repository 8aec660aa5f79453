"""Amounts as Stripe counts them, and which of its payment methods takes which amount.

Money counts ISO 4217 minor units. Stripe does too, but for three currencies, and takes no last digit of three decimals.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from plugins import Money

Method: TypeAlias = Literal["card", "konbini", "jp_bank_transfer"]

# Stripe's words for them; a transfer to an account of the buyer's own is paid from the customer's balance.
STRIPE_TYPES: dict[str, str] = {
    "card": "card",
    "konbini": "konbini",
    "jp_bank_transfer": "customer_balance",
}
_TIMES_100 = frozenset({"ISK", "UGX"})  # no decimals in ISO 4217, two at Stripe
_NO_DECIMALS_AT_STRIPE = frozenset({"MGA"})  # two decimals in ISO 4217
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # the last digit must be 0
_NOT_TAKEN = frozenset({"CLF", "IQD", "LYD", "UYI", "UYW"})
_MOST = 99_999_999  # eight digits
# Below this a charge costs more than it brings, and Stripe refuses it. Other currencies: only Stripe can tell.
_LEAST = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
_YEN_ONLY = {"konbini": (120, 300_000), "jp_bank_transfer": (50, _MOST)}


class AmountError(ValueError):
    """Stripe cannot charge this amount in this currency."""


def wire(amount: Money) -> int:
    """The integer that Stripe wants. Raises AmountError, never rounds."""
    if amount.currency in _NOT_TAKEN:
        raise AmountError(f"Stripe takes no {amount.currency}")
    if amount.currency in _TIMES_100:
        return amount.minor * 100
    if amount.currency in _NO_DECIMALS_AT_STRIPE:
        if amount.minor % 100:
            raise AmountError(f"{amount.currency} has no decimals at Stripe")
        return amount.minor // 100
    if amount.currency in _THREE_DECIMALS and amount.minor % 10:
        raise AmountError(
            f"Stripe takes {amount.currency} in steps of ten: {amount.minor} ends in another digit"
        )
    return amount.minor


def money(sent: int, currency: str) -> Money:
    """What Stripe's integer means. Raises AmountError."""
    code = currency.upper()
    if code in _TIMES_100:
        if sent % 100:
            raise AmountError(f"{sent} {code} is a part of the smallest unit")
        return Money(sent // 100, code)
    return Money(sent * 100 if code in _NO_DECIMALS_AT_STRIPE else sent, code)


def limits(method: Method, currency: str) -> tuple[int, int] | None:
    """What a method takes at least and at most, as Stripe counts; None where it does not take the currency."""
    if method in _YEN_ONLY:
        return _YEN_ONLY[method] if currency == "JPY" else None
    return None if currency in _NOT_TAKEN else (_LEAST.get(currency, 1), _MOST)


def least_of(currency: str, methods: Sequence[Method]) -> int | None:
    """The smallest amount that any of the methods takes; None where none takes the currency."""
    found = [each for each in (limits(method, currency) for method in methods) if each]
    return min(least for least, _ in found) if found else None


def taken(amount: Money, methods: Sequence[Method]) -> tuple[Method, ...]:
    """The methods that take this amount. Pure. Raises AmountError when Stripe takes it by none at all."""
    sent = wire(amount)
    found = ((method, limits(method, amount.currency)) for method in methods)
    return tuple(method for method, limit in found if limit and limit[0] <= sent <= limit[1])
