"""A log line is one line whatever was typed, and no secret stays readable in it."""

import json
import logging

import pytest

from storefront.logs import formatter, mask


def line(message: str, *args: object, error: BaseException | None = None) -> str:
    record = logging.LogRecord("storefront", logging.ERROR, __file__, 1, message, args, None)
    if error is not None:
        record.exc_info = (type(error), error, None)
    return formatter().format(record)


def test_line_breaks_and_terminal_codes_cannot_forge_a_line() -> None:
    written = line("order for %s", "林\r\n2026-11-20 INFO paid\x1b[2J\u2028x\x9b31m")
    assert len(written.splitlines()) == 1
    assert written.isascii()
    assert not {"\x1b", "\r", "\n"} & set(written)
    assert json.loads(written)["event"].startswith("order for 林")


def test_a_traceback_stays_inside_its_line() -> None:
    written = line("broken", error=ValueError("first\nsecond"))
    assert len(written.splitlines()) == 1
    assert "second" in json.loads(written)["exception"]


@pytest.mark.parametrize(
    ("typed", "secret"),
    [
        ("password=hunter2hunter2", "hunter2"),
        ('{"password": "hunter2"}', "hunter2"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("Cookie: koguchi_session=eyJfdXNl", "eyJfdXNl"),
        ("csrf_token=IjEyMzQ", "IjEyMzQ"),
        ("GET /reset/WyJhYmMiXQ.Zx-1_q HTTP/1.1", "WyJhYmMiXQ"),
        ("card 4242 4242 4242 4242 refused", "4242 4242"),
        ("card 4242424242424242 refused", "42424242"),
        ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "aGFzaA"),
        ("key sk_live_51abcdef", "51abcdef"),
    ],
)
def test_secrets_are_masked(typed: str, secret: str) -> None:
    assert secret not in mask(typed)
    assert secret not in line(typed)


@pytest.mark.parametrize(
    "typed", ["order A-10432", "¥1,234,567", "2026-11-20T10:20:00", "M4-10 x 120", "06-1234-5678"]
)
def test_control_ordinary_words_stay(typed: str) -> None:
    assert mask(typed) == typed
