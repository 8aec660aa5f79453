"""Rules in shards of few enough for one network, and which shards a line can meet.

A line is posted only where its own product and customer are filed; the rest of a rule the engine decides.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from rules.compiled import CompiledRule
from rules.facts import Customer
from rules.in_force import RulesInForce
from rules.index import filed_under
from rules.networks import (
    CATCH_ALL,
    MOST_ALTERNATIVES,
    MOST_LINES,
    MOST_PROPERTIES,
    MOST_RULES,
    MOST_VALUES,
    Comparison,
    Property,
    Translator,
    conditions_of,
    values_of,
)
from rules.reading import CATEGORY, CartFacts, LineFacts

_OPERATORS = {"not": "$neq", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}


class Shard:
    """The rules of one network. Numbers and the engine's form are made when it is first needed."""

    def __init__(self) -> None:
        self.rules: list[CompiledRule] = []
        self.of_cart: list[tuple[str, Property]] = []
        self.of_line: list[tuple[str, Property]] = []

    def define(self, translator: Translator) -> str:
        """The network as the engine's JSON; also names the properties that its facts must carry."""
        names: dict[Property, str] = {}
        network: dict[str, Any] = {}
        for compiled in self.rules:
            terms: list[dict[str, Any]] = [{"z": 1}]
            for clause in translator.clauses(compiled):
                for comparison in clause:
                    names.setdefault(comparison.fact, f"p{len(names)}")
                choices = [_term(names[one.fact], one) for one in clause]
                terms.append(choices[0] if len(choices) == 1 else {"$or": choices})
            network[f"r{compiled.ordinal}"] = _engine_rule(terms)
        network[CATCH_ALL] = _engine_rule([{"z": 1}])  # a fact that no rule matches loses the whole batch
        self.of_cart = [(name, held) for held, name in names.items() if held.of_cart]
        self.of_line = [(name, held) for held, name in names.items() if not held.of_cart]
        return json.dumps(network)

    def bodies(self, lines: list[LineFacts], known: dict[Property, int | None]) -> dict[str, list[int]]:
        """Facts to post, without id, each with the places of the lines that look like it to this network."""
        parts = []
        for name, held in self.of_cart:
            if held not in known:
                known[held] = held.read(lines[0])
            number = known[held]
            if number is not None:
                parts.append(f',"{name}":{number}')
        cart = "".join(parts)
        found: dict[str, list[int]] = {}
        for line in lines:
            body = cart
            for name, held in self.of_line:
                number = held.read(line)
                if number is not None:
                    body += f',"{name}":{number}'
            found.setdefault(body, []).append(line.place)
        return found


def _term(name: str, comparison: Comparison) -> dict[str, Any]:
    test = {name: comparison.number}
    return test if comparison.op == "eq" else {_OPERATORS[comparison.op]: test}


def _engine_rule(terms: list[dict[str, Any]]) -> dict[str, Any]:
    return {"all": [{"m": {"$and": terms}}], "cap": MOST_LINES}


class Plan:
    """Which rules go into which shard, and which shards a line can meet."""

    def __init__(self, rules: RulesInForce, late: bool) -> None:
        concerned = [compiled for compiled in rules.rules if compiled.is_late == late]
        self.translator = Translator(concerned)
        self.shards: list[Shard] = []
        self._filed: dict[str, Filed] = {}  # by customer code, "" for anyone
        weight = properties = 0
        for codes, fact, values, compiled in sorted(map(_filing, concerned), key=lambda one: one[:3]):
            widest, wanted = _size(compiled)
            if (
                not self.shards
                or len(self.shards[-1].rules) == MOST_RULES
                or weight + widest > MOST_ALTERNATIVES
                or properties + wanted > MOST_PROPERTIES
            ):
                self.shards.append(Shard())
                weight = properties = 0
            weight += widest
            properties += wanted
            self.shards[-1].rules.append(compiled)
            for code in codes:
                self._filed.setdefault(code, Filed()).file(len(self.shards) - 1, fact, values)

    def met(self, facts: CartFacts) -> dict[int, list[LineFacts]]:
        """Numbers of the shards that could match something, with the lines that could meet them."""
        found = [self._filed.get(code) for code in ("", facts.customer.code) if code is not None]
        shelves = [filed for filed in found if filed is not None]
        everywhere = set[int]().union(*(filed.of_customer(facts.customer) for filed in shelves))
        lines: dict[int, list[LineFacts]] = {number: list(facts.lines) for number in everywhere}
        for line in facts.lines:
            own = set[int]().union(*(filed.of_line(line) for filed in shelves))
            for number in own - everywhere:
                lines.setdefault(number, []).append(line)
        return lines


class Filed:
    """Numbers of shards by the value that a line or a customer must have to meet them."""

    def __init__(self) -> None:
        self._everywhere: set[int] = set()
        self._by_value: dict[str, dict[str, set[int]]] = {}

    def file(self, number: int, fact: str, values: tuple[str, ...]) -> None:
        if not fact:
            self._everywhere.add(number)
        for value in values:
            self._by_value.setdefault(fact, {}).setdefault(value, set()).add(number)

    def of_customer(self, customer: Customer) -> set[int]:
        found = set(self._everywhere)
        for fact, named_by in _CUSTOMER_VALUES.items():
            if fact in self._by_value:
                found |= _under(self._by_value[fact], named_by(customer))
        return found

    def of_line(self, line: LineFacts) -> set[int]:
        found: set[int] = set()
        for fact, shelf in self._by_value.items():
            named_by = _PRODUCT_VALUES.get(fact)
            if named_by is not None:
                found |= _under(shelf, named_by(line))
        return found


def _filing(compiled: CompiledRule) -> tuple[tuple[str, ...], str, tuple[str, ...], CompiledRule]:
    codes, fact, values = filed_under(compiled.rule)
    return tuple(sorted(codes)) or ("",), fact or "", tuple(sorted(values)), compiled


def _size(compiled: CompiledRule) -> tuple[int, int]:
    """The most alternatives a rule can put at one node, and the most properties it can need."""
    widest, properties = 1, 1
    for condition in conditions_of(compiled):
        count = min(len(values_of(condition)), MOST_VALUES)
        widest = max(widest, count)
        properties += count if condition.fact == CATEGORY else 1
    return widest, min(properties + len(compiled.rule.when), MOST_PROPERTIES // 2)


def _under(shelf: dict[str, set[int]], values: Iterable[str | None]) -> set[int]:
    """The shards filed under any of the values."""
    found: set[int] = set()
    for value in values:
        if value in shelf:
            found |= shelf[value]
    return found


def _categories(line: LineFacts) -> list[str]:
    """The line's category and every one above it."""
    path = line.product.category
    if path is None:
        return []
    return [path, *(path[:place] for place, mark in enumerate(path) if mark == "/")]


_CUSTOMER_VALUES: dict[str, Callable[[Customer], Iterable[str | None]]] = {
    "customer.group": lambda customer: (customer.group,),
    "customer.tags": lambda customer: customer.tags or (),
    "customer.region": lambda customer: (customer.region,),
    "customer.country": lambda customer: (customer.country,),
}
_PRODUCT_VALUES: dict[str, Callable[[LineFacts], Iterable[str | None]]] = {
    "product.sku": lambda line: (line.sku,),
    "product.batch": lambda line: (line.product.batch,),
    CATEGORY: _categories,
    "product.brand": lambda line: (line.product.brand,),
    "product.tags": lambda line: line.product.tags or (),
}
