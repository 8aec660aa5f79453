"""An order's promise as it was kept, for pages and mails. Nothing is worked out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from storefront.clock import today
from storefront.format import day_text
from storefront.language import _, text
from storefront.lead_times.promising import notes_of
from storefront.lead_times.words import days, joined, reasons

if TYPE_CHECKING:
    from storefront.orders.models import Order


@dataclass(frozen=True, slots=True)
class KeptPromise:
    """The chosen lead time; `notes` are sentences: why it is that day, what it waits for, and whence it moved."""

    label: str
    ready_on: date
    rule: str
    moved_from: date | None
    notes: str
    waits_for: str = ""

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
    waits_for = _waits_for(order.state, date.fromisoformat(kept["counted_from"]))
    told = [days(kept["days"]), *reasons(notes_of(kept), kept.get("cutoff")), waits_for]
    if was is not None:
        moved = _("Moved from %(before)s, because the order was released later.", before=day_text(was))
        told.insert(0, moved)
    return KeptPromise(text(kept["label"]), order.promised_on, kept["rule"], was, joined(told), waits_for)


def _waits_for(state: str, counted_from: date) -> str:
    """What must happen until when, so that the day stands; past that day, that it will be counted again."""
    is_late = counted_from < today()
    day = day_text(counted_from)
    if state == "awaiting_payment":
        if is_late:
            return _("This day may move: it is counted again when your payment arrives.")
        return _("This day stands if your payment arrives by %(day)s.", day=day)
    if state == "awaiting_approval":
        if is_late:
            return _("This day may move: it is counted again when we confirm the order.")
        return _("This day stands if we confirm the order by %(day)s.", day=day)
    return ""
