"""Logs: one JSON object a line in production. Line breaks and terminal codes are escaped, secrets masked.

Nothing typed by a reader can forge a line, and no password, token or card number stays readable.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask

_SECRETS = (
    (re.compile(r"(?i)(bearer\s+|basic\s+)\S+"), r"\1***"),
    # name=value and "name": "value"
    (
        re.compile(
            r"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization|cookie|csrf)\w*[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]+"
        ),
        r"\1***",
    ),
    (re.compile(r"(/reset/)[\w.\-]+"), r"\1***"),
    (re.compile(r"\$argon2id?\$\S+"), "***"),
    (re.compile(r"\b(?:sk|rk|kg|whsec)_\w{6,}"), "***"),
    (re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)"), "***"),  # card and account numbers
)


def mask(text: str) -> str:
    """`text` without what must not be in a log."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _masked(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "level", "logger"}:
            event[key] = mask(value)
    return event


def formatter() -> logging.Formatter:
    """Every record of every logger as one line of JSON."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _masked,
        structlog.processors.JSONRenderer(),
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last)


def init_app(app: Flask) -> None:
    """In production all logs of this process take this form; elsewhere they stay as Flask writes them."""
    if not app.extensions["koguchi"].settings.production:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Flask adds a handler of its own to a logger that has none that reaches far enough.
    app.logger.handlers.clear()
    app.logger.propagate = True
