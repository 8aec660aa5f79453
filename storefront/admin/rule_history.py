"""The history of a rule: every version with who, when and why, what changed in words, and the way back.

Going back is a new version. Switching a rule off and removing it are versions too; nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import undefer
from werkzeug.wrappers import Response as Redirect

from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp
from storefront.admin.rule_check import sentence_of
from storefront.admin.rule_files import names_of, path_of
from storefront.database import get_session, write
from storefront.language import _, language
from storefront.shop import current_shop
from storefront.shop_folder.drafts import create_draft
from storefront.shop_folder.files import Conflict, Invalid, Saved, is_writable, read, remember, save
from storefront.shop_folder.rule_texts import MODES, Difference, difference, head_of, marked, with_head
from storefront.shop_folder.versions import ShopFileVersion, versions

SHOWN = 30


@dataclass(frozen=True)
class Told:
    """One version as the history shows it: its sentence with what is new in it, and its mode where that changed."""

    version: ShopFileVersion
    who: str
    pieces: tuple[tuple[str, bool], ...]
    before: str
    mode: str  # "" unless it differs from the version before
    is_now: bool

    @property
    def is_removed(self) -> bool:
        return not self.version.sha


@bp.get("/rules/<code>/history")
@staff
def rule_history(code: str) -> str:
    """Every version of the rule's file, newest first."""
    path = path_of(code)
    file = remember(current_shop(), path)
    known = versions(get_session(), path, SHOWN, with_content=True)
    return render_template(
        "admin/rule_history.html",
        code=code,
        path=path,
        file=file,
        told=_told(path, known),
        is_writable=is_writable(current_shop(), path),
    )


def _told(path: str, known: Sequence[ShopFileVersion]) -> list[Told]:
    names = names_of(version.actor for version in known)
    texts = [version.text for version in known]
    sentences = [sentence_of(path, text) for text in texts]
    modes = [head.mode if (head := head_of(text or "")) is not None else "" for text in texts]
    told = []
    for place, version in enumerate(known):
        is_first = place + 1 == len(known)
        before = "" if is_first else sentences[place + 1]
        changed = not is_first and modes[place] != modes[place + 1] and bool(version.sha)
        pieces = marked(before, sentences[place])
        told.append(
            Told(version, names[version.actor], pieces, before, modes[place] if changed else "", place == 0)
        )
    return told


def _version(path: str, version_id: int) -> ShopFileVersion:
    query = select(ShopFileVersion).where(
        ShopFileVersion.id == version_id, ShopFileVersion.path == path, ShopFileVersion.is_written
    )
    found = get_session().scalars(query.options(undefer(ShopFileVersion.content))).one_or_none()
    if found is None:
        abort(404)
    return found


@bp.get("/rules/<code>/history/<int:version_id>")
@staff
def rule_version(code: str, version_id: int) -> str:
    """One version: its text, what it changed, and what going back to it would change."""
    path = path_of(code)
    file = remember(current_shop(), path)
    version = _version(path, version_id)
    known = versions(get_session(), path, SHOWN, with_content=True)
    older = next((one for one in known if one.id < version.id), None)
    return render_template(
        "admin/rule_version.html",
        code=code,
        path=path,
        version=version,
        who=names_of([version.actor])[version.actor],
        file=file,
        is_now=version.sha == file.etag,
        has_older=older is not None,
        changed=_between(older.text if older is not None else None, version.text),
        going_back=_between(file.text, version.text),
        sentence=sentence_of(path, version.text),
        is_writable=is_writable(current_shop(), path),
    )


def _between(old: str | None, new: str | None) -> tuple[Difference, ...]:
    return difference(old or "", new or "")


@bp.post("/rules/<code>/history/<int:version_id>/restore")
@owner
def rule_restore(code: str, version_id: int) -> Redirect:
    """Bring a version back, as a new one."""
    path = path_of(code)
    version = _version(path, version_id)
    return _done(code, _saved(path, version.text, restores=version.id), version)


@bp.post("/rules/<code>/history/<int:version_id>/draft")
@staff
def rule_version_draft(code: str, version_id: int) -> Redirect:
    """An old version as a draft of the file that stands now: for a clerk, or when it does not pass the check."""
    path = path_of(code)
    version, base = _version(path, version_id), read(current_shop(), path).etag
    with write() as session:
        number = create_draft(session, path=path, text=version.text or "", actor=_actor(), base_etag=base)
    return redirect(url_for("admin.rule_draft", draft_id=number))


@bp.post("/rules/<code>/switch")
@owner
def rule_switch(code: str) -> Redirect:
    """Live, on trial or off: one line of the file, comments kept."""
    path, mode = path_of(code), request.form.get("mode", "")
    if mode not in MODES:
        abort(400)
    text = with_head(read(current_shop(), path).text, mode=mode)
    if text is None:
        flash(_("First day and mode can be set here as soon as the file can be read as TOML."), "warn")
        return redirect(url_for("admin.rule", code=code))
    return _done(code, _saved(path, text))


@bp.post("/rules/<code>/delete")
@owner
def rule_delete(code: str) -> Redirect:
    """Take the file out of the folder. Its versions stay, and bring it back."""
    return _done(code, _saved(path_of(code), None))


def _saved(path: str, text: str | None, restores: int | None = None) -> Saved | Conflict | Invalid:
    reason = "".join(one for one in request.form.get("reason", "") if one.isprintable()).strip()
    return save(
        current_shop(), path, text, expected=request.form.get("expected", "")[:64], actor=_actor(),
        reason=reason, restores=restores,
    )  # fmt: skip


def _done(code: str, result: Saved | Conflict | Invalid, back: ShopFileVersion | None = None) -> Redirect:
    """What came of it, told on the page of the history."""
    there = url_for("admin.rule_history", code=code)
    if isinstance(result, Conflict):
        flash(
            _("The file has been changed meanwhile. Nothing was written; look at the versions again."), "warn"
        )
    elif isinstance(result, Invalid):
        for found in result.findings[:3]:
            message, hint = found.said(language())
            flash(f"{found.file}:{found.line} {message} {hint}".strip(), "block")
        flash(_("Nothing was written: the check found errors."), "block")
        there = url_for("admin.rule_version", code=code, version_id=back.id) if back is not None else there
    elif result.others:
        place = f"{result.others[0].file}:{result.others[0].line}"
        sentence = _(
            "The file is written. The shop keeps the version before until %(place)s is mended.", place=place
        )
        flash(sentence, "warn")
    else:
        flash(_("Done. Each version before is kept and can be brought back."), "ok")
    return redirect(there)


def _actor() -> str:
    person = current_person()
    if person is None:
        abort(403)
    return person.email
