"""What rules on trial would have done: orders and refused carts counted by rule, week and company, a few statements.

The rows are written when an order is placed, so nothing here reads a decision; 100,000 orders are only counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from rules import Rule
from rules.money import amount_text
from storefront.accounts import Company
from storefront.attempts.models import TrialResult
from storefront.orders.models import Order

STOPS = ("block", "quotation")


@dataclass(slots=True)
class Sums:
    """Orders that matched the rule, and what would have become of them. Amounts are minor units."""

    matched: int = 0
    touched: int = 0  # another sum or another outcome
    fees_minor: int = 0  # added to orders that would still have gone through
    less_minor: int = 0  # taken off them
    refused: int = 0  # newly blocked, or sent to a quotation
    held: int = 0  # newly waiting for approval

    def add(self, other: Sums) -> None:
        for name in ("matched", "touched", "fees_minor", "less_minor", "refused", "held"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_json(self, currency: str) -> dict[str, Any]:
        return {
            "matched": self.matched,
            "touched": self.touched,
            "fees": amount_text(self.fees_minor, currency),
            "less": amount_text(self.less_minor, currency),
            "refused": self.refused,
            "held": self.held,
        }


@dataclass(frozen=True, slots=True)
class OfCompany:
    code: str
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule's trial. `orders` are all that were placed since it began, whether or not the rule looked at them."""

    code: str
    name: Mapping[str, str]
    since: date | None  # None: nothing says when it began, and it has met nothing yet
    orders: int
    sums: Sums
    weeks: Sequence[tuple[date, Sums]] = field(repr=False)
    companies: Sequence[OfCompany] = field(repr=False)
    carts: int = 0  # refused carts that the rule looked at
    carts_through: int = 0  # of them: would have gone through

    def as_json(self, currency: str) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": dict(self.name),
            "since": self.since.isoformat() if self.since else None,
            "orders": self.orders,
            **self.sums.as_json(currency),
            "refused_carts": self.carts,
            "refused_carts_through": self.carts_through,
            "weeks": [{"from": week.isoformat(), **sums.as_json(currency)} for week, sums in self.weeks],
            "customers": [{"customer": one.code, **one.sums.as_json(currency)} for one in self.companies],
        }


_r = TrialResult.__table__.c
_NEW_STOP = and_(_r.outcome.in_(STOPS), _r.was.not_in(STOPS))
_SUMS = (
    func.count(),
    func.sum(case((or_(_r.change_minor != 0, _r.total_change_minor != 0, _r.outcome != _r.was), 1), else_=0)),
    func.sum(case((and_(~_NEW_STOP, _r.change_minor > 0), _r.change_minor), else_=0)),
    func.sum(case((and_(~_NEW_STOP, _r.change_minor < 0), -_r.change_minor), else_=0)),
    func.sum(case((_NEW_STOP, 1), else_=0)),
    func.sum(case((and_(_r.outcome == "approval", _r.was != "approval", _r.was.not_in(STOPS)), 1), else_=0)),
)


def shadow_rules(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that only watch."""
    return [rule for rule in rules if rule.mode == "shadow"]


def read_trials(session: Session, rules: Sequence[Rule]) -> list[Trial]:
    """The trials of these rules, in their order."""
    codes = [rule.code for rule in rules]
    if not codes:
        return []
    began = _began(session, rules)
    orders = _orders_since(session, began)
    by_day = _sums_by(session, codes, began, _r.on)
    by_company = _sums_by(session, codes, began, _r.company_id)
    ids = {key for sums in by_company.values() for key in sums if key is not None}
    query = select(Company.id, Company.code, Company.name).where(Company.id.in_(ids))
    named: dict[int | None, Any] = {row.id: row for row in session.execute(query)} if ids else {}
    carts = _carts(session, codes)
    return [
        Trial(
            rule.code,
            rule.name,
            began[rule.code],
            orders.get(rule.code, 0),
            _together(by_day.get(rule.code, {}).values()),
            _weeks(by_day.get(rule.code, {})),
            _of_companies(by_company.get(rule.code, {}), named),
            *carts.get(rule.code, (0, 0)),
        )
        for rule in rules
    ]


def _began(session: Session, rules: Sequence[Rule]) -> dict[str, date | None]:
    """The day in the file, else the day of the first result."""
    query = (
        select(_r.code, func.min(_r.on)).where(_r.code.in_([rule.code for rule in rules])).group_by(_r.code)
    )
    first: dict[str, date] = {row[0]: row[1] for row in session.execute(query)}
    return {rule.code: rule.from_on or first.get(rule.code) for rule in rules}


def _orders_since(session: Session, began: Mapping[str, date | None]) -> dict[str, int]:
    """Orders placed since each trial began: one pass over the orders for all trials together."""
    known = [(code, day) for code, day in began.items() if day is not None]
    if not known:
        return {}
    counts = [func.count(case((Order.on >= day, 1))) for _code, day in known]
    first = min(day for _code, day in known)
    row = session.execute(select(*counts).where(Order.state != "cancelled", Order.on >= first)).one()
    return {code: count for (code, _day), count in zip(known, row, strict=True)}


def _sums_by(
    session: Session, codes: Sequence[str], began: Mapping[str, date | None], key: Any
) -> dict[str, dict[Any, Sums]]:
    """Sums of standing orders by rule and `key`."""
    started = {code: began[code] for code in codes if began[code] is not None}
    if not started:
        return {}
    inside = or_(*(and_(_r.code == code, _r.on >= day) for code, day in started.items()))
    query = (
        select(_r.code, key, *_SUMS)
        .join(Order, Order.id == _r.order_id)
        .where(Order.state != "cancelled", inside)
        .group_by(_r.code, key)
    )
    found: dict[str, dict[Any, Sums]] = {}
    for code, value, *numbers in session.execute(query):
        found.setdefault(code, {})[value] = Sums(*(int(number or 0) for number in numbers))
    return found


def _carts(session: Session, codes: Sequence[str]) -> dict[str, tuple[int, int]]:
    through = func.count(case((_r.outcome.not_in(STOPS), 1)))
    query = select(_r.code, func.count(), through).where(_r.code.in_(codes), _r.order_id.is_(None))
    return {row[0]: (row[1], row[2]) for row in session.execute(query.group_by(_r.code))}


def _together(sums: Any) -> Sums:
    found = Sums()
    for one in sums:
        found.add(one)
    return found


def _weeks(days: Mapping[date, Sums]) -> list[tuple[date, Sums]]:
    """By the Monday of each week, the oldest first; weeks without a match between stay."""
    found: dict[date, Sums] = {}
    for day, sums in days.items():
        found.setdefault(day - timedelta(days=day.weekday()), Sums()).add(sums)
    if not found:
        return []
    first, last = min(found), max(found)
    weeks = [first + timedelta(weeks=place) for place in range((last - first).days // 7 + 1)]
    return [(week, found.get(week, Sums())) for week in weeks]


def _of_companies(sums: Mapping[int | None, Sums], named: Mapping[int | None, Any]) -> list[OfCompany]:
    """The most touched first."""
    found = [
        OfCompany(row.code, row.name, one) if (row := named.get(key)) is not None else OfCompany("", "", one)
        for key, one in sums.items()
    ]
    return sorted(found, key=lambda one: (-one.sums.touched, -one.sums.refused, one.code))
