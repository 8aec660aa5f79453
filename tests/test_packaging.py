"""The wheel carries everything: installed into a clean environment it serves its files without a checkout."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import kit_built_in
from support.clean_install import ROOT, build_wheel, install, pip_install
from support.plugin_package import SAMPLE

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


# ---- a stranger's plugins in that environment


@pytest.fixture(scope="module")
def stranger(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package from outside and two that `koguchi plugin new` wrote, all three installed."""
    folder = tmp_path_factory.mktemp("stranger")
    shutil.copytree(SAMPLE, folder / "outside_invoice", ignore=shutil.ignore_patterns("*.dist-info"))
    for kind in ("payments", "shipping"):
        command = [str(installed.parent / "koguchi"), "plugin", "new", kind, f"my_{kind}"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    pip_install(installed, *(folder / name for name in ("outside_invoice", "my_payments", "my_shipping")))
    return folder


def run(python: Path, *words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [str(python), *words], cwd=folder, capture_output=True, text=True, check=False,
        env={**environment, "LC_ALL": "C.UTF-8", **more},
    )  # fmt: skip


def test_a_package_from_outside_passes_the_kit_by_the_documented_command(
    installed: Path, stranger: Path, tmp_path: Path
) -> None:
    pytest_words = ("-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs")
    kit = ("--pyargs", "plugins.testing.payments", "--provider", "outside_invoice:OutsideInvoice")
    done = run(installed, *pytest_words, *kit, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "give the kit Subject.decline to run this test" in done.stdout
    assert "install the package" not in done.stdout, "it was not tried through the shop's own loader"


def test_every_provider_of_ours_and_what_is_generated_passes_the_installed_kit(
    installed: Path, stranger: Path, tmp_path: Path
) -> None:
    ours = [("payments", name) for name in kit_built_in.ONE_OF_EACH]
    ours += [("shipping", name) for name in kit_built_in.SHIPPING]
    words = [word for kind, name in ours for word in (kind, f"support.kit_built_in:{name}")]
    words += ["payments", "my_payments:MyPayments", "shipping", "my_shipping:MyShipping"]
    script = str(ROOT / "tests" / "support" / "kit_runs.py")
    done = run(
        installed,
        script,
        *words,
        folder=tmp_path,
        PYTHONPATH=str(ROOT / "tests"),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    told = json.loads(done.stdout.splitlines()[-1])
    (site,) = installed.parent.parent.glob("lib/python3*/site-packages")
    assert told["home"] == str(site)
    runs = told["runs"]
    assert {name: each["told"] for name, each in runs.items() if each["code"]} == {}
    assert len(runs) == len(words) / 2
    loaded = [name for name, each in runs.items() if "test_an_installed_shop_takes_it" in each["passed"]]
    assert len(loaded) == len(runs), "each was tried through the shop's own loader"
    half = {name: len(each["passed"]) for name, each in runs.items() if len(each["passed"]) < 12}
    assert half == {}, "it tries hardly anything"


def test_what_is_generated_passes_its_own_tests_and_is_listed(installed: Path, stranger: Path) -> None:
    words = (
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        "-p",
        "plugins.testing.options",
        ".",
        "../my_shipping",
    )
    done = run(installed, *words, folder=stranger / "my_payments", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert done.returncode == 0, done.stdout + done.stderr
    shop = ROOT / "examples" / "starter"
    assert shop.is_dir()
    listed = run(installed, "-m", "storefront.cli", "plugins", str(shop), folder=stranger)
    for name in ("my-payments 0.1.0", "my-shipping 0.1.0", "outside-invoice 1.0"):
        assert name in listed.stdout, listed.stdout + listed.stderr
