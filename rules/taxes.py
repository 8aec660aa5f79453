"""Tax: bases by category, rounded once per rate, shared among its categories by largest remainder.

Rule-semantics 107 and 109 to 112. Prices are without tax.
"""

from decimal import Decimal
from functools import lru_cache

from rules.decision import Offered, TaxLine
from rules.errors import CartError, Fault
from rules.evaluation import Evaluation
from rules.money import EXACT, ROUNDINGS, share
from rules.said import say

_ONE = Decimal(1)


def tax_lines(work: Evaluation) -> tuple[TaxLine, ...]:
    """One row per category, by falling rate and then category."""
    bases = tax_bases(work)
    rates = work.policy.rates_on(work.on) if bases else {}
    if bases.keys() - rates.keys():  # a category of a rule or method whose rate begins later
        raise CartError(
            [
                Fault("on", say("evaluate.no-rate", tax=name, on=work.on))
                for name in sorted(bases.keys() - rates.keys())
            ]
        )
    by_rate: dict[Decimal, list[str]] = {}
    for category in sorted(bases):
        by_rate.setdefault(rates[category], []).append(category)
    rows = []
    for rate in sorted(by_rate, reverse=True):
        categories = by_rate[rate]
        whole = tax_of(sum(bases[category] for category in categories), rate, work.policy.tax_rounding)
        parts = _shared(whole, [bases[category] for category in categories], categories)
        rows += [
            TaxLine(category, rate, bases[category], part)
            for category, part in zip(categories, parts, strict=True)
        ]
    return tuple(rows)


def tax_bases(work: Evaluation) -> dict[str, int]:
    """Category to base in minor units: lines less their discount, surcharges, chosen methods."""
    default = work.policy.tax_default
    bases: dict[str, int] = {}
    parts = work.discount_parts
    for line, price in zip(work.lines, work.prices, strict=True):
        category = line.product.tax or default
        off = parts[line.place] if parts else 0
        bases[category] = bases.get(category, 0) + (price.amount or 0) - off
    for charge in work.charges:
        tax = charge.surcharge.tax
        bases[tax] = bases.get(tax, 0) + charge.surcharge.amount
    for method in chosen_methods(work):
        category = method.tax or default
        bases[category] = bases.get(category, 0) + (method.amount or 0)
    return bases


def chosen_methods(work: Evaluation) -> list[Offered]:
    """The chosen shipping and payment methods that are offered; without a choice nothing is added."""
    cart = work.cart
    return [
        method
        for methods, chosen in ((work.shipping, cart.shipping), (work.payment, cart.payment))
        for method in methods
        if method.offered and method.code == chosen
    ]


@lru_cache(maxsize=4096)
def tax_of(base: int, rate: Decimal, rounding: str) -> int:
    """Tax on a base, rounded by magnitude and then signed: a return mirrors its sale (rule-semantics 144)."""
    tax = int(EXACT.multiply(Decimal(abs(base)), rate).quantize(_ONE, ROUNDINGS[rounding], EXACT))
    return -tax if base < 0 else tax


def _shared(whole: int, bases: list[int], categories: list[str]) -> list[int]:
    if len(bases) == 1:
        return [whole]
    if sum(bases) < 0:
        return [-part for part in share(-whole, [-base for base in bases], categories)]
    return share(whole, bases, categories)
