"""An address or a name over the fields of a slip: the building by itself, no number torn apart, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from storefront.slips.fields import DANGEROUS, wide

SPACE = "\u3000"
# What follows a blank after a house number is the building.
_BUILDING = re.compile(f"^(.*?[０-９〇一二三四五六七八九十号番地]){SPACE}+([^０-９－].*)$")
_NUMBER = re.compile("[０-９Ａ-Ｚａ-ｚ－ー・．]")


def address_parts(region: str, city: str, street: str, limits: Sequence[int]) -> list[str] | None:
    """The whole address over fields of so many full-width characters; None when it does not fit.

    The last field is kept for the building while the rest fits before it.
    """
    whole = wide(f"{region}{city}{street}")
    found = _BUILDING.match(wide(street))
    if found:
        front = fill(wide(f"{region}{city}") + found[1], limits[:-1])
        if front is not None and len(found[2]) <= limits[-1]:
            return [*front, *[""] * (len(limits) - 1 - len(front)), found[2]]
    return fill(whole, limits)


def name_parts(name: str, department: Sequence[int], person: int) -> list[str] | None:
    """A name over department fields and the field of the name itself, which must not stay empty."""
    whole = wide(name)
    if len(whole) <= person:
        return [*[""] * len(department), whole]
    for place in (at for at, one in enumerate(whole) if one == SPACE):
        front, last = fill(whole[:place], department), whole[place + 1 :]
        if front is not None and 0 < len(last) <= person and last[0] not in DANGEROUS:
            return [*front, *[""] * (len(department) - len(front)), last]
    for used in range(1, len(department) + 1):
        parts = fill(whole, [*department[:used], person])
        if parts is not None and len(parts) == used + 1:
            return [*parts[:-1], *[""] * (len(department) - used), parts[-1]]
    return None


def fill(text: str, limits: Sequence[int]) -> list[str] | None:
    """The text over fields of so many characters, cut where a reader would: at blanks, else never in a number.

    Only when it fits no other way is a number cut. Without its blanks the parts joined are the text.
    """
    for may_cut in (_at_blank, _outside_numbers, _anywhere):
        parts = _fill(text, limits, may_cut)
        if parts is not None:
            return parts
    return None


def _fill(text: str, limits: Sequence[int], may_cut: Callable[[str, int], bool]) -> list[str] | None:
    parts: list[str] = []
    for limit in limits:
        if len(text) <= limit:
            return [*parts, text] if text else parts
        places = (at for at in range(limit, 0, -1) if may_cut(text, at) and _may_begin(text, at))
        cut = next(places, 0)
        if not cut:
            return None
        parts.append(text[:cut].strip(SPACE))
        text = text[cut:].strip(SPACE)
    return None if text else parts


def _may_begin(text: str, at: int) -> bool:
    rest = text[at:].lstrip(SPACE)
    return not rest or rest[0] not in DANGEROUS


def _at_blank(text: str, at: int) -> bool:
    return text[at] == SPACE


def _outside_numbers(text: str, at: int) -> bool:
    return not (_NUMBER.match(text[at - 1]) and _NUMBER.match(text[at]))


def _anywhere(_text: str, _at: int) -> bool:
    return True
