"""The whole plugin contract on one page: what the shop hands over, what comes back, and the hooks.

Amounts are int minor units with a currency, weights grams, tax rates Decimal, dates in the shop's time zone,
timestamps aware UTC, regions ISO 3166-2. Never a float, a web request, a database session or a row.
"""

from collections.abc import Callable, Mapping, Sequence
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
    closed_on: tuple[date, ...] = ()  # days after ship_on, of some months, that are no business days here


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


# ---- events


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order goes, as its buyer wrote it."""

    recipient: str
    postcode: str = ""
    region: str = ""  # ISO 3166-2, such as JP-27
    city: str = ""
    street: str = ""
    phone: str = ""
    country: str = "JP"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order. `unit_price` is that of `per` pieces; it and `amount` are without tax."""

    position: int
    sku: str
    name: Texts
    quantity: int
    amount: Money
    unit_price: Decimal | None = None
    per: int = 1
    unit: Texts | None = None
    tax: str = "standard"  # the category; `Order.taxes` has its rate


@dataclass(frozen=True, slots=True)
class Charge:
    """A surcharge, or a discount: then `amount` is below zero. `code` names the rule that made it. Without tax."""

    code: str
    label: Texts
    amount: Money
    tax: str = "standard"


@dataclass(frozen=True, slots=True)
class TaxLine:
    category: str
    rate: Decimal
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as it stands when the record is made; its amounts are as its buyer confirmed them.

    `goods`, `shipping` and `payment_fee` are without tax; goods, charges, shipping, fee and taxes make `total`.
    """

    number: str
    state: str
    placed_at: datetime
    on: date
    buyer: Buyer
    company: str
    contact: str
    ship_to: Address
    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    taxes: tuple[TaxLine, ...]
    goods: Money
    shipping: Money
    payment_fee: Money
    total: Money
    channel: str = "web"
    shipping_code: str | None = None
    payment_code: str | None = None
    purchase_order_number: str = ""
    note: str = ""
    deliver_on: date | None = None  # as wished
    delivery_slot: str = ""
    promised_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order came into being. `order.state` may be awaiting_approval: then `order_approved` follows, or nothing."""

    event_id: str
    at: datetime
    order: OrderView


@dataclass(frozen=True, slots=True)
class OrderApproved:
    """A person let an order go on that waited for approval."""

    event_id: str
    at: datetime
    order: OrderView
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PaymentChanged:
    """A payment went from one state to another. `payment.state` is what it is now, maybe further on than `after`."""

    event_id: str
    at: datetime
    order: OrderView
    payment: PaymentView
    provider: str
    before: str
    after: str
    captured: Money | None = None  # what the provider took
    refunded: Money | None = None  # all that was paid back so far


@dataclass(frozen=True, slots=True)
class ShipmentCreated:
    """Parcels of an order left under one tracking number; an order may have several.

    Carrier and number are empty where the desk shipped an order without one: with the firm's own van, or fetched.
    """

    event_id: str
    at: datetime
    order: OrderView
    carrier: str
    tracking_number: str
    parcels: int
    shipped_on: date
    is_undone: bool = False  # taken back since: the parcels did not leave


Event: TypeAlias = OrderPlaced | OrderApproved | PaymentChanged | ShipmentCreated
EventName = Literal["order_placed", "order_approved", "payment_changed", "shipment_created"]
EVENTS: tuple[EventName, ...] = get_args(EventName)


# ---- what a plugin shows and says of itself

Slot = Literal["product_page", "cart_summary", "order_confirmation"]
SLOTS: tuple[Slot, ...] = get_args(Slot)


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What stands on the page: one SKU on a product page, those of the lines in a cart or an order."""

    on: date
    buyer: Buyer | None = None  # None for a visitor; the credit is not told
    skus: tuple[str, ...] = ()
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """`url` begins with https:// or is a path of the shop, such as /products."""

    label: Texts
    url: str


@dataclass(frozen=True, slots=True)
class Block:
    """A few plain sentences on a page, never HTML; a line break in `body` is shown as one."""

    title: Texts
    body: Texts
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of a plugin's page. The shop writes out what a cell holds; None is nothing."""

    title: Texts
    columns: tuple[Texts, ...]
    rows: tuple[tuple[str | Texts | int | Decimal | Money | date | datetime | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PageView:
    """What a plugin's page shows: paragraphs, then tables. Plain texts, never HTML."""

    texts: tuple[Texts, ...] = ()
    tables: tuple[TableView, ...] = ()


@dataclass(frozen=True, slots=True)
class AdminPage:
    """A page for the shop's staff at /admin/plugins/PLUGIN/pages/`id`; `show` is called whenever it is opened."""

    id: str  # small letters, digits and hyphens
    title: Texts
    show: Callable[[], PageView]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the plugin can do its work now; `said` is a sentence for the owner."""

    is_well: bool
    said: Texts | None = None


# ---- hooks


# A plugin that brings no provider names its settings in a module attribute CONFIG: type[Config]; with a provider
# its `config` is the model. Every hook gets the checked `settings` and may leave out the arguments it does not need.


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


@hookspec
def order_placed(event: OrderPlaced, settings: Any) -> None:
    """An order was placed, through whichever door.

    Called after the commit, from the outbox, until it returns: a raise is tried again with growing pauses, with the
    same `event.event_id`. Two events may arrive in another order than they happened, and one may arrive twice.
    """


@hookspec
def order_approved(event: OrderApproved, settings: Any) -> None:
    """A person approved an order that waited for it. Orders that waited for nobody have no such event.

    Called as `order_placed` is.
    """


@hookspec
def payment_changed(event: PaymentChanged, settings: Any) -> None:
    """A payment changed its state: paid, failed, paid back, put up for review; or more of it was paid back.

    Called as `order_placed` is.
    """


@hookspec
def shipment_created(event: ShipmentCreated, settings: Any) -> None:
    """Parcels of an order left, under one tracking number.

    Called as `order_placed` is.
    """


@hookspec
def template_blocks(slot: Slot, ctx: BlockContext, settings: Any) -> Sequence[Block]:  # type: ignore[empty-body]
    """Sentences for a slot of a page: product_page, cart_summary or order_confirmation. At most five; [] for none.

    Called while a buyer waits, with 0.3 s to answer: no files, no network.
    """


@hookspec
def admin_pages(settings: Any) -> Sequence[AdminPage]:  # type: ignore[empty-body]
    """Pages for the shop's staff, such as what was handed over or what is still to be done.

    Called when the desk lists them, with 1 s to answer; the `show` of a page has 15 s.
    """


@hookspec
def health(settings: Any) -> Health:  # type: ignore[empty-body]
    """Whether the plugin can do its work now: the folder can be written, the account answers.

    Called when somebody asks, with 15 s to answer; it may use the network and changes nothing that stays.
    """
