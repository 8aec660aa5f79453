"""A shipping quote tried out: every active shipping plugin is asked for one delivery, as the checkout would ask.

Nothing is remembered and nothing is ordered; prices are those of the plugins, before rules have their say.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import cast

from flask import render_template, request
from sqlalchemy import select

from plugins.contract import (
    Money,
    NeedsQuotation,
    Parcel,
    Rate,
    RateRequest,
    ShippedLine,
    Temperature,
    Unavailable,
)
from plugins.guard import Failure
from rules.money import to_minor
from storefront.access import staff
from storefront.admin.desk import asked, bp
from storefront.admin.plugins import FAULTS
from storefront.catalog import Product
from storefront.clock import today
from storefront.database import get_session
from storefront.language import N_, _, text
from storefront.regions import REGIONS, read_postcode, region_options
from storefront.shipping.origin import origin_place
from storefront.shipping.quoting import cheapest, leaving, parcels, place_of
from storefront.shop import current_shop

TEMPERATURES = {"normal": N_("Not cooled"), "chilled": N_("Chilled"), "frozen": N_("Frozen")}
ROWS = 3
MOST_GRAMS, MOST_CM, MOST_PARCELS, MOST_PIECES = 1_000_000, 2_000, 500, 1_000_000
MOST_LINES = 50


@dataclass(frozen=True)
class Offer:
    """One rate as it is shown; of several the cheapest counts."""

    rate: Rate
    counts: bool


@dataclass(frozen=True)
class Tried:
    """What one shipping plugin answered, and how long it took."""

    name: str
    label: str
    milliseconds: int
    offers: tuple[Offer, ...] = ()
    said: str = ""  # why there are no rates
    is_for_a_person: bool = False  # it can go, but somebody must set the price
    failure: Failure | None = None


class _FaultyError(ValueError):
    """What was asked cannot be asked; the text is for the reader."""


@bp.get("/shipping-trial")
@staff
def shipping_trial() -> str:
    """The form, and what each plugin answers when one is filled in."""
    wanted, problem = None, ""
    if "region" in request.args:
        try:
            wanted = _wanted()
        except _FaultyError as error:
            problem = str(error)
    return render_template(
        "admin/shipping_trial.html",
        tried=_try(wanted) if wanted is not None else [],
        wanted=wanted,
        problem=problem,
        regions=[("", "—"), *region_options()],
        temperatures=[(key, _(word)) for key, word in TEMPERATURES.items()],
        rows=range(1, ROWS + 1),
        faults=FAULTS,
        form=request.args,
        has_plugins=bool(current_shop().plugins.shipping),
    )


def _wanted() -> RateRequest:
    """What the form describes. Raises _FaultyError with what is wrong."""
    shop, region, typed = current_shop(), asked("region", 8), asked("postcode", 16)
    postcode = read_postcode(typed)
    if region not in REGIONS:
        raise _FaultyError(_("Choose a prefecture."))
    if typed and postcode is None:
        raise _FaultyError(_("A postcode has seven digits, such as 577-0011."))
    place = place_of(shop, "JP", region, postcode, asked("city"))
    if asked("remote"):
        place = replace(place, remote=True)
    goods = _goods()
    boxes = parcels(goods) if goods else tuple(_parcels())
    if not boxes:
        raise _FaultyError(_("Enter the goods, or at least one parcel with its weight."))
    currency = shop.rulebook.current().policy.currency
    wanted = RateRequest(
        origin=origin_place(shop.settings),
        destination=place,
        parcels=boxes,
        lines=tuple(
            ShippedLine(row.sku, pieces, row.weight_g, tuple(row.tags or ())) for row, pieces in goods
        ),
        subtotal=Money(_amount(currency), currency),
        ship_on=_ready_on(),
        currency=currency,
        customer_group=asked("group", 64) or None,
    )
    return leaving(shop, wanted)


def _goods() -> list[tuple[Product, int]]:
    """The rows and pieces of what is written as SKU and pieces, one product in a line."""
    lines = [line.split() for line in _plain("goods", 4_000).splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise _FaultyError(_("Enter at most %(most)s products.", most=MOST_LINES))
    wanted: dict[str, int] = {}
    for words in lines:
        pieces = words[-1].replace(",", "")
        if len(words) < 2 or not _is_number(pieces) or not 0 < int(pieces) <= MOST_PIECES:
            raise _FaultyError(
                _("“%(line)s” is no product with its pieces; write M4-10 200.", line=" ".join(words)[:60])
            )
        sku = " ".join(words[:-1])
        wanted[sku] = wanted.get(sku, 0) + int(pieces)
    rows = get_session().scalars(select(Product).where(Product.sku.in_(wanted))) if wanted else ()
    found = {row.sku: row for row in rows}
    if missing := [sku for sku in wanted if sku not in found]:
        raise _FaultyError(_("There is no product %(sku)s.", sku=missing[0][:60]))
    return [(found[sku], pieces) for sku, pieces in wanted.items()]


def _parcels() -> Iterator[Parcel]:
    for place in range(1, ROWS + 1):
        weight, size, longest, count = (
            _number(f"{name}{place}") for name in ("weight_g", "sum_cm", "longest_cm", "count")
        )
        if weight is None and size is None and longest is None:
            continue
        if not weight or weight > MOST_GRAMS:
            raise _FaultyError(
                _(
                    "Parcel %(place)s: enter a weight from 1 to %(most)s g.",
                    place=place,
                    most=f"{MOST_GRAMS:,}",
                )
            )
        if max(size or 0, longest or 0) > MOST_CM:
            raise _FaultyError(
                _("Parcel %(place)s: enter sides of at most %(most)s cm.", place=place, most=f"{MOST_CM:,}")
            )
        if size and longest and longest > size:
            raise _FaultyError(
                _("Parcel %(place)s: the longest side is longer than the three together.", place=place)
            )
        if (count or 1) > MOST_PARCELS:
            raise _FaultyError(
                _("Parcel %(place)s: enter at most %(most)s of them.", place=place, most=MOST_PARCELS)
            )
        temperature = asked(f"temperature{place}", 8) or "normal"
        if temperature not in TEMPERATURES:
            temperature = "normal"
        yield Parcel(weight, size or None, longest or None, cast(Temperature, temperature), count or 1)


def _number(name: str) -> int | None:
    """A whole number, typed with a Japanese keyboard too; None for an empty field."""
    written = _plain(name, 12).strip().replace(",", "")
    if not written:
        return None
    if not _is_number(written):
        raise _FaultyError(_("“%(typed)s” is no whole number.", typed=written))
    return int(written)


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) < 10


def _plain(name: str, limit: int) -> str:
    return unicodedata.normalize("NFKC", asked(name, limit))


def _amount(currency: str) -> int:
    """What the goods cost, without tax, in minor units; carriers' free limits look at it."""
    written = _plain("subtotal", 16).replace(",", "").lstrip("¥").strip()
    if not written:
        return 0
    try:
        amount = Decimal(written)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount < 10**12:
        raise _FaultyError(_("Enter what the goods cost as a number."))
    return to_minor(amount, currency)


def _ready_on() -> date:
    written = asked("ready_on", 10)
    try:
        day = date.fromisoformat(written) if written else today()
    except ValueError:
        raise _FaultyError(_("Enter a day like 2026-11-30.")) from None
    if not today() <= day <= today() + timedelta(days=366):
        raise _FaultyError(_("Choose a day from today on, within a year."))
    return day


def _try(wanted: RateRequest) -> list[Tried]:
    """Ask every active shipping plugin, each by itself; nothing is remembered."""
    found, plugins = [], current_shop().plugins
    for name, provider in plugins.shipping.items():
        began = time.perf_counter()
        answer = plugins.quote(name, wanted)
        took, label = round((time.perf_counter() - began) * 1000), text(provider.label)
        if isinstance(answer, Failure):
            found.append(Tried(name, label, took, failure=answer))
        elif isinstance(answer.value, NeedsQuotation | Unavailable):
            is_for_a_person = isinstance(answer.value, NeedsQuotation)
            found.append(
                Tried(name, label, took, said=text(answer.value.reason), is_for_a_person=is_for_a_person)
            )
        else:
            counting = cheapest(answer.value)
            offers = tuple(Offer(rate, rate is counting) for rate in answer.value)
            found.append(Tried(name, label, took, offers))
    return found
