"""Finds plugins by entry point, built-ins through the same door. Nothing is imported here."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from typing import Literal

from plugins.contract import PROJECT
from plugins.guard import Failure, Guard

# What stands behind the door when the project runs from a checkout that was never installed.
BUILT_IN = {
    "bank_transfer": "plugins.payments.bank_transfer",
    "carrier_callback": "plugins.shipping.carrier_callback",
    "cash_on_delivery": "plugins.payments.cash_on_delivery",
    "dummy": "plugins.payments.dummy",
    "erp_files": "plugins.events.erp_files",
    "event_webhooks": "plugins.events.event_webhooks",
    "flat_rate": "plugins.shipping.flat_rate",
    "net_terms": "plugins.payments.net_terms",
    "notices": "plugins.blocks.notices",
    "pickup": "plugins.shipping.pickup",
    "stripe_checkout": "plugins.payments.stripe_checkout",
    "table_rate": "plugins.shipping.table_rate",
}
OWN = ("koguchi",)  # of two plugins with one id, the shop's own stays

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
    hooks: tuple[str, ...] = ()  # of one that failed before they were known: every event
    guard: Guard | None = field(default=None, repr=False, compare=False)

    @property
    def last_failure(self) -> Failure | None:
        return self.guard.last if self.guard else None


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
