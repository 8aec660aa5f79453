"""The trace that people ask for: every candidate rule with what became of it on each line, and why.

Rule-semantics 117. Slow and plain on purpose: it reads each condition again in file order.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule, Matching
from rules.evaluation import Evaluation
from rules.in_force import is_in_scope
from rules.money import plain
from rules.reading import LineFacts, predicate, reader_of, when_facts
from rules.ruleset import AnyOf, PriceEffect, QuantityEffect, WhenLine

_ORDER_LEVEL = ("OR", "LT", "SH", "PM")


def considered(work: Evaluation, only: str | None = None) -> tuple[Mapping[str, Any], ...]:
    """One entry per live rule and line (order-level groups: per rule), by code, then line; `only` of that rule."""
    found: list[Mapping[str, Any]] = []
    in_force = {compiled.code: compiled for compiled in work.rules.rules}
    for rule in work.rules.all_rules:
        if (only is not None and rule.code != only) or rule.mode != "live" or rule.group == "FU":
            continue
        compiled = in_force.get(rule.code)
        if compiled is None:
            found.append({"code": rule.code, "status": "outside_dates"})
        elif rule.scope is not None and not is_in_scope(rule.scope, work.facts.customer):
            found.append({"code": rule.code, "status": "out_of_scope"})
        elif rule.group in _ORDER_LEVEL:
            found.append(_of_order(work, compiled))
        else:
            found += [_of_line(work, compiled, line) for line in work.lines]
    return tuple(found)


def _matches(work: Evaluation, compiled: CompiledRule, line: LineFacts) -> bool:
    source = work.late if compiled.is_late else work.early
    return bool(source) and compiled in source[line.place]


def _of_line(work: Evaluation, compiled: CompiledRule, line: LineFacts) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": compiled.code, "line": line.line.id}
    if not _matches(work, compiled, line):
        return {**entry, "status": "not_matched", **failed_condition(work, compiled, line)}
    return {**entry, **_standing(work, compiled, line)}


def _of_order(work: Evaluation, compiled: CompiledRule) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": compiled.code}
    matching = [line for line in work.lines if _matches(work, compiled, line)]
    if not matching:
        return {**entry, "status": "not_matched", **failed_condition(work, compiled, work.lines[0])}
    effect = work.effect(compiled, matching[0])[0]
    if compiled.group in ("SH", "PM") and (effect.only is not None or effect.hide or effect.add is not None):
        return {**entry, "status": "applied"}
    keys = {"OR": ("minimum", "maximum", "credit"), "LT": ("tiers",)}.get(
        compiled.group, ("free_from", "terms")
    )
    winners: set[str] = set()
    for key in keys:
        if getattr(effect, key, None) is not None:
            winners |= work.winners.get((f"{compiled.group}.{key}", None), set())
    if compiled.code in winners or not winners:
        return {**entry, "status": "applied"}
    return {**entry, "status": "outranked_by", "by": min(winners)}


def _standing(work: Evaluation, compiled: CompiledRule, line: LineFacts) -> dict[str, Any]:
    """Applied or outranked, for a rule whose conditions hold on this line."""
    effect = work.effect(compiled, line)[0]
    if isinstance(effect, QuantityEffect):
        fields = [
            name
            for name in ("minimum", "maximum", "multiple", "allowed")
            if getattr(effect, name) is not None
        ]
        keys = [f"quantity.{name}" for name in fields]
    elif isinstance(effect, PriceEffect):
        keys = [f"price.{effect.lane}"]
    elif compiled.group == "DC":
        keys = ["discount"]
    else:
        return {"status": "applied"}
    winners = set[str]().union(*(work.winners.get((key, line.place), set()) for key in keys))
    if compiled.code in winners:
        return {"status": "applied"}
    took_part = not isinstance(effect, PriceEffect) or compiled.code in work.winners.get(
        ("named a price", line.place), ()
    )
    if winners and took_part:
        return {"status": "outranked_by", "by": min(winners)}
    if isinstance(effect, PriceEffect):
        hiding = work.winners.get(("hidden", line.place))
        if hiding:  # no price is shown, so none is looked for
            return {"status": "outranked_by", "by": min(hiding)}
        return {"status": "not_matched", **_took_no_part(work, compiled, effect, line)}
    return {"status": "applied"}


def _took_no_part(
    work: Evaluation, compiled: CompiledRule, effect: PriceEffect, line: LineFacts
) -> dict[str, Any]:
    """A price rule whose conditions hold and that still names no price: break or row not reached, nothing to rate."""
    if effect.kind in ("breaks", "table"):
        return {"condition": "from", "value": work.counted(compiled, line, effect.counts)}
    return {"condition": "product.list_price", "value": printable(line.product.list_price)}


def failed_condition(work: Evaluation, compiled: CompiledRule, line: LineFacts) -> dict[str, Any]:
    """The first line of [when], in file order, that failed, and the value read; an `any` has no single value."""
    for entry in compiled.rule.when:
        if not _holds(work, compiled, entry, line):
            if isinstance(entry, AnyOf):
                return {"condition": "any", "value": None}
            return {"condition": entry.fact, "value": printable(_value(work, compiled, entry.fact, line))}
    return {}


def _holds(work: Evaluation, compiled: CompiledRule, entry: WhenLine | AnyOf, line: LineFacts) -> bool:
    if isinstance(entry, AnyOf):
        return any(all(_holds(work, compiled, one, line) for one in table) for table in entry.tables)
    value = _value(work, compiled, entry.fact, line)
    return all(predicate(condition)(value) for condition in entry.conditions)


def _value(work: Evaluation, compiled: CompiledRule, fact: str, line: LineFacts) -> Any:
    if not fact.startswith("matching."):
        return reader_of(fact)(line)
    others = [
        entry
        for entry in compiled.rule.when
        if not any(one.startswith("matching.") for one in when_facts((entry,)))
    ]
    lines = [one for one in work.lines if all(_holds(work, compiled, entry, one) for entry in others)]
    return Matching(lines).value(fact)


def printable(value: Any) -> Any:
    """A fact's value for JSON: numbers of money as strings, lists as lists."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return [printable(one) for one in value]
