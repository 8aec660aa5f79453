"""Cart input, from the command line, the API or a [[case]], to a frozen Cart: every fault collected and named.

Inline facts override the shop's own one by one (rule-semantics 32); nothing is guessed, nothing is merged.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from rules.cart_json import read_json as read_json
from rules.catalog import PIECES, TERMS, Catalog, make_customer, make_product
from rules.conditions import attribute_value, single_value
from rules.errors import CartError, Fault
from rules.exceptions import compile_exception
from rules.facts import (
    CHANNELS,
    PURPOSES,
    VISITOR,
    AttributeValue,
    Cart,
    Customer,
    Line,
    Method,
    Product,
    ShipTo,
)
from rules.keys import TABLES
from rules.names import NAMES, unknown_name
from rules.report import BadValue, Report, Source, nearest, shown, suggestion
from rules.ruleset import PriceEffect, PriceTable, RuleException, Ruleset
from rules.said import Sentence, say
from rules.values import (
    amount_value,
    bool_value,
    choice_value,
    clean,
    currency_value,
    date_value,
    must_be,
    text_value,
    whole_value,
)
from rules.vocabulary import FACTS, find_fact

_CUSTOMER = tuple(name.partition(".")[2] for name in FACTS if name.startswith("customer."))
_OBJECT = say("kind.object")
_PRODUCT = tuple(field.name for field in fields(Product))


def read_cart(
    data: Any, ruleset: Ruleset, catalog: Catalog, *, today: date | None = None
) -> tuple[Cart, date | None]:
    """The cart and its `on`, if it names one. `today` serves tax categories when it does not.

    Raises CartError with all faults (rule-semantics 15, 32, 87, 121). Nothing is looked up outside `catalog`.
    """
    reader = _CartReader(ruleset, catalog)
    return reader.read(data, today)


class _CartReader:
    """Reads one cart; `faults` gathers what is wrong on the way."""

    def __init__(self, ruleset: Ruleset, catalog: Catalog) -> None:
        self.ruleset = ruleset
        self.catalog = catalog
        self.faults: list[Fault] = []
        self.categories: set[str] = set()

    def fault(self, field: str, said: Sentence, hint: Sentence | None = None) -> None:
        self.faults.append(Fault(field, said, hint))

    def read(self, data: Any, today: date | None) -> tuple[Cart, date | None]:
        if not isinstance(data, Mapping):
            raise CartError([Fault("cart", must_be(_OBJECT, data))])
        self.known_keys(data, "cart", "")
        on = self.value(data, "on", lambda value: date_value(value, as_json=True))
        policy = self.ruleset.policy
        day = on or today
        self.categories = (
            {row.category for row in policy.tax_rates} if day is None else set(policy.rates_on(day))
        )
        currency = self.value(data, "currency", currency_value)
        if currency is not None and currency != policy.currency:
            self.fault("currency", say("cart.currency", currency=currency, shop=policy.currency))
        products = self.products(data.get("products"))
        cart = Cart(
            lines=self.lines(data.get("lines"), products),
            customer=self.customer(data.get("customer")),
            channel=self.value(data, "channel", lambda value: choice_value(value, CHANNELS)) or "web",
            purpose=self.value(data, "purpose", lambda value: choice_value(value, PURPOSES)) or "normal",
            currency=policy.currency,
            delivery=self.value(data, "delivery", lambda value: date_value(value, as_json=True)),
            ship_to=self.ship_to(data.get("ship_to")),
            shipping_quotes=self.methods(data.get("shipping_quotes"), "shipping_quotes", codes_alone=False),
            payment_methods=self.methods(data.get("payment_methods"), "payment_methods", codes_alone=True),
            shipping=self.value(data, "shipping", text_value),
            payment=self.value(data, "payment", text_value),
            lead_time=self.value(data, "lead_time", text_value),
            exceptions=self.exceptions(data.get("exceptions")),
            placing=bool(self.value(data, "placing", bool_value)),
        )
        if self.faults:
            raise CartError(self.faults)
        return cart, on

    def known_keys(self, data: Mapping[Any, Any], table: str, field: str) -> None:
        for word in data:
            if word not in TABLES[table]:
                where = f"{field}.{word}" if field else str(word)
                self.fault(where[:100], say("cart.unknown-key"), suggestion(str(word), TABLES[table]))

    def value(self, data: Mapping[str, Any], word: str, read: Any, field: str = "") -> Any:
        """One value, or None when absent: null, a missing key and the empty text (rule-semantics 23)."""
        value = data.get(word)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except BadValue as bad:
            self.fault(field or word, bad.said, bad.hint)
        return None

    def table(self, value: Any, field: str) -> Mapping[str, Any] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, Mapping):
            self.fault(field, must_be(_OBJECT, value))
            return None
        return value

    def array(self, value: Any, field: str) -> list[Any] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, list):
            self.fault(field, must_be(say("kind.list"), value))
            return None
        return value

    # who orders

    def customer(self, value: Any) -> Customer:
        data = self.table(value, "customer")
        if not data:
            return VISITOR
        facts: dict[str, Any] = {}
        for word, one in data.items():
            if word == "terms" and (terms := self.table(one, "customer.terms")) is not None:
                facts.update(self.terms(terms, "customer.terms"))
            elif word in TERMS:
                facts.update(self.terms({word: one}, "customer"))
            elif word in _CUSTOMER:
                facts[word] = self.fact("customer", word, one, f"customer.{word}")
            elif word != "terms":
                hint = nearest(str(word), _CUSTOMER)
                self.fault(f"customer.{word}"[:100], say("cart.customer-fact"), hint)
        known = facts.pop("known", None)
        found = make_customer({word: one for word, one in facts.items() if one is not None})
        code = facts.get("code")
        own = (self.catalog.customers or {}).get(code) if code is not None else None
        if own is not None:
            named = {word: one for word, one in facts.items() if word not in TERMS}
            found = replace(own, **named, terms=found.terms or own.terms)
        is_named = known if known is not None else any(one is not None for one in facts.values())
        return replace(found, known=is_named)

    def terms(self, data: Mapping[str, Any], field: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for word, value in data.items():
            if word not in TERMS:
                self.fault(f"{field}.{word}"[:100], say("cart.term"), suggestion(str(word), TERMS))
            elif value is not None:
                read = bool_value if word == "end_of_month" else _count
                found[word] = self.value(data, word, read, f"{field}.{word}")
        return found

    # what is ordered

    def fact(self, kind: str, word: str, value: Any, field: str) -> Any:
        """One inline fact, typed as in the vocabulary; None when absent or wrong."""
        if value is None or value == "":
            return None
        try:
            if word in PIECES:
                return whole_value(value)
            if word == "unit":
                return text_value(value)
            fact = find_fact(f"{kind}.{word}")
            assert fact is not None
            if fact.type != "list":
                return single_value(fact, value, as_json=True)
            if not isinstance(value, list):
                raise BadValue("wrong-type", must_be(say("kind.texts"), value))
            return tuple(text_value(one) for one in value)
        except BadValue as bad:
            self.fault(field, bad.said, bad.hint)
        return None

    def attributes(self, value: Any, field: str) -> dict[str, AttributeValue | None]:
        data = self.table(value, field) or {}
        found: dict[str, AttributeValue | None] = {}
        for name, one in data.items():
            found[str(name)] = self.value(data, name, attribute_value, f"{field}.{name}"[:100])
            if one is None or one == "":
                found[str(name)] = None
        return found

    def products(self, value: Any) -> dict[str, Product]:
        """The products given inline, merged over the shop's own."""
        found: dict[str, Product] = {}
        for sku, facts in (self.table(value, "products") or {}).items():
            field = f"products.{sku}"[:80]
            data = self.table(facts, field)
            if not isinstance(sku, str) or not sku.strip():
                self.fault("products", say("cart.product-without-sku"))
                continue
            sku = clean(sku)
            own = (self.catalog.products or {}).get(sku)
            named: dict[str, Any] = {}
            attributes: dict[str, Any] = dict(own.attributes) if own else {}
            for word, one in (data or {}).items():
                if word == "attributes":
                    attributes.update(self.attributes(one, f"{field}.attributes"))
                elif word.startswith("attributes.") and len(word) > len("attributes."):
                    attributes.update(self.attributes({word.partition(".")[2]: one}, field))
                elif word in _PRODUCT:
                    named[word] = self.fact("product", word, one, f"{field}.{word}")
                else:
                    hint = nearest(word, _PRODUCT)
                    self.fault(f"{field}.{word}"[:100], say("cart.product-fact"), hint)
            if named.pop("sku", sku) != sku:
                self.fault(f"{field}.sku", say("cart.other-sku"))
            kept = {name: one for name, one in attributes.items() if one is not None}
            found[sku] = (
                replace(own, **named, attributes=kept)
                if own
                else make_product({**named, "sku": sku, "attributes": kept})
            )
        return found

    def lines(self, value: Any, products: Mapping[str, Product]) -> tuple[Line, ...]:
        entries = self.array(value, "lines")
        if not entries:
            if value is None or value == "" or entries == []:
                self.fault("lines", say("cart.no-line"))
            return ()
        found: list[Line] = []
        seen: dict[str, int] = {}
        for place, entry in enumerate(entries):
            line = self.line(entry, place, products, seen)
            if line is not None:
                found.append(line)
        return tuple(found)

    def line(
        self, entry: Any, place: int, products: Mapping[str, Product], seen: dict[str, int]
    ) -> Line | None:
        """One line; `seen` are the ids so far, those of lines with other faults too."""
        field = f"lines[{place}]"
        if not isinstance(entry, Mapping):
            self.fault(field, must_be(_OBJECT, entry))
            return None
        self.known_keys(entry, "cart.lines", field)
        line_id = self.value(entry, "id", _line_id, f"{field}.id") or str(place + 1)
        if line_id in seen:
            said = say("cart.id-twice", id=shown(line_id), line=seen[line_id] + 1)
            self.fault(f"{field}.id", said)
        seen.setdefault(line_id, place)
        sku = self.value(entry, "sku", text_value, f"{field}.sku")
        product = None
        if sku is None:
            if entry.get("sku") in (None, ""):
                self.fault(f"{field}.sku", say("cart.missing"))
        else:
            product = self.product(sku, products, f"{field}.sku")
        quantity = None
        if entry.get("quantity") is None:
            self.fault(f"{field}.quantity", say("cart.missing"))
        else:
            try:
                quantity = whole_value(entry["quantity"])
            except BadValue as bad:
                self.fault(f"{field}.quantity", bad.said)
        attributes = self.attributes(entry.get("attributes"), f"{field}.attributes")
        if product is None or quantity is None:
            return None
        return Line(
            line_id, product, quantity, {name: one for name, one in attributes.items() if one is not None}
        )

    def product(self, sku: str, products: Mapping[str, Product], field: str) -> Product | None:
        product = products.get(sku) or (self.catalog.products or {}).get(sku)
        if product is None:
            self.fault(
                field,
                unknown_name(NAMES["product"], sku),
                nearest(sku, [*products, *(self.catalog.products or ())]),
            )
        elif (product.tax or self.ruleset.policy.tax_default) not in self.categories:
            tax = product.tax or self.ruleset.policy.tax_default
            said = say("cart.product-tax", sku=sku, tax=shown(tax))
            self.fault(field, said, nearest(tax, self.categories))
        return product

    # how it goes and is paid

    def ship_to(self, value: Any) -> ShipTo:
        data = self.table(value, "ship_to") or {}
        self.known_keys(data, "cart.ship_to", "ship_to")
        country, region, postcode = (
            self.fact("order", f"ship_to.{word}", _plain_postcode(word, data.get(word)), f"ship_to.{word}")
            for word in ("country", "region", "postcode")
        )
        return ShipTo(country, region, postcode)

    def methods(self, value: Any, field: str, codes_alone: bool) -> tuple[Method, ...] | None:
        entries = self.array(value, field)
        if entries is None:
            return None
        found: dict[str, Method] = {}
        for place, entry in enumerate(entries):
            here = f"{field}[{place}]"
            data = {"code": entry} if codes_alone and isinstance(entry, str) else self.table(entry, here)
            if data is None:
                if entry in (None, ""):
                    self.fault(here, say("cart.empty"))
                continue
            self.known_keys(data, "cart.method", here)
            code = self.value(data, "code", text_value, f"{here}.code")
            amount = self.value(data, "amount", self.amount, f"{here}.amount")
            tax = self.value(data, "tax", text_value, f"{here}.tax")
            if tax is not None and tax not in self.categories:
                hint = nearest(tax, self.categories)
                self.fault(f"{here}.tax", unknown_name(NAMES["tax"], tax), hint)
            if code is None:
                self.fault(f"{here}.code", say("cart.missing"))
            elif code in found:
                self.fault(f"{here}.code", say("cart.twice", name=shown(code)))
            else:
                found[code] = Method(code, amount, tax)
        return tuple(found.values())

    def amount(self, value: Any) -> Any:
        amount = amount_value(value, self.ruleset.policy.currency, as_json=True)
        if amount < 0:
            raise BadValue("wrong-value", say("value.negative", value=shown(amount)))
        return amount

    def exceptions(self, value: Any) -> tuple[RuleException, ...]:
        """Exceptions in the form of exception files; a price table must be one that the rules already use."""
        found: list[RuleException] = []
        for place, entry in enumerate(self.array(value, "exceptions") or ()):
            report = Report()
            source = Source(
                report, f"exceptions[{place}]", currency=self.ruleset.policy.currency, as_json=True
            )
            rules = {rule.code: rule for rule in self.ruleset.rules}
            if isinstance(entry, Mapping):
                entry = {word: one for word, one in entry.items() if one is not None}
            one = compile_exception(
                source, entry, rules, f"cart-{place + 1}", self.price_table, table="cart.exception"
            )
            for finding in report.findings:
                self.fault(finding.file, finding.sentence, finding.advice)
            if one is not None:
                found.append(one)
        return tuple(found)

    def price_table(self, source: Source, text: str, path: str) -> PriceTable | None:
        for rule in self.ruleset.rules:
            if isinstance(rule.effect, PriceEffect) and rule.effect.table and rule.effect.table.path == text:
                return rule.effect.table
        source.problem("unreadable", path, say("cart.no-table", path=shown(text)))
        return None


def _line_id(value: Any) -> str:
    return str(value) if type(value) is int and abs(value) < 10**18 else text_value(value)


def _count(value: Any) -> int:
    return whole_value(value, 0)


def _plain_postcode(word: str, value: Any) -> Any:
    """Postcodes are compared without hyphen (rule-semantics 130); a cart may still write one."""
    return value.replace("-", "").replace(" ", "") if word == "postcode" and isinstance(value, str) else value
