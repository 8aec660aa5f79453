"""The tiers of a decided cart with the day each can promise, and an order's promise made anew.

Decides no price: what a tier costs and whether it takes so many pieces is the rules' answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from rules import Decision
from rules.decision import Tier
from rules.money import plain
from rules.promise import Note, Promise, promise
from storefront.lead_times import bookings

if TYPE_CHECKING:
    from storefront.shop import Shop

# Tiers that the rule gives no label: the names everybody uses, else the code itself.
LABELS = {
    "economy": {"ja": "ゆっくり", "en": "Economy"},
    "standard": {"ja": "ふつう", "en": "Standard"},
    "express": {"ja": "特急", "en": "Express"},
    "night": {"ja": "夜間", "en": "Night"},
}
AT_ONCE = timedelta(minutes=15)  # what is released so soon after it was ordered keeps its day


@dataclass(frozen=True, slots=True)
class TierOffer:
    """One tier: the rules' answer, and the promise; without a promise it cannot be chosen."""

    tier: Tier
    promise: Promise | None
    pieces: int

    @property
    def code(self) -> str:
        return self.tier.code

    @property
    def label(self) -> Mapping[str, str]:
        return self.tier.label or LABELS.get(self.code) or {"ja": self.code, "en": self.code}

    @property
    def is_offered(self) -> bool:
        return self.tier.offered and self.promise is not None

    def as_json(self) -> dict[str, Any]:
        """What an order keeps: the tier as it was chosen, what it cost, and why it is that day."""
        assert self.promise is not None
        tier = self.tier
        return {
            "rule": tier.by,
            "tier": tier.code,
            "label": dict(self.label),
            "days": tier.days,
            "percent": plain(tier.percent),
            "amount_minor": tier.amount,
            "cutoff": tier.cutoff,
            "per_day": tier.per_day,
            "pieces": self.pieces,
            **_promised_json(self.promise),
        }


def _promised_json(made: Promise) -> dict[str, Any]:
    return {
        "promised_on": made.ready_on.isoformat(),
        "counted_from": made.counted_from.isoformat(),
        "notes": [
            {
                "kind": note.kind,
                "first": note.first.isoformat(),
                "last": note.last.isoformat(),
                "name": dict(note.name) if note.name else None,
            }
            for note in made.notes
        ],
    }


def notes_of(stored: Mapping[str, Any]) -> list[Note]:
    """The notes of an order's promise as they were kept."""
    return [
        Note(note["kind"], date.fromisoformat(note["first"]), date.fromisoformat(note["last"]), note["name"])
        for note in stored.get("notes") or ()
    ]


def offers_of(
    session: Session, shop: Shop, decision: Decision, moment: datetime, *, is_placing: bool = False
) -> tuple[TierOffer, ...]:
    """Every tier of the decision, promised to an order placed at `moment`.

    Placing locks the chosen tier first, so that what it reads holds until its booking is written.
    """
    tiers = decision.lead_time
    if not tiers:
        return ()
    local = moment.astimezone(shop.settings.zone)
    chosen = next((tier for tier in tiers if tier.chosen), None)
    if is_placing and chosen is not None and chosen.per_day is not None:
        bookings.lock(session, chosen.by, chosen.code)
    is_counted = any(tier.per_day is not None for tier in tiers)
    taken = bookings.booked(session, tiers[0].by, local.date()) if is_counted else {}
    pieces = sum(line.quantity for line in decision.lines)
    calendar = shop.calendar.current()
    return tuple(
        TierOffer(
            tier,
            promise(tier, local, pieces, taken.get(tier.code, {}), calendar) if tier.offered else None,
            pieces,
        )
        for tier in tiers
    )


def usual(offers: Sequence[TierOffer]) -> str | None:
    """The tier of somebody who chose none: the first without a percent, else `standard`, else the cheapest."""
    free = [each for each in offers if each.is_offered]
    if not free:
        return None
    return min(
        free, key=lambda each: (each.tier.percent != 0, each.code != "standard", each.tier.percent)
    ).code


def promise_anew(
    session: Session,
    shop: Shop,
    order_id: int,
    stored: Mapping[str, Any],
    *,
    placed_at: datetime,
    moment: datetime,
) -> dict[str, Any] | None:
    """What an order keeps when it is released at `moment`; None when its day stands.

    It stands on the day it was counted from and before, and wherever it can still be kept. Else the same tier is
    promised again from `moment`, as it was when it was ordered, whatever the rule says by now; `moved_from` remembers
    the first day promised.
    """
    local = moment.astimezone(shop.settings.zone)
    if local.date() <= date.fromisoformat(stored["counted_from"]) or moment <= placed_at + AT_ONCE:
        return None
    rule, tier = stored["rule"], stored["tier"]
    terms = SimpleNamespace(days=stored["days"], cutoff=stored["cutoff"], per_day=stored["per_day"])
    if terms.per_day is not None:
        bookings.lock(session, rule, tier)
    taken = dict(bookings.booked(session, rule, local.date()).get(tier, {}))
    for day, pieces in bookings.parts_of(session, order_id):
        taken[day] = taken.get(day, 0) - pieces  # its own days are free for it
    made = promise(terms, local, stored["pieces"], taken, shop.calendar.current())
    if made is None or made.ready_on <= date.fromisoformat(stored["promised_on"]):
        return None
    bookings.release(session, order_id)
    bookings.book(session, order_id, rule, tier, made.parts)
    first = stored.get("moved_from") or stored["promised_on"]
    return {**stored, **_promised_json(made), "moved_from": first}
