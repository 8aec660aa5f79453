"""The shop folder on the command line: every command takes it as SHOP and as --shop SHOP."""

from __future__ import annotations

import argparse
from typing import Any


class _Given(argparse.Action):
    """A SHOP that is not there must not undo what --shop said."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        if values is not self.default:
            namespace.shop = values


def add_shop(parser: argparse.ArgumentParser, default: Any = None, kind: Any = str) -> None:
    """Both ways to name the folder; `args.shop` is `default` (no str) when neither is used."""
    told = "the shop folder (default: KOGUCHI_SHOP or this one)" if default is None else "the shop folder"
    parser.add_argument(
        "shop", nargs="?", type=kind, default=default, metavar="SHOP", help=told, action=_Given
    )
    parser.add_argument("--shop", dest="shop", type=kind, default=default, metavar="SHOP", help="the same")
