"""The editor of the rules desk: type, see what the check says, keep it as a draft, put it in force.

Staff may look and draft; only the owner puts something in force. A change made elsewhere meanwhile is never covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import undefer
from werkzeug.wrappers import Response as Redirect

from rules.check_table import CHECKS
from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp
from storefront.admin.rule_check import Checked, look_at, sentence_of
from storefront.admin.rule_files import code_of, names_of, path_of, waiting_drafts
from storefront.database import get_session, write
from storefront.language import _, language
from storefront.shop import current_shop
from storefront.shop_folder.drafts import (
    ACTIVE,
    DISCARDED,
    OPEN,
    RuleDraft,
    create_draft,
    decide_draft,
    note_errors,
    rebase_draft,
    save_draft,
    storable,
)
from storefront.shop_folder.files import (
    Conflict,
    Invalid,
    Saved,
    check_draft,
    is_allowed,
    is_writable,
    remember,
    save,
    sort_errors,
)
from storefront.shop_folder.rule_texts import MODES, corrected, correction_of, difference, head_of, with_head
from storefront.shop_folder.versions import versions

Answer = str | tuple[str, int] | Redirect
ETAG = 64


@dataclass(frozen=True)
class Typed:
    """What the form of the editor said, its buttons already done."""

    text: str
    reason: str
    revision: int
    base: str


def _typed(kept: str) -> Typed:
    """`kept` is the text when the form brings none, as the page of a conflict does."""
    form = request.form
    text = storable(form["file"]) if "file" in form else kept
    if (correction := correction_of(form.get("fix", "")[:500])) is not None:
        text = corrected(text, correction)
    first, mode = form.get("from", ""), form.get("mode", "")
    wishes: dict[str, str] = {}
    if first != form.get("was_from", first):
        wishes["from_on"] = first
    if mode in MODES and mode != form.get("was_mode", mode):
        wishes["mode"] = mode
    if wishes:
        changed = with_head(text, **wishes)
        if changed is None:
            flash(_("First day and mode can be set here as soon as the file can be read as TOML."), "warn")
        text = changed if changed is not None else text
    revision = form.get("revision", "")
    number = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0
    reason = "".join(one for one in form.get("reason", "") if one.isprintable()).strip()[:500]
    return Typed(text, reason, number, form.get("base", "")[:ETAG])


# ---- a rule without a draft


@bp.get("/rules/<code>/edit")
@staff
def rule_edit(code: str) -> Answer:
    """The file as it stands. Nothing is kept before the first button."""
    path = path_of(code)
    file = remember(current_shop(), path)
    return _editor(path, file.text, file.etag)


@bp.post("/rules/<code>/edit")
@staff
def rule_begin(code: str) -> Answer:
    """Keep what was typed as a new draft."""
    number, typed = _begin(code)
    return _kept(number, typed)


@bp.post("/rules/<code>/activate")
@owner
def rule_begin_and_activate(code: str) -> Answer:
    """Keep what was typed as a draft, and put it in force at once."""
    number, typed = _begin(code)
    return _activate(draft_of(number), typed)


def _begin(code: str) -> tuple[int, Typed]:
    path = path_of(code)
    typed = _typed(remember(current_shop(), path).text)
    return _new_draft(path, typed), typed


def _new_draft(path: str, typed: Typed) -> int:
    with write() as session:
        return create_draft(
            session, path=path, text=typed.text, actor=_actor(), base_etag=typed.base, reason=typed.reason
        )


# ---- drafts


def draft_of(draft_id: int) -> RuleDraft:
    """The draft with its text; 404 when there is none."""
    query = select(RuleDraft).where(RuleDraft.id == draft_id).options(undefer(RuleDraft.text))
    found = get_session().scalars(query).one_or_none()
    if found is None:
        abort(404)
    return found


@bp.get("/rules/drafts/<int:draft_id>")
@staff
def rule_draft(draft_id: int) -> Answer:
    """A draft in the editor; a decided one can still be read."""
    draft = draft_of(draft_id)
    return _editor(draft.path, draft.text, draft.base_etag, draft)


@bp.post("/rules/drafts/<int:draft_id>")
@staff
def rule_draft_save(draft_id: int) -> Answer:
    """Keep what was typed. When somebody else saved the draft meanwhile, it becomes a draft of its own."""
    draft = draft_of(draft_id)
    typed = _typed(draft.text)
    return _kept(_keep(draft, typed), typed)


def _keep(draft: RuleDraft, typed: Typed) -> int:
    with write() as session:
        if save_draft(
            session, draft.id, text=typed.text, actor=_actor(), reason=typed.reason, revision=typed.revision
        ):
            return draft.id
    flash(
        _("Somebody else has saved or decided this draft meanwhile. Yours is kept as a draft of its own."),
        "warn",
    )
    base = Typed(typed.text, typed.reason, 1, draft.base_etag)
    return _new_draft(draft.path, base)


def _kept(number: int, typed: Typed) -> Redirect:
    """Back to the draft, at its messages or, when there are none, at its buttons."""
    draft = draft_of(number)
    errors = _count_errors(draft.path, typed.text)
    with write() as session:
        note_errors(session, number, errors)
    if request.form.get("do") == "try" and not errors:
        return redirect(url_for("admin.rule_draft_preview", draft_id=number))
    return redirect(url_for("admin.rule_draft", draft_id=number, _anchor="faults" if errors else "actions"))


def _count_errors(path: str, text: str) -> int:
    shop, change = current_shop(), {path: text}
    return len(sort_errors(shop, check_draft(shop, change), change)[0])


@bp.post("/rules/drafts/<int:draft_id>/activate")
@owner
def rule_draft_activate(draft_id: int) -> Answer:
    """Keep what was typed and put it in force, unless the check or a change made elsewhere speaks against it."""
    draft = draft_of(draft_id)
    typed = _typed(draft.text)
    if draft.state != OPEN:
        flash(_("This draft was decided before."), "warn")
        return redirect(url_for("admin.rule_draft", draft_id=draft_id))
    return _activate(draft_of(_keep(draft, typed)), typed)


def _activate(draft: RuleDraft, typed: Typed) -> Answer:
    shop = current_shop()
    if not typed.reason:
        error = _("Say why: it is kept with the version.")
        return _editor(draft.path, draft.text, draft.base_etag, draft, error=error), 422
    expected = request.form.get("expected", draft.base_etag)[:ETAG]
    result = save(shop, draft.path, draft.text, expected=expected, actor=_actor(), reason=typed.reason)
    match result:
        case Conflict():
            return _compare(draft), 409
        case Invalid():
            return _refused(draft, result)
        case Saved():
            with write() as session:
                decide_draft(session, draft.id, ACTIVE)
            return _in_force(draft.path, result)


def _refused(draft: RuleDraft, result: Invalid) -> Answer:
    if result.is_read_only:
        message, _hint = result.findings[0].said(language())
        flash(_("The folder of the shop could not be written to: %(why)s", why=message), "block")
        return _editor(draft.path, draft.text, draft.base_etag, draft), 503
    with write() as session:
        note_errors(session, draft.id, len(result.findings))
    flash(_("Not put in force: the check found errors. The draft is kept."), "block")
    return _editor(draft.path, draft.text, draft.base_etag, draft), 422


def _in_force(path: str, result: Saved) -> Redirect:
    """To the rule, with a word about errors elsewhere that keep the old set in force."""
    code = code_of(path)
    if result.others:
        first = result.others[0]
        flash(
            _(
                "The file is written. The shop keeps the version before until %(place)s is mended.",
                place=f"{first.file}:{first.line}",
            ),
            "warn",
        )
    else:
        flash(_("In force: %(file)s. The version before is kept and can be brought back.", file=path), "ok")
    known = {rule.code for rule in current_shop().rulebook.current().rules}
    return redirect(url_for("admin.rule", code=code) if code in known else url_for("admin.rules"))


@bp.post("/rules/drafts/<int:draft_id>/discard")
@staff
def rule_draft_discard(draft_id: int) -> Redirect:
    """Give a draft up; its text can still be read."""
    draft = draft_of(draft_id)
    if draft.state == OPEN:
        with write() as session:
            decide_draft(session, draft_id, DISCARDED)
        flash(_("The draft is given up. The rule stays as it is."), "ok")
    return redirect(url_for("admin.rules"))


# ---- the file changed elsewhere


@bp.get("/rules/drafts/<int:draft_id>/compare")
@staff
def rule_draft_compare(draft_id: int) -> Answer:
    """The draft beside the file as it stands now, and the ways on."""
    return _compare(draft_of(draft_id))


def _compare(draft: RuleDraft) -> str:
    file = remember(current_shop(), draft.path)
    known = versions(get_session(), draft.path, 20, with_content=True)
    base = next((one.text or "" for one in known if one.sha == draft.base_etag), None)
    last = known[0] if known else None
    return render_template(
        "admin/rule_compare.html",
        draft=draft,
        code=code_of(draft.path) or draft.path,
        file=file,
        last=last,
        who=names_of([last.actor])[last.actor] if last is not None else "",
        theirs=sentence_of(draft.path, file.text),
        mine=sentence_of(draft.path, draft.text),
        between=difference(file.text, draft.text),
        since=difference(base, file.text) if base is not None else (),
        is_same=file.text == draft.text,
    )


@bp.post("/rules/drafts/<int:draft_id>/keep")
@staff
def rule_draft_keep(draft_id: int) -> Redirect:
    """Go on with the draft, knowing the file as it was shown."""
    draft = draft_of(draft_id)
    if draft.state == OPEN:
        with write() as session:
            rebase_draft(session, draft_id, request.form.get("expected", "")[:ETAG])
    return redirect(url_for("admin.rule_draft", draft_id=draft_id))


# ---- the editor itself


@bp.post("/rules/check")
@staff
def rule_check() -> str:
    """What the check says of a text while it is typed: parts of the editor's page. Nothing is kept."""
    path = request.form.get("path", "")
    if not is_allowed(path):
        abort(404)
    shop, text = current_shop(), storable(request.form.get("file", ""))
    draft, code = request.form.get("draft", ""), code_of(path)
    number = int(draft) if draft.isascii() and draft.isdigit() and len(draft) < 10 else None
    if number is None and not code:
        abort(404)
    return render_template(
        "admin/_rule_live.html",
        checked=look_at(shop, path, text, remember(shop, path).text),
        text=text,
        activate_at=_activate_at(code, number),
        is_writable=is_writable(shop, path),
    )


def _activate_at(code: str, draft_id: int | None) -> str:
    if draft_id is not None:
        return url_for("admin.rule_draft_activate", draft_id=draft_id)
    return url_for("admin.rule_begin_and_activate", code=code)


@bp.get("/rules/drafts/<int:draft_id>/file")
@staff
def rule_draft_file(draft_id: int) -> Response:
    """The draft as a file, for a shop whose folder is changed by a deployment and not from here."""
    draft = draft_of(draft_id)
    answer = Response(draft.text, mimetype="text/plain")
    answer.headers.set("Content-Disposition", "attachment", filename=draft.path.rpartition("/")[2])
    return answer


@bp.get("/rules/checks")
@staff
def rule_checks() -> str:
    """Every check with its meaning, where the messages of the editor lead to."""
    rows = [
        (code, check.severity, check.ja if language() == "ja" else check.en) for code, check in CHECKS.items()
    ]
    return render_template("admin/rule_checks.html", rows=rows)


def _editor(path: str, text: str, base: str, draft: RuleDraft | None = None, *, error: str = "") -> str:
    shop = current_shop()
    file = remember(shop, path)
    checked: Checked = look_at(shop, path, text, file.text)
    context: dict[str, Any] = {
        "code": code_of(path) or path,
        "path": path,
        "text": text,
        "base": base,
        "draft": draft,
        "who": names_of([draft.actor])[draft.actor] if draft is not None else "",
        "checked": checked,
        "head": head_of(text) if path.startswith("rules/") else None,
        "activate_at": _activate_at(code_of(path), draft.id if draft is not None else None),
        "is_open": draft is None or draft.state == OPEN,
        "is_new": not file.exists,
        "is_changed": file.exists and file.etag != base,
        "is_gone": draft is not None and bool(base) and not file.exists,
        "is_writable": is_writable(shop, path),
        "is_live": not shop.rulebook.is_slow,
        "between": difference(file.text, text) if file.exists else (),
        "drafts": [one for one in waiting_drafts(path) if draft is None or one.draft.id != draft.id],
        "reason": request.form.get("reason", draft.reason if draft is not None else ""),
        "error": error,
    }
    return render_template("admin/rule_edit.html", **context)


def _actor() -> str:
    person = current_person()
    if person is None:
        abort(403)
    return person.email
