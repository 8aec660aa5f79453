"""Checks of quantities across rules: price breaks nobody can order, and two rules that leave nothing to order.

Both compare only rules of which one surely applies where the other does; in doubt they say nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rules.meeting import Known, Profile, can_meet
from rules.orderable import first_orderable
from rules.reading import CATEGORY, TAGS
from rules.report import Report, Source, at_places
from rules.ruleset import AnyOf, Break, PriceEffect, QuantityEffect, WhenLine
from rules.said import Said, say

MOST_PAIRS = 500_000
_ANCHORS = ("product.sku", "customer.code", "product.batch", CATEGORY, "customer.group", "product.brand")


def check_breaks(report: Report, profiles: Sequence[Profile]) -> None:
    """Breaks below the minimum, off the multiple or above the maximum (rule-semantics 12)."""
    anchored: dict[tuple[str, Any], list[Profile]] = {}
    anywhere: list[Profile] = []
    for profile in profiles:
        if isinstance(profile.rule.effect, QuantityEffect) and profile.rule.mode == "live":
            anchor = next((fact for fact in _ANCHORS if fact in profile.sets), None)
            if anchor is None:
                anywhere.append(profile)
            else:
                for value in profile.sets[anchor]:
                    anchored.setdefault((anchor, value), []).append(profile)
    for profile in profiles:
        effect = profile.rule.effect
        if isinstance(effect, PriceEffect) and effect.breaks:
            for other in (*anywhere, *_beside(profile, anchored)):
                if other.rule.scope in (None, profile.rule.scope) and implies(profile, other):
                    _check_breaks(report, profile, effect, other)


def _beside(profile: Profile, anchored: dict[tuple[str, Any], list[Profile]]) -> Iterable[Profile]:
    """Quantity rules that name one of this rule's own values; each once."""
    found: dict[str, Profile] = {}
    for fact in _ANCHORS:
        values = profile.sets.get(fact)
        if not values:
            continue
        value = min(values)
        names = [value]
        while fact == CATEGORY and "/" in value:
            value = value.rpartition("/")[0]
            names.append(value)
        for name in names:
            found.update((other.rule.code, other) for other in anchored.get((fact, name), ()))
    return [found[code] for code in sorted(found)]


def _check_breaks(report: Report, profile: Profile, effect: PriceEffect, other: Profile) -> None:
    quantity = _quantity(other)
    if quantity.counts != effect.counts:
        return
    source = Source(report, profile.rule.path, profile.rule.lines, profile.rule.code)
    for place, entry in enumerate(effect.breaks):
        why = _off(entry, place, quantity)
        if why is not None:
            rule = other.rule
            said = say("break.off", start=entry.start, why=why, code=rule.code, path=rule.path)
            source.problem("break-off-quantity", f"price.breaks.{_written(profile, entry)}.from", said)


def _written(profile: Profile, entry: Break) -> int:
    """The place of a break in the file, where breaks need not be sorted."""
    starts = [one.get("from") for one in profile.rule.raw.get("breaks", ())]
    return starts.index(entry.start) if entry.start in starts else 0


def _off(entry: Break, place: int, quantity: QuantityEffect) -> Said | None:
    start, low, lot = entry.start, quantity.minimum, quantity.multiple
    if not place:
        return None
    if quantity.maximum is not None and start > quantity.maximum:
        return say("break.above-maximum", maximum=quantity.maximum)
    if low is not None and start < low:
        return say("break.below-minimum", minimum=low)
    if lot is not None:
        base = low if quantity.multiple_from == "minimum" and low is not None else 0
        if (start - base) % lot:
            return say("break.off-multiple", lot=lot)
    return None


def implies(one: Profile, other: Profile) -> bool:
    """Whether every line that `one` matches is matched by `other` too; False when that is not plain to see."""
    if one.first < other.first or one.last > other.last:
        return False
    return all(_implied(one, entry) for entry in other.rule.when)


def _implied(one: Profile, entry: WhenLine | AnyOf) -> bool:
    if entry in one.rule.when:
        return True
    if isinstance(entry, AnyOf) or entry.fact in TAGS or entry.fact not in one.sets:
        return False
    wanted: set[Any] = set()
    for condition in entry.conditions:
        if condition.op not in ("eq", "one_of"):
            return False
        wanted |= set(condition.value if isinstance(condition.value, tuple) else (condition.value,))
    if len(entry.conditions) > 1:
        return False
    if entry.fact == CATEGORY:
        inside = tuple(f"{category}/" for category in wanted)
        return all(value in wanted or value.startswith(inside) for value in one.sets[entry.fact])
    return one.sets[entry.fact] <= wanted


def check_leftovers(report: Report, profiles: Sequence[Profile], known: Known) -> set[frozenset[str]]:
    """Two rules that win different fields on the same line and together leave no quantity at all; the pairs told."""
    told: set[frozenset[str]] = set()
    rules = [one for one in profiles if isinstance(one.rule.effect, QuantityEffect) and _is_plain(one)]
    lows = [one for one in rules if _says_low(_quantity(one))]
    highs = [one for one in rules if _says_high(_quantity(one))]
    if len(lows) * len(highs) > MOST_PAIRS:
        report.skipped.append(say("skipped.leftovers"))
        return told
    for low in lows:
        for high in highs:
            if (
                low is not high
                and _leaves_nothing(_quantity(low), _quantity(high))
                and _check_pair(report, low, high, rules, known)
            ):
                told.add(frozenset((low.rule.code, high.rule.code)))
    return told


def _is_plain(profile: Profile) -> bool:
    """Reads only products and customers, so that it surely applies where they are given."""
    return (
        profile.rule.mode == "live"
        and len(profile.facts) == 1
        and all(fact.startswith(("product.", "customer.")) for fact in profile.facts[0])
        and not any(fact.endswith((".quantity", ".amount")) for fact in profile.facts[0])
    )


def _quantity(profile: Profile) -> QuantityEffect:
    effect = profile.rule.effect
    assert isinstance(effect, QuantityEffect)
    return effect


def _says_low(effect: QuantityEffect) -> bool:
    return effect.minimum is not None or effect.multiple is not None


def _says_high(effect: QuantityEffect) -> bool:
    return effect.maximum is not None or effect.allowed is not None


def _leaves_nothing(low: QuantityEffect, high: QuantityEffect) -> bool:
    """Whether minimum and multiple of one with maximum and allowed of the other refuse every quantity."""
    if low.counts != high.counts:
        return False
    least = max(low.minimum or 0, low.multiple or 0)
    most = high.maximum if high.maximum is not None else max(high.allowed or (0,))
    if least <= most and high.allowed is None and low.multiple is None:
        return False
    mine = replace(low, maximum=None, allowed=None)
    theirs = replace(high, minimum=None, multiple=None, multiple_from="zero", below=())
    return first_orderable(mine, theirs) is None


def _check_pair(report: Report, low: Profile, high: Profile, rules: Sequence[Profile], known: Known) -> bool:
    """Tells it, unless a third rule may win there."""
    if not can_meet(low, high) or (place := known.common(low, high)) is None:
        return False
    for other in rules:
        if other is low or other is high or not (can_meet(other, low) and can_meet(other, high)):
            continue
        effect = _quantity(other)
        if (_says_low(effect) and other.rank > low.rank) or (_says_high(effect) and other.rank > high.rank):
            return False
    mine, theirs = _quantity(low), _quantity(high)
    if (_says_low(theirs) and high.rank >= low.rank) or (_says_high(mine) and low.rank >= high.rank):
        return False  # one of the two wins both sides, and it was checked alone
    found, customer = place
    where = [say("where.product", sku=found.sku)] if found is not None else []
    if customer is not None and customer.known:
        where.append(say("where.customer", code=customer.code))
    source = Source(report, high.rule.path, high.rule.lines, high.rule.code)
    source.problem(
        "no-quantity",
        "quantity.maximum" if theirs.maximum is not None else "quantity.allowed",
        say(
            "quantity.no-leftover",
            low=low.rule.code,
            path=low.rule.path,
            high=high.rule.code,
            where=at_places(where),
        ),
    )
    return True
