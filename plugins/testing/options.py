"""The pytest plugin behind `--provider PKG:OBJ`; installed with the shop, it does nothing until the option is given."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from plugins.testing.carrier import Carrier, carrier_of
from plugins.testing.subject import MissingPartError, Subject, subject_of


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--provider",
        metavar="PKG:OBJ",
        help="the payment or shipping provider that the contract kit (plugins.testing) runs against",
    )


def named(words: str) -> Any:
    """The object that PKG:OBJ names. Raises pytest.UsageError with what to write."""
    module, colon, name = words.partition(":")
    if not colon or not name:
        raise pytest.UsageError(f"--provider {words}: write it as package.module:ProviderClass")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(f"--provider {words}: {error}") from None


@pytest.fixture(scope="session")
def named_provider(request: pytest.FixtureRequest) -> Any:
    words = request.config.getoption("--provider")
    if not words:
        raise pytest.UsageError("say which provider: --provider package.module:ProviderClass")
    return named(words)


@pytest.fixture
def subject(named_provider: Any) -> Subject:
    """The payment provider under test."""
    try:
        return subject_of(named_provider)
    except TypeError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture
def carrier(named_provider: Any) -> Carrier:
    """The shipping provider under test."""
    try:
        return carrier_of(named_provider)
    except TypeError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """A part that the subject does not have is a test left out, never one passed."""
    try:
        return (yield)
    except MissingPartError as missing:
        pytest.skip(str(missing))
