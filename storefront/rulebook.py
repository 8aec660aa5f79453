"""The rule set in force: loaded from the shop folder, reloaded when a file changes, never replaced by a broken one.

A broken folder keeps the last good set serving, after a restart too, and says what is wrong and since when.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flask import g, has_app_context, has_request_context

from rules import Catalog, Finding, Loaded, Ruleset, load_ruleset, read_catalog
from rules.matching import Matcher
from rules.reading import when_facts
from rules.ruleset import PriceEffect

if TYPE_CHECKING:
    from storefront.shop import Shop

log = logging.getLogger(__name__)

_FOLDERS = ("rules", "exceptions", "prices")
_SLOW_LOAD = (
    2.0  # seconds, first imports included; a slower set is loaded beside the requests, which keep the old one
)
_MANY_FILES = 300  # from here on files are looked at once a second instead of at every request


class NoRulesError(Exception):
    """There is no rule set to serve with: the folder has errors and no good set was ever loaded from it."""


@dataclass(frozen=True)
class Edition:
    """One loaded set and what the load said."""

    ruleset: Ruleset
    loaded_at: datetime
    is_last_good_copy: bool = False

    @cached_property
    def facts_used(self) -> frozenset[str]:
        """Facts that some rule looks at; what nobody asks for is not looked up."""
        return frozenset(fact for rule in self.ruleset.rules for fact in when_facts(rule.when))


class Rulebook:
    """Asked by every page: current() is cheap when no file changed."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.folder: Path = shop.settings.folder
        self._lock = threading.Lock()
        self._edition: Edition | None = None
        self._signature: tuple[object, ...] | None = None
        self._looked_at = 0.0
        self._slow = False
        self._count = 0
        self.findings: tuple[Finding, ...] = ()
        self.stale_since: datetime | None = None
        self._tables: frozenset[Path] = frozenset()

    def current(self) -> Ruleset:
        """The rule set in force. NoRulesError when there is none."""
        return self.edition().ruleset

    def edition(self) -> Edition:
        """The set in force with its date of loading. A request looks for changed files once and keeps what it found."""
        known: Edition | None = g.get("koguchi_edition") if has_app_context() else None
        if known is None:
            known = self._look()
            if has_request_context():  # other contexts, such as a worker's, may last for days
                g.koguchi_edition = known
        return known

    def _look(self) -> Edition:
        """The set in force, after a look for changed files."""
        if self._edition is None:
            with self._lock:
                # A folder that never was good is read again only when a file of it changes.
                if self._edition is None and (signature := self._sign()) != self._signature:
                    self._load(signature)
        elif self._is_time_to_look():
            signature = self._sign()
            if signature != self._signature:
                self._reload(signature)
        if self._edition is None:
            raise NoRulesError("the rule files have errors and no good version of them is known")
        return self._edition

    @cached_property
    def checkout_matcher(self) -> Matcher:
        """The matcher that decides at checkout, as [rules] matcher says."""
        from rules.durable import checkout_matcher

        return checkout_matcher(self._shop.settings.matcher)

    @property
    def is_slow(self) -> bool:
        """Whether the last load took so long that nobody should wait for another while typing."""
        return self._slow

    def recheck(self) -> None:
        """Load again although no file changed, because products or customers did."""
        with self._lock:
            self._load(self._sign())
        if has_request_context():
            g.pop("koguchi_edition", None)

    def _is_time_to_look(self) -> bool:
        if self._count < _MANY_FILES:
            return True
        moment = time.monotonic()
        if moment - self._looked_at < 1:
            return False
        self._looked_at = moment
        return True

    def _sign(self) -> tuple[object, ...]:
        """Name, size and time of every file that the set is made of."""
        found = list(self._files())
        self._count = len(found)
        return tuple(found)

    def _files(self) -> Iterator[tuple[str, int, int, int]]:
        for folder in _FOLDERS:
            try:
                entries = sorted(os.scandir(self.folder / folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if entry.name[0] in "._" or not entry.name.endswith((".toml", ".csv")):
                    continue
                yield from _signed(entry.path)
        for path in sorted(self._tables | {self.folder / "shop.toml"}):
            yield from _signed(str(path))

    def _reload(self, signature: tuple[object, ...]) -> None:
        if not self._lock.acquire(blocking=False):
            return  # somebody is loading; this request keeps the set it has
        if self._slow:
            threading.Thread(target=self._load_and_release, args=(signature,), daemon=True).start()
        else:
            self._load_and_release(signature)

    def _load_and_release(self, signature: tuple[object, ...]) -> None:
        try:
            self._load(signature)
        finally:
            self._lock.release()

    def _load(self, signature: tuple[object, ...]) -> None:
        started = time.monotonic()
        today = self._shop.clock().astimezone(self._shop.settings.zone).date()
        loaded = load_ruleset(self.folder, self.catalog(), installed_methods(), today)
        self.findings = loaded.findings
        self._signature = signature
        ruleset = loaded.ruleset or self._accepted_before(loaded)
        if ruleset is not None:
            self._edition = Edition(ruleset, self._shop.clock())
            self._tables = frozenset(self.folder / path for path in _table_paths(ruleset))
            self._signature = self._sign()
            self.stale_since = None
            self._keep(ruleset)
        else:
            self.stale_since = self.stale_since or self._shop.clock()
            errors = [finding for finding in loaded.findings if finding.severity == "error"]
            log.error("rule files refused, the last good set stays: %s", "; ".join(map(str, errors[:5])))
            if self._edition is None:
                self._edition = self._last_good(today)
        self._slow = time.monotonic() - started > _SLOW_LOAD

    @property
    def _copy(self) -> Path:
        return Path(self._shop.settings.var) / "last_good_rules"

    def _keep(self, ruleset: Ruleset) -> None:
        """Copy the files of a good set, so that a restart beside a broken file has something to serve."""
        mark = self._copy / "hash"
        try:
            if mark.is_file() and mark.read_text() == ruleset.hash:
                return
            fresh = self._copy.with_name(f"{self._copy.name}.{os.getpid()}")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700, parents=True)  # shop.toml may hold a secret
            for path in self._own_files(ruleset):
                target = fresh / path.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
            (fresh / "hash").write_text(ruleset.hash)
            shutil.rmtree(self._copy, ignore_errors=True)
            fresh.rename(self._copy)
        except OSError as error:
            log.warning("the good rule set could not be copied to %s: %s", self._copy, error)

    def _accepted_before(self, loaded: Loaded) -> Ruleset | None:
        """The same files passed every check once: what a product or a customer became since must not stop the shop.

        The findings say what no longer holds; a changed file has to pass all checks again.
        """
        mark = self._copy / "hash"
        if loaded.parsed is not None and mark.is_file() and mark.read_text() == loaded.parsed.hash:
            return loaded.parsed
        return None

    def _own_files(self, ruleset: Ruleset) -> Iterator[Path]:
        for rule in ruleset.rules:
            yield self.folder / rule.path
        for exception in ruleset.exceptions:
            if exception.path:
                yield self.folder / exception.path
        for path in _table_paths(ruleset):
            yield self.folder / path
        if (self.folder / "shop.toml").is_file():
            yield self.folder / "shop.toml"

    def _last_good(self, today: date) -> Edition | None:
        if not (self._copy / "hash").is_file():
            return None
        parsed = load_ruleset(self._copy, self.catalog(), installed_methods(), today, run_cases=False).parsed
        return None if parsed is None else Edition(parsed, self._shop.clock(), True)

    def catalog(self) -> Catalog:
        """The names that rules may use: the folder's CSV files, overridden row by row by the database."""
        from storefront.pricing import catalog_facts

        return catalog_facts(self._shop, read_catalog(self.folder))


def _signed(path: str) -> Iterator[tuple[str, int, int, int]]:
    try:
        stat = os.stat(path)
    except OSError:
        return
    yield path, stat.st_size, stat.st_mtime_ns, stat.st_ino


def _table_paths(ruleset: Ruleset) -> set[str]:
    effects = [rule.effect for rule in ruleset.rules] + [one.effect for one in ruleset.exceptions]
    return {one.table.path for one in effects if isinstance(one, PriceEffect) and one.table is not None}


def installed_methods() -> frozenset[str]:
    """The ids of all installed plugins, which rules may name."""
    from plugins.loader import installed_ids

    return frozenset(installed_ids())
