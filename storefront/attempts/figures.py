"""Figures over refused wishes: medians, histograms, what a fee would have earned. Pure; counts in, counts out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MOST_BINS = 10
ENDED = ("ordered", "raised", "paid_fee", "removed", "abandoned")
GAVE_UP = ("removed", "abandoned")


@dataclass(frozen=True, slots=True)
class Count:
    """So many wishes of one rule and SKU that are alike; `amount_minor` is of their goods together."""

    asked: int
    need: int | None
    ending: str
    carts: int
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Bin:
    """Wishes for `first` to `last`, both included."""

    first: int
    last: int
    carts: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """Everything one rule (or the stock) refused of one SKU; SKU "" is the whole order, in minor units."""

    code: str
    sku: str
    kind: str
    field: str
    unit: str
    companies: int  # a visitor's carts belong to none
    counts: tuple[Count, ...] = dataclasses.field(repr=False)

    @property
    def carts(self) -> int:
        return sum(count.carts for count in self.counts)

    @property
    def median(self) -> int:
        return median_of(self.asked())

    @property
    def need(self) -> int | None:
        """What was needed most often; of equals the larger."""
        tally: dict[int, int] = {}
        for count in self.counts:
            if count.need is not None:
                tally[count.need] = tally.get(count.need, 0) + count.carts
        return max(tally, key=lambda need: (tally[need], need), default=None)

    @property
    def lost_minor(self) -> int:
        """Goods of wishes that came to nothing."""
        return sum(count.amount_minor for count in self.counts if count.ending in GAVE_UP)

    def ended(self, *endings: str) -> int:
        """How many wishes ended so; "" are those still open."""
        return sum(count.carts for count in self.counts if count.ending in endings)

    @property
    def gave_up(self) -> int:
        return self.ended(*GAVE_UP)

    def asked(self) -> dict[int, int]:
        """How many wishes there were for each quantity."""
        tally: dict[int, int] = {}
        for count in self.counts:
            tally[count.asked] = tally.get(count.asked, 0) + count.carts
        return tally


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A fee taken from `at` on, under the assumption that `share` percent of those who asked for as many pay it."""

    at: int
    fee_minor: int
    share: int
    reached: int  # wishes for `at` or more that were below what was needed
    earned_minor: int
    raised: int  # of them: bought what was needed anyway, and might now buy less


def median_of(tally: Mapping[int, int]) -> int:
    """The lower median: a number that somebody asked for. 0 where nobody asked."""
    left = (sum(tally.values()) + 1) // 2
    for value in sorted(tally):
        left -= tally[value]
        if left <= 0:
            return value
    return 0


def histogram(tally: Mapping[int, int], most: int = MOST_BINS) -> list[Bin]:
    """The wishes in at most `most` bins of equal, round width; bins between that are empty stay."""
    if not tally:
        return []
    low, high = min(tally), max(tally)
    step = round_step(low, high, most)
    first = low // step
    counts = [0] * (high // step - first + 1)
    for value, carts in tally.items():
        counts[value // step - first] += carts
    return [
        Bin((first + place) * step, (first + place + 1) * step - 1, carts)
        for place, carts in enumerate(counts)
    ]


def round_step(low: int, high: int, most: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... with which low to high fall into at most `most` bins."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            step = digit * power
            if high // step - low // step + 1 <= most:
                return step
        power *= 10


def what_if(counts: Iterable[Count], *, at: int, fee_minor: int, share: int = 100) -> WhatIf:
    """What a fee would have earned; half a minor unit is rounded up."""
    reached = [one for one in counts if one.asked >= at and (one.need is None or one.asked < one.need)]
    carts = sum(one.carts for one in reached)
    exact = Decimal(carts) * fee_minor * share / 100
    earned = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return WhatIf(
        at, fee_minor, share, carts, earned, sum(one.carts for one in reached if one.ending == "raised")
    )


def grouped(rows: Iterable[Sequence[object]], companies: Mapping[tuple[str, str], int]) -> list[Refusals]:
    """Rows (code, sku, kind, field, unit, asked, need, ending, carts, amount) as one entry a rule and SKU.

    The most refused come first. A rule that missed several fields of a SKU is told by the one met most.
    """
    found: dict[tuple[str, str], list[tuple[tuple[str, str, str], Count]]] = {}
    for code, sku, kind, field_name, unit, asked, need, ending, carts, amount in rows:
        count = Count(asked, need, ending, carts, int(amount or 0))  # type: ignore[arg-type,call-overload]
        found.setdefault((str(code), str(sku)), []).append(((str(kind), str(field_name), str(unit)), count))
    listed = [
        Refusals(
            code,
            sku,
            *_met_most(entries),
            companies.get((code, sku), 0),
            tuple(count for _k, count in entries),
        )
        for (code, sku), entries in found.items()
    ]
    return sorted(listed, key=lambda one: (-one.carts, one.code, one.sku))


def _met_most(entries: Iterable[tuple[tuple[str, str, str], Count]]) -> tuple[str, str, str]:
    tally: dict[tuple[str, str, str], int] = {}
    for kinds, count in entries:
        tally[kinds] = tally.get(kinds, 0) + count.carts
    return max(tally, key=lambda kinds: (tally[kinds], kinds))
