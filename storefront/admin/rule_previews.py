"""Last month's orders under a draft, and without a rule, at the desk."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, url_for

from storefront.access import staff
from storefront.admin.desk import bp
from storefront.admin.rule_editor import draft_of
from storefront.admin.rule_files import code_of
from storefront.clock import today
from storefront.database import get_session
from storefront.replays.asked import company_names
from storefront.replays.preview import Preview, of_draft, of_rule
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
    names = company_names(get_session(), hit)
    return render_template("admin/rule_preview.html", preview=preview, names=names, **values)
