"""Migrations and models say the same, on both databases, however the tables came to be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, inspect

from storefront import create_app, schema
from storefront.app import import_tables
from storefront.database import Base
from support.shop import seed


@pytest.fixture
def bare(shop_folder: Path, database_url: str) -> Flask:
    """A shop whose database has no tables yet."""
    return create_app(shop_folder, database_url=database_url)


def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["koguchi"].engine
    return engine


def test_migrations_make_exactly_what_the_models_say(bare: Flask) -> None:
    import_tables()
    schema.upgrade(engine_of(bare))
    assert set(Base.metadata.tables) <= set(inspect(engine_of(bare)).get_table_names())
    assert schema.differences(engine_of(bare)) == []
    bare.extensions["koguchi"].close()


def test_control_a_missing_column_is_seen(bare: Flask) -> None:
    import_tables()
    engine = engine_of(bare)
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE companies DROP COLUMN note")
    assert any("note" in str(change) for change in schema.differences(engine))
    bare.extensions["koguchi"].close()


def test_two_processes_that_upgrade_at_once_both_end_well(shop_folder: Path, database_url: str) -> None:
    words = [sys.executable, "-m", "storefront.cli", "db", "upgrade", "--shop", str(shop_folder)]
    environ = os.environ | {"DATABASE_URL": database_url, "PYTHONPATH": str(Path(__file__).parent.parent)}
    started = [
        subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in started]
    assert [code for _told, code in ended] == [0, 0], ended


def test_an_upgrade_that_breaks_half_way_leaves_nothing_behind(
    bare: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("the power went")

    engine = engine_of(bare)
    with monkeypatch.context() as patched:
        patched.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", broken)
        with pytest.raises(RuntimeError, match="the power went"):
            schema.upgrade(engine)
    assert inspect(engine).get_table_names() == []
    assert schema.upgrade(engine) == schema.newest()
    bare.extensions["koguchi"].close()


def test_the_search_index_comes_with_the_migration(bare: Flask) -> None:
    engine = engine_of(bare)
    schema.upgrade(engine)
    seed(bare)
    found = bare.test_client().get("/products?q=ボルト").get_data(as_text=True)
    nothing = bare.test_client().get("/products?q=歯車").get_data(as_text=True)
    bare.extensions["koguchi"].close()
    assert "/products/M4-10" in found
    assert "/products/M4-10" not in nothing
