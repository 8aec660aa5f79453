"""A server on 127.0.0.1 that answers Shopify's CarrierService request, well or as badly as a test asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.listener import Listener, listener


def priced(rate: dict[str, Any]) -> dict[str, Any]:
    """Five yen, or five cents, for each gram; nothing goes to the country ZZ."""
    if rate["destination"]["country"] == "ZZ":
        return {"rates": []}
    grams = sum(item["grams"] * item["quantity"] for item in rate["items"])
    hundred = 100 if rate["currency"] == "JPY" else 1
    return {
        "rates": [
            {
                "service_name": "Night train",
                "service_code": "NIGHT",
                "total_price": str(5 * grams * hundred),
                "currency": rate["currency"],
                "min_delivery_date": "2026-11-22 14:48:45 +0900",
                "max_delivery_date": "2026-11-23 14:48:45 +0900",
            }
        ]
    }


@contextmanager
def carrier_server() -> Iterator[Listener]:
    with listener(lambda asked: json.dumps(priced(asked["rate"])).encode(), "/rates") as server:
        yield server
