"""Finds plugins by entry point, built-ins through the same door, and keeps a broken one to itself.

Installed is not active: only what shop.toml enables is imported. No plugin may stop the shop from starting.
"""

import difflib
import importlib.metadata
import inspect
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

import pluggy
from pydantic import BaseModel, ValidationError

from plugins import answers, contract
from plugins.contract import (
    API,
    PROJECT,
    Availability,
    Capability,
    CheckoutContext,
    Money,
    PaymentProvider,
    PaymentView,
    Quoted,
    RateRequest,
    RawRequest,
    Result,
    ShippingProvider,
    SignatureError,
    TaxedMoney,
    WebhookEvent,
)
from plugins.guard import Answer, Failure, Guard, bounded

# What stands behind the door when the project runs from a checkout that was never installed.
BUILT_IN = {
    "bank_transfer": "plugins.payments.bank_transfer",
    "carrier_callback": "plugins.shipping.carrier_callback",
    "cash_on_delivery": "plugins.payments.cash_on_delivery",
    "dummy": "plugins.payments.dummy",
    "flat_rate": "plugins.shipping.flat_rate",
    "net_terms": "plugins.payments.net_terms",
    "pickup": "plugins.shipping.pickup",
    "stripe_checkout": "plugins.payments.stripe_checkout",
    "table_rate": "plugins.shipping.table_rate",
}
OWN = ("koguchi",)  # of two plugins with one id, the shop's own stays
LOAD_SECONDS = 10.0
QUOTE_SECONDS = 0.3  # a quote is answered while a buyer waits
HTTP_SECONDS = 3.5  # a plugin that asks a server: 3 s for the server, the rest for its fallback
PURE_SECONDS = 1.0  # availability and fee only compute; a second allows for a busy machine
SLOW_SECONDS = 15.0  # calls that may go over the network

State = Literal["active", "off", "failed"]


@dataclass(frozen=True)
class Plugin:
    """One installed plugin and where it stands; `error` says what to do about a failed one."""

    id: str
    target: str
    distribution: str
    version: str
    state: State = "off"
    error: str | None = None
    kinds: tuple[str, ...] = ()
    guard: Guard | None = field(default=None, repr=False, compare=False)

    @property
    def last_failure(self) -> Failure | None:
        return self.guard.last if self.guard else None


class Plugins:
    """The active plugins of a shop in the order (priority, id), and the only way to call them."""

    def __init__(
        self,
        installed: Iterable[Plugin],
        payments: Mapping[str, PaymentProvider],
        shipping: Mapping[str, ShippingProvider],
        *,
        quote_seconds: float = QUOTE_SECONDS,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.installed = tuple(installed)
        self.payments = dict(payments)
        self.shipping = dict(shipping)
        self._guards = {plugin.id: plugin.guard for plugin in self.installed if plugin.guard}
        # Anybody may post nonsense to a webhook: it must not put the plugin's checkout to rest.
        self._webhooks = {name: Guard(name, allowed=sys.maxsize) for name in self.payments}
        self.quote_seconds, self.pure_seconds, self.slow_seconds = quote_seconds, PURE_SECONDS, slow_seconds

    def availability(self, name: str, ctx: CheckoutContext) -> Answer[Availability] | Failure:
        """Whether the method is offered; a Failure means it is not."""
        provider = self.payments[name]
        return self._guards[name].call(
            "availability",
            lambda: provider.availability(ctx),
            seconds=self.pure_seconds,
            check=answers.bad_availability,
        )

    def fee(self, name: str, ctx: CheckoutContext) -> Answer[TaxedMoney | None] | Failure:
        provider = self.payments[name]
        return self._guards[name].call(
            "fee",
            lambda: provider.fee(ctx),
            seconds=self.pure_seconds,
            check=lambda fee: answers.bad_fee(fee, ctx.total.currency),
        )

    def quote(self, name: str, request: RateRequest) -> Answer[Quoted] | Failure:
        """Rates, or why there are none; a Failure means the method is not offered."""
        provider = self.shipping[name]
        return self._guards[name].call(
            "quote",
            lambda: provider.quote(request),
            seconds=max(HTTP_SECONDS, self.quote_seconds) if self.asks_a_server(name) else self.quote_seconds,
            check=lambda quoted: answers.bad_quote(quoted, request.currency),
        )

    def asks_a_server(self, name: str) -> bool:
        """Whether a shipping plugin says that its answers come over the network, and may be others in a moment."""
        return getattr(self.shipping[name], "over_http", False) is True

    def start(
        self, name: str, payment: PaymentView, *, key: str, return_url: str
    ) -> Answer[Result] | Failure:
        """Begin a payment; `key` is stored before this call. A Failure means the outcome is unknown."""
        provider = self.payments[name]
        return self._guards[name].call(
            "start",
            lambda: provider.start(payment, key=key, return_url=return_url),
            seconds=self.slow_seconds,
            check=lambda result: answers.bad_result(result, key),
        )

    def fetch(self, name: str, payment: PaymentView) -> Answer[Result] | Failure:
        provider = self.payments[name]
        return self._guards[name].call(
            "fetch", lambda: provider.fetch(payment), seconds=self.slow_seconds, check=answers.bad_result
        )

    def capture(
        self, name: str, payment: PaymentView, amount: Money, *, key: str
    ) -> Answer[Result] | Failure:
        provider = self.payments[name]
        return self._guards[name].call(
            "capture",
            lambda: provider.capture(payment, amount, key=key),
            seconds=self.slow_seconds,
            check=lambda result: answers.bad_result(result, key),
        )

    def void(self, name: str, payment: PaymentView, *, key: str) -> Answer[Result] | Failure:
        provider = self.payments[name]
        return self._guards[name].call(
            "void",
            lambda: provider.void(payment, key=key),
            seconds=self.slow_seconds,
            check=lambda result: answers.bad_result(result, key),
        )

    def refund(
        self, name: str, payment: PaymentView, amount: Money, *, key: str, reason: str | None
    ) -> Answer[Result] | Failure:
        """Pay back; `key` is stored before this call. A Failure means the outcome is unknown."""
        provider = self.payments[name]
        return self._guards[name].call(
            "refund",
            lambda: provider.refund(payment, amount, key=key, reason=reason),
            seconds=self.slow_seconds,
            check=lambda result: answers.bad_result(result, key),
        )

    def parse_webhook(self, name: str, raw: RawRequest) -> Answer[list[WebhookEvent] | None] | Failure:
        """The events of a request; None when the plugin says that it does not come from the provider."""
        provider = self.payments[name]

        def parse() -> list[WebhookEvent] | None:
            try:
                return provider.parse_webhook(raw)
            except SignatureError:
                return None

        return self._webhooks[name].call(
            "parse_webhook",
            parse,
            seconds=self.slow_seconds,  # some events name a charge only, and the provider is asked whose it is
            check=lambda events: None if events is None else answers.bad_events(events),
        )

    def can(self, name: str, *capabilities: Capability) -> bool:
        """Whether an active payment plugin says that it can do all of this."""
        provider = self.payments.get(name)
        return provider is not None and all(each in provider.capabilities for each in capabilities)


# ---- the door


def found() -> list[tuple[Plugin, importlib.metadata.EntryPoint]]:
    """Every entry point of the group by id, the shop's own first among equals; nothing is imported."""
    entries: list[tuple[Plugin, importlib.metadata.EntryPoint]] = []
    for entry in importlib.metadata.entry_points(group=PROJECT):
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "0")
        entries.append((Plugin(entry.name, entry.value, name, version), entry))
    known = {plugin.id for plugin, _ in entries if plugin.distribution in OWN}
    for name, target in BUILT_IN.items():
        if name not in known:
            entry = importlib.metadata.EntryPoint(name, target, PROJECT)
            entries.append((Plugin(name, target, OWN[0], "checkout"), entry))
    return sorted(
        entries, key=lambda each: (each[0].id, each[0].distribution not in OWN, each[0].distribution)
    )


def installed_ids() -> frozenset[str]:
    """The ids rules may name: all installed plugins, enabled or not. Reads metadata only."""
    return frozenset(BUILT_IN) | {entry.name for entry in importlib.metadata.entry_points(group=PROJECT)}


def load(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    folder: Path | None = None,
    load_seconds: float = LOAD_SECONDS,
    quote_seconds: float = QUOTE_SECONDS,
    slow_seconds: float = SLOW_SECONDS,
) -> Plugins:
    """Load what `[plugins.ID] enabled = true` names. Never raises: what fails is listed with its error."""
    installed: list[Plugin] = []
    ready: list[tuple[int, str, str, Any]] = []
    taken: set[str] = set()
    for plugin, entry in found():
        table = tables.get(plugin.id)
        if plugin.id in taken:
            installed.append(
                replace(plugin, state="failed", error="this id is taken by another distribution")
            )
            continue
        taken.add(plugin.id)
        if not _is_enabled(table):
            installed.append(plugin)
            continue
        guard = Guard(plugin.id)
        try:
            providers = _open(plugin.id, entry, dict(table or {}), folder, load_seconds)
        except Exception as error:
            guard.failed("load", "raised", _say(error))
            installed.append(replace(plugin, state="failed", error=_say(error), guard=guard))
            continue
        installed.append(
            replace(plugin, state="active", kinds=tuple(kind for kind, _ in providers), guard=guard)
        )
        order = _priority(table)
        ready += [(order, plugin.id, kind, provider) for kind, provider in providers]
    for name in sorted(set(tables) - taken):
        if _is_enabled(tables[name]):
            near = difflib.get_close_matches(name, taken, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            installed.append(
                Plugin(name, "", "", "", "failed", f"enabled in shop.toml but not installed{hint}")
            )
    ready.sort(key=lambda each: each[:2])
    return Plugins(
        installed,
        {name: provider for _, name, kind, provider in ready if kind == "payments"},
        {name: provider for _, name, kind, provider in ready if kind == "shipping"},
        quote_seconds=quote_seconds,
        slow_seconds=slow_seconds,
    )


def _is_enabled(table: Mapping[str, Any] | None) -> bool:
    return isinstance(table, Mapping) and table.get("enabled") is True


def _priority(table: Mapping[str, Any] | None) -> int:
    value = (table or {}).get("priority", 100)
    return value if type(value) is int else 100


def _say(error: Exception) -> str:
    if isinstance(error, ValidationError):
        parts = [
            f"{'.'.join(str(part) for part in each['loc']) or 'settings'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
        return "settings refused: " + "; ".join(parts)
    return f"{type(error).__name__}: {error}" if not isinstance(error, RefusedError) else str(error)


class RefusedError(Exception):
    """The plugin can be imported but breaks the contract; the text says where."""


def _open(
    name: str,
    entry: importlib.metadata.EntryPoint,
    table: dict[str, Any],
    folder: Path | None,
    seconds: float,
) -> list[tuple[str, Any]]:
    settings = {key: value for key, value in table.items() if key not in ("enabled", "priority")}
    brought = _classes(name, entry, seconds)
    providers = [(kind, _build(name, kind, each, settings, folder, seconds)) for kind, each in brought]
    if len(providers) != 1:
        raise RefusedError(f"a plugin brings one provider, this one brought {len(providers)}")
    return providers


def settings_model(name: str, *, seconds: float = LOAD_SECONDS) -> tuple[type[BaseModel] | None, str]:
    """The settings of an installed plugin, enabled or not, or None and why. This imports it."""
    entry = next((entry for plugin, entry in found() if plugin.id == name), None)
    if entry is None:
        return None, "not installed"
    try:
        for _kind, given in _classes(name, entry, seconds):
            model = getattr(given, "config", None)
            if inspect.isclass(model) and issubclass(model, BaseModel):
                return model, ""
    except Exception as error:
        return None, _say(error)
    return None, "it brings no provider with settings"


def _classes(name: str, entry: importlib.metadata.EntryPoint, seconds: float) -> list[tuple[str, Any]]:
    """What the hooks of a plugin return, with the kind of each."""
    plugin = bounded(entry.load, seconds)
    _shake_hands(name, plugin)
    manager = pluggy.PluginManager(PROJECT)  # one each, so that a bad hook is found without its neighbours
    manager.add_hookspecs(contract)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise RefusedError(_near_hook(str(error))) from error
    if not manager.get_hookcallers(plugin):
        raise RefusedError(f"{entry.value} has no function marked @hookimpl; hooks are {', '.join(_hooks())}")
    brought: list[tuple[str, Any]] = []
    for kind in ("payments", "shipping"):
        caller = getattr(
            manager.hook, f"register_{'payment' if kind == 'payments' else 'shipping'}_providers"
        )
        for classes in bounded(caller, seconds):
            if not isinstance(classes, list | tuple):
                raise RefusedError(f"the hook returned {classes!r:.80}, not a list of classes")
            brought += [(kind, each) for each in classes]
    return brought


def _shake_hands(name: str, plugin: object) -> None:
    module = plugin if inspect.ismodule(plugin) else sys.modules.get(getattr(plugin, "__module__", ""))
    version = getattr(plugin, "PLUGIN_API", getattr(module, "PLUGIN_API", None))
    if version != API:
        raise RefusedError(
            f"asks for plugin API {version!r:.40}, this shop has {API}: "
            + (
                "write PLUGIN_API = 1 in it"
                if version is None
                else f"install a release of {name} for API {API}"
            )
        )


def _hooks() -> Collection[str]:
    return [name for name in vars(contract) if name.startswith("register_")]


def _near_hook(text: str) -> str:
    for word in text.replace("'", " ").split():
        near = difflib.get_close_matches(word, _hooks(), 1, 0.8)
        if near and word not in _hooks():
            return f"there is no hook {word}; did you mean {near[0]}?"
    return " ".join(text.split())


_KINDS = {"payments": "register_payment_providers", "shipping": "register_shipping_providers"}
_METHODS = {
    "payments": ("availability", "fee", "start", "fetch", "capture", "void", "refund", "parse_webhook"),
    "shipping": ("quote",),
}


def _build(
    name: str, kind: str, given: Any, settings: dict[str, Any], folder: Path | None, seconds: float
) -> Any:
    if not inspect.isclass(given):
        raise RefusedError(f"{given!r:.80} is not a class: return the class, the shop builds it")
    if getattr(given, "id", None) != name:
        raise RefusedError(
            f"its id is {getattr(given, 'id', None)!r:.40}, its entry point is called {name!r}"
        )
    missing = [method for method in _METHODS[kind] if not callable(getattr(given, method, None))]
    if missing:
        raise RefusedError(f"{given.__name__} lacks {', '.join(missing)}")
    if answers.bad_texts(getattr(given, "label", None)):
        raise RefusedError(f"{given.__name__}.label must be a table with ja or en")
    model = getattr(given, "config", None)
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise RefusedError(f"{given.__name__}.config must be a plugins.Config class")
    checked = model.model_validate(settings, context={"folder": folder})
    return bounded(lambda: cast(Any, given)(checked), seconds)
