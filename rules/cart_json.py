"""JSON from outside to plain values: decimals, no NaN, no repeated keys, no depth or number that costs time.

Knows nothing of carts; carts.py reads what comes out of here.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.errors import CartError, Fault

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
        raise CartError([Fault("cart", f"byte {error.start + 1} is not UTF-8")]) from None
    except json.JSONDecodeError as error:
        raise CartError([Fault("cart", f"is no JSON: line {error.lineno}: {error.msg}")]) from None
    except _Refused as refused:
        raise CartError([Fault("cart", str(refused))]) from None
    except (ValueError, RecursionError):
        raise CartError([Fault("cart", "is no JSON that can be read")]) from None


class _Refused(Exception):
    pass


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(text):
        first = match.group()[0]
        if first in "[{":
            depth += 1
            if depth > MOST_LEVELS:
                raise _Refused(f"is nested more than {MOST_LEVELS} levels deep")
        elif first in "]}":
            depth -= 1


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Refused("holds a number that cannot be used") from None
    if len(text) > _MOST_DIGITS or abs(number.adjusted()) > _MOST_DIGITS:
        raise _Refused("holds a number that is too large or too fine")
    return number


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _Refused("holds a number that is too large")
    return int(text)


def _refuse_constant(text: str) -> Any:
    raise _Refused(f"holds {text}, which is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for word, _ in pairs:
            if word in seen:
                raise _Refused(f'names "{word[:60]}" twice')
            seen.add(word)
    return found
