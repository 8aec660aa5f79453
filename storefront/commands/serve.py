"""koguchi serve: the shop under gunicorn, each worker with its own engine. For the open net, behind a TLS proxy."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `serve`."""
    parser = subparsers.add_parser("serve", help="serve the shop with gunicorn")
    add_shop(parser)
    parser.add_argument("--bind", default="127.0.0.1:8000", help="address:port, or unix:/path")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=4, help="threads of each process")
    parser.add_argument("--access-log", action="store_true", help="log each request to standard output")


def run(args: argparse.Namespace) -> int:
    """Serve until stopped. Settings are read first, so that a fault is told before anything listens."""
    from storefront.settings import load_settings

    load_settings(args.shop)
    options = {
        "bind": args.bind,
        "workers": args.workers,
        "worker_class": "gthread",
        "threads": args.threads,
        "timeout": 60,
        "graceful_timeout": 30,
        "max_requests": 20_000,
        "max_requests_jitter": 2_000,
        "limit_request_line": 8_190,
        "limit_request_field_size": 8_190,
        "control_socket_disable": True,
        "accesslog": "-" if args.access_log else None,
    }
    server(args.shop, options).run()
    return 0


def server(shop: Any, options: Mapping[str, Any], **overrides: Any) -> Any:
    """gunicorn for one shop, configured here alone: no command line, no file. `overrides` are create_app's."""
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped, unused-ignore]

    class ShopServer(BaseApplication):  # type: ignore[misc, unused-ignore]
        def load_config(self) -> None:
            for name, value in options.items():
                if name in self.cfg.settings:  # an older gunicorn has no control socket to switch off
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from storefront import create_app

            return create_app(shop, **overrides)

    return ShopServer()
