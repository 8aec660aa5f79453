"""Files of tariffs: dated ones, prices in a CSV, and what is wrong told with file and line."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from plugins import Unavailable
from plugins.loader import load
from plugins.shipping.tariff_files import read_tariffs
from support.tariffs import REQUEST, TARIFF, price, quote


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
        (("near,100,1500", "near,60,1500"), "freight.csv:2: 60 is no size; sizes are 100"),
        (("near,100,1500", ""), "freight.csv:1: the file has no prices"),
        (
            ('near = ["JP-27"]', 'near = ["JP-27"]\nfar = ["JP-13"]'),
            "freight.csv:2: no price for size 100 in zone far",
        ),
        (('near = ["JP-27"]', 'near = ["JP-48"]'), "tariff.toml:6: zones: JP-48 is no prefecture"),
        (("[zones]", 'not_served = ["JP-27"]\n[zones]'), "not_served: JP-27 stands in zone near"),
        (('table = "freight.csv"', 'table = "../freight.csv"'), "tariff.toml:5: table: ../freight.csv lies"),
        (
            ("[zones]", "prices.100 = {near = 1}\n[zones]"),
            "tariff.toml:5: table: the prices stand in this file and in freight.csv",
        ),
        (
            ("[zones]", 'extras = [{label = {ja = "x"}, amount_minor = 1}]\n[zones]'),
            "say where it is added: postcodes, regions, or remote = true",
        ),
        (("[zones]", 'transit = "weekdays"\n[zones]'), "tariff.toml:6: transit"),
        (
            ("[zones]", 'transit = "business"\ndays = {near = [3, 40]}\n[zones]'),
            "days: at most 30 business days",
        ),
        (
            ("near,100,1500", "near,100,1500\nnear,100,1"),
            "freight.csv:3: size 100 in zone near is priced twice",
        ),
        (
            ("near,100,1500", "near,100,1500\nnear,100,1.5"),
            "freight.csv:3: size and price_minor are whole numbers",
        ),
        (
            ("near,100,1500", "near,100,-1"),
            "freight.csv:2: size and price_minor are whole numbers, not below zero: -1",
        ),
        (("near,100,1500", "near,100"), "freight.csv:2: this row has 2 cells; the heading has 3"),
        (("zone,size", "zone;size"), "freight.csv:1: the columns are zone, size, price_minor, and from"),
        (("near,100,1500", "near,100,1500\nfar,100,1"), "freight.csv:3: far is no zone; zones are near"),
        (("near,100,1500", "near,100,1500\nnear,90,1"), "freight.csv:3: 90 is no size; sizes are 100"),
        (
            ('near = ["JP-27"]', 'near = ["JP-27"]\nfar = ["JP-27"]'),
            "tariff.toml:6: zones: JP-27 stands in zones",
        ),
        (('currency = "JPY"', 'curency = "JPY"'), "tariff.toml:3: curency"),
        (("[[sizes]]", "[[sizes"), "tariff.toml:8: "),
        (("sum_cm = 100", "sum_cm = 0"), "tariff.toml:9: sizes.0.sum_cm"),
        (("[zones]", 'cutoff = "25:00"\n[zones]'), "tariff.toml:6: cutoff"),
        (("[zones]", "days = {near = [3, 1]}\n[zones]"), "tariff.toml:6: days: near: write the first"),
        (("[zones]", "cool.chilled = {90 = 1}\n[zones]"), "chilled: 90 is no size"),
        (("[zones]", "prices_include_tax = true\n[zones]"), "prices_include_tax needs tax_rate"),
    ],
)
def test_a_broken_tariff_keeps_the_plugin_out_and_says_file_and_line(
    tmp_path: Path, change: tuple[str, str], reason: str
) -> None:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n".replace(*change))
    (tmp_path / "tariff.toml").write_text(TARIFF.format(start="2026-01-01").replace(*change))
    plugins = load({"table_rate": {"enabled": True, "tariffs": ["tariff.toml"]}}, folder=tmp_path)
    plugin = next(each for each in plugins.installed if each.id == "table_rate")
    assert plugin.state == "failed"
    assert reason in str(plugin.error)


def test_a_tariff_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "tariff.toml").write_bytes(TARIFF.format(start="2026-01-01").encode("cp932"))
    plugins = load({"table_rate": {"enabled": True, "tariffs": ["tariff.toml"]}}, folder=tmp_path)
    assert any("tariff.toml:4: this line is not UTF-8" in str(each.error) for each in plugins.installed)


@pytest.mark.parametrize("name", ["../outside.toml", "/etc/passwd", "missing.toml"])
def test_a_tariff_outside_the_shop_folder_is_refused(tmp_path: Path, name: str) -> None:
    plugins = load({"table_rate": {"enabled": True, "tariffs": [name]}}, folder=tmp_path)
    assert plugins.shipping == {}


# ---- prices by their date

DATED = TARIFF.replace("from = {start}\n", "")


def dated(folder: Path, rows: str, tariff: str = DATED) -> list[Any]:
    (folder / "freight.csv").write_text("from,zone,size,price_minor\n" + rows)
    (folder / "tariff.toml").write_text(tariff.format(start="2026-01-01"))
    return list(read_tariffs(folder / "tariff.toml"))


def test_one_csv_holds_the_prices_of_several_dates(tmp_path: Path) -> None:
    dated(tmp_path, "2026-12-01,near,100,1600\n2026-01-01,near,100,1500\n")
    files = {"tariffs": ["tariff.toml"]}
    last_day, first_day = (replace(REQUEST, ship_on=date(2026, *day)) for day in ((11, 30), (12, 1)))
    assert price(quote("table_rate", last_day, tmp_path, **files)) == 1500
    assert price(quote("table_rate", first_day, tmp_path, **files)) == 1600
    early = replace(REQUEST, ship_on=date(2025, 12, 31))
    assert isinstance(quote("table_rate", early, tmp_path, **files), Unavailable)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("2026-1-1,near,100,1500\n", "freight.csv:2: from is 2026-1-1; write a date like 2026-12-01"),
        (",near,100,1500\n", "freight.csv:2: from is empty"),
        ("2026-02-30,near,100,1500\n", "freight.csv:2: from is 2026-02-30"),
        (
            "2026-01-01,near,100,1\n2026-12-01,near,100,1\n2026-01-01,near,100,2\n",
            "freight.csv:4: size 100 in zone near is priced twice from 2026-01-01",
        ),
        ('2026-01-01,"near,100,1\n', "freight.csv:2: "),
    ],
)
def test_a_wrong_date_in_a_csv_is_told_with_its_line(tmp_path: Path, rows: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        dated(tmp_path, rows)


def test_a_zone_without_price_from_one_date_on_is_named_with_the_line_where_that_date_begins(
    tmp_path: Path,
) -> None:
    two = DATED.replace('near = ["JP-27"]', 'near = ["JP-27"]\nfar = ["JP-13"]')
    rows = "2026-01-01,near,100,1\n2026-01-01,far,100,2\n2026-12-01,near,100,3\n"
    with pytest.raises(
        ValueError, match=r"freight\.csv:4: from 2026-12-01: no price for size 100 in zone far"
    ):
        dated(tmp_path, rows, two)


def test_a_date_stands_in_the_tariff_or_in_its_csv(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"tariff\.toml:2: from stands here and in a column of freight\.csv"):
        dated(tmp_path, "2026-01-01,near,100,1\n", TARIFF)


def test_two_tariffs_that_begin_on_one_day_are_refused(tmp_path: Path) -> None:
    (tmp_path / "freight.csv").write_text("zone,size,price_minor\nnear,100,1500\n")
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(TARIFF.format(start="2026-01-01"))
    plugins = load({"table_rate": {"enabled": True, "tariffs": ["a.toml", "b.toml"]}}, folder=tmp_path)
    assert any("b.toml: a.toml begins on 2026-01-01 as well" in str(each.error) for each in plugins.installed)
