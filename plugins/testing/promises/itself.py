"""What providers of both kinds and plugins with hooks promise alike: settings, secrets, and what they keep."""

from __future__ import annotations

import io
import logging
import re
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import metadata
from typing import Any

from pydantic import BaseModel, ValidationError

from plugins.contract import PROJECT
from plugins.testing.asking import (
    built,
    kept,
    kept_in_the_class,
    lacks_a_language,
    open_secrets,
    refusal,
    watched,
    words_of,
)
from plugins.testing.subject import MissingPartError


def says_what_it_is(provider: Any) -> None:
    """The promise about id, label and config."""
    kept(
        isinstance(provider.id, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", provider.id),
        "id is one word, the name of the entry point",
        'write id = "my_plugin"',
        came=provider.id,
    )
    kept(
        not lacks_a_language(provider.label),
        "label is a text in ja and one in en",
        'write label = {"ja": "...", "en": "..."}',
        came=provider.label,
    )
    kept(
        isinstance(provider.config, type) and issubclass(provider.config, BaseModel),
        "config is a plugins.Config class",
        "write class Settings(Config): ... and config = Settings",
        came=provider.config,
    )


def wrong_setting(provider: Any, given: dict[str, Any], wrong: Any) -> None:
    """The promise about settings."""
    config = provider.config
    for name, value in {"a_setting_that_is_none": 1, **wrong}.items():
        told = refusal(config, {**given, name: value})
        kept(
            told is not None,
            "a setting that nobody knows, or with a value that cannot be, is refused",
            "make the settings a class of plugins.Config, which refuses unknown keys, and bound values with Field",
            came=f"{name} = {value!r} was taken",
        )
        kept(
            name in (told or ""),
            "the refusal names the setting, so that the owner finds the line in shop.toml",
            "check with Field or @field_validator, or write the name into the message",
            came=f"for {name}: {told}",
        )
        if name not in ("a_setting_that_is_none",) and isinstance(value, str) and len(value) > 3:
            hidden = (
                "Secret" in str(config.model_fields[name].annotation)
                if name in config.model_fields
                else False
            )
            kept(
                not hidden or value not in (told or ""),
                "a refused secret is not repeated",
                "say what is wrong without it",
            )
    missing = [name for name, part in config.model_fields.items() if part.is_required() and name in given]
    for name in missing:
        told = refusal(config, {key: value for key, value in given.items() if key != name})
        kept(
            told is not None and name in told,
            "a setting that must be given is asked for by its name",
            "give it no default, and write its name into messages of your own",
            came=f"without {name}: {told}",
        )
    plain = open_secrets(config)
    kept(
        not plain,
        "a secret setting is a pydantic.SecretStr: it is masked in every repr, log and page",
        "write api_key: SecretStr, and settings.api_key.get_secret_value() where it is sent",
        came=plain,
    )


def no_secret_in(told: list[str], secrets: list[str]) -> None:
    shown = [word for word in told if any(secret in word for secret in secrets)]
    for secret in secrets:
        shown = [word.replace(secret, "<SECRET>") for word in shown]
    kept(
        not shown,
        "no secret stands in a repr, an answer, an error, a log line or on the screen",
        "keep it in the SecretStr, or in an attribute with a leading underscore and out of __repr__ and messages",
        came=[word[:160] for word in shown[:3]],
    )


def answer_or_error(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:
        # The last line of each link alone: the lines of source above it are read by nobody.
        chain, found = error, []
        while chain is not None:
            found += [repr(chain), *traceback.format_exception_only(chain)]
            chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
        return found


def everything_said(run: Callable[[Callable[[object], None]], None]) -> list[str]:
    """All that was said: records, errors, log lines of every level with their tracebacks, and what was printed."""
    words: list[str] = []
    handler = logging.Handler(0)
    handler.emit = lambda record: words.append(handler.format(record))  # type: ignore[method-assign]
    root, printed = logging.getLogger(), io.StringIO()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            run(lambda value: words.extend(words_of(value)))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return [*words, printed.getvalue()]


def builds_alone(provider: Any, given: dict[str, Any]) -> None:
    try:
        provider.config(**given)
    except ValidationError:
        raise MissingPartError("give the kit the settings, to build the provider as the shop does") from None
    with watched() as done:
        try:
            built(provider, given)
        except Exception as error:
            kept(
                done, "the provider is built from its settings alone", "take settings in __init__", came=error
            )
    kept(
        not done,
        "building the provider opens no connection: the shop starts when the other side is down",
        "connect in start, fetch or quote, on the first call",
        came=done,
    )


def shares_nothing(provider: Any, live: Callable[[Any], object]) -> None:
    """The promise that whatever happens to one provider stays in that one."""
    before = kept_in_the_class(provider)
    live(provider)
    changed = [name for name, value in kept_in_the_class(provider).items() if value != before.get(name)]
    kept(
        not changed,
        "two providers share nothing: a shop may build one anew at any time",
        "make it in __init__ (self.name = {}), and keep what must last at the other side",
        came=f"changed in the class: {', '.join(changed)}",
    )


def taken_by_a_shop(name: str, provider: Any, given: dict[str, Any]) -> None:
    """Through the real loader, when the package is installed with its entry point."""
    from plugins.loader import load

    entries = [each for each in metadata.entry_points(group=PROJECT) if each.name == name]
    home = getattr(provider, "__module__", "").partition(".")[0]
    if not any(home == each.value.partition(":")[0].partition(".")[0] for each in entries):
        raise MissingPartError(
            f"install the package with its entry point {name} (pip install -e .) to run this test"
        )
    loaded = load({name: {**given, "enabled": True}})
    plugin = next(each for each in loaded.installed if each.id == name)
    kept(
        plugin.state == "active",
        "a shop that enables it takes it",
        "see what koguchi plugins says, and docs/plugins.md",
        came=plugin.error or plugin.state,
    )
