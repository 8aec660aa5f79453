"""The active plugins of a shop, and the only way to call them: with deadline, check, log and breaker, one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from plugins import answers
from plugins.building import Opened
from plugins.contract import (
    EVENTS,
    AdminPage,
    Availability,
    Block,
    BlockContext,
    Capability,
    CheckoutContext,
    Event,
    Health,
    Money,
    PageView,
    PaymentProvider,
    PaymentView,
    Quoted,
    RateRequest,
    RawRequest,
    Result,
    ShippingProvider,
    SignatureError,
    Slot,
    TaxedMoney,
    WebhookEvent,
)
from plugins.door import Plugin
from plugins.guard import Answer, Failure

QUOTE_SECONDS = 0.3  # a quote is answered while a buyer waits
HTTP_SECONDS = 3.5  # a plugin that asks a server: 3 s for the server, the rest for its fallback
BLOCK_SECONDS = 0.3
PURE_SECONDS = 1.0  # availability and fee only compute; a second allows for a busy machine
SLOW_SECONDS = 15.0  # calls that may go over the network
LANES = ("health", "events", "blocks", "pages")


class Plugins:
    """The active plugins of a shop in the order (priority, id), and the only way to call them."""

    def __init__(
        self,
        installed: Iterable[Plugin],
        opened: Mapping[str, Opened],
        *,
        before: Plugins | None = None,
        quote_seconds: float = QUOTE_SECONDS,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.installed = tuple(installed)
        self._opened = dict(opened)
        self.payments: dict[str, PaymentProvider] = self._providers("payments")
        self.shipping: dict[str, ShippingProvider] = self._providers("shipping")
        self._hooks = {name: each.hooks for name, each in opened.items()}
        self._guards = {plugin.id: plugin.guard for plugin in self.installed if plugin.guard}
        # Anybody may post nonsense to a webhook: it must not put the plugin's checkout to rest.
        self._webhooks = {name: self._guards[name].beside(sys.maxsize) for name in self.payments}
        # Each with a breaker of its own: events that fail must neither close a checkout nor take a block away.
        self._hook_guards = {
            (name, lane): guard.beside() for name, guard in self._guards.items() for lane in LANES
        }
        if before is not None:
            same = {name for name, guard in self._guards.items() if before._guards.get(name) is guard}
            self._webhooks |= {name: each for name, each in before._webhooks.items() if name in same}
            self._hook_guards |= {key: each for key, each in before._hook_guards.items() if key[0] in same}
        self.quote_seconds, self.pure_seconds, self.slow_seconds = quote_seconds, PURE_SECONDS, slow_seconds

    def listen(self, tell: Callable[[Failure], None]) -> None:
        """Call `tell` at every failure from now on, after it was logged, in the thread that asked."""
        for guard in self._guards.values():  # the others note theirs there
            guard.tell = tell

    def _providers(self, kind: str) -> dict[str, Any]:
        return {name: each.provider for name, each in self._opened.items() if each.kind == kind}

    def kept(self, plugin: Plugin, table: Mapping[str, Any]) -> tuple[Plugin, Opened] | None:
        """An active plugin of this edition and version whose table in shop.toml is this one."""
        opened = self._opened.get(plugin.id)
        if opened is None or opened.table != dict(table):
            return None
        mine = next(each for each in self.installed if each.id == plugin.id and each.state == "active")
        is_same = (mine.target, mine.version) == (plugin.target, plugin.version)
        return (mine, opened) if is_same else None

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
        return self._pay(name, "start", key, payment, key=key, return_url=return_url)

    def fetch(self, name: str, payment: PaymentView) -> Answer[Result] | Failure:
        return self._pay(name, "fetch", None, payment)

    def capture(
        self, name: str, payment: PaymentView, amount: Money, *, key: str
    ) -> Answer[Result] | Failure:
        return self._pay(name, "capture", key, payment, amount, key=key)

    def void(self, name: str, payment: PaymentView, *, key: str) -> Answer[Result] | Failure:
        return self._pay(name, "void", key, payment, key=key)

    def refund(
        self, name: str, payment: PaymentView, amount: Money, *, key: str, reason: str | None
    ) -> Answer[Result] | Failure:
        """Pay back; `key` is stored before this call. A Failure means the outcome is unknown."""
        return self._pay(name, "refund", key, payment, amount, key=key, reason=reason)

    def _pay(
        self, name: str, what: str, answers_to: str | None, *given: Any, **named: Any
    ) -> Answer[Result] | Failure:
        """A method of a provider that answers a Result, for the attempt `answers_to` where it has a key."""
        provider = self.payments[name]
        return self._guards[name].call(
            what,
            lambda: getattr(provider, what)(*given, **named),
            seconds=self.slow_seconds,
            check=lambda result: answers.bad_result(result, answers_to),
        )

    def parse_webhook(self, name: str, raw: RawRequest) -> Answer[list[WebhookEvent] | None] | Failure:
        """The events of a request; None when the plugin says that it does not come from the provider."""
        provider = self.payments[name]

        refused: list[SignatureError] = []

        def parse() -> list[WebhookEvent]:
            try:
                return provider.parse_webhook(raw)
            except SignatureError as error:
                refused.append(error)
                return []

        answer = self._webhooks[name].call(
            "parse_webhook",
            parse,
            seconds=self.slow_seconds,  # some events name a charge only, and the provider is asked whose it is
            check=answers.bad_events,
        )
        if isinstance(answer, Failure):
            return answer
        return Answer(None if refused else answer.value)

    def can(self, name: str, *capabilities: Capability) -> bool:
        """Whether an active payment plugin says that it can do all of this."""
        provider = self.payments.get(name)
        return provider is not None and all(each in provider.capabilities for each in capabilities)

    # ---- hooks

    def health(self, name: str) -> Answer[Health] | Failure | None:
        """What a plugin says of itself; None where it says nothing."""
        if not self._has(name, "health"):
            return None
        return self._call(name, "health", "health", self.slow_seconds, answers.bad_health)

    def listeners(self, hook: str) -> tuple[str, ...]:
        """The plugins with a hook. To events also those listen that are enabled and could not be loaded.

        They are told once they can be: what happened while a plugin was broken must not be lost to it.
        """
        active = tuple(name for name in self._hooks if self._has(name, hook))
        broken = (each.id for each in self.installed if each.state == "failed" and hook in each.hooks)
        return (*active, *broken) if hook in EVENTS else active

    def tell(self, name: str, hook: str, event: Event) -> Answer[None] | Failure:
        """Tell one plugin of one event; after a Failure it must be told again."""
        return self._call(name, "events", hook, self.slow_seconds, answers.bad_return, event=event)

    def blocks(self, slot: Slot, ctx: BlockContext) -> list[tuple[str, Block]]:
        """What plugins have to say in a slot, each with its plugin; one that fails costs its own."""
        told: list[tuple[str, Block]] = []
        for name in self.listeners("template_blocks"):
            answer: Answer[Sequence[Block]] | Failure = self._call(
                name, "blocks", "template_blocks", BLOCK_SECONDS, answers.bad_blocks, slot=slot, ctx=ctx
            )
            if isinstance(answer, Answer):
                told += [(name, block) for block in answer.value]
        return told

    def pages(self) -> list[tuple[str, AdminPage]]:
        """The pages of all plugins for the desk, each with its plugin."""
        return [(name, page) for name in self.listeners("admin_pages") for page in self._pages_of(name)]

    def _pages_of(self, name: str) -> Sequence[AdminPage]:
        answer: Answer[Sequence[AdminPage]] | Failure = self._call(
            name, "pages", "admin_pages", self.pure_seconds, answers.bad_pages
        )
        return answer.value if isinstance(answer, Answer) else ()

    def page(self, name: str, page_id: str) -> AdminPage | None:
        """One page of a plugin for the desk."""
        if not self._has(name, "admin_pages"):
            return None
        return next((page for page in self._pages_of(name) if page.id == page_id), None)

    def show(self, name: str, page: AdminPage) -> Answer[PageView] | Failure:
        """What a page shows now."""
        answer: Answer[PageView] | Failure = self._hook_guards[name, "pages"].call(
            f"page {page.id}", page.show, seconds=self.slow_seconds, check=answers.bad_view
        )
        return answer

    def _has(self, name: str, hook: str) -> bool:
        return name in self._hooks and hook in self._hooks[name].names

    def _call(
        self,
        name: str,
        lane: str,
        hook: str,
        seconds: float,
        check: Callable[[Any], str | None],
        **given: Any,
    ) -> Answer[Any] | Failure:
        """One hook of one plugin. `tell` may be asked for a plugin that is gone: that is a failure as well."""
        if not self._has(name, hook):
            return Failure(name, hook, "raised", f"{name} is not active or has no hook {hook}")
        hooks = self._hooks[name]
        return self._hook_guards[name, lane].call(
            hook, lambda: hooks.call(hook, **given), seconds=seconds, check=check
        )
