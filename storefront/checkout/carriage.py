"""How a page showed the carriage, and what of it is different when the order is confirmed: price, days, time of day.

Words and formats only. What the page showed comes back from the browser: it is shown or asked about, never charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from storefront import format
from storefront.language import _, text
from storefront.orders.preparing import Prepared
from storefront.shipping.quoting import ShippingOption


def chosen(prepared: Prepared) -> ShippingOption | None:
    """The chosen way to ship as its plugin answered."""
    return next((each for each in prepared.shipping_options if each.code == prepared.shipping), None)


def seen(prepared: Prepared) -> dict[str, Any]:
    """What the page shows of the carriage, to tell the difference later."""
    option = chosen(prepared)
    offer = prepared.shipping_offer(prepared.shipping or "")
    if option is None or offer is None:
        return {}
    return {"ship": [option.code, offer.amount], "arrives": arrives_by(option)}


def arrives_by(option: ShippingOption) -> str | None:
    """The last day on which the carrier may arrive, as ISO text."""
    last = option.latest or option.earliest
    return last.isoformat() if last is not None else None


def read_day(told: object) -> date | None:
    """A day as the page carried it; None for anything else."""
    try:
        return date.fromisoformat(told) if isinstance(told, str) and len(told) == 10 else None
    except ValueError:
        return None


def changes(before: Mapping[str, Any], slot: str, prepared: Prepared) -> list[str]:
    """Sentences about the carriage that is not what the page showed."""
    option = chosen(prepared)
    if option is None:
        return []
    found = [_price(before.get("ship"), option, prepared), _days(before.get("arrives"), option)]
    if slot and slot not in option.slots:
        found.append(
            _(
                "%(way)s does not offer the time of day %(slot)s; choose again.",
                way=text(option.label),
                slot=slot,
            )
        )
    return [each for each in found if each]


def _price(told: object, option: ShippingOption, prepared: Prepared) -> str:
    offer = prepared.shipping_offer(option.code)
    known = isinstance(told, list) and len(told) == 2 and type(told[1]) is int and 0 <= told[1] < 10**15
    if not known or offer is None or told[0] != option.code or told[1] == offer.amount:  # type: ignore[index]
        return ""
    return _(
        "Shipping (%(way)s) was %(before)s and is now %(now)s.",
        way=text(option.label),
        before=format.money(told[1]),  # type: ignore[index]
        now=format.money(offer.amount or 0),
    )


def _days(told: object, option: ShippingOption) -> str:
    before, now = read_day(told), read_day(arrives_by(option))
    if before is None or before == now:
        return ""
    if now is None:
        return _("The carrier named a day of arrival, and names none now.")
    return _(
        "It arrives by %(now)s instead of by %(before)s.",
        before=format.day_text(before),
        now=format.day_text(now),
    )


def too_early(prepared: Prepared, wish: date | None) -> str:
    """That the wished day lies before the first on which the chosen way can arrive."""
    option = chosen(prepared)
    if wish is None or option is None or option.earliest is None or wish >= option.earliest:
        return ""
    return _(
        "%(way)s arrives on %(day)s at the earliest; the day you wish is before that.",
        way=text(option.label),
        day=format.day_text(option.earliest),
    )
