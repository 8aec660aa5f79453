"""Exceptions: from files and from carts to RuleException, the rule's effect with the changed keys replaced.

An exception keeps its rule's rank and lane (rule-semantics 10, 11); it never changes the rule for anybody else.
"""

from collections.abc import Mapping
from typing import Any

from rules.effects import Tables, merged, read_effect
from rules.keys import TABLES
from rules.report import Report, Source, nearest, shown, suggestion
from rules.ruleset import GROUPS, PriceEffect, Rule, RuleException
from rules.said import say
from rules.values import read_table


def compile_exception(
    source: Source,
    data: Any,
    rules: Mapping[str, Rule],
    name: str,
    tables: Tables,
    *,
    table: str = "exception",
    known_codes: frozenset[str] = frozenset(),
) -> RuleException | None:
    """The exception called `name`, or findings and None. `known_codes` are rules that exist but have errors."""
    before = source.report.errors
    values = read_table(source, table, data, "")
    if values is None:
        return None
    if not ("customer" in data or "sku" in data):
        source.problem("missing-key", "", say("exception.whom"))
    if {"from", "until"} <= values.keys() and values["until"] < values["from"]:
        said = say("rule.reversed", until=values["until"], start=values["from"])
        source.problem("reversed-dates", "until", said)
    code = values.get("rule")
    rule = rules.get(code) if code is not None else None
    if code is not None and rule is None and code not in known_codes:
        source.problem("unknown-rule", "rule", say("name.rule", code=shown(code)), nearest(code, rules))
    effect = None
    if rule is not None and "change" in values:
        effect = _changed_effect(source, rule, values["change"], tables)
    if rule is None or effect is None or source.report.errors > before:
        return None
    return RuleException(
        id=str(values.get("id") or name),
        rule=rule.code,
        effect=effect,
        customer=values.get("customer"),
        sku=values.get("sku"),
        from_on=values.get("from"),
        until_on=values["until"],
        reason=values["reason"],
        approved_by=values["approved_by"],
        path=source.file,
    )


def _changed_effect(source: Source, rule: Rule, change: Mapping[str, Any], tables: Tables) -> Any:
    name = GROUPS[rule.group]
    if not change:
        source.problem("empty-value", "change", say("exception.empty"))
        return None
    keys = TABLES[name]
    for word in change:
        if keys and word not in keys:
            source.problem(
                "unknown-key",
                f"change.{word}",
                say("key.unknown", word=shown(word), table=f"[{name}]"),
                suggestion(word, keys),
            )
    if "lane" in change:
        source.problem("wrong-value", "change.lane", say("exception.lane"))
    lane = rule.effect.lane if isinstance(rule.effect, PriceEffect) else None
    known = {word: value for word, value in change.items() if not keys or word in keys}
    # The merged table is read like a rule's own, but what it says stands in [change] of this file.
    lines = {
        name + path[len("change") :]: line for path, line in source.lines.items() if path.startswith("change")
    }
    inner = Source(
        Report(), source.file, lines, rule.code, source.currency, name if name != "follow_up" else "credit",
        source.as_json,
    )  # fmt: skip
    effect = read_effect(inner, name, merged(name, rule.raw, known), tables, lane)
    for finding in inner.report.findings:
        if finding.severity == "error":
            source.report.add(
                finding.check, finding.file, finding.line, finding.sentence, finding.advice, finding.rule
            )
    return effect
