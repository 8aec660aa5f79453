"""An order's promise as it was kept, for pages and mails. Nothing is worked out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from storefront.format import day_text
from storefront.language import _, text
from storefront.lead_times.promising import notes_of
from storefront.lead_times.words import days, joined, reasons

if TYPE_CHECKING:
    from storefront.orders.models import Order

WAITING = ("awaiting_approval", "awaiting_payment")


@dataclass(frozen=True, slots=True)
class KeptPromise:
    """The chosen lead time; `notes` are sentences: why it is that day, what it waits for, and whence it moved."""

    label: str
    ready_on: date
    rule: str
    moved_from: date | None
    notes: str

    @property
    def sentence(self) -> str:
        """特急、11月25日(水)に出荷できます; Express, ready on Wed 25 Nov."""
        return _("%(label)s, ready on %(day)s", label=self.label, day=day_text(self.ready_on))


def promise_of(order: Order) -> KeptPromise | None:
    """What was promised; None for an order without a lead time."""
    kept = order.lead_time
    if kept is None or order.promised_on is None:
        return None
    was = date.fromisoformat(kept["moved_from"]) if kept.get("moved_from") else None
    return KeptPromise(
        text(kept["label"]), order.promised_on, kept["rule"], was, joined(_sentences(order, kept, was))
    )


def _sentences(order: Order, kept: Mapping[str, Any], was: date | None) -> list[str]:
    told = []
    if was is not None:
        told.append(_("Moved from %(before)s, because the order was released later.", before=day_text(was)))
    told += [days(kept["days"]), *reasons(notes_of(kept), kept.get("cutoff"))]
    if order.state in WAITING:
        day = day_text(date.fromisoformat(kept["counted_from"]))
        told.append(
            _("This day stands if your payment arrives by %(day)s.", day=day)
            if order.state == "awaiting_payment"
            else _("This day stands if we confirm the order by %(day)s.", day=day)
        )
    return told
