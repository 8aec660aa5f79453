"""koguchi plugin new payments|shipping NAME: a package to start from, with its entry point, README and tests.

What it writes installs with pip, passes the first half of the contract kit, and says what is left. Overwrites nothing.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path
from string import Template
from typing import Any

import plugins.testing

KINDS = ("payments", "shipping")
TEMPLATES = Path(plugins.testing.__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
_TAKEN = {"plugins", "rules", "storefront", "koguchi", "tests", "static"}


def register(subparsers: Any) -> None:
    """Add `plugin` with `new`."""
    parser = subparsers.add_parser("plugin", help="start a payment or shipping plugin of your own")
    commands = parser.add_subparsers(dest="plugin_command", required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="write a package that installs and passes half of the contract kit")
    new.add_argument("kind", choices=KINDS)
    new.add_argument("name", help="the plugin's id and its module, such as my_payments")
    new.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="where (default: this folder)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the package; 1 when the place is taken, 2 when the name cannot be a module."""
    if wrong := _wrong_name(args.name):
        print(wrong, file=sys.stderr)
        return 2
    folder = args.into / args.name
    if folder.exists():
        print(f"{folder} is there already: nothing was written.", file=sys.stderr)
        return 1
    try:
        written = write(args.kind, args.name, folder)
    except OSError as error:
        print(f"{error.filename or folder}: {error.strerror}", file=sys.stderr)
        return 1
    print("\n".join(f"written: {path}" for path in written))
    print(
        f"\nnext:\n  cd {folder}\n  pip install -e .\n"
        f"  pytest --pyargs plugins.testing.{args.kind} --provider {args.name}:{class_name(args.name)} -rs\n"
        f"and in shop.toml:\n  [plugins.{args.name}]\n  enabled = true"
    )
    return 0


def _wrong_name(name: str) -> str:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        return f"{name!r} cannot be a module: write 3 to 40 small letters, digits and _, such as my_payments."
    if name in _TAKEN or name in sys.stdlib_module_names:
        return f"{name!r} is the name of another module: choose one of your own, such as my_{name}."
    return ""


def class_name(name: str) -> str:
    """my_payments becomes MyPayments."""
    return "".join(part.capitalize() for part in name.split("_") if part)


def write(kind: str, name: str, folder: Path) -> list[Path]:
    """Fill the templates of a kind into a new folder; the files written."""
    words = {"name": name, "distribution": name.replace("_", "-"), "provider": class_name(name), "kind": kind}
    written = []
    for template in sorted((TEMPLATES / kind).rglob("*.tmpl")):
        inner = template.relative_to(TEMPLATES / kind)
        path = folder / str(inner.with_suffix("")).replace("NAME", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        written.append(path)
    return written
