"""What can be wrong with a price: a cliff, below cost, above list, dearer than an earlier lane; each in one sentence.

Judges one product of one customer at one quantity. Which of them are looked at is price_checks.py and row_checks.py.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rules.cases import latest_start
from rules.catalog import Catalog
from rules.facts import Customer
from rules.in_force import RulesInForce, rules_in_force
from rules.money import amount_text, plain
from rules.names import LANE_NAMES
from rules.ruleset import Rule, Ruleset, SurchargeEffect
from rules.said import Said, Sentence, say
from rules.samples import Place, Probe, Samples, Work

MOST_DAYS = 12  # on which rules are compiled
MOST_TOLD = 20  # findings of one check and rule


@dataclass(slots=True)
class Told:
    """One fault of a price; `weight` says how bad it is, to tell the worst."""

    weight: Fraction
    said: Said


class PriceJudge:
    """Judges prices of one rule set on the days nearest to today."""

    def __init__(self, ruleset: Ruleset, catalog: Catalog, today: date | None) -> None:
        self.ruleset = ruleset
        self.watching: str | None = None  # a shadow rule that is taken as live
        self.samples = Samples(catalog)
        self.today = today or latest_start(ruleset)
        self.currency = ruleset.policy.currency
        self.not_of_line = frozenset(
            rule.code
            for rule in ruleset.rules
            if rule.group == "OR" or (isinstance(rule.effect, SurchargeEffect) and rule.effect.per == "order")
        )
        self.days: dict[date, RulesInForce] = {}
        self.probes: dict[Any, Probe] = {}
        self.made = Work()
        self.cliffs: set[Any] = set()  # each is told at the first rule that makes it
        self.told: set[tuple[str, str, int]] = set()  # check, file and line of rows

    def as_if_live(self, rule: Rule) -> "PriceJudge":
        """The judge of a rule that only watches, with that rule in force; what was told is not told again."""
        judge = copy(self)
        judge.watching = rule.code
        judge.days, judge.probes, judge.cliffs = {}, {}, set(self.cliffs)
        return judge

    def day_of(self, rule: Rule) -> date | None:
        """The day nearest to today on which the rule is in force; None when it has ended, or the days are too many."""
        on = max(self.today, rule.from_on or date.min)
        if rule.until_on is not None and rule.until_on < on:
            return None
        if on not in self.days:
            if len(self.days) >= MOST_DAYS:
                return None
            self.days[on] = rules_in_force(self.ruleset, on, self.watching)
        return on

    def probe(self, place: Place, on: date) -> Probe | None:
        """The place asked on that day; None when it shows no price, cannot be bought, or rules tie there."""
        product, customer, _ = place
        key = (id(product), id(customer), on)
        if key not in self.probes:
            self.probes[key] = Probe(self.days[on], place, on, self.not_of_line, self.made)
        found = self.probes[key]
        return found if found.is_sold() else None

    def cliff(self, rule: Rule, probe: Probe, after: int) -> Told | None:
        """What to say when a larger quantity costs less in total, and this rule has a part in it."""
        before = probe.down(after - 1)
        if before is None:
            return None
        high, low = probe.total(before), probe.total(after)
        if high is None or low is None or low >= high or not self.has_part(rule, probe, before, after):
            return None
        product, customer, _ = probe.place
        key = (product.sku, product.list_price, customer.code, customer.group, customer.known, before, after)
        if key in self.cliffs:
            return None
        self.cliffs.add(key)
        said = say(
            "price.cliff",
            after=_pieces(after),
            sku=product.sku,
            customer=_name(customer),
            low=amount_text(low, self.currency),
            before=_pieces(before),
            high=amount_text(high, self.currency),
        )
        return Told(Fraction(high - low, high), said)

    def has_part(self, rule: Rule, probe: Probe, before: int, after: int) -> bool:
        """Whether the rule's charge ends in between, or the piece gets cheaper where its price begins or ends."""
        if rule.group != "PR":
            return probe.charge(before, rule.code) > probe.charge(after, rule.code)
        was, now = probe.price(before), probe.price(after)
        named = [[step for step in probe.steps(one) if step.code == rule.code] for one in (before, after)]
        if was.unit is None or now.unit is None or named[0] == named[1]:
            return False
        return Fraction(now.unit) / now.per < Fraction(was.unit) / was.per

    def judged(self, rule: Rule, probe: Probe, quantity: int) -> Iterator[tuple[str, Told]]:
        """What is wrong with the price of one quantity, where this rule is the one to blame."""
        price = probe.price(quantity)
        steps = price.steps
        at = next((place for place, step in enumerate(steps) if step.code == rule.code), None)
        if at is None or price.unit is None:
            return
        product, customer, is_known = probe.place
        each = [Fraction(step.unit_price) / step.per for step in steps]
        unit = _priced(price.unit, price.per)
        who = say("price.who", pieces=_pieces(quantity), sku=product.sku, customer=_name(customer))
        if is_known and product.cost is not None:
            cost = Fraction(product.cost)
            if _is_first(each, steps, at, lambda one: one < cost):
                said = say("price.below-cost", who=who, unit=unit, cost=plain(product.cost))
                yield "below-cost", Told(1 - each[-1] / cost, said)
        if price.list_price is None or steps[at].lane == "list":
            return
        list_per = next((step.per for step in reversed(steps) if step.lane == "list"), 1)
        listed = Fraction(price.list_price) / list_per
        if listed and is_known and _is_first(each, steps, at, lambda one: one > listed):
            said = say("price.above-list", who=who, unit=unit, listed=_priced(price.list_price, list_per))
            yield "above-list", Told(each[-1] / listed, said)
        elif at and steps[at - 1].lane != "list" and each[at] > each[at - 1] and each[at] <= listed:
            before = steps[at - 1]
            said = say(
                "price.dearer-lane",
                who=who,
                unit=_priced(steps[at].unit_price, steps[at].per),
                lane=LANE_NAMES[steps[at].lane],
                before=_priced(before.unit_price, before.per),
                earlier=LANE_NAMES[before.lane],
                code=before.code,
            )
            yield "dearer-lane", Told(each[at] - each[at - 1], said)


def told_of(rule: Rule, said: Said) -> Said:
    """A sentence about a rule that only watches says so."""
    return say("price.if-live", code=rule.code, said=said) if rule.mode == "shadow" else said


def _is_first(each: Sequence[Fraction], steps: Sequence[Any], at: int, is_wrong: Any) -> bool:
    """Whether the final price is wrong and this is the first rule from which on every step was."""
    if not all(is_wrong(one) for one in each[at:]):
        return False
    earlier = at - 1
    return earlier < 0 or steps[earlier].code is None or not is_wrong(each[earlier])


def _priced(unit: Decimal, per: int) -> Sentence:
    return plain(unit) if per == 1 else say("price.per", unit=plain(unit), per=per)


def _pieces(quantity: int) -> Said:
    return say("pieces.one") if quantity == 1 else say("pieces.many", quantity=quantity)


def _name(customer: Customer) -> Said:
    if customer.code is not None:
        return say("who.code", code=customer.code)
    if customer.group:
        return say("who.group", group=customer.group)
    return say("who.any") if customer.known else say("who.visitor")
