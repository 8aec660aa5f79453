"""koguchi api-key add | list | revoke: keys for programs that ask the API. A new key is printed once."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def register(subparsers: Any) -> None:
    """Add `api-key` with its three sub-commands."""
    parser = subparsers.add_parser("api-key", help="make, list and revoke keys for the API")
    does = parser.add_subparsers(dest="does", required=True)
    add = does.add_parser("add", help="make a key and print it, once")
    add.add_argument("name", help="what it is for, such as the name of the program")
    whose = add.add_mutually_exclusive_group(required=True)
    whose.add_argument("--company", metavar="CODE", help="it asks for this customer's prices alone")
    whose.add_argument("--any", action="store_true", help="the shop's own: any customer, with inline facts")
    whose.add_argument("--rates", action="store_true", help="shipping rates alone, for another shop")
    add.add_argument("--until", default="", metavar="DATE", help="its last day, such as 2027-12-31")
    listed = does.add_parser("list", help="every key with its state and last use")
    revoke = does.add_parser("revoke", help="end a key at once and for good")
    revoke.add_argument("id", type=int, help="its number in the list")
    for command in (add, listed, revoke):
        command.add_argument(
            "--shop", default=None, help="the shop folder (default: KOGUCHI_SHOP or this one)"
        )


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence when that cannot be."""
    from storefront import create_app
    from storefront.language import speak

    app = create_app(args.shop)
    try:
        with app.app_context():
            speak("en")
            return {"add": _add, "list": _list, "revoke": _revoke}[args.does](args)
    finally:
        app.extensions["koguchi"].close()


def _add(args: argparse.Namespace) -> int:
    from storefront.api.keys import EVALUATE, EVALUATE_ANY, RATES, create_key
    from storefront.api.wishes import read_wish
    from storefront.database import write

    scope = EVALUATE_ANY if args.any else RATES if args.rates else EVALUATE
    with write() as session:
        wish = read_wish(session, name=args.name, scope=scope, code=args.company or "", until=args.until)
        if wish.errors:
            print("\n".join(wish.errors.values()), file=sys.stderr)
            return 1
        key, token = create_key(
            session, wish.name, wish.company, expires_at=wish.expires_at, actor=None, scope=scope
        )
        number = key.id
    print(token)
    print(f"Key {number} ({scope}) is made. Keep it now: it is not shown again.", file=sys.stderr)
    return 0


def _list(_args: argparse.Namespace) -> int:
    from storefront.api.keys import RATES, all_keys
    from storefront.clock import now
    from storefront.database import get_session

    for key in all_keys(get_session()):
        whose = key.company.code if key.company else "rates" if RATES in key.scopes else "any customer"
        used = f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
        print(f"{key.id}\t{key.prefix}...\t{key.state(now())}\t{whose}\t{used}\t{key.name}")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    from storefront.api.keys import revoke_key
    from storefront.database import write

    with write() as session:
        key = revoke_key(session, args.id, actor=None) if 0 < args.id < 2**31 else None
    if key is None:
        print(f"There is no API key {args.id}; `koguchi api-key list` shows them.", file=sys.stderr)
        return 1
    print(f"Key {key.id} ({key.name}) opens nothing any more.")
    return 0
