"""Finds and stores users for Flask-Security: one query for a request's user and company, writes through write().

The person of a request is a detached snapshot: to change a user, load it again inside `with write()`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import g, session
from flask_security import UserDatastore
from flask_security.utils import set_request_attr
from sqlalchemy import Select, bindparam, delete, func, inspect, select
from sqlalchemy.orm import Session, contains_eager

from storefront.accounts.models import SignIn, User
from storefront.clock import now
from storefront.database import get_session, write
from storefront.shop import current_shop

SESSION_KEY = "koguchi_sign_in"


class Users(UserDatastore):  # type: ignore[misc, unused-ignore]
    """Flask-Security's door to the users table. There are no roles in its sense: see storefront/access.py."""

    def __init__(self) -> None:
        super().__init__(User, type(None))  # type: ignore[arg-type, unused-ignore]

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> User | None:
        name, value = next(iter(kwargs.items()))
        column = getattr(User, name)
        if case_insensitive:
            return _snapshot(_WITH_COMPANY.where(func.lower(column) == str(value).lower()))
        return _snapshot(_WITH_COMPANY.where(column == value))

    def find_role(self, role: str) -> None:
        return None

    def put(self, model: Any) -> Any:
        """Remember a changed user until commit()."""
        pending = g.setdefault("koguchi_changed_users", [])
        if model not in pending:
            pending.append(model)
        return model

    def commit(self) -> None:
        """Write what was put: only the changed columns, onto a fresh row."""
        changed = g.pop("koguchi_changed_users", [])
        if not changed:
            return
        with write() as writing:
            for user in changed:
                _store(writing, user)


def _store(writing: Session, user: User) -> None:
    state = inspect(user)
    row = writing.get(User, user.id) if state.detached else None
    if row is None:
        writing.add(user)
        return
    for column in state.mapper.column_attrs:
        if state.attrs[column.key].history.has_changes():
            setattr(row, column.key, getattr(user, column.key))


_WITH_COMPANY = (
    select(User)
    .outerjoin(User.company)
    .options(contains_eager(User.company))
    .execution_options(populate_existing=True)
)
# Asked by every request, so built once.
_OF_SESSION = _WITH_COMPANY.where(
    User.fs_uniquifier == bindparam("uniquifier"),
    User.id
    == select(SignIn.user_id)
    .where(SignIn.key == bindparam("key"), SignIn.ends_at > bindparam("moment"))
    .scalar_subquery(),
)


def _snapshot(query: Select[User], values: Mapping[str, Any] | None = None) -> User | None:
    """The one user of the query, with the company, detached from any session."""
    reading = get_session()
    user = reading.scalars(query, values).one_or_none()
    if user is not None:
        reading.expunge(user)
        if user.company is not None:
            reading.expunge(user.company)
    return user


def load_user(uniquifier: str) -> User | None:
    """The person of this session, None unless user, company and sign-in are all still good. One query."""
    key = session.get(SESSION_KEY)
    if not key or not uniquifier:
        return None
    user = _snapshot(_OF_SESSION, {"uniquifier": uniquifier, "key": key, "moment": now()})
    if user is None or not user.is_active:
        return None
    # What Flask-Security's own views look for: how, and how long ago, the person signed in.
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    return user


def begin_sign_in(user: User) -> str:
    """Store a new sign-in and return its key; forgets those of the user that have ended."""
    key, moment = secrets.token_urlsafe(32), now()
    with write() as writing:
        writing.execute(delete(SignIn).where(SignIn.user_id == user.id, SignIn.ends_at <= moment))
        ends_at = moment + current_shop().settings.session_lifetime
        writing.add(SignIn(key=key, user_id=user.id, created_at=moment, ends_at=ends_at))
    return key


def end_sign_in(key: str) -> None:
    """Forget one sign-in: its cookie, and every copy of it, opens nothing any more."""
    with write() as writing:
        writing.execute(delete(SignIn).where(SignIn.key == key))


def end_all_sign_ins(writing: Session, user_id: int) -> None:
    """Sign a user out everywhere."""
    writing.execute(delete(SignIn).where(SignIn.user_id == user_id))
