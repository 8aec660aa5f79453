"""Runs the contract kit for several providers in one process, and prints what came of each: KIND PROVIDER ... as JSON.

python kit_runs.py payments support.kit_built_in:DUMMY shipping my_shipping:MyShipping
"""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest


class Counted:
    """What became of every test, and where the kit itself stands."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[str]] = {"passed": [], "skipped": [], "failed": []}
        self.told: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome].append(report.nodeid.rpartition("::")[2])
            if report.failed:
                self.told.append(report.longreprtext[-2_000:])


def main(words: list[str]) -> None:
    found = {}
    for kind, provider in zip(words[::2], words[1::2], strict=True):
        counted = Counted()
        arguments = ["-q", "-p", "no:cacheprovider", "-p", "plugins.testing.options"]
        arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        kit = ["--pyargs", f"plugins.testing.{kind}", "--provider", provider]
        with redirect_stdout(sys.stderr):
            code = int(pytest.main([*arguments, *kit], plugins=[counted]))
        found[provider] = {"code": code, **counted.outcomes, "told": counted.told}
    import plugins

    print(json.dumps({"home": str(Path(plugins.__file__).parent.parent), "runs": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
