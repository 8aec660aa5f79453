"""Reads one value of each key type, and whole tables, against the vocabulary.

A wrong value is a finding and left out; nothing raises, nothing rounds, nothing converts silently.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.check_table import CHECKS
from rules.facts import MAX_QUANTITY
from rules.keys import EFFECTS, KEY_TYPES, TABLES, Key
from rules.money import CURRENCIES
from rules.report import (
    BadValue,
    Source,
    allowed,
    is_near,
    nearest,
    shown,
    suggestion,
    written_factor,
    written_number,
)
from rules.said import Said, Sentence, both, joined, say
from rules.vocabulary import PLACEHOLDER, fact_names, find_fact, is_known_at

_NUMBER_TEXT = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,19})(?:\.[0-9]{1,20})?", re.A)
_DATE_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.A)
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.A)
_WHOLE_DIGITS, _UNIT_DECIMALS = 12, 6
_LANGUAGES = ("ja", "en")
_NUMBERS = frozenset(
    "whole count price amount positive_amount signed_amount factor positive day"
    " percent percent_100 percent_signed".split()
)
_LEAVE_OUT = say("hint.leave-out")


def clean(text: str) -> str:
    """Texts are equal when they are the same after NFC (rule-semantics 18)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def must_be(kind: Sentence, value: Any) -> Said:
    """The sentence that most wrong types get: what the value must be, and what it is."""
    return say("value.must-be", kind=kind, value=shown(value))


def text_value(value: Any, kind: Said | None = None) -> str:
    if not isinstance(value, str):
        raise BadValue("wrong-type", must_be(kind or say("kind.text"), value), _quote_hint(value))
    if not value.strip():
        raise BadValue("empty-value", say("value.empty-text"), _LEAVE_OUT)
    if "\0" in value:
        raise BadValue("wrong-value", say("value.nul"))
    return clean(value)


def _quote_hint(value: Any) -> Said | None:
    is_short = type(value) is int and value.bit_length() < 100
    return say("hint.in-quotes", value=value) if is_short else None


def number_value(value: Any, as_json: bool = False, decimals: int = _UNIT_DECIMALS) -> Decimal:
    """A finite number with at most 12 digits before the point and `decimals` after it (rule-semantics 5)."""
    if as_json and isinstance(value, str) and _NUMBER_TEXT.fullmatch(value):
        value = Decimal(value)
    if type(value) is int:
        if value.bit_length() > 60 or abs(value) >= 10**_WHOLE_DIGITS:
            raise BadValue("too-many-decimals", say("value.too-many-digits", digits=_WHOLE_DIGITS))
        return Decimal(value)
    if not isinstance(value, Decimal):
        hint = say("hint.bare-number") if isinstance(value, str) else None
        raise BadValue("wrong-type", must_be(say("kind.number"), value), hint)
    if not value.is_finite():
        raise BadValue("wrong-value", say("value.infinite", value=shown(value)))
    if not value:
        return Decimal(0)
    if value.adjusted() >= _WHOLE_DIGITS:
        raise BadValue("too-many-decimals", say("value.too-many-digits", digits=_WHOLE_DIGITS))
    extra = -int(value.as_tuple().exponent) - decimals
    if extra > 0:
        digits = value.as_tuple().digits
        if extra > len(digits) or any(digits[-extra:]):
            raise BadValue(
                "too-many-decimals", say("value.too-many-decimals", decimals=decimals, value=shown(value))
            )
        return Decimal((value.as_tuple().sign, digits[:-extra], -decimals))
    return value if int(value.as_tuple().exponent) <= 0 else Decimal(int(value))


def whole_value(value: Any, least: int = 1) -> int:
    """A whole number; true, 5.0 and "5" are refused: pieces are counted."""
    if type(value) is not int:
        raise BadValue("wrong-type", must_be(say("kind.whole"), value))
    if value < least:
        said = say("value.too-small", least=least, value=shown(value))
        raise BadValue("wrong-value", said, _LEAVE_OUT if value == 0 else None)
    if value > MAX_QUANTITY:
        raise BadValue("wrong-value", say("value.too-large", most=MAX_QUANTITY, value=shown(value)))
    return value


def amount_value(value: Any, currency: str | None, as_json: bool = False) -> Decimal:
    """An amount: no more decimals than the currency has (rule-semantics 5)."""
    number = number_value(value, as_json)
    digits = CURRENCIES[currency] if currency else 4
    if number != number.quantize(Decimal(1).scaleb(-digits)):
        named = currency or say("value.the-currency")
        raise BadValue(
            "too-many-decimals",
            say("value.currency-decimals", currency=named, digits=digits, value=shown(value)),
        )
    return number


def date_value(value: Any, as_json: bool = False) -> date:
    if as_json and isinstance(value, str) and _DATE_TEXT.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise BadValue("wrong-value", say("value.no-day", value=shown(value))) from None
    if type(value) is not date:
        hint = None if as_json else say("hint.bare-date")
        raise BadValue("wrong-type", must_be(say("kind.date"), value), hint)
    return value


def choice_value(value: Any, values: tuple[str, ...]) -> str:
    word = text_value(value, say("kind.words", words=joined("join.comma", values)))
    if word not in values:
        raise BadValue("wrong-value", say("value.unknown-word", word=shown(word)), suggestion(word, values))
    return word


def currency_value(value: Any) -> str:
    code = text_value(value, say("kind.currency"))
    if code not in CURRENCIES:
        hint = nearest(code, CURRENCIES) or say("hint.currency")
        raise BadValue("wrong-value", say("value.no-currency", code=shown(code)), hint)
    return code


def texts_value(value: Any, stage: str) -> dict[str, str]:
    """{language: text}; a plain text is both languages. Placeholders are checked (rule-semantics 4)."""
    if isinstance(value, str):
        text = text_value(value)
        texts = dict.fromkeys(_LANGUAGES, text)
    elif isinstance(value, Mapping):
        for language in value:
            if language not in _LANGUAGES:
                said = say("value.no-language", language=shown(language))
                raise BadValue("unknown-key", said, allowed(_LANGUAGES))
        if not value:
            raise BadValue("empty-value", say("value.empty-table"), say("hint.give-languages"))
        texts = {language: text_value(value[language]) for language in _LANGUAGES if language in value}
    else:
        raise BadValue("wrong-type", must_be(both(*KEY_TYPES["texts"]), value))
    for text in texts.values():
        _check_placeholders(text, stage)
    return texts


def _check_placeholders(text: str, stage: str) -> None:
    for name in PLACEHOLDER.findall(text):
        fact = find_fact(name)
        if fact is None:
            said = say("value.placeholder", name=f"{{{name}}}")
            raise BadValue("placeholder", said, nearest(name, fact_names(stage)))
        if not is_known_at(fact, stage):
            named = f"{{{name}}}"
            said = say("value.placeholder-early", name=named, known=fact.stage, stage=stage)
            raise BadValue("placeholder", said)


def list_value(value: Any, kind: Said | None = None) -> list[Any]:
    if not isinstance(value, list):
        hint = say("hint.in-brackets", value=shown(value)) if isinstance(value, (str, int)) else None
        raise BadValue("wrong-type", must_be(kind or say("kind.list"), value), hint)
    if not value:
        raise BadValue("empty-value", say("value.empty-list"), _LEAVE_OUT)
    return value


def _warnings(value: Any) -> tuple[str, ...]:
    """Codes of checks; an error cannot be accepted."""
    found = _names(value)
    known = [code for code, check in CHECKS.items() if check.severity == "warning"]
    for code in found:
        if code not in known:
            raise BadValue("wrong-value", say("value.no-warning", code=shown(code)), suggestion(code, known))
    return found


def _names(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text_value(name) for name in list_value(value, say("kind.texts"))))


def _wholes(value: Any) -> tuple[int, ...]:
    numbers = [whole_value(number) for number in list_value(value, say("kind.wholes"))]
    if len(set(numbers)) != len(numbers):
        raise BadValue("wrong-value", say("value.twice"))
    return tuple(sorted(numbers))


def _not_negative(number: Decimal) -> Decimal:
    if number < 0:
        raise BadValue("wrong-value", say("value.negative", value=shown(number)))
    return number


def _between(number: Decimal, low: int, high: int) -> Decimal:
    if not low <= number <= high:
        raise BadValue("wrong-value", say("value.between", low=low, high=high, value=shown(number)))
    return number


def _above_zero(number: Decimal) -> Decimal:
    if number <= 0:
        raise BadValue("wrong-value", say("value.not-above-zero", value=shown(number)), _LEAVE_OUT)
    return number


def _constant(value: Any, only: bool) -> bool:
    if value is not only:
        said = say("value.constant", only=shown(only), value=shown(value))
        raise BadValue("wrong-value", said, _LEAVE_OUT)
    return bool(only)


def bool_value(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue("wrong-type", must_be(say("kind.bool"), value))
    return value is True


def _time(value: Any) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise BadValue("wrong-value", must_be(say("kind.time"), value))
    return value


def _zone(value: Any) -> str:
    from zoneinfo import ZoneInfo

    name = text_value(value)
    try:
        ZoneInfo(name)
    except Exception:  # zoneinfo raises many kinds for bad names: key, value, OS and Unicode errors
        raise BadValue("wrong-value", say("value.no-zone", name=shown(name)), say("hint.zone")) from None
    return name


def _day(value: Any) -> int:
    day = whole_value(value)
    if day > 31:
        raise BadValue("wrong-value", must_be(say("kind.day"), value))
    return day


_READERS: dict[str, Callable[[Any, Key, Source], Any]] = {
    "text": lambda value, key, source: text_value(value),
    "texts": lambda value, key, source: texts_value(value, source.stage),
    "choice": lambda value, key, source: choice_value(value, key.values),
    "true": lambda value, key, source: _constant(value, True),
    "false": lambda value, key, source: _constant(value, False),
    "bool": lambda value, key, source: bool_value(value),
    "whole": lambda value, key, source: whole_value(value),
    "count": lambda value, key, source: whole_value(value, 0),
    "price": lambda value, key, source: _not_negative(number_value(value, source.as_json)),
    "amount": lambda value, key, source: _not_negative(amount_value(value, source.currency, source.as_json)),
    "positive_amount": lambda value, key, source: _above_zero(
        amount_value(value, source.currency, source.as_json)
    ),
    "signed_amount": lambda value, key, source: amount_value(value, source.currency, source.as_json),
    "factor": lambda value, key, source: _between(number_value(value, source.as_json), 0, 10),
    "percent": lambda value, key, source: _not_negative(number_value(value, source.as_json)),
    "percent_100": lambda value, key, source: _between(number_value(value, source.as_json), 0, 100),
    "percent_signed": lambda value, key, source: _between(
        number_value(value, source.as_json), -100, 1_000_000
    ),
    "positive": lambda value, key, source: _above_zero(number_value(value, source.as_json)),
    "day": lambda value, key, source: _day(value),
    "time": lambda value, key, source: _time(value),
    "date": lambda value, key, source: date_value(value, source.as_json),
    "currency": lambda value, key, source: currency_value(value),
    "zone": lambda value, key, source: _zone(value),
    "names": lambda value, key, source: _names(value),
    "checks": lambda value, key, source: _warnings(value),
    "wholes": lambda value, key, source: _wholes(value),
    "path": lambda value, key, source: text_value(value, both(*KEY_TYPES["path"])),
}


def read_table(
    source: Source, name: str, data: Any, path: str, skip: frozenset[str] = frozenset()
) -> dict[str, Any] | None:
    """The table's values, converted; sub-tables in `skip` stay as written. None when it is no table at all.

    Unknown, wrong and missing keys and second kinds are findings; what is wrong is left out of the answer.
    """
    keys = TABLES[name]
    title = f"[{path}]" if path else say("key.file")
    if not isinstance(data, Mapping):
        source.problem("wrong-type", path, say("key.not-a-table", table=title, value=shown(data)))
        return None
    out: dict[str, Any] = {}
    for word, value in data.items():
        here = f"{path}.{word}" if path else word
        key = keys.get(word)
        if key is None:
            # at the top of a rule file a table of an effect may be meant: [quantitty]
            hint = nearest(word, EFFECTS) if not path and isinstance(value, Mapping) else None
            said = say("key.unknown", word=shown(word), table=title)
            source.problem("unknown-key", here, said, hint or suggestion(word, keys))
            continue
        if word in skip or key.type == "free":
            out[word] = value
            continue
        if (read := _read_key(source, key, value, here)) is not None:
            out[word] = read
    misspelled = {
        word
        for word in keys
        if word not in data and any(is_near(bad, word) for bad in data if bad not in keys)
    }
    for word, key in keys.items():
        if key.required and word not in data and word not in misspelled:
            meaning = both(f"{key.en[0].upper()}{key.en[1:]}", key.ja)
            said = say("key.missing", table=title, word=word)
            source.problem("missing-key", path, said, say("hint.key", meaning=meaning))
    _check_kinds(source, name, data, path)
    return out


def _read_key(source: Source, key: Key, value: Any, path: str) -> Any:
    if key.type == "table":
        if not isinstance(value, Mapping):
            source.problem("wrong-type", path, say("key.not-a-table", table=path, value=shown(value)))
            return None
        return read_table(source, key.of, value, path) if key.of and key.of in TABLES else value
    if key.type == "tables":
        return _read_tables(source, key, value, path)
    try:
        return _READERS[key.type](value, key, source)
    except BadValue as bad:
        hint = _number_hint(key, value) or bad.hint
        source.problem(bad.check, path, say("of", path=path, what=bad.said), hint)
    except (ArithmeticError, InvalidOperation):  # a number so odd that even comparing it fails
        source.problem("wrong-value", path, say("of", path=path, what=say("value.unusable-number")))
    return None


def _number_hint(key: Key, value: Any) -> Said | None:
    """The number that was meant by "10%", "1,000" or, where a share of the list price is asked for, by 65."""
    if isinstance(value, str) and key.type in _NUMBERS:
        number = written_factor(value) if key.type == "factor" else written_number(value)
        return say("hint.bare-number-is", value=number) if number else None
    is_number = type(value) is int or (isinstance(value, Decimal) and value.is_finite())
    if key.type == "factor" and is_number and 10 < value <= 100:
        return say("hint.factor", value=value, factor=written_factor(str(value)))
    return None


def _read_tables(source: Source, key: Key, value: Any, path: str) -> list[dict[str, Any]] | None:
    try:
        entries = list_value(value, say("kind.tables"))
    except BadValue as bad:
        source.problem(bad.check, path, say("of", path=path, what=bad.said), bad.hint)
        return None
    read = [read_table(source, key.of, entry, f"{path}.{place}") for place, entry in enumerate(entries)]
    return [entry for entry in read if entry is not None]


def _check_kinds(source: Source, name: str, data: Mapping[str, Any], path: str) -> None:
    kinds = [word for word, key in TABLES[name].items() if key.kind]
    given = [word for word in kinds if word in data]
    if len(given) > 1:
        here = f"{path}.{given[1]}"
        said = say("key.conflict", table=f"[{path}]", kinds=joined("join.and", given))
        source.problem("conflicting-keys", here, said)
