"""Requests to other people's servers: which addresses are refused, when settings are read and when they are sent."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from plugins import outgoing
from plugins.outgoing import checked_url, post, refuse_private
from support.carrier_server import carrier_server
from support.listener import Listener

EXAMPLE = "https://erp.example.com/koguchi"
RATE = b'{"rate": {"destination": {"country": "JP"}, "currency": "JPY", "items": []}}'


@pytest.fixture
def server() -> Iterator[Listener]:
    with carrier_server() as running:
        yield running


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
        "https://localhost/", "https://localhost./", "https://printer.local/", "https://10.0.0.8:8443/",
        "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/", "https://0.0.0.0/", "http://erp.example.com/",
    ],
)  # fmt: skip
def test_an_address_of_this_machine_or_its_network_is_refused_when_settings_are_read(url: str) -> None:
    with pytest.raises(ValueError, match=r"private address|own network|must begin with https"):
        refuse_private(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "https://", "https://user:pass@example.com/", "https://a/#b",
        "https://exa mple.com/", "https://example.com\\@10.0.0.1/", "https://例え.jp/", "javascript:alert(1)", "",
        "https://example.com:99999/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused_with_an_example_or_its_reason(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_url(url, EXAMPLE)


@pytest.mark.parametrize(
    "url", ["https://erp.example.com/in?shop=1", "https://8.8.8.8/", "https://[2606:4700::1]:8443/x"]
)
def test_addresses_of_the_open_internet_are_taken(url: str) -> None:
    refuse_private(checked_url(url, EXAMPLE))


def test_a_public_name_that_leads_to_a_private_address_is_refused_when_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rebound(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("8.8.8.8", "10.0.0.8")]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was connected to"))
    refuse_private(EXAMPLE)
    with pytest.raises(ValueError, match="private address"):
        post(EXAMPLE, b"{}", {}, seconds=1)


def test_control_with_the_look_at_addresses_switched_off_the_private_server_is_reached(
    server: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="private address"):
        post(server.url, RATE, {}, seconds=5)
    assert not server.asked
    assert post(server.url, RATE, {}, seconds=5, allow_insecure=True)
    assert len(server.asked) == 1


def test_a_redirect_is_not_followed(server: Listener) -> None:
    server.status, server.more = 302, {"Location": server.url}
    with pytest.raises(OSError, match="answered 302"):
        post(server.url, RATE, {}, seconds=5, allow_insecure=True)
    assert len(server.asked) == 1


def test_an_answer_that_drips_is_cut_off_after_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte comes in time for a timeout between bytes; the end of the whole time is played by cutting at once."""

    class AtOnce:
        def __init__(self, _seconds: float, cut: Any, arguments: tuple[Any, ...]) -> None:
            self.start = lambda: cut(*arguments)
            self.cancel = lambda: None

    monkeypatch.setattr("plugins.outgoing.threading.Timer", AtOnce)
    with carrier_server() as server, pytest.raises((OSError, http.client.HTTPException)):
        post(server.url, RATE, {}, seconds=30, allow_insecure=True)


def test_an_answer_too_large_to_read_is_refused(server: Listener) -> None:
    server.body = b"x" * (outgoing.LARGEST + 1)
    with pytest.raises(OSError, match="more than"):
        post(server.url, RATE, {}, seconds=5, allow_insecure=True)
