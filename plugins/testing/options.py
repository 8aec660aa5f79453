"""The pytest plugin behind `--provider PKG:OBJ`; installed with the shop, it does nothing until the option is given."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from plugins.testing.carrier import Carrier, carrier_of
from plugins.testing.listener import Listener, listener_of
from plugins.testing.subject import MissingPartError, Subject, subject_of

WRITE = "write it as package.module:ProviderClass"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--provider",
        metavar="PKG:OBJ",
        help="the provider, or the module of hooks, that the contract kit (plugins.testing) runs against",
    )


def named(words: str) -> Any:
    """The object that PKG:OBJ names, or the module PKG. Raises pytest.UsageError with what to write."""
    module, _, name = words.partition(":")
    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except ModuleNotFoundError as error:
        hint = f"install it (pip install -e .), or run python -m pytest in the folder of {module}"
        raise pytest.UsageError(f"--provider {words}: {error}: {hint}") from None
    except AttributeError:
        others = [each for each, value in vars(import_module(module)).items() if _can_be_tried(value)]
        hint = f"; there is {', '.join(others)}" if others else ""
        raise pytest.UsageError(f"--provider {words}: {module} has no {name}{hint}") from None
    except Exception as error:
        raise pytest.UsageError(f"--provider {words}: {type(error).__name__}: {error}") from None


def _can_be_tried(value: Any) -> bool:
    is_provider = isinstance(value, type) and hasattr(value, "config") and hasattr(value, "label")
    return is_provider or isinstance(value, Subject | Carrier)


def pytest_configure(config: pytest.Config) -> None:
    """A name that leads nowhere is told once, and not by every test."""
    words = config.getoption("--provider")
    if words:
        named(words)


@pytest.fixture(scope="session")
def named_provider(request: pytest.FixtureRequest) -> Any:
    words = request.config.getoption("--provider")
    if not words:
        pytest.exit(f"say which provider, --provider: {WRITE}", returncode=4)
    return named(words)


@pytest.fixture
def subject(named_provider: Any) -> Subject:
    """The payment provider under test."""
    try:
        return subject_of(named_provider)
    except TypeError as error:
        pytest.exit(f"{error}: {WRITE}", returncode=4)


@pytest.fixture
def listener(named_provider: Any) -> Listener:
    """The plugin whose hooks are under test."""
    try:
        return listener_of(named_provider)
    except TypeError as error:
        pytest.exit(str(error), returncode=4)


@pytest.fixture
def carrier(named_provider: Any) -> Carrier:
    """The shipping provider under test."""
    try:
        return carrier_of(named_provider)
    except TypeError as error:
        pytest.exit(f"{error}: {WRITE}", returncode=4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """A part that the subject does not have is a test left out, never one passed."""
    try:
        return (yield)
    except MissingPartError as missing:
        pytest.skip(str(missing))
