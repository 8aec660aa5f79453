"""How long payment terms let a delivery wait, and whether that is longer than sixty days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_DAYS = 60  # with the day of receipt as day 1 (中小受託取引適正化法, as 下請法 before it)
_DAYS_OF_A_MONTH = 30  # months count as thirty days there: closed at month end, paid at the next is sixty


def longest_wait(terms: Mapping[str, Any]) -> int:
    """Days from the delivery that waits longest to its payment, the day of receipt counted, months as 30 days.

    That delivery comes on the day after a closing day. `terms` as in rule-semantics 131.
    """
    if "net_days" in terms:
        moved = _DAYS_OF_A_MONTH if terms.get("end_of_month") else 0
        return int(terms["net_days"]) + 1 + moved
    closing, pay = (min(int(terms.get(name, 31)), _DAYS_OF_A_MONTH) for name in ("closing_day", "pay_day"))
    return (int(terms.get("pay_month", 1)) + 1) * _DAYS_OF_A_MONTH + pay - closing


def is_over_sixty_days(terms: Mapping[str, Any] | None) -> bool:
    """Whether somebody should be told: such terms are not allowed where goods are made to order for the buyer."""
    return bool(terms) and longest_wait(terms or {}) > MOST_DAYS
