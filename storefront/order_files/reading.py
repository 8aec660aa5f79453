"""The rows of an order file: columns by their Japanese or English heading, quantities to the letter, every fault named.

Pure but for the products it is given; one file is one order, and lines of one SKU are added up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storefront import search
from storefront.checkout.form import LONGEST_NOTE, LONGEST_NUMBER
from storefront.forms import clean
from storefront.language import _
from storefront.quantity import QuantityRefused, parse_quantity
from storefront.transfer import messages, sheet
from storefront.transfer.records import Limits

LIMITS = Limits(size=500_000, rows=500, cell=1_000, errors=100)
# column: what its heading may be, folded; the first two are what the template says
HEADINGS = {
    "sku": ("品番", "sku", "商品コード", "型番", "itemcode", "item", "partnumber", "part"),
    "quantity": ("数量", "quantity", "個数", "qty"),
    "po": ("注文番号", "ponumber", "発注番号", "po", "purchaseorder", "purchaseordernumber"),
    "note": ("備考", "note", "摘要", "remarks"),
}
NEEDED = ("sku", "quantity")
HEADER = {"ja": ("品番", "数量", "注文番号", "備考"), "en": ("SKU", "Quantity", "PO number", "Note")}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the line of the file (the heading is line 1) and a sentence."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class OrderFile:
    """What a file orders; with faults nothing of it may be used. `text` are its lines as they are pasted."""

    text: str = ""
    purchase_order_number: str = ""
    note: str = ""
    faults: Sequence[Fault] = field(default=())


Find = Callable[[Sequence[str]], Mapping[str, Sequence[Any]]]  # folded SKUs to products of the shop
Near = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]


def read(data: bytes, find: Find, near: Near) -> OrderFile:
    """Read a file whole. Products are asked for once, with the SKUs that the file names."""
    found = sheet.parse(data, LIMITS, delimiter=None)
    faults = [Fault(error.line, _sentence(error)) for error in found.errors]
    if faults or not found.header:
        return OrderFile(faults=faults)
    columns, wrong = _columns(found.header)
    if wrong:
        return OrderFile(faults=[Fault(1, sentence) for sentence in wrong])
    rows = [(line, {name: clean(cells[at]) for name, at in columns.items()}) for line, cells in found.rows]
    if not rows:
        return OrderFile(faults=[Fault(1, _("The file names no items below its heading."))])
    known = find([search.sku_key(row["sku"]) for _line, row in rows])
    unknown = [row["sku"] for _line, row in rows if row["sku"] and not known.get(search.sku_key(row["sku"]))]
    neighbours = near(unknown) if unknown else {}
    lines: list[str] = []
    for line, row in rows:
        sentence, product = _product(row["sku"], known, neighbours)
        if sentence:
            faults.append(Fault(line, sentence))
        elif isinstance(asked := parse_quantity(row["quantity"], product), QuantityRefused):
            faults.append(Fault(line, f"{product.sku}: {asked.sentence}"))
        else:
            lines.append(f"{product.sku}\t{asked.quantity}")
    number, note, more = _of_the_order(rows)
    faults = sorted([*faults, *more], key=lambda fault: fault.line)
    return OrderFile(faults=faults) if faults else OrderFile("\n".join(lines), number, note)


def _sentence(error: Any) -> str:
    told = messages.say(error)
    return f"{error.column}: {told}" if error.column else told


def _folded(heading: str) -> str:
    plain = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(char for char in plain if char.isalnum())


def _columns(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column stands, and what is wrong with the heading. Columns of other names are not looked at."""
    places: dict[str, int] = {}
    wrong = []
    for at, heading in enumerate(header):
        name = next((name for name, words in HEADINGS.items() if _folded(heading) in words), None)
        if name in places:
            wrong.append(_("The column “%(value)s” stands here twice.", value=heading[:60]))
        elif name is not None:
            places[name] = at
    wrong += [
        _(
            "The first line names the columns; the column %(ja)s (or %(en)s) is missing.",
            ja=HEADINGS[name][0], en=HEADINGS[name][1],
        )
        for name in NEEDED
        if name not in places
    ]  # fmt: skip
    return places, wrong


def _product(
    sku: str, known: Mapping[str, Sequence[Any]], near: Mapping[str, Sequence[str]]
) -> tuple[str, Any]:
    """(sentence, None) or ("", product). A SKU in any case and width is read; two that differ only so are asked."""
    if not sku:
        return _("The SKU is missing."), None
    same = known.get(search.sku_key(sku), ())
    exact = [row for row in same if row.sku == sku] or same
    if len(exact) == 1:
        return "", exact[0]
    if exact:
        return _(
            "%(sku)s: which one is meant, %(near)s?", sku=sku, near=", ".join(row.sku for row in exact)
        ), None
    if nearest := near.get(sku):
        return _("There is no SKU %(sku)s. The nearest: %(near)s", sku=sku, near=", ".join(nearest)), None
    return _("There is no SKU %(sku)s.", sku=sku), None


def _of_the_order(rows: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[str, str, list[Fault]]:
    """The purchase order number and the note: one of each for the whole file."""
    faults = []
    number = next((row["po"] for _line, row in rows if row.get("po")), "")
    for line, row in rows:
        other = row.get("po", "")
        if other and other != number:
            sentence = _(
                "One file is one order: %(other)s stands here, %(number)s above.", other=other, number=number
            )
            faults.append(Fault(line, sentence))
    if len(number) > LONGEST_NUMBER:
        faults.append(Fault(rows[0][0], _too_long(number, LONGEST_NUMBER)))
    note = "\n".join(dict.fromkeys(row["note"] for _line, row in rows if row.get("note")))
    if len(note) > LONGEST_NOTE:
        faults.append(Fault(rows[0][0], _too_long(note, LONGEST_NOTE)))
    return number, note, faults


def _too_long(text: str, most: int) -> str:
    return _("This is %(length)s characters long; %(most)s fit here.", length=len(text), most=most)
