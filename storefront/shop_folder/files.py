"""The only writer of files in the shop folder from the desk: checked, versioned, atomic, never over another's change.

Files stay the truth. Needs an application context; must not be called inside `with write()`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from rules import Finding, Loaded, load_ruleset
from rules.said import both, say
from storefront import audit
from storefront.accounts.models import User
from storefront.clock import now
from storefront.database import get_session, write
from storefront.shop_calendar import FILE as CLOSURES
from storefront.shop_calendar import read_closures
from storefront.shop_folder import durable as durable_files
from storefront.shop_folder.versions import BY_FILE, ShopFileVersion, newest, newest_of_all, text_of

if TYPE_CHECKING:
    from storefront.shop import Shop

_NAME = r"[^\W_][\w.-]{0,98}"
# What the desk may write: a sub-folder and a suffix, or a file beside shop.toml. shop.toml itself holds secrets.
_FOLDERS = {"rules": ".toml", "exceptions": ".toml", "prices": ".csv"}
_TOP_LEVEL = frozenset({CLOSURES})
_PATH = re.compile("|".join(rf"{folder}/{_NAME}\{suffix}" for folder, suffix in _FOLDERS.items()))
MOST_BYTES = {
    ".toml": 1_000_000,
    ".csv": 5_000_000,
    ".ics": 1_000_000,
}  # longer tables come through the CSV page
MOST_NAME = 200  # bytes
MOST_NEWS = 1_000  # files that one look takes into the history; the next look takes more
UNREADABLE = "unreadable"  # the etag of a file that may not be read; nothing is saved over it


class ShopPathError(ValueError):
    """The path is none that the desk reads or writes; a bug or an attempt, never something a form may cause."""


@dataclass(frozen=True)
class ShopFile:
    """A file as it stands: `etag` is the sha256 of its bytes, "" (and text "") when there is none."""

    path: str
    text: str
    etag: str

    @property
    def exists(self) -> bool:
        return self.etag != ""


@dataclass(frozen=True)
class Saved:
    """It stands in the folder. `others` are errors that stood before elsewhere: until they go, the old set serves."""

    path: str
    etag: str
    version_id: int
    others: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """The file is not the one the change was made from. Nothing was written; None stands for a removed file."""

    path: str
    mine: str | None
    theirs: str | None
    etag: str  # of theirs: saving with it as `expected` is to overwrite knowingly


@dataclass(frozen=True)
class Invalid:
    """Nothing was written: the change brings these errors, or the folder cannot be written to."""

    path: str
    findings: tuple[Finding, ...]
    is_read_only: bool = False


def is_allowed(path: str) -> bool:
    """Whether the desk may write a file of that path: no traversal, no hidden name, a suffix that fits."""
    known = path in _TOP_LEVEL or _PATH.fullmatch(path) is not None
    return known and len(path.encode(errors="replace")) <= MOST_NAME


def read(shop: Shop, path: str) -> ShopFile:
    """The file as it stands in the folder. ShopPathError for a path that the desk does not know."""
    return _shown(path, _place(shop, path))


def _shown(path: str, place: Path) -> ShopFile:
    try:
        content = _content(place, path)
    except OSError:
        return ShopFile(path, "", UNREADABLE)
    return ShopFile(path, "" if content is None else text_of(content), etag_of(content))


def etag_of(content: bytes | None) -> str:
    """Names the bytes of a file exactly; "" for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def is_writable(shop: Shop, path: str) -> bool:
    """Whether the folder of a file can be written to; a shop in production may stand on a read-only disk."""
    folder = _place(shop, path).parent
    return os.access(folder if folder.is_dir() else folder.parent, os.W_OK | os.X_OK)


def check_draft(shop: Shop, changes: Mapping[str, str | None]) -> Loaded:
    """The folder with these texts laid over it (None: without the file), checked whole; its cases are run."""
    from storefront.rulebook import installed_methods

    overlay = {
        path: None if text is None else text.encode(errors="replace") for path, text in changes.items()
    }
    settings = shop.settings
    today = shop.clock().astimezone(settings.zone).date()
    return load_ruleset(settings.folder, shop.rulebook.catalog(), installed_methods(), today, overlay=overlay)


def sort_errors(
    shop: Shop, loaded: Loaded, changed: Mapping[str, str | None]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The errors of a checked draft: those that the change brings, and those that stand elsewhere without it."""
    days = changed.get(CLOSURES)  # which rules do not read
    own = read_closures(days.encode(errors="replace"))[1] if days is not None else ()
    if not loaded.errors:
        return own, ()
    before = {_identity(found) for found in check_draft(shop, {}).errors if found.file not in changed}
    brought = tuple(found for found in loaded.errors if _identity(found) not in before)
    return own + brought, tuple(found for found in loaded.errors if _identity(found) in before)


def _identity(found: Finding) -> tuple[str, str, str]:
    return found.file, found.check, found.message


def save(
    shop: Shop,
    path: str,
    text: str | None,
    *,
    expected: str,
    actor: str,
    reason: str,
    restores: int | None = None,
) -> Saved | Conflict | Invalid:
    """Put `text` in place of the file whose etag is `expected` ("" for none); None removes it.

    `actor` is a mail address; `restores` the version that is brought back. Takes effect with the next page.
    """
    place = _place(shop, path)
    if g.get("koguchi_writing"):
        raise RuntimeError("save() inside `with write()`: the lock of the files comes first")
    try:
        with holding(shop):
            get_session().commit()  # what others did before the lock was ours must be seen
            there = _content(place, path)
            _remember(shop, path, there, place)
            refused, others = _refusal(shop, path, text, there, expected, place)
            if refused is not None:
                return refused
            wanted = _encoded(text, there)
            if wanted == there:
                known = newest(get_session(), path)
                return Saved(path, expected, known.id if known is not None else 0, others)
            version = _put(shop, place, ShopFileVersion(
                path=path, sha=etag_of(wanted), content=wanted, actor=actor, reason=reason[:500],
                restores_id=restores, is_written=False, at=now(),
            ))  # fmt: skip
    except OSError as error:
        return _unwritable(path, error.strerror or type(error).__name__)
    shop.rulebook.recheck()
    return Saved(path, etag_of(wanted), version, others)


def _refusal(
    shop: Shop, path: str, text: str | None, there: bytes | None, expected: str, place: Path
) -> tuple[Conflict | Invalid | None, tuple[Finding, ...]]:
    """Why the change is not made, or None; and the errors that stand elsewhere."""
    if etag_of(there) != expected:
        return Conflict(path, text, None if there is None else text_of(there), etag_of(there)), ()
    if place.is_symlink():
        return _unwritable(path, "it is a link to another file", "ほかのファイルへのリンクです"), ()
    limit = MOST_BYTES[place.suffix]
    if max(len(there or b""), len(_encoded(text, there) or b"")) > limit:
        sentence = say("folder.too-large", path=path, limit=limit)
        return Invalid(path, (Finding(path, 1, "too-large", None, "error", sentence),)), ()
    brought, others = sort_errors(shop, check_draft(shop, {path: text}), {path: text})
    return (Invalid(path, brought) if brought else None), others


def _put(shop: Shop, place: Path, version: ShopFileVersion) -> int:
    """First what is meant, then the file, then that it is done: killed in between, the next look settles it."""
    path, content = version.path, version.content
    with write(shop) as session:
        session.add(version)
        session.flush()
        number = version.id
    stamp = 0
    try:
        if content is None:
            durable_files.remove_file(place)
        else:
            stamp = durable_files.replace_file(place, content)
    except OSError:
        with write(shop) as session:
            _settle(session, path, etag_of(_content(place, path)), _stamp(place))
        raise
    note_written(shop, path, version.sha, stamp)
    return number


def note_written(shop: Shop, path: str, sha: str, stamp: int) -> None:
    """The version that was meant stands in the folder now."""
    with write(shop) as session:
        _settle(session, path, sha, stamp)


def remember(shop: Shop, path: str) -> ShopFile:
    """The file as it stands, after a change made in the folder itself was taken into the history."""
    place = _place(shop, path)
    try:
        if _is_news(path, _content(place, path), place):
            with holding(shop):
                _remember(shop, path, _content(place, path), place)
    except OSError:
        return ShopFile(path, "", UNREADABLE)
    return _shown(path, place)


def _is_news(path: str, content: bytes | None, place: Path) -> bool:
    meant = select(ShopFileVersion.id).where(
        ShopFileVersion.path == path, ShopFileVersion.is_written.is_(False)
    )
    if get_session().scalars(meant.limit(1)).first() is not None:
        return True
    known = newest(get_session(), path)
    if known is None:
        return content is not None
    return known.sha != etag_of(content) or known.stamp != _stamp(place)


def _remember(shop: Shop, path: str, content: bytes | None, place: Path) -> None:
    """Under the lock: settle what a killed process left, then note what was changed in the folder."""
    if not _is_news(path, content, place) or len(content or b"") > MOST_BYTES[place.suffix]:
        return
    with write(shop) as session:
        _note(session, path, content, _stamp(place))


def _note(session: Session, path: str, content: bytes | None, stamp: int) -> None:
    sha = etag_of(content)
    _settle(session, path, sha, stamp)
    known = newest(session, path)
    if known is not None and known.sha == sha:
        known.stamp = stamp
    elif known is not None or content is not None:
        at = datetime.fromtimestamp(stamp // 1_000_000_000, UTC) if stamp else now()
        session.add(ShopFileVersion(path=path, sha=sha, content=content, actor=BY_FILE, stamp=stamp, at=at))


def remember_all(shop: Shop, folder: str) -> None:
    """Take what was changed in a sub-folder itself into the history: one query and the files' times, mostly."""
    suffix = _FOLDERS[folder]
    names = {path.name for path in (shop.settings.folder / folder).glob(f"*{suffix}")}
    paths = {f"{folder}/{name}" for name in names if is_allowed(f"{folder}/{name}")}
    known = {path: one for path, one in newest_of_all(get_session()).items() if path.startswith(f"{folder}/")}
    news = [
        path
        for path in sorted(paths | {path for path, one in known.items() if one.sha})
        if path not in known or known[path].stamp != _stamp(shop.settings.folder / path)
    ]
    if not news:
        return
    with holding(shop), write(shop) as session:
        for path in news[:MOST_NEWS]:
            with suppress(OSError, ShopPathError):
                place = _place(shop, path)
                content = _content(place, path)
                if len(content or b"") <= MOST_BYTES[place.suffix]:
                    _note(session, path, content, _stamp(place))


def _settle(session: Session, path: str, sha: str, stamp: int) -> None:
    """Versions that were meant: the one that stands in the folder is written, any other never came to be."""
    meant = select(ShopFileVersion).where(ShopFileVersion.path == path, ShopFileVersion.is_written.is_(False))
    for version in session.scalars(meant.order_by(ShopFileVersion.id.desc())).all():
        if version.sha != sha:
            session.delete(version)
            continue
        before = newest(session, path)
        version.is_written, version.stamp = True, stamp
        session.flush()
        old = before.sha if before is not None else ""
        action = "add" if not old else "change" if sha else "remove"
        person = session.scalars(select(User).where(User.email == version.actor)).one_or_none()
        told = {"sha256": sha, "reason": version.reason}
        audit.record(session, person, action, f"file:{path}", {"sha256": old, "reason": ""}, told)


def _encoded(text: str | None, there: bytes | None) -> bytes | None:
    """The bytes to write, with the line ends that the file has."""
    if text is None:
        return None
    if there is not None and b"\r\n" in there and "\r\n" not in text:
        text = text.replace("\n", "\r\n")
    return text.encode(errors="replace")


def _unwritable(path: str, english: str, japanese: str = "") -> Invalid:
    sentence = both(f"{path} cannot be written: {english}.", f"{path} に書けません: {japanese or english}。")
    return Invalid(path, (Finding(path, 1, "unreadable", None, "error", sentence),), is_read_only=True)


def holding(shop: Shop) -> AbstractContextManager[None]:
    """Be the only one who writes files of this shop; to be taken before any `with write()`."""
    return durable_files.holding(shop.settings.var / "shop_files.lock")


def _place(shop: Shop, path: str) -> Path:
    """Where the file stands; ShopPathError unless it is one of ours and inside the folder, links followed."""
    if not is_allowed(path):
        raise ShopPathError(f"{path!r} is no file that the desk reads or writes")
    place = shop.settings.folder / path
    if not place.resolve().is_relative_to(shop.settings.folder.resolve()):
        raise ShopPathError(f"{path!r} leads out of the shop folder")
    return place


def _content(place: Path, path: str) -> bytes | None:
    """The bytes of a file, as many as it may have and one more; None when there is none."""
    if not place.is_file():
        return None
    with place.open("rb") as file:
        return file.read(MOST_BYTES[Path(path).suffix] + 1)


def _stamp(place: Path) -> int:
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0
