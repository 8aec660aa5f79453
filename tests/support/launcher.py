"""The launcher `run` as a module, working on a checkout of its own: small, in a temporary folder."""

from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = """
[project]
name = "koguchi"
version = "0.1.0"
[project.scripts]
koguchi = "storefront.cli:main"
[project.entry-points.koguchi]
flat_rate = "plugins.shipping.flat_rate:provider"
"""
COMMAND = """
import sys
from importlib.metadata import entry_points
def main():
    print(sys.prefix, sys.argv[1:], sorted(point.name for point in entry_points(group="koguchi")))
"""


class Launcher:
    """`run` with downloads replaced: `installed` lists the sets it would have installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.installed: list[str] = []
        self.said: list[str] = []
        self.before_install = lambda: None
        self.run: Any = ModuleType("koguchi_run")
        self.run.__file__ = str(ROOT / "run")
        exec(compile((ROOT / "run").read_text(encoding="utf-8"), "run", "exec"), vars(self.run))
        self.real_install = self.run.install
        self.run.ROOT, self.run.VENV = root, root / ".venv"
        self.run.PYTHON = self.run.VENV / "bin" / "python"
        self.run.STAMP = self.run.VENV / "koguchi-setup.json"
        self.run.GUARD = root / ".venv.lock"
        self.run.install = self._install
        self.run.say = self.said.append

    def _install(self, kind: str) -> None:
        self.installed.append(kind)
        self.before_install()


def checkout(root: Path) -> Launcher:
    """A checkout with one command, which prints where it runs and what plugins it sees."""
    (root / "storefront").mkdir(parents=True)
    (root / "storefront" / "__init__.py").touch()
    (root / "storefront" / "cli.py").write_text(COMMAND)
    (root / "pyproject.toml").write_text(PROJECT)
    for name in ("requirements.lock", "requirements-test.lock", "requirements-bench.lock"):
        (root / name).write_text(f"# {name}\n")
    return Launcher(root)
