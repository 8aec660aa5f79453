"""What would mend a quantity: the valid quantities either side, each with the change in subtotal.

Rule-semantics 83 to 86. The outcome is constant between the numbers that rules name, save for multiples, so only
those numbers and their nearest multiples are tried; never every quantity in between.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from math import lcm

from rules.compiled import CompiledRule
from rules.decision import GRADES, Fix
from rules.evaluation import Evaluation
from rules.facts import MAX_QUANTITY
from rules.quantities import Decided, decided_fields, missed
from rules.reading import COUNTED, LineFacts, reader_of
from rules.ruleset import AnyOf, QuantityEffect

Reprice = Callable[[int, int], int]  # (place, quantity) to subtotal
Grade = Callable[[int], int]


def find_fixes(work: Evaluation, subtotal_with: Reprice) -> None:
    """Give every quantity finding the fixes of its lines; each line is searched once."""
    found: dict[int, tuple[Fix, ...]] = {}
    for finding in work.findings:
        if not finding.is_quantity:
            continue
        for place in finding.places:
            if place not in found:
                found[place] = _line_fixes(work, place, subtotal_with)
        finding.fixes = tuple(fix for place in finding.places for fix in found[place])


def _line_fixes(work: Evaluation, place: int, subtotal_with: Reprice) -> tuple[Fix, ...]:
    line = work.lines[place]
    return tuple(
        Fix(line.line.id, quantity, subtotal_with(place, quantity) - work.subtotal, GRADES[grade])
        for quantity, grade in better_quantities(work, line)
    )


def better_quantities(work: Evaluation, line: LineFacts) -> list[tuple[int, int]]:
    """(quantity, grade) pairs, ascending: going down and up, each better than now and than all nearer ones."""
    rules = _rules_concerned(work, line)
    grade = _grader(work, line, rules)
    own = line.quantity
    now = grade(own)
    candidates = _candidates(work, line, rules)
    below = [one for one in sorted(candidates, reverse=True) if one < own]
    above = [one for one in sorted(candidates) if one > own]
    return sorted(_improving(below, grade, now) + _improving(above, grade, now))


def _improving(quantities: Iterable[int], grade: Grade, now: int) -> list[tuple[int, int]]:
    found = []
    best = now
    for quantity in quantities:
        if best == 0:
            break
        reached = grade(quantity)
        if reached < best:
            best = reached
            found.append((quantity, reached))
    return found


def _rules_concerned(work: Evaluation, line: LineFacts) -> list[CompiledRule]:
    """Quantity rules of this line, and those that another quantity of it could bring in."""
    now = [one for one in work.early[line.place] if one.group == "QT"]
    index = work.rules.counted_quantities
    if index.is_empty:
        return now
    out = work.rules.out_of_scope(work.facts.customer)
    near = {one.ordinal: one for one in index.of_customer(work.facts.customer) + index.of_line(line)}
    could = [
        one
        for ordinal, one in sorted(near.items())
        if one not in now and ordinal not in out and all(test(line) for test in one.steady_tests)
    ]
    return now + could


def _effects(
    work: Evaluation, line: LineFacts, rules: list[CompiledRule]
) -> list[tuple[CompiledRule, QuantityEffect]]:
    return [(one, work.effect(one, line)[0]) for one in rules]


def _grader(work: Evaluation, line: LineFacts, rules: list[CompiledRule]) -> Grade:
    """The worst quantity outcome on this line at another quantity of it."""
    if any(one.counted for one in rules):
        return lambda quantity: _rematched(work, line, quantity)
    decided = decided_fields(work, line, work.early[line.place])
    counted = [work.counted(one.compiled, line, one.effect.counts) - line.quantity for one in decided]
    return lambda quantity: _worst(decided, [others + quantity for others in counted])


def _rematched(work: Evaluation, line: LineFacts, quantity: int) -> int:
    """Conditions look at quantities, so the changed cart is matched anew; one line of it when none looks at others."""
    alone = not work.rules.has_shared
    other_line = replace(line.line, quantity=quantity)
    lines = [other_line] if alone else list(work.cart.lines)
    place = 0 if alone else line.place
    lines[place] = other_line
    changed = Evaluation(work.rules, replace(work.cart, lines=tuple(lines)), work.on)
    changed.match_early()
    other = changed.lines[place]
    decided = decided_fields(changed, other, changed.early[place])
    if not alone:
        return _worst(decided, [changed.counted(one.compiled, other, one.effect.counts) for one in decided])
    return _worst(decided, [_others(work, one, line) + quantity for one in decided])


def _others(work: Evaluation, decided: Decided, line: LineFacts) -> int:
    """What the other lines add to the count; theirs does not change with this line's quantity."""
    return _pieces_beside(work, line, decided.compiled, decided.effect.counts)


def _worst(decided: list[Decided], counts: list[int]) -> int:
    worst = 0
    for one, have in zip(decided, counts, strict=True):
        miss = missed(one.field, one.effect, have)
        if miss is not None:
            worst = max(worst, GRADES.index(miss.outcome))
    return worst


def _pieces_beside(work: Evaluation, line: LineFacts, compiled: CompiledRule, counts: str) -> int:
    """The pieces of other lines that a rule counts together with this one."""
    return sum(one.quantity for one in work.members(compiled, line, counts) if one is not line)


def _candidates(work: Evaluation, line: LineFacts, rules: list[CompiledRule]) -> set[int]:
    """Every quantity at which the outcome may change, the last before it, and their nearest multiples."""
    borders: set[int] = {1, line.quantity, line.quantity - 1, line.quantity + 1}
    steps: set[tuple[int, int]] = set()  # (multiple, remainder) in terms of this line's own quantity
    named = [line.quantity]
    multiples = [1]
    for compiled, effect in _effects(work, line, rules):
        rest = _pieces_beside(work, line, compiled, effect.counts)
        numbers = _numbers(effect)
        named += numbers
        for number in numbers:
            borders.update((number - rest - 1, number - rest, number - rest + 1))
        if effect.multiple is not None:
            start = effect.minimum or 0 if effect.multiple_from == "minimum" else 0
            steps.add((effect.multiple, (start - rest) % effect.multiple))
            multiples.append(effect.multiple)
        if compiled.counted:
            borders.update(_thresholds(work, compiled, line))
            named += _quantities_named(compiled)
    per_case = line.product.pieces_per_case
    if per_case and any(one.counted for one in rules):
        loose = {0, *(int(n) for one in rules for fact, n in _compared(one) if fact == "line.loose")}
        steps.update((per_case, (rest + beside) % per_case) for rest in loose for beside in (-1, 0, 1))
    most = min(max(named) + lcm(*multiples), MAX_QUANTITY)
    borders.add(most)
    found = set(borders)
    for border in borders:
        for multiple, rest in steps:
            found.add(border - (border - rest) % multiple)
            found.add(border + (rest - border) % multiple)
    return {one for one in found if 1 <= one <= most}


def _numbers(effect: QuantityEffect) -> list[int]:
    numbers = [one for one in (effect.minimum, effect.multiple, effect.maximum) if one is not None]
    numbers += effect.allowed or ()
    numbers += [int(entry.at_least) for entry in effect.below if entry.at_least is not None]
    return numbers


def _compared(compiled: CompiledRule) -> Iterator[tuple[str, int | Decimal]]:
    """Every fact that moves with a quantity and a number that a condition of the rule compares it with."""
    for one in compiled.rule.when:
        for entry in (line for table in one.tables for line in table) if isinstance(one, AnyOf) else (one,):
            if entry.fact in COUNTED:
                for condition in entry.conditions:
                    numbers = condition.value if isinstance(condition.value, tuple) else (condition.value,)
                    yield from ((entry.fact, number) for number in numbers if not isinstance(number, bool))


def _quantities_named(compiled: CompiledRule) -> list[int]:
    return [int(number) for fact, number in _compared(compiled) if fact.endswith(".quantity")]


def _thresholds(work: Evaluation, compiled: CompiledRule, line: LineFacts) -> set[int]:
    """Where a condition on a quantity changes its answer, in terms of this line's own quantity."""
    found: set[int] = set()
    per_case = line.product.pieces_per_case or 1
    for fact, number in _compared(compiled):
        if fact == "line.cases":
            middle = [int(number) * per_case, (int(number) + 1) * per_case]
        elif fact == "line.loose":
            middle = [int(number), int(number) + per_case]
        elif fact == "order.weight_g":
            weight, whole = line.product.weight_g, work.facts.weight_g()
            middle = [line.quantity + int((number - whole) // weight)] if weight and whole is not None else []
            middle += [one + 1 for one in middle]
        elif fact == "matching.quantity":
            # Whether this line is counted may itself depend on its quantity.
            middle = [int(number) - _pieces_beside(work, line, compiled, "matching"), int(number)]
            middle.append(int(number) - (work.facts.quantity() - line.quantity))
        elif fact.endswith(".quantity"):
            middle = [int(number) - (int(reader_of(fact)(line)) - line.quantity)]
        else:
            continue  # lines, which no quantity changes
        for one in middle:
            found.update((one - 1, one, one + 1))
    return found
