"""The products and customers that a shop folder knows: products.csv and customers.csv, columns named as facts.

Display columns (names, descriptions ...) are left to the storefront. No database here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.conditions import single_value
from rules.csv_files import CsvFile
from rules.errors import Finding
from rules.facts import AttributeValue, Customer, Product
from rules.folder import MOST_TABLE_BYTES, ShopFolder
from rules.report import BadValue, Report
from rules.said import say
from rules.values import clean, must_be, number_value, whole_value
from rules.vocabulary import find_fact

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.A)
PIECES = ("pieces_per_case", "pieces_per_unit")
TERMS = ("closing_day", "pay_month", "pay_day", "net_days", "end_of_month")


@dataclass(frozen=True, slots=True)
class Catalog:
    """What names are known. None: there is no such source, and names of that kind are not checked."""

    products: Mapping[str, Product] | None = None
    customers: Mapping[str, Customer] | None = None
    findings: tuple[Finding, ...] = ()
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)  # ("product", sku) to line


def read_catalog(folder: Path) -> Catalog:
    """Reads products.csv and customers.csv; wrong rows are findings. UTF-8 or CP932."""
    report = Report()
    shop = ShopFolder(Path(folder), report)
    lines: dict[tuple[str, str], int] = {}
    products = _read(shop, "products.csv", "product", "sku", lines, make_product)
    customers = _read(shop, "customers.csv", "customer", "code", lines, make_customer)
    return Catalog(products, customers, tuple(report.findings), lines)


def _read(
    shop: ShopFolder,
    path: str,
    kind: str,
    key: str,
    lines: dict[tuple[str, str], int],
    make: Callable[[Mapping[str, Any]], Any],
) -> dict[str, Any] | None:
    if not (shop.root / path).exists():
        return None
    content = shop.read(path, MOST_TABLE_BYTES)
    found: dict[str, Any] = {}
    if content is None:
        return found
    file = CsvFile(shop.report, path, content, allow_cp932=True)
    if not file.is_readable:
        return found
    if key not in file.header:
        shop.report.add("table-row", path, 1, say("csv.column-missing", name=key))
        return found
    columns = [(place, name) for place, name in enumerate(file.header) if _is_column(kind, name)]
    for line, cells in file:
        facts = _facts(shop.report, path, line, kind, columns, cells)
        name = facts.get(key)
        if name is None:
            if any(cell.strip() for cell in cells):
                shop.report.add("table-row", path, line, say("csv.no-key", key=key))
            continue
        if name in found:
            shop.report.add("table-row", path, line, say("csv.key-twice", key=key, name=name))
            continue
        found[name] = make(facts)
        lines[kind, name] = line
    return found


def _is_column(kind: str, name: str) -> bool:
    if kind == "product" and name in (*PIECES, "unit"):
        return True
    if kind == "customer" and (name in TERMS or name == "known"):
        return name != "known"
    return find_fact(f"{kind}.{name}") is not None and name not in ("quantity", "amount", "lines")


def _facts(
    report: Report, path: str, line: int, kind: str, columns: list[tuple[int, str]], cells: list[str]
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for place, name in columns:
        text = clean(cells[place].strip()) if place < len(cells) else ""
        if not text:
            continue
        try:
            facts[name] = cell_value(kind, name, text)
        except BadValue as bad:
            report.add("table-row", path, line, say("of", path=name, what=bad.said), bad.hint)
    return facts


def cell_value(kind: str, name: str, text: str) -> Any:
    """One cell as the fact's type; BadValue when it does not fit."""
    if name in PIECES:
        return whole_value(_number(text))
    if name in TERMS:
        return text == "true" if name == "end_of_month" else whole_value(_number(text), 0)
    fact = find_fact(f"{kind}.{name}")
    if fact is None or name == "unit":
        return text
    if fact.type == "list":
        return tuple(dict.fromkeys(text.split()))
    if fact.type == "attribute":
        return typed_by_value(text)
    if fact.type in ("pieces", "number", "money"):
        return single_value(fact, _number(text))
    return single_value(fact, text)


def _number(text: str) -> int | Decimal:
    if not _NUMBER.fullmatch(text) or len(text) > 30:
        raise BadValue("wrong-type", must_be(say("kind.plain-number"), text))
    return Decimal(text) if "." in text else int(text)


def typed_by_value(text: str) -> AttributeValue:
    """An attribute cell: whole number, decimal, true or false, else text (rule-semantics 19)."""
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text) and len(text) <= 30:
        try:
            number = number_value(_number(text))
        except BadValue:
            return text
        return number if "." in text else int(number)
    return text


def make_product(facts: Mapping[str, Any]) -> Product:
    """A Product of facts without prefix; attributes as attributes.NAME or already as a table."""
    attributes = dict(facts.get("attributes") or {})
    plain: dict[str, Any] = {}
    for name, value in facts.items():
        if name.startswith("attributes."):
            attributes[name[len("attributes.") :]] = value
        elif name != "attributes":
            plain[name] = value
    return Product(**plain, attributes=attributes)


def make_customer(facts: Mapping[str, Any]) -> Customer:
    """A Customer of facts without prefix; the columns of payment terms become `terms`."""
    terms = {name: facts[name] for name in TERMS if name in facts and facts[name] is not False}
    plain = {name: value for name, value in facts.items() if name not in TERMS}
    return Customer(**plain, terms=terms or None)
