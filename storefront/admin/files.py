"""CSV at the desk: upload, a preview with every error and every change, then all of it or nothing; and export.

Never writes before somebody has seen what would change; a shop that changed meanwhile is shown again.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer
from werkzeug.wrappers import Response as Redirect

from storefront import audit
from storefront.access import current_person, owner, staff
from storefront.admin.desk import asked, bp
from storefront.clock import today
from storefront.database import get_session, locked, write
from storefront.language import N_, _
from storefront.shop import current_shop
from storefront.shop_folder.files import holding
from storefront.transfer import PlanRefusedError, messages, price_tables
from storefront.transfer.kinds import KINDS, Transfer
from storefront.transfer.records import SAME, Plan
from storefront.transfer.sheet import ENCODINGS, UncodableError
from storefront.transfer.uploads import Upload, decide, keep

NAMES = {"products": N_("Products and stock"), "customers": N_("Customers"), "price-table": N_("Price table")}
STATES = {
    "new": ("half", N_("Waiting for a decision")),
    "applied": ("ok", N_("Taken")),
    "discarded": ("none", N_("Discarded")),
}
SHOWN = 200  # changes that a preview lists; the rest is counted


def _kinds() -> list[tuple[str, str]]:
    return [(kind, _(NAMES[kind])) for kind in KINDS]


@bp.get("/files")
@staff
def files() -> str:
    """Upload and export forms, and the last uploads."""
    return _files()


def _files(error: str = "", kind: str = "products") -> str:
    uploads = select(Upload).options(joinedload(Upload.person)).order_by(Upload.created_at.desc()).limit(20)
    return render_template(
        "admin/files.html",
        kinds=_kinds(),
        kind=kind,
        names=NAMES,
        states=STATES,
        tables=price_tables.names(current_shop().settings.folder),
        uploads=list(get_session().scalars(uploads)),
        error=error,
    )


@bp.post("/files")
@owner
def file_upload() -> Redirect | tuple[str, int]:
    """Keep the file for its preview. It is looked at on the next page, so that a reload uploads nothing."""
    kind, person, sent = request.form.get("kind", ""), current_person(), request.files.get("file")
    if kind not in KINDS or person is None:
        abort(400)
    data = sent.read() if sent is not None else b""
    if sent is None or not data:
        return _files(_("Choose a CSV file that is not empty."), kind), 422
    name = _plain_name(sent.filename or "")
    table = request.form.get("table", "").strip() or name if kind == "price-table" else ""
    if kind == "price-table" and price_tables.file_of(current_shop().settings.folder, table) is None:
        sentence = _(
            "“%(value)s” is not a file name of a price table. Write it like acme.csv.", value=table[:60]
        )
        return _files(sentence, kind), 422
    with write() as session:
        upload = keep(session, kind, table, name, data, person)
    return redirect(url_for("admin.file_preview", token=upload.token))


def _plain_name(sent: str) -> str:
    """The last part of whatever path a browser sent."""
    return PureWindowsPath(PurePosixPath(sent.replace("\0", "")).name).name[:200]


def _upload(token: str) -> Upload:
    query = (
        select(Upload).where(Upload.token == token).options(undefer(Upload.data), joinedload(Upload.person))
    )
    found = get_session().scalars(query).one_or_none()
    if found is None:
        abort(404)
    return found


@bp.get("/files/<token>")
@owner
def file_preview(token: str) -> str:
    """What the file would change, or every error with line and column."""
    upload = _upload(token)
    plan = _plan_of(upload)
    return _preview(upload, plan)


def _plan_of(upload: Upload) -> Plan | None:
    """None when the upload is decided and its content gone."""
    if upload.data is None:
        return None
    transfer = Transfer(upload.kind, upload.table)
    return transfer.plan(get_session(), transfer.read(upload.data))


def _preview(upload: Upload, plan: Plan | None) -> str:
    changes = [change for change in plan.changes if change.state != SAME] if plan is not None else []
    return render_template(
        "admin/file_preview.html",
        upload=upload,
        name=_(NAMES[upload.kind]),
        plan=plan,
        errors=[(messages.place(error), messages.say(error)) for error in plan.errors]
        if plan is not None
        else [],
        notices=[(messages.place(error), messages.say(error)) for error in plan.notices]
        if plan is not None
        else [],
        changes=changes[:SHOWN],
        hidden=max(len(changes) - SHOWN, 0),
        looks={
            "new": ("ok", _("New")),
            "changed": ("warn", _("Changed")),
            "removed": ("block", _("Removed")),
        },
        states=STATES,
    )


@bp.post("/files/<token>/apply")
@owner
def file_apply(token: str) -> Redirect | tuple[str, int]:
    """Write exactly what the preview showed, in one transaction, or nothing."""
    upload, person = _upload(token), current_person()
    plan = _plan_of(upload)
    if plan is None:
        flash(_("This file was decided before."), "warn")
        return redirect(url_for("admin.file_preview", token=token))
    if not plan.is_ok or request.form.get("fingerprint") != plan.fingerprint:
        flash(_("The shop has changed since the preview. Look again; nothing was written."), "warn")
        return _preview(upload, plan), 409
    transfer = Transfer(upload.kind, upload.table)
    try:
        # A price table is a file of the shop folder: nobody else writes one at the same time.
        with holding(current_shop()), write() as session:
            held = session.scalars(locked(select(Upload).where(Upload.token == token))).one()
            if held.state != "new":
                return redirect(url_for("admin.file_preview", token=token))
            counts = transfer.apply(session, plan, person)
            decide(held, "applied", counts)
            audit.record(
                session, person, "import", f"upload:{upload.filename}", None, {"kind": upload.kind, **counts}
            )
    except PlanRefusedError as refused:
        flash(_("The shop has changed since the preview. Look again; nothing was written."), "warn")
        return _preview(upload, refused.plan), 409
    if upload.kind != "price-table":
        current_shop().rulebook.recheck()
    flash(_("Taken: %(new)s new, %(changed)s changed, %(same)s the same.", **counts), "ok")
    return redirect(url_for("admin.files"))


@bp.post("/files/<token>/discard")
@owner
def file_discard(token: str) -> Redirect:
    """Forget the file."""
    with write() as session:
        held = session.scalars(locked(select(Upload).where(Upload.token == token))).one_or_none()
        if held is None:
            abort(404)
        if held.state == "new":
            decide(held, "discarded")
    return redirect(url_for("admin.files"))


@bp.get("/files/export/<kind>.csv")
@staff
def file_export(kind: str) -> Response | Redirect:
    """The file that an import takes back unchanged, in UTF-8 with BOM or in CP932."""
    if kind not in KINDS:
        abort(404)
    encoding = asked("encoding", 8) or ENCODINGS[0]
    if encoding not in ENCODINGS:
        abort(400)
    table = asked("table") if kind == "price-table" else ""
    try:
        data = Transfer(kind, table).export(get_session(), encoding)
    except UncodableError as error:
        shown = " ".join(error.characters[:20])
        flash(
            _("Shift_JIS (CP932) has no %(characters)s. Take UTF-8, or change the text.", characters=shown),
            "block",
        )
        return redirect(url_for("admin.files"))
    if data is None:
        abort(404)
    name = f"{kind}-{today().isoformat()}.csv" if kind != "price-table" else "price-table.csv"
    answer = Response(data, mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=table or name)
    return answer
