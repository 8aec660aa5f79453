"""From outcomes to sentences, Japanese and English, for buyers: what is asked for, what was found, and why.

One place for the words; numbers come in as the decision prints them. Never decides anything.
"""

from decimal import Decimal
from typing import Any

from rules.decision import Texts, Tier
from rules.money import symbol

_TAILS: dict[str, tuple[str, str]] = {
    "block": ("", ""),
    "warn": ("", ""),
    "surcharge": ("手数料を加えて承ります。", "It can be ordered with a surcharge."),
    "approval": ("店で確かめてからお受けします。", "The shop will confirm it first."),
    "quotation": ("見積りで承ります。", "Please ask for a quotation."),
}
_FIELDS: dict[str, tuple[str, str]] = {
    "minimum": ("最低数量は{need}です(いま{have})。", "The minimum is {need}; you have {have}."),
    "maximum": ("一度のご注文は{need}までです(いま{have})。", "The maximum is {need}; you have {have}."),
    "multiple": ("{need}単位で承ります(いま{have})。", "It comes in multiples of {need}; you have {have}."),
    "multiple_from": (
        "{start}から{need}単位で承ります(いま{have})。",
        "It comes in steps of {need} from {start}; you have {have}.",
    ),
    "allowed": ("数量は{list}から選べます(いま{have})。", "You can order {list}; you have {have}."),
}
_ORDER: dict[str, tuple[str, str]] = {
    "minimum": (
        "ご注文は{need}(税抜)から承ります(いま{have})。",
        "Orders start at {need} before tax; this one comes to {have}.",
    ),
    "maximum": (
        "一度のご注文は{need}(税抜)までです(いま{have})。",
        "An order can be {need} before tax at most; this one comes to {have}.",
    ),
}
_CATALOG: dict[str, tuple[str, str]] = {
    "hide": ("この品はお取り扱いしていません。", "This item is not available to you."),
    "buy": ("この品はいまご注文いただけません。", "This item cannot be ordered at present."),
    "login": ("価格とご注文にはサインインが必要です。", "Sign in to see the price and to order."),
    "quotation": ("この品は見積りで承ります。", "This item is sold by quotation."),
    "no_price": (
        "価格が決まっていないため、見積りで承ります。",
        "There is no price yet; please ask for a quotation.",
    ),
}
_METHODS: dict[str, tuple[str, str]] = {
    "shipping": ("この配送方法は選べません。", "This shipping method is not available."),
    "payment": ("このお支払い方法は選べません。", "This payment method is not available."),
    "no_shipping": ("お届けできる配送方法がありません。", "There is no shipping method for this order."),
    "no_payment": (
        "お使いいただけるお支払い方法がありません。",
        "There is no payment method for this order.",
    ),
}


def _texts(pair: tuple[str, str], outcome: str, reason: Texts | None, **values: object) -> Texts:
    tail = _TAILS[outcome]
    ja = pair[0].format(**values) + tail[0]
    en = " ".join(part for part in (pair[1].format(**values), tail[1]) if part)
    if reason:
        first = next(iter(reason.values()), "")
        ja += _ended(reason.get("ja", first), "。")
        en += " " + _ended(reason.get("en", first), ".")
    return {"ja": ja, "en": en}


def _ended(sentence: str, stop: str) -> str:
    return sentence if sentence.endswith(("。", ".", "!", "?", "!", "?")) else sentence + stop


def quantity_message(
    field: str, effect: Any, need: int, have: int, outcome: str, reason: Texts | None
) -> Texts:
    """A quantity that misses a rule; `field` is minimum, maximum, multiple or allowed."""
    values: dict[str, object] = {"need": f"{need:,}", "have": f"{have:,}"}
    if field == "multiple" and effect.multiple_from == "minimum":
        field, values["start"] = "multiple_from", f"{effect.minimum:,}"
    if field == "allowed":
        values["list"] = ", ".join(f"{one:,}" for one in effect.allowed)
    return _texts(_FIELDS[field], outcome, reason, **values)


def order_message(
    field: str, have: str, need: str, currency: str, outcome: str, reason: Texts | None
) -> Texts:
    """Goods below the order minimum or above the maximum."""
    sign = symbol(currency)
    have, need = sign + grouped(have), sign + grouped(need)
    return _texts(_ORDER[field], outcome, reason, have=have, need=need)


def credit_message(have: str, need: str, currency: str, outcome: str, reason: Texts | None) -> Texts:
    pair = (
        "掛けの残り枠{need}を超えます(合計{have})。",
        "The total of {have} is over the {need} left of your credit.",
    )
    sign = symbol(currency)
    return _texts(pair, outcome, reason, have=sign + grouped(have), need=sign + grouped(need))


def tier_message(chosen: str, tier: Tier | None) -> Texts:
    if tier is None or tier.max_quantity is None:
        pair = ("納期「{chosen}」は選べません。", "The lead time {chosen} is not offered.")
        return _texts(pair, "block", None, chosen=chosen)
    pair = (
        "納期「{chosen}」は{most}個までです。",
        "The lead time {chosen} takes at most {most} pieces.",
    )
    return _texts(pair, "block", None, chosen=chosen, most=f"{tier.max_quantity:,}")


def catalog_message(key: str, outcome: str, reason: Texts | None) -> Texts:
    """Why a line may not be bought or shows no price; `key` is hide, buy, login, quotation or no_price."""
    return _texts(_CATALOG[key], "block" if key != "warn" else outcome, reason)


def method_message(kind: str, chosen: str | None, reason: Texts | None) -> Texts:
    """A chosen method that is refused, or (chosen None) that no method is left."""
    return _texts(_METHODS[kind if chosen is not None else f"no_{kind}"], "block", reason)


def grouped(amount: str) -> str:
    """ "4680.50" as "4,680.50"; the decimals stay as they are."""
    whole, point, rest = amount.partition(".")
    return f"{int(Decimal(whole)):,}{point}{rest}"
