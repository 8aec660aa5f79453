"""Start-up refuses a foreign `rules`, however it got there, and says what to uninstall."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

from storefront.own_packages import check_own_packages, examples_folder, static_folder

ROOT = Path(__file__).resolve().parent.parent
TOP = ["storefront", "rules", "plugins"]


def write_foreign_rules(site: Path) -> None:
    """What `pip install rules` (django-rules) leaves behind, as far as names go."""
    (site / "rules").mkdir(exist_ok=True)
    (site / "rules" / "__init__.py").write_text("VERSION = (3, 5)\n")
    info = site / "rules-3.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rules\nVersion: 3.5\n")
    (info / "top_level.txt").write_text("rules\n")


def installed_koguchi(site: Path) -> None:
    """The packages as a wheel would lay them, with the list of checksums that pip keeps."""
    record = []
    for name in (
        "storefront/own_packages.py",
        "storefront/__init__.py",
        "rules/__init__.py",
        "plugins/__init__.py",
    ):
        file = site / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((ROOT / name).read_bytes() if name.endswith("own_packages.py") else b"# ours\n")
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode().rstrip("=")
        record.append(f"{name},sha256={digest},{file.stat().st_size}\n")
    info = site / "koguchi-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: koguchi\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("".join(record))


def answer(*search_path: Path) -> str:
    """What the check says in a Python that sees only these folders and the standard library."""
    code = (
        f"import sys; sys.path[:0] = {[str(folder) for folder in search_path]!r}\n"
        "from storefront.own_packages import check_own_packages\n"
        "try: check_own_packages(); print('ours')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_this_checkout_is_its_own() -> None:
    check_own_packages()


def test_an_installed_shop_is_its_own(tmp_path: Path) -> None:
    installed_koguchi(tmp_path)
    assert answer(tmp_path) == "ours\n"


def test_a_foreign_rules_installed_over_ours_is_refused_by_name(tmp_path: Path) -> None:
    installed_koguchi(tmp_path)
    write_foreign_rules(tmp_path)
    said = answer(tmp_path)
    assert said.startswith("ForeignPackageError")
    assert "pip uninstall rules" in said
    assert "--force-reinstall koguchi" in said


def test_a_foreign_rules_earlier_on_the_path_is_refused_by_name(tmp_path: Path) -> None:
    write_foreign_rules(tmp_path)
    assert "pip uninstall rules" in answer(tmp_path, ROOT)


def test_a_stray_rules_folder_is_refused_by_path(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").touch()
    assert str(tmp_path / "rules" / "__init__.py") in answer(tmp_path, ROOT)


def test_after_the_foreign_one_is_uninstalled_the_gap_is_named(tmp_path: Path) -> None:
    installed_koguchi(tmp_path)
    (tmp_path / "rules" / "__init__.py").unlink()
    said = answer(tmp_path)
    assert said.startswith("ForeignPackageError")
    assert "'rules' is not there" in said


def test_static_files_and_example_shops_are_found_in_a_checkout() -> None:
    assert static_folder() == ROOT / "static"
    assert examples_folder() == ROOT / "examples"
