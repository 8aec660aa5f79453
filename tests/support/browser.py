"""How the browser tests start Chromium: the machine's own, not a download of the test tool."""

import os
import shutil
from pathlib import Path
from typing import Any

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # a test machine has no outer network: without these Chromium knocks at it all the time
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch_arguments(executable: str, fonts: Path, home: Path) -> dict[str, Any]:
    """For Playwright's launch. `fonts`: ours, for machines without Japanese ones. `home`: an empty folder."""
    if fonts.is_dir():
        (home / "fonts").symlink_to(fonts)  # fontconfig looks into XDG_DATA_HOME/fonts
    return {
        "executable_path": executable,
        "args": QUIET,
        "chromium_sandbox": os.geteuid() != 0,  # the sandbox refuses to work for root
        "env": {**os.environ, "XDG_DATA_HOME": str(home)},
    }
