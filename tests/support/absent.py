"""What a machine may lack: a skip for a developer, a failure where CI=true."""

import os
from typing import NoReturn

import pytest


def absent(line: str) -> NoReturn:
    """Ends the test. `line` says in one sentence what is missing and what is therefore not tested."""
    if os.environ.get("CI") == "true":
        pytest.fail(line, pytrace=False)
    pytest.skip(line)
