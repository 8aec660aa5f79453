"""Promises about a payment provider itself: what it says it is, its settings, its secrets, and what it keeps."""

from __future__ import annotations

import io
import logging
import re
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib import metadata
from typing import Any

from pydantic import BaseModel, ValidationError

from plugins.contract import PROJECT, Capability, RawRequest
from plugins.testing.asking import (
    built,
    kept,
    kept_in_the_class,
    lacks_a_language,
    open_secrets,
    refusal,
    watched,
    words_of,
    wrong_signature,
)
from plugins.testing.promises.paying import ask, fetch, started
from plugins.testing.subject import (
    NOW,
    RETURN_URL,
    MissingPartError,
    Subject,
    context,
    key_of,
    payment,
)


def test_it_says_what_it_is(subject: Subject) -> None:
    provider = subject.fresh()
    kept(
        isinstance(provider.id, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", provider.id),
        "id is one word, the name of the entry point",
        'write id = "my_payments"',
        came=provider.id,
    )
    kept(
        not lacks_a_language(provider.label),
        "label is a text in ja and one in en",
        'write label = {"ja": "...", "en": "..."}',
        came=provider.label,
    )
    kept(
        isinstance(provider.capabilities, Capability) and provider.capabilities,
        "capabilities is a plugins.Capability that names something",
        "write capabilities = Capability.CAPTURE | Capability.REFUND, or Capability.OFFLINE when nothing moves",
        came=provider.capabilities,
    )
    for part, whole in (("PARTIAL_REFUND", "REFUND"), ("PARTIAL_CAPTURE", "CAPTURE")):
        kept(
            Capability[part] not in provider.capabilities or Capability[whole] in provider.capabilities,
            f"who can {part} can {whole}",
            f"add Capability.{whole}",
            came=provider.capabilities,
        )
    kept(
        isinstance(provider.config, type) and issubclass(provider.config, BaseModel),
        "config is a plugins.Config class",
        "write class Settings(Config): ... and config = Settings",
        came=provider.config,
    )


def test_its_methods_take_what_the_shop_gives(subject: Subject) -> None:
    provider, view = subject.fresh(), payment()
    ctx, key = context(view.amount), key_of(view)
    calls: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
        "availability": ((ctx,), {}),
        "fee": ((ctx,), {}),
        "start": ((view,), {"key": key, "return_url": RETURN_URL}),
        "fetch": ((view,), {}),
        "capture": ((view, view.amount), {"key": key}),
        "void": ((view,), {"key": key}),
        "refund": ((view, view.amount), {"key": key, "reason": None}),
        "parse_webhook": ((RawRequest("POST", {}, b"", NOW),), {}),
    }
    wrong = {
        method: found
        for method, (given, named) in calls.items()
        if (found := wrong_signature(provider, method, *given, **named))
    }
    kept(
        not wrong,
        "every method takes what the shop gives",
        "copy the signatures of PaymentProvider",
        came=wrong,
    )


def test_a_wrong_setting_is_refused_by_its_name(subject: Subject) -> None:
    wrong_setting(subject.provider, subject.given(), subject.wrong_settings)


def wrong_setting(provider: Any, given: dict[str, Any], wrong: Any) -> None:
    """The promise about settings, for payments and shipping alike."""
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


def test_no_secret_stands_in_a_repr_a_result_or_a_log(subject: Subject) -> None:
    secrets = subject.every_secret()
    if not secrets:
        raise MissingPartError(
            "give the kit Subject.secrets to run this test, or a setting that is a SecretStr"
        )
    no_secret_in(everything_said(lambda heard: _life(subject, heard)), secrets)


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


def _life(subject: Subject, heard: Callable[[object], None]) -> None:
    """One payment from start to refund, well and badly, with everything said put into `heard`."""
    provider, view, result = started(subject)
    heard(provider)
    heard({name: value for name, value in vars(provider).items() if not name.startswith("_")})
    heard(result)
    heard(fetch(provider, view))
    calls: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("capture", (view.amount,)),
        ("void", ()),
        ("refund", (view.amount,)),
    )
    for what, given in calls:
        more = {"reason": "kit"} if what == "refund" else {}
        key = key_of(view, what)
        heard(answer_or_error(partial(ask, provider, what, view, *given, key=key, **more)))
    heard(answer_or_error(lambda: provider.parse_webhook(RawRequest("POST", {}, b"{}", NOW))))
    if subject.webhook is not None:
        raw = subject.webhook(provider, view, NOW, "known")
        forged = {name: value[::-1] for name, value in raw.headers.items()}
        heard(answer_or_error(lambda: provider.parse_webhook(RawRequest("POST", forged, raw.body, NOW))))
    for part in (subject.decline, subject.lose_answer):
        if part is not None:
            provider, another = subject.fresh(), subject.ordinary()
            part(provider)
            key = key_of(another)
            heard(answer_or_error(partial(provider.start, another, key=key, return_url=RETURN_URL)))


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


def test_building_it_asks_nobody(subject: Subject) -> None:
    builds_alone(subject.provider, subject.given())


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


def test_nothing_is_kept_in_the_class(subject: Subject) -> None:
    provider = subject.fresh()
    before = kept_in_the_class(provider)
    view = subject.ordinary()
    ask(provider, "start", view, key=key_of(view), return_url=RETURN_URL)
    ask(provider, "fetch", view)
    changed = [name for name, value in kept_in_the_class(provider).items() if value != before.get(name)]
    kept(
        not changed,
        "two providers share nothing: a shop may build one anew at any time",
        "make it in __init__ (self.name = {}), and keep payments at the other side",
        came=f"changed in the class: {', '.join(changed)}",
    )


def test_an_installed_shop_takes_it(subject: Subject) -> None:
    taken_by_a_shop(subject.fresh().id, subject.provider, subject.given())


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
