"""The rules of one period: those in force between two dates on which something begins or ends, compiled and filed.

Also who a rule is switched on for. Knows no cart.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from rules.compiled import CompiledRule
from rules.facts import Customer
from rules.index import Index
from rules.ranking import beaten_by
from rules.ruleset import Rule, RuleException, Ruleset, Scope


class RulesInForce:
    """The live rules of one period, compiled and filed by their most telling condition.

    Between two dates on which a rule or exception begins or ends nothing changes, so one such object serves them all.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        on: date,
        extra: str | None = None,
        only_rules: Sequence[Rule] | None = None,
        compiled_before: Iterable[CompiledRule] = (),
    ):
        # Not the rule set itself: it keeps this object, and a circle would keep both and every network until
        # the next full garbage collection.
        self.policy = ruleset.policy
        self.all_rules = ruleset.rules
        self.on = on
        rules = ruleset.rules if only_rules is None else only_rules
        there = [rule for rule in rules if rule.group != "FU" and rule.is_in_force(on)]
        live = [rule for rule in there if rule.mode == "live" or rule.code == extra]
        self.shadow = [rule for rule in there if rule.mode == "shadow"]
        exceptions: dict[str, list[RuleException]] = {}
        for exception in ruleset.exceptions:
            if exception.is_in_force(on):
                exceptions.setdefault(exception.rule, []).append(exception)
        ready = {one.code: one for one in compiled_before}
        self.rules = [
            ready[rule.code].at(ordinal)
            if rule.code in ready
            else CompiledRule(rule, ordinal, tuple(exceptions.get(rule.code, ())))
            for ordinal, rule in enumerate(live)
        ]
        self.beats = beaten_by(ruleset.rules)  # in any mode: `beats` reaches through them
        self.scoped = [compiled for compiled in self.rules if compiled.rule.scope is not None]
        self.has_shared = any(compiled.shared for compiled in self.rules if not compiled.is_late)
        self.judges_by_line = all(
            effect.counts == "line"
            for compiled in self.rules
            if compiled.group == "QT"
            for effect in (compiled.effect, *(one.effect for one in compiled.exceptions))
        )
        self.counted_quantities = Index(one for one in self.rules if one.group == "QT" and one.counted)
        self.has_late = any(compiled.is_late for compiled in self.rules)
        self.has_prices_across = any(
            compiled.group == "PR" and (compiled.effect.counts != "line" or compiled.exceptions)
            for compiled in self.rules
        )
        self.early = Index(compiled for compiled in self.rules if not compiled.is_late)
        self.late = Index(compiled for compiled in self.rules if compiled.is_late)
        self.networks: dict[Any, Any] = {}  # what another matcher builds from these rules

    def out_of_scope(self, customer: Customer) -> frozenset[int]:
        """Ordinals of rules that do not exist for this customer (rule-semantics 33 to 36)."""
        if not self.scoped:
            return frozenset()
        return frozenset(
            one.ordinal for one in self.scoped if one.rule.scope and not is_in_scope(one.rule.scope, customer)
        )


def is_in_scope(scope: Scope, customer: Customer) -> bool:
    """Named customers are in; others when the regions and the percentage that are given hold."""
    if customer.code is not None and customer.code in scope.customers:
        return True
    if scope.regions is None and scope.percent is None:
        return False
    if scope.regions is not None and (customer.region is None or customer.region not in scope.regions):
        return False
    if scope.percent is None:
        return True
    if customer.code is None:
        return False
    share = int.from_bytes(sha256(customer.code.encode()).digest()[:8], "big") % 10000
    return share < scope.percent * 100


def rules_in_force(ruleset: Ruleset, on: date, extra: str | None = None) -> RulesInForce:
    """The compiled rules of that date; `extra` is a shadow rule to take as live."""
    borders = ruleset.compiled.get("borders")
    if borders is None:
        dated: list[Rule | RuleException] = [*ruleset.rules, *ruleset.exceptions]
        starts = {one.from_on for one in dated if one.from_on is not None}
        ends = {
            one.until_on + timedelta(days=1)
            for one in dated
            if one.until_on is not None and one.until_on < date.max
        }
        borders = ruleset.compiled["borders"] = sorted(starts | ends)
    key = (bisect_right(borders, on), extra)
    compiled = ruleset.compiled.get(key)
    if compiled is None:
        # A shadow rule joins the others of its period, which need not be compiled again.
        before = () if extra is None else rules_in_force(ruleset, on).rules
        compiled = ruleset.compiled[key] = RulesInForce(ruleset, on, extra, compiled_before=before)
    found: RulesInForce = compiled
    return found
