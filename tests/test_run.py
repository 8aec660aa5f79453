"""./run: nothing is installed twice, nothing half-installed is trusted, and any folder name will do."""

import ast
import os
import subprocess
import threading
from pathlib import Path

import pytest

from support.launcher import ROOT, Launcher, checkout


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return checkout(tmp_path / "小口 の店 'A&B'")


def koguchi(launcher: Launcher, *arguments: str) -> str:
    command = [str(launcher.root / ".venv" / "bin" / "koguchi"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout


def test_an_old_python_can_read_the_launcher_far_enough_to_say_so() -> None:
    ast.parse((ROOT / "run").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_second_start_installs_nothing(launcher: Launcher) -> None:
    launcher.run.set_up("shop")
    launcher.run.set_up("shop")
    assert launcher.installed == ["shop"]


def test_the_test_set_holds_the_shop(launcher: Launcher) -> None:
    launcher.run.set_up("test")
    launcher.run.set_up("shop")
    assert launcher.installed == ["test"]


def test_the_command_runs_from_a_folder_with_spaces_and_japanese_in_its_name(launcher: Launcher) -> None:
    launcher.run.set_up("shop")
    said = koguchi(launcher, "demo", "a b")
    assert said == f"{launcher.root / '.venv'} ['demo', 'a b'] ['flat_rate']\n"


def test_a_changed_lock_file_is_installed(launcher: Launcher) -> None:
    launcher.run.set_up("shop")
    (launcher.root / "requirements.lock").write_text("flask==9\n")
    launcher.run.set_up("shop")
    assert launcher.installed == ["shop", "shop"]


def test_a_new_entry_point_needs_no_installation(launcher: Launcher) -> None:
    launcher.run.set_up("shop")
    with (launcher.root / "pyproject.toml").open("a") as file:
        file.write('collect = "plugins.shipping.collect:provider"\n')
    launcher.run.set_up("shop")
    assert launcher.installed == ["shop"]
    assert koguchi(launcher).endswith("['collect', 'flat_rate']\n")


def test_a_set_up_that_was_cut_short_starts_anew(launcher: Launcher) -> None:
    def killed() -> None:
        (launcher.root / ".venv" / "half").touch()
        raise KeyboardInterrupt

    launcher.before_install = killed
    with pytest.raises(KeyboardInterrupt):
        launcher.run.set_up("shop")
    launcher.before_install = lambda: None
    launcher.run.set_up("shop")
    assert not (launcher.root / ".venv" / "half").exists()
    assert launcher.installed == ["shop", "shop"]


def test_a_moved_checkout_is_set_up_anew(launcher: Launcher, tmp_path: Path) -> None:
    launcher.run.set_up("shop")
    moved = launcher.root.rename(tmp_path / "moved")
    again = Launcher(moved)
    again.run.set_up("shop")
    assert again.installed == ["shop"]
    assert koguchi(again).startswith(str(moved))


def test_a_python_that_went_away_is_replaced(launcher: Launcher) -> None:
    launcher.run.set_up("shop")
    python = launcher.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.9")
    launcher.run.set_up("shop")
    assert launcher.installed == ["shop", "shop"]
    assert koguchi(launcher)


def test_of_two_starts_at_once_one_installs_and_one_waits(launcher: Launcher) -> None:
    other = Launcher(launcher.root)
    second = threading.Thread(target=other.run.set_up, args=("shop",))
    waiting = threading.Event()
    other.run.say = lambda text: waiting.set()

    def start_the_second() -> None:
        second.start()
        assert waiting.wait(timeout=20)

    launcher.before_install = start_the_second
    launcher.run.set_up("shop")
    second.join(timeout=20)
    assert (launcher.installed, other.installed) == (["shop"], [])


def test_a_failed_download_says_why_and_keeps_what_was_there(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher.run.set_up("shop")
    (launcher.root / "requirements.lock").write_text("flask==9\n")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no such host\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    launcher.run.install = launcher.real_install
    with pytest.raises(SystemExit, match="network"):
        launcher.run.set_up("shop")
    assert "no such host" in launcher.said
    assert koguchi(launcher)


def test_an_unknown_benchmark_is_answered_with_those_there_are(launcher: Launcher) -> None:
    (launcher.root / "bench").mkdir()
    (launcher.root / "bench" / "rules.py").touch()
    with pytest.raises(SystemExit, match=r"no benchmark 'speed'; there are: rules\."):
        launcher.run.bench("speed")


@pytest.mark.parametrize("name", ["run", ".ci/run"])
def test_the_launchers_are_executable(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
