"""The price stage: list, agreed, volume, promotion; in each lane one rule wins, then the amount is rounded once.

Rule-semantics 46 to 67. A line keeps one unit price; a graduated one is kept as parts.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from rules.compiled import CompiledRule
from rules.decision import Step
from rules.evaluation import Evaluation, LinePrice
from rules.money import EXACT, round_fraction, round_to
from rules.ranking import Rank, most_specific, with_row
from rules.reading import LineFacts
from rules.ruleset import LANES, PriceEffect, PriceTable, Row, RowKey, RuleException

_FOUR = Decimal("0.0001")
_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


@dataclass(slots=True)
class Candidate:
    """A rule that takes part in a lane, with the price it names: `value` of `kind`, for `per` pieces."""

    compiled: CompiledRule
    effect: PriceEffect
    exception: RuleException | None
    rank: Rank
    kind: str
    value: Decimal | None
    per: int | None
    reached: int | None = None

    def says(self) -> Any:
        """What two rules of equal rank must agree on."""
        effect = self.effect
        table = effect.table.path if effect.table is not None else None
        value = (
            effect.value if table is None else None
        )  # tables are compared as such, not by the rows met here
        return (
            effect.kind,
            value,
            effect.per or 1,
            table,
            effect.breaks,
            effect.tiers,
            effect.counts,
            effect.round,
        )


@dataclass(slots=True)
class Price:
    """The price so far. `parts` are (pieces, unit price, per) of a graduated price; else empty."""

    quantity: int
    unit: Decimal | None
    per: int = 1
    parts: list[tuple[int, Decimal, int]] = field(default_factory=list)


def price_lines(work: Evaluation, hidden: set[int], reuse: "Evaluation | None", changed: int | None) -> None:
    """Price every line; `hidden` places show no price. Prices of unchanged lines are taken from `reuse`."""
    for line, rules in zip(work.lines, work.early, strict=True):
        if reuse is not None and line.place != changed:
            work.prices.append(reuse.prices[line.place])
        elif line.place in hidden:
            work.prices.append(LinePrice())
        else:
            work.prices.append(price_line(work, line, rules))


def price_line(work: Evaluation, line: LineFacts, rules: list[CompiledRule]) -> LinePrice:
    """The price of one line under the rules that match it."""
    listed = line.product.list_price
    price = Price(line.quantity, listed)
    steps = [] if listed is None else [Step("list", listed)]
    list_price, list_per = listed, 1
    lanes = _by_lane(rules)
    for lane in LANES:
        if lane in lanes:
            named = _candidates(work, line, lanes[lane], price.unit, list_price)
            if named:
                for one in named if work.tracing else ():
                    work.won("named a price", line.place, one.compiled.code)
                winner = _winner(work, line, lane, named, price, list_price, list_per)
                price = _applied(winner, price, list_price, list_per)
                steps.append(_step(work, line, lane, winner, price))
                work.won(f"price.{lane}", line.place, winner.compiled.code)
        if lane == "list":
            list_price, list_per = price.unit, price.per
    if price.unit is None:
        return LinePrice(list_price, None, 1, None, ())
    return LinePrice(list_price, price.unit, price.per, _amount(work, price), tuple(steps))


def _by_lane(rules: list[CompiledRule]) -> dict[str, list[CompiledRule]]:
    lanes: dict[str, list[CompiledRule]] = {}
    for compiled in rules:
        if compiled.group == "PR":
            lanes.setdefault(compiled.effect.lane, []).append(compiled)
    return lanes


def _candidates(
    work: Evaluation,
    line: LineFacts,
    rules: list[CompiledRule],
    so_far: Decimal | None,
    list_price: Decimal | None,
) -> list[Candidate]:
    """The rules of one lane that can name a price here: break reached, row found, something to compute from."""
    found = []
    for compiled in rules:
        effect, exception = work.effect(compiled, line)
        kind = effect.kind
        if kind == "table":
            candidate = _from_table(work, line, compiled, effect, exception)
        elif kind == "breaks":
            candidate = _from_breaks(work, line, compiled, effect, exception)
        else:
            candidate = Candidate(compiled, effect, exception, compiled.rank, kind, effect.value, effect.per)
        if candidate is not None and _has_base(candidate, line.quantity, so_far, list_price):
            found.append(candidate)
    return found


def _has_base(
    candidate: Candidate, quantity: int, so_far: Decimal | None, list_price: Decimal | None
) -> bool:
    """Whether there is something to compute from; a rule without it names no price and takes no part."""
    kinds = {candidate.kind}
    if candidate.kind == "graduated":
        kinds = {one.kind for one in candidate.effect.breaks if one.start <= quantity}
        if candidate.effect.breaks[0].start > 1:
            kinds.add("off_percent")  # the pieces before the first break keep the price so far
    if list_price is None and "rate" in kinds:
        return False
    return so_far is not None or not kinds & {"off_percent", "off_amount"}


def _from_breaks(
    work: Evaluation,
    line: LineFacts,
    compiled: CompiledRule,
    effect: PriceEffect,
    exception: RuleException | None,
) -> Candidate | None:
    """Below its first break a rule takes no part (rule-semantics 55)."""
    quantity = work.counted(compiled, line, effect.counts)
    reached = None
    for one in effect.breaks:
        if one.start > quantity:
            break
        reached = one
    if reached is None:
        return None
    kind = "graduated" if effect.tiers == "graduated" else reached.kind
    return Candidate(
        compiled, effect, exception, compiled.rank, kind, reached.value, effect.per, reached.start
    )


def _from_table(
    work: Evaluation,
    line: LineFacts,
    compiled: CompiledRule,
    effect: PriceEffect,
    exception: RuleException | None,
) -> Candidate | None:
    """The most specific row by its own cells (60); it then ranks with the rule's conditions (47)."""
    if effect.table is None:
        return None
    quantity = work.counted(compiled, line, effect.counts)
    found = best_row(effect.table, line, work.on, quantity)
    if found is None:
        return None
    shape, row = found
    rank = with_row(compiled.rank, *shape)
    return Candidate(compiled, effect, exception, rank, row.kind, row.value, row.per or effect.per, row.start)


def best_row(
    table: PriceTable, line: LineFacts, on: date, quantity: int
) -> tuple[tuple[bool, bool, bool, int], Row] | None:
    """Of the rows whose cells fit, the most specific, and of its like the largest `from` reached on that day."""
    best: tuple[tuple[bool, bool, bool, int], Row] | None = None
    for key, shape in _fitting_keys(table, line):
        if best is None or shape > best[0]:
            row = table.rows.reached(key, on, quantity)
            if row is not None:
                best = shape, row
    return best


def table_starts(table: PriceTable, line: LineFacts) -> set[int]:
    """Every `from` of the rows whose cells fit this line, on whatever day."""
    return {start for key, _ in _fitting_keys(table, line) for start in table.rows.starts_of(key)}


def _fitting_keys(table: PriceTable, line: LineFacts) -> list[tuple[RowKey, tuple[bool, bool, bool, int]]]:
    """The keys under which rows for this line may stand, one for each pattern of cells that the table has."""
    customer, product = line.facts.customer, line.product
    levels = product.category.split("/") if product.category else []
    found: list[tuple[RowKey, tuple[bool, bool, bool, int]]] = []
    for has_customer, has_group, has_sku, depth in table.shapes:
        if (
            (has_customer and customer.code is None)
            or (has_group and customer.group is None)
            or depth > len(levels)
        ):
            continue
        key = (
            customer.code if has_customer else None,
            customer.group if has_group else None,
            product.sku if has_sku else None,
            "/".join(levels[:depth]) if depth else None,
        )
        found.append((key, (has_customer, has_group, has_sku, depth)))
    return found


def _winner(
    work: Evaluation,
    line: LineFacts,
    lane: str,
    named: list[Candidate],
    price: Price,
    list_price: Decimal | None,
    list_per: int,
) -> Candidate:
    if lane == "agreed" and len(named) > 1 and work.policy.price_choice == "lowest":
        # On equal cost the more specific rule, then the smaller code (rule-semantics 46).
        named.sort(key=lambda one: one.compiled.code)
        named.sort(key=lambda one: one.rank, reverse=True)
        return min(named, key=lambda one: _cost(_applied(one, price, list_price, list_per)))
    return most_specific(
        named,
        lambda one: one.rank,
        lambda one: one.compiled.rule,
        Candidate.says,
        work.rules.beats,
        line.line.id,
    )


def _applied(winner: Candidate, price: Price, list_price: Decimal | None, list_per: int) -> Price:
    """The price after a rule; later lanes apply to each part of a graduated price (rule-semantics 59)."""
    if winner.kind == "graduated":
        return _graduated(winner, price, list_price, list_per)
    if price.parts and winner.kind in ("off_percent", "off_amount"):
        parts = [
            (pieces, *_one(winner, winner.kind, winner.value, unit, per, list_price, list_per))
            for pieces, unit, per in price.parts
        ]
        return _averaged(price.quantity, parts)
    unit, per = _one(winner, winner.kind, winner.value, price.unit, price.per, list_price, list_per)
    return Price(price.quantity, unit, per)


def _one(
    winner: Candidate,
    kind: str,
    value: Decimal | None,
    so_far: Decimal | None,
    per: int,
    list_price: Decimal | None,
    list_per: int,
) -> tuple[Decimal, int]:
    """One unit price and the pieces it is for, rounded as rule-semantics 50 says."""
    assert value is not None  # every kind that reaches this carries its number
    computed = True
    if kind == "unit":
        unit, per, computed = value, winner.per or 1, False
    elif kind == "rate":
        unit, per = EXACT.multiply(list_price or _ZERO, value), list_per
    elif kind == "off_percent":
        unit = EXACT.divide(EXACT.multiply(so_far or _ZERO, _HUNDRED - value), _HUNDRED)
    else:
        off = EXACT.divide(EXACT.multiply(value, Decimal(per)), Decimal(winner.effect.per or 1))
        unit = max(EXACT.subtract(so_far or _ZERO, off), _ZERO)
    rounding = winner.effect.round
    if rounding is not None:
        unit = round_to(unit, rounding.to, rounding.mode)
    elif computed and -_exponent(unit) > 4:
        unit = unit.quantize(_FOUR, ROUND_HALF_UP, EXACT)
    return unit, per


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _graduated(winner: Candidate, price: Price, list_price: Decimal | None, list_per: int) -> Price:
    """Piece n costs the price of the last break that it reaches, earlier pieces the price so far (58)."""
    quantity = price.quantity
    breaks = winner.effect.breaks
    parts: list[tuple[int, Decimal, int]] = []
    if breaks[0].start > 1:
        parts += _cut(price, 0, breaks[0].start - 1)
    for place, one in enumerate(breaks):
        until = breaks[place + 1].start - 1 if place + 1 < len(breaks) else quantity
        for pieces, so_far, per in _cut(price, one.start - 1, until):
            parts.append((pieces, *_one(winner, one.kind, one.value, so_far, per, list_price, list_per)))
    return _averaged(quantity, parts)


def _cut(price: Price, start: int, end: int) -> list[tuple[int, Decimal, int]]:
    """The parts of the price so far for the pieces after `start` up to `end`; without a price they cost 0."""
    found = []
    place = 0
    for pieces, unit, per in price.parts or [(price.quantity, price.unit or _ZERO, price.per)]:
        taken = min(end, place + pieces) - max(start, place)
        if taken > 0:
            found.append((taken, unit, per))
        place += pieces
    return found


def _averaged(quantity: int, parts: list[tuple[int, Decimal, int]]) -> Price:
    """`unit` is the average to 4 decimals, for the last part's `per`; the amount comes from the parts."""
    per = parts[-1][2]
    average = _exact_sum(parts) * per / quantity
    unit = Decimal(round_fraction(average * 10000, "half_up")).scaleb(-4)
    return Price(quantity, unit, per, parts)


def _exact_sum(parts: list[tuple[int, Decimal, int]]) -> Fraction:
    common = lcm(*(per for _, _, per in parts))
    total = sum((pieces * unit * (common // per) for pieces, unit, per in parts), _ZERO)
    return Fraction(total) / common


def _cost(price: Price) -> Fraction:
    if price.parts:
        return _exact_sum(price.parts)
    return Fraction(price.unit or _ZERO) * price.quantity / price.per


def _amount(work: Evaluation, price: Price) -> int:
    """Quantity x unit price / per, rounded once (rule-semantics 52); a graduated price sums its parts first."""
    if price.parts:
        return round_fraction(_exact_sum(price.parts) * 10**work.exponent, work.policy.amount_rounding)
    assert price.unit is not None
    exact = EXACT.multiply(price.unit, Decimal(price.quantity))
    return work.minor(exact if price.per == 1 else EXACT.divide(exact, Decimal(price.per)))


def _step(work: Evaluation, line: LineFacts, lane: str, winner: Candidate, price: Price) -> Step:
    assert price.unit is not None
    return Step(
        lane,
        price.unit,
        winner.compiled.code,
        work.fill(winner.compiled.why(), line, winner.compiled),
        price.per,
        work.use(winner.exception),
        winner.effect.kind if winner.kind == "graduated" else winner.kind,
        winner.value,
        winner.reached,
    )
