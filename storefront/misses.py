"""Slows down the guessing of numbers: who asks for many things that are not there waits, and the desk is told.

Counts per address and never looks at what was asked for; nobody is refused for what exists.
"""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, Response, abort, current_app, request
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse
from sqlalchemy.exc import SQLAlchemyError

from storefront.database import write
from storefront.incidents import record_incident
from storefront.security import limiter
from storefront.shop import current_shop

UNCOUNTED = {"static", "health.show"}


_parsed = lru_cache(maxsize=8)(parse)


def _limit() -> RateLimitItem:
    return _parsed(current_shop().settings.rate_limits.misses)


def refuse_guessers() -> None:
    """429 for an address that has used up its misses."""
    if not limiter.enabled or request.endpoint in UNCOUNTED:
        return
    if not limiter.limiter.test(_limit(), "misses", get_remote_address()):
        abort(429)


def count_misses(response: Response) -> Response:
    """Count a 404; the one that uses up the limit becomes an incident."""
    if response.status_code == 404 and limiter.enabled and request.endpoint not in UNCOUNTED:
        limit, address = _limit(), get_remote_address()
        limiter.limiter.hit(limit, "misses", address)
        if limiter.limiter.get_window_stats(limit, "misses", address).remaining == 0:
            _tell(address)
    return response


def _tell(address: str) -> None:
    try:
        with write() as session:
            record_incident(
                session, "guessing", f"{address} asked for many pages that do not exist and waits now"
            )
    except SQLAlchemyError:
        current_app.logger.exception("an incident could not be written")


def init_app(app: Flask) -> None:
    """Watch every request of `app`."""
    app.before_request(refuse_guessers)
    app.after_request(count_misses)
