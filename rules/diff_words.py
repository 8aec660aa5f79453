"""What changes for a customer in sentences, Japanese and English, and as a notice that can be sent to that customer.

Speaks to the customer; says nothing that this customer would not be shown.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from rules.diff import Change, CustomerDiff, Fee, PricePoint, price_text
from rules.money import CURRENCIES, amount_text, plain, symbol
from rules.ruleset import Rule
from rules.sentences import term_sentence

LANGUAGES = ("ja", "en")
_CODES = re.compile(r" ?[((](?:[A-Z]{2}[0-9]{1,6}(?:, )?)+[))]")
MOST_SKUS = 8  # that a sentence names
_LIMITS = {
    "minimum": ("最低注文数", "Minimum"),
    "multiple": ("注文の単位", "Lot"),
    "maximum": ("1回の上限", "Maximum"),
    "allowed": ("ご注文いただける数", "Quantities"),
    "first": ("ご注文いただけるいちばん少ない数", "Smallest order"),
}
_OFFERED = {
    ("ok", "quotation"): ("見積りでのご注文になります", "On quotation only"),
    ("quotation", "ok"): ("見積りなしでご注文いただけるようになります", "Can be ordered without a quotation"),
    ("*", "block"): ("ご注文いただけなくなります", "Can no longer be ordered"),
    ("*", "hidden"): ("お取り扱いがなくなります", "No longer offered"),
    ("hidden", "*"): ("新しくお取り扱いします", "Newly offered"),
    ("block", "*"): ("ご注文いただけるようになります", "Can be ordered now"),
}


@dataclass(frozen=True, slots=True)
class _Voice:
    """How it is said: `most` products that one sentence names."""

    ja: bool
    bought: str
    currency: str
    most: int

    def pick(self, ja: str, en: str) -> str:
        return ja if self.ja else en


def sentences(diff: CustomerDiff, language: str, most: int = MOST_SKUS) -> list[str]:
    """One sentence for each change; each names so many products at most."""
    voice = _Voice(language == "ja", diff.bought, diff.currency, most)
    return [sentence for change in diff.changes for sentence in _said(change, voice)]


def diff_json(diff: CustomerDiff) -> dict[str, Any]:
    """Plain JSON values; prices and amounts are strings in major units."""
    return {
        "customer": diff.customer.code,
        "on": diff.on.isoformat(),
        "items": diff.items,
        "bought": diff.bought or None,
        "changes": [
            {
                "kind": one.kind,
                "skus": list(one.skus),
                "rules": list(one.codes),
                "before": _plain(one.kind, one.before, diff.currency),
                "after": _plain(one.kind, one.after, diff.currency),
                "percent": None if one.percent is None else plain(one.percent),
                "prices": [
                    {
                        "sku": sku,
                        "from": point.start,
                        "before": price_text(point.before, point.before_per),
                        "after": price_text(point.after, point.after_per),
                    }
                    for sku, points in one.prices
                    for point in points
                ],
                **{lang: " ".join(sentences(replace(diff, changes=(one,)), lang)) for lang in LANGUAGES},
            }
            for one in diff.changes
        ],
    }


def _plain(kind: str, value: Any, currency: str) -> Any:
    if isinstance(value, Rule):
        return {lang: term_sentence(value, lang) for lang in LANGUAGES}
    if kind == "fee" and value is not None:
        return [{"from": start, "to": end, "amount": amount_text(fee, currency)} for start, end, fee in value]
    return list(value) if isinstance(value, tuple) else value


# --- sentences ------------------------------------------------------------------------------------------------


def _said(change: Change, voice: _Voice) -> Iterator[str]:
    ja = voice.ja
    if change.kind == "term":
        yield _term(change, voice)
    elif change.kind == "price":
        yield from _prices(change, voice)
    elif change.kind == "fee":
        yield _fee(change, voice)
    elif change.kind == "offered":
        yield f"{_offered(change, ja)}: {_list(change.skus, voice)}{'。' if ja else '.'}"
    else:
        yield _limit(change, voice)


def _limit(change: Change, voice: _Voice) -> str:
    ja = voice.ja
    name = _LIMITS[change.kind][0 if ja else 1]
    was, becomes = _count(change.before, ja), _count(change.after, ja)
    items, codes = _items(change, voice), _codes(change, voice)
    if ja:
        said = {
            True: f"が{becomes}になります(いままでは決まりがありません)",
            False: f"が、{was}から{becomes}になります" if becomes else f"がなくなります(いままで{was})",
        }[not was]
        return f"{items}の{name}{said}: {_list(change.skus, voice)}{codes}。"
    if not was:
        said = f"{name} of {becomes} (none until now)"
    else:
        said = f"{name} {was} to {becomes}" if becomes else f"No {name.lower()} any more (until now {was})"
    return f"{said} for {items}: {_list(change.skus, voice)}{codes}."


def _prices(change: Change, voice: _Voice) -> Iterator[str]:
    ja = voice.ja
    money = partial(_money, voice.currency)
    if change.percent is not None and len(change.skus) > 2:
        share = f"{plain(abs(change.percent))}%"
        examples = [f"{sku} {_point(points[0], money, ja)}" for sku, points in change.prices[: voice.most]]
        rest = len(change.prices) - len(examples)
        if ja:
            way = "上がります" if change.percent > 0 else "下がります"
            more = f"、ほか{rest}品" if rest else ""
            yield f"{_items(change, voice)}の単価が約{share}{way}: {'、'.join(examples)}{more}{_codes(change, voice)}。"
        else:
            way = "up" if change.percent > 0 else "down"
            more = f" and {rest} more" if rest else ""
            told = f"{', '.join(examples)}{more}{_codes(change, voice)}"
            yield f"Prices {way} about {share} for {_items(change, voice)}: {told}."
        return
    for sku, points in change.prices:
        told = ("、" if ja else ", ").join(_point(point, money, ja) for point in points)
        yield (
            f"{sku}の単価: {told}{_codes(change, voice)}。"
            if ja
            else f"Price of {sku}: {told}{_codes(change, voice)}."
        )


def _point(point: PricePoint, money: Callable[[Decimal], str], ja: bool) -> str:
    was, becomes = (
        money(price) + ("" if per == 1 else f"/{per}")
        for price, per in ((point.before, point.before_per), (point.after, point.after_per))
    )
    if point.start == 1:
        return f"{was}から{becomes}へ" if ja else f"{was} to {becomes}"
    return (
        f"{point.start:,}個から {was}→{becomes}" if ja else f"from {point.start:,} pieces {was} to {becomes}"
    )


def _fee(change: Change, voice: _Voice) -> str:
    ja = voice.ja
    name = dict(change.name or {})
    label = name.get("ja" if ja else "en") or next(iter(name.values()), change.codes[0])
    was, becomes = (_fees(one, voice.currency, ja) for one in (change.before, change.after))
    items, codes = _items(change, voice), _codes(change, voice)
    if ja:
        if not was:
            said = f"{items}に、新しく「{label}」{becomes}をいただきます"
        elif not becomes:
            said = f"{items}の「{label}」{was}をいただかなくなります"
        else:
            said = f"{items}の「{label}」が、{was}から{becomes}になります"
        return f"{said}: {_list(change.skus, voice)}{codes}。"
    if not was:
        said = f"New fee “{label}” {becomes}"
    elif not becomes:
        said = f"No fee “{label}” any more (until now {was})"
    else:
        said = f"Fee “{label}” {was} becomes {becomes}"
    return f"{said} for {items}: {_list(change.skus, voice)}{codes}."


def _fees(fees: tuple[Fee, ...] | None, currency: str, ja: bool) -> str:
    told = []
    for start, end, amount in fees or ():
        money = _money(currency, Decimal(amount_text(amount, currency)))
        if end is None:
            told.append(f"{money}({start:,}個から)" if ja else f"{money} (from {start:,} pieces)")
        elif end == start:
            told.append(f"{money}({start:,}個)" if ja else f"{money} ({start:,} pieces)")
        else:
            told.append(f"{money}({start:,}〜{end:,}個)" if ja else f"{money} ({start:,} to {end:,} pieces)")
    return ("、" if ja else ", ").join(told)


def _offered(change: Change, ja: bool) -> str:
    was, becomes = change.before, change.after
    for key in ((was, becomes), (was, "*"), ("*", becomes)):
        if key in _OFFERED and not (key == ("block", "*") and becomes in ("hidden", "quotation")):
            return _OFFERED[key][0 if ja else 1]
    return _OFFERED["ok", "quotation"][0 if ja else 1]


def _term(change: Change, voice: _Voice) -> str:
    ja = voice.ja
    language = "ja" if ja else "en"
    was, becomes = (
        term_sentence(one, language) if one is not None else "" for one in (change.before, change.after)
    )
    codes = _codes(change, voice).strip()
    if not was:
        return f"新しい決まり: {becomes}{codes}" if ja else f"New: {becomes} {codes}"
    if not becomes:
        return f"なくなる決まり: {was}{codes}" if ja else f"No longer: {was} {codes}"
    return (
        f"いままで: {was} これから: {becomes}{codes}"
        if ja
        else f"Until now: {was} From now on: {becomes} {codes}"
    )


def _items(change: Change, voice: _Voice) -> str:
    count = len(change.skus)
    en = f"{count} {'item' if count == 1 else 'items'}"
    if voice.bought == "year":
        return voice.pick(f"この1年にご注文いただいた{count}品", f"{en} you bought in the last year")
    if voice.bought:
        return voice.pick(f"ご注文いただいたことのある{count}品", f"{en} you have bought")
    return voice.pick(f"{count}品", en)


def _list(skus: tuple[str, ...], voice: _Voice) -> str:
    rest = len(skus) - voice.most
    told = voice.pick("、", ", ").join(skus[: voice.most])
    return told + (voice.pick(f"、ほか{rest}品", f" and {rest} more") if rest > 0 else "")


def _count(value: Any, ja: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ("・" if ja else ", ").join(f"{one:,}" for one in value) + ("個" if ja else "")
    return f"{value:,}個" if ja else f"{value:,}"


def _codes(change: Change, voice: _Voice) -> str:
    told = ", ".join(change.codes)
    return voice.pick(f"({told})", f" ({told})") if told else ""


def _money(currency: str, amount: Decimal) -> str:
    """¥97.5 or £4.70: thousands apart, no fewer decimals than the currency has."""
    whole, _point, rest = plain(amount).partition(".")
    digits = rest.ljust(CURRENCIES[currency], "0")
    return f"{symbol(currency)}{int(whole):,}{'.' if digits else ''}{digits}"


# --- the notice -----------------------------------------------------------------------------------------------


def notice(
    diff: CustomerDiff,
    language: str,
    *,
    shop: str,
    name: str = "",
    contact: str = "",
    starts_on: date | None = None,
) -> tuple[str, str]:
    """Subject and body of a polite notice to this customer; nothing changes: it says so."""
    on = starts_on or diff.on
    told = [_without_codes(one) for one in sentences(diff, language, most=500)]
    who = name or diff.customer.code or ""
    reasons = [one for one in dict.fromkeys(_text(one, language) for one in diff.reasons) if "{" not in one]
    if language == "ja":
        return _notice_ja(told, reasons, shop, who, contact, on)
    return _notice_en(told, reasons, shop, who, contact, on)


def _notice_ja(
    told: list[str], reasons: list[str], shop: str, who: str, contact: str, on: date
) -> tuple[str, str]:
    day = f"{on.year}年{on.month}月{on.day}日({'月火水木金土日'[on.weekday()]})"
    lines = [f"{who} 御中", "", f"いつもご注文をいただき、ありがとうございます。{shop}です。", ""]
    if told:
        lines += [f"{day}から、ご注文の条件を次のとおり変更させていただきます。", ""]
        lines += [f"・{one}" for one in told]
        lines += [f"・理由: {one}" for one in reasons]
        lines += ["", "ご迷惑をおかけいたしますが、何とぞご理解くださいますようお願い申し上げます。"]
    else:
        lines += ["ご注文の条件に変わりはございません。"]
    lines += ["ご不明な点がございましたら、お気軽にお問い合わせください。", "", shop]
    subject = f"ご注文条件の変更のお知らせ({day}から)" if told else "ご注文条件に変更はございません"
    return subject, "\n".join([*lines, *([contact] if contact else [])]) + "\n"


def _notice_en(
    told: list[str], reasons: list[str], shop: str, who: str, contact: str, on: date
) -> tuple[str, str]:
    day = f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
    lines = [f"Dear {who},", "", f"Thank you for ordering from {shop.removesuffix('.')}.", ""]
    if told:
        lines += [f"From {day} the terms of your orders change as follows:", ""]
        lines += [f"- {one}" for one in told]
        lines += [f"- Reason: {one}" for one in reasons]
        lines += ["", "We thank you for your understanding."]
    else:
        lines += ["The terms of your orders stay as they are."]
    lines += ["If you have any questions, please get in touch with us.", "", shop]
    subject = f"Changes to your order terms from {day}" if told else "No change to your order terms"
    return subject, "\n".join([*lines, *([contact] if contact else [])]) + "\n"


_MONTHS = ("January February March April May June July August September October November December").split()


def _without_codes(sentence: str) -> str:
    """Rule codes are for the owner; a customer meets them on orders and need not here."""
    return _CODES.sub("", sentence).strip()


def _text(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or next(iter(texts.values()))
