"""The second half of the vocabulary: every table of a rule file, exception, shop.toml, case and cart with its keys.

A key's type is read by values.py; what the keys mean together is effects.py. Data only.
"""

from dataclasses import dataclass

from rules.facts import CHANNELS, PURPOSES
from rules.ruleset import LANES

COUNTS = ("line", "product", "batch", "matching", "order")
OUTCOMES = ("block", "surcharge", "approval", "warn", "quotation")
ABOVE = ("block", "quotation", "approval", "warn")
ROUND_MODES = ("half_up", "half_even", "floor", "ceil")
TAX_ROUNDINGS = ("floor", "half_up", "ceil")

# type of a key: (English, Japanese)
KEY_TYPES = {
    "text": ("a text", "文字列"),
    "texts": ('a text or {ja = "...", en = "..."}', '文字列または {ja = "...", en = "..."}'),
    "choice": ("one of the listed words", "決められた語の一つ"),
    "true": ("true", "true"),
    "false": ("false", "false"),
    "bool": ("true or false", "true または false"),
    "whole": ("a whole number from 1", "1以上の整数"),
    "count": ("a whole number from 0", "0以上の整数"),
    "price": ("a unit price, 0 or more, up to 6 decimals", "単価(0以上、小数6桁まで)"),
    "amount": ("an amount in the shop's currency, 0 or more", "店の通貨の金額(0以上)"),
    "positive_amount": ("an amount above 0", "0より大きい金額"),
    "signed_amount": ("an amount, also negative", "金額(負も可)"),
    "quantity_or_amount": ("a number, 0 or more", "数(0以上)"),
    "factor": ("a factor from 0 to 10", "0から10の掛率"),
    "percent": ("a percentage, 0 or more", "百分率(0以上)"),
    "percent_100": ("a percentage from 0 to 100", "0から100の百分率"),
    "percent_signed": ("a percentage, also negative", "百分率(負も可)"),
    "positive": ("a number above 0", "0より大きい数"),
    "day": ("a day of the month", "日"),
    "time": ("a time such as 12:30", "時刻(例 12:30)"),
    "date": ("a date such as 2026-12-01", "日付(例 2026-12-01)"),
    "currency": ("an ISO 4217 code such as JPY", "ISO 4217の通貨コード"),
    "zone": ("a time zone such as Asia/Tokyo", "時間帯(例 Asia/Tokyo)"),
    "names": ("a list of texts", "文字列のリスト"),
    "checks": ("a list of warnings, such as price-cliff", "注意の名前のリスト(例 price-cliff)"),
    "wholes": ("a list of whole numbers from 1", "1以上の整数のリスト"),
    "path": ("a path inside the shop folder", "店のフォルダ内のパス"),
    "table": ("a table", "表"),
    "tables": ("a list of tables", "表のリスト"),
    "free": ("anything", "自由"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table. `of` names the table (in TABLES) that its values are; `kind` marks exclusive kinds."""

    name: str
    type: str
    en: str
    ja: str
    values: tuple[str, ...] = ()
    default: str = ""
    required: bool = False
    of: str = ""
    kind: bool = False


def _keys(*keys: Key) -> dict[str, Key]:
    return {key.name: key for key in keys}


_COUNTS = Key("counts", "choice", "what is counted", "何を数えるか", COUNTS, "line")
_LABEL = Key(
    "label", "texts", "how the charge is called on cart, order and invoice", "カート・注文・請求書での名前"
)
_TAX = Key("tax", "text", "its tax category", "税区分", default="[tax] default")
_FROM = Key("from", "date", "the first day", "開始日(当日を含む)")
_UNTIL = Key("until", "date", "the last day", "終了日(当日を含む)")


def _below(at_least: Key) -> dict[str, Key]:
    return _keys(
        at_least,
        Key("outcome", "choice", "what then happens", "どうなるか", OUTCOMES, required=True),
        Key("amount", "amount", "a fixed charge", "定額の加算", kind=True),
        Key(
            "percent",
            "percent",
            "percent of the goods of the lines concerned",
            "対象行の金額に対する%",
            kind=True,
        ),
        Key(
            "per_missing",
            "price",
            "per missing piece (order: currency unit)",
            "不足1個(注文: 1通貨単位)ごと",
            kind=True,
        ),
        _LABEL,
        _TAX,
    )


def _methods(*more: Key) -> dict[str, Key]:
    return _keys(
        Key("only", "names", "the only methods offered", "この方法だけを出す"),
        Key("hide", "names", "methods not offered", "出さない方法"),
        Key("free_from", "amount", "goods amount from which the method is free", "この金額から無料"),
        Key("add", "signed_amount", "added to the method's amount", "手数料に加える額"),
        Key(
            "methods",
            "names",
            "the methods that free_from and add concern",
            "free_from と add の対象",
            default="all",
        ),
        *more,
    )


_EXCEPTION = (
    Key("rule", "text", "the code of the rule it changes", "対象ルールのコード", required=True),
    Key("customer", "text", "for this customer", "対象の得意先コード"),
    Key("sku", "text", "for this product", "対象のSKU"),
    Key("change", "table", "the changed keys of the rule's effect table", "変えるキー", required=True),
    Key("reason", "text", "why", "理由", required=True),
    Key("approved_by", "text", "who allowed it", "承認者", required=True),
    _FROM,
    Key("until", "date", "the last day", "終了日(当日を含む)", required=True),
    Key("note", "text", "for staff only", "社内メモ"),
)
_CART = (
    Key("on", "date", "the day of the order", "注文日"),
    Key("channel", "choice", "how the order comes in", "経路", CHANNELS, "web"),
    Key("purpose", "choice", "what the order is for", "目的", PURPOSES, "normal"),
    Key("currency", "currency", "must be the shop's", "通貨(店と同じ)"),
    Key("customer", "table", "a code or full facts", "コードまたは項目すべて", of="customer"),
    Key("lines", "tables", "what is ordered", "注文の行", of="cart.lines"),
    Key(
        "products",
        "table",
        "facts by SKU, over the shop's own",
        "SKUごとの項目(店の値より優先)",
        of="products",
    ),
    Key("ship_to", "table", "where it goes", "配送先", of="cart.ship_to"),
    Key("delivery", "date", "the delivery date asked for", "希望納期"),
    Key("lead_time", "text", "the chosen lead-time tier", "選んだ納期"),
    Key("shipping_quotes", "tables", "shipping methods with amounts", "配送方法と金額", of="cart.method"),
    Key("payment_methods", "tables", "codes, or methods with amounts", "支払方法", of="cart.method"),
    Key("shipping", "text", "the chosen shipping method", "選んだ配送方法"),
    Key("payment", "text", "the chosen payment method", "選んだ支払方法"),
    Key("exceptions", "tables", "exceptions for this cart", "このカートの例外", of="cart.exception"),
    Key("placing", "bool", "the order is being placed", "注文確定のとき true", default="false"),
)

TABLES: dict[str, dict[str, Key]] = {
    "": _keys(
        Key(
            "code",
            "text",
            "group and number, printed on every message",
            "群と番号。どの画面・帳票にも出る",
            required=True,
        ),
        Key("name", "texts", "what the rule is called", "ルールの名前", required=True),
        Key("because", "texts", "the reason, read by buyers", "理由(買い手が読む)"),
        Key("note", "text", "for staff only", "社内メモ"),
        _FROM,
        _UNTIL,
        Key(
            "mode",
            "choice",
            "in force, only logged, or switched off",
            "有効・記録のみ・無効",
            ("live", "shadow", "off"),
            "live",
        ),
        Key("beats", "names", "rules of equal rank that it wins against", "同じ強さのとき勝つ相手"),
        Key(
            "accept",
            "checks",
            "warnings of this file that are meant to be so",
            "承知のうえの注意(check の名前)",
        ),
        Key("scope", "table", "who the rule is switched on for", "試行の対象", of="scope"),
        Key("when", "table", "every line must hold", "条件(すべて満たす)", of="when"),
        Key("case", "tables", "examples, run at every load", "事例(読み込みのたびに実行)", of="case"),
    ),
    "scope": _keys(
        Key("regions", "names", "customer regions", "得意先の地域"),
        Key("customers", "names", "customer codes, always in", "得意先コード(必ず対象)"),
        Key("percent", "percent_100", "share of the customers, stable by code", "得意先の割合(コードで固定)"),
    ),
    "catalog": _keys(
        Key("hide", "true", "the product is not shown", "商品を見せない"),
        Key("buy", "false", "the product cannot be bought", "商品を買えない"),
        Key(
            "price",
            "choice",
            "the price is shown after sign-in, or on quotation only",
            "価格はログイン後、または見積のみ",
            ("login", "quotation"),
        ),
    ),
    "price": _keys(
        Key("rate", "factor", "factor of the list price", "定価に対する掛率", kind=True),
        Key("unit", "price", "fixed unit price", "固定単価", kind=True),
        Key("table", "path", "a CSV price table", "価格表(CSV)", kind=True),
        Key("breaks", "tables", "prices by quantity", "数量別の価格", of="price.breaks", kind=True),
        Key(
            "off_percent",
            "percent_100",
            "percent off the price so far",
            "そこまでの価格からの%引き",
            kind=True,
        ),
        Key(
            "off_amount",
            "price",
            "amount off the price so far, per piece",
            "そこまでの価格からの値引き(1個)",
            kind=True,
        ),
        Key("per", "whole", "the price is for this many pieces", "価格は何個あたりか", default="1"),
        Key(
            "tiers",
            "choice",
            "one price for all pieces, or piece by piece",
            "全数に一つの単価か、段ごとか",
            ("all_units", "graduated"),
            "all_units",
        ),
        Key("counts", "choice", "what picks the break", "段を決める数量", COUNTS, "line"),
        Key("round", "table", "rounding of the unit price", "単価の丸め", of="price.round"),
        Key("lane", "choice", "the lane it runs in", "どの段階で働くか", LANES, "by kind"),
    ),
    "price.breaks": _keys(
        Key("from", "whole", "the first quantity", "この数量から", required=True),
        Key("unit", "price", "unit price", "単価", kind=True),
        Key("rate", "factor", "factor of the list price", "掛率", kind=True),
        Key("off_percent", "percent_100", "percent off the price so far", "%引き", kind=True),
    ),
    "price.round": _keys(
        Key("to", "positive", "the result is a multiple of it", "丸めの単位", required=True),
        Key("mode", "choice", "how", "丸め方", ROUND_MODES, "half_up"),
    ),
    "quantity": _keys(
        Key("minimum", "whole", "the least that can be ordered", "最低数量"),
        Key("multiple", "whole", "the lot", "倍数(ロット)"),
        Key(
            "multiple_from",
            "choice",
            "counted from zero or from the minimum",
            "0から数えるか、最低数量からか",
            ("zero", "minimum"),
            "zero",
        ),
        Key("maximum", "whole", "the most that can be ordered", "上限"),
        Key("allowed", "wholes", "the only quantities", "注文できる数量"),
        _COUNTS,
        Key("above", "choice", "outcome over the maximum", "上限を超えたとき", ABOVE, "block"),
        Key(
            "off_multiple",
            "choice",
            "outcome off the multiple or the allowed quantities",
            "倍数・数量から外れたとき",
            ABOVE,
            "block",
        ),
        Key(
            "below",
            "tables",
            "outcomes below the minimum, by how much was ordered",
            "最低数量を下回るとき",
            of="quantity.below",
        ),
    ),
    "quantity.below": _below(Key("at_least", "count", "the entry holds from this quantity", "この数量から")),
    "surcharge": _keys(
        Key("amount", "amount", "a fixed charge", "定額", kind=True),
        Key("percent", "percent", "percent of the lines' amounts", "対象行の金額に対する%", kind=True),
        Key("per_unit", "price", "per piece", "1個ごと", kind=True),
        Key("per_lot", "table", "per started lot", "開始したロットごと", of="surcharge.per_lot", kind=True),
        Key("per", "choice", "how often it is charged", "何ごとに一度か", COUNTS, "line"),
        Key("at_least", "amount", "the least it comes to", "最低額"),
        Key("at_most", "amount", "the most it comes to", "最高額"),
        _TAX,
        _LABEL,
    ),
    "surcharge.per_lot": _keys(
        Key("lot", "whole", "pieces of a lot", "1ロットの個数", required=True),
        Key("amount", "amount", "for each started lot", "1ロットごとの額", required=True),
    ),
    "discount": _keys(
        Key("percent", "percent_100", "percent off", "%引き", kind=True),
        Key("amount", "amount", "amount off", "値引き額", kind=True),
        Key(
            "per",
            "choice",
            "of the matching lines or of the order",
            "当たる行から、または注文全体から",
            ("matching", "order"),
            "matching",
        ),
        Key("at_most", "amount", "the most it takes off", "値引きの上限"),
        _LABEL,
    ),
    "order": _keys(
        Key("minimum", "positive_amount", "the least subtotal", "最低金額"),
        Key("maximum", "positive_amount", "the highest subtotal", "上限金額"),
        Key("above", "choice", "outcome over the maximum", "上限を超えたとき", ABOVE, "block"),
        Key("below", "tables", "outcomes below the minimum", "最低金額を下回るとき", of="order.below"),
        Key("credit", "choice", "outcome over the credit limit", "与信を超えたとき", ("approval", "block")),
    ),
    "order.below": _below(Key("at_least", "amount", "the entry holds from this amount", "この金額から")),
    "lead_time": _keys(
        Key("tiers", "tables", "the tiers offered", "選べる納期", of="lead_time.tiers", required=True)
    ),
    "lead_time.tiers": _keys(
        Key(
            "code",
            "text",
            "economy, standard, express, night",
            "economy, standard, express, night など",
            required=True,
        ),
        Key("days", "count", "business days", "営業日", required=True),
        Key(
            "percent",
            "percent_signed",
            "of the goods, may be negative",
            "商品代に対する%(負も可)",
            default="0",
        ),
        Key("cutoff", "time", "orders until then count for today", "当日扱いの締め時刻"),
        Key("max_quantity", "whole", "the most pieces of an order", "1回の注文の最大個数"),
        Key("per_day", "whole", "the most pieces of this tier in one day", "1日に受ける個数の上限"),
        _LABEL,
    ),
    "shipping": _methods(),
    "payment": _methods(Key("terms", "table", "when invoices are due", "支払条件", of="payment.terms")),
    "payment.terms": _keys(
        Key("closing_day", "day", "1 to 28, or 31 for the end of the month", "締め日(1〜28、月末は31)"),
        Key("pay_month", "count", "months after closing", "何か月後に払うか"),
        Key("pay_day", "day", "the day of payment", "支払日"),
        Key("net_days", "count", "days after the invoice", "請求から何日後"),
        Key("end_of_month", "true", "moved to the end of the month", "月末に寄せる"),
    ),
    "follow_up": {},
    "case": _keys(
        Key("name", "text", "what the case shows", "事例の名前"),
        Key("expect", "table", "what must hold of the decision", "期待する結果", of="expect", required=True),
        Key("cart", "tables", "the lines", "注文の行", of="cart.lines"),
        *_CART,
    ),
    "expect": _keys(
        *(
            Key(name, "free", "as in the decision", "判定と同じ形")
            for name in (
                "ruleset on currency outcome lines surcharges issues shipping payment goods discounts subtotal terms "
                "lead_time exceptions tax total shadow considered"
            ).split()
        )
    ),
    "cart": _keys(*_CART),
    "cart.lines": _keys(
        Key("id", "text", "1, 2, 3 when absent", "行の番号(省略時 1, 2, 3)"),
        Key("sku", "text", "the article number", "SKU", required=True),
        Key("quantity", "whole", "pieces", "数量", required=True),
        Key("attributes", "table", "attributes of the line", "行の属性"),
    ),
    "cart.ship_to": _keys(
        Key("country", "text", "ISO 3166-1", "国"),
        Key("region", "text", "ISO 3166-2", "地域"),
        Key("postcode", "text", "digits", "郵便番号"),
    ),
    "cart.method": _keys(
        Key("code", "text", "the method's id", "方法のID", required=True),
        Key("amount", "amount", "without tax", "金額(税抜)"),
        _TAX,
    ),
    "cart.exception": _keys(Key("id", "text", "what it is called", "例外の名前"), *_EXCEPTION),
    "exception": _keys(*_EXCEPTION),
    "policy": _keys(
        Key("currency", "currency", "of all prices and amounts", "すべての金額の通貨", default="JPY"),
        Key("timezone", "zone", "of all dates", "日付の時間帯", default="Asia/Tokyo"),
        Key(
            "price_choice",
            "choice",
            "who wins the agreed lane",
            "取り決め価格の選び方",
            ("specific", "lowest"),
            "specific",
        ),
        Key("amount_rounding", "choice", "of line amounts", "行の金額の丸め", TAX_ROUNDINGS, "half_up"),
    ),
    "tax": _keys(
        Key(
            "default",
            "text",
            "the category of products and charges without one",
            "区分がないときの税区分",
            default="standard",
        ),
        Key("rounding", "choice", "once per rate", "税率ごとに一度の丸め", TAX_ROUNDINGS, "floor"),
        Key("rates", "tables", "rates with their first day", "税率と開始日", of="tax.rates"),
    ),
    "tax.rates": _keys(
        Key("category", "text", "the tax category", "税区分", required=True),
        Key("rate", "factor", "such as 0.10", "例 0.10", required=True),
        _FROM,
    ),
}
EFFECTS = tuple(
    "catalog price quantity surcharge discount order lead_time shipping payment follow_up".split()
)
TABLE_COLUMNS = (
    "customer",
    "group",
    "sku",
    "category",
    "from",
    "unit",
    "rate",
    "per",
    "valid_from",
    "valid_until",
    "currency",
)


def kinds_of(table: str) -> tuple[str, ...]:
    """The keys of a table that exclude each other, such as rate, unit, table ... of [price]."""
    return tuple(key.name for key in TABLES[table].values() if key.kind)
