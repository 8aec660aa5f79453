"""koguchi export KIND: writes products, customers or a price table as CSV to a file or to standard output."""

from __future__ import annotations

import argparse
from typing import Any

from storefront.commands import transfer


def register(subparsers: Any) -> None:
    """Add `export`."""
    parser = subparsers.add_parser("export", help="write products, customers or a price table as CSV")
    parser.add_argument("kind", choices=transfer.KINDS)
    parser.add_argument("file", nargs="?", default="-", help="where to, standard output when absent")
    parser.add_argument("--shop", default=None, help="the shop folder (default: this one)")
    parser.add_argument("--table", help="name of the price table, such as acme.csv")
    parser.add_argument("--encoding", choices=("utf-8", "cp932"), default="utf-8")


def run(args: argparse.Namespace) -> int:
    """Write the file; exit 1 with a sentence when it cannot be written."""
    return transfer.run_export(args)
