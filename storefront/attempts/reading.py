"""Reads refused wishes for the desk: two statements for any period, however many rows there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from storefront.attempts.figures import Refusals, grouped
from storefront.attempts.models import REFUSED, Attempt
from storefront.clock import now

KINDS = {"refused": (3, 4), "approval": (2,), "surcharge": (1,)}  # ranks of each filter


def refusals(
    session: Session,
    since: datetime,
    *,
    kind: str = "refused",
    code: str | None = None,
    sku: str | None = None,
) -> list[Refusals]:
    """What was refused (or held, or asked a fee for) since then, by rule and SKU."""
    conditions = [Attempt.first_at >= since, Attempt.rank.in_(KINDS[kind]), _was_met()]
    if code is not None:
        conditions.append(Attempt.code == code)
    if sku is not None:
        conditions.append(Attempt.sku == sku)
    alike = (
        Attempt.code, Attempt.sku, Attempt.kind, Attempt.field, Attempt.unit, Attempt.asked, Attempt.need,
        Attempt.ending,
    )  # fmt: skip
    rows = session.execute(
        select(*alike, func.count(), func.sum(func.coalesce(Attempt.amount_minor, 0)))
        .where(*conditions)
        .group_by(*alike)
    ).all()
    whose = select(Attempt.code, Attempt.sku, func.count(Attempt.company_id.distinct()))
    companies: dict[Any, int] = {
        (row[0], row[1]): row[2]
        for row in session.execute(whose.where(*conditions).group_by(Attempt.code, Attempt.sku))
    }
    return grouped(rows, companies)


def _was_met() -> ColumnElement[bool]:
    """Not an order's minimum that a cart still being filled has merely not reached yet."""
    return (Attempt.sku != "") | Attempt.at_checkout | (Attempt.ending != "")


def refused_this_week(session: Session) -> int:
    """How many wishes were refused in the last seven days; one statement."""
    since = now() - timedelta(days=7)
    query = select(func.count()).where(Attempt.first_at >= since, Attempt.rank >= REFUSED, _was_met())
    return session.scalar(query) or 0
