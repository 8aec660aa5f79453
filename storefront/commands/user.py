"""koguchi user add: makes a person who can sign in: the shop's owner, a clerk, or a buyer of a company."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `user` with its one sub-command."""
    parser = subparsers.add_parser("user", help="add a person who can sign in")
    does = parser.add_subparsers(dest="does", required=True)
    add = does.add_parser(
        "add", help="add a person; the password is read from the terminal or from --password-stdin"
    )
    add.add_argument("email")
    add.add_argument("--name", default="")
    add.add_argument("--role", default="owner", choices=("owner", "clerk", "buyer", "company_admin"))
    add.add_argument("--company", help="a buyer's customer code")
    add.add_argument("--language", default="ja", choices=("ja", "en"))
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_shop(add)


def run(args: argparse.Namespace) -> int:
    """Add the person; 1 with a sentence when that cannot be."""
    from storefront import create_app
    from storefront.accounts.adding import AddingError, add_person

    if not args.password_stdin and not sys.stdin.isatty():
        print("There is no terminal to ask for a password: give it with --password-stdin.", file=sys.stderr)
        return 2
    password = _password(args.password_stdin)
    app = create_app(args.shop)
    try:
        with app.app_context():
            user = add_person(
                args.email,
                password,
                name=args.name,
                role=args.role,
                company=args.company,
                language=args.language,
            )
    except AddingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{user.email} can sign in as {user.role}")
    return 0


def _password(from_input: bool) -> str:
    from getpass import getpass

    return sys.stdin.readline().rstrip("\n") if from_input else getpass("Password: ")
