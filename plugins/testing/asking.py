"""How the kit asks a provider: each call in a thread of its own with the shop's deadline, and a watch over I/O.

A broken promise is told in three lines: what was promised, what came, and how it is mended.
"""

from __future__ import annotations

import copy
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ValidationError

from plugins.answers import bad_result, bad_texts
from plugins.contract import Result
from plugins.guard import DeadlineError, bounded
from plugins.hidden import secrets_in

# What the shop waits for an answer. The kit waits PATIENCE times as long before it gives up, and takes the quickest of
# five answers where it looks at the time, so that a busy machine breaks no promise.
SECONDS = {"availability": 1.0, "fee": 1.0, "quote": 0.3, "quote over http": 3.5, "other": 15.0}
PATIENCE = 4.0


def kept(holds: object, promise: str, mend: str, *, came: object = "") -> None:
    """Raise AssertionError with the promise, what came instead, and how to mend it."""
    __tracebackhide__ = True
    if not holds:
        told = f"\n  what came: {came if isinstance(came, str) else repr(came)[:500]}" if came != "" else ""
        raise AssertionError(f"{promise}{told}\n  to mend it: {mend}")


def answer(call: Callable[[], Any], what: str, *, seconds: float | None = None) -> Any:
    """What a call answers, within the shop's deadline for it. An exception of the provider's own passes."""
    limit = (seconds or SECONDS.get(what, SECONDS["other"])) * PATIENCE
    try:
        value = bounded(call, limit)
    except DeadlineError:
        raise AssertionError(
            f"{what} answers within {limit / PATIENCE:g} s\n  what came: nothing in {limit:g} s\n"
            "  to mend it: give every call over the network a timeout, and wait for no lock without one"
        ) from None
    if inspect.isawaitable(value) or inspect.isgenerator(value) or inspect.isasyncgen(value):
        if inspect.iscoroutine(value):
            value.close()
        raise AssertionError(
            f"{what} returns its answer\n  what came: {value!r:.120}\n"
            "  to mend it: write a plain def that returns; the shop awaits nothing and iterates over nothing"
        )
    return value


def well(call: Callable[[], Any], what: str) -> Any:
    """The same where nothing was made to fail: an exception is told as the broken promise that it is."""
    try:
        return answer(call, what)
    except AssertionError:
        raise
    except Exception as error:
        mend = "what is refused is an answer too; an exception says that nobody knows the outcome"
        if isinstance(error, OSError):
            mend = (
                "put something in memory where it goes over the network (make=...), or return a record: "
                + mend
            )
        raise AssertionError(
            f"{what} answers with a record when nothing went wrong on the way\n"
            f"  what came: {type(error).__name__}: {str(error)[:300]}\n  to mend it: {mend}"
        ) from error


def quickest(call: Callable[[], Any], what: str) -> float:
    """The seconds of the quickest of five calls."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        answer(call, what)
        best = min(best, time.perf_counter() - began)
        if best < SECONDS[what]:
            break
    return best


# ---- I/O, seen by Python's own audit events: no library gets around them by another door

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")
_PROCESS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.exec", "sqlite3.connect")
_watching: dict[str, Any] = {"events": (), "seen": None, "others": frozenset(), "hooked": False}


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    seen = _watching["seen"]
    if seen is None or event not in _watching["events"] or threading.get_ident() in _watching["others"]:
        return
    to = arguments[1:2] if event in ("socket.connect", "socket.sendto", "socket.bind") else arguments[:1]
    seen.append(f"{event} {', '.join(str(part) for part in to):.120}")
    if event in _NETWORK:
        raise ConnectionRefusedError(f"the contract kit lets nobody out here: {event}")


@contextmanager
def watched(*, files: bool = False) -> Iterator[list[str]]:
    """What was done meanwhile that leaves the process; connections are refused. `files`: opening one counts too."""
    if not _watching["hooked"]:
        sys.addaudithook(_audit)  # it cannot be taken away again, so there is one
        _watching["hooked"] = True
    seen: list[str] = []
    _watching["others"] = {each.ident for each in threading.enumerate()} - {threading.get_ident()}
    _watching["events"] = (*_NETWORK, *_PROCESS, *(("open", "time.sleep") if files else ()))
    _watching["seen"] = seen
    try:
        yield seen
    finally:
        _watching["seen"] = None


# ---- answers


def fault_of(result: object, key: str | None = None) -> str | None:
    """What is wrong with a Result, beyond what the shop itself would notice, or None."""
    wrong = bad_result(result, key)
    if wrong is not None or not isinstance(result, Result):
        return wrong
    if result.provider_ref is not None and not result.provider_ref.strip():
        return f"provider_ref is {result.provider_ref!r:.60}: a text, or None"
    if not isinstance(result.attempt_key, str):
        return f"attempt_key is {result.attempt_key!r:.60}: the key that was given, as a text"
    for name in ("buyer_message", "notice"):
        texts = getattr(result, name)
        if texts is not None and lacks_a_language(texts):
            return f"{name} is {texts!r:.120}: a sentence in ja and one in en"
    return fault_of_page(result.redirect_url) if result.redirect_url is not None else None


def fault_of_page(url: str) -> str | None:
    """What is wrong with the page that the buyer is sent to."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return f"redirect_url {url!r:.120} cannot be read as an address"
    if parts.scheme != "https" or not host:
        return f"redirect_url {url!r:.120} is not https with a host"
    if parts.username is not None or any(char.isspace() or not char.isprintable() for char in url):
        return f"redirect_url {url!r:.120} has a user or a blank in it"
    return None


def pages_in(url: str) -> list[str]:
    """The addresses that stand in the query of an address, as those of the way back do."""
    query = parse_qsl(urlsplit(url).query)
    return [value for _, value in query if value.startswith(("http:", "https:", "//", "/\\"))]


def lacks_a_language(texts: object) -> bool:
    """Whether it is anything but a sentence in ja and one in en."""
    return (
        bad_texts(texts)
        or not isinstance(texts, Mapping)
        or not all(
            isinstance(texts.get(language), str) and texts[language].strip() for language in ("ja", "en")
        )
    )


# ---- settings and secrets


def refusal(config: Any, settings: Mapping[str, Any]) -> str | None:
    """Why a config refuses these settings, as the shop tells it; None when it takes them."""
    try:
        config(**settings)
    except ValidationError as error:
        return "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
    return None


def with_guesses(config: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, and a made-up value for each text or number that must be given and is not."""
    guessed: dict[str, Any] = {}
    if not (isinstance(config, type) and issubclass(config, BaseModel)):
        return dict(settings)
    for name, part in config.model_fields.items():
        if part.is_required() and name not in settings:
            said = str(part.annotation)
            for word, value in (("Secret", f"kit-secret-of-{name}"), ("str", f"kit {name}"), ("int", 1)):
                if word in said:
                    guessed[name] = value
                    break
    return {**guessed, **settings}


def built(provider: Any, settings: Mapping[str, Any]) -> Any:
    """A provider as the shop builds it. Raises AssertionError that says which settings the kit lacks."""
    config = provider.config
    try:
        checked = config(**settings)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise AssertionError(
            f"the kit builds the provider as the shop does\n  what came: its config refused the settings: {wrong}\n"
            "  to mend it: give the class KIT_SETTINGS = {...}, or name a Subject(Provider, {...}) or Carrier(...)"
        ) from None
    return provider(checked)


def every_secret(provider: Any, settings: Mapping[str, Any], named: Sequence[str]) -> list[str]:
    """The secrets that are named, and those that stand in the settings as SecretStr."""
    try:
        found = secrets_in(provider.config(**settings))
    except ValidationError:
        found = []
    return sorted({*named, *found})


def open_secrets(config: type[BaseModel]) -> list[str]:
    """Settings whose name says that they are secret and whose type does not."""
    words = ("secret", "password", "passphrase", "token", "api_key", "apikey", "private_key", "access_key")
    found = []
    for name, part in config.model_fields.items():
        said = str(part.annotation)
        if any(word in name.lower() for word in words) and "str" in said.lower() and "Secret" not in said:
            found.append(name)
    return found


def words_of(value: object) -> list[str]:
    """What a person may read of a provider or an answer: its repr, and every text inside a record."""
    told = [repr(value), str(value)]
    if is_dataclass(value) and not isinstance(value, type):
        told += [word for part in fields(value) for word in words_of(getattr(value, part.name))]
    elif isinstance(value, Mapping):
        told += [word for pair in value.items() for part in pair for word in (str(part),)]
    return told


# ---- the class


def wrong_signature(provider: object, method: str, *given: object, **named: object) -> str | None:
    """Why the shop could not call this method with what it gives, or None."""
    function = getattr(provider, method, None)
    if not callable(function):
        return "there is no such method"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return "it is async or a generator: write a plain def that returns its answer"
    if inspect.isasyncgenfunction(function):
        return "it is an async generator: write a plain def that returns its answer"
    try:
        inspect.signature(function).bind(*given, **named)
    except TypeError as error:
        return str(error)
    except ValueError:
        return None  # written in C: nothing is known of it
    return None


def kept_in_the_class(provider: object) -> dict[str, Any]:
    """A copy of every dictionary, list and set that all instances of the class would share."""
    found: dict[str, Any] = {}
    for each in type(provider).__mro__[:-1]:
        for name, value in vars(each).items():
            if not name.startswith("__") and isinstance(value, dict | list | set | bytearray):
                found.setdefault(name, copy.copy(value))
    return found


def all_at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """The answers of calls that begin together, each in a thread of its own."""
    every = list(calls)
    gate = threading.Barrier(len(every))

    box: list[tuple[bool, Any]] = []

    def run(call: Callable[[], Any]) -> None:
        gate.wait(SECONDS["other"])
        try:
            box.append((True, call()))
        except Exception as error:
            box.append((False, error))

    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS["other"] * PATIENCE)
    kept(
        len(box) == len(every),
        "threads that call at once all get an answer",
        "wait for no lock without a timeout, and take locks in one order",
        came=f"{len(box)} answers of {len(every)}",
    )
    for well, value in box:
        if not well:
            raise value
    return [value for _, value in box]
