"""What hangs on a plugin, told before it is switched off: the last of its kind, rules that name it, open payments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, select

from rules.ruleset import AnyOf, MethodEffect, Rule, RuleException, WhenLine
from storefront.database import get_session
from storefront.payments.models import OPEN, Payment

if TYPE_CHECKING:
    from storefront.shop import Shop

What = Literal["last-payment", "last-shipping", "payments", "rules"]


@dataclass(frozen=True)
class Use:
    """One thing that changes when the plugin goes: how many payments are open, or which rules name it."""

    what: What
    count: int = 0
    codes: tuple[str, ...] = ()


def uses_of(shop: Shop, name: str) -> list[Use]:
    """Everything that hangs on an active plugin; nothing hangs on any other."""
    plugins = shop.plugins
    found: list[Use] = []
    if set(plugins.payments) == {name}:
        found.append(Use("last-payment"))
    if set(plugins.shipping) == {name}:
        found.append(Use("last-shipping"))
    if name in plugins.payments and (count := _open_payments(name)):
        found.append(Use("payments", count))
    if (name in plugins.payments or name in plugins.shipping) and (codes := rules_naming(shop, name)):
        found.append(Use("rules", codes=codes))
    return found


def _open_payments(name: str) -> int:
    query = select(func.count()).where(Payment.provider == name, Payment.state.in_(OPEN))
    return get_session().scalar(query) or 0


def rules_naming(shop: Shop, name: str) -> tuple[str, ...]:
    """The codes of rules and exceptions in force that name the method, in their effect or among their conditions."""
    from storefront.rulebook import NoRulesError

    try:
        ruleset = shop.rulebook.current()
    except NoRulesError:
        return ()
    codes = {rule.code for rule in ruleset.rules if name in _methods_of(rule)}
    return tuple(sorted(codes | {one.rule for one in ruleset.exceptions if name in _methods_of(one)}))


def _methods_of(rule: Rule | RuleException) -> set[str]:
    effect = rule.effect
    named: set[str] = set()
    if isinstance(effect, MethodEffect):
        named |= {*(effect.only or ()), *effect.hide, *(effect.methods or ())}
    for line in _lines(rule.when if isinstance(rule, Rule) else ()):
        if line.fact in ("order.payment", "order.shipping"):
            for condition in line.conditions:
                named |= set(condition.value if isinstance(condition.value, tuple) else (condition.value,))
    return named


def _lines(when: tuple[WhenLine | AnyOf, ...]) -> Iterator[WhenLine]:
    for entry in when:
        if isinstance(entry, AnyOf):
            for table in entry.tables:
                yield from table
        else:
            yield entry
