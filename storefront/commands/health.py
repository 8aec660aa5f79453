"""koguchi health: whether the shop in a folder could serve: settings, database, rules and matcher. 0 when it could."""

from __future__ import annotations

import argparse
import json
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `health`."""
    parser = subparsers.add_parser("health", help="say whether the shop could serve")
    add_shop(parser)


def run(args: argparse.Namespace) -> int:
    """Print what /health answers."""
    from storefront import create_app
    from storefront.health import report

    app = create_app(args.shop)
    with app.app_context():
        told, ok = report()
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return 0 if ok else 1
