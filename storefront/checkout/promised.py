"""Lead times on the checkout page: each tier as a choice with its day, and what is said when the day moved.

Words and formats only; prices come from the decision, days from storefront.lead_times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from storefront import format
from storefront.language import _, text
from storefront.lead_times import TierOffer
from storefront.lead_times.words import days, joined, percent, reasons, refusal
from storefront.pricing import PricedCart


@dataclass(frozen=True, slots=True)
class TierRow:
    """A lead time as a radio; one that cannot be chosen stays in view with its reason."""

    value: str
    label: str
    ready_on: date | None
    amount: str
    detail: str
    code: str
    is_chosen: bool
    is_refused: bool


def tier_rows(priced: PricedCart) -> list[TierRow]:
    """Every tier of the rule, in the rule's order; none where no rule offers any."""
    return [_row(offer, priced.decision.currency) for offer in priced.lead_times]


def _row(offer: TierOffer, currency: str) -> TierRow:
    tier, made = offer.tier, offer.promise
    if not offer.is_offered or made is None:
        why = joined((days(tier.days), refusal(tier)))
        return TierRow(tier.code, text(offer.label), None, _("not offered"), why, tier.by, False, True)
    is_today = not any(note.kind in ("after_cutoff", "not_open") for note in made.notes)
    cutoff = _("Until %(time)s today.", time=tier.cutoff) if tier.cutoff and is_today else ""
    detail = joined((days(tier.days), cutoff, *reasons(made.notes, tier.cutoff), percent(tier.percent)))
    amount = format.money(tier.amount, currency, sign=True)
    return TierRow(tier.code, text(offer.label), made.ready_on, amount, detail, tier.by, tier.chosen, False)


def swapped(wish: str, priced: PricedCart) -> str:
    """A chosen tier that is not offered any more, and what stands in its place."""
    now = priced.lead_time
    before = next((each for each in priced.lead_times if each.code == wish), None)
    if not wish or before is None or now is None or now.code == wish:
        return ""
    return _(
        "%(old)s is not offered for this order; %(new)s is chosen instead.",
        old=text(before.label),
        new=text(now.label),
    )


def seen_day(priced: PricedCart) -> str | None:
    """The promised day as the page carries it, to tell the difference later."""
    chosen = priced.lead_time
    return chosen.promise.ready_on.isoformat() if chosen is not None and chosen.promise else None


def moved(seen: Mapping[str, Any], priced: PricedCart) -> str:
    """That the promised day is another one than the page showed. `seen` came from the browser and may hold anything."""
    now, before = seen_day(priced), seen.get("ready")
    if not isinstance(before, str) or now == before or len(before) != 10:
        return ""
    try:
        was = format.day_text(date.fromisoformat(before))
    except ValueError:
        return ""
    if now is None:
        return _("The promised date was %(before)s; no date can be promised now.", before=was)
    day = format.day_text(date.fromisoformat(now))
    return _("The promised date moved from %(before)s to %(now)s.", before=was, now=day)


def is_stopped(offers: Sequence[TierOffer]) -> bool:
    """Whether a rule offers lead times and none of them can be had."""
    return bool(offers) and not any(each.is_offered for each in offers)
