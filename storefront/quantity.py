"""What a buyer typed as a quantity, read to the letter: pieces, cases, or goods by length or weight.

Never raises and never guesses: anything that is not a plain number comes back refused, with a sentence.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from storefront.language import _

MAX_QUANTITY = 999_999_999  # rule-semantics 87
LONGEST = 40  # characters; a longer text is no quantity, and is not read further

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}  # full-width
_SHAPE = re.compile(r"([0-9][0-9,]*)(\.[0-9]+)? ?([^0-9.,].*)?", re.DOTALL)
_GROUPED = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")
_PIECES = frozenset(("個", "ケ", "コ", "こ", "pc", "pcs", "pc.", "pcs.", "piece", "pieces"))
_CASES = frozenset(("箱", "ケース", "c/s", "cs", "case", "cases", "ctn", "carton", "cartons", "box", "boxes"))
_UNIT_WORDS = {
    "m": ("メートル", "メーター", "meter", "meters", "metre", "metres"),
    "kg": ("キロ", "キログラム", "kilo", "kilos"),
    "g": ("グラム", "gram", "grams"),
    "l": ("リットル", "litre", "litres", "liter", "liters"),
}


class Counted(Protocol):
    """The part of a product that says how its pieces are counted."""

    @property
    def pieces_per_case(self) -> int | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def pieces_per_unit(self) -> Decimal | None: ...
    @property
    def sales_unit(self) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class QuantityText:
    """A quantity that was understood: `quantity` pieces; `is_converted` when it was typed as cases or units."""

    typed: str
    quantity: int
    is_converted: bool = False

    @property
    def is_normalised(self) -> bool:
        """Whether what is kept looks different from what was typed, so that the page echoes it."""
        return self.is_converted or self.typed != str(self.quantity)


@dataclass(frozen=True, slots=True)
class QuantityRefused:
    """A text that is no quantity; `reason` is a key of SENTENCES, `typed` what the field shows again."""

    typed: str
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What is wrong and what is allowed, in the reader's language."""
        return refusal_sentence(self.reason, self.values)


def refusal_sentence(reason: str, values: Mapping[str, str]) -> str:
    """The sentence of one reason; the one table from code to words."""
    sentences = {
        "empty": _("Enter a quantity: a whole number from 1, such as 100."),
        "zero": _("The smallest quantity is 1. To leave this item out, remove the line."),
        "hidden": _(
            "This quantity contains characters that cannot be seen. Type it again with the digits 0 to 9."
        ),
        "digits": _("Write the quantity with the digits 0 to 9."),
        "number": _("This is not a plain whole number. Write it like 100 or 1,000."),
        "negative": _("A quantity cannot be negative. Enter a whole number from 1."),
        "decimals": _("This item is counted in whole pieces. Enter a whole number from 1."),
        "large": _("The largest quantity is 999,999,999."),
        "cases": _("This item has no case size. Enter the number of pieces."),
        "unit": _(
            "“%(unit)s” is not a unit of this item. It can be ordered in %(allowed)s.",
            **_named(values, "unit", "allowed"),
        ),
        "part": _(
            "%(typed)s is not a whole number of pieces: one piece is %(piece)s.",
            **_named(values, "typed", "piece"),
        ),
    }
    return sentences[reason]


def _named(values: Mapping[str, str], *names: str) -> dict[str, str]:
    """Every placeholder gets a value, so that building the whole table never fails for the others' lack."""
    return {name: values.get(name, "") for name in names}


def parse_quantity(value: object, product: Counted) -> QuantityText | QuantityRefused:
    """Read a quantity as typed or posted: "100", "１００", "1,000", "80個", "3箱", "3 c/s", "2.5 m".

    Full-width digits are normalised; everything else that only looks like a number is refused: other scripts'
    digits, superscripts, zero-width characters, NUL, 1_000, 1e3, signs, decimals of pieces, more than 9 digits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(str(value)[:LONGEST], value)
    if not isinstance(value, str):
        return QuantityRefused("", "empty" if value is None else "number")
    if len(value) > LONGEST:
        digits_only = value.isascii() and value.isdigit()
        return QuantityRefused(value[:LONGEST], "large" if digits_only else "number")
    text = value.strip(" \t\r\n\u3000\u00a0").translate(_WIDE).strip(" ")
    if not text:
        return QuantityRefused(value, "empty")
    if any(not char.isprintable() for char in text):
        return QuantityRefused(_visible(value), "hidden")
    if any(char.isnumeric() and not ("0" <= char <= "9") for char in text):
        return QuantityRefused(value, "digits")
    if text[0] in "-\u2212\u2010\u2011\u2012\u2013" and text[1:2].isdigit():
        return QuantityRefused(value, "negative")
    shape = _SHAPE.fullmatch(text)
    if shape is None or not _GROUPED.fullmatch(shape[1]):
        return QuantityRefused(value, "number")
    return _counted(value, shape[1].replace(",", ""), shape[2] or "", shape[3] or "", product)


def _counted(
    typed: str, whole: str, fraction: str, suffix: str, product: Counted
) -> QuantityText | QuantityRefused:
    """Pieces from a number and what stands behind it."""
    word = unicodedata.normalize("NFKC", suffix).strip().casefold()  # ㎏ is kg, ｹｰｽ is ケース
    if len(whole.lstrip("0")) > 9 or len(fraction) > 7:
        return QuantityRefused(typed, "large" if len(fraction) <= 7 else "number")
    if _is_piece_word(word, product):
        return QuantityRefused(typed, "decimals") if fraction else _whole(typed, int(whole))
    if word in _CASES:
        if product.pieces_per_case is None:
            return QuantityRefused(typed, "cases")
        if fraction:
            return QuantityRefused(typed, "decimals")
        return _whole(typed, int(whole) * product.pieces_per_case, converted=True)
    if product.unit and product.pieces_per_unit and _is_unit_word(word, product.unit):
        pieces = Fraction(whole + fraction) * Fraction(product.pieces_per_unit)
        if pieces.denominator != 1:
            piece = f"{_trimmed(1 / product.pieces_per_unit)} {product.unit}"
            return QuantityRefused(typed, "part", {"typed": typed.strip(), "piece": piece})
        return _whole(typed, int(pieces), converted=True)
    if word[0] in "_eE^*+-/~〜x×=<>" or not word[0].isalpha():
        return QuantityRefused(typed, "number")
    return QuantityRefused(typed, "unit", {"unit": suffix, "allowed": _allowed_units(product)})


def _allowed_units(product: Counted) -> str:
    """The words that may stand behind a number: the sales unit in both languages, and the length or weight."""
    words = [*(product.sales_unit or {"ja": "個", "en": "pcs"}).values()]
    if product.unit and product.pieces_per_unit:
        words.append(product.unit)
    return ", ".join(dict.fromkeys(words))


def _whole(typed: str, quantity: int, *, converted: bool = False) -> QuantityText | QuantityRefused:
    if quantity < 1:
        return QuantityRefused(typed, "zero" if quantity == 0 else "negative")
    if quantity > MAX_QUANTITY:
        return QuantityRefused(typed, "large")
    return QuantityText(typed, quantity, converted)


def _is_piece_word(word: str, product: Counted) -> bool:
    own = (product.sales_unit or {}).values()
    return not word or word in {text.casefold() for text in own} or (word in _PIECES and product.unit is None)


def _is_unit_word(word: str, unit: str) -> bool:
    plain = unit.casefold()
    return word == plain or word in _UNIT_WORDS.get(plain, ())


def _visible(text: str) -> str:
    """The text without what cannot be seen: a NUL must not reach a page or a database."""
    return "".join(char for char in text if char.isprintable())


def _trimmed(value: Decimal) -> str:
    text = format(value.quantize(Decimal("0.000001")), "f")
    return text.rstrip("0").rstrip(".")


def both_ways(quantity: int, product: Counted, *, piece: str, case: str) -> str | None:
    """The same quantity in its other measure: "36個 = 3箱", "200 cm = 2 m"; None for goods with one measure.

    `piece` and `case` are the unit words of the reader's language; pieces beyond whole cases stay visible.
    """
    gap = "" if not piece[:1].isascii() else " "
    pieces = f"{quantity:,}{gap}{piece}"
    if product.unit and product.pieces_per_unit:
        return f"{pieces} = {_trimmed(quantity / product.pieces_per_unit)} {product.unit}"
    if product.pieces_per_case is None or product.pieces_per_case < 2 or quantity < product.pieces_per_case:
        return None
    cases, loose = divmod(quantity, product.pieces_per_case)
    case_gap = "" if not case[:1].isascii() else " "
    rest = f" + {loose:,}{gap}{piece}" if loose else ""
    return f"{pieces} = {cases:,}{case_gap}{case}{rest}"
