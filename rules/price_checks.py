"""Checks of what rules make of prices: cliffs, below cost, above list, a later lane dearer than an earlier one.

Evaluates samples, never everything: each rule at its own steps for a few products and customers that stand for the
many (samples.py), each price table in the rows that look suspicious (row_checks.py). Adds warnings only.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import islice
from typing import Any

from rules.catalog import Catalog
from rules.errors import TieError
from rules.facts import MAX_QUANTITY
from rules.meeting import Profile
from rules.money import plain
from rules.price_faults import MOST_TOLD, PriceJudge, Told, told_of
from rules.reading import COUNTED
from rules.report import Report, Source
from rules.row_checks import RowCheck
from rules.ruleset import AnyOf, PriceEffect, QuantityEffect, Rule, Ruleset, SurchargeEffect
from rules.said import say
from rules.samples import Place, Probe

MOST_PLACES = 8  # of one rule; fewer where there are many rules
ALL_PLACES = 2_500  # of all rules together
ALL_ROWS = 1_500  # evaluated of all price tables together
ALL_TOLD = 300  # findings; the others keep their room
MOST_WATCHING = 10  # shadow rules; each is tried as if it alone were live
LEAST = 2  # places of a rule and rows of a table, however many there are
ALL_EVALUATIONS = 25_000  # of all rules together, shared out evenly; a second or two


def check_prices(report: Report, ruleset: Ruleset, catalog: Catalog, today: date | None) -> None:
    """Adds the warnings price-cliff, below-cost, above-list and dearer-lane (rule-semantics 135, 141)."""
    _check_list_prices(report, catalog)
    priced = [rule for rule in ruleset.rules if _is_priced(rule)]
    rules = [rule for rule in priced if rule.mode == "live"]
    watching = [rule for rule in priced if rule.mode == "shadow"]
    if len(watching) > MOST_WATCHING:
        report.skipped.append(say("skipped.watching", count=len(watching) - MOST_WATCHING))
    if rules or watching:
        _Checking(report, PriceJudge(ruleset, catalog, today)).check([*rules, *watching[:MOST_WATCHING]])


def _check_list_prices(report: Report, catalog: Catalog) -> None:
    """Products whose own list price is below their cost, where a file can be named."""
    told = 0
    for product in (catalog.products or {}).values():
        line = catalog.lines.get(("product", product.sku))
        if line is None or product.list_price is None or product.cost is None:
            continue
        if product.list_price < product.cost and told < MOST_TOLD:
            told += 1
            said = say(
                "price.list-below-cost",
                sku=product.sku,
                price=plain(product.list_price),
                cost=plain(product.cost),
            )
            report.add("below-cost", "products.csv", line, said)


def _is_priced(rule: Rule) -> bool:
    """Whether the rule makes prices, or a surcharge that may end."""
    effect = rule.effect
    if isinstance(effect, QuantityEffect):
        return any(entry.outcome == "surcharge" for entry in effect.below)
    if isinstance(effect, SurchargeEffect):
        return effect.per != "order" and bool(list(_named(rule)))
    return isinstance(effect, PriceEffect)


class _Checking:
    """One pass over the rules."""

    def __init__(self, report: Report, judge: PriceJudge) -> None:
        self.report, self.judge, self.live = report, judge, judge
        self.most_places = MOST_PLACES
        self.cut_short: set[str] = set()
        self.limit = 0  # of evaluations, when this rule is done

    def check(self, rules: Sequence[Rule]) -> None:
        tables = sum(isinstance(rule.effect, PriceEffect) and rule.effect.table is not None for rule in rules)
        self.most_places = min(MOST_PLACES, max(LEAST, ALL_PLACES // len(rules)))
        most_rows = max(LEAST, ALL_ROWS // max(1, tables))
        left_out, before = 0, self.report.warnings
        for place, rule in enumerate(rules):
            remaining = ALL_EVALUATIONS - self.judge.made.done
            self.limit = self.judge.made.done + max(LEAST, remaining // (len(rules) - place))
            self.judge = self.live.as_if_live(rule) if rule.mode == "shadow" else self.live
            on = self.judge.day_of(rule)
            if on is None:
                left_out += rule.until_on is None or rule.until_on >= self.judge.today
            elif isinstance(rule.effect, PriceEffect) and rule.effect.table is not None:
                RowCheck(self.report, self.judge, rule, rule.effect.table, on, most_rows).check()
            else:
                self._check_rule(rule, on)
            if self.report.warnings - before >= ALL_TOLD:
                self.report.skipped.append(say("skipped.prices-full", code=rule.code))
                break
        if self.cut_short:
            self.report.skipped.append(say("skipped.steps", count=len(self.cut_short)))
        if left_out:
            self.report.skipped.append(say("skipped.days", count=left_out))

    def _check_rule(self, rule: Rule, on: date) -> None:
        source = Source(self.report, rule.path, rule.lines, rule.code)
        worst: dict[tuple[str, str], Told] = {}  # check and key path
        for place in self.judge.samples.places(Profile.of(rule), self.judge.ruleset, self.most_places):
            try:
                self._check_place(rule, place, on, worst)
            except TieError:
                continue  # met only here; ties are told by their own check, or by the cart that meets one
        for (check, path), told in islice(worst.items(), MOST_TOLD):
            source.problem(check, path, told_of(rule, told.said), say("hint.accept", check=check))

    def _check_place(self, rule: Rule, place: Place, on: date, worst: dict[tuple[str, str], Told]) -> None:
        probe = self.judge.probe(place, on)
        first = probe.up(1) if probe else None
        if probe is None or first is None:
            return
        quantities = [first]
        is_graduated = isinstance(rule.effect, PriceEffect) and rule.effect.tiers == "graduated"
        for start, path in _steps(rule, probe, first):
            if self.judge.made.done >= self.limit:
                self.cut_short.add(rule.code)
                break
            after = probe.up(start)
            if after is None:
                continue
            quantities.append(after)
            if not is_graduated and (told := self.judge.cliff(rule, probe, after)) is not None:
                _keep(worst, ("price-cliff", path), told)
        if rule.group == "PR":
            for quantity in quantities:
                for check, told in self.judge.judged(rule, probe, quantity):
                    _keep(worst, (check, "price"), told)


def _keep(worst: dict[tuple[str, str], Told], key: tuple[str, str], told: Told) -> None:
    if key not in worst or told.weight > worst[key].weight:
        worst[key] = told


def _steps(rule: Rule, probe: Probe, first: int) -> Iterator[tuple[int, str]]:
    """Quantities at which the rule's price or charge begins or ends, with the key that says so."""
    effect = rule.effect
    if isinstance(effect, PriceEffect):
        starts = [one.get("from") for one in rule.raw.get("breaks", ())]
        for entry in effect.breaks:
            yield (
                entry.start,
                f"price.breaks.{starts.index(entry.start) if entry.start in starts else 0}.from",
            )
    if isinstance(effect, QuantityEffect):
        for place, charged in enumerate(effect.below):
            end = effect.below[place - 1].at_least if place else effect.minimum
            if charged.outcome == "surcharge" and end is not None:
                yield int(end), f"quantity.below.{place - 1}.at_least" if place else "quantity.minimum"
    for fact, number in _named(rule):
        path = f"when.{fact}"
        if fact.endswith(".quantity"):
            yield int(number), path
            yield int(number) + 1, path
        elif (unit := probe.price(first).unit) is not None and unit > 0:
            reached = Decimal(number) * probe.price(first).per / unit
            if reached < MAX_QUANTITY:
                yield int(reached.to_integral_value(ROUND_CEILING)), path
                yield int(reached) + 1, path


def _named(rule: Rule) -> Iterator[tuple[str, Any]]:
    """Numbers that the conditions compare with this line's own quantity or amount."""
    for one in rule.when:
        for entry in (line for table in one.tables for line in table) if isinstance(one, AnyOf) else (one,):
            if entry.fact not in COUNTED or not entry.fact.endswith((".quantity", ".amount")):
                continue
            for condition in entry.conditions:
                values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
                for value in values:
                    if not isinstance(value, bool) and 1 <= value <= MAX_QUANTITY:
                        yield entry.fact, value
