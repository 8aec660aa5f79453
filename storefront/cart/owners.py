"""Whose cart a request means: the signed-in buyer's, else a visitor's by a token in the session cookie.

At sign-in the visitor's lines move into the buyer's cart.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, session
from flask_login import user_logged_in

from storefront.access import current_person
from storefront.cart import store
from storefront.cart.store import CartOwner
from storefront.database import get_session, write

TOKEN = "cart"  # noqa: S105  (a key of the session, no secret)


def owner() -> CartOwner:
    """The owner of this request's cart; one without user and token has no cart yet."""
    person = current_person()
    if person is not None:
        return CartOwner(user_id=person.id, company_id=person.company_id)
    return CartOwner(token=session.get(TOKEN))


def owner_for_writing() -> CartOwner:
    """Like owner(), giving a visitor a token when there is none yet."""
    mine = owner()
    if mine.user_id is None and mine.token is None:
        session[TOKEN] = store.new_token()
        return CartOwner(token=session[TOKEN])
    return mine


def line_count() -> int:
    """How many lines the reader's cart has."""
    return store.count(get_session(), owner())


def _bring_along(_app: Flask, user: Any, **_: Any) -> None:
    token = session.pop(TOKEN, None)
    if token is not None:
        from storefront.attempts import noting  # it looks into carts itself

        mine = CartOwner(user_id=user.id, company_id=user.company_id)
        with write() as writing:
            store.merge(writing, token, mine)
        noting.merged(token, mine)


def init_app(app: Flask) -> None:
    """Merge carts at sign-in."""
    user_logged_in.connect(_bring_along, app)
