#!/usr/bin/env python3
"""Makes requirements.lock (the shop), requirements-test.lock and requirements-bench.lock (the shop and more).

    python3 vendor/lock.py             as little change as pyproject.toml asks for
    python3 vendor/lock.py --upgrade   everything as new as pyproject.toml allows

Needs uv, on PATH or as a module of this Python. Every published file of a version is hashed, for every
platform and Python from 3.11 on, so one lock serves all machines; the wheels in vendor/wheels are in it too.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = [
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--find-links", "vendor/wheels"),
    # whichever registry or mirror answered is this machine's business, not the lock's
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
]


def compile_lock(name: str, *options: str) -> None:
    uv = [shutil.which("uv") or ""] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    # settings of this machine (an own index, say) must not leak into the lock
    environment = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    command = [*uv, "pip", "compile", "-q", "pyproject.toml", *OPTIONS, *options, "-o", name]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    lock = ROOT / name
    lock.write_text(with_vendored_hashes(lock.read_text(encoding="utf-8")), encoding="utf-8")


def with_vendored_hashes(lock: str) -> str:
    """uv hashes only the one vendored wheel that fits the Python it runs on: here all of them are named."""
    hashes: dict[str, list[str]] = {}
    for line in (ROOT / "vendor" / "wheels" / "SHA256SUMS").read_text().splitlines():
        checksum, wheel = line.split()
        name, version = wheel.split("-")[:2]
        hashes.setdefault(f"{name.replace('_', '-')}=={version}", []).append(checksum)
    for requirement, checksums in hashes.items():
        listed = " \\\n".join(f"    --hash=sha256:{checksum}" for checksum in checksums)
        entry = rf"^(?P<head>{re.escape(requirement)}\b[^\\\n]*\\\n)(?:    --hash=\S+(?: \\)?\n)+"
        found = re.search(entry, lock, flags=re.MULTILINE)
        if found:
            lock = f"{lock[: found.start()]}{found['head']}{listed}\n{lock[found.end() :]}"
    return lock


if __name__ == "__main__":
    extra = sys.argv[1:]
    compile_lock("requirements.lock", "--extra", "postgres", *extra)
    # the shop's versions bind the tests: what is tested is what runs
    compile_lock("requirements-test.lock", "--extra", "test", "-c", "requirements.lock", *extra)
    bench = ["--extra", "postgres", "--extra", "bench"]
    compile_lock("requirements-bench.lock", *bench, "-c", "requirements.lock", *extra)
