"""What a draft would have done to last month's orders, and what a rule did to them: computed while the page waits.

Bounded to so many orders as take about a second; longer periods are the replay page's. Nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from rules import Ruleset
from rules.comparison import Comparison
from rules.one_rule import with_rule
from rules.replay import compare
from storefront.database import get_session
from storefront.past_orders import Wanted, from_database, ids_of_orders
from storefront.past_periods import Period
from storefront.shop_files import check_draft

if TYPE_CHECKING:
    from storefront.shop import Shop

MOST_ORDERS = 800  # the newest of the month


@dataclass(frozen=True)
class Preview:
    """`found` is None when the draft has errors or nothing was ordered that month."""

    month: date  # its first day
    orders: int
    found: Comparison | None = None
    has_errors: bool = False


def last_month(today: date) -> Period:
    """The calendar month before this one."""
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)


def of_draft(shop: Shop, path: str, text: str, today: date) -> Preview:
    """The rules in force against those with the draft; its own dates and a trial are passed over, so that it counts."""
    draft = check_draft(shop, {path: text}).ruleset
    if draft is None:
        return Preview(_first(today), 0, has_errors=True)
    mine = next((rule for rule in draft.rules if rule.path == path), None)
    if mine is not None:
        mode = "live" if mine.mode == "shadow" else mine.mode
        draft = with_rule(draft, replace(mine, from_on=None, until_on=None, mode=mode))
    return _compared(shop, shop.rulebook.current(), draft, today)


def of_rule(shop: Shop, code: str, today: date) -> Preview:
    """The rules in force against the same without this one."""
    live: Ruleset = shop.rulebook.current()
    without = replace(live, rules=tuple(one for one in live.rules if one.code != code), compiled={})
    return _compared(shop, live, without, today)


def _first(today: date) -> date:
    return last_month(today).first or today


def _compared(shop: Shop, live: Ruleset, draft: Ruleset, today: date) -> Preview:
    period = last_month(today)
    connection = get_session().connection()
    ids = ids_of_orders(connection, period)
    if not ids:
        return Preview(_first(today), 0)
    wanted = Wanted(period, frozenset(ids[-MOST_ORDERS:]))
    found = compare(live, draft, from_database(connection, shop.settings.currency, wanted))
    found.left_out = max(len(ids) - MOST_ORDERS, 0)
    return Preview(_first(today), len(ids), found)
