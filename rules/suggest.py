"""What past orders say about prices: at which quantity a product was cheaper, and who paid a price of their own.

Pure: paid lines in, price rows with their evidence out. What is suggested is what was charged, never a better idea.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

LEAST_LINES = 5  # a price charged less often than this proves nothing
LEAST_CUSTOMERS = 3  # a quantity break needs so many of them, else it is somebody's own price
LEAST_OF_ONE = 3  # lines of one customer at one price
PURE = 0.8  # the share of lines that must agree with a row
_LATELY = timedelta(days=90)


class PaidLine(NamedTuple):
    """A line as it was charged; `unit` is the price of one piece in major units, without tax."""

    on: date
    customer: str | None
    sku: str
    quantity: int
    unit: Decimal


class PriceRow(NamedTuple):
    """A row of a price table with its evidence: `agree` of the `lines` it speaks of were charged so."""

    sku: str
    customer: str | None  # None: everybody
    start: int
    unit: Decimal
    lines: int
    agree: int
    customers: int


class _Product(NamedTuple):
    base: Decimal  # what most customers are charged for few pieces
    breaks: tuple[PriceRow, ...]  # ascending by start
    own: Mapping[str | None, PriceRow]

    def unit(self, customer: str | None, quantity: int) -> Decimal:
        """What the rows say: the customer's own price, else the last break that is reached, else the base."""
        own = self.own.get(customer)
        if own is not None:
            return own.unit
        reached = [row.unit for row in self.breaks if row.start <= quantity]
        return reached[-1] if reached else self.base


@dataclass(frozen=True, slots=True)
class Prices:
    """What was learnt, by SKU."""

    products: Mapping[str, _Product]

    def rows(self) -> list[PriceRow]:
        """Every row, by SKU, then those of everybody by start, then those of customers by code."""
        return [
            row
            for sku in sorted(self.products)
            for row in (
                *self.products[sku].breaks,
                *sorted(self.products[sku].own.values(), key=lambda row: row.customer or ""),
            )
        ]

    def agreeing(self, lines: Iterable[PaidLine]) -> tuple[int, int, int]:
        """(lines of known products, those at the base price, those at the price that the rows say)."""
        known = plain = told = 0
        for line in lines:
            product = self.products.get(line.sku)
            if product is not None:
                known += 1
                plain += line.unit == product.base
                told += line.unit == product.unit(line.customer, line.quantity)
        return known, plain, told


def learn_prices(lines: Iterable[PaidLine]) -> Prices:
    """Quantity breaks and customers' own prices of every product that was sold often enough."""
    by_sku: dict[str, list[PaidLine]] = defaultdict(list)
    for line in lines:
        by_sku[line.sku].append(line)
    return Prices({sku: _learn(of_one) for sku, of_one in by_sku.items() if len(of_one) >= LEAST_LINES})


def _learn(lines: list[PaidLine]) -> _Product:
    """Breaks are sought twice: who has an own price blurs them, and a break looks like an own price at first."""
    base = _base(lines)
    lines = _since(base, lines)
    first = _Product(base, _breaks(lines, base), {})
    own = _own(lines, first)
    others = [line for line in lines if line.customer not in own]
    second = _Product(base, _breaks(others, base), {})
    return second._replace(own=_own(lines, second))


def _base(lines: Sequence[PaidLine]) -> Decimal:
    """What most customers are charged for few pieces, in the last ninety days of sale; of equal ones the higher.

    Customers are counted, not lines: one who buys every day must not make the price of all.
    """
    last = max(line.on for line in lines)
    lately = [line for line in lines if line.on > last - _LATELY]
    if len(lately) < LEAST_LINES:
        lately = list(lines)
    few = sorted(line.quantity for line in lately)[len(lately) // 3]
    payers = Counter(
        unit for _, unit in {(line.customer, line.unit) for line in lately if line.quantity <= few}
    )
    return max(payers, key=lambda unit: (payers[unit], unit))


def _since(base: Decimal, lines: list[PaidLine]) -> list[PaidLine]:
    """The lines since the base price is in use: before it the list price was another one, and with it the breaks."""
    days = sorted(line.on for line in lines if line.unit == base)
    first = days[len(days) // 20]  # a few early lines may have been a trial
    return [line for line in lines if line.on >= first]


def _breaks(lines: Sequence[PaidLine], base: Decimal) -> tuple[PriceRow, ...]:
    """Ascending quantities from which nearly every line, of several customers, is at one lower price."""
    rising = sorted(lines, key=lambda line: line.quantity)
    counted = Counter(line.unit for line in lines if line.unit < base)
    found: list[PriceRow] = []
    for unit in sorted((unit for unit, count in counted.items() if count >= LEAST_LINES), reverse=True):
        row = _break_of(rising, unit, found[-1].start + 1 if found else 2)
        if row is not None:
            found.append(row)
    return tuple(found)


def _break_of(rising: Sequence[PaidLine], unit: Decimal, least: int) -> PriceRow | None:
    """The smallest quantity from which on at most this price is charged; deeper breaks are cheaper still.

    None when it does not hold for enough lines and customers, or when as many get the price with fewer pieces.
    """
    total = sum(line.unit <= unit for line in rising)
    best = None
    agree = exact = 0
    customers: set[str | None] = set()
    for place in range(len(rising) - 1, -1, -1):
        line = rising[place]
        if line.quantity < least:
            break
        agree += line.unit <= unit
        if line.unit == unit:
            exact += 1
            customers.add(line.customer)
        is_first = place == 0 or rising[place - 1].quantity < line.quantity
        if is_first and line.unit <= unit and agree >= PURE * (len(rising) - place):
            best = (line.quantity, len(rising) - place, agree, exact, len(customers))
    if best is None:
        return None
    start, lines, agree, exact, count = best
    if exact < LEAST_LINES or count < LEAST_CUSTOMERS or agree < PURE * total:
        return None
    return PriceRow(rising[0].sku, None, start, unit, lines, agree, count)


def _own(lines: Iterable[PaidLine], product: _Product) -> dict[str | None, PriceRow]:
    """Customers who were charged one price, whatever the quantity, that others were not charged for it."""
    by_customer: dict[str, list[PaidLine]] = defaultdict(list)
    for line in lines:
        if line.customer is not None:
            by_customer[line.customer].append(line)
    found: dict[str | None, PriceRow] = {}
    for customer, theirs in by_customer.items():
        if len(theirs) < LEAST_OF_ONE:
            continue
        unit = max(theirs, key=lambda line: line.on).unit
        first = min(line.on for line in theirs if line.unit == unit)
        since = [line for line in theirs if line.on >= first]
        agree = sum(line.unit == unit for line in since)
        usual = sum(product.unit(None, line.quantity) == unit for line in since)
        if agree >= LEAST_OF_ONE and agree >= PURE * len(since) and usual <= (1 - PURE) * len(since):
            found[customer] = PriceRow(since[0].sku, customer, 1, unit, len(since), agree, 1)
    return found


# --- a minimum that pays for handling ---------------------------------------------------------------------------


class OrderMinimum(NamedTuple):
    """A minimum of the goods total that covers handling, and a fee below it. Amounts in major units.

    `orders` were looked at, `below` of them under the minimum, of which `paying` reach `fee_from`;
    `lost` is what handling those below cost more than their margin.
    """

    minimum: Decimal
    fee_from: Decimal
    fee: Decimal
    orders: int
    below: int
    paying: int
    lost: Decimal


def suggest_minimum(
    goods: Sequence[Decimal], handling: Decimal, margin: Decimal, tick: Decimal
) -> OrderMinimum | None:
    """The round amount at which the margin (a factor, 0.3) covers `handling`; None when hardly any order is below."""
    if not goods or handling <= 0 or margin <= 0:
        return None
    minimum = _round_up(handling / margin, tick)
    below = sorted(one for one in goods if one < minimum)
    if len(below) < LEAST_LINES:
        return None
    median = below[len(below) // 2]
    fee = _round_up(max(handling - margin * median, tick), tick)
    fee_from = _round_down(max(below[len(below) // 10], fee), tick)
    lost = sum((handling - margin * one for one in below), Decimal(0))
    paying = sum(one >= fee_from for one in below)
    return OrderMinimum(minimum, fee_from, fee, len(goods), len(below), paying, lost)


_ROUND = tuple(Decimal(one) for one in ("1", "1.5", "2", "3", "4", "5", "6", "8", "10"))


def _round_up(value: Decimal, tick: Decimal) -> Decimal:
    power = Decimal(1).scaleb(value.adjusted())
    return max(next(one * power for one in _ROUND if one * power >= value), tick)


def _round_down(value: Decimal, tick: Decimal) -> Decimal:
    power = Decimal(1).scaleb(value.adjusted())
    return max(next(one * power for one in reversed(_ROUND) if one * power <= value), tick)
