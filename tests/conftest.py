"""Fixtures that every test may use.

A test that needs a browser, PostgreSQL or the sales data is marked so by the fixtures it asks for.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rules.durable import durable_is_available
from support import browser, memory, once, postgres
from support.absent import absent
from support.live_server import serving
from support.templates import Prepare, Templates

pytest_plugins = ["support.shop"]

ROOT = Path(__file__).resolve().parent.parent
os.environ["LC_ALL"] = "C.UTF-8"  # commands speak the language of the terminal; these tests read English
memory.use_for_temporary_files()
once.install()
MARKS = {"postgres_url": "postgres", "browser_type_launch_args": "browser", "data_folder": "data"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, mark in MARKS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """./run test runs the linters first: their answer must not scroll away."""
    if os.environ.get("KOGUCHI_LINT_FAILED"):
        terminalreporter.section("lint failed")
        terminalreporter.line(f"see above: {os.environ['KOGUCHI_LINT_FAILED']}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL cluster of this test process: postgresql+psycopg://..., its maintenance database."""
    programs = postgres.binaries()
    if programs is None:
        absent("no PostgreSQL on this machine (PG_BIN names its folder): the tests that need one are not run")
    with postgres.cluster(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Every test that needs a database runs once with each kind."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database for each test: empty, or with the tiny shop in it when the test asks for `app` too."""
    if "app" in request.fixturenames:
        # a plugin of pytest: it must not be imported before pytest has done so
        from support.shop import seeded

        yield request.getfixturevalue("prepared_database")(seeded)
    elif database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        with postgres.new_database(request.getfixturevalue("postgres_url")) as url:
            yield url


@pytest.fixture(scope="session")
def database_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def prepared_database(
    database_kind: str, database_templates: Templates, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[Prepare], str]]:
    """prepared_database(prepare) is the URL of a new database in which prepare(url) has been done.

    It is done once in each test process and copied from then on, so `prepare` must be a plain function,
    not a lambda, and must have closed its connections when it returns.
    """
    with ExitStack() as stack:

        def make(prepare: Prepare) -> str:
            if database_kind == "sqlite":
                return database_templates.sqlite(tmp_path / "prepared.db", prepare)
            cluster = request.getfixturevalue("postgres_url")
            return stack.enter_context(database_templates.postgresql(cluster, prepare))

        yield make


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    executable = browser.chromium()
    if executable is None:
        absent("no Chromium on this machine: the browser tests are not run")
    home = tmp_path_factory.mktemp("browser")
    return {
        **browser_type_launch_args,
        **browser.launch_arguments(executable, ROOT / "static" / "fonts", home),
    }


@pytest.fixture
def live_server() -> Iterator[Callable[[Any], str]]:
    """live_server(app) serves it until the test ends and returns its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture(scope="session")
def durable_engine() -> None:
    """durable-rules itself, which has ready-made wheels for some machines only."""
    if not durable_is_available():
        absent("no durable-rules on this machine: the matcher that decides at checkout is not tested")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The sales data: KOGUCHI_DATA, else shared/data beside the checkout."""
    folder = Path(os.environ.get("KOGUCHI_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        absent(f"no sales data at {folder} (KOGUCHI_DATA names it): the tests that read it are not run")
    return folder
