"""The cart: quantities, never prices. One line per SKU, kept for a user or for a visitor's session.

Every change is one short write; what the lines cost is asked from pricing each time they are shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.clock import now
from storefront.database import Base, UtcDateTime
from storefront.quantity import MAX_QUANTITY

MOST_LINES = 500


class Cart(Base):
    """A user's cart, or a visitor's under a random token that stands in the session."""

    __tablename__ = "carts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"), index=True)
    draft: Mapped[str | None] = mapped_column(Text)  # pasted order lines that still need a look
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)


class CartLine(Base):
    """So many pieces of a SKU. `is_held` lines stay in the cart and are not part of the order."""

    __tablename__ = "cart_lines"
    __table_args__ = (UniqueConstraint("cart_id", "sku"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    position: Mapped[int]
    is_held: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class CartOwner:
    """Whose cart: a user of a company, or a visitor known by `token` alone."""

    user_id: int | None = None
    company_id: int | None = None
    token: str | None = None


def new_token() -> str:
    """A visitor's token; nobody can guess another visitor's."""
    return secrets.token_urlsafe(32)


# Statements are built once and run with the values of each request: building one costs more than running it.
_cart, _line = cast(Table, Cart.__table__), cast(Table, CartLine.__table__)


def _key(owner: CartOwner) -> tuple[str, int | str | None]:
    """The column that knows the owner, and its value."""
    return ("token", owner.token) if owner.user_id is None else ("user_id", owner.user_id)


def _mine(column: str) -> ColumnElement[bool]:
    return _cart.c[column] == bindparam("who")


@cache
def _find(column: str) -> Select[Any]:
    return select(_cart.c.id).where(_mine(column))


def find(session: Session, owner: CartOwner) -> int | None:
    """The id of the owner's cart, None while nothing was ever put in."""
    column, who = _key(owner)
    return None if who is None else session.scalar(_find(column), {"who": who})


@cache
def _obtain(dialect: str, column: str) -> Any:
    statement = _insert(dialect, _cart).values(
        {name: bindparam(name) for name in ("user_id", "token", "company_id", "updated_at")}
    )
    known = {name: statement.excluded[name] for name in ("company_id", "updated_at")}
    return statement.on_conflict_do_update(index_elements=[column], set_=known).returning(_cart.c.id)


def obtain(session: Session, owner: CartOwner) -> int:
    """The id of the owner's cart, made when it is not there; two at once end in one cart. Notes the time of change."""
    column, who = _key(owner)
    if who is None:
        raise ValueError("a cart needs a user or a token")
    values = {
        "user_id": None,
        "token": None,
        column: who,
        "company_id": owner.company_id,
        "updated_at": now(),
    }
    return int(session.execute(_obtain(_dialect(session), column), values).scalar_one())


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _insert(dialect: str, table: Table) -> Any:
    """INSERT with ON CONFLICT, which both databases have and SQLAlchemy names twice."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def lines(session: Session, cart_id: int | None) -> list[CartLine]:
    """The lines in the order they were put in, held ones too."""
    if cart_id is None:
        return []
    return list(
        session.scalars(
            select(CartLine).where(CartLine.cart_id == cart_id).order_by(CartLine.position, CartLine.id)
        )
    )


@cache
def _lines_of(column: str, held: bool | None) -> Select[Any]:
    query = select(CartLine).join(Cart, Cart.id == CartLine.cart_id).where(_mine(column))
    if held is not None:
        query = query.where(CartLine.is_held.is_(held))
    return query.order_by(CartLine.position, CartLine.id)


def lines_of(session: Session, owner: CartOwner, *, held: bool | None = None) -> list[CartLine]:
    """The lines of the owner's cart, in one query; with `held` only those set aside, or only the others."""
    column, who = _key(owner)
    return [] if who is None else list(session.scalars(_lines_of(column, held), {"who": who}))


@cache
def _count(column: str) -> Select[Any]:
    joined = _line.join(_cart, _cart.c.id == _line.c.cart_id)
    return select(func.count()).select_from(joined).where(_mine(column))


def count(session: Session, owner: CartOwner) -> int:
    """How many lines the owner's cart has, for the basket in the page's head."""
    column, who = _key(owner)
    return 0 if who is None else session.scalar(_count(column), {"who": who}) or 0


def add(session: Session, cart_id: int, sku: str, quantity: int) -> None:
    """Put pieces into the cart: onto the line of this SKU when there is one, else as a new last line."""
    _put(session, cart_id, sku, quantity, is_added=True)


def set_quantity(session: Session, cart_id: int, sku: str, quantity: int) -> None:
    """Make the line of this SKU so many pieces, adding the line when it is not there; it is no longer held."""
    _put(session, cart_id, sku, quantity, is_added=False)


_CHANGE = (
    update(_line)
    .where(_line.c.cart_id == bindparam("its_cart"), _line.c.sku == bindparam("its_sku"))
    .values(quantity=bindparam("its_quantity"), is_held=False)
)


def set_quantities(session: Session, cart_id: int, quantities: Mapping[str, int]) -> None:
    """Make lines that are there so many pieces, all in one statement; lines not there stay away."""
    if wrong := [quantity for quantity in quantities.values() if not 1 <= quantity <= MAX_QUANTITY]:
        raise ValueError(f"a cart line counts 1 to {MAX_QUANTITY} pieces, not {wrong[0]}")
    if quantities:
        rows = [
            {"its_cart": cart_id, "its_sku": sku, "its_quantity": quantities[sku]}
            for sku in sorted(quantities)
        ]
        session.connection().execute(_CHANGE, rows)
        session.expire_all()


@cache
def _upsert(dialect: str, is_added: bool) -> Any:
    """A line of so many pieces: in place of what is there, or `is_added` onto it, up to the largest quantity."""
    last = select(func.coalesce(func.max(_line.c.position), 0)).where(_line.c.cart_id == bindparam("cart_id"))
    statement = _insert(dialect, _line).values(
        cart_id=bindparam("cart_id"), sku=bindparam("sku"), quantity=bindparam("quantity"),
        position=last.scalar_subquery() + 1, is_held=False,
    )  # fmt: skip
    total = statement.excluded.quantity
    if is_added:
        least = func.least if dialect == "postgresql" else func.min  # min() of two numbers has two names
        total = least(_line.c.quantity + total, MAX_QUANTITY)
    changed = {"quantity": total, "is_held": False}
    return statement.on_conflict_do_update(index_elements=["cart_id", "sku"], set_=changed)


def _put(session: Session, cart_id: int, sku: str, quantity: int, *, is_added: bool) -> None:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise ValueError(f"a cart line counts 1 to {MAX_QUANTITY} pieces, not {quantity}")
    values = {"cart_id": cart_id, "sku": sku, "quantity": quantity}
    session.execute(_upsert(_dialect(session), is_added), values)


def remove(session: Session, cart_id: int, sku: str) -> None:
    """Take the line of this SKU out; no line, no change."""
    session.execute(delete(CartLine).where(CartLine.cart_id == cart_id, CartLine.sku == sku))
    _touch(session, cart_id)


def hold(session: Session, cart_id: int, skus: Iterable[str], *, held: bool = True) -> None:
    """Set lines aside (or back): they stay in the cart and out of the order."""
    statement = update(CartLine).where(CartLine.cart_id == cart_id, CartLine.sku.in_(list(skus)))
    session.execute(statement.values(is_held=held))
    _touch(session, cart_id)


_CLEAR = delete(_line).where(
    _line.c.cart_id == bindparam("its_cart"), _line.c.sku.in_(bindparam("skus", expanding=True))
)


def clear(session: Session, cart_id: int, skus: Iterable[str]) -> None:
    """Take ordered lines out; held ones and what was added meanwhile stay."""
    session.execute(_CLEAR, {"its_cart": cart_id, "skus": list(skus)})
    _touch(session, cart_id)


def merge(session: Session, token: str, owner: CartOwner) -> None:
    """At sign-in: move a visitor's lines into the user's cart, quantities of a SKU added up, and drop the rest."""
    visitor = find(session, CartOwner(token=token))
    if visitor is None or owner.user_id is None:
        return
    mine = obtain(session, owner)
    for line in lines(session, visitor):
        add(session, mine, line.sku, line.quantity)
    session.execute(delete(CartLine).where(CartLine.cart_id == visitor))
    session.execute(delete(Cart).where(Cart.id == visitor))


_TOUCH = update(_cart).where(_cart.c.id == bindparam("its_id")).values(updated_at=bindparam("moment"))


def _touch(session: Session, cart_id: int) -> None:
    session.execute(_TOUCH, {"its_id": cart_id, "moment": now()})


def draft_of(session: Session, owner: CartOwner) -> str:
    """Pasted lines that were kept because they still need a look; empty when there are none."""
    cart_id = find(session, owner)
    return (
        session.scalar(select(Cart.draft).where(Cart.id == cart_id)) if cart_id is not None else None
    ) or ""


def keep_draft(session: Session, cart_id: int, text: str) -> None:
    """Keep pasted lines with the cart, replacing those kept before."""
    session.execute(update(Cart).where(Cart.id == cart_id).values(draft=text or None, updated_at=now()))
