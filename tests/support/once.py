"""What each shop of a test process would work out anew though it comes out the same: worked out once.

Nothing that a test could tell from the shop's own doing, except by the time it takes.
"""

import importlib.metadata
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """Templates as compiled code, kept in memory by their file and the checksum of what it says."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self.kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def install() -> None:
    """For every application that this process makes from now on."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
    Rule._compile_builder = _remembered(Rule._compile_builder)  # type: ignore[method-assign]
    importlib.metadata.entry_points = _read_once(importlib.metadata.entry_points)
    _share_statements()


def _remembered(compile_builder: Callable[..., Any]) -> Callable[..., Any]:
    """Werkzeug writes and compiles two functions for each of our routes: most of what a new application takes."""
    known: dict[tuple[str, str, bool], Any] = {}

    def remembering(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:  # their converters have a say
            return compile_builder(rule, append_unknown)
        key = (rule.rule, repr(rule._trace), append_unknown)
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    return remembering


def _read_once(entry_points: Callable[..., Any]) -> Callable[..., Any]:
    """Which plugins are installed: a hundred files, read anew where a test has added a folder with one more."""
    at_first = sys.path[:]
    known: dict[tuple[tuple[str, str], ...], Any] = {}

    def remembering(**wanted: str) -> Any:
        if sys.path != at_first:
            return entry_points(**wanted)
        key = tuple(sorted(wanted.items()))
        if key not in known:
            known[key] = entry_points(**wanted)
        return known[key]

    return remembering


def _share_statements() -> None:
    """SQLAlchemy keeps each statement as compiled SQL, for each engine anew: here for all of a kind of database."""
    written: dict[DefaultDialect, Any] = {}
    begin = Engine.__init__

    def begin_with_what_is_written(
        engine: Any, pool: Any, dialect: Any, *values: Any, **options: Any
    ) -> None:
        begin(engine, pool, dialect, *values, **options)
        engine._compiled_cache = written.setdefault(dialect, engine._compiled_cache)

    def kind(dialect: Any) -> tuple[Any, ...]:
        return type(dialect), dialect._json_serializer, dialect._json_deserializer

    Engine.__init__ = begin_with_what_is_written  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda one, other: isinstance(other, DefaultDialect) and kind(one) == kind(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda dialect: hash(kind(dialect))  # type: ignore[method-assign]
