"""What one product costs one customer at every quantity that matters: the price table of a product page.

Evaluates a cart of this product alone at each quantity a rule names; nothing here decides a price of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule
from rules.decision import GRADES, Texts
from rules.evaluate import to_subtotal
from rules.evaluation import Evaluation
from rules.facts import MAX_QUANTITY, Cart, Line, Product
from rules.fixes import better_quantities
from rules.in_force import RulesInForce, rules_in_force
from rules.prices import table_starts
from rules.quantities import decided_fields
from rules.reading import COUNTED
from rules.ruleset import AnyOf, Ruleset

_MOST_ROWS = 40  # a price table longer than this is a file to download, not a table to read
_ORDERABLE = GRADES.index("surcharge")


@dataclass(frozen=True, slots=True)
class OfferRow:
    """From `start` to `end` pieces (None: no end) one piece costs the same; `surcharge`: at `start`, of the product."""

    start: int
    end: int | None
    unit_price: Decimal | None
    per: int
    surcharge: int
    codes: tuple[str, ...]  # rules that made the price, then those that made the surcharge
    amount: int | None = None  # of `start` pieces, minor units, without the surcharge
    charges: tuple[tuple[str, int], ...] = ()  # the parts of `surcharge` by rule code


@dataclass(frozen=True, slots=True)
class Offer:
    """What a customer may order of a product, and for how much. `issue` is why it cannot simply be bought."""

    sku: str
    first: int  # the smallest quantity that can be ordered, at least 1
    step: int  # the multiple, else 1
    rows: tuple[OfferRow, ...]
    minimum: int | None = None
    multiple: int | None = None
    maximum: int | None = None
    allowed: tuple[int, ...] | None = None
    codes: Mapping[str, str] | None = None  # field (minimum, multiple, maximum, allowed) to rule code
    reasons: Mapping[str, Texts] | None = None  # field to the rule's reason
    outcome: str = "ok"  # worst catalog outcome: ok, quotation or block
    issue: Any = None  # the catalog finding: code, outcome, message
    list_price: Decimal | None = None
    list_per: int = 1  # the pieces the list price is for
    is_hidden: bool = False


def offer(ruleset: Ruleset, cart: Cart, product: Product, on: date) -> Offer:
    """The whole price table of a product for the cart's customer; the cart's lines do not matter."""
    return _Asking(ruleset, cart, product, on).offer()


def briefs(ruleset: Ruleset, cart: Cart, products: Iterable[Product], on: date) -> dict[str, Offer]:
    """For catalog pages: by SKU the offer with its first row and the next cheaper one only."""
    return {product.sku: _Asking(ruleset, cart, product, on).offer(brief=True) for product in products}


def hidden_skus(ruleset: Ruleset, cart: Cart, products: Iterable[Product], on: date) -> set[str]:
    """The products a catalog rule hides from this customer; at once empty when no rule hides anything."""
    rules = rules_in_force(ruleset, on)
    hiding = {one.ordinal for one in rules.rules if one.group == "CA" and one.effect.hide}
    if not hiding:
        return set()
    hidden = set()
    for product in products:
        work = Evaluation(rules, replace(cart, lines=(Line("1", product, 1),)), on)
        work.match_early()
        if any(one.ordinal in hiding for one in work.early[0]):
            hidden.add(product.sku)
    return hidden


class _Asking:
    """One product asked at several quantities; each quantity is evaluated once."""

    def __init__(self, ruleset: Ruleset, cart: Cart, product: Product, on: date) -> None:
        self.rules: RulesInForce = rules_in_force(ruleset, on)
        self.cart = cart
        self.product = product
        self.on = on
        self._asked: dict[int, Evaluation] = {}

    def at(self, quantity: int) -> Evaluation:
        work = self._asked.get(quantity)
        if work is None:
            cart = replace(
                self.cart, lines=(Line("1", self.product, quantity),), exceptions=self.cart.exceptions
            )
            work = self._asked[quantity] = Evaluation(self.rules, cart, self.on)
            work.tracing = True
            to_subtotal(work)
        return work

    def offer(self, brief: bool = False) -> Offer:
        first, quantity_rules = self._first()
        work = self.at(first)
        catalog = next(
            (one for one in work.findings if one.field in ("hide", "buy", "login", "quotation")), None
        )
        no_price = next((one for one in work.findings if one.field == "price"), None)
        issue = catalog or no_price
        decided = decided_fields(work, work.lines[0], quantity_rules)
        fields = {one.field: one for one in decided}
        multiple = fields["multiple"].effect.multiple if "multiple" in fields else None
        return Offer(
            sku=self.product.sku,
            first=first,
            step=multiple or 1,
            rows=() if work.prices[0].unit is None else tuple(self._rows(first, brief)),
            minimum=fields["minimum"].effect.minimum if "minimum" in fields else None,
            multiple=multiple,
            maximum=fields["maximum"].effect.maximum if "maximum" in fields else None,
            allowed=fields["allowed"].effect.allowed if "allowed" in fields else None,
            codes={one.field: one.compiled.code for one in decided},
            reasons={one.field: one.compiled.rule.because for one in decided if one.compiled.rule.because},
            outcome=issue.outcome if issue else "ok",
            issue=issue,
            list_price=work.prices[0].list_price,
            list_per=next((step.per for step in reversed(work.prices[0].steps) if step.lane == "list"), 1),
            is_hidden=catalog is not None and catalog.field == "hide",
        )

    def _first(self) -> tuple[int, list[CompiledRule]]:
        """The smallest quantity that is at worst charged extra; 1 when nothing can be ordered at all."""
        return self._valid_from(1) or 1, self.at(self._valid_from(1) or 1).early[0]

    def _valid_from(self, quantity: int) -> int | None:
        """The first quantity from here on that is at worst charged extra."""
        work = self.at(quantity)
        if not any(one.is_quantity and GRADES.index(one.outcome) > _ORDERABLE for one in work.findings):
            return quantity
        better = better_quantities(work, work.lines[0])
        return next((one for one, grade in better if one > quantity and grade <= _ORDERABLE), None)

    def _rows(self, first: int, brief: bool) -> Iterable[OfferRow]:
        rows: list[OfferRow] = []
        for start in self._starts(first):
            valid = self._valid_from(start)
            if valid is None or (rows and valid <= rows[-1].start):
                continue
            row = self._row(valid)
            if rows and (row.unit_price, row.per, row.surcharge) == (
                rows[-1].unit_price,
                rows[-1].per,
                rows[-1].surcharge,
            ):
                continue
            if brief and rows:
                if not _is_cheaper(row, rows[0]):
                    continue
                return [rows[0], row]
            rows.append(row)
            if len(rows) == _MOST_ROWS:
                break
        return [
            replace(row, end=rows[place + 1].start - 1 if place + 1 < len(rows) else None)
            for place, row in enumerate(rows)
        ]

    def _row(self, quantity: int) -> OfferRow:
        work = self.at(quantity)
        price = work.prices[0]
        codes = [step.code for step in price.steps if step.code]
        own = [charge.surcharge for charge in work.charges if not charge.of_order]
        codes += [one.code for one in own]
        charged = sum(one.amount for one in own)
        return OfferRow(
            quantity, None, price.unit, price.per, charged, tuple(dict.fromkeys(codes)), price.amount,
            tuple((one.code, one.amount) for one in own),
        )  # fmt: skip

    def _starts(self, first: int) -> list[int]:
        """Quantities at which some rule could change the price or the charge, ascending, from `first` on."""
        work = self.at(first)
        line = work.lines[0]
        found = {first}
        for index in (self.rules.early, self.rules.late):
            for compiled in index.of_customer(self.cart.customer) + index.of_line(line):
                effect = work.effect(compiled, line)[0]
                if compiled.group == "PR":
                    found.update(one.start for one in effect.breaks)
                    if effect.table is not None:
                        found.update(table_starts(effect.table, line))
                elif compiled.group == "QT":
                    found.update(int(one.at_least) for one in effect.below if one.at_least is not None)
                    found.update(one for one in (effect.minimum,) if one is not None)
                if compiled.counted:
                    found.update(_quantities_named(compiled))
        return sorted(one for one in found if first <= one <= MAX_QUANTITY)[: 2 * _MOST_ROWS]


def _is_cheaper(row: OfferRow, than: OfferRow) -> bool:
    if row.unit_price is None or than.unit_price is None:
        return False
    return row.unit_price * than.per < than.unit_price * row.per


def _quantities_named(compiled: CompiledRule) -> set[int]:
    """Numbers a rule's conditions compare a quantity with, and the next piece after each."""
    found: set[int] = set()
    for one in compiled.rule.when:
        for entry in (line for table in one.tables for line in table) if isinstance(one, AnyOf) else (one,):
            if entry.fact in COUNTED and entry.fact.endswith(".quantity"):
                for condition in entry.conditions:
                    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
                    for value in values:
                        if not isinstance(value, bool):
                            found.update((int(value), int(value) + 1))
    return found
