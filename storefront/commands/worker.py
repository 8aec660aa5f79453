"""koguchi worker SHOP: does what follows a commit, asks about open payments, cancels unpaid orders, cleans up.

Any number may run; each job is held by a lease, so a killed worker loses nothing. --once does what is due and ends.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `worker`."""
    parser = subparsers.add_parser("worker", help="send mails and do the other work of the outbox")
    add_shop(parser, kind=Path)
    parser.add_argument("--once", action="store_true", help="do what is due and end")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between looks (default: 2)")


def run(args: argparse.Namespace) -> int:
    """Work until told to stop; exit 1 with a sentence when the shop cannot be opened."""
    from storefront import create_app
    from storefront.cleaning import clear_away
    from storefront.clock import now
    from storefront.jobs import run_in
    from storefront.orders.moves import cancel_unpaid
    from storefront.payments.reconcile import look_after
    from storefront.settings import SettingsError

    try:
        app = create_app(args.shop)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    log = logging.getLogger("koguchi.worker")
    cleaned_on = None
    while True:
        try:
            done = run_in(app)
            with app.app_context():
                look_after()
                cancel_unpaid()
                if cleaned_on != now().date():
                    clear_away()
                    cleaned_on = now().date()
        except Exception:  # the database may be away for a moment; a worker waits for it
            log.exception("the worker could not reach its database")
            done = 0
            if args.once:
                return 1
        if args.once and done == 0:
            return 0
        if stop.wait(0 if done else args.pause):
            return 0
