"""A comparison of two rule sets made ready to be shown: bars with their places, amounts as the shop writes them, CSV.

Takes a rules.Comparison or its JSON as it was stored; counts nothing itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jinja2 import Environment

from rules.comparison import Comparison
from rules.money import to_minor
from storefront.format import money, number
from storefront.language import N_, _, text
from storefront.regions import region_name
from storefront.transfer.cells import neutralise

WIDTH = 360  # of a plot, in units of its drawing
ROW = 44  # a label, and below it the bars
MOST_BARS = 12
STATES = {
    "added": ("surcharge", N_("New")),
    "removed": ("block", N_("Gone")),
    "changed": ("warn", N_("Changed")),
    "same": ("none", N_("As before")),
}
_SUMS = ("revenue", "goods", "surcharges", "discounts", "margin", "refused_goods")


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a plot: `live` and `draft` are lengths, `shown` what stands at the end."""

    label: str
    y: int
    x: float
    live: float
    draft: float
    shown: str
    is_loss: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Horizontal bars. `pairs`: a bar for each side; else one bar for the difference, to the left when it is a loss."""

    title: str
    bars: tuple[Bar, ...]
    pairs: bool
    axis: float = 0

    @property
    def height(self) -> int:
        return ROW * len(self.bars) + (22 if self.pairs else 4)


def comparison_data(found: Comparison | Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON form of either."""
    return found.as_json() if isinstance(found, Comparison) else found


def minor(amount: str, currency: str) -> int:
    """ "+12.50" or "12.50" as 1250."""
    return to_minor(Decimal(amount), currency)


def amount(told: str, currency: str, sign: bool = False) -> str:
    """An amount of the JSON as a page shows it."""
    return money(minor(told, currency), currency, sign=sign)


def place_name(code: str) -> str:
    """A region of the comparison in words."""
    return region_name(code) or _("not known")


def plots(data: Mapping[str, Any], customers: Mapping[str, str] | None = None) -> list[Plot]:
    """The plots that have something to show: fees and refusals by rule, change in revenue by region and customer."""
    currency = data["currency"]

    def cash(told: str) -> int:
        return minor(told, currency)

    def rule(one: Mapping[str, Any]) -> str:
        return f"{one['code']} {text(one['name'])}"

    def revenue(one: Mapping[str, Any]) -> int:
        return cash(one["change"]["revenue"])

    names = customers or {}
    found = [
        _pairs(
            _("Fees and discounts by rule"),
            [
                (rule(one), *(cash(one[side]["charged"]) + cash(one[side]["discounted"]) for side in SIDES))
                for one in data["rules"]
            ],
            lambda value: money(value, currency),
        ),
        _pairs(
            _("Orders refused by rule"),
            [(rule(one), *(one[side]["refusals"] for side in SIDES)) for one in data["rules"]],
            number,
        ),
        _changes(
            _("Change in revenue by region"),
            [(place_name(one["region"]), revenue(one)) for one in data["regions"]],
            currency,
        ),
        _changes(
            _("Change in revenue by customer"),
            [
                (names.get(one["customer"], one["customer"]) or _("visitors"), revenue(one))
                for one in data["customers"]
            ],
            currency,
        ),
    ]
    return [plot for plot in found if plot is not None]


SIDES = ("live", "draft")


def _pairs(title: str, rows: Sequence[tuple[Any, ...]], show: Any) -> Plot | None:
    """The rows with the largest numbers, in the order given."""
    filled = [row for row in rows if row[1] or row[2]]
    most = sorted(filled, key=lambda row: -max(row[1], row[2]))[:MOST_BARS]
    if not most:
        return None
    scale = WIDTH / max(max(row[1], row[2]) for row in most)
    kept = [row for row in filled if row in most]
    return Plot(
        title,
        tuple(
            Bar(
                label,
                22 + ROW * place,
                0,
                _length(live * scale),
                _length(draft * scale),
                f"{show(live)} → {show(draft)}",
            )
            for place, (label, live, draft) in enumerate(kept)
        ),
        True,
    )


def _changes(title: str, rows: Iterable[tuple[str, int]], currency: str) -> Plot | None:
    """The largest changes either way; the table has the others."""
    filled = sorted((row for row in rows if row[1]), key=lambda row: (-abs(row[1]), row[0]))
    if not filled:
        return None
    most = filled[:MOST_BARS]
    loss, gain = max(0, -min(row[1] for row in most)), max(0, max(row[1] for row in most))
    scale = WIDTH / (loss + gain)
    axis = round(loss * scale, 1)
    return Plot(
        title,
        tuple(
            Bar(
                label,
                ROW * place,
                round(axis - _length(-change * scale), 1) if change < 0 else axis,
                0,
                _length(abs(change) * scale),
                money(change, currency, sign=True),
                change < 0,
            )
            for place, (label, change) in enumerate(most)
        ),
        False,
        axis,
    )


def _length(units: float) -> float:
    """At least a line, so that a small number is not taken for nothing."""
    return round(max(units, 1.5), 1) if units else 0


# --- CSV ------------------------------------------------------------------------------------------------------

_COUNTS = ("refused", "approval", "quotation", "charged")
HEADER = (
    "what", "code", "name", "state", "orders", "changed", "newly_refused", "newly_accepted",
    *(f"{name}_{side}" for name in (*_COUNTS, *_SUMS) for side in SIDES),
    "revenue_change", "surcharges_change",
    *(f"rule_{name}_{side}" for name in ("orders", "refusals", "held", "charges") for side in SIDES),
)  # fmt: skip


def csv_rows(data: Mapping[str, Any], customers: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """One row for the whole, then for each customer with a change, region, month and rule."""
    names = customers or {}
    yield _pair_row("total", "", "", data["total"])
    for one in data["customers"]:
        yield _pair_row("customer", one["customer"], names.get(one["customer"], ""), one)
    for what, key in (("region", "regions"), ("month", "months")):
        for one in data[key]:
            yield _pair_row(what, one[what], "", one)
    for one in data["rules"]:
        yield _rule_row(one)


def _pair_row(what: str, code: str, name: str, one: Mapping[str, Any]) -> dict[str, str]:
    row = {"what": what, "code": code, "name": name}
    row |= {key: str(one[key]) for key in ("orders", "changed", "newly_refused", "newly_accepted")}
    row |= {f"{key}_{side}": str(one[side][key]) for key in (*_COUNTS, *_SUMS) for side in SIDES}
    changes = ((key, one["change"][key].lstrip("+")) for key in ("revenue", "surcharges"))
    return row | {f"{key}_change": change for key, change in changes}


def _rule_row(one: Mapping[str, Any]) -> dict[str, str]:
    row = {"what": "rule", "code": one["code"], "name": text(one["name"]), "state": one["state"]}
    for side in SIDES:
        sums = one[side]
        row |= {f"rule_{key}_{side}": str(sums[key]) for key in ("orders", "refusals", "held", "charges")}
        row |= {
            f"goods_{side}": sums["goods"],
            f"surcharges_{side}": sums["charged"],
            f"discounts_{side}": sums["discounted"],
        }
    return row


def csv_text(found: Comparison | Mapping[str, Any], customers: Mapping[str, str] | None = None) -> str:
    """The rows as CSV with a header; amounts are plain numbers in major units."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADER, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in csv_rows(comparison_data(found), customers):
        writer.writerow({key: neutralise(value) for key, value in row.items()})
    return out.getvalue()


def month_name(month: str) -> str:
    """2026-10 as 2026年10月 or Oct 2026."""
    from storefront.format import _MONTHS
    from storefront.language import language

    year, _dash, place = month.partition("-")
    return f"{year}年{int(place)}月" if language() == "ja" else f"{_MONTHS[int(place) - 1]} {year}"


def offer_to(env: Environment) -> None:
    """The filters that admin/_comparison.html uses."""
    env.filters.update(
        comparison_data=comparison_data,
        comparison_plots=plots,
        amount=amount,
    )
    env.globals.update(comparison_states=STATES, place_name=place_name, month_name=month_name)
