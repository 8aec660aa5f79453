"""From an entry point to a plugin that can be called: hooks checked, settings read, provider built.

Everything that breaks the contract is refused here, in words that name the hook and what is allowed.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pluggy
from pydantic import BaseModel, ValidationError

from plugins import answers, contract
from plugins.contract import API, EVENTS, PROJECT, Config
from plugins.guard import HIDDEN, bounded, words_of
from plugins.hidden import holds_a_secret, secrets_in, texts_in

KINDS = {"payments": "register_payment_providers", "shipping": "register_shipping_providers"}
METHODS = {
    "payments": ("availability", "fee", "start", "fetch", "capture", "void", "refund", "parse_webhook"),
    "shipping": ("quote",),
}
# What the other hooks of a plugin make it, beside the kind of its provider.
ALSO = dict.fromkeys(EVENTS, "events") | {"template_blocks": "blocks", "admin_pages": "pages"}
# Hooks that the design names and whose source the shop does not have yet.
LATER = {
    "invoice_issued": "invoices",
    "follow_up_proposed": "follow-ups",
    "register_channels": "follow-ups",
}
LEAST = 6  # characters of a secret that is hidden in messages: a shorter one stands in many words


class RefusedError(Exception):
    """The plugin can be imported but breaks the contract; the text says where."""


class HalfOpenedError(Exception):
    """The plugin was imported and its hooks are known; `why` says why it cannot be used all the same."""

    def __init__(self, hooks: tuple[str, ...], why: Exception, hidden: frozenset[str] = frozenset()) -> None:
        super().__init__(str(why))
        self.hooks, self.why = hooks, why
        self.hidden = hidden  # secrets that its words must not repeat


@dataclass(frozen=True)
class Hooks:
    """The hooks of one plugin, and its checked settings."""

    names: tuple[str, ...]
    settings: Any
    manager: pluggy.PluginManager

    def call(self, name: str, **given: Any) -> Any:
        """What the hook returned; None where it returned nothing."""
        returned = getattr(self.manager.hook, name)(**given, settings=self.settings)
        return returned[0] if returned else None


@dataclass(frozen=True)
class Opened:
    """What a plugin turned out to be: at most one provider with its kind, and hooks."""

    kind: str | None
    provider: Any
    hooks: Hooks
    table: Mapping[str, Any]  # [plugins.ID] as it was read

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret of the settings, written out: what no message may repeat."""
        return frozenset(secret for secret in secrets_in(self.hooks.settings) if len(secret) >= LEAST)

    @property
    def kinds(self) -> tuple[str, ...]:
        also = dict.fromkeys(ALSO[name] for name in self.hooks.names if name in ALSO)
        return (*([self.kind] if self.kind else []), *also)


def open_plugin(
    name: str,
    entry: importlib.metadata.EntryPoint,
    table: Mapping[str, Any],
    folder: Path | None,
    seconds: float,
) -> Opened:
    """Import and build what `[plugins.NAME]` enables. Raises what the import raises, RefusedError, HalfOpenedError."""
    brought = _bring(name, entry, seconds)
    try:
        return _build(name, brought, table, folder, seconds)
    except Exception as error:
        raise HalfOpenedError(brought.hooks, error, _hidden_in(brought.model, table)) from error


def _build(
    name: str, brought: _Brought, table: Mapping[str, Any], folder: Path | None, seconds: float
) -> Opened:
    held = {key: value for key, value in table.items() if key not in ("enabled", "priority")}
    if brought.given is not None:
        _check_class(name, brought.kind, brought.given)
    settings = brought.model.model_validate(held, context={"folder": folder})
    hooks = Hooks(brought.hooks, settings, brought.manager)
    if brought.given is None:
        return Opened(None, None, hooks, dict(table))
    provider = bounded(lambda: cast(Any, brought.given)(settings), seconds)
    return Opened(brought.kind, provider, hooks, dict(table))


def model_of(name: str, entry: importlib.metadata.EntryPoint, seconds: float) -> type[BaseModel]:
    """The settings model of a plugin. Raises as `open_plugin` does."""
    return _bring(name, entry, seconds).model


def say(error: Exception) -> str:
    """What went wrong, without a value that may be secret."""
    if isinstance(error, HalfOpenedError):
        said = say(error.why)
        for secret in error.hidden:
            said = said.replace(secret, HIDDEN)
        return said
    if isinstance(error, ValidationError):
        parts = [
            f"{'.'.join(str(part) for part in each['loc']) or 'settings'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
        return "settings refused: " + "; ".join(parts)
    return words_of(error) if not isinstance(error, RefusedError) else str(error)


def _hidden_in(model: type[BaseModel], table: Mapping[str, Any]) -> frozenset[str]:
    """Every text that stands where the model wants a secret, whether or not it is a good one."""
    wanted = [table.get(name) for name, each in model.model_fields.items() if holds_a_secret(each.annotation)]
    return frozenset(text for held in wanted for text in texts_in(held) if len(text) >= LEAST)


# ---- what a module brings


@dataclass(frozen=True)
class _Brought:
    kind: str
    given: Any  # the class of the provider; None where there is none
    model: type[BaseModel]
    hooks: tuple[str, ...]  # without those that register providers
    manager: pluggy.PluginManager


def _bring(name: str, entry: importlib.metadata.EntryPoint, seconds: float) -> _Brought:
    plugin = bounded(entry.load, seconds)
    _shake_hands(name, plugin)
    manager = pluggy.PluginManager(PROJECT)  # one each, so that a bad hook is found without its neighbours
    manager.add_hookspecs(contract)
    _check_hooks(manager, plugin)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise RefusedError(" ".join(str(error).split())) from error
    mine = [caller.name for caller in manager.get_hookcallers(plugin) or []]
    if not mine:
        raise RefusedError(f"{entry.value} has no function marked @hookimpl; hooks are {', '.join(specs())}")
    brought: list[tuple[str, Any]] = []
    for kind, hook in KINDS.items():
        for classes in bounded(getattr(manager.hook, hook), seconds):
            if not isinstance(classes, list | tuple):
                raise RefusedError(f"{hook} returned {classes!r:.80}, not a list of classes")
            brought += [(kind, each) for each in classes]
    hooks = tuple(each for each in specs() if each in mine and each not in KINDS.values())
    if len(brought) > 1 or (not brought and not hooks):
        raise RefusedError(f"a plugin brings one provider, this one brought {len(brought)}")
    kind, given = brought[0] if brought else ("", None)
    return _Brought(kind, given, _model(plugin, given), hooks, manager)


def _of_module(plugin: object, name: str) -> Any:
    """An attribute of the plugin, or of the module it stands in."""
    module = plugin if inspect.ismodule(plugin) else sys.modules.get(getattr(plugin, "__module__", ""))
    return getattr(plugin, name, getattr(module, name, None))


def _shake_hands(name: str, plugin: object) -> None:
    version = _of_module(plugin, "PLUGIN_API")
    if version != API:
        told = (
            "write PLUGIN_API = 1 in it" if version is None else f"install a release of {name} for API {API}"
        )
        raise RefusedError(f"asks for plugin API {version!r:.40}, this shop has {API}: {told}")


def _model(plugin: object, given: Any) -> type[BaseModel]:
    named = _of_module(plugin, "CONFIG")
    if given is None:
        model, where = (Config if named is None else named), "CONFIG"
    else:
        model, where = getattr(given, "config", None), f"{getattr(given, '__name__', given)!s:.80}.config"
        if named is not None and named is not model:
            raise RefusedError(f"{where} and CONFIG are two settings models: a provider's config is the one")
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        if given is not None and not inspect.isclass(given):
            raise RefusedError(f"{given!r:.80} is not a class: return the class, the shop builds it")
        raise RefusedError(f"{where} must be a plugins.Config class")
    return model


# ---- hooks


def specs() -> dict[str, tuple[str, ...]]:
    """Every hook and the arguments it may take, in the order of the contract."""
    return {
        name: tuple(inspect.signature(each).parameters)
        for name, each in vars(contract).items()
        if inspect.isfunction(each) and hasattr(each, f"{PROJECT}_spec")
    }


def _check_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """Refuse what pluggy would refuse in its own words, and what it would let pass in silence."""
    known = specs()
    for name in dir(plugin):
        marked = manager.parse_hookimpl_opts(plugin, name)
        if marked is None:
            continue
        hook = marked.get("specname") or name
        if hook not in known:
            if marked.get("optionalhook"):
                continue
            raise RefusedError(_no_hook(hook, known))
        wrong = _bad_function(getattr(plugin, name), known[hook])
        if marked.get("wrapper") or marked.get("hookwrapper"):
            wrong = "wraps others, and every plugin is called by itself: write a plain function"
        if wrong:
            raise RefusedError(f"hook {hook} {wrong}")


def _no_hook(name: str, known: Mapping[str, Any]) -> str:
    if name in LATER:
        return f"hook {name} comes with {LATER[name]}, which this shop does not have yet"
    near = difflib.get_close_matches(name, known, 1, 0.8)
    return f"there is no hook {name}" + (
        f"; did you mean {near[0]}?" if near else f"; hooks are {', '.join(known)}"
    )


def _bad_function(function: Any, allowed: tuple[str, ...]) -> str | None:
    takes = ", ".join(allowed) or "no arguments"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return f"is async or a generator: write a plain function that takes {takes}"
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return f"is no function that takes {takes}"
    for each in parameters:
        is_plain = each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        if not is_plain and (each.kind != each.KEYWORD_ONLY or each.default is each.empty):
            return f"takes {each}: it may take {takes}, by position"
        if each.default is each.empty and each.name not in allowed:
            return f"takes {each.name}: it may take {takes}"
        if each.default is not each.empty and each.name in allowed:
            return (
                f"gives {each.name} a default and would never get it: it may take {takes}, without defaults"
            )
    return None


# ---- providers


def _check_class(name: str, kind: str, given: Any) -> None:
    if not inspect.isclass(given):
        raise RefusedError(f"{given!r:.80} is not a class: return the class, the shop builds it")
    if getattr(given, "id", None) != name:
        raise RefusedError(
            f"its id is {getattr(given, 'id', None)!r:.40}, its entry point is called {name!r}"
        )
    missing = [method for method in METHODS[kind] if not callable(getattr(given, method, None))]
    if missing:
        raise RefusedError(f"{given.__name__} lacks {', '.join(missing)}")
    if answers.bad_texts(getattr(given, "label", None)):
        raise RefusedError(f"{given.__name__}.label must be a table with ja or en")
