"""koguchi seed SHOP: puts the shop folder's products, customers and people into its database.

Adds what is missing, changes nothing that is there, and may be run as often as one likes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `seed`."""
    parser = subparsers.add_parser(
        "seed", help="put the shop folder's products, customers and people into the database"
    )
    add_shop(parser, kind=Path)


def run(args: argparse.Namespace) -> int:
    """Seed and say what was added; exit 1 with a sentence when a file cannot be taken."""
    from storefront import create_app
    from storefront.seed import SeedError, seed_shop
    from storefront.settings import SettingsError

    try:
        added = seed_shop(create_app(args.shop))
    except (SettingsError, SeedError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        "added " + ", ".join(f"{count} {kind}" for kind, count in added.items() if count)
        if any(added.values())
        else "nothing to add"
    )
    return 0
