"""koguchi new FOLDER: writes a shop folder with three rules to start from. Never writes over anything."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from storefront.own_packages import examples_folder


def register(subparsers: Any) -> None:
    """Add `new`."""
    parser = subparsers.add_parser("new", help="write a shop folder with three rules to start from")
    parser.add_argument("folder", type=Path, help="a new or empty folder, such as myshop")


def run(args: argparse.Namespace) -> int:
    """Copy the starter and name the next three commands; exit 1 when the folder is not free."""
    folder: Path = args.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        print(f"{folder} is not empty: name a folder that does not exist yet.", file=sys.stderr)
        return 1
    try:
        shutil.copytree(
            examples_folder() / "starter", folder, ignore=shutil.ignore_patterns("var"), dirs_exist_ok=True
        )
    except OSError as error:
        print(f"{error.filename or folder}: {error.strerror}", file=sys.stderr)
        return 1
    call = _call()
    print(f"{folder} is a shop with three rules. Next:\n")
    for does, command in (
        ("reads every rule and runs its cases", f"{call} rules check {folder}"),
        (
            "prices a cart and names the rule behind each number",
            f"{call} rules evaluate {folder} --cart {folder / 'cart.json'}",
        ),
        ("opens the shop", f"{call} seed {folder} && {call} serve --shop {folder}"),
    ):
        print(f"  # {does}\n  {command}")
    return 0


def _call() -> str:
    """How this installation is called: in a checkout through its launcher."""
    return "./run koguchi" if examples_folder().parent == Path.cwd() else "koguchi"
