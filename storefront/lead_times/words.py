"""Lead times in words: how long, why it is that day, what it costs. Formats only; all is decided before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rules.decision import Tier
from rules.promise import Note
from storefront import format
from storefront.language import _, language, ngettext, text
from storefront.lead_times.promising import TierOffer, usual


def joined(sentences: Iterable[str]) -> str:
    """Sentences one after the other: with a blank between them in English."""
    return ("" if language() == "ja" else " ").join(each for each in sentences if each)


def days(count: int) -> str:
    """5営業日, 5 working days; the same day for none."""
    if count == 0:
        return _("The same day.")
    return ngettext("%(num)s working day.", "%(num)s working days.", count)


def percent(of_goods: Decimal) -> str:
    """What a tier takes of the goods, or takes off; nothing for a tier that costs nothing."""
    if not of_goods:
        return ""
    share = format.percent(abs(of_goods) / 100)
    return (
        _("%(percent)s off the goods.", percent=share)
        if of_goods < 0
        else _("%(percent)s of the goods.", percent=share)
    )


def reasons(notes: Iterable[Note], cutoff: str | None) -> list[str]:
    """Why it is that day, a sentence each."""
    return [_reason(note, cutoff) for note in notes]


def _reason(note: Note, cutoff: str | None) -> str:
    first, last = format.day_text(note.first), format.day_text(note.last)
    name = text(note.name) if note.name else ""
    is_one = note.first == note.last
    if note.kind == "after_cutoff":
        return _("After %(cutoff)s, so counted from %(day)s.", cutoff=cutoff or "", day=last)
    if note.kind == "not_open" and name:
        return _("%(day)s is %(name)s, so counted from %(next)s.", day=first, name=name, next=last)
    if note.kind == "not_open":
        return _("%(day)s is no working day, so counted from %(next)s.", day=first, next=last)
    if note.kind == "closed" and is_one:
        return _("Closed on %(day)s (%(name)s).", day=first, name=name)
    if note.kind == "closed":
        return _("Closed from %(first)s to %(last)s (%(name)s).", first=first, last=last, name=name)
    if note.kind == "spread":
        return _("More than a day takes, so made from %(first)s to %(last)s.", first=first, last=last)
    if is_one:
        return _("%(day)s is full.", day=first)
    return _("%(first)s to %(last)s are full.", first=first, last=last)


def refusal(tier: Tier) -> str:
    """Why a tier cannot be chosen."""
    if not tier.offered:
        return _("For at most %(quantity)s.", quantity=format.quantity(tier.max_quantity))
    return _("No day has room for so many pieces.")


def ready_sentence(offers: Sequence[TierOffer]) -> str:
    """For the cart, where nothing is chosen yet: the day of the usual tier, and that there are others."""
    code = usual(offers)
    offer = next((each for each in offers if each.code == code), None)
    if offer is None or offer.promise is None:
        return ""
    day, label = format.day_text(offer.promise.ready_on), text(offer.label)
    if sum(each.is_offered for each in offers) == 1:
        return _("Ready on %(day)s if ordered now.", day=day)
    return _(
        "Ready on %(day)s (%(label)s) if ordered now; other lead times at checkout.", day=day, label=label
    )
