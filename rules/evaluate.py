"""The one function: a cart, a rule set and a date to a Decision. Pure and deterministic; no clock, no network.

Stages run in a fixed order: catalog, price, quantity, surcharge, discount, order, lead time, methods, tax, credit.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from rules.charges import apply_discount, charge_surcharges
from rules.decision import OUTCOMES, Decision, Issue, LineDecision
from rules.errors import CartError, Fault, TieError
from rules.evaluation import Charge, Evaluation, Finding
from rules.explain import catalog_message
from rules.facts import MAX_QUANTITY, Cart
from rules.fixes import find_fixes
from rules.in_force import RulesInForce, rules_in_force
from rules.matching import INDEXED, Matcher
from rules.methods import offer_methods
from rules.money import amount_text
from rules.orders import choose_lead_time, judge_credit, judge_order
from rules.prices import price_lines
from rules.quantities import judge_quantities, severity
from rules.ruleset import CatalogEffect, Ruleset
from rules.said import joined, say
from rules.taxes import chosen_methods, tax_lines


def evaluate(
    ruleset: Ruleset,
    cart: Cart,
    on: date,
    *,
    explain: bool | str = False,
    fixes: bool = True,
    shadow: bool = True,
    matcher: Matcher = INDEXED,
) -> Decision:
    """Decide a cart on a date. `explain` adds `considered`, with a code that rule's entries alone.

    `fixes=False` leaves out what would mend a finding, `shadow=False` what rules that only watch would do.

    Raises CartError when the cart cannot be evaluated and TieError when two rules of equal rank meet and disagree.
    """
    check_cart(ruleset, cart, on)
    rules = rules_in_force(ruleset, on)
    work = Evaluation(rules, cart, on, matcher)
    work.tracing = bool(explain)
    to_subtotal(work)
    if fixes and any(finding.is_quantity for finding in work.findings):
        find_fixes(work, lambda place, quantity: subtotal_with(work, place, quantity))
    offer_methods(work)
    tax = tax_lines(work)
    total = (
        work.subtotal + sum(one.amount or 0 for one in chosen_methods(work)) + sum(row.amount for row in tax)
    )
    judge_credit(work, total)
    issues = _issues(work)
    return Decision(
        ruleset=ruleset.hash,
        on=on,
        currency=work.currency,
        outcome=_worst([issue.outcome for issue in issues]),
        lines=_lines(work, issues),
        surcharges=tuple(charge.surcharge for charge in sorted(work.charges, key=_charge_order)),
        issues=issues,
        goods=work.goods,
        subtotal=work.subtotal,
        total=total,
        tax=tax,
        shipping=work.shipping,
        payment=work.payment,
        discounts=tuple(work.discounts),
        terms=work.terms,
        lead_time=work.tiers,
        exceptions=tuple(sorted(work.exceptions_used)),
        shadow=_shadow(ruleset, cart, on, rules) if shadow else (),
        considered=_considered(work, explain if isinstance(explain, str) else None) if explain else (),
        free_shipping=work.free_shipping,
    )


def check_cart(ruleset: Ruleset, cart: Cart, on: date) -> None:
    """CartError naming every fault of a cart that cannot be evaluated (rule-semantics 121)."""
    faults: list[Fault] = []
    policy = ruleset.policy
    if not cart.lines:
        faults.append(Fault("lines", say("evaluate.no-line")))
    if cart.currency is not None and cart.currency != policy.currency:
        said = say("evaluate.currency", currency=cart.currency, shop=policy.currency)
        faults.append(Fault("currency", said))
    rates = policy.rates_on(on)
    seen: set[str] = set()
    for place, line in enumerate(cart.lines):
        if line.id in seen:
            faults.append(Fault(f"lines[{place}].id", say("evaluate.id-twice", id=line.id)))
        seen.add(line.id)
        quantity = line.quantity
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= MAX_QUANTITY:
            said = say("evaluate.quantity", most=MAX_QUANTITY)
            faults.append(Fault(f"lines[{place}].quantity", said))
        tax = line.product.tax or policy.tax_default
        if tax not in rates:
            known = joined("join.comma", sorted(rates)) if rates else say("evaluate.no-tax")
            faults.append(Fault(f"lines[{place}].tax", say("evaluate.tax", tax=tax, known=known)))
    for name, methods in (
        ("shipping_quotes", cart.shipping_quotes),
        ("payment_methods", cart.payment_methods),
    ):
        for place, method in enumerate(methods or ()):
            if method.tax is not None and method.tax not in rates:
                faults.append(Fault(f"{name}[{place}].tax", say("evaluate.method-tax", tax=method.tax)))
    if faults:
        raise CartError(faults)


def to_subtotal(work: Evaluation, reuse: Evaluation | None = None, changed: int | None = None) -> None:
    """Every stage whose outcome is part of the subtotal."""
    if reuse is not None and not work.rules.has_shared and changed is not None:
        one = Evaluation(work.rules, replace(work.cart, lines=(work.cart.lines[changed],)), work.on)
        one.match_early()
        work.early = [one.early[0] if place == changed else rules for place, rules in enumerate(reuse.early)]
    else:
        work.match_early()
        reuse = None
    if work.rules.has_prices_across or work.cart.exceptions:
        reuse = None
    hidden = _judge_catalog(work)
    price_lines(work, hidden, reuse, changed)
    _from_prices(work, hidden, reuse, changed)


def to_subtotal_at_prices(work: Evaluation, priced: Evaluation) -> None:
    """`to_subtotal` for a rule set whose catalog and price rules are those of `priced`: its prices are taken over."""
    work.match_early()
    hidden = _judge_catalog(work)
    work.prices = priced.prices
    _from_prices(work, hidden)


def _from_prices(
    work: Evaluation, hidden: set[int], reuse: Evaluation | None = None, changed: int | None = None
) -> None:
    """What follows the price stage."""
    work.match_late()
    for line, price in zip(work.lines, work.prices, strict=True):
        if price.unit is None and line.place not in hidden:
            message = catalog_message("no_price", "quotation", None)
            work.findings.append(Finding("no_price", "quotation", (line.place,), message, field="price"))
    judge_quantities(work, reuse, changed)
    charge_surcharges(work)
    apply_discount(work)
    judge_order(work)
    choose_lead_time(work)
    work.sums()


def with_quantity(work: Evaluation, place: int, quantity: int) -> Evaluation:
    """The same cart with another quantity of one line, evaluated to its subtotal."""
    lines = list(work.cart.lines)
    lines[place] = replace(lines[place], quantity=quantity)
    changed = Evaluation(work.rules, replace(work.cart, lines=tuple(lines)), work.on)
    to_subtotal(changed, work, place)
    return changed


def subtotal_with(work: Evaluation, place: int, quantity: int) -> int:
    """The subtotal with one line's quantity changed, found by evaluating it."""
    return with_quantity(work, place, quantity).subtotal


def _judge_catalog(work: Evaluation) -> set[int]:
    """Findings of catalog rules; the places that show no price (rule-semantics 68, 69)."""
    hidden: set[int] = set()
    for line, rules in zip(work.lines, work.early, strict=True):
        for compiled in rules:
            if compiled.group != "CA":
                continue
            effect, exception = work.effect(compiled, line)
            found = _catalog_outcome(effect, work.facts.customer.known)
            work.won("catalog", line.place, compiled.code)
            work.use(exception)
            if found is None:
                continue
            key, outcome = found
            if effect.price == "quotation" or (effect.price == "login" and not work.facts.customer.known):
                hidden.add(line.place)
                work.won("hidden", line.place, compiled.code)
            reason = work.fill(compiled.rule.because, line, compiled) if compiled.rule.because else None
            message = catalog_message(key, outcome, reason)
            work.findings.append(
                Finding(compiled.code, outcome, (line.place,), message, None, None, work.use(exception), key)
            )
    return hidden


def _catalog_outcome(effect: CatalogEffect, customer_known: bool) -> tuple[str, str] | None:
    if effect.hide:
        return "hide", "block"
    if not effect.buy:
        return "buy", "block"
    if effect.price == "login":
        return None if customer_known else ("login", "block")
    return ("quotation", "quotation") if effect.price == "quotation" else None


def _worst(outcomes: list[str]) -> str:
    return OUTCOMES[max(map(severity, outcomes), default=0)]


def _charge_order(charge: Charge) -> tuple[str, tuple[int, ...]]:
    return charge.surcharge.code, charge.places


def _issues(work: Evaluation) -> tuple[Issue, ...]:
    found = sorted(work.findings, key=lambda one: (one.code, one.places))
    return tuple(
        Issue(
            one.code,
            one.outcome,
            tuple(work.line_id(place) for place in one.places),
            one.message,
            one.have,
            one.need,
            one.fixes,
            one.exception,
            one.field,
        )
        for one in found
    )


def _lines(work: Evaluation, issues: tuple[Issue, ...]) -> tuple[LineDecision, ...]:
    outcomes: dict[str, list[str]] = {}
    for issue in issues:
        for line_id in issue.lines:
            outcomes.setdefault(line_id, []).append(issue.outcome)
    default = work.policy.tax_default
    decided = []
    for line, price in zip(work.lines, work.prices, strict=True):
        own = outcomes.get(line.line.id)
        decided.append(
            LineDecision(
                line.line.id,
                line.sku,
                line.quantity,
                price.list_price,
                price.unit,
                price.per,
                price.amount,
                line.product.tax or default,
                _worst(own) if own else "ok",
                price.steps,
            )
        )
    return tuple(decided)


def _shadow(ruleset: Ruleset, cart: Cart, on: date, rules: RulesInForce) -> tuple[Mapping[str, Any], ...]:
    """What each shadow rule that matches would make of this cart, were it live (rule-semantics 118)."""
    found = []
    for rule in rules.shadow:
        variant = rules_in_force(ruleset, on, rule.code)
        work = Evaluation(variant, cart, on)
        try:
            to_subtotal(work)
        except TieError:
            continue  # a tie met only by inline facts; a rule that only watches must not refuse the cart
        lines = [
            line
            for one, lines in work.matched(rule.group).values()
            if one.code == rule.code
            for line in lines
        ]
        if not lines:
            continue
        offer_methods(work)
        tax = tax_lines(work)
        total = (
            work.subtotal
            + sum(one.amount or 0 for one in chosen_methods(work))
            + sum(row.amount for row in tax)
        )
        judge_credit(work, total)
        found.append(
            {
                "code": rule.code,
                "lines": [line.line.id for line in lines],
                "outcome": _worst([finding.outcome for finding in work.findings]),
                "subtotal": amount_text(work.subtotal, work.currency),
                "total": amount_text(total, work.currency),
            }
        )
    return tuple(found)


def _considered(work: Evaluation, only: str | None) -> tuple[Mapping[str, Any], ...]:
    from rules.trace import considered  # only asked for by people; keep it off the path of every cart

    return considered(work, only)
