"""Warns of two known names that differ only in case or width (rule-semantics 18): they are different names."""

import unicodedata
from collections.abc import Callable, Iterator
from functools import partial

from rules.catalog import Catalog
from rules.report import Report, shown
from rules.ruleset import AnyOf, Rule, Ruleset, WhenLine
from rules.said import say
from rules.vocabulary import find_fact

_TYPES = ("text", "list", "category")
Place = Callable[[], tuple[str, int, str | None]]  # file, line and rule, looked up only when told


def check_similar_names(report: Report, ruleset: Ruleset, catalog: Catalog) -> None:
    """Names of each fact, from products, customers and conditions; the later of two similar ones is told."""
    seen: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    for fact, name, place in (*_of_catalog(catalog), *_of_rules(ruleset.rules)):
        other = seen.setdefault((fact, _folded(name)), name)
        if other != name and (fact, name) not in told:
            told.add((fact, name))
            file, line, rule = place()
            said = say("similar.names", fact=fact, name=shown(name), other=shown(other))
            report.add("similar-names", file, line, said, rule=rule)


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFKC", name).casefold()


def _of_catalog(catalog: Catalog) -> Iterator[tuple[str, str, Place]]:
    for sku, product in (catalog.products or {}).items():
        place = partial(_in_csv, catalog, "product", sku)
        yield "product.sku", sku, place
        for name in ("category", "brand", "batch"):
            if (value := getattr(product, name)) is not None:
                yield f"product.{name}", value, place
        for tag in product.tags or ():
            yield "product.tags", tag, place
    for code, customer in (catalog.customers or {}).items():
        place = partial(_in_csv, catalog, "customer", code)
        yield "customer.code", code, place
        if customer.group is not None:
            yield "customer.group", customer.group, place
        for tag in customer.tags or ():
            yield "customer.tags", tag, place


def _of_rules(rules: tuple[Rule, ...]) -> Iterator[tuple[str, str, Place]]:
    for rule in rules:
        for entry in rule.when:
            lines = (
                [line for table in entry.tables for line in table] if isinstance(entry, AnyOf) else [entry]
            )
            for line in lines:
                fact = find_fact(line.fact)
                if fact is not None and fact.type in _TYPES:
                    for value in _values(line):
                        yield line.fact, value, partial(_in_rule, rule, line.fact)


def _in_csv(catalog: Catalog, kind: str, name: str) -> tuple[str, int, str | None]:
    return f"{kind}s.csv", catalog.lines.get((kind, name), 1), None


def _in_rule(rule: Rule, fact: str) -> tuple[str, int, str | None]:
    return rule.path, rule.lines.get(f"when.{fact}", 1), rule.code


def _values(line: WhenLine) -> Iterator[str]:
    for condition in line.conditions:
        if condition.op in ("eq", "one_of", "has", "not", "not_in"):
            yield from condition.value if isinstance(condition.value, tuple) else (condition.value,)
