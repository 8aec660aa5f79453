"""koguchi demo: makes the demo shop in a folder at the first start, then serves it.

The folder is the owner's own afterwards: rules can be edited there and are never written over.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def register(subparsers: Any) -> None:
    """Add `demo`."""
    parser = subparsers.add_parser("demo", help="make and serve the demo shop")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("var/demo"),
        help="where the demo shop is made (default: var/demo)",
    )
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets a phone in the same network see it")
    parser.add_argument("--make-only", action="store_true", help="make the shop and stop")


def run(args: argparse.Namespace) -> int:
    """Make the shop when it is not there, print address and logins, serve until interrupted."""
    from storefront import demo
    from storefront.seed import SeedError
    from storefront.settings import SettingsError

    try:
        demo.make(args.folder)
        if args.make_only:
            return 0
        return demo.serve(args.folder, args.host, args.port)
    except (SettingsError, SeedError, demo.DemoError) as error:
        print(error, file=sys.stderr)
        return 1
