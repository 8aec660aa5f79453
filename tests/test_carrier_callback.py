"""carrier_callback: a real server on 127.0.0.1 answers, fails in every way, and a tariff stands in for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from plugins import Money, Parcel, Place, Quoted, Rate, RateRequest, ShippedLine, Unavailable
from plugins.guard import Answer, Failure
from plugins.loader import HTTP_SECONDS, load
from plugins.outgoing import LARGEST, is_public
from plugins.shipping.carrier_callback import REST, CarrierCallback, Settings, health
from plugins.shipping.table_rate import SAMPLE
from support.carrier_server import carrier_server
from support.listener import Listener

REQUEST = RateRequest(
    origin=Place("JP", "JP-27", "5770000"),
    destination=Place("JP", "JP-13", "1000001", "千代田区"),
    parcels=(Parcel(weight_g=1800),),
    lines=(ShippedLine("M4-10", 100, Decimal("1.6")), ShippedLine("N4", 3, None)),
    subtotal=Money(12_000, "JPY"),
    ship_on=date(2026, 11, 20),
    currency="JPY",
)
FALLBACK = 870  # the sample tariff's price of this parcel


@pytest.fixture
def server() -> Iterator[Listener]:
    with carrier_server() as running:
        yield running


def ours(server: Listener, **more: Any) -> CarrierCallback:
    usual: dict[str, Any] = {"url": server.url, "allow_insecure": True, "fallback": SAMPLE}
    return CarrierCallback(Settings(**usual | more))


def rates(quoted: Quoted) -> list[Rate]:
    assert isinstance(quoted, list), quoted
    return quoted


def test_the_server_is_asked_in_its_format_and_its_rate_is_ours(server: Listener) -> None:
    rate = rates(ours(server, token="s3cret", origin={"city": "東大阪市"}).quote(REQUEST))[0]
    # 100 pieces of 1.6 g, which travel as 2 g: the format has whole grams
    assert (rate.code, rate.price, rate.carrier) == ("NIGHT", Money(1000, "JPY"), "Night train")
    assert (rate.earliest, rate.latest) == (date(2026, 11, 22), date(2026, 11, 23))
    asked = server.asked[0]["rate"]
    assert asked["destination"] == {
        "country": "JP", "postal_code": "1000001", "province": "JP-13", "city": "千代田区"
    }  # fmt: skip
    assert asked["origin"] == {
        "country": "JP", "postal_code": "5770000", "province": "JP-27", "city": "東大阪市"
    }  # fmt: skip
    assert [(item["sku"], item["quantity"], item["grams"]) for item in asked["items"]] == [
        ("M4-10", 100, 2),
        ("N4", 3, 0),
    ]
    assert asked["order_totals"] == {"subtotal_price": 1_200_000}
    assert server.headers[0]["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("currency", "told", "minor"),
    [
        ("JPY", "129500", 1295),
        ("JPY", 129_550, 1296),
        ("USD", "1295", 1295),
        ("KWD", "1295", 1295),
        ("KRW", 500, 5),
    ],
)
def test_amounts_are_hundredths_also_of_currencies_without_a_subunit(
    server: Listener, currency: str, told: object, minor: int
) -> None:
    server.body = answer(total_price=told, currency=currency)
    request = replace(REQUEST, currency=currency, subtotal=Money(7, currency))
    assert rates(ours(server).quote(request))[0].price == Money(minor, currency)


def answer(**changes: object) -> bytes:
    usual: dict[str, object] = {
        "service_name": "Night train", "service_code": "NIGHT", "total_price": "50000", "currency": "JPY"
    }  # fmt: skip
    return json.dumps({"rates": [usual | changes]}).encode()


def test_a_price_with_tax_in_it_is_told_without(server: Listener) -> None:
    server.body = answer(total_price="110000")
    provider = ours(server, prices_include_tax=True, tax_rate=Decimal("0.1"))
    assert rates(provider.quote(REQUEST))[0].price.minor == 1000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"rates": 5}',
        b"[" * 100_000,
        b" " * (LARGEST + 1),
        answer(total_price=5.5),
        answer(total_price=True),
        answer(total_price="-5"),
        answer(total_price="9" * 30),
        answer(currency="USD"),
        answer(service_code=""),
        answer(service_name="a\nb"),
    ],
)
def test_nonsense_has_the_fallback_tariff_answer(server: Listener, body: bytes) -> None:
    server.body = body
    assert rates(ours(server).quote(REQUEST))[0].price.minor == FALLBACK


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 429, 500, 503])
def test_every_other_status_has_the_fallback_answer_and_no_redirect_is_followed(
    server: Listener, status: int
) -> None:
    server.status, server.more = status, {"Location": server.url}
    assert rates(ours(server).quote(REQUEST))[0].price.minor == FALLBACK
    assert len(server.asked) == 1


def test_no_rates_mean_that_it_cannot_go_there(server: Listener) -> None:
    server.body = b'{"rates": []}'
    assert isinstance(ours(server).quote(REQUEST), Unavailable)


def test_a_server_that_hangs_has_the_fallback_answer_and_is_left_alone_for_a_while(
    server: Listener,
) -> None:
    free = threading.Event()
    server.before = lambda: free.wait(10)
    provider = ours(server, timeout_seconds=0.2)
    moment = [100.0]
    provider.ticks = lambda: moment[0]
    try:
        assert rates(provider.quote(REQUEST))[0].price.minor == FALLBACK
        assert rates(provider.quote(REQUEST))[0].price.minor == FALLBACK
        assert len(server.asked) == 1
    finally:
        free.set()
    moment[0] += REST
    server.before = lambda: None
    provider.settings = provider.settings.model_copy(update={"timeout_seconds": 3.0})
    assert rates(provider.quote(REQUEST))[0].price.minor == 1000


def test_an_answer_is_used_again_for_the_same_question_and_only_so_long(server: Listener) -> None:
    provider = ours(server, remember_seconds=60)
    moment = [0.0]
    provider.ticks = lambda: moment[0]
    first = provider.quote(REQUEST)
    server.body = answer()
    assert provider.quote(REQUEST) == first
    assert len(server.asked) == 1
    assert rates(provider.quote(replace(REQUEST, destination=Place("JP", "JP-01"))))[0].price.minor == 500
    moment[0] += 60
    assert rates(provider.quote(REQUEST))[0].price.minor == 500
    assert len(server.asked) == 3


def test_without_a_fallback_a_failure_is_one_and_costs_this_option_alone(server: Listener) -> None:
    server.status = 500
    settings = {"enabled": True, "url": server.url, "allow_insecure": True}
    plugins = load({"carrier_callback": settings, "flat_rate": {"enabled": True}})
    failed = plugins.quote("carrier_callback", REQUEST)
    assert isinstance(failed, Failure)
    assert "answered 500" in failed.detail
    assert isinstance(plugins.quote("flat_rate", REQUEST), Answer)


def test_a_plugin_that_asks_a_server_has_the_longer_deadline_and_no_other_has() -> None:
    plugins = load(
        {
            "carrier_callback": {"enabled": True, "url": "https://rates.example.com/"},
            "flat_rate": {"enabled": True},
        }
    )
    assert plugins.asks_a_server("carrier_callback")
    assert not plugins.asks_a_server("flat_rate")
    assert HTTP_SECONDS > 3


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_asked(address: str, is_open: bool) -> None:
    assert is_public(address) is is_open


def test_a_private_address_is_not_even_called(server: Listener) -> None:
    provider = ours(server)
    provider.settings = provider.settings.model_copy(update={"allow_insecure": False})
    assert rates(provider.quote(REQUEST))[0].price.minor == FALLBACK
    assert server.asked == []


def test_https_to_a_server_without_it_has_the_fallback_answer(server: Listener) -> None:
    provider = ours(server, url=server.url.replace("http:", "https:"))
    assert rates(provider.quote(REQUEST))[0].price.minor == FALLBACK
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://rates.example.com/",
        "ftp://rates.example.com/",
        "file:///etc/passwd",
        "rates.example.com",
        "https://",
        "https://user:secret@rates.example.com/",
        "https://rates.example.com/#part",
        "https://rates.example.com:99999/",
        "https://料金.example.com/",
        "https://rates.example.com/a\r\nb",
    ],
)
def test_a_url_that_is_not_safe_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Settings(url=url)


def test_the_token_stands_in_no_text() -> None:
    settings = Settings(url="https://rates.example.com/", token="s3cret")
    assert "s3cret" not in repr(settings) + str(CarrierCallback(settings).settings)


def test_it_is_well_while_its_server_can_be_reached_and_says_what_happens_without(
    server: Listener,
) -> None:
    settings = Settings.model_validate({"url": server.url, "allow_insecure": True, "timeout_seconds": 1})
    assert health(settings).is_well
    assert server.asked == []  # no rate was asked for
    nobody = settings.model_copy(update={"url": "http://127.0.0.1:9/"})
    told = health(nobody)
    assert not told.is_well
    assert told.said is not None
    assert "The method is not offered" in told.said["en"]
    with_tariff = health(nobody.model_copy(update={"fallback": SAMPLE}))
    assert with_tariff.said is not None
    assert "The fallback tariff answers" in with_tariff.said["en"]


def test_its_health_goes_to_no_private_address_either(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    told = health(Settings.model_validate({"url": "https://rates.example.com/"}))
    assert not told.is_well
    assert "is a private address" in str(told.said)
