"""What the kit is told of a plugin that listens, shows or reports: its module and settings, and what it has done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from plugins.building import Opened, open_plugin
from plugins.contract import (
    PROJECT,
    Address,
    Charge,
    Money,
    OrderApproved,
    OrderLine,
    OrderPlaced,
    OrderView,
    PaymentChanged,
    ShipmentCreated,
    TaxLine,
)
from plugins.hidden import secrets_in
from plugins.testing.asking import with_guesses
from plugins.testing.subject import BUYER, NOW, ON, payment


@dataclass(frozen=True)
class Listener:
    """A plugin with hooks under test.

    `begin()` makes a new place for what it does (a folder, a server in memory) and answers settings that lead there;
    `done()` then tells all that it did, as anything that can be compared. Without them two tests are left out.
    """

    plugin: ModuleType
    settings: Mapping[str, Any] = field(default_factory=dict)
    begin: Callable[[], Mapping[str, Any]] | None = None
    done: Callable[[], Any] | None = None
    folder: Path | None = None  # the shop folder, where a setting is a ShopFile or a ShopFolder

    def opened(self) -> Opened:
        """The plugin as the shop opens it, with a place of its own where there is one."""
        module = self.plugin.__name__
        settings = {**self.settings, **(self.begin() if self.begin is not None else {})}
        model = getattr(self.plugin, "CONFIG", None)
        table = {**with_guesses(model, settings), "enabled": True}
        named = [each.name for each in entry_points(group=PROJECT) if each.value == module]
        name = named[0] if named else module.rpartition(".")[2]
        return open_plugin(name, EntryPoint(name, module, PROJECT), table, self.folder, 10.0)

    def secrets(self) -> list[str]:
        return secrets_in(self.opened().hooks.settings)


def listener_of(found: Any) -> Listener:
    """What --provider names, as a Listener. Raises TypeError."""
    if isinstance(found, Listener):
        return found
    if isinstance(found, ModuleType):
        return Listener(found, getattr(found, "KIT_SETTINGS", {}))
    raise TypeError(
        f"{found!r} is neither a plugin's module (--provider my_plugin) nor a plugins.testing.Listener"
    )


def order(currency: str = "JPY", **values: Any) -> OrderView:
    """An order of one line with a charge."""
    money = {name: Money(minor, currency) for name, minor in (
        ("goods", 2_400), ("shipping", 800), ("payment_fee", 0), ("total", 4_400)
    )}  # fmt: skip
    usual: dict[str, Any] = {
        "number": "A-10001",
        "state": "placed",
        "placed_at": NOW,
        "on": ON,
        "buyer": BUYER,
        "company": "林製作所",
        "contact": "林 美咲",
        "ship_to": Address("林 美咲", "5770000", "JP-27", "東大阪市", "本町 4-5-6", "06-0000-1111"),
        "lines": (
            OrderLine(1, "M4-10", {"ja": "ボルト", "en": "Screw"}, 20, Money(2_400, currency), Decimal(120)),
        ),
        "charges": (Charge("SC10", {"ja": "小ロット手数料", "en": "Small-lot fee"}, Money(800, currency)),),
        "taxes": (TaxLine("standard", Decimal("0.10"), Money(4_000, currency), Money(400, currency)),),
    }
    return OrderView(**{**usual, **money, **values})


ORDERS = {
    "an order": order(),
    "an order in dollars": order("USD"),
    "an order that waits for approval": order(state="awaiting_approval"),
    "an order of nobody known": order(
        buyer=type(BUYER)("VISITOR"), contact="", charges=(), lines=(), note="<b>=1+1</b>\n\0 髙 🚲"
    ),
    "an order of a thousand lines": order(
        lines=tuple(OrderLine(each, f"S-{each}", {"ja": "品", "en": "Part"}, each, Money(each, "JPY"), Decimal(1))
                    for each in range(1, 1_001))
    ),
}  # fmt: skip


def events(hook: str, event_id: str = "kit-1") -> dict[str, Any]:
    """Events of a hook, by what is odd about them. Each has an id of its own that begins with `event_id`."""
    made = enumerate(ORDERS.items())
    return {
        what: _event(hook, f"{event_id}-{number}", NOW + timedelta(minutes=number), each)
        for number, (what, each) in made
    }


def _event(hook: str, event_id: str, at: datetime, order: OrderView) -> Any:
    if hook == "order_placed":
        return OrderPlaced(event_id, at, order)
    if hook == "order_approved":
        return OrderApproved(event_id, at, order, "owner@shop.example", "looks right")
    if hook == "payment_changed":
        paid = payment(order.total)
        return PaymentChanged(event_id, at, order, paid, "bank_transfer", "pending", "captured", order.total)
    return ShipmentCreated(event_id, at, order, "yamato", "1234-5678-9012", 1, ON)
