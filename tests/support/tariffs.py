"""A small tariff, a parcel to send, and what a shipping plugin asks for it."""

from datetime import date
from pathlib import Path
from typing import Any

from plugins import Money, Parcel, Place, Quoted, RateRequest
from plugins.guard import Answer
from plugins.loader import load

REQUEST = RateRequest(
    origin=Place("JP", "JP-27", "5770000"),
    destination=Place("JP", "JP-27", "5810000"),
    parcels=(Parcel(weight_g=1800),),
    lines=(),
    subtotal=Money(10_000, "JPY"),
    ship_on=date(2026, 11, 20),
    currency="JPY",
)


def quote(name: str, request: RateRequest, folder: Path | None = None, **settings: Any) -> Quoted:
    plugins = load({name: {"enabled": True} | settings}, folder=folder)
    assert name in plugins.shipping, plugins.installed
    answer = plugins.quote(name, request)
    assert isinstance(answer, Answer), answer
    return answer.value


def price(quoted: Quoted) -> int:
    assert isinstance(quoted, list)
    return quoted[0].price.minor


TARIFF = """
from = {start}
currency = "JPY"
label = {{ja = "路線便", en = "Freight"}}
table = "freight.csv"
[zones]
near = ["JP-27"]
[[sizes]]
sum_cm = 100
weight_g = 10000
"""
