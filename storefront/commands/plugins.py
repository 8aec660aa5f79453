"""koguchi plugins SHOP: what is installed, which version, whether it is active, and why not.

Exit 1 when a plugin that shop.toml enables cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from storefront.commands.shop_argument import add_shop


def register(subparsers: Any) -> None:
    """Add `plugins`."""
    parser = subparsers.add_parser("plugins", help="list plugins, their state, and whether they are well")
    add_shop(parser, kind=Path)
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(args: argparse.Namespace) -> int:
    """Load the plugins as the shop does and tell about each."""
    from plugins.loader import load
    from storefront.settings import SettingsError, load_settings

    try:
        settings = load_settings(args.shop)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    plugins = load(settings.plugins, folder=settings.folder)
    rows = [
        {
            "id": each.id,
            "state": each.state,
            "kind": ", ".join(each.kinds),
            "distribution": f"{each.distribution} {each.version}".strip(),
            "error": each.error,
            **_said(plugins, each),
        }
        for each in plugins.installed
    ]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            print(f"{row['id']:<20} {row['state']:<8} {row['kind']:<16} {row['distribution']}")
            for sentence in filter(None, (row["error"], _told(row))):
                print(f"{'':<20} {sentence}")
    return 1 if any(each.state == "failed" for each in plugins.installed) else 0


def _told(row: dict[str, Any]) -> str:
    if "is_well" not in row:
        return ""
    state = "well" if row["is_well"] else "NOT WELL"
    return f"{state}: {row['said']}" if row["said"] else state


def _said(plugins: Any, plugin: Any) -> dict[str, Any]:
    """What an active plugin says of itself, such as that its tariff is a sample; nothing where it says nothing."""
    if plugin.state != "active" or "health" not in plugin.hooks:
        return {}
    answer = plugins.health(plugin.id)
    found = getattr(answer, "value", None)
    if found is None:
        return {"is_well": False, "said": getattr(answer, "detail", "") or "health did not answer"}
    return {"is_well": found.is_well, "said": (found.said or {}).get("en", "")}
