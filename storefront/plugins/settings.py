"""The only writer of shop.toml from the desk: one plugin's table, checked, tried out, never over another's change.

Every other byte stays. What is kept, told and shown of a table has no secret in it. Needs an application context.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import g
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer

from plugins.loader import load, settings_model
from storefront import audit
from storefront.accounts.models import User
from storefront.clock import now
from storefront.database import get_session, write
from storefront.plugins.forms import HIDDEN, OF_THE_SHOP, Fault, as_toml, check, inline, shown, with_changes
from storefront.settings import environment, faults_of, resolved
from storefront.shop_folder import durable as durable_files
from storefront.shop_folder.files import holding
from storefront.shop_folder.toml_edit import TomlEditError, read, with_keys
from storefront.shop_folder.versions import BY_FILE, ShopFileVersion, newest, versions

if TYPE_CHECKING:
    from storefront.shop import Shop

FILE = "shop.toml"
MOST_BYTES = 1_000_000
BOM = b"\xef\xbb\xbf"
LONGEST_REASON = 500
LONGEST_TOLD = 200


@dataclass(frozen=True)
class Held:
    """A plugin's table as it stands: `etag` names its values, "" when there is none; `problem` why it is not known."""

    table: Mapping[str, Any]
    etag: str
    problem: str = ""


@dataclass(frozen=True)
class Saved:
    """It stands in shop.toml and is at work here. `others` are faults of the file that stood before, elsewhere."""

    etag: str
    version_id: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """The table is not the one the change was made from. Nothing was written; no secret is in either."""

    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    etag: str  # of theirs: saving with it as `expected` is to overwrite knowingly


@dataclass(frozen=True)
class Invalid:
    """Nothing was written: faults by field ("" for the whole), or the file cannot be written to."""

    faults: Mapping[str, Fault]
    is_read_only: bool = False


class _NotText(ValueError):
    pass


def look(shop: Shop, name: str) -> Held:
    """The table of a plugin, after a change made in the file itself was taken into its history."""
    try:
        held = _held(shop, name, _text(_content(shop))[0])
        if _is_news(name, held):
            with holding(shop):
                held = _held(shop, name, _text(_content(shop))[0])
                _remember(shop, name, held)
    except (OSError, _NotText, TomlEditError) as error:
        return Held({}, "", _why(error))
    return held


def save(
    shop: Shop,
    name: str,
    changes: Mapping[str, str | None],
    *,
    expected: str,
    actor: str,
    reason: str,
    restores: int | None = None,
) -> Saved | Conflict | Invalid:
    """Set keys of [plugins.NAME] to values written as TOML (None: take away), if its etag is still `expected`.

    `actor` is a mail address. Secrets may come as env:NAME alone. At work here at once, elsewhere with the next page.
    """
    if shop.has_own_plugins:
        return Invalid({"": Fault("given")})
    if g.get("koguchi_writing"):
        raise RuntimeError("save() inside `with write()`: the lock of the files comes first")
    try:
        held = _held(shop, name, _text(_content(shop))[0])
        if held.etag != expected:
            return _conflict(name, held, changes)
        if faults := _tried(shop, name, held.table, changes):
            return Invalid(faults)
        with holding(shop):  # trying out took its time: look again, now alone
            get_session().commit()
            content = _content(shop)
            text, mark = _text(content)
            held = _held(shop, name, text)
            _remember(shop, name, held)
            if held.etag != expected:
                return _conflict(name, held, changes)
            if (shop.settings.folder / FILE).is_symlink():
                return _unwritable("it is a link to another file")
            made = with_keys(text, ("plugins", name), changes)
            before = faults_of(text, shop.settings)
            brought = [fault for fault in faults_of(made, shop.settings) if fault not in before]
            if brought or len(made) > MOST_BYTES:
                return Invalid({"": Fault("shop", "; ".join(brought) or f"more than {MOST_BYTES} bytes")})
            after = _held(shop, name, made)
            wanted = mark + made.encode()
            if wanted == content:
                return Saved(expected, 0, tuple(before))
            version = _put(shop, name, wanted, after, actor, reason, restores)
    except (_NotText, TomlEditError) as error:
        return Invalid({"": Fault("file", _why(error))})
    except OSError as error:
        return _unwritable(_why(error))
    shop.running_plugins.recheck()
    return Saved(after.etag, version, tuple(before))


def _tried(
    shop: Shop, name: str, table: Mapping[str, Any], changes: Mapping[str, str | None]
) -> dict[str, Fault]:
    """What speaks against the table: its model, a secret written out, or that the plugin does not load with it."""
    made = with_changes(table, changes)
    settings = {key for key in changes if key not in OF_THE_SHOP}
    if not settings and made.get("enabled") is not True:
        return {}  # switching off always goes, however broken the plugin is
    model, why = settings_model(name)
    if model is None:
        return {"": Fault("load", why)}
    told = shown(model, made)
    for key in settings & set(made):
        if _hides(told[key]) and key in model.model_fields:
            return {key: Fault("secret")}
    if faults := check(model, made, shop.settings.folder, environment):
        return faults
    trial = load({name: resolved(made) | {"enabled": True}}, folder=shop.settings.folder)
    found = next((each for each in trial.installed if each.id == name), None)
    if found is None or found.state != "active":
        return {"": Fault("load", (found.error if found else None) or "not installed")}
    return {}


def _hides(told: Any) -> bool:
    return any(_hides(each) for each in told) if isinstance(told, list) else told == HIDDEN


def _conflict(name: str, held: Held, changes: Mapping[str, str | None]) -> Conflict:
    model = settings_model(name)[0]
    mine = shown(model, with_changes(held.table, changes))
    return Conflict(mine, shown(model, held.table), held.etag)


# ---- the file


def _content(shop: Shop) -> bytes:
    with (shop.settings.folder / FILE).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _NotText(f"{FILE} has more than {MOST_BYTES} bytes")
    return content


def _text(content: bytes) -> tuple[str, bytes]:
    """The text with the line ends that it has, and the byte order mark before it."""
    mark = BOM if content.startswith(BOM) else b""
    try:
        return content[len(mark) :].decode(), mark
    except UnicodeDecodeError as error:
        raise _NotText(f"{FILE} is not UTF-8, at byte {error.start}") from None


def _held(shop: Shop, name: str, text: str) -> Held:
    plugins = read(text).get("plugins", {})
    table = plugins.get(name) if isinstance(plugins, dict) else None
    if not isinstance(table, dict):
        return Held({}, "")
    plain = json.dumps(table, sort_keys=True, ensure_ascii=False, default=str)
    key = shop.settings.secret_key.get_secret_value()  # nobody can guess a secret by its etag
    return Held(table, hmac.new(key.encode(), plain.encode(), hashlib.sha256).hexdigest())


def _put(
    shop: Shop, name: str, content: bytes, after: Held, actor: str, reason: str, restores: int | None
) -> int:
    """First what is meant, then the file, then that it is done: killed in between, the next look settles it."""
    kept = _kept(name, after)
    version = ShopFileVersion(
        path=path_of(name), sha=_sha(kept), content=kept, actor=actor, reason=reason[:LONGEST_REASON],
        restores_id=restores, is_written=False, at=now(),
    )  # fmt: skip
    with write(shop) as session:
        session.add(version)
        session.flush()
        number = version.id
    try:
        durable_files.replace_file(shop.settings.folder / FILE, content)
    except OSError:
        with write(shop) as session:
            _settle(session, name, _sha(_kept(name, _held(shop, name, _text(_content(shop))[0]))))
        raise
    note_written(shop, name, version.sha)
    return number


def note_written(shop: Shop, name: str, sha: str) -> None:
    """The version that was meant stands in the file now."""
    with write(shop) as session:
        _settle(session, name, sha)


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _unwritable(why: str) -> Invalid:
    return Invalid({"": Fault("read-only", why)}, is_read_only=True)


# ---- the history


def path_of(name: str) -> str:
    """The name under which the versions of a plugin's table are kept; no file of the folder is called so."""
    return f"{FILE}:plugins.{name}"[:200]


def history(session: Session, name: str, limit: int = 10) -> list[ShopFileVersion]:
    """The versions of a plugin's table, newest first, without secrets."""
    return list(versions(session, path_of(name), limit, with_content=True))


def version_of(session: Session, name: str, version_id: int) -> ShopFileVersion | None:
    """One version of a plugin's table."""
    query = select(ShopFileVersion).where(
        ShopFileVersion.id == version_id, ShopFileVersion.path == path_of(name), ShopFileVersion.is_written
    )
    return session.scalars(query.options(undefer(ShopFileVersion.content))).one_or_none()


def table_of(version: ShopFileVersion) -> dict[str, Any]:
    """The values of a version; secrets that were written out stand there as HIDDEN."""
    plugins = read(version.text or "").get("plugins", {})
    found: Any = next(iter(plugins.values()), {})
    return dict(found) if isinstance(found, dict) else {}


def way_back(name: str, held: Mapping[str, Any], version: Mapping[str, Any]) -> dict[str, str | None]:
    """The changes that bring a version back; whether it is enabled and secrets written out stay as they are."""
    now_told = shown(settings_model(name)[0], held)
    changes: dict[str, str | None] = {
        key: inline(value)
        for key, value in version.items()
        if key != "enabled" and not _hides(value) and now_told.get(key) != value
    }
    gone = [key for key, told in now_told.items() if key not in version and not _hides(told)]
    return changes | {key: None for key in gone if key != "enabled"}


def _kept(name: str, held: Held) -> bytes:
    if not held.etag:
        return b""
    return as_toml(name, shown(settings_model(name)[0], held.table)).encode(errors="replace")


def _sha(kept: bytes) -> str:
    return hashlib.sha256(kept).hexdigest() if kept else ""


def _is_news(name: str, held: Held) -> bool:
    if get_session().scalars(_meant(name).limit(1)).first() is not None:
        return True
    if held.etag and settings_model(name)[0] is None:
        return False  # what of it is secret is not known now
    return _known(get_session(), name) != _sha(_kept(name, held))


def _known(session: Session, name: str) -> str:
    """The hash of the newest version that was written, "" where there is none."""
    version = newest(session, path_of(name))
    return version.sha if version is not None else ""


def _meant(name: str) -> Select[ShopFileVersion]:
    """The versions of which it is not known yet whether they came to be."""
    return select(ShopFileVersion).where(
        ShopFileVersion.path == path_of(name), ShopFileVersion.is_written.is_(False)
    )


def _remember(shop: Shop, name: str, held: Held) -> None:
    """Under the lock: settle what a killed process left, then note what was changed in the file itself."""
    if not _is_news(name, held):
        return
    kept = _kept(name, held)
    with write(shop) as session:
        _settle(session, name, _sha(kept))
        if _known(session, name) != _sha(kept):
            session.add(ShopFileVersion(
                path=path_of(name), sha=_sha(kept), content=kept or None, actor=BY_FILE, at=now()
            ))  # fmt: skip


def _settle(session: Session, name: str, sha: str) -> None:
    """Versions that were meant: the one that stands in the file is written, any other never came to be."""
    for version in session.scalars(_meant(name).order_by(ShopFileVersion.id.desc())).all():
        if version.sha != sha:
            session.delete(version)
            continue
        before = newest(session, path_of(name))
        version.is_written = True
        session.flush()
        old, new = (table_of(before) if before is not None else {}), table_of(version)
        changed = [key for key in old | new if old.get(key) != new.get(key)]
        person = session.scalars(select(User).where(User.email == version.actor)).one_or_none()
        told = {key: str(new.get(key, ""))[:LONGEST_TOLD] for key in changed}
        audit.record(
            session,
            person,
            "change" if old else "add",
            f"plugin:{name}",
            {key: str(old.get(key, ""))[:LONGEST_TOLD] for key in changed},
            told | ({"reason": version.reason} if version.reason else {}),
        )


def folder_is_writable(shop: Shop) -> bool:
    """Whether shop.toml can be replaced; a shop in production may stand on a read-only disk."""
    place = shop.settings.folder / FILE
    return os.access(place.parent, os.W_OK | os.X_OK) and not place.is_symlink()
