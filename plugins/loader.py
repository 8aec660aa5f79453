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

from plugins.building import EVENTS, HalfOpenedError, Opened, model_of, open_plugin, say
from plugins.calling import HTTP_SECONDS, QUOTE_SECONDS, SLOW_SECONDS, Plugins
from plugins.door import BUILT_IN, Plugin, found, installed_ids
from plugins.guard import Guard, bounded

__all__ = [
    "BUILT_IN",
    "EVENTS",
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
    ready: list[tuple[int, str, Opened]] = []  # by priority, then id
    taken: set[str] = set()
    for plugin, entry in found():
        table = tables.get(plugin.id)
        if plugin.id in taken:
            installed.append(
                replace(plugin, state="failed", error="this id is taken by another distribution")
            )
            continue
        taken.add(plugin.id)
        if not _is_enabled(table):
            installed.append(plugin)
            continue
        if before is not None and (kept := before.kept(plugin, table or {})) is not None:
            installed.append(kept[0])
            ready.append((_priority(table), plugin.id, kept[1]))
            continue
        guard = Guard(plugin.id)
        try:
            opened = _opened(plugin.id, entry, table or {}, folder, load_seconds)
        except Exception as error:
            guard.failed("load", "raised", say(error))
            hooks = error.hooks if isinstance(error, HalfOpenedError) else EVENTS
            installed.append(replace(plugin, state="failed", error=say(error), hooks=hooks, guard=guard))
            continue
        guard.hidden = opened.secrets
        installed.append(
            replace(plugin, state="active", kinds=opened.kinds, hooks=opened.hooks.names, guard=guard)
        )
        ready.append((_priority(table), plugin.id, opened))
    installed += [_missing(name, taken) for name in sorted(set(tables) - taken) if _is_enabled(tables[name])]
    ready.sort(key=lambda each: each[:2])
    return Plugins(
        installed,
        {name: opened for _, name, opened in ready},
        before=before,
        quote_seconds=quote_seconds,
        slow_seconds=slow_seconds,
    )


def _opened(
    name: str, entry: EntryPoint, table: Mapping[str, Any], folder: Path | None, seconds: float
) -> Opened:
    """All of it in time: settings may hang, or end the process, as well as the import."""
    return bounded(lambda: open_plugin(name, entry, table, folder, seconds), seconds)


def _missing(name: str, taken: set[str]) -> Plugin:
    near = difflib.get_close_matches(name, taken, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Plugin(name, "", "", "", "failed", f"enabled in shop.toml but not installed{hint}")


def _is_enabled(table: Mapping[str, Any] | None) -> bool:
    return isinstance(table, Mapping) and table.get("enabled") is True


def _priority(table: Mapping[str, Any] | None) -> int:
    value = (table or {}).get("priority", 100)
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
