"""The plugins at work in this process: loaded from shop.toml, and anew when its [plugins] changes, by whomever.

A file that cannot be used leaves the running plugins as they are, and says so. A request never sees two editions.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import g, has_app_context

from plugins.loader import Plugins, load
from storefront.settings import plugin_tables

if TYPE_CHECKING:
    from storefront.shop import Shop

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


class RunningPlugins:
    """Asked by every page: one look at the file's time at most, and nothing is read while that stays."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._path = shop.settings.folder / "shop.toml"
        self._lock = threading.Lock()
        self._plugins: Plugins | None = None
        self._tables: dict[str, Any] = {}
        self._stamp: Stamp | None = None
        self.problem: tuple[str, ...] = ()  # why what stands in shop.toml is not at work
        self.stale_since: datetime | None = None

    def current(self) -> Plugins:
        """The plugins to use; the same ones until the request or job ends."""
        if not has_app_context():
            return self._look()
        known: tuple[RunningPlugins, Plugins] | None = g.get("koguchi_plugins")
        if known is not None and known[0] is self:
            return known[1]
        found = self._look()
        g.koguchi_plugins = (self, found)
        return found

    def glance(self) -> datetime | None:
        """Since when the file has been of no use; loads nothing in a process that has not used plugins yet."""
        if self._plugins is not None:
            self.current()
        return self.stale_since

    def recheck(self) -> Plugins:
        """Look again in the middle of a request, because it has just changed the file."""
        with self._lock:
            self._load(self._stamp_now())
        if has_app_context():
            g.pop("koguchi_plugins", None)
        return self.current()

    def _look(self) -> Plugins:
        plugins = self._plugins
        if plugins is None:
            with self._lock:
                return self._plugins or self._load(self._stamp_now())
        if self._shop.has_own_plugins or self._stamp_now() == self._stamp:
            return plugins
        if not self._lock.acquire(blocking=False):
            return plugins  # somebody is loading; until that is done the old ones serve
        try:
            return self._load(self._stamp_now())
        finally:
            self._lock.release()

    def _stamp_now(self) -> Stamp | None:
        try:
            stat = os.stat(self._path)
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _load(self, stamp: Stamp | None) -> Plugins:
        """Under the lock. `stamp` was taken before the file is read: what is written meanwhile is read next time."""
        before, settings = self._plugins, self._shop.settings
        if before is not None and stamp == self._stamp:
            return before
        tables, faults = self._read()
        self._stamp = stamp
        self._note(faults)
        if faults and before is not None:
            return before
        if faults:
            tables = dict(settings.plugins)  # the file was in order when the process began
        if before is None or tables != self._tables:
            self._plugins = before = self._loaded(tables, before)
        return before

    def _read(self) -> tuple[dict[str, Any], list[str]]:
        if self._shop.has_own_plugins:
            return dict(self._shop.settings.plugins), []
        return plugin_tables(self._shop.settings.folder)

    def _loaded(self, tables: dict[str, Any], before: Plugins | None) -> Plugins:
        plugins = load(tables, folder=self._shop.settings.folder, before=before)
        notes = self._shop.plugin_failures
        plugins.listen(notes.note)
        for each in plugins.installed:
            if each.state == "failed" and each.last_failure is not None:
                notes.note(each.last_failure)
        if before is not None:
            plugins.quote_seconds, plugins.pure_seconds = before.quote_seconds, before.pure_seconds
            plugins.slow_seconds = before.slow_seconds
            log.info("plugins loaded anew: shop.toml changed")
        self._tables = tables
        return plugins

    def _note(self, faults: list[str]) -> None:
        """Told once for each state of the file."""
        self.problem = tuple(faults)
        if not faults:
            self.stale_since = None
            return
        self.stale_since = self.stale_since or self._shop.clock()
        log.error("shop.toml cannot be used, the running plugins stay: %s", "; ".join(faults))
