"""Who may call the API: the key of `Authorization: Bearer kg_...`, its scopes, and how often it may ask.

Cookies and sessions are never looked at, and no key is taken from an address.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import cast

from flask import Flask, Response, after_this_request, current_app, g, request
from limits import parse

from storefront.api.keys import USE_NOTED_EVERY, ApiKey, find_key, note_use
from storefront.clock import now
from storefront.database import get_session
from storefront.problems import Problem
from storefront.security import limiter
from storefront.shop import current_shop

_parsed = lru_cache(maxsize=8)(parse)
_TOKEN_WORDS = {"token", "access_token", "api_key", "apikey", "key", "authorization"}


def current_key() -> ApiKey:
    """The key of this request; the view has passed the gate."""
    return cast(ApiKey, g.koguchi_key)


def admit(scopes: Sequence[str]) -> None:
    """Let the request in, or raise a Problem: 400 for a key in the address, 401, 403 or 429."""
    _refuse_keys_in_the_address()
    key = _presented()
    if key is None:
        raise Problem(401, "Send a valid API key: Authorization: Bearer kg_...")
    if (state := key.state(now())) != "active":
        headers = {"WWW-Authenticate": 'Bearer realm="koguchi", error="invalid_token"'}
        raise Problem(401, f"This API key is {state}. Ask the shop for a new one.", headers=headers)
    _count(key)
    if not set(scopes) & set(key.scopes):
        raise Problem(403, f"This API key has not the scope {' or '.join(scopes)}.")
    if key.company is not None and key.company.status != "active":
        raise Problem(403, "The account of this key's company is closed.")
    g.koguchi_key = key
    _note_use_later(key)


def _refuse_keys_in_the_address() -> None:
    """An address ends up in logs and histories, so a key in it counts as told to others."""
    for name, value in request.args.items(multi=True):
        if name.lower() in _TOKEN_WORDS or value.startswith("kg_"):
            raise Problem(
                400,
                "An API key in the address is not taken: addresses are logged. Send it in the header "
                "Authorization, and have this key revoked.",
            )


def _presented() -> ApiKey | None:
    header = request.authorization
    if header is None or header.type != "bearer" or not header.token:
        return None
    return find_key(get_session(), header.token)


def _count(key: ApiKey) -> None:
    """Each key has its own count, wherever it is used from."""
    if not limiter.enabled:
        return
    limit = _parsed(current_shop().settings.rate_limits.api)
    if not limiter.limiter.hit(limit, "api", str(key.id)):
        ends_at = limiter.limiter.get_window_stats(limit, "api", str(key.id)).reset_time
        wait = max(1, round(ends_at - time.time()))  # the limiter's own clock
        sentence = f"This key may ask {limit}. Wait {wait} s."
        raise Problem(429, sentence, headers={"Retry-After": str(wait)})


def _note_use_later(key: ApiKey) -> None:
    """Have the use noted when the answer is out; most requests find that it was noted within the minute."""
    if key.last_used_at is not None and key.last_used_at > now() - USE_NOTED_EVERY:
        return
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    note = partial(note_use, app, key.id)

    @after_this_request
    def after(response: Response) -> Response:
        response.call_on_close(note)
        return response
