"""Known products and customers that stand for the many a rule admits, and one of them asked at several quantities.

The same folder always gives the same samples; nothing here judges a price, and no rule set is ever changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from rules.carts import read_cart
from rules.catalog import Catalog
from rules.decision import GRADES, Step
from rules.errors import CartError
from rules.evaluate import to_subtotal
from rules.evaluation import Evaluation, LinePrice
from rules.facts import MAX_QUANTITY, VISITOR, Cart, Customer, Line, Product
from rules.fixes import better_quantities
from rules.in_force import RulesInForce
from rules.meeting import Known, Profile
from rules.ruleset import Rule, Ruleset

MOST_PRODUCTS, MOST_CUSTOMERS = 6, 4  # of one rule
_LOOKED_AT = 64  # customers of one rule among whom different ones are sought
_ORDERABLE = GRADES.index("surcharge")
_NOT_SOLD = ("hide", "buy", "login", "quotation")
_NO_MARGIN = Decimal(-1)


class Place(NamedTuple):
    """A product and a customer to price. `is_known`: both are the shop's own, not made up by a case."""

    product: Product
    customer: Customer
    is_known: bool = True


class Samples:
    """Chooses places for rules. Products stand in order of margin, so that the first of any set has the thinnest."""

    def __init__(self, catalog: Catalog) -> None:
        products = sorted((catalog.products or {}).values(), key=lambda one: (-_burden(one), one.sku))
        self.catalog = catalog
        self.known = Known(
            Catalog({one.sku: one for one in products}, catalog.customers) if products else catalog
        )
        priced = [place for place, one in enumerate(products) if one.list_price is not None]
        self._by_price = sorted(priced, key=lambda place: (products[place].list_price, place))

    def places(self, profile: Profile, ruleset: Ruleset, most: int) -> list[Place]:
        """Places for a rule: thin margin, low and high price, customers unlike each other; of its cases where
        the shop knows no products or no customers."""
        found: list[Place] = []
        known = self.known
        if known.products:
            for products, customers in known.boxes(profile):
                found += _crossed(self._products(products), self._customers(customers))
        if self.catalog.products is None or self.catalog.customers is None:
            found += _of_cases(profile.rule, ruleset, self.catalog)
        return list({_identity(place): place for place in reversed(found)}.values())[::-1][:most]

    def _products(self, bits: int) -> list[Product]:
        products = self.known.products
        bits &= (1 << len(products)) - 1
        chosen = list(_set_bits(bits, MOST_PRODUCTS))
        if bits.bit_count() > MOST_PRODUCTS:
            cheap = (place for place in self._by_price if bits >> place & 1)
            dear = (place for place in reversed(self._by_price) if bits >> place & 1)
            landmarks = [chosen[0], next(cheap, chosen[1]), next(dear, chosen[2])]
            chosen = list(dict.fromkeys([*landmarks, *chosen]))[:MOST_PRODUCTS]
        return [products[place] for place in chosen]

    def _customers(self, bits: int) -> list[Customer]:
        customers = self.known.customers
        if not customers:
            return [VISITOR] if bits else []
        unlike: dict[Any, Customer] = {}
        for place in _set_bits(bits & ((1 << len(customers)) - 1), _LOOKED_AT):
            one = customers[place]
            unlike.setdefault((one.known, one.group), one)
        return list(unlike.values())[:MOST_CUSTOMERS]


def _identity(place: Place) -> Any:
    product, customer, _ = place
    return product.sku, product.list_price, customer.code, customer.group, customer.known


def _burden(product: Product) -> Decimal:
    """The share of the list price that the product costs; -1 when unknown."""
    if product.cost is None or not product.list_price:
        return _NO_MARGIN
    return product.cost / product.list_price


def _set_bits(bits: int, most: int) -> Iterator[int]:
    while bits and most:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
        most -= 1


def _crossed(products: Sequence[Product], customers: Sequence[Customer]) -> Iterator[Place]:
    """Every pair, the first of both before the later ones of either."""
    pairs = sorted(
        ((one, other) for one in range(len(products)) for other in range(len(customers))),
        key=lambda pair: (sum(pair), pair),
    )
    return (Place(products[one], customers[other]) for one, other in pairs)


def _of_cases(rule: Rule, ruleset: Ruleset, catalog: Catalog) -> Iterator[Place]:
    """Products and customers as the rule's own cases describe them."""
    for case in rule.cases:
        data = {word: value for word, value in case.items() if word not in ("name", "expect", "cart")}
        if "cart" in case:
            data["lines"] = case["cart"]
        try:
            cart, _ = read_cart(data, ruleset, catalog)
        except CartError:
            continue  # running the case says what is wrong with it
        for line in cart.lines[:MOST_PRODUCTS]:
            yield Place(line.product, cart.customer, False)


@dataclass(slots=True)
class Work:
    """How many evaluations were made, so that a check may end in time."""

    done: int = 0


class Probe:
    """One product of one customer on one day, alone in the cart; each quantity is evaluated once."""

    def __init__(
        self, rules: RulesInForce, place: Place, on: date, not_of_line: frozenset[str], made: Work
    ) -> None:
        self.rules, self.place, self.on, self.made = rules, place, on, made
        self.not_of_line = not_of_line  # codes whose charges belong to the whole order
        self.asked: dict[int, Evaluation] = {}

    def at(self, quantity: int) -> Evaluation:
        """The cart of that many pieces, evaluated up to its subtotal. Raises TieError."""
        work = self.asked.get(quantity)
        if work is None:
            cart = Cart((Line("1", self.place.product, quantity),), self.place.customer)
            work = Evaluation(self.rules, cart, self.on)
            to_subtotal(work)
            self.asked[quantity] = work  # only when it is whole: a tie met on the way is met again
            self.made.done += 1
        return work

    def is_sold(self) -> bool:
        """Whether the customer sees a price and may buy."""
        return not any(one.field in _NOT_SOLD for one in self.at(1).findings)

    def price(self, quantity: int) -> LinePrice:
        return self.at(quantity).prices[0]

    def steps(self, quantity: int) -> tuple[Step, ...]:
        return self.price(quantity).steps

    def charge(self, quantity: int, code: str) -> int:
        """What one rule charges extra, in minor units."""
        charges = self.at(quantity).charges
        return sum(one.surcharge.amount for one in charges if one.surcharge.code == code)

    def total(self, quantity: int) -> int | None:
        """The line's amount with the surcharges of the same line, in minor units; None without a price."""
        work = self.at(quantity)
        amount = work.prices[0].amount
        if amount is None:
            return None
        charges = (one.surcharge for one in work.charges)
        return amount + sum(one.amount for one in charges if one.code not in self.not_of_line)

    def up(self, quantity: int) -> int | None:
        """The first quantity from here on that is at worst charged extra."""
        if quantity > MAX_QUANTITY or self._is_orderable(quantity):
            return quantity if quantity <= MAX_QUANTITY else None
        return min((one for one in self._orderable_near(quantity) if one > quantity), default=None)

    def down(self, quantity: int) -> int | None:
        """The last quantity up to here that is at worst charged extra."""
        if quantity < 1 or self._is_orderable(quantity):
            return quantity if quantity >= 1 else None
        return max((one for one in self._orderable_near(quantity) if one < quantity), default=None)

    def _is_orderable(self, quantity: int) -> bool:
        found = self.at(quantity).findings
        return not any(one.is_quantity and GRADES.index(one.outcome) > _ORDERABLE for one in found)

    def _orderable_near(self, quantity: int) -> list[int]:
        work = self.at(quantity)
        self.made.done += 3  # the search matches rules anew at several quantities
        return [one for one, grade in better_quantities(work, work.lines[0]) if grade <= _ORDERABLE]
