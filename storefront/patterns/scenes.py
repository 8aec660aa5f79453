"""Who orders what in the cases of a written rule, and the cases: each is evaluated before it is written.

A scene is a product and a customer that the rule is about, and some that it is not about. No Flask, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from rules.carts import read_cart
from rules.cases import CaseResult, mismatches, run_case
from rules.catalog import Catalog
from rules.errors import CartError, TieError
from rules.evaluate import evaluate
from rules.facts import Product
from rules.money import CURRENCIES
from rules.one_rule import with_rule
from rules.ruleset import Policy, Rule, Ruleset
from storefront.patterns.kinds import SEEN, Pattern, Probe, Said, Values, number

SAMPLE, OTHER = "SAMPLE", "OTHER"  # products made up for a case
PRICE = 100
MOST = 10**12 - 1  # of a price, which has twelve digits before the point
_TRIED = 4  # real products that are tried before one is made up
_NO_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Setting:
    """The shop in which a rule is written: its rules and names. All empty for a rule that stands alone."""

    ruleset: Ruleset = field(default_factory=lambda: Ruleset((), (), Policy(), ""))
    catalog: Catalog = field(default_factory=Catalog)
    methods: frozenset[str] | None = None
    today: date | None = None
    is_alone: bool = (
        False  # nothing is known of the shop, so the cases say nothing that its other rules could change
    )

    @property
    def currency(self) -> str:
        return self.ruleset.policy.currency


@dataclass(frozen=True, slots=True)
class Scene:
    """Products and customers of the cases. `it` and `other` are SKUs; `facts` are what the cases say of them."""

    it: str
    other: str | None
    facts: Mapping[str, Mapping[str, Any]]
    who: Mapping[str, Any]
    has_stranger: bool
    currency: str = "JPY"
    ask: Callable[[Mapping[str, Any]], Decimal | None] = field(default=lambda cart: None)  # its goods amount

    @property
    def tick(self) -> Decimal:
        """The smallest amount of the currency."""
        return Decimal(1).scaleb(-CURRENCIES[self.currency])

    def made(self, **facts: Any) -> dict[str, Any]:
        """Facts that only a made-up product needs."""
        return facts if self.it in self.facts else {}

    def goods(self, amount: Decimal | int, **more: Any) -> dict[str, Any]:
        """A cart whose goods come to the amount: one piece, its list price found under the shop's price rules."""
        price = amount
        cart = self.cart(1, list_price=number(Decimal(price)), **more)
        found = self.ask(cart)
        if found and found != amount:
            price = (Decimal(amount) * amount / found).quantize(Decimal("0.000001"))
            cart = self.cart(1, list_price=number(price), **more)
        return cart

    def cart(
        self,
        quantity: int,
        *,
        sku: str | None = None,
        stranger: bool = False,
        who: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> dict[str, Any]:
        """A cart of one line; `facts` are said of its product, over the shop's own."""
        return self.lines([(sku or self.it, quantity, facts)], stranger=stranger, who=who)

    def lines(
        self,
        lines: Sequence[tuple[str, int, Mapping[str, Any]]],
        *,
        stranger: bool = False,
        who: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        out: dict[str, Any] = {}
        customer = {} if stranger else {**self.who, **(who or {})}
        if customer:
            out["customer"] = customer
        products = {sku: {**self.facts.get(sku, {}), **facts} for sku, _quantity, facts in lines}
        if named := {sku: facts for sku, facts in products.items() if facts}:
            out["products"] = named
        out["cart"] = [{"sku": sku, "quantity": quantity} for sku, quantity, _facts in lines]
        return out


# What a decision says where a rule of the group takes no part; an empty list means nothing of this rule's code.
NOTHING: dict[str, Callable[[str], dict[str, Any]]] = {
    "CA": lambda sku: {"issues": []},
    "QT": lambda sku: {"issues": [], "surcharges": []},
    "OR": lambda sku: {"issues": [], "surcharges": []},
    "SC": lambda sku: {"surcharges": []},
    "DC": lambda sku: {"discounts": []},
    "PR": lambda sku: {"lines": [{"sku": sku, "steps": []}]},
}


def scenes_of(values: Values, setting: Setting) -> Iterator[Scene]:
    """Scenes with products of the shop, then one with products that are made up."""
    catalog = setting.catalog
    skus, categories, tags = (values.get(name) or [] for name in ("sku", "category", "tag"))
    who: dict[str, Any] = {}
    if customers := values.get("customer"):
        who["code"] = customers[0]
    if groups := values.get("group"):
        who["group"] = groups[0]
    stranger = bool(who)
    about = bool(skus or categories or tags)
    products = list((catalog.products or {}).values())
    fits = [one for one in products if _is_about(one, skus, categories, tags)]
    others = [one for one in products if not _is_about(one, skus, categories, tags) and one.list_price]
    other = others[0].sku if others else OTHER
    facts: dict[str, dict[str, Any]] = {} if others else {OTHER: {"list_price": PRICE}}
    for one in islice((one for one in fits if one.list_price is not None), _TRIED) if about else ():
        yield Scene(one.sku, other, facts, who, stranger)
    made: dict[str, Any] = {"list_price": PRICE}
    if categories:
        made = {"category": categories[0], **made}
    if tags:
        made = {"tags": [tags[0]], **made}
    it = skus[0] if skus else SAMPLE
    aside = {OTHER: {"list_price": PRICE}}
    yield Scene(it, OTHER if about else None, {it: made, **aside}, who, stranger)


def _is_about(product: Product, skus: Sequence[str], categories: Sequence[str], tags: Sequence[str]) -> bool:
    category = product.category or ""
    inside = any(category == one or category.startswith(f"{one}/") for one in categories)
    marked = not set(tags).isdisjoint(product.tags or ())
    return (not skus or product.sku in skus) and (not categories or inside) and (not tags or marked)


def cases_of(
    pattern: Pattern, values: Values, rule: Rule, setting: Setting, language: str
) -> list[Mapping[str, Any]]:
    """The cases of a rule, each with what the rules of the shop make of it.

    A case that another rule of the shop decides is left out; where none comes out as meant, the rule is shown as it
    is alone, and the check of the folder will say which rule is in its way.
    """
    best: list[Mapping[str, Any]] = []
    for scene in scenes_of(values, setting):
        scene = replace(scene, currency=setting.currency, ask=lambda cart: _goods(cart, setting))
        probes = _dated(pattern, list(pattern.probes({**values, "code": rule.code}, scene)), values, scene)
        found, is_whole = _made(probes, rule, setting, language)
        if is_whole:
            return found
        best = max(best, found, key=len)
    if best:
        return best
    alone = replace(
        setting, is_alone=True, ruleset=replace(setting.ruleset, rules=(), exceptions=(), compiled={})
    )
    return _made(probes, rule, alone, language)[0]


def _dated(pattern: Pattern, probes: list[Probe], values: Values, scene: Scene) -> list[Probe]:
    """Cases of a rule that ends stand on a day of its own; and the days just outside show that it is not in force."""
    first, last = values.get("from"), values.get("until")
    found = [replace(one, cart={"on": first or last, **one.cart}) for one in probes] if last else probes
    if pattern.group not in NOTHING:
        return found
    nothing = NOTHING[pattern.group](scene.it)
    for day, ja, en in (
        (first, "始まる前の日", "on the day before it begins"),
        (last, "終わった次の日", "on the day after it ends"),
    ):
        if day is not None and date.min < day < date.max:
            outside = day + timedelta(days=-1 if day is first else 1)
            name = Said(f"{ja}には効かない", f"{en} it does not apply")
            found = [*found, Probe(name, {"on": outside, **probes[0].cart}, nothing)]
    return found


def _goods(cart: Mapping[str, Any], setting: Setting) -> Decimal | None:
    """What the goods of a cart come to in the shop; None when it cannot be evaluated."""
    data = {"lines" if word == "cart" else word: one for word, one in cart.items()}
    day = setting.today or _NO_DAY
    try:
        read, on = read_cart(data, setting.ruleset, setting.catalog, today=day)
        return Decimal(evaluate(setting.ruleset, read, on or day, fixes=False).as_json()["goods"])
    except (CartError, TieError):
        return None


def _made(
    probes: Sequence[Probe], rule: Rule, setting: Setting, language: str
) -> tuple[list[Mapping[str, Any]], bool]:
    """The cases that come out as meant, none when none of them reaches the rule; and whether all do."""
    ruleset = with_rule(setting.ruleset, replace(rule, mode="live", scope=None))
    found: list[Mapping[str, Any]] = []
    covered = False
    for probe in probes:
        head = {"name": probe.name.in_(language), **probe.cart}
        result = _run(ruleset, rule, {**head, "expect": _pruned(probe.expect)}, setting)
        if not result.passed or result.decision is None:
            continue
        covered = covered or result.covered
        expect = _pruned(probe.expect, ("fixes",)) if setting.is_alone else probe.expect
        found.append({**head, "expect": _filled(expect, result.decision.as_json(), rule.code)})
    return (found if covered else []), covered and len(found) == len(probes)


def _run(ruleset: Ruleset, rule: Rule, case: Mapping[str, Any], setting: Setting) -> CaseResult:
    tried = replace(rule, mode="live", scope=None, cases=(case,))
    return run_case(ruleset, tried, 0, setting.catalog, setting.today or _NO_DAY)


def _pruned(value: Any, only: Sequence[str] = ()) -> Any:
    """What is expected, without what is only looked up; with `only`, without those of it."""
    if isinstance(value, Mapping):
        gone = [word for word, one in value.items() if one is SEEN and (not only or word in only)]
        return {word: _pruned(one, only) for word, one in value.items() if word not in gone}
    return [_pruned(one, only) for one in value] if isinstance(value, list) else value


def _filled(value: Any, actual: Any, code: str) -> Any:
    """What is expected, with what the decision says in the places that are looked up."""
    if isinstance(value, Mapping):
        out = {word: _filled(one, actual.get(word), code) for word, one in value.items()}
        return {word: one for word, one in out.items() if one is not None}
    if isinstance(value, list):
        return [
            _filled(
                one, next(there for there in actual if not list(mismatches(_pruned(one), there, code))), code
            )
            if isinstance(one, Mapping)
            else one
            for one in value
        ]
    return _plain(actual) if value is SEEN else value


def _plain(actual: Any) -> Any:
    """A value of the decision as a rule file has it: numbers bare, ways out as quantities."""
    if isinstance(actual, list):
        return [
            one["quantity"] if isinstance(one, Mapping) and "quantity" in one else one for one in actual
        ] or None
    if isinstance(actual, str):
        try:
            return number(Decimal(actual))
        except ArithmeticError:
            return actual
    return actual
