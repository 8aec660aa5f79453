"""The fixtures in conftest.py do what they promise: every other test leans on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import create_engine, make_url, text


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_gets_an_empty_database(database_url: str, attempt: int) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table once (name text)"))
        connection.execute(text("insert into once values ('小口')"))
    with engine.connect() as connection:
        assert connection.scalar(text("select name from once")) == "小口"
    engine.dispose()


prepared: list[str] = []


def prepare(url: str) -> None:
    prepared.append(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table stock (sku text)"))
    engine.dispose()


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_prepared_database_is_prepared_once_and_copied(
    prepared_database: Callable[[Callable[[str], None]], str], attempt: int
) -> None:
    engine = create_engine(prepared_database(prepare))
    with engine.begin() as connection:
        connection.execute(text("insert into stock values ('A')"))
        assert connection.scalar(text("select count(*) from stock")) == 1
    engine.dispose()
    assert len({make_url(url).drivername for url in prepared}) == len(prepared)


def test_chromium_shows_a_page_that_we_serve(live_server: Callable[[Any], str], page: Page) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "<title>小口</title><p>こんにちは")
    page.goto(live_server(app))
    assert page.title() == "小口"
    assert page.inner_text("p") == "こんにちは"


def test_the_sales_data_is_there(data_folder: Path) -> None:
    assert list(data_folder.glob("*.csv.xz"))
