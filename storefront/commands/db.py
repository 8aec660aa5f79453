"""koguchi db upgrade: brings the shop's database to the newest revision. Makes an empty database ready, too."""

from __future__ import annotations

import argparse
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `db` with its one sub-command."""
    parser = subparsers.add_parser("db", help="bring the database to the newest revision")
    does = parser.add_subparsers(dest="does", required=True)
    upgrade = does.add_parser("upgrade", help="run the revisions that are missing")
    add_shop(upgrade)


def run(args: argparse.Namespace) -> int:
    """Run the missing revisions and say where the database stands."""
    from storefront import create_app, schema

    app = create_app(args.shop)
    engine = app.extensions["koguchi"].engine
    before = schema.current(engine)
    after = schema.upgrade(engine)
    print("nothing to do" if before == after else "done", f"(revision {after})")
    app.extensions["koguchi"].close()
    return 0
