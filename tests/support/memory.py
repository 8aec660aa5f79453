"""Where the tests keep what they throw away: in memory, where the machine has a file system there with room enough.

Half of what a database test took was the disk: a new PostgreSQL database is 300 files.
"""

import os
import tempfile

FOLDER = "/dev/shm"
ROOM = 3_000_000_000  # bytes; a whole run leaves few files at a time, a failing one keeps them


def folder() -> str | None:
    """The folder in memory, None where there is none that will do (a container's is often small)."""
    try:
        found = os.statvfs(FOLDER)
    except OSError:
        return None
    has_room = found.f_bavail * found.f_frsize > ROOM
    # some tests start programs that they put there
    return FOLDER if has_room and not found.f_flag & os.ST_NOEXEC else None


def use_for_temporary_files() -> None:
    """For this process and those it starts, unless TMPDIR says otherwise."""
    found = folder()
    if found and not os.environ.get("TMPDIR"):
        os.environ["TMPDIR"] = tempfile.tempdir = found
