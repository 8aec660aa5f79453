"""The wheel carries everything: installed into a clean environment it serves its files without a checkout."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.clean_install import ROOT, build_wheel, install

ASK = """
import json, importlib.metadata
from pathlib import Path
from flask import Flask
import plugins, rules, storefront
from storefront.own_packages import check_own_packages, examples_folder, static_folder
check_own_packages()
static = static_folder()
client = Flask("koguchi", static_folder=static, static_url_path="/static").test_client()
files = sorted(str(path.relative_to(static)) for path in static.rglob("*") if path.is_file())
print(json.dumps({
    "homes": [str(Path(package.__file__).parent.parent) for package in (plugins, rules, storefront)],
    "files": files,
    "served": [name for name in files if client.get(f"/static/{name}").status_code == 200],
    "examples": sorted(path.name for path in examples_folder().iterdir()),
    "plugins": sorted(point.name for point in importlib.metadata.entry_points(group="koguchi")),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    return install(build_wheel(folder / "dist"), folder / "venv")


@pytest.fixture(scope="module")
def answers(installed: Path) -> Any:
    command = [str(installed), "-I", "-c", ASK]
    return json.loads(subprocess.run(command, cwd="/", check=True, capture_output=True, text=True).stdout)


def test_the_installed_packages_are_the_ones_imported(installed: Path, answers: Any) -> None:
    (site,) = installed.parent.parent.glob("lib/python3*/site-packages")
    assert set(answers["homes"]) == {str(site)}


def test_every_static_file_is_in_the_wheel_and_served(answers: Any) -> None:
    static = ROOT / "static"
    here = sorted(str(path.relative_to(static)) for path in static.rglob("*") if path.is_file())
    assert here
    assert answers["files"] == answers["served"] == here


def test_the_example_shops_are_in_the_wheel(answers: Any) -> None:
    assert answers["examples"] == sorted(path.name for path in (ROOT / "examples").iterdir())


def test_the_built_in_plugins_are_announced(answers: Any) -> None:
    assert {"flat_rate", "table_rate", "bank_transfer", "net_terms", "dummy"} <= set(answers["plugins"])


def test_the_command_is_installed(installed: Path) -> None:
    command = [str(installed.parent / "koguchi"), "--help"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_all_that_a_package_needs_beside_its_code_is_in_the_wheel(installed: Path) -> None:
    """Templates, translations, migrations: whatever git tracks in the packages."""
    tracked = subprocess.run(
        ["git", "ls-files", "storefront", "rules", "plugins"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    (site,) = installed.parent.parent.glob("lib/python3*/site-packages")
    assert [name for name in tracked if (ROOT / name).exists() and not (site / name).exists()] == []
