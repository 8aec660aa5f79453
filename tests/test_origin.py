"""Where parcels leave and which places are remote, as shipping plugins are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from plugins.contract import Place
from storefront.settings import Settings, SettingsError, load_settings
from storefront.settings_tables import ShippingSettings, SlipSettings, Text
from storefront.shipping.origin import origin_of, origin_place, region_of
from storefront.shipping.quoting import place_of
from storefront.shipping.remote import REMOTE, is_remote
from support.shop import SHOP_TOML, write_shop


def settings_with(app: Flask, shops: str = "", /, **slips: str) -> Settings:
    changes = {"address": Text(ja=shops), "slips": SlipSettings(**slips)}
    settings: Settings = app.extensions["koguchi"].settings.model_copy(update=changes)
    return settings


@pytest.mark.parametrize(
    ("address", "slips", "place"),
    [
        ("〒577-0000 大阪府東大阪市高井田1-2-3", {}, Place("JP", "JP-27", "5770000")),
        ("大阪府東大阪市高井田1-2-3", {}, Place("JP", "JP-27")),
        ("東大阪市高井田1-2-3", {"postcode": "577-0000"}, Place("JP", None, "5770000")),
        ("", {}, Place("JP")),
        (
            "〒577-0000 大阪府東大阪市",
            {"address": "京都府京都市下京区1", "postcode": "600-8001"},
            Place("JP", "JP-26", "6008001"),
        ),
        # another address than the shop's has not the shop's postcode
        ("〒577-0000 大阪府東大阪市", {"address": "京都府京都市下京区1"}, Place("JP", "JP-26")),
        ("大阪府東大阪市", {"address": "〒6008001　京都府京都市"}, Place("JP", "JP-26", "6008001")),
    ],
)
def test_the_origin_is_the_senders_region_and_postcode_as_far_as_they_are_known(
    app: Flask, address: str, slips: dict[str, str], place: Place
) -> None:
    assert origin_place(settings_with(app, address, **slips)) == place


def test_the_slip_and_the_quote_know_the_same_sender(app: Flask) -> None:
    origin = origin_of(settings_with(app, "〒577-0000 大阪府東大阪市高井田1-2-3", name="発送係"))
    assert (origin.name, origin.postcode, origin.address) == (
        "発送係",
        "5770000",
        "大阪府東大阪市高井田1-2-3",
    )


def test_kyoto_and_tokyo_are_not_taken_for_each_other() -> None:
    assert (region_of("京都府京都市"), region_of("東京都港区"), region_of("港区")) == ("JP-26", "JP-13", None)


@pytest.mark.parametrize(
    ("postcode", "remote"),
    [
        ("9070001", True),  # Ishigaki
        ("1000101", True),  # Oshima
        ("1002101", True),  # Ogasawara
        ("8940001", True),  # Amami
        ("9520001", True),  # Sado
        ("1000005", False),  # Chiyoda, which begins almost like Izu
        ("0970001", False),  # Wakkanai, which begins like Rishiri
        ("9000001", False),  # Naha
        ("8910101", False),  # Kagoshima
        ("5770000", False),
        (None, False),
        ("", False),
    ],
)
def test_islands_are_known_by_the_beginning_of_their_postcode(postcode: str | None, remote: bool) -> None:
    assert is_remote("JP", postcode) is remote
    assert is_remote("FR", postcode) is False


def test_no_beginning_of_the_table_stands_within_another() -> None:
    prefixes = [each for some in REMOTE.values() for each in some]
    assert len(set(prefixes)) == len(prefixes)
    assert [a for a in prefixes for b in prefixes if a != b and a.startswith(b)] == []


def test_a_shop_may_name_its_own_remote_places_or_none(app: Flask) -> None:
    shop = app.extensions["koguchi"]
    assert place_of(shop, "JP", "JP-47", "9070001").remote
    for own, remote in (((), False), (("577",), False), (("907",), True)):
        shop.settings = shop.settings.model_copy(update={"shipping": ShippingSettings(remote_postcodes=own)})
        assert place_of(shop, "JP", "JP-47", "9070001").remote is remote


def test_a_beginning_that_is_no_postcode_is_told_by_name(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop", toml=SHOP_TOML + '\n[shipping]\nremote_postcodes = ["100-1"]\n')
    with pytest.raises(SettingsError, match=r"shipping\.remote_postcodes.*100-1.*two to seven digits"):
        load_settings(folder)
