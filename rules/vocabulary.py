"""ONE table of what rule files may say: facts, operators (here) and the keys of every table (keys.py).

Validation, the JSON Schema, the reference page and the desk's forms derive from it. Data and look-ups only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rules.facts import CHANNELS, PURPOSES

STAGES = (
    "catalog",
    "price",
    "quantity",
    "surcharge",
    "discount",
    "order",
    "lead_time",
    "shipping",
    "payment",
    "tax",
    "credit",
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# A placeholder of a text, such as {line.quantity}; doubled braces and anything else stay as they are.
PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z][\w.\-]*)\}(?!\})")


@dataclass(frozen=True, slots=True)
class Fact:
    """`type` is a key of TYPES; a comparison with an absent fact is false. `stage` is the first that knows it."""

    name: str
    type: str
    en: str
    ja: str
    stage: str = "catalog"
    unit: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """`takes` is one, list, either, two or bool; `types` are the fact types it works on."""

    name: str
    takes: str
    types: tuple[str, ...]
    en: str
    ja: str


TYPES = {
    "text": ("a text", "文字列"),
    "list": ("a list of texts", "文字列のリスト"),
    "category": ("a category path such as fasteners/screws", "fasteners/screws のような分類のパス"),
    "country": ("a country, ISO 3166-1 alpha-2, such as JP", "国(ISO 3166-1、例 JP)"),
    "region": ("a region, ISO 3166-2, such as JP-27", "地域(ISO 3166-2、例 JP-27)"),
    "postcode": ("a postcode without hyphen", "ハイフンなしの郵便番号"),
    "currency": ("a currency, ISO 4217, such as JPY", "通貨(ISO 4217、例 JPY)"),
    "choice": ("one of the listed words", "決められた語の一つ"),
    "pieces": ("a whole number", "整数"),
    "number": ("a number", "数"),
    "money": ("an amount in the shop's currency", "店の通貨の金額"),
    "date": ("a date such as 2026-12-01", "日付(例 2026-12-01)"),
    "bool": ("true or false", "true または false"),
    "attribute": ("a text, a number, or true or false", "文字列・数・true/false"),
}
TEXTS = ("text", "category", "country", "region", "postcode", "currency", "choice")
NUMBERS = ("pieces", "number", "money", "date")
_ANY_TYPE = (*TEXTS, "list", *NUMBERS, "bool", "attribute")

OPERATORS = {
    op.name: op
    for op in (
        Operator("lt", "one", (*NUMBERS, "attribute"), "less than", "より小さい"),
        Operator("le", "one", (*NUMBERS, "attribute"), "less than or equal to", "以下"),
        Operator("gt", "one", (*NUMBERS, "attribute"), "greater than", "より大きい"),
        Operator("ge", "one", (*NUMBERS, "attribute"), "greater than or equal to", "以上"),
        Operator(
            "between",
            "two",
            (*NUMBERS, "attribute"),
            "between two values, both included",
            "二つの値の間(両端を含む)",
        ),
        Operator(
            "not",
            "one",
            _ANY_TYPE,
            "is there and differs (a list: contains it not)",
            "値があり、それ以外(リスト: 含まない)",
        ),
        Operator("not_in", "list", _ANY_TYPE, "is there and is none of", "値があり、どれでもない"),
        Operator("starts_with", "one", (*TEXTS, "attribute"), "begins with", "で始まる"),
        Operator(
            "has",
            "either",
            ("list",),
            "the list contains the value, or one of several",
            "リストが値(のどれか)を含む",
        ),
        Operator(
            "known",
            "bool",
            _ANY_TYPE,
            "the fact is there (true) or absent (false)",
            "値がある(true)・ない(false)",
        ),
    )
}


def _fact(name: str, kind: str, en: str, ja: str, unit: str = "", values: tuple[str, ...] = ()) -> Fact:
    stage = "surcharge" if name.endswith((".amount", ".subtotal")) else "catalog"
    return Fact(name, kind, en, ja, stage, unit, values)


FACTS = {
    fact.name: fact
    for fact in (
        _fact("customer.code", "text", "the company's code", "得意先コード"),
        _fact("customer.group", "text", "the customer group", "得意先グループ"),
        _fact("customer.tags", "list", "free words about the company", "得意先のタグ"),
        _fact("customer.country", "country", "the company's country", "得意先の国"),
        _fact("customer.region", "region", "the company's region", "得意先の地域"),
        _fact("customer.orders", "pieces", "confirmed orders not cancelled", "確定した注文の数(取消を除く)"),
        _fact(
            "customer.since_days", "pieces", "days since the first such order", "最初の注文からの日数", "days"
        ),
        _fact("customer.credit_limit", "money", "the credit limit", "与信限度額"),
        _fact("customer.credit_left", "money", "what is left of the credit limit", "与信の残り"),
        _fact(
            "customer.known",
            "bool",
            "true when the cart names a customer, false for a visitor",
            "得意先が分かっていれば true",
        ),
        _fact("product.sku", "text", "the article number", "SKU(品番)"),
        _fact(
            "product.category",
            "category",
            "the category with all its sub-categories",
            "分類(下位の分類を含む)",
        ),
        _fact("product.brand", "text", "the brand", "ブランド"),
        _fact("product.tags", "list", "free words about the product", "商品のタグ"),
        _fact("product.batch", "text", "products made in one run", "同じ段取りで作る商品のまとまり"),
        _fact("product.list_price", "money", "the list price of one piece", "定価(1個)"),
        _fact("product.cost", "money", "the cost of one piece", "原価(1個)"),
        _fact("product.weight_g", "number", "the weight of one piece", "重さ(1個)", "g"),
        _fact("product.tax", "text", "the tax category", "税区分"),
        _fact("product.cadence", "text", "how often it is made", "生産の頻度"),
        _fact("product.setup_key", "text", "products that share a set-up", "段取りを共有する商品"),
        _fact("line.quantity", "pieces", "pieces of this line", "この行の数量", "pieces"),
        _fact("line.cases", "pieces", "whole cases of this line", "この行の箱数(端数を除く)", "cases"),
        _fact("line.loose", "pieces", "pieces beyond whole cases", "箱に満たない端数", "pieces"),
        _fact("line.amount", "money", "this line's amount", "この行の金額"),
        _fact("product.quantity", "pieces", "pieces of this SKU in the cart", "このSKUの数量合計", "pieces"),
        _fact("product.amount", "money", "amount of this SKU in the cart", "このSKUの金額合計"),
        _fact(
            "batch.quantity", "pieces", "pieces of this batch in the cart", "このバッチの数量合計", "pieces"
        ),
        _fact("batch.amount", "money", "amount of this batch in the cart", "このバッチの金額合計"),
        _fact("batch.lines", "pieces", "lines of this batch in the cart", "このバッチの行数", "lines"),
        _fact(
            "matching.quantity",
            "pieces",
            "pieces of all lines this rule matches",
            "このルールに当たる行の数量合計",
            "pieces",
        ),
        _fact(
            "matching.amount",
            "money",
            "amount of all lines this rule matches",
            "このルールに当たる行の金額合計",
        ),
        _fact("order.quantity", "pieces", "pieces of the whole order", "注文全体の数量", "pieces"),
        _fact(
            "order.subtotal", "money", "sum of all line amounts, without surcharges", "明細金額の合計(加算前)"
        ),
        _fact(
            "order.weight_g",
            "number",
            "weight of the order; absent when one weight is",
            "注文全体の重さ",
            "g",
        ),
        _fact("order.lines", "pieces", "number of lines", "行数", "lines"),
        _fact("order.channel", "choice", "how the order came in", "受注の経路", values=CHANNELS),
        _fact("order.purpose", "choice", "what the order is for", "注文の目的", values=PURPOSES),
        _fact("order.currency", "currency", "the cart's currency", "通貨"),
        _fact("order.on", "date", "the day of the order in the shop's time zone", "注文日(店の時間帯)"),
        _fact("order.weekday", "choice", "the weekday of that day", "注文日の曜日", values=WEEKDAYS),
        _fact("order.delivery", "date", "the delivery date asked for", "希望納期"),
        _fact("order.payment", "text", "the chosen payment method", "選ばれた支払方法"),
        _fact("order.shipping", "text", "the chosen shipping method", "選ばれた配送方法"),
        _fact("order.ship_to.country", "country", "the country shipped to", "配送先の国"),
        _fact("order.ship_to.region", "region", "the region shipped to", "配送先の地域"),
        _fact(
            "order.ship_to.postcode",
            "postcode",
            "the postcode shipped to, digits only",
            "配送先の郵便番号(数字のみ)",
        ),
    )
}
ATTRIBUTES = {
    fact.name: fact
    for fact in (
        Fact("product.attributes.NAME", "attribute", "any attribute of the product", "商品の属性"),
        Fact("line.attributes.NAME", "attribute", "any attribute of the line", "行の属性"),
    )
}
ALL_FACTS = {**FACTS, **ATTRIBUTES}


def find_fact(name: str) -> Fact | None:
    """The fact of that name, also product.attributes.ANYTHING; None when there is none."""
    fact = FACTS.get(name)
    if fact is not None:
        return fact
    for prefix in ("product.attributes.", "line.attributes."):
        if name.startswith(prefix) and len(name) > len(prefix):
            return ATTRIBUTES[prefix + "NAME"]
    return None


def is_known_at(fact: Fact, stage: str) -> bool:
    """Whether a rule of that stage may read the fact (rule-semantics 31)."""
    return STAGES.index(fact.stage) <= STAGES.index(stage)


def operators_of(fact: Fact) -> tuple[str, ...]:
    return tuple(name for name, op in OPERATORS.items() if fact.type in op.types)


def fact_names(stage: str | None = None) -> Iterator[str]:
    """Names for messages; with a stage only those it may read."""
    for name, fact in ALL_FACTS.items():
        if stage is None or is_known_at(fact, stage):
            yield name
