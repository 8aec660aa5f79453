"""What `koguchi import` and `koguchi export` do for products, customers and price tables.

A dry run shows the same plan as the desk's preview. Exit 0 done, 1 refused with every error, nothing written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from storefront.transfer import Plan

KINDS = ("products", "customers", "price-table")


def register_import(kind: str, subparsers: Any) -> None:
    """Add `koguchi import KIND`."""
    parser = subparsers.add_parser(kind, help=f"{kind} from a CSV file, all of it or nothing")
    parser.add_argument("file", type=Path)
    add_shop(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")
    if kind == "price-table":
        parser.add_argument("--table", help="name in the prices folder (default: the file's own)")


def run_import(kind: str, args: argparse.Namespace) -> int:
    """Plan, show, and unless it is a dry run write; 1 when any row is refused."""
    from storefront import create_app
    from storefront.database import write
    from storefront.language import speak
    from storefront.transfer import PlanRefusedError
    from storefront.transfer.kinds import Transfer

    try:
        data = args.file.read_bytes()
    except OSError as error:
        print(f"{args.file}: {error.strerror}", file=sys.stderr)
        return 1
    app = create_app(args.shop)
    with app.app_context():
        speak("en")  # as everything else that the command line says
        transfer = Transfer(kind, getattr(args, "table", None) or args.file.name)
        rows = transfer.read(data)
        with write() as session:
            plan = transfer.plan(session, rows)
            try:
                if not args.dry_run and plan.is_ok:
                    transfer.apply(session, plan, None)
            except PlanRefusedError as refused:
                plan = refused.plan
        _show(plan, args)
    app.extensions["koguchi"].close()
    return 0 if plan.is_ok else 1


def _show(plan: Plan, args: argparse.Namespace) -> None:
    """Every error to standard error, then the counts, and in a dry run every change."""
    from storefront.transfer import messages

    for error in plan.errors:
        print(f"{args.file}: {messages.place(error)}: {messages.say(error)}", file=sys.stderr)
    for notice in plan.notices:
        print(f"{args.file}: {messages.place(notice)}: {messages.say(notice)}")
    if args.dry_run:
        for change in plan.changes:
            parts = ", ".join(
                f"{part.column} {part.old or '-'} -> {part.new or '-'}" for part in change.fields
            )
            if change.state != "same":
                print(f"{change.state} {change.key}: {parts}".rstrip(": "))
    counts = ", ".join(f"{count} {state}" for state, count in plan.counts.items())
    written = "nothing written" if args.dry_run or not plan.is_ok else "written"
    print(f"{counts}; {len(plan.errors)} errors; {written}")


def run_export(args: argparse.Namespace) -> int:
    """Write the CSV to the file or standard output."""
    from storefront import create_app
    from storefront.database import get_session
    from storefront.transfer.kinds import Transfer
    from storefront.transfer.sheet import UncodableError

    if args.kind == "price-table" and not args.table:
        print("name the table with --table, such as --table acme.csv", file=sys.stderr)
        return 1
    app = create_app(args.shop)
    with app.app_context():
        session: Session = get_session()
        try:
            data = Transfer(args.kind, args.table or "").export(session, args.encoding)
        except UncodableError as error:
            print(f"CP932 has no {error.characters} (line {error.line}); take utf-8", file=sys.stderr)
            return 1
    if data is None:
        print(f"there is no price table {args.table}", file=sys.stderr)
        return 1
    if args.file == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(args.file).write_bytes(data)
    return 0
