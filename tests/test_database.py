"""The two ways to the database, on SQLite and PostgreSQL: reading sessions read, write() is one transaction."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storefront.accounts import Company
from storefront.database import (
    Json,
    Price,
    UtcDateTime,
    get_session,
    locked,
    open_databases,
    retrying,
    write,
)
from support.shop import make_company


class Own(DeclarativeBase):
    """Tables of this file alone, apart from the shop's."""


class Sample(Own):
    """One column of each type of ours."""

    __tablename__ = "samples_of_types"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[Decimal | None] = mapped_column(Price)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    table: Mapped[Any | None] = mapped_column(Json, nullable=True)


@pytest.fixture(autouse=True)
def table(request: pytest.FixtureRequest) -> None:
    """The samples' table, wherever a test has a shop."""
    if "app" in request.fixturenames:
        Own.metadata.create_all(request.getfixturevalue("app").extensions["koguchi"].engine)


@pytest.mark.usefixtures("database_url")
def test_a_price_comes_back_exactly_and_without_trailing_zeros(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            for number in ("97.50", "0.000001", "120", "999999999999.999999", "-3.1"):
                session.add(Sample(price=Decimal(number)))
        found = get_session().scalars(select(Sample.price).order_by(Sample.price)).all()
        assert [str(price) for price in found] == ["-3.1", "0.000001", "97.5", "120", "999999999999.999999"]


@pytest.mark.parametrize(
    "wrong", [Decimal("0.0000001"), Decimal("NaN"), Decimal("Infinity"), Decimal("1e12"), 1.5, True]
)
def test_a_price_that_does_not_fit_is_refused_and_never_rounded(app: Flask, wrong: Any) -> None:
    with (
        app.app_context(),
        pytest.raises(Exception, match=r"does not fit|a price is a Decimal"),
        write() as session,
    ):
        session.add(Sample(price=wrong))


@pytest.mark.usefixtures("database_url")
def test_times_come_back_as_utc_and_naive_ones_are_refused(app: Flask) -> None:
    tokyo = datetime(2026, 11, 20, 10, 20, tzinfo=timezone(timedelta(hours=9)))
    with app.app_context():
        with write() as session:
            session.add(Sample(at=tokyo))
        assert get_session().scalars(select(Sample.at)).one() == datetime(2026, 11, 20, 1, 20, tzinfo=UTC)
        with pytest.raises(Exception, match="no time zone"), write() as session:
            session.add(Sample(at=datetime(2026, 11, 20, 1, 20)))  # noqa: DTZ001


@pytest.mark.usefixtures("database_url")
def test_json_keeps_the_order_of_its_keys_and_none_is_null(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.add_all([Sample(table={"ja": "個", "en": "pcs", "a": [1]}), Sample(table=None)])
        rows = get_session().scalars(select(Sample.table).order_by(Sample.id)).all()
        assert [list(rows[0]), rows[1]] == [["ja", "en", "a"], None]
        assert (
            get_session()
            .execute(text('SELECT count(*) FROM samples_of_types WHERE "table" IS NULL'))
            .scalar()
            == 1
        )


@pytest.mark.usefixtures("database_url")
def test_a_write_that_raises_leaves_nothing_behind(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError, match="stop"):
            _write_half_and_stop()
        assert get_session().scalars(select(Company).where(Company.code == "HALF")).all() == []


def _write_half_and_stop() -> None:
    with write() as session:
        session.add(Company(code="HALF", name="半分"))
        session.flush()
        raise RuntimeError("stop")


def test_the_reading_session_refuses_to_write(app: Flask) -> None:
    with app.app_context():
        company = get_session().scalars(select(Company).limit(1)).one()
        company.name = "書けない"
        with pytest.raises(RuntimeError, match="only reads"):
            get_session().flush()


def test_a_write_inside_a_write_is_refused_at_once(app: Flask) -> None:
    with app.app_context(), write(), pytest.raises(RuntimeError, match="already inside"), write():
        pass


@pytest.mark.usefixtures("database_url")
def test_reading_after_a_write_sees_it(app: Flask) -> None:
    with app.app_context():
        company = get_session().scalars(select(Company).where(Company.code == "HAYASHI")).one()
        with write() as session:
            session.get_one(Company, company.id).name = "林工作所(新)"
        assert company.name == "林工作所(新)"


@pytest.mark.usefixtures("database_url")
def test_parallel_writers_lose_no_update(app: Flask) -> None:
    assert _count_up(app, with_lock=True) == 40


@pytest.mark.usefixtures("database_url")
def test_control_without_the_lock_updates_are_lost(app: Flask) -> None:
    """Shows that the test above can fail: readers that write what they read long ago lose updates."""
    assert _count_up(app, with_lock=False) < 40


def _count_up(app: Flask, *, with_lock: bool) -> int:
    """Eight threads add one to a company's credit limit, five times each."""
    with app.app_context():
        number = make_company(credit_limit_minor=0).id
    together = Barrier(8)

    @retrying
    def add_one() -> None:
        if with_lock:
            with write() as session:
                company = session.scalars(locked(select(Company).where(Company.id == number))).one()
                company.credit_limit_minor = (company.credit_limit_minor or 0) + 1
            return
        held = get_session().scalars(select(Company.credit_limit_minor).where(Company.id == number)).one()
        together.wait()
        with write() as session:
            session.get_one(Company, number).credit_limit_minor = (held or 0) + 1

    def work() -> None:
        for _ in range(5):
            with app.app_context():
                add_one()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        return (
            get_session().scalars(select(Company.credit_limit_minor).where(Company.id == number)).one() or 0
        )


def test_retrying_begins_again_after_a_lost_conflict_and_not_after_other_errors(app: Flask) -> None:
    lost = OperationalError("UPDATE", {}, _Conflict())
    calls: list[int] = []

    @retrying
    def unlucky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise lost
        return "done"

    assert unlucky() == "done"
    assert len(calls) == 3

    @retrying
    def broken() -> None:
        calls.append(1)
        raise OperationalError("SELECT", {}, Exception("no such table"))

    calls.clear()
    with pytest.raises(OperationalError):
        broken()
    assert len(calls) == 1


class _Conflict(Exception):
    sqlstate = "40P01"


def test_sqlite_is_opened_with_wal_and_foreign_keys(tmp_path: Any) -> None:
    engine = open_databases(f"sqlite:///{tmp_path / 'new' / 'shop.sqlite'}").reading
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1}


def test_plain_postgresql_addresses_use_psycopg() -> None:
    pytest.importorskip("psycopg")
    assert open_databases("postgresql://u@h/d").reading.dialect.driver == "psycopg"


def test_a_forked_worker_opens_its_own_engine(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = app.extensions["koguchi"]
    parents = shop.engine
    assert shop.engine is parents
    with monkeypatch.context() as forked:
        forked.setattr("os.getpid", lambda: 999_999)
        assert shop.engine is not parents
        shop.close()
