"""The lock files hold for every machine: hashed, of no particular registry or folder, and up to date."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ROOT / "vendor" / "wheels"
LOCKS = {
    "requirements.lock": ["postgres"],
    "requirements-test.lock": ["test"],
    "requirements-bench.lock": ["bench"],
}


def entries(name: str) -> dict[str, list[tuple[Requirement, set[str]]]]:
    """Locked requirements with their hashes, by distribution; more than one where Pythons differ."""
    found: dict[str, list[tuple[Requirement, set[str]]]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip()):
        head, *hashes = [part.strip() for part in entry.split("\\\n")]
        requirement = Requirement(head)
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, set(hashes)))
    return found


def wanted(extra: str) -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"][extra]
    return (requirement for requirement in map(Requirement, lines) if requirement.name != "koguchi")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_no_folder(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.findall(
        r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host| @ |(?<!\S)[/~]\S+", text
    )
    assert not re.findall(r"[\w-]+\.(?:org|com|net|io|dev)\b", text)


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_is_one_version_with_its_hashes(name: str) -> None:
    for requirement, hashes in (entry for versions in entries(name).values() for entry in versions):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), requirement


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_answers_pyproject(name: str, extras: list[str]) -> None:
    """A dependency changed without `python3 vendor/lock.py` fails here."""
    locked = entries(name)
    for requirement in (one for extra in extras for one in wanted(extra)):
        for entry, _ in locked[canonicalize_name(requirement.name)]:
            (pin,) = entry.specifier
            assert requirement.specifier.contains(pin.version, prereleases=True), requirement


@pytest.mark.parametrize("name", ["requirements-test.lock", "requirements-bench.lock"])
def test_what_is_tested_is_what_runs(name: str) -> None:
    larger = entries(name)
    for distribution, versions in entries("requirements.lock").items():
        assert {(str(r.specifier), *h) for r, h in versions} <= {
            (str(r.specifier), *h) for r, h in larger[distribution]
        }


def test_the_vendored_wheels_are_those_in_the_list_and_in_the_locks() -> None:
    sums = dict(reversed(line.split()) for line in (WHEELS / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {path.name for path in WHEELS.glob("*.whl")}
    for wheel, checksum in sums.items():
        assert hashlib.sha256((WHEELS / wheel).read_bytes()).hexdigest() == checksum
        name, version, *_ = parse_wheel_filename(wheel)
        if name != "pip":
            ((requirement, hashes),) = entries("requirements.lock")[name]
            assert str(requirement.specifier) == f"=={version}"
            assert f"--hash=sha256:{checksum}" in hashes
