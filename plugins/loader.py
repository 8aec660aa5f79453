"""Loads what shop.toml enables, and keeps a broken plugin to itself: no plugin may stop the shop from starting.

The rooms behind: door.py finds, building.py opens, calling.py calls. The shop imports from here.
"""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from plugins.building import HalfOpenedError, Opened, model_of, open_plugin, say
from plugins.calling import HTTP_SECONDS, QUOTE_SECONDS, SLOW_SECONDS, Plugins
from plugins.contract import EVENTS
from plugins.door import BUILT_IN, Plugin, found, installed_ids
from plugins.guard import Guard, bounded

__all__ = [
    "BUILT_IN",
    "HTTP_SECONDS",
    "LOAD_SECONDS",
    "QUOTE_SECONDS",
    "SLOW_SECONDS",
    "Plugin",
    "Plugins",
    "found",
    "installed_ids",
    "load",
    "settings_model",
]

LOAD_SECONDS = 10.0


def load(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    folder: Path | None = None,
    before: Plugins | None = None,
    load_seconds: float = LOAD_SECONDS,
    quote_seconds: float = QUOTE_SECONDS,
    slow_seconds: float = SLOW_SECONDS,
) -> Plugins:
    """Load what `[plugins.ID] enabled = true` names. Never raises: what fails is listed with its error.

    Of `before`, a plugin goes on as it is, with what it remembers and whether it rests, where its table stayed.
    """
    installed: list[Plugin] = []
    ready: dict[str, Opened] = {}
    taken: set[str] = set()
    for plugin, entry in found():
        table = tables.get(plugin.id)
        if plugin.id in taken:
            installed.append(
                replace(plugin, state="failed", error="this id is taken by another distribution")
            )
            continue
        taken.add(plugin.id)
        if table is None or not _is_enabled(table):
            installed.append(plugin)
            continue
        kept = before.kept(plugin, table) if before is not None else None
        standing, opened = kept or _brought_up(plugin, entry, table, folder, load_seconds)
        installed.append(standing)
        if opened is not None:
            ready[plugin.id] = opened
    installed += [_missing(name, taken) for name in sorted(set(tables) - taken) if _is_enabled(tables[name])]
    in_order = sorted(ready, key=lambda name: (_priority(tables[name]), name))
    return Plugins(
        installed,
        {name: ready[name] for name in in_order},
        before=before,
        quote_seconds=quote_seconds,
        slow_seconds=slow_seconds,
    )


def _brought_up(
    plugin: Plugin, entry: EntryPoint, table: Mapping[str, Any], folder: Path | None, seconds: float
) -> tuple[Plugin, Opened | None]:
    """The plugin at work, or failed with why. In time: settings may hang, or end the process, as an import may."""
    guard = Guard(plugin.id)
    try:
        opened = bounded(lambda: open_plugin(plugin.id, entry, table, folder, seconds), seconds)
    except Exception as error:
        guard.failed("load", "raised", say(error))
        hooks = error.hooks if isinstance(error, HalfOpenedError) else EVENTS
        return replace(plugin, state="failed", error=say(error), hooks=hooks, guard=guard), None
    guard.hidden = opened.secrets
    return replace(plugin, state="active", kinds=opened.kinds, hooks=opened.hooks.names, guard=guard), opened


def _missing(name: str, taken: set[str]) -> Plugin:
    near = difflib.get_close_matches(name, taken, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Plugin(name, "", "", "", "failed", f"enabled in shop.toml but not installed{hint}")


def _is_enabled(table: object) -> bool:
    return isinstance(table, Mapping) and table.get("enabled") is True


def _priority(table: Mapping[str, Any]) -> int:
    value = table.get("priority", 100)
    return value if type(value) is int else 100


def settings_model(name: str, *, seconds: float = LOAD_SECONDS) -> tuple[type[BaseModel] | None, str]:
    """The settings of an installed plugin, enabled or not, or None and why. This imports it."""
    entry = next((entry for plugin, entry in found() if plugin.id == name), None)
    if entry is None:
        return None, "not installed"
    try:
        return model_of(name, entry, seconds), ""
    except Exception as error:
        return None, say(error)
