"""flat_rate, table_rate and pickup: what a parcel costs, and what is refused or left to a person."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plugins import Money, NeedsQuotation, Parcel, Place, Quoted, RateRequest, Unavailable
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


def test_flat_rate_asks_one_price_and_promises_a_window() -> None:
    quoted = quote("flat_rate", REQUEST, price_minor=770, days=[1, 2])
    assert price(quoted) == 770
    assert isinstance(quoted, list)
    assert (quoted[0].earliest, quoted[0].latest) == (date(2026, 11, 21), date(2026, 11, 22))


def test_flat_rate_knows_dearer_regions_and_refuses_other_countries() -> None:
    okinawa = replace(REQUEST, destination=Place("JP", "JP-47"))
    assert price(quote("flat_rate", okinawa, price_minor=770, regions={"JP-47": 2000})) == 2000
    abroad = replace(REQUEST, destination=Place("FR"))
    assert isinstance(quote("flat_rate", abroad, price_minor=770, countries=["JP"]), Unavailable)


@pytest.mark.parametrize(("weight", "yen"), [(None, 770), (2000, 770), (2001, 1010), (25_000, 2070)])
def test_table_rate_takes_the_smallest_size_for_the_weight(weight: int | None, yen: int) -> None:
    assert price(quote("table_rate", replace(REQUEST, parcels=(Parcel(weight_g=weight),)))) == yen


def test_table_rate_takes_the_larger_of_size_and_weight_and_counts_parcels() -> None:
    assert price(quote("table_rate", replace(REQUEST, parcels=(Parcel(weight_g=100, sum_cm=95),)))) == 1270
    assert price(quote("table_rate", replace(REQUEST, parcels=(Parcel(weight_g=100, count=3),)))) == 2310


@pytest.mark.parametrize(
    "parcel", [Parcel(weight_g=25_001), Parcel(sum_cm=161), Parcel(sum_cm=80, longest_cm=171)]
)
def test_a_parcel_beyond_the_tariff_is_left_to_a_person(parcel: Parcel) -> None:
    quoted = quote("table_rate", replace(REQUEST, parcels=(parcel,)))
    assert isinstance(quoted, NeedsQuotation)
    assert set(quoted.reason) == {"ja", "en"}


def test_islands_and_places_marked_remote_cost_extra() -> None:
    island = replace(REQUEST, destination=Place("JP", "JP-13", "1002101"))
    assert price(quote("table_rate", island)) == 870 + 1100
    remote = replace(REQUEST, destination=Place("JP", "JP-13", "1600022", remote=True))
    assert price(quote("table_rate", remote)) == 870 + 1100
    assert price(quote("table_rate", replace(REQUEST, destination=Place("JP", "JP-13")))) == 870


def test_an_unknown_region_or_currency_is_refused_with_a_reason() -> None:
    assert isinstance(quote("table_rate", replace(REQUEST, destination=Place("JP"))), Unavailable)
    assert isinstance(quote("table_rate", replace(REQUEST, currency="USD")), Unavailable)


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


def test_of_dated_tariffs_the_latest_that_has_begun_counts(tmp_path: Path) -> None:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n")
    for name, start in (("old.toml", "2026-01-01"), ("new.toml", "2026-12-01")):
        (tmp_path / name).write_text(TARIFF.format(start=start))
    (tmp_path / "new.toml").write_text(
        (tmp_path / "new.toml").read_text().replace('table = "freight.csv"', "prices.100 = {near = 1600}")
    )
    files = {"tariffs": ["old.toml", "new.toml"]}
    assert price(quote("table_rate", REQUEST, tmp_path, **files)) == 1500
    assert price(quote("table_rate", replace(REQUEST, ship_on=date(2026, 12, 1)), tmp_path, **files)) == 1600
    early = replace(REQUEST, ship_on=date(2025, 12, 31))
    assert isinstance(quote("table_rate", early, tmp_path, **files), Unavailable)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("near,100,1500", "near,60,1500"), "no price for size 100 in zone near"),
        (("near,100,1500", "near,100,1500\nnear,100,1"), "priced twice"),
        (('near = ["JP-27"]', 'near = ["JP-27"]\nfar = ["JP-27"]'), "JP-27 stands in zones near and far"),
        (('currency = "JPY"', 'curency = "JPY"'), "curency"),
        (("[[sizes]]", "[[sizes"), "tariff.toml"),
    ],
)
def test_a_broken_tariff_keeps_the_plugin_out_and_says_where(
    tmp_path: Path, change: tuple[str, str], reason: str
) -> None:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n".replace(*change))
    (tmp_path / "tariff.toml").write_text(TARIFF.format(start="2026-01-01").replace(*change))
    plugins = load({"table_rate": {"enabled": True, "tariffs": ["tariff.toml"]}}, folder=tmp_path)
    plugin = next(each for each in plugins.installed if each.id == "table_rate")
    assert plugin.state == "failed"
    assert reason in str(plugin.error)


@pytest.mark.parametrize("name", ["../outside.toml", "/etc/passwd", "missing.toml"])
def test_a_tariff_outside_the_shop_folder_is_refused(tmp_path: Path, name: str) -> None:
    plugins = load({"table_rate": {"enabled": True, "tariffs": [name]}}, folder=tmp_path)
    assert plugins.shipping == {}


def test_the_sample_tariff_says_that_it_is_a_sample() -> None:
    quoted = quote("table_rate", REQUEST)
    assert isinstance(quoted, list)
    assert "見本" in quoted[0].label["ja"]
    assert "sample" in quoted[0].label["en"]


def test_pickup_is_free_and_only_for_buyers_nearby() -> None:
    near = quote("pickup", REQUEST, regions=["JP-27"], hours=["09:00-12:00"], days=2)
    assert isinstance(near, list)
    assert (near[0].price.minor, near[0].earliest, near[0].slots) == (0, date(2026, 11, 22), ("09:00-12:00",))
    far = replace(REQUEST, destination=Place("JP", "JP-13"))
    assert isinstance(quote("pickup", far, regions=["JP-27"]), Unavailable)
