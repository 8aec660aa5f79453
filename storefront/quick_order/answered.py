"""The rows of answered order lines, as they come back from a form, made into the pasted text they stand for.

The text is the state: every change is written back into it, so nothing typed is lost. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping

from storefront.quick_order.pasted import MOST_LINES


def answered_text(form: Mapping[str, str]) -> str:
    """The text of the rows, with what was changed in them and what the pressed button asks for."""
    count = form.get("rows", "")
    places = range(
        min(int(count), MOST_LINES) if count.isascii() and count.isdigit() and len(count) < 5 else 0
    )
    texts = [form.get(f"text-{place}", "") for place in places]
    skus = [form.get(f"sku-{place}", "").strip() for place in places]
    quantities = [form.get(f"q-{place}", "").strip() for place in places]
    changed = {
        place
        for place in places
        if skus[place] != form.get(f"sku-was-{place}", "")
        or quantities[place] != form.get(f"q-was-{place}", "")
    }
    for name, values in (("set", quantities), ("pick", skus)):
        place_text, colon, value = form.get(name, "").partition(":")
        place = _place(place_text, len(places))
        if colon and place is not None:
            values[place] = value
            changed.add(place)
    for place in changed:
        texts[place] = "\t".join(part for part in (_flat(skus[place]), _flat(quantities[place])) if part)
    dropped = _place(form.get("drop", ""), len(places))
    return "\n".join(line for place, line in enumerate(texts) if place != dropped and line.strip())


def joined(text: str, more: str) -> str:
    """Two texts of lines as one."""
    return "\n".join(part for part in (text.strip("\r\n"), more.strip("\r\n")) if part.strip())


def without_hidden_characters(text: str) -> str:
    """The text as a field shows it again."""
    return "".join(char for char in text if char in "\r\n\t" or char.isprintable() or char == "\u3000")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _place(text: str, count: int) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if is_number and int(text) < count else None
