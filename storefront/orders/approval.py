"""Where an order stands that a person must approve, for its buyer: since when, why, and what was decided.

Tells the reason that was written for the customer; notes of the staff and margins are never read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.accounts import User
from storefront.orders.models import Order


@dataclass(frozen=True, slots=True)
class Approval:
    """`reasons` are why it waited: code, ja, en. The rest is empty until somebody has decided."""

    since: datetime
    reasons: tuple[dict[str, Any], ...]
    is_waiting: bool
    is_approved: bool = False
    by: str = ""
    at: datetime | None = None
    why: str = ""

    @property
    def is_decided(self) -> bool:
        return self.at is not None


def approval_of(session: Session, order: Order) -> Approval | None:
    """None for an order that nobody had to look at. A buyer who cancelled it decided nothing."""
    if not order.held:
        return None
    reasons = tuple(order.held)
    if order.state == "awaiting_approval":
        return Approval(order.placed_at, reasons, True)
    move = next((one for one in order.moves if one.from_state == "awaiting_approval"), None)
    if move is None:
        return None
    person = session.scalars(select(User).where(User.email == move.actor)).first()
    if person is None or not person.is_staff:
        return Approval(order.placed_at, reasons, False)
    is_approved = move.to_state != "cancelled"
    return Approval(order.placed_at, reasons, False, is_approved, person.name, move.at, move.reason)
