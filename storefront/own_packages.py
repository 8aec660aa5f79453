"""Where the files of this installation are, and whether its top-level packages are really ours.

`rules` is also the import name of a distribution of that name (django-rules): pip installs it over ours
without a word. Imports none of the packages it looks at, and nothing outside the standard library.
"""

import base64
import hashlib
import importlib.util
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

OWN = ("rules", "plugins")
_HERE = Path(__file__).resolve().parent


class ForeignPackageError(RuntimeError):
    """Another distribution's package is imported in place of one of ours. The message says what to do."""


def check_own_packages() -> None:
    """Raises ForeignPackageError unless `rules` and `plugins` came with this storefront."""
    for name in OWN:
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found != _HERE.parent / name / "__init__.py" or _is_overwritten(found):
            raise ForeignPackageError(_what_to_do(name, found))


def static_folder() -> Path:
    """The folder with css, scripts and fonts."""
    return _carried("static_files", "static")


def examples_folder() -> Path:
    """The folder with the example shops, one folder each."""
    return _carried("example_shops", "examples")


def _carried(installed_as: str, top_level: str) -> Path:
    """A top-level folder of the checkout; the wheel carries it inside the package (see pyproject.toml)."""
    installed = _HERE / installed_as
    return installed if installed.is_dir() else _HERE.parent / top_level


def _is_overwritten(file: Path) -> bool:
    """Whether an installed file is another than the one Koguchi's wheel brought; a checkout has no list."""
    try:
        listed = distribution("koguchi").files or []
    except PackageNotFoundError:
        return False
    for entry in listed:
        if entry.hash is not None and Path(str(entry.locate())).resolve() == file:
            digest = hashlib.new(entry.hash.mode, file.read_bytes()).digest()
            return base64.urlsafe_b64encode(digest).decode().rstrip("=") != entry.hash.value
    return False


def _what_to_do(name: str, found: Path | None) -> str:
    foreign = {owner for owner in packages_distributions().get(name, []) if owner.lower() != "koguchi"}
    again = "install Koguchi again (pip install --force-reinstall koguchi)"
    if foreign:
        them = " ".join(sorted(foreign))
        return (
            f"The package {name!r} is not Koguchi's: the distribution {them} brings one of the same name. "
            f"Uninstall it (pip uninstall {them}) and {again}."
        )
    if found is None:
        return f"Koguchi's package {name!r} is not there: {again}."
    return (
        f"The package {name!r} is not Koguchi's: {found} is imported in its place. "
        f"Remove that file, or its folder from PYTHONPATH; if that does not help, {again}."
    )
