"""The tables of the database: brought to the newest revision, or compared with the models.

Revisions live in storefront/migrations and are run from the package; there is no alembic.ini.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from storefront.database import WRITES, Base

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_216_001  # any number, the same for every process of every shop in this database


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the package's own folder."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def newest() -> str | None:
    """The newest revision of this version of the shop."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current(engine: Engine) -> str | None:
    """The revision a database is at, None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> str | None:
    """Bring a database to the newest revision and return it, in one transaction: all of it or nothing.

    Several processes at once do it once: SQLite by its write lock, PostgreSQL by an advisory lock.
    """
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(config(connection), "head")
    return newest()


def write_revision(engine: Engine, message: str) -> None:
    """Write a revision with what the models have and the database has not. For developers: see docs/decisions.md."""
    with engine.connect() as connection:
        command.revision(config(connection), message=message, autogenerate=True)


def differences(engine: Engine) -> list[Any]:
    """What the models have and a database has not, or the other way round; empty when they agree."""
    from storefront.migrations import types

    with engine.connect() as connection:
        options = {"compare_type": types.compare_type, "include_object": types.include_object}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))
