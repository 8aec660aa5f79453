"""Languages: English msgids, Japanese from translations/ja/LC_MESSAGES/*.po, read once at start.

One .po per feature; there is no compiled catalogue. Texts of the shop itself are {ja, en} tables: see text().
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations
from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel, Domain

from storefront.problems import is_for_the_api

FOLDER = Path(__file__).parent / "translations"
COOKIE = "koguchi_language"


def merged_catalog(language: str, folder: Path = FOLDER) -> Catalog:
    """All .po files of a language as one catalogue. Raises ValueError when two translate one msgid differently."""
    merged = Catalog(locale=language)
    for path in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if not message.id or not message.string or message.fuzzy:
                    continue
                known = merged.get(message.id, message.context)
                if known is not None and known.string != message.string:
                    raise ValueError(f"{path.name}: {message.id!r} is translated differently in another file")
                merged.add(message.id, message.string, context=message.context)
    return merged


@lru_cache(maxsize=4)
def _translations(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merged_catalog(language))
    compiled.seek(0)
    return Translations(compiled)


class _Messages(Domain):
    def get_translations(self) -> Any:
        return _translations(language())


_domain = _Messages()


def _(message: str, **values: Any) -> str:
    """`message` in the reader's language, %(name)s replaced by `name`; with values a percent sign is doubled."""
    text = str(_translations(language()).gettext(message))
    return text % values if values else text


def N_(message: str) -> str:  # noqa: N802  (the name that gettext's tools look for)
    """`message` itself: marks a text that another place translates with _()."""
    return message


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """Like _ for a count; %(num)s is the count."""
    return str(_translations(language()).ngettext(singular, plural, num)) % {"num": num, **values}


def lazy(message: str) -> LazyProxy:
    """A message translated when it is shown: for labels made at import."""
    return LazyProxy(_, message, enable_cache=False)


# What the proxy `g` stands for, without going through the proxy: a third of the time.
_globals: Callable[[], Any] = g._get_current_object


def language() -> str:
    """The reader's language: ?lang=, the one last chosen that way, the signed-in user's, the browser's, the shop's."""
    # Asked hundreds of times for a page, so the usual answer is one look-up.
    try:
        known: str = _globals().koguchi_language
        return known
    except AttributeError:
        g.koguchi_language = chosen = _choose()
        return chosen
    except RuntimeError:
        return "en"  # outside any application


def speak(chosen: str) -> None:
    """Use `chosen` until the application context ends: for mails and jobs."""
    g.koguchi_language = chosen


def _choose() -> str:
    offered = current_app.extensions["koguchi"].settings.languages
    if not has_request_context():
        return str(offered[0])
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in offered:
            return str(wish)
    if (wish := _persons_language()) in offered:
        return str(wish)
    return request.accept_languages.best_match(offered, default=offered[0]) or str(offered[0])


def _persons_language() -> str | None:
    # Looking up the person costs a query: only for those who carry a session.
    if "_user_id" not in session:
        return None
    from flask_login import current_user

    return current_user.language if current_user.is_authenticated else None


def text(table: Mapping[str, str] | Any | None) -> str:
    """The reader's side of a {ja, en} table, or its other side when that one is missing."""
    if table is None:
        return ""
    if isinstance(table, str):
        return table
    if isinstance(table, (dict, Mapping)):  # dict first: whether others are mappings takes longer to find out
        return str(table.get(language()) or table.get("ja") or table.get("en") or "")
    return str(table[language()])


def init_app(app: Flask) -> None:
    """Flask-Babel for dates and library messages, `_` in templates, and the language cookie."""
    Babel(app, locale_selector=language, default_domain="messages")
    app.jinja_env.globals.update(_=_, gettext=_, ngettext=ngettext, language=language)
    app.jinja_env.filters["text"] = text
    for offered in app.extensions["koguchi"].settings.languages:
        _translations(offered)

    @app.after_request
    def remember(response: Any) -> Any:
        # A paper in its customer's language does not change that of whoever prints it.
        is_page = not is_for_the_api() and response.mimetype != "application/pdf"
        wish = request.args.get("lang") if is_page else None
        if wish in app.extensions["koguchi"].settings.languages and request.cookies.get(COOKIE) != wish:
            response.set_cookie(
                COOKIE,
                str(wish),
                max_age=365 * 86_400,
                path=app.config["SESSION_COOKIE_PATH"],
                secure=app.config["SESSION_COOKIE_SECURE"],
                httponly=True,
                samesite="Lax",
            )
        return response
