"""Databases that are prepared once in a test process and then copied for each test, which takes milliseconds."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from support import postgres

Prepare = Callable[[str], None]


class Templates:
    """Keeps one template for each kind of database and each `prepare`, a function of the database's URL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.urls: dict[tuple[str, Prepare], str] = {}

    def sqlite(self, file: Path, prepare: Prepare) -> str:
        if ("sqlite", prepare) not in self.urls:
            url = self.urls["sqlite", prepare] = f"sqlite:///{self.folder / f'{len(self.urls)}.db'}"
            prepare(url)
            settle(Path(str(make_url(url).database)))
        shutil.copyfile(str(make_url(self.urls["sqlite", prepare]).database), file)
        return f"sqlite:///{file}"

    @contextmanager
    def postgresql(self, cluster_url: str, prepare: Prepare) -> Iterator[str]:
        if ("postgresql", prepare) not in self.urls:
            url = self.urls["postgresql", prepare] = postgres.create_database(cluster_url)
            prepare(url)
        with postgres.new_database(cluster_url, self.urls["postgresql", prepare]) as url:
            yield url


def settle(file: Path) -> None:
    """Leave nothing in the write-ahead log, so that the file alone is the database."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
