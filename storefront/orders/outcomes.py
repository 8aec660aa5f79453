"""What goes into place_order and what comes out of it: records only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from storefront.pricing import PricedCart
from storefront.shipping.quoting import Destination
from storefront.stock import Shortage


@dataclass(frozen=True, slots=True)
class CheckoutChoice:
    """Everything the buyer chose besides the lines.

    Without `lead_time` the usual tier is taken where a rule offers some. `promised_on` is for callers that confirm no
    fingerprint: an order that could only be ready later is not placed.
    """

    to: Destination
    shipping: str | None
    payment: str | None
    purchase_order_number: str = ""
    note: str = ""
    delivery_on: date | None = None
    lead_time: str | None = None
    promised_on: date | None = None
    slot: str = ""  # a time of day of the chosen way to ship
    arrives_by: date | None = None  # the last day of arrival that the page showed: a later one is asked about


@dataclass(frozen=True, slots=True)
class Placed:
    """The order; `is_repeated` when the key was used before and nothing happened now."""

    order_id: int
    number: str
    state: str
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """Something the buyer confirmed is different now: show it and ask again."""

    priced: PricedCart


@dataclass(frozen=True, slots=True)
class Refused:
    """No order. `code` is rules, quotation, lead_time, shortage, gone, empty, account or unavailable."""

    code: str
    priced: PricedCart | None = None
    shortages: tuple[Shortage, ...] = ()
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same key is at work elsewhere and did not finish in time."""


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used for something else."""


Outcome = Placed | Changed | Refused | InProgress | KeyReused


class Stop(Exception):
    """Ends the write transaction, and undoes it, with an outcome that is no new order."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
