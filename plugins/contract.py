"""The whole plugin contract on one page: what the shop hands over, what comes back, and the hooks.

Amounts are int minor units with a currency, weights grams, tax rates Decimal, dates in the shop's time zone,
timestamps aware UTC, regions ISO 3166-2. Never a float, a web request, a database session or a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Flag, auto
from typing import Any, Literal, Protocol, TypeAlias, get_args

import pluggy
from pydantic import BaseModel, ConfigDict

PROJECT = "koguchi"  # the entry-point group, and the name of pluggy's markers
API = 1  # a plugin writes PLUGIN_API = 1; another number is refused with a reason, never half-used

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Texts: TypeAlias = Mapping[str, str]  # {"ja": "...", "en": "..."}


class Config(BaseModel):
    """Base of a plugin's settings: unknown keys are refused by name, secrets are pydantic.SecretStr.

    A relative file name becomes a path in the shop folder with `plugins.ShopFile` as its type.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: Money(16884, "JPY") is 16,884 yen, Money(495, "GBP") is 4.95 pounds."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # bool and float are refused as well
            raise TypeError(f"Money takes int minor units, not {type(self.minor).__name__}")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError(f"{self.currency!r} is not an ISO 4217 currency code")


@dataclass(frozen=True, slots=True)
class TaxedMoney:
    """An amount without tax and its rate; None takes the shop's default rate."""

    amount: Money
    tax_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where parcels leave or arrive; `remote` when the shop knows that carriers charge extra there."""

    country: str
    region: str | None = None  # ISO 3166-2, such as JP-27
    postcode: str | None = None  # digits only
    city: str | None = None
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who is ordering. `terms` is {closing_day, pay_month, pay_day} or {net_days}; None: no agreement."""

    code: str
    group: str | None = None
    country: str | None = None
    region: str | None = None
    credit_limit: Money | None = None
    credit_left: Money | None = None
    terms: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CheckoutContext:
    """What a payment method may look at before it is offered; buyer is None for a visitor."""

    buyer: Buyer | None
    total: Money  # with tax
    goods: Money  # without tax and surcharges
    on: date
    ship_to: Place | None = None
    channel: str = "web"


# ---- payments


class Capability(Flag):
    AUTHORIZE = auto()
    CAPTURE = auto()
    PARTIAL_CAPTURE = auto()
    VOID = auto()
    REFUND = auto()
    PARTIAL_REFUND = auto()
    ASYNC = auto()
    REDIRECT = auto()
    OFFLINE = auto()
    ISSUES_INVOICE = auto()


@dataclass(frozen=True, slots=True)
class Available:
    """The method is offered; `note` is a sentence for the buyer, such as when payment is due."""

    note: Texts | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """The method is not for this buyer and is not shown."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """The method is shown, refused, with its reason."""

    reason: Texts


Availability: TypeAlias = Available | Hidden | Disabled
Status = Literal[
    "requires_action", "pending", "authorized", "captured", "failed", "canceled", "refunded", "disputed"
]
STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment as a provider sees it. `provider_ref` is None until the provider gave one."""

    id: str
    order_number: str
    amount: Money
    state: str
    on: date
    buyer: Buyer | None = None
    provider_ref: str | None = None
    language: str = "ja"


@dataclass(frozen=True, slots=True)
class Result:
    """The only thing a provider returns. An unknown outcome is `pending`, never `failed`.

    `amount` of `refunded` is this refund's in the answer of `refund`, and all that was paid back in that of `fetch`.
    """

    status: Status
    provider_ref: str | None
    amount: Money
    attempt_key: str
    redirect_url: str | None = None
    instructions: Mapping[str, str] | None = None  # bank account, konbini code: shown as they are
    expires_at: datetime | None = None
    buyer_message: Texts | None = None
    code: str | None = None
    notice: Texts | None = None  # for the owner: what the provider did otherwise than it was asked


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A webhook as it arrived: the signature is over exactly these bytes."""

    method: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something happened to a payment; the shop then asks `fetch` for the truth."""

    event_id: str
    provider_ref: str
    kind: str = ""


class SignatureError(ValueError):
    """Raised by parse_webhook: the request does not come from the provider."""


class PaymentProvider(Protocol):
    """A way to pay. Registered as a class; the shop builds it as `Provider(settings)` from [plugins.ID]."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> Texts: ...
    @property
    def capabilities(self) -> Capability: ...
    @property
    def config(self) -> type[BaseModel]: ...

    def __init__(self, settings: Any) -> None: ...
    def availability(self, ctx: CheckoutContext) -> Availability: ...
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None: ...
    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result: ...
    def fetch(self, payment: PaymentView) -> Result: ...
    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result: ...
    def void(self, payment: PaymentView, *, key: str) -> Result: ...
    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result: ...
    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]: ...


# ---- shipping

Temperature = Literal["normal", "chilled", "frozen"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """`count` equal parcels. None where the shop does not know the measure."""

    weight_g: int | None = None
    sum_cm: int | None = None  # length + width + height
    longest_cm: int | None = None
    temperature: Temperature = "normal"
    count: int = 1


@dataclass(frozen=True, slots=True)
class ShippedLine:
    sku: str
    quantity: int
    weight_g: Decimal | None = None  # per piece
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateRequest:
    origin: Place
    destination: Place
    parcels: tuple[Parcel, ...]
    lines: tuple[ShippedLine, ...]
    subtotal: Money
    ship_on: date
    currency: str
    customer_group: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """One offer. The price is without tax; of several rates of one plugin the cheapest counts."""

    code: str
    label: Texts
    price: Money
    tax_rate: Decimal | None = None
    earliest: date | None = None
    latest: date | None = None
    slots: tuple[str, ...] = ()
    cutoff: str | None = None  # "15:00", shop time
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class NeedsQuotation:
    """It can be shipped, but a person sets the price."""

    reason: Texts


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It cannot be shipped this way."""

    reason: Texts


Quoted: TypeAlias = list[Rate] | NeedsQuotation | Unavailable


class ShippingProvider(Protocol):
    """A way to ship. Registered as a class; the shop builds it as `Provider(settings)` from [plugins.ID].

    A class that asks a server says `over_http = True`: its quotes have 3.5 s, and only itself remembers its answers.
    """

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> Texts: ...
    @property
    def config(self) -> type[BaseModel]: ...

    def __init__(self, settings: Any) -> None: ...
    def quote(self, request: RateRequest) -> Quoted: ...


# ---- hooks


@hookspec
def register_payment_providers() -> Sequence[type[PaymentProvider]]:  # type: ignore[empty-body]
    """Ways to pay that this plugin brings.

    Called once at start, only when the plugin is enabled. Its id is the entry point's name.
    """


@hookspec
def register_shipping_providers() -> Sequence[type[ShippingProvider]]:  # type: ignore[empty-body]
    """Ways to ship that this plugin brings.

    Called once at start, only when the plugin is enabled. Its id is the entry point's name.
    """
