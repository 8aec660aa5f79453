"""/health: whether this process can serve, as JSON for a load balancer or a person. Tells no names and no secrets."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storefront.access import public
from storefront.clock import now
from storefront.database import get_session
from storefront.shop import current_shop

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def show() -> tuple[Response, int]:
    """200 when orders can be taken, else 503 with what is wrong."""
    told, ok = report()
    answer = jsonify(told)
    answer.headers["Cache-Control"] = "no-store"
    return answer, 200 if ok else 503


def report() -> tuple[dict[str, Any], bool]:
    """What is told, and whether orders can be taken."""
    database, rules = _database(), _rules()
    ok = database == "ok" and rules["state"] != "none"
    at = now().isoformat(timespec="seconds")
    told = {
        "ok": ok,
        "at": at,
        "database": database,
        "rules": rules,
        "matcher": _matcher(),
        "plugins": _plugins(),
    }
    return told, ok


def _plugins() -> dict[str, Any]:
    """Since when shop.toml has been of no use to the plugins at work."""
    since = current_shop().running_plugins.glance()
    stale_since = since.isoformat(timespec="seconds") if since else None
    return {"state": "stale" if since else "current", "stale_since": stale_since}


def _matcher() -> str:
    """Which matcher decides at checkout here; durable-rules is missing on some machines."""
    wanted = current_shop().settings.matcher
    if wanted == "durable" and find_spec("durable") is None:
        return "indexed (durable-rules is not installed)"
    return wanted


def _database() -> str:
    try:
        get_session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return "unavailable"
    return "ok"


def _rules() -> dict[str, Any]:
    """The rule set in force, and since when a broken file has kept a newer one out."""
    try:
        rulebook = current_shop().rulebook
        ruleset = rulebook.current()
    except Exception:
        # A shop without a usable rule set must answer here, whatever went wrong: that is what health is for.
        current_app.logger.exception("there is no rule set")
        return {"state": "none"}
    stale_since = rulebook.stale_since
    return {
        "state": "stale" if stale_since else "current",
        "hash": getattr(ruleset, "hash", None),
        "stale_since": stale_since.isoformat(timespec="seconds") if stale_since else None,
    }
