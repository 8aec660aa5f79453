"""The reference of the rule language as Markdown, derived from the vocabulary; docs/rule-reference.md is its output."""

from collections.abc import Iterator

from rules.keys import EFFECTS, KEY_TYPES, TABLE_COLUMNS, TABLES, Key
from rules.ruleset import GROUPS
from rules.vocabulary import ALL_FACTS, OPERATORS, STAGES, TYPES, Fact, operators_of

_TITLES = {
    "": "The file / ファイル",
    "scope": "[scope]",
    "case": "[[case]]",
    "policy": "[policy] of shop.toml",
    "tax": "[tax] of shop.toml",
    "tax.rates": "[[tax.rates]] of shop.toml",
    "exception": "An exception file / 例外ファイル",
    "cart": "The cart input / カートの入力",
    "cart.lines": "cart: lines",
    "cart.ship_to": "cart: ship_to",
    "cart.method": "cart: shipping_quotes, payment_methods",
}


def reference() -> str:
    """The whole page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Rule reference"
    yield ""
    yield "Made by `koguchi rules vocabulary` from the vocabulary that also checks the files. Do not edit by hand."
    yield ""
    yield "一覧はルールの検査に使う語彙から作られています。手で書き換えないでください。"
    yield ""
    yield "## Groups and stages / 群と段階"
    yield ""
    yield "| group | table |"
    yield "|---|---|"
    for group, table in GROUPS.items():
        yield f"| {group} | `[{table}]` |"
    yield ""
    yield f"Stages run in this order: {', '.join(STAGES)}. A fact may be read from the stage that knows it."
    yield ""
    yield "## Facts / 項目"
    yield ""
    yield "| fact | type | operators | from stage | meaning | 意味 |"
    yield "|---|---|---|---|---|---|"
    for fact in ALL_FACTS.values():
        yield _fact_row(fact)
    yield ""
    yield "A bare value means equals, a list means one of. `any = [{...}, {...}]` is an or of such tables."
    yield ""
    yield "## Operators / 演算子"
    yield ""
    yield "| operator | takes | meaning | 意味 |"
    yield "|---|---|---|---|"
    takes = {
        "one": "a value",
        "list": "a list",
        "either": "a value or a list",
        "two": "two values",
        "bool": "true, false",
    }
    for operator in OPERATORS.values():
        yield f"| `{operator.name}` | {takes[operator.takes]} | {operator.en} | {operator.ja} |"
    yield ""
    yield "## Tables and keys / 表とキー"
    for name, keys in TABLES.items():
        if keys and name not in ("expect", "cart.exception"):
            yield from _table(name, keys)
    yield ""
    yield "## Price tables / 価格表"
    yield ""
    yield f"CSV, UTF-8, with any of these columns: {', '.join(f'`{column}`' for column in TABLE_COLUMNS)}."
    yield "Each row has exactly one of `unit` and `rate`; an empty cell means any, an empty `from` means 1."


def _fact_row(fact: Fact) -> str:
    kind = TYPES[fact.type][0] if not fact.values else "one of " + ", ".join(fact.values)
    unit = f" ({fact.unit})" if fact.unit else ""
    operators = " ".join(f"`{name}`" for name in operators_of(fact))
    return f"| `{fact.name}` | {kind}{unit} | {operators} | {fact.stage} | {fact.en} | {fact.ja} |"


def _table(name: str, keys: dict[str, Key]) -> Iterator[str]:
    title = _TITLES.get(name)
    if title is None:
        title = f"[{name}]" if name in EFFECTS else name
    yield ""
    yield f"### {title}"
    yield ""
    yield "| key | value | default | meaning | 意味 |"
    yield "|---|---|---|---|---|"
    for key in keys.values():
        value = ", ".join(f"`{word}`" for word in key.values) or KEY_TYPES[key.type][0]
        default = "required" if key.required else key.default
        yield f"| `{key.name}` | {value} | {default} | {key.en} | {key.ja} |"
    kinds = [key.name for key in keys.values() if key.kind]
    if kinds:
        yield ""
        yield f"At most one of {', '.join(f'`{kind}`' for kind in kinds)}."
