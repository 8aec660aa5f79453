"""Why a rule applied to a cart, or why it did not, in sentences for people. Reads a decision; decides nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.decision import Decision
from rules.facts import Cart
from rules.prices import table_starts
from rules.reading import CartFacts, LineFacts, when_facts
from rules.report import shown
from rules.ruleset import AnyOf, PriceEffect, Rule
from rules.said import in_language
from rules.sentences import rule_sentence

_LIST_PRICE = "product.list_price"
_STATUS = {
    "outside_dates": ("{code} is not in force on {on}.", "{code} は {on} には有効期間の外です。"),
    "out_of_scope": (
        "{code} is switched on for other customers only ([scope]).",
        "{code} はこの得意先では試行の対象外です([scope])。",
    ),
    "applied": ("{where}{code} applied.", "{where}{code} が適用されました。"),
    "outranked_by": (
        "{where}{code} matched, but {by} won: it is more specific, or it beats {code}.",
        "{where}{code} も当てはまりましたが、{by} が優先されました(より限定的、または beats)。",
    ),
    "not_matched": (
        "{where}{code} did not match: {condition} is {value}, and the rule wants {wanted}.",
        "{where}{code} は当てはまりません: {condition} は {value}、条件は {wanted} です。",
    ),
    "below_break": (
        "{where}{code} names no price here: its first price is from {first} pieces, and {value} are counted.",
        "{where}{code} はここでは価格を決めません: 最初の価格は {first} 個からで、数えられたのは {value} 個です。",
    ),
    "below_row": (
        "{where}{code} names no price here: for this customer and item {table} begins at {first} pieces, "
        "and {value} are counted.",
        "{where}{code} はここでは価格を決めません: この得意先と品目の行は {table} で {first} 個からで、"
        "数えられたのは {value} 個です。",
    ),
    "no_row": (
        "{where}{code} names no price here: {table} has no row for this customer and item.",
        "{where}{code} はここでは価格を決めません: {table} にこの得意先と品目の行がありません。",
    ),
    "row_outside_dates": (
        "{where}{code} names no price here: no row of {table} for this customer and item is in force on {on}.",
        "{where}{code} はここでは価格を決めません: {table} のこの得意先と品目の行は {on} には有効期間の外です。",
    ),
    "nothing_to_rate": (
        "{where}{code} names no price here: it changes another price, and there is none so far.",
        "{where}{code} はここでは価格を決めません: もとになる価格がまだありません。",
    ),
    "none": (
        "{code} has mode = {mode} and changes nothing.",
        "{code} は mode = {mode} なので何も変えません。",
    ),
    "would": (
        "As a live rule it would lead to {outcome}, subtotal {subtotal}, total {total}.",
        "有効なら結果は {outcome}、小計 {subtotal}、合計 {total} です。",
    ),
}


def why(rule: Rule, decision: Decision, cart: Cart, line_id: str | None, language: str) -> Iterator[str]:
    """The rule as a sentence, then what became of it in the decided cart, then what it left in the decision."""
    facts = {line.line.id: line for line in CartFacts(cart, decision.on, decision.currency).lines}
    yield f"{rule.code} {_text(rule.name, language)} ({rule.path})"
    yield f"  {rule_sentence(rule, language)}"
    entries = [
        entry
        for entry in decision.considered
        if entry["code"] == rule.code and (line_id is None or entry.get("line") in (None, line_id))
    ]
    for entry in entries:
        yield _sentence(rule, decision, entry, facts, language)
    if not entries:
        yield _say("none", language, code=rule.code, mode=rule.mode)
        for shadow in decision.shadow:
            if shadow["code"] == rule.code:
                yield _say(
                    "would", language, **{word: shadow[word] for word in ("outcome", "subtotal", "total")}
                )
    yield from _traces(rule, decision, line_id, language)


def _say(status: str, language: str, **words: Any) -> str:
    return _STATUS[status][language == "ja"].format(**words)


def _text(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")


def _sentence(
    rule: Rule,
    decision: Decision,
    entry: Mapping[str, Any],
    facts: Mapping[str, LineFacts],
    language: str,
) -> str:
    where = ""
    words: dict[str, Any] = {}
    status = entry["status"]
    if isinstance(rule.effect, PriceEffect) and _is_met(rule, entry):
        status, words = _no_price(rule.effect, entry, facts[entry["line"]])
    if "line" in entry:
        line = decision.line(entry["line"])
        where = f"行 {line.id} ({line.sku}): " if language == "ja" else f"Line {line.id} ({line.sku}): "
    return _say(
        status,
        language,
        **words,
        where=where,
        code=rule.code,
        on=decision.on,
        by=entry.get("by", ""),
        condition=entry.get("condition", ""),
        value=_value(entry.get("value"), language),
        wanted=_wanted(rule, entry.get("condition", ""), language),
    )


def _is_met(rule: Rule, entry: Mapping[str, Any]) -> bool:
    """Whether what is named as not matching is no line of [when] but the price itself."""
    condition = entry.get("condition")
    return condition == "from" or (condition == _LIST_PRICE and _LIST_PRICE not in when_facts(rule.when))


def _no_price(effect: PriceEffect, entry: Mapping[str, Any], line: LineFacts) -> tuple[str, dict[str, Any]]:
    """Why a price rule whose conditions hold takes no part: no break or row reached, or nothing to compute from."""
    if entry.get("condition") != "from":
        return "nothing_to_rate", {}
    if effect.table is None:
        return "below_break", {"first": min(one.start for one in effect.breaks)}
    starts, table = table_starts(effect.table, line), effect.table.path
    if not starts:
        return "no_row", {"table": table}
    if min(starts) > entry["value"]:
        return "below_row", {"table": table, "first": min(starts)}
    return "row_outside_dates", {"table": table}


def _value(value: Any, language: str) -> str:
    if value is None:
        return "不明" if language == "ja" else "absent"
    if isinstance(value, list):
        return "[" + ", ".join(in_language(shown(one), language) for one in value) + "]"
    return in_language(shown(value), language)


def _wanted(rule: Rule, condition: str, language: str) -> str:
    """What the [when] line asks for, nearly as written."""
    for entry in rule.when:
        if isinstance(entry, AnyOf):
            if condition == "any":
                return "any のいずれか" if language == "ja" else "one of the tables of any to hold"
        elif entry.fact == condition:
            return " ".join(
                _value(_listed(one.value), language)
                if one.op in ("eq", "one_of")
                else f"{one.op} {_value(_listed(one.value), language)}"
                for one in entry.conditions
            )
    return "ほかの値" if language == "ja" else "another value"


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _traces(rule: Rule, decision: Decision, line_id: str | None, language: str) -> Iterator[str]:
    """The steps, surcharges and issues that carry the rule's code."""
    data = decision.as_json()
    for line in data["lines"]:
        for step in line["steps"]:
            if step.get("code") == rule.code and line_id in (None, line["id"]):
                yield f"  {line['sku']}: {step['lane']} {step['unit_price']}"
    for charge in data["surcharges"]:
        if charge["code"] == rule.code and (line_id is None or line_id in charge["lines"]):
            yield f"  {_text(charge['label'], language)}: {charge['amount']}"
    for issue in data["issues"]:
        if issue["code"] == rule.code and (
            line_id is None or not issue["lines"] or line_id in issue["lines"]
        ):
            yield f"  {issue['outcome']}: {_text(issue['message'], language)}"
