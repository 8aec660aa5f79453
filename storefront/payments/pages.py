"""What providers post to: /webhooks/<provider>. The pages of buyers are in returning.py, in the same blueprint."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from plugins.contract import RawRequest
from plugins.guard import Failure
from storefront.access import public
from storefront.clock import now
from storefront.database import retrying, write
from storefront.payments import inbox
from storefront.security import csrf, limiter
from storefront.shop import current_shop

bp = Blueprint("payments", __name__)
LARGEST = 512 * 1024  # bytes; providers send a few thousand


@bp.post("/webhooks/<provider>")
@limiter.limit(lambda: current_shop().settings.rate_limits.webhooks)
@public
def webhook(provider: str) -> ResponseReturnValue:
    """Store what a provider tells and answer 204; the signature over these bytes is the only key to this door."""
    shop = current_shop()
    if provider not in shop.plugins.payments:
        abort(404)
    request.max_content_length = LARGEST
    raw = RawRequest(
        request.method,
        {name.lower(): value for name, value in request.headers.items()},
        request.get_data(cache=False),
        now(),
        request.args.to_dict(),
    )
    answer = shop.plugins.parse_webhook(provider, raw)
    if isinstance(answer, Failure):
        return "", 503, {"Retry-After": "60"}
    if answer.value is None:
        return "", 400
    events = answer.value

    @retrying
    def keep() -> None:
        with write() as session:
            inbox.keep(session, provider, events)

    keep()
    return "", 204


csrf.exempt(webhook)  # its key is the signature


from storefront.payments import mails, returning  # noqa: E402, F401  (its views belong to bp, its jobs to the worker)
