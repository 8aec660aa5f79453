"""Files that are never half written, and a lock between the processes that write them.

Knows nothing of shops: paths and bytes in, a file in place or an OSError out.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MODE = 0o644  # of a new file; an old one keeps its own
PREFIX, SUFFIX = (
    ".koguchi-",
    ".tmp",
)  # hidden, so that no reader of the folder takes one for a file of its own


@contextmanager
def holding(lock: Path) -> Iterator[None]:
    """Be the only process and thread inside; a killed one lets go by itself."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def replace_file(target: Path, content: bytes) -> int:
    """Write beside the file and rename: whoever reads or kills sees the old file or the new one. Its time in ns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{PREFIX}*{SUFFIX}"):  # of a killed process; we hold the lock
        left.unlink(missing_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=PREFIX, suffix=SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fchmod(out.fileno(), _mode_of(target))
            os.fsync(out.fileno())
            stamp = os.fstat(out.fileno()).st_mtime_ns
        move_into_place(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return stamp


def move_into_place(temporary: str, target: Path) -> None:
    """The one step by which a file becomes another."""
    os.replace(temporary, target)


def remove_file(target: Path) -> None:
    """Take a file away, and make sure it stays away."""
    target.unlink()
    _sync_folder(target.parent)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except OSError:
        return MODE


def _sync_folder(folder: Path) -> None:
    """The name is durable only when its folder is; some file systems cannot do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
