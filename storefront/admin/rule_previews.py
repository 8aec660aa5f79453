"""Last month's orders under a draft, and without a rule, at the desk."""

from __future__ import annotations

from typing import Any

from babel.dates import format_date
from flask import abort, current_app, render_template, url_for
from sqlalchemy import select

from storefront.access import staff
from storefront.accounts import Company
from storefront.admin.desk import bp
from storefront.admin.rule_editor import draft_of
from storefront.admin.rule_files import code_of
from storefront.clock import today
from storefront.database import get_session
from storefront.language import language
from storefront.rule_preview import Preview, of_draft, of_rule
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop


@bp.get("/rules/drafts/<int:draft_id>/preview")
@staff
def rule_draft_preview(draft_id: int) -> str:
    """What the draft would have changed."""
    draft = draft_of(draft_id)
    preview = of_draft(current_shop(), draft.path, draft.text, today())
    back = url_for("admin.rule_draft", draft_id=draft_id)
    return _page(preview, code=code_of(draft.path) or draft.path, draft=draft, back=back)


@bp.get("/rules/<code>/effect")
@staff
def rule_effect(code: str) -> str:
    """What the rule changed."""
    try:
        known = {rule.code for rule in current_shop().rulebook.current().rules}
    except NoRulesError:
        known = set()
    if code not in known:
        abort(404)
    return _page(of_rule(current_shop(), code, today()), code=code, back=url_for("admin.rule", code=code))


def _page(preview: Preview, **values: Any) -> str:
    hit = [code for code, _pair in preview.found.hit] if preview.found is not None else []
    query = select(Company.code, Company.name).where(Company.code.in_(hit))
    names = {code: name for code, name in get_session().execute(query)} if hit else {}  # noqa: C416  (rows)
    form = "y年M月" if language() == "ja" else "MMMM y"
    replay_at = url_for("admin.replays") if "admin.replays" in current_app.view_functions else ""
    return render_template(
        "admin/rule_preview.html",
        preview=preview,
        names=names,
        month=format_date(preview.month, form, locale=language()),
        replay_at=replay_at,
        **values,
    )
