"""Engines, column types, and the two ways to the database: get_session() reads, `with write()` writes.

Every write is one short transaction: BEGIN IMMEDIATE on SQLite, row locks through locked() on PostgreSQL.
"""

from __future__ import annotations

import functools
import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flask import Flask, g
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Numeric,
    Select,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    from storefront.shop import Shop

BUSY_MS = 9_000  # how long a writer queues on SQLite before the page answers 503
PRICE_DECIMALS = 6
_SCALE = 10**PRICE_DECIMALS
WRITES = "koguchi_writes"  # execution option of the writing engine

P = ParamSpec("P")
R = TypeVar("R")


class Base(DeclarativeBase):
    """All tables. The naming convention gives every constraint the name that migrations use."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Price(TypeDecorator[Decimal]):
    """An exact Decimal with up to 6 decimals and 12 digits before the point: a unit price, a rate, a weight.

    NUMERIC(18, 6) on PostgreSQL; SQLite has no decimals, so there the same number as an integer of millionths,
    which compares, sorts and adds exactly. More decimals are refused, never rounded.
    """

    impl = Numeric(18, PRICE_DECIMALS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(
            BigInteger() if dialect.name == "sqlite" else Numeric(18, PRICE_DECIMALS)
        )

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise TypeError(f"a price is a Decimal, not {value!r}")
        exact = Decimal(value)
        scaled = exact.scaleb(PRICE_DECIMALS) if exact.is_finite() else exact
        if not exact.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) >= 10**18:
            raise ValueError(
                f"{value} does not fit: 12 digits before the point and {PRICE_DECIMALS} after it"
            )
        return int(scaled) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else _plain(value if dialect.name == "sqlite" else int(value * _SCALE))


@lru_cache(maxsize=16_384)
def _plain(scaled: int) -> Decimal:
    """A Decimal without trailing zeros and without an exponent: 97.5, 120."""
    number = Decimal(scaled).scaleb(-PRICE_DECIMALS).normalize()
    return number if int(number.as_tuple().exponent) <= 0 else number.quantize(Decimal(1))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC. A naive one is refused: nobody could say which zone it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """Plain JSON whose keys keep their order. Not tracked: assign a new value to change it."""

    impl = JSON(none_as_null=True)
    cache_ok = True


@dataclass(frozen=True)
class Databases:
    """Two doors to one connection pool: `writing` begins its transactions as writers."""

    reading: Engine
    writing: Engine


# made once: json.dumps makes an encoder for each value, and an imported history has a million and a half
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def open_databases(url: str) -> Databases:
    """Engines for `url` (sqlite:///... or postgresql+psycopg://...), to be opened after any fork."""
    address = make_url(url)
    if address.drivername in {"postgresql", "postgres"}:
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
        Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
    sqlite = address.get_backend_name() == "sqlite"
    engine = create_engine(
        address,
        json_serializer=_dump,
        pool_size=10,
        max_overflow=20,
        pool_timeout=8,
        pool_use_lifo=True,
        pool_pre_ping=not sqlite,
        connect_args={"cached_statements": 512} if sqlite else {},
    )
    if sqlite:
        _tune_sqlite(engine)
    return Databases(engine, engine.execution_options(**{WRITES: True}))


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # SQLAlchemy's recipe: the driver must not begin transactions on its own, on_begin does.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MS}",
            "synchronous=NORMAL",
            "cache_size=-16000",
            "mmap_size=134217728",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class ReadSession(Session):
    """A session that refuses to write, so that no write can slip past `with write()`."""

    def flush(self, objects: Any = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("get_session() only reads; write inside `with write() as session:`")


def get_session() -> Session:
    """The request's reading session: one snapshot, closed with the application context. It refuses to write."""
    session: Session | None = g.get("koguchi_session")
    if session is None:
        session = ReadSession(_shop().databases.reading, autoflush=False, expire_on_commit=False)
        g.koguchi_session = session
    return session


@contextmanager
def write(shop: Shop | None = None) -> Iterator[Session]:
    """One write transaction: commits at the end of the block, rolls back when it raises.

    Objects of get_session() are other objects: load again inside the block what is to be changed. Inside it pass
    the session on; a second write() would wait for itself, and is refused.
    """
    if g.get("koguchi_writing"):
        raise RuntimeError("already inside `with write()`: pass its session on instead of opening another")
    reader: Session | None = g.get("koguchi_session")
    if reader is not None:
        reader.commit()  # lets go of the old snapshot and its connection; loaded objects stay as they are
    g.koguchi_writing = True
    try:
        with Session((shop or _shop()).databases.writing, expire_on_commit=False) as session, session.begin():
            yield session
    finally:
        g.koguchi_writing = False
    if reader is not None:
        reader.expire_all()
        reader.info.clear()  # what features remembered for this snapshot


def locked(statement: Select[Any]) -> Select[Any]:
    """The rows of `statement` locked until the transaction ends (SQLite locks everything anyway), read anew."""
    return statement.with_for_update().execution_options(populate_existing=True)


def retrying(function: Callable[P, R], attempts: int = 4) -> Callable[P, R]:
    """Call `function` again when the database chose it as a deadlock's or a serialization failure's loser.

    `function` must open its own write(), so that each attempt starts from the beginning.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, attempts):
            try:
                return function(*args, **kwargs)
            except DBAPIError as error:
                if not is_conflict(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311  (spreads the losers out, no secret)
        return function(*args, **kwargs)

    return call


def is_conflict(error: DBAPIError) -> bool:
    """Whether a transaction lost against another one and may simply be tried again."""
    if getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}:
        return True
    return getattr(error.orig, "sqlite_errorname", None) in {"SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY"}


def _shop() -> Shop:
    from storefront.shop import current_shop

    return current_shop()


def init_app(app: Flask) -> None:
    """Close the reading session with every application context."""

    @app.teardown_appcontext
    def close_session(_error: BaseException | None) -> None:
        session: Session | None = g.pop("koguchi_session", None)
        if session is not None:
            session.close()
