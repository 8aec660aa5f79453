"""The running shop: settings, database, rules, plugins and clock of one application, made once per process.

Everything here is found as `current_shop()` or `app.extensions["koguchi"]`; it never holds a request's data.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from storefront.clock import Clock, machine_clock
from storefront.database import Databases, open_databases
from storefront.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from plugins.loader import Plugins
    from storefront.plugins.failures import FailureNotes
    from storefront.plugins.running import RunningPlugins
    from storefront.shop_calendar import CalendarFile


@dataclass
class Shop:
    """One shop. Engine, rulebook and plugins are made at first use, so that each gunicorn worker has its own."""

    settings: Settings
    clock: Clock = machine_clock
    has_own_plugins: bool = False  # given to create_app(plugins=...): shop.toml has no say
    _databases: tuple[int, Databases] | None = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def databases(self) -> Databases:
        """The engines of this process; a forked child opens its own and leaves its parent's alone."""
        opened = self._databases
        if opened is None or opened[0] != os.getpid():
            with self._lock:
                opened = self._databases
                if opened is None or opened[0] != os.getpid():
                    if opened is not None:
                        opened[1].reading.dispose(close=False)
                    self._databases = opened = (os.getpid(), open_databases(self.settings.database_url))
        return opened[1]

    @property
    def engine(self) -> Engine:
        return self.databases.reading

    @cached_property
    def rulebook(self) -> Any:
        """The rule set in force; see storefront/rulebook.py."""
        from storefront.rulebook import Rulebook

        with self._lock:
            return Rulebook(self)

    @property
    def plugins(self) -> Plugins:
        """The plugins at work, loaded anew when [plugins] of shop.toml changes; a request keeps those it found."""
        return self.running_plugins.current()

    @cached_property
    def running_plugins(self) -> RunningPlugins:
        """What loads the plugins and looks after their settings; see storefront/plugins/running.py."""
        from storefront.plugins.running import RunningPlugins

        with self._lock:
            return RunningPlugins(self)

    @cached_property
    def plugin_failures(self) -> FailureNotes:
        """What failed in plugins and is not written yet; see storefront/plugins/failures.py."""
        from storefront.plugins.failures import FailureNotes

        with self._lock:
            return FailureNotes(self)

    @cached_property
    def calendar(self) -> CalendarFile:
        """Which days are worked; see storefront/shop_calendar.py."""
        from storefront.shop_calendar import CalendarFile

        return CalendarFile(self.settings.folder, self.settings.country)

    def close(self) -> None:
        """Close the database connections of this process."""
        if self._databases is not None and self._databases[0] == os.getpid():
            self._databases[1].reading.dispose()
        self._databases = None


def current_shop() -> Shop:
    """The shop of the application at work."""
    return cast(Shop, current_app.extensions["koguchi"])
