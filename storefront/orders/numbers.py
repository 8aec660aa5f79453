"""Order numbers: A-10001, A-10002, ... from one counter row, taken inside the order's own transaction."""

from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from storefront.orders.models import OrderNumber

SERIES = "A"
FIRST = 10_001
_numbers = cast(Table, OrderNumber.__table__)
_STEP = (
    update(_numbers)
    .where(_numbers.c.series == bindparam("its_series"))
    .values(last=_numbers.c.last + 1)
    .returning(_numbers.c.last)
)


def next_number(session: Session, series: str = SERIES) -> str:
    """The next number of the series. A rolled back order gives its number back."""
    last = session.execute(_STEP, {"its_series": series}).scalar_one_or_none()
    if last is None:
        _begin(session, series)
        last = session.execute(_STEP, {"its_series": series}).scalar_one()
    return f"{series}-{last}"


def _begin(session: Session, series: str) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = dialect.insert(OrderNumber).values(series=series, last=FIRST - 1)
    session.execute(row.on_conflict_do_nothing())  # two first orders at once make one row


__all__ = ["next_number"]
