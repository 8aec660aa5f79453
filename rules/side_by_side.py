"""One past order after another under two rule sets. What both have in common is evaluated once.

A test compares every sum with that of two full evaluations; the short ways change the time and nothing else.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal

from rules.comparison import Comparison, Judged, Pair, RefusedOrder, RulePair, RuleSums
from rules.compiled import CompiledRule
from rules.decision import OUTCOMES
from rules.differences import rule_differences, same_ties
from rules.errors import CartError, TieError
from rules.evaluate import check_cart, to_subtotal, to_subtotal_at_prices
from rules.evaluation import Evaluation
from rules.facts import Cart
from rules.in_force import RulesInForce, rules_in_force
from rules.methods import offer_methods
from rules.money import to_minor
from rules.orders import judge_credit
from rules.past_order import PastOrder
from rules.ruleset import Ruleset
from rules.taxes import chosen_methods, tax_lines


class SideBySide:
    """A comparison that grows order by order. ValueError when the currencies differ."""

    def __init__(self, live: Ruleset, draft: Ruleset) -> None:
        if live.policy.currency != draft.policy.currency:
            raise ValueError(f"the currencies differ: {live.policy.currency} and {draft.policy.currency}")
        states = rule_differences(live, draft)
        names = {rule.code: rule.name for ruleset in (live, draft) for rule in ruleset.rules}
        self.found = Comparison(live.hash, draft.hash, live.policy.currency, names=names, states=states)
        self._live, self._draft = _without_trials(live), _without_trials(draft)
        may_share = live.policy == draft.policy and same_ties(live, draft)
        self._same_prices = may_share and not any(code[:2] in ("CA", "PR") for code in states)
        self._changes = [_Changes(one, states) for one in (self._live, self._draft)] if may_share else None

    def add(self, order: PastOrder) -> None:
        """Count one order; one that a side cannot evaluate is told among the faults and counted nowhere else."""
        found = self.found
        live = _decide(self._live, order)
        draft = self._decide_draft(order, live)
        for side, decided in (("live", live), ("draft", draft)):
            for reason in () if isinstance(decided, Evaluation) else decided:
                found.fault(side, reason, order.number)
        if isinstance(live, Evaluation) and isinstance(draft, Evaluation):
            self._count(order, live, draft)

    def _decide_draft(self, order: PastOrder, live: Evaluation | set[str]) -> Evaluation | set[str]:
        if not isinstance(live, Evaluation) or self._changes is None:
            return _decide(self._draft, order)
        if not any(one.may_match(live) for one in self._changes):
            return live
        return _decide(self._draft, order, live if self._same_prices else None)

    def _count(self, order: PastOrder, live: Evaluation, draft: Evaluation) -> None:
        found, cart = self.found, order.cart
        found.lines += len(cart.lines)
        found.first_on = order.on if found.first_on is None else min(found.first_on, order.on)
        found.last_on = order.on if found.last_on is None else max(found.last_on, order.on)
        cost = _cost(order, found.currency)
        found.unknown_cost += cost is None
        was = _judged(live)
        would = was if draft is live else _judged(draft)
        customer = cart.customer.code or ""
        for pair in (
            found.total,
            found.customers.setdefault(customer, Pair()),
            found.regions.setdefault(_region(cart), Pair()),
            found.months.setdefault(f"{order.on:%Y-%m}", Pair()),
        ):
            pair.add(was, would, cost)
        _count_rules(found.rules, live, was.outcome, "live")
        _count_rules(found.rules, draft, would.outcome, "draft")
        if would.outcome == "block" != was.outcome:
            codes = tuple(sorted({one.code for one in draft.findings if one.outcome == "block"}))
            found.refused.append(RefusedOrder(order.on, order.number, customer, live.goods, codes))


class _Changes:
    """The rules of one side that the other does not have alike; where none can match, both decide the same."""

    def __init__(self, ruleset: Ruleset, codes: Collection[str]) -> None:
        self._ruleset = ruleset
        self._rules = [rule for rule in ruleset.rules if rule.code in codes]
        self._periods: dict[int, RulesInForce] = {}

    def may_match(self, work: Evaluation) -> bool:
        """Whether some of these rules might match a line of this cart; conditions on sums are not looked at."""
        rules = self._in_force(work.on)
        if rules.has_late:
            return True
        out, customer, lines = rules.out_of_scope(work.facts.customer), work.facts.customer, work.lines

        def holds(compiled: CompiledRule) -> bool:
            return compiled.ordinal not in out and all(test(lines[0]) for test in compiled.cart_tests)

        everywhere = [one for one in rules.early.of_customer(customer) if holds(one)]
        if any(not one.line_tests for one in everywhere):
            return True
        return any(
            all(test(line) for test in one.line_tests)
            for line in lines
            for one in (*everywhere, *(one for one in rules.early.of_line(line) if holds(one)))
        )

    def _in_force(self, on: date) -> RulesInForce:
        own = rules_in_force(self._ruleset, on)
        rules = self._periods.get(id(own))
        if rules is None:
            rules = self._periods[id(own)] = RulesInForce(self._ruleset, on, only_rules=self._rules)
        return rules


def _without_trials(ruleset: Ruleset) -> Ruleset:
    """Rules that only watch decide nothing; `beats` reaches through them still."""
    rules = tuple(replace(rule, mode="off") if rule.mode == "shadow" else rule for rule in ruleset.rules)
    return ruleset if rules == ruleset.rules else replace(ruleset, rules=rules, compiled={})


def _decide(ruleset: Ruleset, order: PastOrder, priced: Evaluation | None = None) -> Evaluation | set[str]:
    """What `evaluate` decides, without the parts that no sum needs; or the reasons why there is nothing."""
    cart, on = order.cart, order.on
    try:
        if priced is None:
            check_cart(ruleset, cart, on)
        work = Evaluation(rules_in_force(ruleset, on), cart, on)
        if priced is None:
            to_subtotal(work)
        else:
            to_subtotal_at_prices(work, priced)
        offer_methods(work)
        if cart.customer.credit_left is not None:
            charged = sum(one.amount or 0 for one in chosen_methods(work))
            judge_credit(work, work.subtotal + charged + sum(row.amount for row in tax_lines(work)))
    except CartError as error:
        return {fault.message for fault in error.faults}
    except TieError as error:
        return {str(error)}
    return work


def _judged(work: Evaluation) -> Judged:
    return Judged(
        OUTCOMES[max((_SEVERITY[one.outcome] for one in work.findings), default=0)],
        work.goods,
        sum(charge.surcharge.amount for charge in work.charges),
        sum(discount.amount for discount in work.discounts),
    )


_SEVERITY = {"surcharge": 0} | {outcome: place for place, outcome in enumerate(OUTCOMES)}


def _region(cart: Cart) -> str:
    """Where the goods went as far as is known: a region, else a country, else ""."""
    to, customer = cart.ship_to, cart.customer
    return to.region or customer.region or to.country or customer.country or ""


def _cost(order: PastOrder, currency: str) -> int | None:
    """What the goods cost the shop in minor units; None when one of them has no cost."""
    cost = Decimal(0)
    for line in order.cart.lines:
        if line.product.cost is None:
            return None
        cost += line.product.cost * line.quantity
    return to_minor(cost, currency)


def _count_rules(rules: dict[str, RulePair], work: Evaluation, outcome: str, side: str) -> None:
    """What each rule did to one order."""

    def sums(code: str) -> RuleSums:
        rule = rules.get(code)
        if rule is None:
            rule = rules[code] = RulePair()
        one: RuleSums = getattr(rule, side)
        return one

    is_accepted = outcome != "block"
    priced: dict[str, int] = {}
    for price in work.prices:
        if price.steps and (code := price.steps[-1].code) is not None:
            priced[code] = priced.get(code, 0) + (price.amount or 0)
    touched = set(priced)
    if is_accepted:
        for code, goods in priced.items():
            sums(code).goods += goods
        for charge in work.charges:
            touched.add(charge.surcharge.code)
            one = sums(charge.surcharge.code)
            one.charges += 1
            one.charged += charge.surcharge.amount
        for discount in work.discounts:
            touched.add(discount.code)
            sums(discount.code).discounted += discount.amount
    for code, found in {(one.code, one.outcome) for one in work.findings}:
        if found == "surcharge":
            continue  # counted as a charge
        touched.add(code)
        sums(code).refusals += found == "block"
        sums(code).held += found in ("approval", "quotation")
    for code in touched:
        sums(code).orders += 1
