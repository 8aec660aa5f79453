"""What was learnt from past orders as files that can be laid over a shop folder: a price table, its rule, a minimum.

Texts only; nothing is activated. Each file tells its evidence in a comment, and its cases were evaluated.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomlkit

from rules import Cart, Catalog, Line, Ruleset, TieError, evaluate, load_ruleset
from rules.facts import Customer
from rules.money import plain
from rules.ruleset import OrderEffect
from rules.suggest import OrderMinimum, PriceRow
from storefront.patterns import Setting, next_code, write_rule

TABLE = "prices/from_history.csv"
CASES = 4
SAID: Mapping[str, Mapping[str, str]] = {
    "prices": {
        "ja": "これまでの注文から読み取った価格です。表のどの行も、実際にその価格でした。"
        "回数は evidence.csv にあります。",
        "en": "Prices that past orders show. Every row of the table was charged so; evidence.csv says how often.",
    },
    "breaks": {
        "ja": "数量の段: {rows}段、{products}品。その数量の{lines}行のうち{agree}行がこの価格でした。",
        "en": "{rows} quantity breaks of {products} products, charged on {agree} of {lines} lines of that quantity.",
    },
    "own": {
        "ja": "お客さまだけの価格: {rows}件、{customers}社。その{lines}行のうち{agree}行がこの価格でした。",
        "en": "{rows} prices of {customers} customers' own, charged on {agree} of {lines} of their lines.",
    },
    "accept": {
        "ja": "段の手前では、段より高くつく数量があります。これまでもそうでした。",
        "en": "Just before a break more pieces cost less. So it was before.",
    },
    "break_case": {
        "ja": "{sku} は{start}個から {unit} ({lines}行のうち{agree}行)",
        "en": "{sku} costs {unit} from {start}, as on {agree} of {lines} lines",
    },
    "own_case": {
        "ja": "{customer} の {sku} は {unit} ({lines}行のうち{agree}行)",
        "en": "{customer} pays {unit} for {sku}, as on {agree} of {lines} lines",
    },
    "lost": {
        "ja": "これまでの{orders}件のうち{below}件が {minimum} より少なく、粗利{margin}%では、"
        "手間(1件 {handling})に {lost} 足りませんでした。",
        "en": "{below} of {orders} past orders were below {minimum}: at a margin of {margin} % they earned {lost} less "
        "than handling them cost ({handling} each).",
    },
    "earned": {
        "ja": "{fee_from} からの{paying}件がみな手数料を払ったなら {earned} でした。"
        "増やす方もやめる方もいるので、その全部にはなりません。",
        "en": "The fee, had all {paying} from {fee_from} on paid it, would have brought {earned}. Not all would have: "
        "some order more, some not at all.",
    },
}


@dataclass(frozen=True, slots=True)
class Shop:
    """The folder that suggestions are for, as it was loaded."""

    folder: Path
    ruleset: Ruleset
    catalog: Catalog
    methods: Collection[str] | None
    today: date
    language: str = "ja"  # of comments and names of cases

    def say(self, sentence: str, **values: object) -> str:
        return SAID[sentence][self.language].format(**values)


def price_files(shop: Shop, rows: Sequence[PriceRow]) -> dict[str, str]:
    """The table of the rows and the rule that reads it, by path; empty without rows of known products."""
    products, customers = shop.catalog.products or {}, shop.catalog.customers or {}
    rows = [
        row for row in rows if row.sku in products and (row.customer is None or row.customer in customers)
    ]
    if not rows:
        return {}
    code = next_code((rule.code for rule in shop.ruleset.rules), "PR")
    path = f"rules/{code}_from_history.toml"
    files = {TABLE: _table(rows), path: _price_rule(shop, code, rows, [])}
    cases = _price_cases(shop, code, rows, files)
    return {**files, path: _price_rule(shop, code, rows, cases)}


def evidence(rows: Sequence[PriceRow], base: Mapping[str, Decimal]) -> str:
    """A CSV for a person to judge by: each row with how many lines and customers it was seen on."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["sku", "customer", "from", "unit", "usual", "lines", "agree", "customers"])
    for row in rows:
        usual = plain(base[row.sku])
        writer.writerow([row.sku, row.customer or "", row.start, plain(row.unit), usual, row.lines, row.agree,
                         row.customers])  # fmt: skip
    return file.getvalue()


def _table(rows: Sequence[PriceRow]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["customer", "sku", "from", "unit"])
    writer.writerows([row.customer or "", row.sku, row.start, plain(row.unit)] for row in rows)
    return file.getvalue()


def _price_rule(shop: Shop, code: str, rows: Sequence[PriceRow], cases: Sequence[Mapping[str, Any]]) -> str:
    made = tomlkit.document()
    made.add(tomlkit.comment(shop.say("prices")))
    for kind in ("breaks", "own"):
        some = [row for row in rows if (row.customer is None) == (kind == "breaks")]
        told = shop.say(
            kind,
            rows=len(some),
            products=len({row.sku for row in some}),
            customers=len({row.customer for row in some}),
            lines=sum(row.lines for row in some),
            agree=sum(row.agree for row in some),
        )
        made.add(tomlkit.comment(told))
    made["code"] = code
    made["name"] = _inline(ja="これまでの注文にあった価格", en="Prices of past orders")
    made["because"] = _inline(ja="これまでと同じ価格です", en="The price as before")
    made.add(tomlkit.comment(shop.say("accept")))
    made["accept"] = ["price-cliff"]
    made.add(tomlkit.nl())
    made["price"] = {"table": TABLE}
    if cases:
        made.add(tomlkit.nl())
        made["case"] = tomlkit.aot()
        for case in cases:
            made["case"].append(tomlkit.item(case))
    return tomlkit.dumps(made)


def _inline(**values: Any) -> Any:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _price_cases(
    shop: Shop, code: str, rows: Sequence[PriceRow], files: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Cases of the best-founded rows that the rules, taken together, let win."""
    overlay: dict[str, bytes | None] = {path: text.encode() for path, text in files.items()}
    loaded = load_ruleset(
        shop.folder, shop.catalog, shop.methods, shop.today, run_cases=False, overlay=overlay
    )
    if loaded.ruleset is None:
        return []
    best = sorted(rows, key=lambda row: (-row.agree, row.sku, row.customer or ""))
    wanted = [row for row in best if row.customer is None][: CASES * 5] + [
        row for row in best if row.customer is not None
    ][: CASES * 5]
    found: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for row in wanted:
        cases = found[row.customer is None]
        if len(cases) < CASES // 2 and _wins(shop, loaded.ruleset, code, row):
            cases.append(_case(shop, code, row))
    return found[True] + found[False]


def _wins(shop: Shop, ruleset: Ruleset, code: str, row: PriceRow) -> bool:
    products, customers = shop.catalog.products or {}, shop.catalog.customers or {}
    customer = Customer(known=True) if row.customer is None else customers[row.customer]
    cart = Cart((Line("1", products[row.sku], row.start),), customer)
    try:
        (line,) = evaluate(ruleset, cart, shop.today, fixes=False).lines
    except TieError:
        return False
    return any(step.code == code and step.unit_price == row.unit for step in line.steps)


def _case(shop: Shop, code: str, row: PriceRow) -> dict[str, Any]:
    name = shop.say(
        "break_case" if row.customer is None else "own_case", **{**row._asdict(), "unit": plain(row.unit)}
    )
    who = _inline(known=True) if row.customer is None else _inline(code=row.customer)
    step = _inline(code=code, unit_price=_number(row.unit))
    cart = tomlkit.array()
    cart.append(_inline(sku=row.sku, quantity=row.start))
    return {
        "name": name,
        "customer": who,
        "cart": cart,
        "expect": _inline(lines=[_inline(sku=row.sku, steps=[step])]),
    }


def _number(value: Decimal) -> Any:
    """A TOML number with the decimals it has."""
    text = plain(value)
    return tomlkit.float_(text) if "." in text else int(text)


def minimum_file(shop: Shop, found: OrderMinimum, handling: Decimal, margin: Decimal) -> dict[str, str]:
    """The order minimum as a rule file, by path, its evidence in front; it takes the place of the shop's own."""
    code = next_code((rule.code for rule in shop.ruleset.rules), "OR")
    values = {"minimum": found.minimum, "fee_from": found.fee_from, "amount": found.fee}
    methods = None if shop.methods is None else frozenset(shop.methods)
    setting = Setting(shop.ruleset, shop.catalog, methods, shop.today)
    text = write_rule("order_minimum", values, code=code, setting=setting, language=shop.language)
    others = [
        rule.code
        for rule in shop.ruleset.rules
        if isinstance(rule.effect, OrderEffect) and rule.effect.minimum
    ]
    if others:
        text = text.replace("\n[order]", f"beats = {json.dumps(others)}\n\n[order]", 1)
    facts = {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in found._asdict().items()
    }
    facts |= {"lost": f"{found.lost:,.0f}", "earned": plain(found.fee * found.paying)}
    facts |= {"handling": plain(handling), "margin": plain(margin * 100)}
    comments = "".join(f"# {shop.say(sentence, **facts)}\n" for sentence in ("lost", "earned"))
    return {f"rules/{code}_minimum_from_history.toml": comments + text}
