"""flat_rate, table_rate and pickup: what a parcel costs, and what is refused or left to a person."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins import NeedsQuotation, Parcel, Place, Unavailable
from plugins.guard import Answer
from plugins.loader import load
from plugins.shipping.table_rate import SAMPLE
from plugins.shipping.tariff_files import read_tariffs
from rules.promise import Closed
from storefront.shop_calendar import ShopCalendar
from support.tariffs import REQUEST, TARIFF, price, quote


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
    "parcel", [Parcel(weight_g=30_001), Parcel(sum_cm=201), Parcel(sum_cm=80, longest_cm=171)]
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
    chiyoda = replace(REQUEST, destination=Place("JP", "JP-13", "1000005"))  # begins as Izu does, and is none
    assert price(quote("table_rate", chiyoda)) == 870
    oshima = replace(REQUEST, destination=Place("JP", "JP-13", "1000101"))
    assert price(quote("table_rate", oshima)) == 870 + 1100


def test_an_unknown_region_or_currency_is_refused_with_a_reason() -> None:
    assert isinstance(quote("table_rate", replace(REQUEST, destination=Place("JP"))), Unavailable)
    assert isinstance(quote("table_rate", replace(REQUEST, currency="USD")), Unavailable)


def test_what_must_stay_cold_costs_more_by_its_size() -> None:
    cold = replace(REQUEST, parcels=(Parcel(1800, 60, 30, "chilled", 2),))
    assert price(quote("table_rate", cold)) == 2 * (770 + 250)
    assert price(quote("table_rate", replace(cold, parcels=(Parcel(1800, 110, 30, "frozen"),)))) == 1530 + 700
    large = quote("table_rate", replace(cold, parcels=(Parcel(1800, 140, 30, "frozen"),)))
    assert isinstance(large, NeedsQuotation)
    assert "cold" in large.reason["en"]


def test_okinawa_has_its_own_zone_days_and_may_have_an_extra(tmp_path: Path) -> None:
    okinawa = replace(REQUEST, destination=Place("JP", "JP-47", "9000001"))
    quoted = quote("table_rate", okinawa)
    assert isinstance(quoted, list)
    assert (quoted[0].price.minor, quoted[0].earliest) == (1270, date(2026, 11, 23))
    extra = '[[extras]]\nlabel = {ja = "沖縄", en = "Okinawa"}\namount_minor = 500\nregions = ["JP-47"]\n'
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n")
    tariff = TARIFF.format(start="2026-01-01").replace('"JP-27"', '"JP-27", "JP-47"')
    (tmp_path / "tariff.toml").write_text(tariff + extra)
    assert price(quote("table_rate", okinawa, tmp_path, tariffs=["tariff.toml"])) == 2000
    assert price(quote("table_rate", REQUEST, tmp_path, tariffs=["tariff.toml"])) == 1500


def test_prices_with_tax_in_them_are_told_without(tmp_path: Path) -> None:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1375\n")
    tariff = TARIFF.format(start="2026-01-01")
    (tmp_path / "tariff.toml").write_text(
        tariff.replace("[zones]", "prices_include_tax = true\ntax_rate = 0.10\n[zones]")
    )
    assert price(quote("table_rate", REQUEST, tmp_path, tariffs=["tariff.toml"])) == 1250
    three = replace(REQUEST, parcels=(Parcel(weight_g=100, count=3),))
    assert price(quote("table_rate", three, tmp_path, tariffs=["tariff.toml"])) == 3750


def test_the_sample_has_twelve_zones_for_all_prefectures_and_eight_sizes() -> None:
    (tariff,) = read_tariffs(SAMPLE)
    assert tariff.sample
    assert len(tariff.zones) == 12
    regions = sorted(region for zone in tariff.zones.values() for region in zone)
    assert regions == [f"JP-{number:02}" for number in range(1, 48)]
    sizes = [(size.sum_cm, size.weight_g // 1000) for size in tariff.sizes]
    assert sizes == [(60, 2), (80, 5), (100, 10), (120, 15), (140, 20), (160, 25), (180, 30), (200, 30)]
    assert SAMPLE.read_text("utf-8").startswith("# 見本")


# ---- when it arrives

YEAR_END = tuple(date(2026, 12, 29) + timedelta(days=each) for each in range(7))  # closed to 4 January


def arrives(tmp_path: Path, more: str, ship_on: date, closed_on: tuple[date, ...] = ()) -> tuple[Any, Any]:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n")
    (tmp_path / "t.toml").write_text(TARIFF.format(start="2026-01-01").replace("[zones]", more + "\n[zones]"))
    asked = replace(REQUEST, ship_on=ship_on, closed_on=closed_on)
    (rate,) = quote("table_rate", asked, tmp_path, tariffs=["t.toml"])  # type: ignore[misc]
    return rate.earliest, rate.latest


@pytest.mark.parametrize(
    ("more", "ship_on", "first", "last"),
    [
        # Friday: parcels travel at weekends, freight does not
        ("days = {near = [1, 2]}", date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)),
        (
            'transit = "business"\ndays = {near = [1, 2]}',
            date(2026, 11, 20),
            date(2026, 11, 24),  # Monday is a holiday
            date(2026, 11, 25),
        ),
        (
            'transit = "business"\ndays = {near = [0, 0]}',
            date(2026, 11, 20),
            date(2026, 11, 20),
            date(2026, 11, 20),
        ),
        # over the new year
        ("days = {near = [1, 3]}", date(2026, 12, 28), date(2026, 12, 29), date(2026, 12, 31)),
        (
            'transit = "business"\ndays = {near = [1, 3]}',
            date(2026, 12, 28),
            date(2027, 1, 5),
            date(2027, 1, 7),
        ),
        (
            "closed = [2026-12-31, 2027-01-01]\ndays = {near = [1, 3]}",
            date(2026, 12, 28),
            date(2026, 12, 29),
            date(2027, 1, 2),
        ),
        (
            'transit = "business"\nclosed = [2027-01-05]\ndays = {near = [1, 1]}',
            date(2026, 12, 28),
            date(2027, 1, 6),
            date(2027, 1, 6),
        ),
    ],
)
def test_transit_is_counted_in_calendar_days_unless_the_tariff_says_business_days(
    tmp_path: Path, more: str, ship_on: date, first: date, last: date
) -> None:
    calendar = ShopCalendar(days=dict.fromkeys(YEAR_END, Closed({"ja": "年末年始", "en": "New Year"})))
    after = [ship_on + timedelta(days=each) for each in range(1, 101)]
    closed = tuple(day for day in after if calendar.closed(day) is not None)
    assert arrives(tmp_path, more, ship_on, closed) == (first, last)


def test_a_zone_without_days_promises_no_arrival(tmp_path: Path) -> None:
    assert arrives(tmp_path, "", date(2026, 11, 20)) == (None, None)


# ---- what the owner is told


def told(folder: Path | None, **settings: Any) -> str:
    answer = load({"table_rate": {"enabled": True} | settings}, folder=folder).health("table_rate")
    assert isinstance(answer, Answer) and answer.value.is_well, answer
    return str(answer.value.said["en"]) if answer.value.said else ""


def test_the_owner_is_told_of_samples_and_of_prefectures_and_zones_that_were_left_out(tmp_path: Path) -> None:
    assert "2026-01-01: this is the sample tariff; its prices are made up" in told(None)
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n")
    tariff = TARIFF.format(start="2026-01-01")
    (tmp_path / "t.toml").write_text(tariff)
    said = told(tmp_path, tariffs=["t.toml"])
    assert "prefectures in no zone: JP-01, JP-02" in said and "JP-27" not in said
    assert "zones without days, so that no arrival is promised: near" in said
    rest = ", ".join(f'"JP-{number:02}"' for number in range(1, 48) if number != 27)
    whole = tariff.replace("[zones]", f"days = {{near = [1, 2]}}\nnot_served = [{rest}]\n[zones]")
    (tmp_path / "t.toml").write_text(whole)
    assert told(tmp_path, tariffs=["t.toml"]) == ""


def test_a_sample_says_so_wherever_its_label_stands_even_when_it_was_renamed(tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8").replace("(見本料金)", "").replace(" (sample tariff)", "")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    (rate,) = quote("table_rate", REQUEST, tmp_path, tariffs=["mine.toml"])  # type: ignore[misc]
    assert rate.label == {"ja": "宅配便 (見本料金)", "en": "Parcel service (sample tariff)"}
    (tmp_path / "mine.toml").write_text(text.replace("sample = true", ""), "utf-8")
    (rate,) = quote("table_rate", REQUEST, tmp_path, tariffs=["mine.toml"])  # type: ignore[misc]
    assert rate.label["ja"] == "宅配便"


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


def test_goods_are_fetched_on_a_day_on_which_the_shop_is_open() -> None:
    weekend = (date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23))
    for days, ready in ((0, 20), (1, 24), (2, 25)):
        (rate,) = quote("pickup", replace(REQUEST, closed_on=weekend), days=days)  # type: ignore[misc]
        assert rate.earliest == date(2026, 11, ready)
