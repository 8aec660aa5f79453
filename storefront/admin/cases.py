"""The [[case]] tables of one rule as a person reads them: the cart, the expected answer, and whether it holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules import Catalog, Rule, Ruleset
from rules.cases import run_case, with_rule_live
from storefront.language import N_, _, language

# The keys that most cases have, as a reader calls them; the others stay as they stand in the file.
_KEYS = {
    "customer": N_("customer"),
    "group": N_("group"),
    "region": N_("region"),
    "country": N_("country"),
    "category": N_("category"),
    "list_price": N_("list price"),
    "unit_price": N_("unit price"),
    "subtotal": N_("subtotal"),
    "amount": N_("amount"),
    "surcharges": N_("fees"),
    "issues": N_("objections"),
    "quantity": N_("quantity"),
    "products": N_("with"),
    "lines": N_("lines"),
    "shipping": N_("shipping"),
    "shipping_quotes": N_("shipping"),
    "payment": N_("payment"),
    "payment_methods": N_("payment"),
    "offered": N_("offered"),
    "ship_to": N_("to"),
    "channel": N_("channel"),
    "on": N_("on"),
    "discounts": N_("discounts"),
    "lead_time": N_("lead time"),
    "goods": N_("goods"),
    "total": N_("total"),
}
_SILENT = ("code", "sku")  # their values say what they are


@dataclass(frozen=True)
class CaseResult:
    """One case. `why` says what was found instead when it fails."""

    name: str
    cart: str
    expect: str
    passed: bool
    why: str = ""


def case_results(ruleset: Ruleset, rule: Rule, catalog: Catalog, on: date) -> list[CaseResult]:
    """Run the rule's cases against the set in force, as a load does."""
    results: list[CaseResult] = []
    if rule.group == "FU":  # takes no part in evaluate (rule-semantics 132)
        return results
    live = with_rule_live(ruleset, rule)
    for place, case in enumerate(rule.cases):
        result = run_case(live, rule, place, catalog, on)
        results.append(
            CaseResult(
                result.name or str(place + 1),
                _cart_words(case),
                expected(case.get("expect", {})),
                result.passed,
                " ".join(result.said(language())),
            )
        )
    return results


def _cart_words(case: Mapping[str, Any]) -> str:
    """The lines and whatever else the case says about the cart."""
    lines = case.get("cart") or case.get("lines") or ()
    told = [
        f"{line.get('sku', '?')} × {line.get('quantity', '?')}" for line in lines if isinstance(line, Mapping)
    ]
    rest = {key: value for key, value in case.items() if key not in ("name", "cart", "lines", "expect")}
    return ", ".join(told) + (f" ({words(rest)})" if rest else "")


def expected(expect: Mapping[str, Any]) -> str:
    """What a case expects, in sentences for what most cases say; other keys as they are written."""
    outcomes = {
        "ok": _("goes through"),
        "warn": _("goes through with a warning"),
        "approval": _("waits for approval"),
        "quotation": _("becomes a quotation"),
        "block": _("is refused"),
    }
    told = [outcomes[expect["outcome"]]] if expect.get("outcome") in outcomes else []
    for fee in expect.get("surcharges") or ():
        if isinstance(fee, Mapping) and "amount" in fee:
            told.append(_("fee %(amount)s", amount=f"{fee.get('code', '')} {words(fee['amount'])}".strip()))
    ways = [
        fix
        for issue in expect.get("issues") or ()
        if isinstance(issue, Mapping)
        for fix in issue.get("fixes", ())
    ]
    if ways:
        told.append(_("ways out: %(quantities)s", quantities=", ".join(_way(fix) for fix in ways)))
    rest = {key: part for key, part in expect.items() if key not in ("outcome", "surcharges", "issues")}
    return "; ".join([*told, *([words(rest)] if rest else [])]) or words(expect)


def _way(fix: Any) -> str:
    """A way out: a quantity, or a table that names one."""
    return words(fix["quantity"]) if isinstance(fix, Mapping) and "quantity" in fix else words(fix)


def words(value: Any) -> str:
    """A table of a case as plain words: key value, key value."""
    if isinstance(value, Mapping):
        return ", ".join(_pair(key, part) for key, part in value.items()) or _("nothing")
    if isinstance(value, list | tuple):
        return "; ".join(words(part) for part in value) if value else _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def _pair(key: str, value: Any) -> str:
    if key in _SILENT:
        return words(value)
    return f"{_(_KEYS[key]) if key in _KEYS else key} {words(value)}"
