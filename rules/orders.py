"""Order minimum and maximum, lead-time tiers, and at the very end the credit limit.

Rule-semantics 25, 45 and 97 to 101. Everything here compares with goods, never with surcharges or tax.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule
from rules.decision import Surcharge, Tier
from rules.evaluation import Charge, Evaluation, Finding
from rules.explain import credit_message, order_message, tier_message
from rules.money import amount_text, percent_of
from rules.quantities import below_amount, below_entry, below_surcharge, severity
from rules.ranking import most_specific
from rules.ruleset import OrderEffect, RuleException

Decider = tuple[CompiledRule, Any, RuleException | None]


def deciding(work: Evaluation, group: str, field: str, says: Callable[[Any], Any]) -> Decider | None:
    """The most specific rule of an order-level group that has `field`; a rule applies when any line matches."""
    entries: list[Decider] = []
    for compiled, lines in work.matched(group).values():
        effect, exception = work.order_effect(compiled, lines)
        if getattr(effect, field) is not None:
            entries.append((compiled, effect, exception))
    if not entries:
        return None
    winner = most_specific(
        entries,
        lambda one: one[0].rank,
        lambda one: one[0].rule,
        lambda one: says(one[1]),
        work.rules.beats,
        "order",
    )
    work.won(f"{group}.{field}", None, winner[0].code)
    work.use(winner[2])
    return winner


def judge_order(work: Evaluation) -> None:
    """Minimum and maximum of the goods; both limits themselves are allowed (rule-semantics 98)."""
    found: dict[str, list[tuple[str, Finding]]] = {}
    minimum = deciding(work, "OR", "minimum", lambda effect: (effect.minimum, effect.below))
    if minimum is not None:
        compiled, effect, exception = minimum
        need = work.minor(effect.minimum)
        if work.goods < need:
            entry = below_entry(effect.below, work.major(work.goods))
            if entry.outcome == "surcharge":
                _charge_below(work, compiled, effect, exception)
            finding = _finding(work, compiled, exception, "minimum", entry.outcome, need)
            found.setdefault(compiled.code, []).append(("minimum", finding))
    maximum = deciding(work, "OR", "maximum", lambda effect: (effect.maximum, effect.above))
    if maximum is not None:
        compiled, effect, exception = maximum
        need = work.minor(effect.maximum)
        if work.goods > need:
            finding = _finding(work, compiled, exception, "maximum", effect.above, need)
            found.setdefault(compiled.code, []).append(("maximum", finding))
    for findings in found.values():
        work.findings.append(max(findings, key=lambda one: severity(one[1].outcome))[1])


def _finding(
    work: Evaluation,
    compiled: CompiledRule,
    exception: RuleException | None,
    field: str,
    outcome: str,
    need: int,
) -> Finding:
    rule = compiled.rule
    have_text, need_text = amount_text(work.goods, work.currency), amount_text(need, work.currency)
    reason = work.fill(rule.because, None, compiled) if rule.because else None
    return Finding(
        rule.code,
        outcome,
        (),
        order_message(field, have_text, need_text, work.currency, outcome, reason),
        have_text,
        need_text,
        work.use(exception),
        field,
    )


def _charge_below(
    work: Evaluation, compiled: CompiledRule, effect: OrderEffect, exception: RuleException | None
) -> None:
    entry = below_entry(effect.below, work.major(work.goods))
    missing = (effect.minimum or Decimal(0)) - work.major(work.goods)
    amount = below_amount(work, entry, work.goods, missing)
    if amount:
        places = tuple(range(len(work.lines)))
        work.charges.append(
            Charge(below_surcharge(work, compiled, entry, amount, places, exception), places, of_order=True)
        )


def choose_lead_time(work: Evaluation) -> None:
    """List the winning rule's tiers; the chosen one's percent of goods is a surcharge line (rule-semantics 101)."""
    winner = deciding(work, "LT", "tiers", lambda effect: effect)
    chosen = work.cart.lead_time
    if winner is None:
        return
    compiled, effect, exception = winner
    pieces = work.facts.quantity()
    tiers = []
    for tier in effect.tiers:
        is_offered = tier.max_quantity is None or pieces <= tier.max_quantity
        amount = work.minor(percent_of(work.major(work.goods), tier.percent))
        tiers.append(
            Tier(
                tier.code,
                tier.days,
                tier.percent,
                is_offered,
                amount,
                compiled.code,
                tier.cutoff,
                tier.max_quantity,
                tier.per_day,
                tier.code == chosen,
                work.fill(tier.label, None, compiled) if tier.label else None,
            )
        )
        if tier.code == chosen and is_offered and amount:
            _charge_tier(work, compiled, tier.label, amount, exception)
    work.tiers = tuple(tiers)
    if chosen is not None and not any(tier.chosen and tier.offered for tier in tiers):
        known = next((tier for tier in tiers if tier.chosen), None)
        work.findings.append(
            Finding(
                compiled.code,
                "block",
                (),
                tier_message(chosen, known),
                None,
                None,
                work.use(exception),
                "tier",
            )
        )


def _charge_tier(
    work: Evaluation, compiled: CompiledRule, label: Any, amount: int, exception: RuleException | None
) -> None:
    surcharge = Surcharge(
        compiled.code,
        work.fill(label or compiled.rule.name, None, compiled),
        amount,
        work.policy.tax_default,
        tuple(line.line.id for line in work.lines),
        work.use(exception),
        work.fill(compiled.rule.because, None, compiled) if compiled.rule.because else None,
    )
    work.charges.append(Charge(surcharge, tuple(range(len(work.lines)))))


def judge_credit(work: Evaluation, total: int) -> None:
    """Checked last: the total with tax and shipping against what is left of the credit (rule-semantics 100)."""
    left = work.facts.customer.credit_left
    winner = deciding(work, "OR", "credit", lambda effect: effect.credit)
    if winner is None or left is None or work.major(total) <= left:
        return
    compiled, effect, exception = winner
    have, need = amount_text(total, work.currency), amount_text(work.minor(left), work.currency)
    reason = work.fill(compiled.rule.because, None, compiled) if compiled.rule.because else None
    message = credit_message(have, need, work.currency, effect.credit, reason)
    work.findings.append(
        Finding(compiled.code, effect.credit, (), message, have, need, work.use(exception), "credit")
    )
