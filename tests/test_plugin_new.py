"""`koguchi plugin new`: what it writes installs, is found by the shop, and passes the kit as far as it goes."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from plugins.loader import load
from plugins.testing import Carrier, Subject, payments, shipping
from storefront import cli
from support.plugin_package import install
from test_contract_kit import kit, outcome

KINDS = ("payments", "shipping")


def made(tmp_path: Path, kind: str, name: str) -> Path:
    assert cli.main(["plugin", "new", kind, name, "--into", str(tmp_path)]) == 0
    return tmp_path / name


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_passes_every_test_of_the_kit_that_can_be_tried(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"fresh_{kind}"
    monkeypatch.syspath_prepend(str(made(tmp_path, kind, name)))
    provider = getattr(importlib.import_module(name), f"Fresh{kind.capitalize()}")
    module, whom = (payments, Subject(provider)) if kind == "payments" else (shipping, Carrier(provider))
    found = {test: outcome(function, whom) for test, function in kit(module).items()}
    assert set(found.values()) <= {"passed", "left out"}
    assert sum(said == "passed" for said in found.values()) >= (20 if kind == "payments" else 8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shop_finds_it_by_its_entry_point(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"found_{kind}"
    folder = made(tmp_path, kind, name)
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["koguchi"] == {name: name}
    source = (folder / f"{name}.py").read_text(encoding="utf-8")
    monkeypatch.syspath_prepend(str(install(tmp_path / "site", name, source)))
    loaded = load({name: {"enabled": True}})
    assert name in (loaded.payments if kind == "payments" else loaded.shipping), loaded.installed


def test_its_own_tests_run_with_plain_pytest(tmp_path: Path) -> None:
    folder = made(tmp_path, "payments", "my_payments")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "plugins.testing.options",
    ]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "", "PYTHONPATH": f"{folder}:{root}", "LC_ALL": "C.UTF-8",
             "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_it_builds_a_wheel_with_its_entry_point(tmp_path: Path) -> None:
    folder = made(tmp_path, "shipping", "my_shipping")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["my_shipping-0.1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "name", ["My", "a", "1abc", "my-payments", "class", "json", "plugins", "../x", "é" * 4]
)
def test_a_name_that_is_no_module_of_ones_own_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plugin", "new", "payments", name, "--into", str(tmp_path)]) == 2
    assert "such as my_" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(tmp_path, "payments", "my_payments")
    (folder / "my_payments.py").write_text("mine")
    assert cli.main(["plugin", "new", "payments", "my_payments", "--into", str(tmp_path)]) == 1
    assert (folder / "my_payments.py").read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
