"""A card as the words and numbers of its PDF, in the language asked for; nothing here decides a price.

Works on a bare shop folder too: no request and no database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import qrcode
from qrcode.image.svg import SvgPathImage

from rules.card import Card
from rules.money import CURRENCIES, symbol
from rules.offers import Offer, OfferRow
from rules.ruleset import Rule
from rules.sentences import term_sentence
from storefront.documents import as_pdf, without_missing_glyphs

Texts = Mapping[str, str]

MOST_ROWS = 24
STEPS = 4  # price steps in a row; a row with more shows the first and the last three
LONGEST_NAME = 60
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_PIECE = {"ja": "個", "en": "pcs"}

WORDS: Mapping[str, Texts] = {
    "title": {"ja": "価格と注文単位のご案内", "en": "Your prices and order quantities"},
    "to": {"ja": "{name} 様", "en": "For {name}"},
    "as_of": {"ja": "{day}現在。価格は税別です。", "en": "As of {day}. Prices are without tax."},
    "later": {
        "ja": "価格ときまりは変わることがあります。ご注文の画面の価格が正です。",
        "en": "Prices and rules may change; the price on the order page is the one that counts.",
    },
    "scan": {
        "ja": "読み取ると、この表の品が入った注文の画面が開きます。",
        "en": "Scan to open an order with the items of this sheet.",
    },
    "sku": {"ja": "品番", "en": "SKU"},
    "name": {"ja": "品名", "en": "Item"},
    "lot": {"ja": "ご注文の単位", "en": "Order quantity"},
    "price": {"ja": "数量と価格(+ は手数料)", "en": "Quantity and price (+ is a fee)"},
    "order": {"ja": "ご注文数", "en": "Order"},
    "terms": {"ja": "ご注文のきまり", "en": "Terms of an order"},
    "from": {"ja": "{n}〜", "en": "{n}+"},
    "fee": {"ja": "+{amount}", "en": "+{amount}"},
    "first": {"ja": "{n}から", "en": "from {n}"},
    "step": {"ja": "{n}単位", "en": "in lots of {n}"},
    "most": {"ja": "{n}まで", "en": "up to {n}"},
    "only": {"ja": "{n} のどれか", "en": "only {n}"},
    "any": {"ja": "1から", "en": "any"},
    "quotation": {"ja": "お見積りします", "en": "by quotation"},
    "closed": {"ja": "いまはご注文いただけません", "en": "cannot be ordered now"},
    "more": {
        "ja": "このほかの品は店のページでご覧ください。",
        "en": "More items are on the shop's pages.",
    },
    "made": {"ja": "{day} 作成", "en": "made {day}"},
    "date": {"ja": "ご注文日", "en": "Date"},
    "number": {"ja": "貴社注文番号", "en": "Your order number"},
    "person": {"ja": "ご担当", "en": "Name"},
}


@dataclass(frozen=True, slots=True)
class Names:
    """What codes are called: products and their sales units by SKU; categories and methods by their code."""

    products: Mapping[str, Texts] = field(default_factory=dict)
    units: Mapping[str, Texts | None] = field(default_factory=dict)
    words: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardPaper:
    """A card with everything that is printed around it. `url` is what the QR code holds; None prints no code."""

    card: Card
    names: Names
    customer: str
    shop: Texts
    contact: str = ""
    url: str | None = None

    def pdf(self, language: str) -> bytes:
        """One A4 page as PDF/A. Products without room are left out, and the page says so; 〓 is no glyph."""
        rows = len(self.card.offers[:MOST_ROWS])
        while True:
            data = without_missing_glyphs(self.sheet(rows, language))
            made = as_pdf("card", data, most_pages=1 if rows else None)
            if made is not None:
                return made
            rows -= 1

    def sheet(self, rows: int, language: str) -> dict[str, Any]:
        """The data of documents/card.typ for the first `rows` products."""
        say, card = _Speaker(language), self.card
        day = say.day(card.on)
        return {
            "language": language,
            "title": say("title"),
            "shop": say.pick(self.shop),
            "contact": self.contact,
            "customer": say("to", name=self.customer),
            "day": [card.on.year, card.on.month, card.on.day],
            "notes": [say("as_of", day=day), say("later")],
            "made": say("made", day=day),
            "code": None if self.url is None else qr_svg(self.url),
            "words": {name: say(name) for name in ("scan", "sku", "name", "lot", "price", "order", "terms")},
            "steps": STEPS,
            "rows": [_row(offer, card, self.names, say) for offer in card.offers[:rows]],
            "more": say("more") if len(card.offers) > rows else "",
            "terms": [_term(rule, self.names, say) for rule in card.terms],
            "blanks": [say("date"), say("number"), say("person")],
        }

    def text(self, language: str) -> str:
        """The same sheet for a terminal: a line for each product, tabs between the columns, then the terms."""
        lines = []
        sheet = self.sheet(len(self.card.offers), language)
        for row in sheet["rows"]:
            steps = [" ".join(filter(None, (one["start"], one["price"], one["fee"]))) for one in row["steps"]]
            lines.append("\t".join(filter(None, (row["sku"], row["name"], row["lot"], row["note"], *steps))))
        terms = ["\t".join((term["code"], term["name"], term["text"])) for term in sheet["terms"]]
        return "\n".join([*lines, "", *terms] if terms else lines)


def qr_svg(url: str) -> str:
    """A QR code with its quiet zone, as an SVG picture."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, image_factory=SvgPathImage)
    code.add_data(url)
    file = BytesIO()
    code.make_image().save(file)
    return file.getvalue().decode()


class _Speaker:
    """WORDS in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, word: str, **values: Any) -> str:
        return WORDS[word][self.language].format(**values)

    def day(self, day: date) -> str:
        weekday = _WEEKDAYS[self.language][day.weekday()]
        if self.language == "ja":
            return f"{day.year}年{day.month}月{day.day}日({weekday})"
        return f"{weekday} {day.isoformat()}"

    def pick(self, texts: Texts | None) -> str:
        return "" if not texts else texts.get(self.language) or next(iter(texts.values()))


def _row(offer: Offer, card: Card, names: Names, say: _Speaker) -> dict[str, Any]:
    name = say.pick(names.products.get(offer.sku))
    note = ""
    if not offer.rows:
        note = say("quotation" if offer.outcome == "quotation" else "closed")
    unit = say.pick(names.units.get(offer.sku) or _PIECE)
    return {
        "sku": offer.sku,
        "name": name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…",
        "lot": "" if note else _lot(offer, unit, say),
        "steps": [_step(row, unit, card.currency, say) for row in _most_telling(offer.rows)],
        "note": note,
    }


def _lot(offer: Offer, unit: str, say: _Speaker) -> str:
    if offer.allowed:
        return say("only", n=", ".join(f"{one:,}" for one in offer.allowed)) + f" ({unit})"
    gap = "" if say.language == "ja" else " "
    parts = [say("first", n=f"{offer.first:,}{gap}{unit}")] if offer.first > 1 else []
    parts += [say("step", n=f"{offer.step:,}{gap}{unit}")] if offer.step > 1 else []
    parts += [say("most", n=f"{offer.maximum:,}")] if offer.maximum is not None else []
    return ("、" if say.language == "ja" else ", ").join(parts) or say("any")


def _most_telling(rows: tuple[OfferRow, ...]) -> list[OfferRow]:
    return list(rows) if len(rows) <= STEPS else [rows[0], *rows[1 - STEPS :]]


def _step(row: OfferRow, unit: str, currency: str, say: _Speaker) -> dict[str, str]:
    start = say("from", n=f"{row.start:,}")
    if row.per > 1:  # the lot stands above the price, which is for so many pieces
        start = f"{start} /{row.per:,}{'' if say.language == 'ja' else ' '}{unit}"
    fee = say("fee", amount=_money(row.surcharge, currency)) if row.surcharge else ""
    return {"start": start, "price": _price(row, currency), "fee": fee}


def _price(row: OfferRow, currency: str) -> str:
    """As the shop's pages print it: at least two decimals a piece, a whole amount bare for a lot."""
    value = row.unit_price or Decimal(0)
    places = max(-int(value.normalize().as_tuple().exponent), CURRENCIES[currency] if row.per > 1 else 2)
    return f"{symbol(currency)}{value:,.{places}f}"


def _money(minor: int, currency: str) -> str:
    digits = CURRENCIES[currency]
    return f"{symbol(currency)}{Decimal(minor).scaleb(-digits):,.{digits}f}"


def _term(rule: Rule, names: Names, say: _Speaker) -> dict[str, str]:
    """Code, name and sentence of a rule, with categories and methods by the names that buyers know."""
    sentence = term_sentence(rule, say.language)
    known = {code: table for code, table in names.words.items() if code in sentence}
    if known:
        longest_first = sorted(known, key=len, reverse=True)
        pattern = "|".join(rf"(?<![\w/]){re.escape(code)}(?![\w/])" for code in longest_first)
        sentence = re.sub(pattern, lambda found: say.pick(known[found[0]]), sentence)
    return {"code": rule.code, "name": say.pick(rule.name), "text": sentence}
