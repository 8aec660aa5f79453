"""Which shipping and payment methods are offered, what they cost after the rules, and on which terms one pays.

Rule-semantics 102 to 108. The quotes themselves come with the cart; nothing is asked of a carrier here.
"""

from collections.abc import Sequence
from decimal import Decimal

from rules.compiled import CompiledRule
from rules.decision import Offered, Terms
from rules.evaluation import Evaluation, Finding
from rules.explain import method_message
from rules.facts import Method
from rules.ranking import most_specific
from rules.ruleset import MethodEffect, RuleException

Applying = list[tuple[CompiledRule, MethodEffect, RuleException | None]]


def offer_methods(work: Evaluation) -> None:
    """Set shipping, payment and terms, and find fault with a choice that is not offered."""
    shipping = _applying(work, "SH")
    payment = _applying(work, "PM")
    cart = work.cart
    work.shipping = _offered(work, shipping, cart.shipping_quotes or (), "SH")
    work.payment = _offered(work, payment, cart.payment_methods or (), "PM")
    _judge_choice(work, "shipping", cart.shipping, work.shipping, shipping, cart.shipping_quotes)
    _judge_choice(work, "payment", cart.payment, work.payment, payment, cart.payment_methods)
    work.terms = _terms(work, payment)
    work.free_shipping = _free_shipping(work, shipping)


def _applying(work: Evaluation, group: str) -> Applying:
    """The rules of a group that match at least one line, in order of codes."""
    found: Applying = []
    for compiled, lines in work.matched(group).values():
        effect, exception = work.order_effect(compiled, lines)
        work.use(exception)
        found.append((compiled, effect, exception))
    return found


def _offered(work: Evaluation, rules: Applying, methods: Sequence[Method], group: str) -> tuple[Offered, ...]:
    offered = []
    for method in methods:
        by = denied_by(work, rules, method.code)
        if by is not None:
            offered.append(Offered(method.code, False, None, method.tax, by))
        else:
            amount, free_by = _price(work, rules, method, group)
            offered.append(Offered(method.code, True, amount, method.tax, None, free_by))
    return tuple(offered)


def denied_by(work: Evaluation, rules: Applying, code: str) -> str | None:
    """The smallest code that denies a method: an `only` without it or a `hide` with it (rule-semantics 103)."""
    for compiled, effect, exception in rules:
        if (effect.only is not None and code not in effect.only) or code in effect.hide:
            work.use(exception)
            work.won("method", None, compiled.code)
            return compiled.code
    return None


def _concerns(effect: MethodEffect, code: str) -> bool:
    return effect.methods is None or code in effect.methods


def _price(work: Evaluation, rules: Applying, method: Method, group: str) -> tuple[int, str | None]:
    """The quoted amount, 0 from `free_from` on, then every `add`; never below 0 (rule-semantics 104)."""
    amount = method.amount or Decimal(0)
    free_by = None
    winner = _free_from(
        work, [one for one in rules if one[1].free_from is not None and _concerns(one[1], method.code)]
    )
    if winner is not None:
        compiled, effect, exception = winner
        work.won(f"{group}.free_from", None, compiled.code)
        if effect.free_from is not None and work.goods >= work.minor(effect.free_from):
            amount, free_by = Decimal(0), compiled.code
            work.use(exception)
    for compiled, effect, exception in rules:
        if effect.add is not None and _concerns(effect, method.code):
            amount += effect.add
            work.use(exception)
            work.won(f"{group}.add", None, compiled.code)
    return max(work.minor(amount), 0), free_by


def _free_from(
    work: Evaluation, entries: Applying
) -> tuple[CompiledRule, MethodEffect, RuleException | None] | None:
    """The most specific rule among those that say from where on a method is free."""
    if not entries:
        return None
    return most_specific(
        entries,
        lambda one: one[0].rank,
        lambda one: one[0].rule,
        lambda one: one[1].free_from,
        work.rules.beats,
        "order",
    )


def _free_shipping(work: Evaluation, rules: Applying) -> tuple[str, int] | None:
    """The lowest goods amount from which an offered method is free, with its rule; rules need not concern the same."""
    free = [one for one in rules if one[1].free_from is not None]
    offered = [one.code for one in work.shipping if one.offered]
    concerning = [[one for one in free if _concerns(one[1], code)] for code in offered]
    if not offered:
        concerning = [[one for one in free if one[1].methods is None]]
    found = []
    for entries in concerning:
        winner = _free_from(work, entries)
        if winner is not None and winner[1].free_from is not None:
            found.append((work.minor(winner[1].free_from), winner[0].code))
    if not found:
        return None
    amount, code = min(found)
    return code, amount


def _judge_choice(
    work: Evaluation,
    kind: str,
    chosen: str | None,
    offered: tuple[Offered, ...],
    rules: Applying,
    given: Sequence[Method] | None,
) -> None:
    """A choice that is not offered blocks; that nothing is left matters only when the order is placed (106)."""
    if chosen is not None:
        known = next((one for one in offered if one.code == chosen), None)
        by = known.by if known is not None else denied_by(work, rules, chosen)
        if by is None and known is None and given is not None:
            by = f"no_{kind}"
        if by is not None:
            denier = next((one[0] for one in rules if one[0].code == by), None)
            because = denier.rule.because if denier is not None else None
            reason = work.fill(because, None, denier) if because else None
            work.findings.append(
                Finding(by, "block", (), method_message(kind, chosen, reason), field=f"{kind}_choice")
            )
    if work.cart.placing and given is not None and not any(one.offered for one in offered):
        work.findings.append(Finding(f"no_{kind}", "block", (), method_message(kind, None, None), field=kind))


def _terms(work: Evaluation, rules: Applying) -> Terms | None:
    """The terms of the most specific rule, taken whole (rule-semantics 45, 108)."""
    entries = [one for one in rules if one[1].terms is not None]
    if not entries:
        return None
    compiled, effect, exception = most_specific(
        entries,
        lambda one: one[0].rank,
        lambda one: one[0].rule,
        lambda one: one[1].terms,
        work.rules.beats,
        "order",
    )
    work.use(exception)
    work.won("PM.terms", None, compiled.code)
    return Terms(compiled.code, effect.terms or {})
