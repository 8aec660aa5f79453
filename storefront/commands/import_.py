"""koguchi import KIND FILE: takes a file into the shop. Each kind is a module named in KINDS.

Nothing is read or written here; the modules bring `register_import` and `run_import`.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

KINDS = {
    "products": "storefront.commands.transfer",
    "customers": "storefront.commands.transfer",
    "price-table": "storefront.commands.transfer",
    "online-retail": "storefront.commands.import_online_retail",
}


def register(subparsers: Any) -> None:
    """Add `import` with one sub-command for each kind."""
    parser = subparsers.add_parser("import", help="take a CSV file into the shop")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, module in KINDS.items():
        import_module(module).register_import(kind, kinds)


def run(args: argparse.Namespace) -> int:
    """Hand on to the kind's module; its exit code."""
    return int(import_module(KINDS[args.kind]).run_import(args.kind, args))
