"""What a draft of the rules changes for one customer: minima, lots, prices and fees of products, and terms of orders.

Compares what that customer is offered on a date under both rule sets; nobody else's terms are looked at.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from rules.card import card
from rules.decision import Texts
from rules.differences import rule_differences, same_ties
from rules.facts import Cart, Customer, Product
from rules.money import plain
from rules.offers import Offer, OfferRow, offer
from rules.reach import may_concern_customer, may_concern_product
from rules.reading import when_facts
from rules.ruleset import PriceEffect, QuantityEffect, Rule, Ruleset, SurchargeEffect, WhenLine

LINE_GROUPS = ("CA", "PR", "QT", "SC")  # whose rules change what one product is offered for
TERM_GROUPS = ("OR", "SC", "DC", "LT", "SH", "PM")
_FIELDS = ("minimum", "multiple", "maximum", "allowed")

Fee = tuple[int, int | None, int]  # from, to, amount in minor units


@dataclass(frozen=True, slots=True)
class PricePoint:
    """From `start` pieces on the price is another; texts are prices in major units, `per` so many pieces."""

    start: int
    before: Decimal
    before_per: int
    after: Decimal
    after_per: int

    @property
    def percent(self) -> Decimal | None:
        """By how much it rises, in percent with one decimal; None from nothing."""
        if not self.before:
            return None
        ratio = self.after * self.before_per / (self.before * self.after_per)
        return ((ratio - 1) * 100).quantize(Decimal("0.1"))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that becomes different, for these products (none: for orders as a whole).

    `kind` is minimum, multiple, maximum, allowed, first, price, fee, offered or term. `before` and `after` are whole
    numbers or tuples of them, Fees, outcomes, or the rules themselves for a term; None is absent.
    """

    kind: str
    skus: tuple[str, ...]
    codes: tuple[str, ...]
    before: Any = None
    after: Any = None
    percent: Decimal | None = None  # of a price that changes by the same share everywhere
    prices: tuple[tuple[str, tuple[PricePoint, ...]], ...] = ()
    name: Texts | None = None  # of the rule, for fees


@dataclass(frozen=True, slots=True)
class CustomerDiff:
    """`items` products were compared: those bought in the last `year`, at `any` time, or else ("") the catalog's."""

    customer: Customer
    on: date
    currency: str
    items: int
    bought: str
    changes: tuple[Change, ...]
    reasons: tuple[Texts, ...] = ()  # what the draft's rules tell the buyer


class Differ:
    """Two rule sets on one date, asked about one customer after another; equal customers are answered from memory."""

    def __init__(self, live: Ruleset, draft: Ruleset, on: date) -> None:
        self.on = on
        self._sides = live, draft
        self.states = rule_differences(live, draft)
        self._rules = [rule for ruleset in self._sides for rule in ruleset.rules if rule.code in self.states]
        self._is_other_policy = live.policy != draft.policy or not same_ties(live, draft)
        self._named = _customers_named(self._sides)
        self._facts = _customer_facts(self._sides)
        self._of_orders = [
            rule for ruleset in self._sides for rule in ruleset.rules if rule.group in TERM_GROUPS
        ]
        self._products: dict[Any, tuple[Change, ...]] = {}
        self._known_terms: dict[Any, tuple[Change, ...]] = {}

    def of(self, customer: Customer, products: Sequence[Product], bought: str) -> CustomerDiff:
        """What changes for this customer over these products."""
        changes = self._changes(customer, products)
        codes = {code for change in changes for code in change.codes}
        draft = self._sides[1]
        reasons = [rule.because for rule in draft.rules if rule.code in codes and rule.code in self.states]
        return CustomerDiff(
            customer,
            self.on,
            draft.policy.currency,
            len(products),
            bought,
            changes,
            tuple(one for one in reasons if one),
        )

    def _changes(self, customer: Customer, products: Sequence[Product]) -> tuple[Change, ...]:
        concerning = [rule for rule in self._rules if may_concern_customer(rule, customer)]
        if not concerning and not self._is_other_policy:
            return ()
        by_line = [rule for rule in concerning if rule.group in LINE_GROUPS]
        key = self._key(customer)
        found = [
            change
            for product in products
            if self._is_other_policy or any(may_concern_product(rule, product) for rule in by_line)
            for change in self._of_product(key, customer, product)
        ]
        terms: Sequence[Change] = ()
        if self._is_other_policy or any(rule.group in TERM_GROUPS for rule in concerning):
            terms = self._terms(key, customer, products)
        return (*_grouped(found), *terms)

    def _key(self, customer: Customer) -> Any:
        """What the rules can tell customers apart by; the code only where some rule names it."""
        code = customer.code if self._named is None or customer.code in self._named else ""
        values = (getattr(customer, name) for name in self._facts)
        return code, tuple(tuple(sorted(one.items())) if isinstance(one, Mapping) else one for one in values)

    def _of_product(self, key: Any, customer: Customer, product: Product) -> tuple[Change, ...]:
        known = self._products.get((key, product.sku))
        if known is None:
            cart = Cart((), customer)
            before, after = (offer(ruleset, cart, product, self.on) for ruleset in self._sides)
            known = tuple(_of_product(before, after, *self._sides))
            self._products[key, product.sku] = known
        return known

    def _terms(self, key: Any, customer: Customer, products: Sequence[Product]) -> Sequence[Change]:
        """Rules about orders that begin or cease to hold for this customer, or say something else."""
        # One product for each set of such rules that can concern it stands for all others like it.
        kinds: dict[tuple[bool, ...], Product] = {}
        for product in products:
            kinds.setdefault(tuple(may_concern_product(rule, product) for rule in self._of_orders), product)
        known = self._known_terms.get((key, frozenset(kinds)))
        if known is None:
            known = tuple(self._compared_terms(customer, list(kinds.values())))
            self._known_terms[key, frozenset(kinds)] = known
        return known

    def _compared_terms(self, customer: Customer, products: Sequence[Product]) -> Iterator[Change]:
        before, after = (
            {
                rule.code: rule
                for rule in card(ruleset, customer, products, self.on).terms
                if not _is_of_one_product(rule)
            }
            for ruleset in self._sides
        )
        for code in sorted(before.keys() | after.keys()):
            if (code in before) != (code in after) or code in self.states:
                yield Change("term", (), (code,), before.get(code), after.get(code))


def _of_product(before: Offer, after: Offer, live: Ruleset, draft: Ruleset) -> Iterator[Change]:
    sku = (before.sku,)
    was, becomes = _availability(before), _availability(after)
    if was != becomes:
        issue = after.issue or before.issue
        yield Change("offered", sku, (issue.code,) if issue else (), was, becomes)
        return
    if was == "hidden":
        return
    limits = list(_limits(before, after, sku))
    yield from limits
    if before.first != after.first and not any(one.kind != "maximum" for one in limits):
        codes = tuple((after.codes or before.codes or {}).values())
        yield Change("first", sku, tuple(dict.fromkeys(codes)), before.first, after.first)
    points = tuple(_price_points(before.rows, after.rows))
    if points:
        priced = {code for row in (*before.rows, *after.rows) for code in row.codes if code[:2] == "PR"}
        yield Change(
            "price", sku, tuple(sorted(priced)), percent=_about(points), prices=((before.sku, points),)
        )
    yield from _fees(before, after, live, draft)


def _about(points: Sequence[PricePoint]) -> Decimal | None:
    """The share by which all of these prices change, in whole percent; None where they do not change alike."""
    percents = [one.percent for one in points]
    known = [one for one in percents if one is not None]
    if len(known) < len(percents) or max(known) - min(known) >= 1:
        return None
    whole = (sum(known, Decimal(0)) / len(known)).quantize(Decimal(1))
    return whole if whole else (known[0] if len(set(known)) == 1 else None)


def _limits(before: Offer, after: Offer, sku: tuple[str, ...]) -> Iterator[Change]:
    for name in _FIELDS:
        was, becomes = getattr(before, name), getattr(after, name)
        if was != becomes:
            code = (after.codes or {}).get(name) or (before.codes or {}).get(name)
            yield Change(name, sku, (code,) if code else (), was, becomes)


def _availability(one: Offer) -> str:
    """hidden, block, quotation or ok."""
    return "hidden" if one.is_hidden else one.outcome


def _price_points(before: Sequence[OfferRow], after: Sequence[OfferRow]) -> Iterator[PricePoint]:
    """Where the price differs, at every quantity at which one of both changes; equal neighbours told once."""
    if not before or not after:
        return
    first = max(before[0].start, after[0].start)
    last: tuple[Any, ...] | None = None
    for start in sorted({max(row.start, first) for row in (*before, *after)}):
        was, becomes = _row_at(before, start), _row_at(after, start)
        if was.unit_price is None or becomes.unit_price is None:
            continue
        told = was.unit_price, was.per, becomes.unit_price, becomes.per
        if was.unit_price * becomes.per != becomes.unit_price * was.per and told != last:
            yield PricePoint(start, *told)
        last = told


def _row_at(rows: Sequence[OfferRow], start: int) -> OfferRow:
    return next(row for row in reversed(rows) if row.start <= start)


def _fees(before: Offer, after: Offer, live: Ruleset, draft: Ruleset) -> Iterator[Change]:
    """Fees of the line or the product itself; what an order pays once is a term."""
    was, becomes = _fees_by_code(before, live), _fees_by_code(after, draft)
    for code in sorted(was.keys() | becomes.keys()):
        if was.get(code) != becomes.get(code):
            rule = next((one for ruleset in (draft, live) for one in ruleset.rules if one.code == code), None)
            yield Change(
                "fee",
                (before.sku,),
                (code,),
                was.get(code),
                becomes.get(code),
                name=_label(rule),
            )


def _label(rule: Rule | None) -> Texts | None:
    """What the fee is called on an order."""
    if rule is None:
        return None
    if isinstance(rule.effect, SurchargeEffect):
        return rule.effect.label or rule.name
    labels = (one.label for one in rule.effect.below) if isinstance(rule.effect, QuantityEffect) else ()
    return next((label for label in labels if label), rule.name)


def _fees_by_code(one: Offer, ruleset: Ruleset) -> dict[str, tuple[Fee, ...]]:
    own = {rule.code for rule in ruleset.rules if _is_of_one_product(rule)}
    found: dict[str, list[Fee]] = {}
    for row in one.rows:
        for code, amount in row.charges:
            if code not in own:
                continue
            fees = found.setdefault(code, [])
            if fees and fees[-1][2] == amount and fees[-1][1] == row.start - 1:
                fees[-1] = fees[-1][0], row.end, amount
            else:
                fees.append((row.start, row.end, amount))
    return {code: tuple(fees) for code, fees in found.items()}


def _is_of_one_product(rule: Rule) -> bool:
    effect = rule.effect
    if isinstance(effect, QuantityEffect):
        return effect.counts in ("line", "product")
    return isinstance(effect, SurchargeEffect) and effect.per in ("line", "product")


def _grouped(changes: Iterable[Change]) -> list[Change]:
    """Products to which the same happens as one change, in the order of kinds, the larger groups first."""
    found: dict[Any, Change] = {}
    for one in changes:
        what = one.percent if one.kind == "price" and one.percent is not None else (one.prices or None)
        key = one.kind, one.codes, one.before, one.after, what
        known = found.get(key)
        found[key] = (
            one
            if known is None
            else replace(known, skus=known.skus + one.skus, prices=known.prices + one.prices)
        )
    order = ("offered", *_FIELDS, "first", "price", "fee")
    return sorted(found.values(), key=lambda one: (order.index(one.kind), -len(one.skus), one.skus))


def _customer_facts(rulesets: Iterable[Ruleset]) -> tuple[str, ...]:
    """The facts by which some rule tells customers apart, but the code."""
    rules = [rule for ruleset in rulesets for rule in ruleset.rules]
    named = {fact for rule in rules for fact in when_facts(rule.when) if fact.startswith("customer.")}
    named |= {"customer.region"} if any(rule.scope for rule in rules) else set()
    named |= {"customer.group"} if any(_has_table(rule) for rule in rules) else set()
    return (
        *sorted(fact.removeprefix("customer.") for fact in named - {"customer.code", "customer.known"}),
        "known",
    )


def _has_table(rule: Rule) -> bool:
    return isinstance(rule.effect, PriceEffect) and rule.effect.table is not None


def _customers_named(rulesets: Iterable[Ruleset]) -> frozenset[str] | None:
    """The customers that some rule knows by code; None when a rule looks at codes in a way that may concern all."""
    named: set[str] = set()
    for ruleset in rulesets:
        for rule in ruleset.rules:
            if rule.scope is not None:
                if rule.scope.percent is not None:
                    return None
                named.update(rule.scope.customers)
            for entry in rule.when:
                lines = (
                    (entry,)
                    if isinstance(entry, WhenLine)
                    else (line for table in entry.tables for line in table)
                )
                for condition in (
                    one for line in lines if line.fact == "customer.code" for one in line.conditions
                ):
                    if condition.op not in ("eq", "one_of"):
                        return None
                    named.update(
                        condition.value if isinstance(condition.value, tuple) else (condition.value,)
                    )
            if isinstance(rule.effect, PriceEffect) and rule.effect.table is not None:
                named.update(key[0] for key in rule.effect.table.rows if key[0] is not None)
        named.update(one.customer for one in ruleset.exceptions if one.customer is not None)
    return frozenset(named)


def price_text(amount: Decimal, per: int) -> str:
    """78 or 7800/100."""
    return plain(amount) if per == 1 else f"{plain(amount)}/{per}"
