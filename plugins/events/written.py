"""Events as JSON, for whoever stands outside: one shape for files, webhooks and whatever comes next."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def kind_of(event: object) -> str:
    """The hook that an event comes by: OrderPlaced is order_placed."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def as_json(event: object) -> bytes:
    """`{"kind": "order_placed", "event_id": ..., "at": ..., "order": {...}}` in UTF-8, the same bytes each time.

    Money is `{"minor": 16884, "currency": "JPY"}`, decimals are texts, days and moments ISO 8601.
    """
    data = {"kind": kind_of(event), **_plain(event)}
    return json.dumps(data, ensure_ascii=False, indent=1).encode()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
