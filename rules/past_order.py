"""An order of the past as a replay takes it: its cart, its day, and what was charged then."""

from datetime import date
from typing import NamedTuple

from rules.facts import Cart


class PastOrder(NamedTuple):
    """An order as it was placed; the amounts are what was charged then, in minor units."""

    number: str
    on: date
    cart: Cart
    goods: int
    surcharges: int
