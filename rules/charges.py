"""Surcharges and the order discount: what is added to and taken off the goods, each a line of its own.

Rule-semantics 89 to 96 and 138.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule
from rules.decision import Discount, Surcharge
from rules.evaluation import Charge, Evaluation
from rules.money import EXACT, percent_of, share
from rules.reading import LineFacts
from rules.ruleset import DiscountEffect, RuleException, SurchargeEffect


def charge_surcharges(work: Evaluation) -> None:
    """Every surcharge rule, once per group of the lines it matches; they add up."""
    for compiled, lines in work.matched("SC").values():
        groups: dict[Any, tuple[SurchargeEffect, RuleException | None, list[LineFacts]]] = {}
        for line in lines:
            effect, exception = work.effect(compiled, line)
            key = (id(exception) if exception else None, work.group_of(effect.per, line))
            groups.setdefault(key, (effect, exception, []))[2].append(line)
            work.won("surcharge", line.place, compiled.code)
        for effect, exception, members in groups.values():
            work.use(exception)
            base = _whole_order(work, compiled, exception) if effect.per == "order" else members
            _charge(work, compiled, effect, exception, base)


def _whole_order(
    work: Evaluation, compiled: CompiledRule, exception: RuleException | None
) -> list[LineFacts]:
    """`order` takes the whole order as its base; lines under another exception are never charged with it."""
    return [line for line in work.lines if work.effect(compiled, line)[1] is exception]


def _charge(
    work: Evaluation,
    compiled: CompiledRule,
    effect: SurchargeEffect,
    exception: RuleException | None,
    base: Sequence[LineFacts],
) -> None:
    amount = work.minor(_bounded(_exact(work, effect, base), effect))
    if not amount:
        return  # a charge that comes to 0 is not listed (rule-semantics 95)
    places = tuple(line.place for line in base)
    rule = compiled.rule
    surcharge = Surcharge(
        rule.code,
        work.fill(effect.label or rule.name, base[0], compiled),
        amount,
        effect.tax or work.policy.tax_default,
        tuple(line.line.id for line in base),
        work.use(exception),
        work.fill(rule.because, base[0], compiled) if rule.because else None,
    )
    work.charges.append(Charge(surcharge, places))


def _exact(work: Evaluation, effect: SurchargeEffect, base: Sequence[LineFacts]) -> Decimal:
    if effect.kind == "amount":
        return effect.value
    if effect.kind == "percent":
        goods = sum(work.prices[line.place].amount or 0 for line in base)
        return percent_of(work.major(goods), effect.value)
    quantity = sum(line.quantity for line in base)
    if effect.kind == "per_unit":
        return EXACT.multiply(effect.value, Decimal(quantity))
    return EXACT.multiply(effect.value, Decimal(-(-quantity // (effect.lot or 1))))  # every started lot


def _bounded(amount: Decimal, effect: SurchargeEffect | DiscountEffect) -> Decimal:
    """at_least and at_most bound each single charge before it is rounded (rule-semantics 93)."""
    at_least = getattr(effect, "at_least", None)
    if at_least is not None:
        amount = max(amount, at_least)
    return amount if effect.at_most is None else min(amount, effect.at_most)


def _discounted(
    work: Evaluation,
) -> Iterator[tuple[CompiledRule, DiscountEffect, RuleException | None, list[LineFacts]]]:
    """Each discount that matches with its lines; lines under different exceptions are never counted together."""
    for compiled, matched in work.matched("DC").values():
        seen: list[RuleException | None] = []
        for line in matched:
            effect, exception = work.effect(compiled, line)
            if any(exception is one for one in seen):
                continue
            seen.append(exception)
            lines = work.lines if effect.per == "order" else matched
            yield (
                compiled,
                effect,
                exception,
                [one for one in lines if work.effect(compiled, one)[1] is exception],
            )


def apply_discount(work: Evaluation) -> None:
    """Of all discounts that match, the one that takes most off; equal: the smaller code. Never two."""
    best: tuple[int, CompiledRule, DiscountEffect, RuleException | None, list[LineFacts]] | None = None
    for compiled, effect, exception, lines in _discounted(work):
        base = sum(work.prices[line.place].amount or 0 for line in lines)
        exact = effect.value if effect.kind == "amount" else percent_of(work.major(base), effect.value)
        amount = min(work.minor(_bounded(exact, effect)), base)
        if amount > 0 and (best is None or amount > best[0]):
            best = amount, compiled, effect, exception, lines
    work.discount_parts = [0] * len(work.lines)
    if best is None:
        return
    amount, compiled, effect, exception, lines = best
    weights = [work.prices[line.place].amount or 0 for line in lines]
    parts = share(amount, weights, [line.line.id for line in lines])
    by_tax: dict[str, int] = {}
    for line, part in zip(lines, parts, strict=True):
        work.discount_parts[line.place] = part
        category = line.product.tax or work.policy.tax_default
        by_tax[category] = by_tax.get(category, 0) + part
        work.won("discount", line.place, compiled.code)
    work.use(exception)
    work.discounts.append(
        Discount(
            compiled.code,
            work.fill(effect.label or compiled.rule.name, lines[0], compiled),
            amount,
            tuple(line.line.id for line in lines),
            tuple(sorted((category, part) for category, part in by_tax.items() if part)),
            work.fill(compiled.rule.because, lines[0], compiled) if compiled.rule.because else None,
        )
    )
