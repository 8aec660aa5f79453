"""The quantity stage: minimum, multiple, maximum and allowed quantities, each field from its most specific rule.

Rule-semantics 44 and 70 to 82. What would mend a finding is fixes.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule
from rules.decision import OUTCOMES, Surcharge
from rules.evaluation import Charge, Evaluation, Finding
from rules.explain import quantity_message
from rules.money import EXACT, percent_of
from rules.ranking import most_specific
from rules.reading import LineFacts
from rules.ruleset import Below, QuantityEffect, RuleException

FIELDS = ("minimum", "maximum", "multiple", "allowed")
_BLOCK = Below("block")


@dataclass(slots=True)
class Decided:
    """One field of one line, from the rule that decides it."""

    field: str
    compiled: CompiledRule
    effect: QuantityEffect
    exception: RuleException | None


@dataclass(slots=True)
class Missed:
    """What a counted quantity misses: the outcome, the number in the rule, and for `below` the entry that holds."""

    field: str
    outcome: str
    need: int
    below: Below | None = None


SAYS: dict[str, Callable[[QuantityEffect], Any]] = {
    "minimum": lambda effect: (effect.minimum, effect.below, effect.counts),
    "maximum": lambda effect: (effect.maximum, effect.above, effect.counts),
    "multiple": lambda effect: (
        effect.multiple, effect.multiple_from, effect.off_multiple, effect.counts,
        effect.minimum if effect.multiple_from == "minimum" else None,
    ),
    "allowed": lambda effect: (effect.allowed, effect.off_multiple, effect.counts),
}  # fmt: skip


def decided_fields(work: Evaluation, line: LineFacts, rules: list[CompiledRule]) -> list[Decided]:
    """Who decides each field on this line; a field no rule names is left out."""
    candidates = []
    for compiled in rules:
        if compiled.group == "QT":
            effect, exception = work.effect(compiled, line)
            candidates.append((compiled, effect, exception))
    if not candidates:
        return []
    found = []
    for name in FIELDS:
        entries = [one for one in candidates if getattr(one[1], name) is not None]
        if entries:
            says = SAYS[name]
            compiled, effect, exception = most_specific(
                entries,
                lambda one: one[0].rank,
                lambda one: one[0].rule,
                lambda one, says=says: says(one[1]),  # type: ignore[misc]
                work.rules.beats,
                line.line.id,
            )
            found.append(Decided(name, compiled, effect, exception))
            work.use(exception)
            work.won(f"quantity.{name}", line.place, compiled.code)
    return found


def missed(field: str, effect: QuantityEffect, have: int) -> Missed | None:
    """What the counted quantity `have` misses of one field; None when it is fine."""
    if field == "minimum":
        if effect.minimum is None or have >= effect.minimum:
            return None
        entry = below_entry(effect.below, Decimal(have))
        return Missed(field, entry.outcome, effect.minimum, entry)
    if field == "maximum":
        if effect.maximum is None or have <= effect.maximum:
            return None
        return Missed(field, effect.above, effect.maximum)
    if field == "multiple":
        return _off_multiple(effect, have)
    if not effect.allowed or have in effect.allowed:
        return None
    return Missed(
        field, effect.off_multiple, next((one for one in effect.allowed if one > have), effect.allowed[-1])
    )


def below_entry(entries: tuple[Below, ...], have: Decimal) -> Below:
    """The first entry whose `at_least` is not above what was counted; without one it is block (70, 71)."""
    for entry in entries:
        if entry.at_least is None or entry.at_least <= have:
            return entry
    return _BLOCK


def _off_multiple(effect: QuantityEffect, have: int) -> Missed | None:
    """From zero every quantity is checked; from the minimum nothing is said below it (72, 73)."""
    if effect.multiple is None:
        return None
    start = effect.minimum or 0 if effect.multiple_from == "minimum" else 0
    if have < start or (have - start) % effect.multiple == 0:
        return None
    return Missed("multiple", effect.off_multiple, effect.multiple)


@dataclass(slots=True)
class _Group:
    """The lines one rule (under one exception) counts together, with the fields it decides for each."""

    compiled: CompiledRule
    effect: QuantityEffect
    exception: RuleException | None
    first: LineFacts
    fields: dict[str, list[LineFacts]]


def judge_quantities(work: Evaluation, reuse: Evaluation | None = None, changed: int | None = None) -> None:
    """Findings and charges of every quantity rule.

    With `reuse`, an evaluation that differs in the line `changed` alone: where every rule counts by line, only that
    line is judged and the charges of the others are taken over; where not, who decides them is. Such a changed cart is
    asked for its sums, so nothing is said about it.
    """
    judged = work.lines
    if reuse is not None and changed is not None and work.rules.judges_by_line:
        judged = [work.lines[changed]]
        work.charges += [charge for charge in reuse.quantity_charges if charge.places != (changed,)]
    for group in _groups(work, judged, reuse, changed):
        have = work.counted(group.compiled, group.first, group.effect.counts)
        misses = [
            (miss, lines)
            for name, lines in group.fields.items()
            if (miss := missed(name, group.effect, have)) is not None
        ]
        if not misses:
            continue
        for miss, lines in misses:
            if miss.below is not None and miss.outcome == "surcharge":
                _charge(work, group, miss, lines, have)
        if reuse is None:
            _find(work, group, misses, have)
    work.quantity_charges = list(work.charges)


def _groups(
    work: Evaluation, lines: list[LineFacts], reuse: Evaluation | None, changed: int | None
) -> list[_Group]:
    groups: dict[Any, _Group] = {}
    for line in lines:
        known = None if reuse is None or line.place == changed else reuse.decided.get(line.place)
        if known is None:
            known = decided_fields(work, line, work.early[line.place])
        work.decided[line.place] = known
        for decided in known:
            exception = decided.exception
            counts = decided.effect.counts
            key = (
                decided.compiled.ordinal,
                id(exception) if exception else None,
                work.group_of(counts, line),
            )
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(decided.compiled, decided.effect, exception, line, {})
            group.fields.setdefault(decided.field, []).append(line)
    return list(groups.values())


def severity(outcome: str) -> int:
    """The place of an outcome in ok < warn < approval < quotation < block; a surcharge counts as ok."""
    return 0 if outcome == "surcharge" else OUTCOMES.index(outcome)


def _find(work: Evaluation, group: _Group, misses: list[tuple[Missed, list[LineFacts]]], have: int) -> None:
    """One issue per group: the worst outcome, on equal ones in the order of FIELDS (rule-semantics 77)."""
    worst, lines = max(misses, key=lambda one: (severity(one[0].outcome), -FIELDS.index(one[0].field)))
    rule = group.compiled.rule
    reason = work.fill(rule.because, group.first, group.compiled) if rule.because else None
    work.findings.append(
        Finding(
            rule.code,
            worst.outcome,
            tuple(line.place for line in lines),
            quantity_message(worst.field, group.effect, worst.need, have, worst.outcome, reason),
            str(have),
            str(worst.need),
            work.use(group.exception),
            worst.field,
            is_quantity=True,
        )
    )


def _charge(work: Evaluation, group: _Group, miss: Missed, lines: list[LineFacts], have: int) -> None:
    """A surcharge below the minimum, once per group (rule-semantics 80)."""
    entry = miss.below
    assert entry is not None  # only a `below` entry has the outcome surcharge
    base = sum(work.prices[line.place].amount or 0 for line in lines)
    amount = below_amount(work, entry, base, Decimal(miss.need - have))
    if amount:
        places = tuple(line.place for line in lines)
        work.charges.append(
            Charge(below_surcharge(work, group.compiled, entry, amount, places, group.exception), places)
        )


def below_amount(work: Evaluation, entry: Below, base: int, missing: Decimal) -> int:
    """The charge of a `below` entry: fixed, percent of the goods named, or per missing piece or currency unit."""
    if entry.amount is not None:
        return work.minor(entry.amount)
    if entry.percent is not None:
        return work.minor(percent_of(work.major(base), entry.percent))
    return work.minor(EXACT.multiply(entry.per_missing or Decimal(0), missing))


def below_surcharge(
    work: Evaluation,
    compiled: CompiledRule,
    entry: Below,
    amount: int,
    places: tuple[int, ...],
    exception: RuleException | None,
) -> Surcharge:
    rule = compiled.rule
    first = work.lines[places[0]] if places else None
    return Surcharge(
        rule.code,
        work.fill(entry.label or rule.name, first, compiled),
        amount,
        entry.tax or work.policy.tax_default,
        tuple(work.line_id(place) for place in places),
        work.use(exception),
        work.fill(rule.because, first, compiled) if rule.because else None,
    )
