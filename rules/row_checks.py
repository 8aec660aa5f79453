"""Checks of the rows of price tables: of many, those that plain arithmetic finds suspicious are evaluated.

A step is suspicious when its first quantity times its price is less than one piece fewer times the price before, a
price when it is below cost, above list or a rate above 1. Of each kind so many, evenly spread, and some others.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

from rules.date_checks import days_between
from rules.errors import TieError
from rules.facts import Product
from rules.meeting import Profile, Shape
from rules.price_faults import MOST_TOLD, PriceJudge, Told, told_of
from rules.report import Report
from rules.ruleset import PriceEffect, PriceTable, Row, Rule
from rules.said import Said, say
from rules.samples import Place, Probe

MOST_KEYS = 200_000  # of one table are looked at; of a longer one every second, third ...
_CELLS = ("customer.code", "customer.group", "product.sku", "product.category")


class RowCheck:
    """The rows of one rule's price table."""

    def __init__(
        self, report: Report, judge: PriceJudge, rule: Rule, table: PriceTable, on: date, most: int
    ) -> None:
        self.report, self.judge = report, judge
        self.rule, self.table, self.on, self.most = rule, table, on, most
        self.products = judge.samples.catalog.products or {}
        self.counts: dict[str, int] = {}
        self.profile = Profile.of(rule)
        self.places: dict[Any, list[Place]] = {}

    def check(self) -> None:
        """Adds the findings at their lines of the CSV file; what was left out is said as a note."""
        steps, suspicious, others = self._sorted_out()
        chosen = (
            _spread(steps, self.most) + _spread(suspicious, self.most // 2) + _spread(others, self.most // 4)
        )
        seen: set[int] = set()
        for key, row in chosen:
            if row.line in seen:
                continue
            seen.add(row.line)
            for check, told in self._row(key, row):
                self._tell(check, row, told.said)
        for check, count in self.counts.items():
            if count > MOST_TOLD and check not in self.rule.accept:
                more, path, code = count - MOST_TOLD, self.table.path, self.rule.code
                note = say("skipped.rows", path=path, count=more, check=check, code=code)
                self.report.skipped.append(note)
        if len(steps) > self.most and "price-cliff" not in self.rule.accept:
            path, code = self.table.path, self.rule.code
            note = say("skipped.table-steps", path=path, steps=len(steps), most=self.most, code=code)
            self.report.skipped.append(note)

    def _tell(self, check: str, row: Row, said: Said) -> None:
        """Once for each line, whatever the number of rules that read the table."""
        where = (check, self.table.path, row.line)
        if where in self.judge.told:
            return
        self.judge.told.add(where)
        self.counts[check] = self.counts.get(check, 0) + 1
        if self.counts[check] <= MOST_TOLD:
            hint = say("hint.accept", check=check)
            self.report.add(check, self.table.path, row.line, told_of(self.rule, said), hint, self.rule.code)

    def _sorted_out(self) -> tuple[list[tuple[Any, Row]], list[tuple[Any, Row]], list[tuple[Any, Row]]]:
        """Rows in force by plain arithmetic: steps that may be cliffs, prices that look wrong, and the rest."""
        steps, suspicious, others = [], [], []
        rows, stride = self.table.rows, 1 + len(self.table.rows) // MOST_KEYS
        per = self.rule.effect.per if isinstance(self.rule.effect, PriceEffect) else None
        for key in islice(rows, 0, None, stride):
            before: Row | None = None
            last: Row | None = None
            product = self.products.get(key[2]) if key[2] is not None else None
            for row in rows[key]:
                if last is not None and (hole := _hole(last, row, self.on)):
                    self._tell("date-gap", row, say("dates.gap-row", line=last.line, days=hole))
                last = row
                if not _is_in_force(row, self.on):
                    continue
                if row.start > 1 and _may_fall(before, row):
                    steps.append((key, row))
                elif _looks_wrong(row, product, row.per or per or 1):
                    suspicious.append((key, row))
                else:
                    others.append((key, row))
                before = row
        return steps, suspicious, others

    def _row(self, key: Any, row: Row) -> Iterator[tuple[str, Told]]:
        for place in self._places(key):
            try:
                probe = self.judge.probe(place, self.on)
                quantity = probe.up(row.start) if probe else None
                if probe is None or quantity is None or not self._wins(probe, quantity, row):
                    continue
                yield from self.judge.judged(self.rule, probe, quantity)
                if row.start > 1 and (told := self.judge.cliff(self.rule, probe, quantity)) is not None:
                    yield "price-cliff", told
            except TieError:
                continue
            return

    def _wins(self, probe: Probe, quantity: int, row: Row) -> bool:
        return any(
            step.code == self.rule.code and step.reached == row.start and step.value == row.value
            for step in probe.steps(quantity)
        )

    def _places(self, key: Any) -> list[Place]:
        """Two places that the row's cells admit."""
        if key not in self.places:
            shape: Shape = (key[0] is not None, key[1] is not None, key[2] is not None, 0)
            cells = {fact: cell for fact, cell in zip(_CELLS, key, strict=True) if cell is not None}
            row = self.profile.with_row(self.table, shape, cells, None, None)
            self.places[key] = self.judge.samples.places(row, self.judge.ruleset, 2)
        return self.places[key]


def _is_in_force(row: Row, on: date) -> bool:
    return (row.valid_from is None or row.valid_from <= on) and (
        row.valid_until is None or on <= row.valid_until
    )


def _hole(last: Row, row: Row, on: date) -> Said | None:
    """The days to come between two rows of the same cells and the same `from`; None when there are none."""
    if last.start != row.start or last.valid_until is None or row.valid_from is None or row.valid_from <= on:
        return None
    return days_between(last.valid_until, row.valid_from)


def _may_fall(before: Row | None, row: Row) -> bool:
    """Whether the row's first quantity could cost less than one piece fewer; yes where that is not plain to see."""
    if before is None or before.kind != row.kind or before.per != row.per:
        return True
    return row.start * row.value < (row.start - 1) * before.value


def _looks_wrong(row: Row, product: Product | None, per: int) -> bool:
    if row.kind == "rate":
        if row.value > 1:
            return True
        unit = row.value * product.list_price if product and product.list_price is not None else None
    else:
        unit = row.value / per
    if product is None or unit is None:
        return False
    is_below = product.cost is not None and unit < product.cost
    return is_below or (product.list_price is not None and unit > product.list_price)


def _spread(rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many, evenly spread."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]
