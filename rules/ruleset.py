"""A frozen rule set: rules, tables, exceptions, policy and tax, with the hash that names it.

Types only, and what follows from them; reading files is files.py, choosing and computing is evaluate.py.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from rules.decision import Texts

GROUPS = {
    "CA": "catalog",
    "PR": "price",
    "QT": "quantity",
    "SC": "surcharge",
    "DC": "discount",
    "OR": "order",
    "LT": "lead_time",
    "SH": "shipping",
    "PM": "payment",
    "FU": "follow_up",
}
LANES = ("list", "agreed", "volume", "promotion")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `op` is eq, one_of, lt, le, gt, ge, between, not, not_in, starts_with, has or known.

    `value` is normalised to the fact's type: str (NFC), int, Decimal, date or bool; a tuple for one_of, not_in,
    has and between. A bare value is eq and a list one_of whatever the fact; on tags they mean has.
    """

    fact: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class WhenLine:
    """One key of [when] in file order; several operators in its table must all hold."""

    fact: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`any = [{...}, {...}]`: at least one table must hold completely."""

    tables: tuple[tuple[WhenLine, ...], ...]


@dataclass(frozen=True, slots=True)
class Scope:
    regions: tuple[str, ...] | None = None
    customers: tuple[str, ...] = ()
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rounding:
    to: Decimal
    mode: str = "half_up"


@dataclass(frozen=True, slots=True)
class Break:
    start: int  # the key `from`
    kind: str  # unit, rate or off_percent
    value: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a price table; None in the four cells means any."""

    start: int
    kind: str  # unit or rate
    value: Decimal
    per: int | None
    valid_from: date | None
    valid_until: date | None
    line: int  # in the CSV file, for messages


RowKey = tuple[str | None, str | None, str | None, str | None]  # customer, group, sku, category


class PriceRows(Mapping[RowKey, tuple[Row, ...]]):
    """The rows of a table by key, those of one key by `start`. A row that is asked for alone is made alone."""

    @abstractmethod
    def reached(self, key: RowKey, on: date, quantity: int) -> Row | None:
        """The row with the largest `start` up to this quantity that is in force on that day."""

    @abstractmethod
    def starts_of(self, key: RowKey) -> Iterable[int]:
        """Every `start` of this key, on whatever day."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Rows by (customer, group, sku, category), each list sorted by `start`, only of the shop's currency.

    `shapes` are the patterns of filled cells that occur: (has customer, has group, has sku, category depth).
    """

    path: str
    rows: PriceRows
    shapes: tuple[tuple[bool, bool, bool, int], ...]


@dataclass(frozen=True, slots=True)
class PriceEffect:
    kind: str  # rate, unit, table, breaks, off_percent, off_amount
    lane: str  # list, agreed, volume, promotion (default already filled in)
    value: Decimal | None = None
    table: PriceTable | None = None
    breaks: tuple[Break, ...] = ()
    per: int | None = None
    tiers: str = "all_units"
    counts: str = "line"
    round: Rounding | None = None


@dataclass(frozen=True, slots=True)
class Below:
    """One [[...below]] entry; at_least and the charges are Decimals (quantities or amounts)."""

    outcome: str
    at_least: Decimal | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    per_missing: Decimal | None = None
    label: Texts | None = None
    tax: str | None = None


@dataclass(frozen=True, slots=True)
class QuantityEffect:
    minimum: int | None = None
    multiple: int | None = None
    maximum: int | None = None
    allowed: tuple[int, ...] | None = None  # ascending
    multiple_from: str = "zero"
    counts: str = "line"
    above: str = "block"
    off_multiple: str = "block"
    below: tuple[Below, ...] = ()


@dataclass(frozen=True, slots=True)
class SurchargeEffect:
    kind: str  # amount, percent, per_unit, per_lot
    value: Decimal  # for per_lot the amount of one lot
    lot: int | None = None
    per: str = "line"
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    tax: str | None = None
    label: Texts | None = None


@dataclass(frozen=True, slots=True)
class DiscountEffect:
    kind: str  # percent or amount
    value: Decimal
    per: str = "matching"
    at_most: Decimal | None = None
    label: Texts | None = None


@dataclass(frozen=True, slots=True)
class OrderEffect:
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    below: tuple[Below, ...] = ()
    above: str = "block"
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class TierEffect:
    code: str
    days: int
    percent: Decimal = Decimal(0)
    cutoff: str | None = None
    max_quantity: int | None = None
    per_day: int | None = None
    label: Texts | None = None


@dataclass(frozen=True, slots=True)
class LeadTimeEffect:
    tiers: tuple[TierEffect, ...]


@dataclass(frozen=True, slots=True)
class MethodEffect:
    """[shipping] and [payment]; `terms` belongs to payment only."""

    only: tuple[str, ...] | None = None
    hide: tuple[str, ...] = ()
    free_from: Decimal | None = None
    add: Decimal | None = None
    methods: tuple[str, ...] | None = None
    terms: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CatalogEffect:
    hide: bool = False
    buy: bool = True
    price: str | None = None  # login or quotation


@dataclass(frozen=True, slots=True)
class FollowUpEffect:
    values: Mapping[str, Any]


Effect = (
    PriceEffect
    | QuantityEffect
    | SurchargeEffect
    | DiscountEffect
    | OrderEffect
    | LeadTimeEffect
    | MethodEffect
    | CatalogEffect
    | FollowUpEffect
)


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    name: Texts
    effect: Effect
    path: str  # relative to the shop folder, such as rules/QT10_screws.toml
    because: Texts | None = None
    note: str | None = None
    from_on: date | None = None
    until_on: date | None = None
    mode: str = "live"  # live, shadow, off
    beats: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()  # warnings that are meant to be so
    scope: Scope | None = None
    when: tuple[WhenLine | AnyOf, ...] = ()
    cases: tuple[Mapping[str, Any], ...] = ()  # raw [[case]] tables
    raw: Mapping[str, Any] = field(
        default_factory=dict
    )  # the effect table as written, for exceptions and sentences
    lines: Mapping[str, int] = field(default_factory=dict)  # key path ("quantity.minimum") to line number

    @property
    def group(self) -> str:
        return self.code[:2]

    def is_in_force(self, on: date) -> bool:
        return (self.from_on is None or self.from_on <= on) and (self.until_on is None or on <= self.until_on)


@dataclass(frozen=True, slots=True)
class RuleException:
    """An exception: `effect` is the rule's effect with the changed keys replaced. Both dates included."""

    id: str  # the file's stem, or what the cart calls it
    rule: str
    effect: Effect
    customer: str | None = None
    sku: str | None = None
    from_on: date | None = None
    until_on: date | None = None
    reason: str = ""
    approved_by: str = ""
    path: str = ""

    def is_in_force(self, on: date) -> bool:
        return (self.from_on is None or self.from_on <= on) and (self.until_on is None or on <= self.until_on)


@dataclass(frozen=True, slots=True)
class TaxRate:
    category: str
    rate: Decimal
    from_on: date | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    currency: str = "JPY"
    timezone: str = "Asia/Tokyo"
    price_choice: str = "specific"
    amount_rounding: str = "half_up"
    tax_default: str = "standard"
    tax_rounding: str = "floor"
    tax_rates: tuple[TaxRate, ...] = (
        TaxRate("standard", Decimal("0.10")),
        TaxRate("reduced", Decimal("0.08")),
        TaxRate("exempt", Decimal(0)),
    )

    def rates_on(self, on: date) -> dict[str, Decimal]:
        """Category to rate: of each category the rate with the latest `from` not after the date."""
        newest: dict[str, TaxRate] = {}
        for row in self.tax_rates:
            if row.from_on is not None and row.from_on > on:
                continue
            best = newest.get(row.category)
            if best is None or (row.from_on or date.min) >= (best.from_on or date.min):
                newest[row.category] = row
        return {category: row.rate for category, row in newest.items()}


@dataclass(frozen=True, eq=False)
class Ruleset:
    """All rules of a shop folder, sorted by code. Not slotted: evaluation keeps compiled forms beside it."""

    rules: tuple[Rule, ...] = ()
    exceptions: tuple[RuleException, ...] = ()
    policy: Policy = Policy()
    hash: str = "sha256:" + hashlib.sha256(b"").hexdigest()
    compiled: dict[Any, Any] = field(
        default_factory=dict, repr=False
    )  # a cache by date; never part of the value

    def rule(self, code: str) -> Rule:
        """The rule of that code; KeyError when there is none."""
        for rule in self.rules:
            if rule.code == code:
                return rule
        raise KeyError(code)
