"""What time it is: aware UTC for `_at`, the shop's calendar date for `_on`.

The only place that reads the machine's clock; tests set it with set_clock and never sleep.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask, current_app, has_app_context

Clock = Callable[[], datetime]


def machine_clock() -> datetime:
    """The machine's time as aware UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The current time, aware UTC; the shop's clock inside an application context."""
    if has_app_context() and "koguchi" in current_app.extensions:
        moment: datetime = current_app.extensions["koguchi"].clock()
        return moment
    return machine_clock()


def today() -> date:
    """Today's date in the shop's time zone."""
    return in_shop_zone(now()).date()


def in_shop_zone(moment: datetime) -> datetime:
    """A moment in the shop's time zone, for showing it and for closing days."""
    return moment.astimezone(current_app.extensions["koguchi"].settings.zone)


def set_clock(app: Flask, clock: Clock) -> None:
    """Make `clock` the time of this application."""
    app.extensions["koguchi"].clock = clock
