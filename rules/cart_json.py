"""JSON from outside to plain values: decimals, no NaN, no repeated keys, no depth or number that costs time.

Knows nothing of carts; carts.py reads what comes out of here.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.errors import CartError, Fault
from rules.said import Said, say

MOST_LEVELS = 20
_MOST_DIGITS = 400
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[\]{}]', re.S)


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text; CartError with one sentence when it is no JSON that can be used."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        _check_depth(text)
        return json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise CartError([Fault("cart", say("json.not-utf8", byte=error.start + 1))]) from None
    except json.JSONDecodeError as error:
        said = say("json.syntax", line=error.lineno, reason=error.msg)
        raise CartError([Fault("cart", said)]) from None
    except _Refused as refused:
        raise CartError([Fault("cart", refused.said)]) from None
    except (ValueError, RecursionError):
        raise CartError([Fault("cart", say("json.unreadable"))]) from None


class _Refused(Exception):
    def __init__(self, said: Said) -> None:
        super().__init__(said)
        self.said = said


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(text):
        first = match.group()[0]
        if first in "[{":
            depth += 1
            if depth > MOST_LEVELS:
                raise _Refused(say("json.too-deep", levels=MOST_LEVELS))
        elif first in "]}":
            depth -= 1


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Refused(say("json.number")) from None
    if len(text) > _MOST_DIGITS or abs(number.adjusted()) > _MOST_DIGITS:
        raise _Refused(say("json.number-fine"))
    return number


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _Refused(say("json.number-large"))
    return int(text)


def _refuse_constant(text: str) -> Any:
    raise _Refused(say("json.no-number", text=text))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for word, _ in pairs:
            if word in seen:
                raise _Refused(say("json.twice", word=word[:60]))
            seen.add(word)
    return found
