"""What the kit is told of a payment provider: its class, settings, and how to bring the other side into each state.

A provider that goes over the network brings a stand-in of the other side; the kit itself opens no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Literal

from plugins.contract import (
    Buyer,
    CheckoutContext,
    Money,
    PaymentProvider,
    PaymentView,
    Place,
    RawRequest,
    Result,
)
from plugins.testing.asking import built, every_secret, with_guesses

ON = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 1, 20, tzinfo=UTC)
RETURN_URL = "https://shop.example/orders/A-10001/payment"
BUYER = Buyer(
    "KIT",
    group="standard",
    country="JP",
    region="JP-27",
    credit_limit=Money(10_000_000, "JPY"),
    credit_left=Money(10_000_000, "JPY"),
    terms={"closing_day": 20, "pay_month": 1, "pay_day": 31},
)
_numbers = count(1)


class MissingPartError(Exception):
    """The subject does not tell the kit how to do this; the test is left out and says what to add."""


@dataclass(frozen=True)
class Subject:
    """A payment provider under test.

    `make()` builds a provider with an other side of its own, fresh for each test. The rest is optional and speaks of
    the provider that make() gave last: without a part, the tests that need it are left out, and say so.
    """

    provider: Callable[..., PaymentProvider]
    settings: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[], PaymentProvider] | None = None
    currencies: Sequence[str] = ("JPY",)
    smallest: int = 120  # minor units that the other side takes at least
    largest: int = 9_999_999
    # what the other side does next
    decline: Callable[[PaymentProvider], None] | None = None
    lose_answer: Callable[[PaymentProvider], None] | None = None  # accepts, and the answer is lost
    pay: Callable[[PaymentProvider, PaymentView], None] | None = None  # the buyer pays
    fail_late: Callable[[PaymentProvider, PaymentView], None] | None = None  # an old failure arrives after it
    # what went over the wire: every amount sent, as it was written
    amounts_sent: Callable[[PaymentProvider], Sequence[object]] | None = None
    calls: Callable[[PaymentProvider], int] | None = None  # how often the other side was called
    # a webhook about a payment, signed at a moment; `kind` "known" or "unknown", or a body that is no JSON
    webhook: Callable[[PaymentProvider, PaymentView, datetime, str], RawRequest] | None = None
    secrets: Sequence[str] = ()  # texts that may stand in no repr, result or log
    wrong_settings: Mapping[str, Any] = field(
        default_factory=dict
    )  # a setting to a value that is to be refused
    sent_in: Literal["minor", "major"] = "minor"  # how the other side writes 19.99 dollars: 1999, or "19.99"
    made: Callable[[PaymentProvider], int] | None = None  # how many payments the other side holds
    returns_sent: Callable[[PaymentProvider], Sequence[str]] | None = None  # every way back that went out
    # a second provider before the same other side, as after a restart of the shop, or in its second process
    again: Callable[[PaymentProvider], PaymentProvider] | None = None

    def fresh(self) -> PaymentProvider:
        """A provider, with an other side that has seen nothing yet."""
        if self.make is not None:
            return self.make()
        return built(self.provider, self.given())  # type: ignore[no-any-return]

    def given(self) -> dict[str, Any]:
        """The settings, with a made-up value for each text or number that must be given and is not."""
        return with_guesses(self.provider.config, self.settings)  # type: ignore[attr-defined]

    def ordinary(self, **values: Any) -> PaymentView:
        """A new payment of an ordinary amount that the other side takes."""
        amount = Money(min(max(1_200, self.smallest), self.largest), self.currencies[0])
        return payment(**{"amount": amount, **values})

    def every_secret(self) -> list[str]:
        """The secrets named here, and those that stand in the settings as SecretStr."""
        return every_secret(self.provider, self.given(), self.secrets)

    def part(self, name: str) -> Any:
        """An optional part. Raises MissingPartError, which says what to add."""
        found = getattr(self, name)
        if found is None or found == ():
            raise MissingPartError(f"give the kit Subject.{name} to run this test")
        return found


def payment(amount: Money | None = None, **values: Any) -> PaymentView:
    """A new payment with a number of its own."""
    number = next(_numbers)
    view = {"id": str(number), "order_number": f"A-{10_000 + number}", "amount": amount or Money(1_200, "JPY"),
            "state": "created", "on": ON, "buyer": BUYER}  # fmt: skip
    return PaymentView(**{**view, **values})


def after(view: PaymentView, result: Result) -> PaymentView:
    """The payment as the shop would hand it over after this result."""
    return PaymentView(
        view.id,
        view.order_number,
        view.amount,
        result.status,
        view.on,
        view.buyer,
        result.provider_ref,
        view.language,
    )


def key_of(view: PaymentView, what: str = "start", number: int = 1) -> str:
    """A key as the shop mints it."""
    return f"{view.id}:{what}:{number}"


def context(amount: Money) -> CheckoutContext:
    """A checkout of that total."""
    return CheckoutContext(BUYER, amount, amount, ON, Place("JP", "JP-27", "5770000"))


def subject_of(found: Any) -> Subject:
    """What --provider names, as a Subject. Raises TypeError."""
    if isinstance(found, Subject):
        return found
    if isinstance(found, type) and hasattr(found, "config"):
        return Subject(found, getattr(found, "KIT_SETTINGS", {}))
    raise TypeError(f"{found!r} is neither a provider's class nor a plugins.testing.Subject")
