"""Koguchi's wheel, built and installed into a new virtual environment without the network."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def build_wheel(into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    return wheel


def pip_install(python: Path, *packages: Path) -> None:
    """Install from folders, with the packages' own build backend and without the network."""
    (pip,) = (ROOT / "vendor" / "wheels").glob("pip-*.whl")
    command = [str(python), str(pip / "pip"), "install", "-q", "--no-index", "--no-compile"]
    command.append("--no-build-isolation")
    environment = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [*command, *map(str, packages)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def install(wheel: Path, venv: Path) -> Path:
    """Returns the new environment's Python. Dependencies are found in this environment, after its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    (pip,) = (ROOT / "vendor" / "wheels").glob("pip-*.whl")
    command = [str(python), str(pip / "pip"), "install", "-q", "--no-index", "--no-compile", "--no-deps"]
    command.append(str(wheel))
    subprocess.run(command, check=True, env={**os.environ, "PIP_CONFIG_FILE": os.devnull})
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python
