"""A price as steps and a rule as a sentence, Japanese and English: what is shown beside every number, and at the desk.

Words only; numbers are handed on as Decimals so that each page can print them in its own way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules.decision import LineDecision, Step, Texts
from rules.evaluation import printed
from rules.reading import TAGS
from rules.ruleset import (
    AnyOf,
    Below,
    CatalogEffect,
    Condition,
    DiscountEffect,
    LeadTimeEffect,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    QuantityEffect,
    Rule,
    SurchargeEffect,
    WhenLine,
)


@dataclass(frozen=True, slots=True)
class StepText:
    """One step of a price: what happened, and exactly one of factor, percent and difference where one applies."""

    what: str
    unit_price: Decimal
    per: int
    code: str | None = None
    factor: Decimal | None = None  # times this
    percent: Decimal | None = None  # less this percent
    difference: Decimal | None = None  # this much more or less than before, for the same pieces
    reason: str = ""


def number(value: Any) -> str:
    """A number with its thousands apart: 15,000 or 0.65."""
    return (
        f"{value:,}" if isinstance(value, int | Decimal) and not isinstance(value, bool) else printed(value)
    )


_LANES = {
    "list": ("定価", "List price"),
    "agreed": ("取り決め価格", "Agreed price"),
    "volume": ("数量価格", "Volume price"),
    "promotion": ("値引き", "Promotion"),
}


def _pick(texts: Texts | None, language: str) -> str:
    if not texts:
        return ""
    return texts.get(language) or next(iter(texts.values()))


def explain_steps(line: LineDecision, language: str) -> list[StepText]:
    """The steps of one line's unit price in `language` (ja or en); empty when it has no price."""
    told: list[StepText] = []
    before: Step | None = None
    for step in line.steps:
        told.append(_step_text(step, before, language))
        before = step
    return told


def _step_text(step: Step, before: Step | None, language: str) -> StepText:
    ja = language == "ja"
    what = _LANES[step.lane][0 if ja else 1]
    factor = percent = difference = None
    if step.kind == "rate":
        factor = step.value
        what = f"掛率 {printed(step.value)}" if ja else f"Rate {printed(step.value)}"
    elif step.kind == "off_percent":
        percent = step.value
    elif before is not None and before.per == step.per:
        difference = step.unit_price - before.unit_price
    if step.reached is not None and step.reached > 1:
        what += f" {step.reached:,}から" if ja else f" from {step.reached:,}"
    return StepText(
        what, step.unit_price, step.per, step.code, factor, percent, difference, _pick(step.why, language)
    )


def rule_sentence(rule: Rule, language: str) -> str:
    """The whole rule as one or two sentences that an owner can read aloud."""
    ja = language == "ja"
    conditions = [_condition_words(entry, ja) for entry in rule.when]
    sentence = _sentence(conditions, _effect_words(rule.effect, language), ja)
    reason = _pick(rule.because, language)
    if reason:
        sentence += f" お客さまには「{reason}」と伝えます。" if ja else f" The buyer is told: “{reason}”"
    return sentence


def term_sentence(rule: Rule, language: str) -> str:
    """The rule as its own customer reads it: without what it says of customers, without the reason."""
    ja = language == "ja"
    told = [entry for entry in rule.when if not _is_of_customers(entry)]
    return _sentence(
        [_condition_words(entry, ja) for entry in told], _effect_words(rule.effect, language), ja
    )


def _is_of_customers(entry: WhenLine | AnyOf) -> bool:
    lines = [line for table in entry.tables for line in table] if isinstance(entry, AnyOf) else [entry]
    return any(line.fact.startswith("customer.") for line in lines)


def _sentence(conditions: Sequence[str], said: str, ja: bool) -> str:
    if ja:
        # a condition that ends in a verb takes no の: 印があるとき
        link = "とき、" if conditions and conditions[-1].endswith(_VERBS) else "のとき、"
        return "、".join(conditions) + (link if conditions else "") + said
    head = "When " + " and ".join(conditions) + ": " if conditions else ""
    return head + (said if conditions else said[:1].upper() + said[1:])


_FACTS = {
    "customer.code": ("お客さま", "the customer"),
    "customer.group": ("お客さまの区分", "the customer group"),
    "customer.tags": ("お客さまの印", "the customer"),
    "customer.country": ("お客さまの国", "the customer's country"),
    "customer.region": ("お客さまの地域", "the customer's region"),
    "customer.orders": ("これまでの注文数", "the number of past orders"),
    "customer.since_days": ("取引の日数", "days since the first order"),
    "customer.credit_limit": ("与信枠", "the credit limit"),
    "customer.credit_left": ("掛けの残り枠", "the credit left"),
    "customer.known": ("サインイン", "being signed in"),
    "product.sku": ("品番", "the SKU"),
    "product.category": ("種類", "the category"),
    "product.brand": ("ブランド", "the brand"),
    "product.tags": ("品の印", "the product"),
    "product.batch": ("ロット", "the batch"),
    "product.list_price": ("定価", "the list price"),
    "line.quantity": ("数量", "the quantity"),
    "line.cases": ("箱数", "the number of cases"),
    "line.loose": ("端数", "the loose pieces"),
    "line.amount": ("行の金額", "the line amount"),
    "order.subtotal": ("商品の合計", "the goods total"),
    "order.quantity": ("合計数量", "the total quantity"),
    "order.lines": ("行数", "the number of lines"),
    "order.channel": ("注文の経路", "the channel"),
    "order.purpose": ("用途", "the purpose"),
    "order.on": ("注文日", "the order date"),
    "order.weekday": ("曜日", "the weekday"),
    "order.payment": ("支払い方法", "the payment method"),
    "order.shipping": ("配送方法", "the shipping method"),
    "order.ship_to.region": ("届け先の地域", "the delivery region"),
    "order.ship_to.country": ("届け先の国", "the delivery country"),
    "order.ship_to.postcode": ("届け先の郵便番号", "the delivery postcode"),
}
_OPERATORS = {
    "eq": ("{fact}が {value}", "{fact} is {value}"),
    "one_of": ("{fact}が {value} のどれか", "{fact} is one of {value}"),
    "has": ("{fact}に {value} がある", "{fact} is marked {value}"),
    "not": ("{fact}が {value} 以外", "{fact} is not {value}"),
    "not_in": ("{fact}が {value} 以外", "{fact} is none of {value}"),
    "lt": ("{fact}が {value} 未満", "{fact} is below {value}"),
    "le": ("{fact}が {value} 以下", "{fact} is at most {value}"),
    "gt": ("{fact}が {value} より上", "{fact} is above {value}"),
    "ge": ("{fact}が {value} 以上", "{fact} is at least {value}"),
    "between": ("{fact}が {value} の間", "{fact} is between {value}"),
    "starts_with": ("{fact}が {value} で始まる", "{fact} begins with {value}"),
    "known": ("{fact}が{value}", "{fact} is {value}"),
}


_VERBS = ("ある", "ない", "いる", "始まる")


def _condition_words(entry: WhenLine | AnyOf, ja: bool) -> str:
    if isinstance(entry, AnyOf):
        tables = [
            (" かつ " if ja else " and ").join(_line_words(one, ja) for one in table)
            for table in entry.tables
        ]
        joined = (" または " if ja else " or ").join(tables)
        return f"({joined})"
    return _line_words(entry, ja)


def _line_words(entry: WhenLine, ja: bool) -> str:
    return (" かつ " if ja else " and ").join(_one_condition(one, ja) for one in entry.conditions)


def _one_condition(condition: Condition, ja: bool) -> str:
    names = _FACTS.get(condition.fact, (condition.fact, condition.fact))
    value: object
    if condition.op == "known":
        words = ("わかっている", "known") if condition.value else ("わからない", "not known")
        value = words[0 if ja else 1]
    elif isinstance(condition.value, tuple | list):
        joiner = "から" if ja and condition.op == "between" else "、" if ja else ", "
        if condition.op == "between" and not ja:
            joiner = " and "
        value = joiner.join(_value_words(one, ja) for one in condition.value)
    else:
        value = _value_words(condition.value, ja)
    # A bare tag or a list of tags means has (rule-semantics 16).
    op = "has" if condition.fact in TAGS and condition.op in ("eq", "one_of") else condition.op
    return _OPERATORS[op][0 if ja else 1].format(fact=names[0 if ja else 1], value=value)


def _value_words(value: Any, ja: bool) -> str:
    if isinstance(value, bool):
        return ("はい" if value else "いいえ") if ja else ("yes" if value else "no")
    if isinstance(value, str):
        return f"「{value}」" if ja else value
    return number(value)


def _effect_words(effect: Any, language: str) -> str:
    ja = language == "ja"
    if isinstance(effect, QuantityEffect):
        return _quantity_words(effect, ja)
    if isinstance(effect, PriceEffect):
        return _price_words(effect, ja)
    if isinstance(effect, SurchargeEffect):
        return _surcharge_words(effect, language)
    if isinstance(effect, OrderEffect):
        return _order_words(effect, ja)
    if isinstance(effect, MethodEffect):
        return _method_words(effect, ja)
    if isinstance(effect, CatalogEffect):
        return _catalog_words(effect, ja)
    if isinstance(effect, DiscountEffect):
        off = f"{printed(effect.value)}%" if effect.kind == "percent" else printed(effect.value)
        return f"注文から {off} 引きます。" if ja else f"{off} is taken off the order."
    if isinstance(effect, LeadTimeEffect):
        tiers = ", ".join(
            f"{_pick(tier.label, language) or tier.code} ({tier.days})" for tier in effect.tiers
        )
        return f"納期は {tiers} 営業日から選べます。" if ja else f"lead times (business days): {tiers}."
    return "ご連絡のきまりです。" if ja else "a follow-up rule."


_COUNTS = {
    "line": ("", ""),
    "product": ("同じ品を合わせて", " of the product together"),
    "batch": ("同じロットを合わせて", " of the batch together"),
    "matching": ("当てはまる行を合わせて", " of all matching lines together"),
    "order": ("注文全体で", " of the whole order"),
}
_OUTCOMES = {
    "block": ("お受けできません", "is refused"),
    "quotation": ("見積りにします", "goes to a quotation"),
    "approval": ("店で確かめてからお受けします", "waits for approval"),
    "warn": ("注意を添えて承ります", "is accepted with a warning"),
}


def _quantity_words(effect: QuantityEffect, ja: bool) -> str:
    counts = _COUNTS[effect.counts][0 if ja else 1]
    parts = []
    if effect.minimum is not None:
        parts.append(f"{counts}{effect.minimum:,}から" if ja else f"from {effect.minimum:,}{counts}")
    if effect.multiple is not None:
        parts.append(f"{effect.multiple:,}単位で" if ja else f"in multiples of {effect.multiple:,}")
    if effect.allowed is not None:
        numbers = ", ".join(f"{one:,}" for one in effect.allowed)
        parts.append(f"{numbers} のどれかで" if ja else f"in quantities of {numbers}")
    if effect.maximum is not None:
        parts.append(f"{effect.maximum:,}まで" if ja else f"up to {effect.maximum:,}")
    said = "、".join(parts) + "承ります。" if ja else "orders are taken " + ", ".join(parts) + "."
    if effect.minimum is not None:
        said += _below_words(effect.below, ja)
    if effect.maximum is not None:
        outcome = _OUTCOMES[effect.above][0 if ja else 1]
        said += f"それを超える注文は{outcome}。" if ja else f" A larger order {outcome}."
    return said


def _below_words(entries: Sequence[Below], ja: bool) -> str:
    if not entries:
        return "足りない注文はお受けできません。" if ja else " Less is refused."
    said = ""
    for entry in entries:
        start = "" if entry.at_least is None else number(entry.at_least)
        if entry.outcome == "surcharge":
            charge = _charge_words(entry, ja)
            outcome = f"手数料 {charge} をいただいて承ります" if ja else f"costs a surcharge of {charge}"
        else:
            outcome = _OUTCOMES[entry.outcome][0 if ja else 1]
        if ja:
            said += f"{start}以上は{outcome}。" if start else f"それより少ない注文は{outcome}。"
        else:
            said += f" From {start} it {outcome}." if start else f" Anything less {outcome}."
    return said


def _charge_words(entry: Below, ja: bool) -> str:
    if entry.amount is not None:
        return number(entry.amount)
    if entry.percent is not None:
        return f"{number(entry.percent)}%"
    each = number(entry.per_missing)
    return f"足りない1個につき {each}" if ja else f"{each} for each missing piece"


def _price_words(effect: PriceEffect, ja: bool) -> str:
    value = "" if effect.value is None else number(effect.value)
    per = f"{effect.per:,}" if effect.per not in (None, 1) else ""
    if effect.kind == "rate":
        return f"価格は定価の {value} 倍です。" if ja else f"the price is {value} of the list price."
    if effect.kind == "unit":
        if ja:
            return f"価格は{per + '個' if per else '1個'} {value} です。"
        return f"the price is {value} for {per or 'one'}."
    if effect.kind == "table":
        path = effect.table.path if effect.table else ""
        return f"価格は価格表 {path} によります。" if ja else f"the price is in the table {path}."
    if effect.kind == "off_percent":
        return f"価格から {value}% 引きます。" if ja else f"{value}% is taken off the price."
    if effect.kind == "off_amount":
        return f"価格から1個につき {value} 引きます。" if ja else f"{value} is taken off each piece."
    steps = []
    for one in effect.breaks:
        value = number(one.value)
        amount = {"unit": value, "rate": f"× {value}", "off_percent": f"−{value}%"}[one.kind]
        steps.append(f"{one.start:,}から {amount}" if ja else f"from {one.start:,} {amount}")
    return ("数量で価格が変わります: " if ja else "the price depends on the quantity: ") + (
        "、".join(steps) + "。" if ja else ", ".join(steps) + "."
    )


_PER = {
    "line": ("行ごとに", "per line"),
    "product": ("品ごとに", "per product"),
    "batch": ("ロットごとに", "per batch"),
    "matching": ("当てはまる行に一度だけ", "once for all matching lines"),
    "order": ("ご注文ごとに", "per order"),
}


def _surcharge_words(effect: SurchargeEffect, language: str) -> str:
    ja = language == "ja"
    label = _pick(effect.label, language) or ("手数料" if ja else "a surcharge")
    per = _PER[effect.per][0 if ja else 1]
    value = number(effect.value)
    lot = f"{effect.lot:,}" if effect.lot else ""
    amount = {
        "amount": value,
        "percent": f"{value}%",
        "per_unit": f"1個につき {value}" if ja else f"{value} a piece",
        "per_lot": f"{lot}個ごとに {value}" if ja else f"{value} for every {lot}",
    }[effect.kind]
    return f"{per}{label} {amount} をいただきます。" if ja else f"{label} of {amount} is charged {per}."


def _order_words(effect: OrderEffect, ja: bool) -> str:
    said = ""
    if effect.minimum is not None:
        amount = number(effect.minimum)
        said += f"ご注文は {amount} から承ります。" if ja else f"orders start at {amount}."
        said += _below_words(effect.below, ja)
    if effect.maximum is not None:
        amount, outcome = number(effect.maximum), _OUTCOMES[effect.above][0 if ja else 1]
        said += f"{amount} を超えるご注文は{outcome}。" if ja else f" An order above {amount} {outcome}."
    if effect.credit is not None:
        outcome = _OUTCOMES[effect.credit][0 if ja else 1]
        said += f"与信を超えるご注文は{outcome}。" if ja else f" An order over the credit limit {outcome}."
    return said.strip()


def _method_words(effect: MethodEffect, ja: bool) -> str:
    parts = []
    names = ", ".join(effect.methods or ())
    concerning = (f"({names})" if ja else f" ({names})") if names else ""
    if effect.only is not None:
        only = ", ".join(effect.only)
        parts.append(f"選べるのは {only} だけです。" if ja else f"only {only} can be chosen.")
    if effect.hide:
        hidden = ", ".join(effect.hide)
        parts.append(f"{hidden} は選べません。" if ja else f"{hidden} cannot be chosen.")
    if effect.free_from is not None:
        amount = number(effect.free_from)
        parts.append(
            f"商品 {amount} から無料です{concerning}。"
            if ja
            else f"it is free from {amount} of goods{concerning}."
        )
    if effect.add is not None:
        amount = number(effect.add)
        parts.append(f"{amount} を加えます{concerning}。" if ja else f"{amount} is added{concerning}.")
    if effect.terms is not None:
        parts.append(_terms_words(effect.terms, ja))
    return ("" if ja else " ").join(parts)


def _terms_words(terms: Mapping[str, Any], ja: bool) -> str:
    """Closing day and pay day as people say them; 31 is the month's end."""
    if "net_days" in terms:
        days = terms["net_days"]
        end = terms.get("end_of_month")
        if ja:
            return f"お支払いは{days}日後{'の月末' if end else ''}です。"
        return f"payment is due {days} days after{' the end of the month' if end else ''}."
    closing, month, day = (int(terms.get(key, 0)) for key in ("closing_day", "pay_month", "pay_day"))
    if ja:
        months = ("当月", "翌月", "翌々月")[month] if month < 3 else f"{month}か月後"
        closes = "月末" if closing == 31 else f"{closing}日"
        return f"{closes}締め、{months}{'末' if day == 31 else f'{day}日'}払いです。"
    until = "the end" if day == 31 else f"day {day}"
    return (
        f"orders close on {'the last day' if closing == 31 else f'day {closing}'} of a month, due at {until} of "
        + (("the same month.", "the next month.")[month] if month < 2 else f"the month {month} later.")
    )


def _catalog_words(effect: CatalogEffect, ja: bool) -> str:
    if effect.hide:
        return "品を見せません。" if ja else "the product is hidden."
    if not effect.buy:
        return "注文を受けません。" if ja else "it cannot be ordered."
    if effect.price == "login":
        return "価格はサインインしたお客さまだけに見せます。" if ja else "prices are shown after signing in."
    return "見積りで承ります。" if ja else "it is sold by quotation."
