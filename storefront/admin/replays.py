"""A draft of the rules over past orders, at the desk: choose, wait, read, take as CSV, tell the customers.

The counting is done by the outbox worker; nothing here changes a rule or an order.
"""

from __future__ import annotations

from datetime import date

from flask import Response, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import undefer
from werkzeug.wrappers import Response as Redirect

from rules.diff_words import LANGUAGES, notice, sentences
from storefront.access import current_person, staff
from storefront.admin.desk import bp, page_of
from storefront.database import get_session, write
from storefront.language import N_, _, language
from storefront.page import LANGUAGE_NAMES, lead_to
from storefront.replays import asked as replays
from storefront.replays.asked import DraftRefusedError, Note, Replay
from storefront.replays.drafts import DraftError, overlay_of
from storefront.replays.shown import csv_text, offer_to
from storefront.shop import current_shop
from storefront.shop_folder.drafts import OPEN, RuleDraft, open_drafts

bp.record(lambda state: offer_to(state.app.jinja_env))

PERIODS = {
    "last:1m": N_("The last month"),
    "last:3m": N_("The last 3 months"),
    "last:12m": N_("The last 12 months"),
    "all": N_("All orders"),
}
STATES = {
    replays.WAITING: ("half", N_("Waiting for the worker")),
    replays.RUNNING: ("half", N_("Being counted")),
    replays.DONE: ("ok", N_("Counted")),
    replays.FAILED: ("block", N_("Could not be counted")),
}
ALL_DRAFTS = "all"


class _RefusedError(Exception):
    """The form cannot be taken; the message is for its reader, `field` where it stands."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@bp.get("/replays")
@staff
def replays_list() -> str:
    """The form, and the comparisons asked for so far."""
    return _list({}, {"period": "last:12m", "draft": request.args.get("draft", "")[:12]})


def _list(errors: dict[str, str], typed: dict[str, str]) -> str:
    drafts = open_drafts(get_session())
    choices = [(str(one.id), f"{one.path} ({one.actor})") for one in drafts]
    if len(drafts) > 1:
        choices.append((ALL_DRAFTS, _("All open drafts together")))
    return render_template(
        "admin/replays.html",
        page=page_of(get_session(), select(Replay).order_by(Replay.id.desc())),
        drafts=[("", _("The file below")), *choices] if choices else [],
        periods=[(value, _(word)) for value, word in PERIODS.items()],
        period_word=_period_word,
        states=STATES,
        errors=errors,
        typed=typed,
    )


def _period_word(source: str) -> str:
    """A period in words: one of the form's, or its two days."""
    return _(PERIODS[source]) if source in PERIODS else source.replace("..", " – ")


@bp.post("/replays")
@staff
def replay_ask() -> Redirect | tuple[str, int]:
    """Ask for a comparison: an open draft or an uploaded file, over a period."""
    person = current_person()
    if person is None:
        abort(403)
    form = request.form
    typed = {name: form.get(name, "")[:40] for name in ("draft", "period", "first", "last")}
    try:
        source = _source(typed)
        name, overlay = _draft(typed["draft"])
    except _RefusedError as error:
        return _list({error.field: str(error)}, typed), 422
    with write() as session:
        number = replays.ask(session, name=name, overlay=overlay, source=source, actor=person.email)
    return redirect(url_for("admin.replay", replay_id=number), 303)


def _source(typed: dict[str, str]) -> str:
    """The period: two days where one was given, else the choice."""
    if typed["first"] or typed["last"]:
        try:
            first, last = (date.fromisoformat(typed[name]) for name in ("first", "last"))
        except ValueError:
            raise _RefusedError("first", _("Give both days, such as 2026-01-01 and 2026-12-31.")) from None
        if first > last:
            raise _RefusedError("first", _("The first day is after the last one."))
        return f"{first}..{last}"
    if typed["period"] not in PERIODS:
        raise _RefusedError("period", _("Choose a period."))
    return typed["period"]


def _draft(chosen: str) -> tuple[str, dict[str, str | None]]:
    """What is tried: one open draft or all of them, else the file that was sent."""
    if chosen == ALL_DRAFTS:
        drafts = open_drafts(get_session())
        if drafts:
            # The last saved first: of two drafts of one file that one counts.
            return ", ".join(one.name for one in drafts), {one.path: one.text for one in reversed(drafts)}
    elif chosen:
        known = (
            get_session().get(RuleDraft, int(chosen))
            if chosen.isascii() and chosen.isdigit() and len(chosen) < 10
            else None
        )
        if known is None or known.state != OPEN:
            raise _RefusedError("draft", _("This draft is no longer open. Choose another one."))
        return known.path, {known.path: known.text}
    sent = request.files.get("file")
    content = sent.read() if sent is not None else b""
    if sent is None or not content:
        raise _RefusedError("file", _("Choose a draft, or a rule file that is not empty."))
    name = (sent.filename or "").replace("\\", "/").rpartition("/")[2].replace("\0", "")[:200]
    try:
        files = overlay_of(current_shop().settings.folder, name, content)
        return name, {
            path: None if data is None else data.decode("utf-8-sig") for path, data in files.items()
        }
    except DraftError as error:
        raise _RefusedError("file", str(error)) from None
    except UnicodeDecodeError:
        raise _RefusedError("file", _("The file is not UTF-8. Save it as UTF-8.")) from None


def _replay(replay_id: int, *columns: str) -> Replay:
    if replay_id >= 2**31:
        abort(404)  # more than the column holds
    query = select(Replay).where(Replay.id == replay_id)
    found = (
        get_session()
        .scalars(query.options(*(undefer(getattr(Replay, name)) for name in columns)))
        .one_or_none()
    )
    if found is None:
        abort(404)
    return found


@bp.get("/replays/<int:replay_id>")
@staff
def replay(replay_id: int) -> str:
    """The comparison, or how far it is."""
    found = _replay(replay_id, "result")
    codes = [one["customer"] for one in found.result["customers"]] if found.result else []
    codes += [one["customer"] for one in found.result["refused"]] if found.result else []
    return render_template(
        "admin/replay.html",
        replay=found,
        states=STATES,
        period=_period_word(found.source),
        names=replays.company_names(get_session(), sorted(set(codes))) if codes else {},
    )


@bp.get("/replays/<int:replay_id>/progress")
@staff
def replay_progress(replay_id: int) -> str | Redirect:
    """The part of the page that asks again while the worker counts."""
    found = _replay(replay_id)
    if found.state in (replays.DONE, replays.FAILED):
        return lead_to(url_for("admin.replay", replay_id=replay_id))
    return render_template("admin/_replay_progress.html", replay=found, states=STATES)


@bp.get("/replays/<int:replay_id>.csv")
@staff
def replay_csv(replay_id: int) -> Response:
    """The whole, each customer with a change, region, month and rule as rows."""
    found = _replay(replay_id, "result")
    if found.result is None:
        abort(404)
    codes = [one["customer"] for one in found.result["customers"]]
    names = replays.company_names(get_session(), codes) if codes else {}
    answer = Response("\ufeff" + csv_text(found.result, names), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"replay-{replay_id}.csv")
    return answer


@bp.get("/replays/<int:replay_id>/customers/<path:code>")
@staff
def replay_notice(replay_id: int, code: str) -> str:
    """What the draft changes for one customer, and the notice that says so, in both languages."""
    found, shop = _replay(replay_id, "overlay"), current_shop()
    problems: list[Note] = []
    told, texts = None, []
    name = replays.company_names(get_session(), [code]).get(code, "")
    try:
        told = replays.told(shop, found.overlay, code)
    except KeyError:
        abort(404)
    except DraftRefusedError as error:
        problems = list(error.args)
    if told is not None:
        own = shop.settings.legal_name or shop.settings.name
        contact = " ".join(part for part in (shop.settings.phone, shop.settings.email) if part)
        texts = [
            (
                lang,
                *notice(
                    told.diff, lang, shop=own[lang], name=name, contact=contact, starts_on=told.starts_on
                ),
            )
            for lang in LANGUAGES
        ]
    return render_template(
        "admin/replay_notice.html",
        replay=found,
        code=code,
        name=name,
        told=told,
        changes=sentences(told.diff, language()) if told is not None else [],
        texts=texts,
        problems=problems,
        language_names=LANGUAGE_NAMES,
    )
