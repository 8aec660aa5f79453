"""Databases that are prepared once in a test process and then copied for each test, which takes milliseconds."""

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

    @contextmanager
    def sqlite(self, file: Path, prepare: Prepare) -> Iterator[str]:
        if ("sqlite", prepare) not in self.urls:
            url = self.urls["sqlite", prepare] = f"sqlite:///{self.folder / f'{len(self.urls)}.db'}"
            prepare(url)
        template = make_url(self.urls["sqlite", prepare]).database
        with closing(sqlite3.connect(str(template))) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)  # reads the write-ahead log too, where a plain copy of the file would not
        yield f"sqlite:///{file}"

    @contextmanager
    def postgresql(self, cluster_url: str, prepare: Prepare) -> Iterator[str]:
        if ("postgresql", prepare) not in self.urls:
            url = self.urls["postgresql", prepare] = postgres.create_database(cluster_url)
            prepare(url)
        with postgres.new_database(cluster_url, self.urls["postgresql", prepare]) as url:
            yield url
