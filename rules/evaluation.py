"""One evaluation at work: the cart's facts, the rules that match, and what the stages have found so far.

Stages are functions over this record (prices, quantities, charges, ...); evaluate.py runs them in order.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rules.compiled import CompiledRule, Matching
from rules.decision import Discount, Fix, Offered, Step, Surcharge, Terms, Texts, Tier
from rules.facts import Cart
from rules.in_force import RulesInForce
from rules.matching import INDEXED, Matcher, settle
from rules.money import CURRENCIES, EXACT, ROUNDINGS, amount_text, plain
from rules.reading import CartFacts, LineFacts, reader_of
from rules.ruleset import Policy, RuleException
from rules.vocabulary import PLACEHOLDER, find_fact

_ONE = Decimal(1)
UNIT_PRICES = ("product.list_price", "product.cost")  # money that is printed without trailing zeros


@dataclass(slots=True)
class LinePrice:
    """A line's price: `unit` per `per` pieces, the amount in minor and in major units, and how it came about."""

    list_price: Decimal | None = None
    unit: Decimal | None = None
    per: int = 1
    amount: int | None = None
    steps: tuple[Step, ...] = ()


@dataclass(slots=True)
class Finding:
    """An issue before its fixes are known; `places` are the lines it names."""

    code: str
    outcome: str
    places: tuple[int, ...]
    message: Texts
    have: str | None = None
    need: str | None = None
    exception: str | None = None
    field: str | None = None
    is_quantity: bool = False
    fixes: tuple[Fix, ...] = ()


@dataclass(slots=True)
class Charge:
    """A surcharge with the places of its lines, for sorting. `of_order`: it depends on what else is ordered."""

    surcharge: Surcharge
    places: tuple[int, ...]
    of_order: bool = False


class Evaluation:
    """State of one evaluation. `reuse` is an earlier one of a cart that differs in one line only."""

    def __init__(self, rules: RulesInForce, cart: Cart, on: date, matcher: Matcher = INDEXED) -> None:
        self.rules = rules
        self.policy: Policy = rules.policy
        self.cart = cart
        self.on = on
        self.matcher = matcher
        self.currency = cart.currency or self.policy.currency
        self.exponent = CURRENCIES[self.currency]
        self.rounding = ROUNDINGS[self.policy.amount_rounding]
        self.facts = CartFacts(cart, on, self.currency)
        self.lines = self.facts.lines
        self.early: list[list[CompiledRule]] = []
        self.late: list[list[CompiledRule]] = []
        self.prices: list[LinePrice] = []
        self.findings: list[Finding] = []
        self.charges: list[Charge] = []
        self.quantity_charges: list[Charge] = []  # of the quantity stage alone
        self.discounts: list[Discount] = []
        self.discount_parts: list[int] = []
        self.shipping: tuple[Offered, ...] = ()
        self.payment: tuple[Offered, ...] = ()
        self.terms: Terms | None = None
        self.free_shipping: tuple[str, int] | None = None
        self.tiers: tuple[Tier, ...] = ()
        self.exceptions_used: set[str] = set()
        self.winners: dict[tuple[str, int | None], set[str]] = {}  # (what, place) to codes, for `considered`
        self.decided: dict[int, list[Any]] = {}  # place to who decides its quantity fields
        self.tracing = False
        self.goods = 0
        self.subtotal = 0
        self._matching: dict[int, list[LineFacts]] = {}
        self._filed: dict[str, dict[int, tuple[CompiledRule, list[LineFacts]]]] | None = None
        self._groups: dict[str, dict[Any, list[LineFacts]]] = {}
        self._any_exceptions = bool(cart.exceptions)

    # --- matching -------------------------------------------------------------------------------------------

    def match_early(self) -> None:
        """Rules known before any price: catalog, price, quantity, and others that look at no amount."""
        self.early = settle(self.matcher.match(self.rules, self.facts, late=False), self.facts)

    def match_late(self) -> None:
        """Rules that look at amounts; call when the prices of all lines stand."""
        self.facts.amounts = [
            Decimal(price.amount or 0).scaleb(-self.exponent) if self.exponent else Decimal(price.amount or 0)
            for price in self.prices
        ]
        self.goods = sum(price.amount or 0 for price in self.prices)
        if self.rules.has_late:
            self.late = settle(self.matcher.match(self.rules, self.facts, late=True), self.facts)
        self._filed = None

    def matched(self, group: str) -> dict[int, tuple[CompiledRule, list[LineFacts]]]:
        """Rules of a group with the lines they match, by ordinal in order of codes."""
        if self._filed is None:  # one walk over all lines serves every group that is asked for
            found: dict[int, tuple[CompiledRule, list[LineFacts]]] = {}
            for source in (self.early, self.late):
                for line, rules in zip(self.lines, source, strict=False):
                    for compiled in rules:
                        entry = found.get(compiled.ordinal)
                        if entry is None:
                            entry = found[compiled.ordinal] = (compiled, [])
                        entry[1].append(line)
            self._filed = {}
            for ordinal in sorted(found):
                self._filed.setdefault(found[ordinal][0].group, {})[ordinal] = found[ordinal]
        return self._filed.get(group, {})

    def lines_matching(self, compiled: CompiledRule) -> list[LineFacts]:
        """The lines an early rule matches, asked once per rule."""
        lines = self._matching.get(compiled.ordinal)
        if lines is None:
            lines = self._matching[compiled.ordinal] = [
                line for line, rules in zip(self.lines, self.early, strict=True) if compiled in rules
            ]
        return lines

    # --- exceptions and counting ----------------------------------------------------------------------------

    def effect(self, compiled: CompiledRule, line: LineFacts) -> tuple[Any, RuleException | None]:
        """The rule's effect for this line, and the exception that changed it (rule-semantics 11)."""
        if not compiled.exceptions and not self._any_exceptions:
            return compiled.effect, None
        exception = self.exception(compiled, line)
        return (exception.effect, exception) if exception else (compiled.effect, None)

    def exception(self, compiled: CompiledRule, line: LineFacts | None) -> RuleException | None:
        """The most specific exception for the cart's customer and this product; the cart's own come first."""
        customer = self.facts.customer.code
        sku = line.sku if line is not None else None
        for source in (self.cart.exceptions, compiled.exceptions):
            best: RuleException | None = None
            for one in source:
                if (
                    not isinstance(one, RuleException)
                    or one.rule != compiled.code
                    or not one.is_in_force(self.on)
                ):
                    continue
                if (one.customer is not None and one.customer != customer) or (
                    one.sku is not None and one.sku != sku
                ):
                    continue
                if best is None or _weight(one) > _weight(best):
                    best = one
            if best is not None:
                return best
        return None

    def order_effect(
        self, compiled: CompiledRule, lines: list[LineFacts]
    ) -> tuple[Any, RuleException | None]:
        """The effect of a rule for the whole order: changed by an exception that all lines it matches are under."""
        effect, exception = self.effect(compiled, lines[0])
        if exception is None or all(self.exception(compiled, line) is exception for line in lines[1:]):
            return effect, exception
        return compiled.effect, None

    def group_of(self, kind: str, line: LineFacts) -> Any:
        """The group of a line under `counts` or `per`: lines with an equal key belong together."""
        if kind == "line":
            return line.place
        if kind == "product":
            return line.sku
        if kind == "batch":
            return line.batch
        return None

    def members(self, compiled: CompiledRule, line: LineFacts, counts: str) -> list[LineFacts]:
        """The lines counted together with this one; lines under different exceptions never are."""
        if counts == "line":
            return [line]
        if counts == "matching":
            members = self.lines_matching(compiled)
        else:
            members = self._grouped(counts)[self.group_of(counts, line)]
        if compiled.exceptions or self._any_exceptions:
            own = self.exception(compiled, line)
            members = [one for one in members if self.exception(compiled, one) is own]
        return members

    def _grouped(self, kind: str) -> dict[Any, list[LineFacts]]:
        """All lines by their group, sorted once for all lines that ask."""
        groups = self._groups.get(kind)
        if groups is None:
            groups = self._groups[kind] = {}
            for line in self.lines:
                groups.setdefault(self.group_of(kind, line), []).append(line)
        return groups

    def counted(self, compiled: CompiledRule, line: LineFacts, counts: str) -> int:
        """The quantity that `counts` names, in pieces."""
        if counts == "line":
            return line.quantity
        return sum(one.quantity for one in self.members(compiled, line, counts))

    # --- amounts and texts ----------------------------------------------------------------------------------

    def minor(self, amount: Decimal) -> int:
        """A major-unit amount in minor units, rounded once by [policy] amount_rounding (rule-semantics 52)."""
        if self.exponent:
            amount = amount.scaleb(self.exponent, EXACT)
        return int(amount.quantize(_ONE, self.rounding, EXACT))

    def major(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self.exponent)

    def fill(
        self, texts: Texts, line: LineFacts | None = None, compiled: CompiledRule | None = None
    ) -> Texts:
        """Texts with their {fact.name} placeholders filled from a line, printed as the decision prints them.

        `compiled` is whose text it is: matching.* is summed over its lines. What is absent is left empty.
        """
        if not any("{" in text for text in texts.values()):
            return texts
        source = line or (self.lines[0] if self.lines else None)
        if source is None:
            return texts
        return {
            language: PLACEHOLDER.sub(lambda found: self._printed(found.group(1), source, compiled), text)
            for language, text in texts.items()
        }

    def _printed(self, name: str, line: LineFacts, compiled: CompiledRule | None) -> str:
        fact = find_fact(name)
        if fact is None:
            return f"{{{name}}}"
        if not name.startswith("matching."):
            value = reader_of(name)(line)
        else:
            lines = dict(self.matched(compiled.group).values()).get(compiled, []) if compiled else []
            value = Matching(lines).value(name)
        if value is not None and fact.type == "money" and name not in UNIT_PRICES:
            return amount_text(self.minor(value), self.currency)
        return "" if value is None else printed(value)

    def use(self, exception: RuleException | None) -> str | None:
        """Note that an exception took part; its id for the step, surcharge or issue it changed."""
        if exception is None:
            return None
        self.exceptions_used.add(exception.id)
        return exception.id

    def won(self, what: str, place: int | None, code: str) -> None:
        """Remember who decided what on a line (None: the order); only kept while tracing."""
        if self.tracing:
            self.winners.setdefault((what, place), set()).add(code)

    def line_id(self, place: int) -> str:
        return self.lines[place].line.id

    def sums(self) -> None:
        """Set the subtotal: goods plus surcharges minus the discount."""
        self.subtotal = (
            self.goods
            + sum(charge.surcharge.amount for charge in self.charges)
            - sum(discount.amount for discount in self.discounts)
        )


def _weight(exception: RuleException) -> int:
    """Customer and SKU, then customer, then SKU (rule-semantics 11)."""
    return 2 * (exception.customer is not None) + (exception.sku is not None)


def printed(value: Any) -> str:
    """A fact's value as text, the way the decision prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return " ".join(map(printed, value))
    return str(value)
