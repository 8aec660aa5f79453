"""API keys at the desk: the list for staff; the owner makes and revokes them. A new key is shown once, never again."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storefront.access import current_person, owner, staff
from storefront.admin.desk import bp
from storefront.api.keys import EVALUATE, EVALUATE_ANY, RATES, all_keys, create_key, last_day_of, revoke_key
from storefront.api.wishes import read_wish
from storefront.clock import now
from storefront.database import get_session, write
from storefront.language import N_, _

LOOKS = {
    "active": ("full", N_("Active")),
    "expired": ("none", N_("Expired")),
    "revoked": ("none", N_("Revoked")),
}
SCOPE_WORDS = {
    EVALUATE: N_("Prices of one customer"),
    EVALUATE_ANY: N_("Prices of any customer"),
    RATES: N_("Shipping rates"),
}
FIELDS = ("name", "scope", "code", "until")


@bp.get("/api-keys")
@staff
def api_keys() -> str:
    """Every key, newest first, without its secret."""
    return _page({"scope": EVALUATE}, {})


@bp.post("/api-keys")
@owner
def api_key_add() -> str | tuple[str, int]:
    """Make a key and show it in this one answer."""
    wanted = {name: request.form.get(name, "") for name in FIELDS}
    with write() as session:
        wish = read_wish(session, **wanted)
        if not wish.errors:
            _key, token = create_key(
                session,
                wish.name,
                wish.company,
                expires_at=wish.expires_at,
                actor=current_person(),
                scope=wanted["scope"],
            )
    if wish.errors:
        return _page(wish.typed, wish.errors), 422
    return _page({"scope": EVALUATE}, {}, token, wish.name)


@bp.post("/api-keys/<int:number>/revoke")
@owner
def api_key_revoke(number: int) -> Response:
    """End a key at once."""
    with write() as session:
        key = revoke_key(session, number, actor=current_person())
    if key is None:
        abort(404)
    flash(_("The key %(name)s opens nothing any more.", name=key.name), "ok")
    return redirect(url_for("admin.api_keys"))


def _page(typed: dict[str, str], errors: dict[str, str], token: str = "", name: str = "") -> str:
    moment = now()
    return render_template(
        "admin/api_keys.html",
        keys=[(key, *LOOKS[key.state(moment)], last_day_of(key)) for key in all_keys(get_session())],
        scope_words=SCOPE_WORDS,
        scopes=[(scope, _(word)) for scope, word in SCOPE_WORDS.items()],
        typed=typed,
        errors=errors,
        token=token,
        name=name,
    )
