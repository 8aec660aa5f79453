"""What a rule may look at: frozen customer, product, line and cart. No clock, no database, no request.

None means absent: a comparison with an absent fact is false. Money facts are Decimals in major units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

CHANNELS = ("web", "api", "phone", "fax", "staff", "reorder", "csv", "quotation")
PURPOSES = ("normal", "prototype", "defect_fix", "top_up")
MAX_QUANTITY = 999_999_999

AttributeValue = str | int | Decimal | bool


@dataclass(frozen=True, slots=True)
class Customer:
    """Who orders. A visitor is `VISITOR`: known is False and everything else absent (rule-semantics 24)."""

    code: str | None = None
    group: str | None = None
    tags: tuple[str, ...] | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None  # ISO 3166-2, such as JP-27
    orders: int | None = None  # confirmed orders not cancelled
    since_days: int | None = None  # days from the first such order to `on`
    credit_limit: Decimal | None = None
    credit_left: Decimal | None = None
    known: bool = True
    terms: Mapping[str, object] | None = None  # {closing_day, pay_month, pay_day} or {net_days}


VISITOR = Customer(known=False)


@dataclass(frozen=True, slots=True)
class Product:
    """What is ordered. Prices are without tax, in the shop's currency, per piece."""

    sku: str
    category: str | None = None  # path such as fasteners/screws/pan
    brand: str | None = None
    tags: tuple[str, ...] | None = None
    batch: str | None = None
    list_price: Decimal | None = None
    cost: Decimal | None = None
    weight_g: Decimal | None = None
    tax: str | None = None  # tax category; absent means [tax] default
    cadence: str | None = None
    setup_key: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    pieces_per_case: int | None = None
    unit: str | None = None  # unit of goods by length or weight, such as m
    pieces_per_unit: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart: `quantity` counts pieces, 1 to 999,999,999. Lines are never merged."""

    id: str
    product: Product
    quantity: int
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Method:
    """A shipping quote or a payment method: amount in major units without tax, or None when it costs nothing."""

    code: str
    amount: Decimal | None = None
    tax: str | None = None


@dataclass(frozen=True, slots=True)
class ShipTo:
    country: str | None = None
    region: str | None = None
    postcode: str | None = None  # digits only


@dataclass(frozen=True, slots=True)
class Cart:
    """Everything one evaluation needs besides the rule set and the date.

    `exceptions` are rules.ruleset.RuleException records that come before those of the files.
    """

    lines: tuple[Line, ...]
    customer: Customer = VISITOR
    channel: str = "web"
    purpose: str = "normal"
    currency: str | None = None  # None: the shop's
    delivery: date | None = None
    ship_to: ShipTo = ShipTo()
    shipping_quotes: tuple[Method, ...] | None = None  # None: not asked yet, so nothing is offered or refused
    payment_methods: tuple[Method, ...] | None = None
    shipping: str | None = None
    payment: str | None = None
    lead_time: str | None = None
    exceptions: tuple[object, ...] = ()
    placing: bool = False  # order placement: a missing method is then an issue (rule-semantics 106)
