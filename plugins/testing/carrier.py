"""What the kit is told of a shipping provider: its class and settings, and an other side where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from plugins.contract import Money, Parcel, Place, RateRequest, ShippingProvider
from plugins.testing.asking import built, every_secret, with_guesses

HOME = Place("JP", "JP-27", "5770000")


@dataclass(frozen=True)
class Carrier:
    """A shipping provider under test. `fail` makes the other side hang or answer nonsense, where there is one."""

    provider: Callable[..., ShippingProvider]
    settings: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[], ShippingProvider] | None = None
    currency: str = "JPY"
    destination: Place = HOME
    fail: Sequence[Callable[[ShippingProvider], None]] = ()
    wrong_settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Sequence[str] = ()

    def fresh(self) -> ShippingProvider:
        """A provider as the shop builds it."""
        if self.make is not None:
            return self.make()
        return built(self.provider, self.given())  # type: ignore[no-any-return]

    def given(self) -> dict[str, Any]:
        """The settings, with a made-up value for each text or number that must be given and is not."""
        return with_guesses(self.provider.config, self.settings)  # type: ignore[attr-defined]

    def every_secret(self) -> list[str]:
        """The secrets named here, and those that stand in the settings as SecretStr."""
        return every_secret(self.provider, self.given(), self.secrets)

    def request(self, **values: Any) -> RateRequest:
        """A request for one parcel of 1.8 kg."""
        usual: dict[str, Any] = {
            "origin": Place("JP", "JP-27", "5770000"),
            "destination": self.destination,
            "parcels": (Parcel(weight_g=1_800, sum_cm=60, longest_cm=30),),
            "lines": (),
            "subtotal": Money(10_000, self.currency),
            "ship_on": date(2026, 11, 20),
            "currency": self.currency,
        }
        return RateRequest(**{**usual, **values})


def carrier_of(found: Any) -> Carrier:
    """What --provider names, as a Carrier. Raises TypeError."""
    if isinstance(found, Carrier):
        return found
    if isinstance(found, type) and hasattr(found, "config"):
        return Carrier(found, getattr(found, "KIT_SETTINGS", {}))
    raise TypeError(f"{found!r} is neither a provider's class nor a plugins.testing.Carrier")
