"""Every sentence of the shop has one Japanese translation, and no translation is left without its sentence."""

import re
from collections import defaultdict
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from storefront import language
from storefront.language import FOLDER, _, merged_catalog, ngettext, text

STOREFRONT = FOLDER.parent
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "lazy": None, "gettext": None, "ngettext": (1, 2)}


def extracted() -> dict[str, set[str]]:
    """Every msgid in sources and templates, with the files that say it."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in (STOREFRONT, STOREFRONT.parent / "plugins"):
        rows = extract_from_dir(folder, METHODS, keywords=KEYWORDS)
        for file, _line, message, *_rest in rows:
            for msgid in message if isinstance(message, tuple) else (message,):
                if msgid:
                    found[msgid].add(f"{folder.name}/{file}")
    return found


def translated() -> dict[str, list[tuple[str, object]]]:
    """Every msgid in the .po files, with (file, translation) for each."""
    found: dict[str, list[tuple[str, object]]] = defaultdict(list)
    for path in sorted((FOLDER / "ja" / "LC_MESSAGES").glob("*.po")):
        for message in read_po(BytesIO(path.read_bytes()), locale="ja"):
            if message.id:
                for msgid in message.id if isinstance(message.id, tuple) else (message.id,):
                    found[msgid].append((path.name, message.string))
    return found


def test_every_sentence_has_a_japanese_translation() -> None:
    known = {
        msgid for msgid, rows in translated().items() if all(_is_filled(string) for _file, string in rows)
    }
    missing = [
        f"{', '.join(sorted(files))}: {msgid!r}" for msgid, files in extracted().items() if msgid not in known
    ]
    assert not missing, f"{len(missing)} without a translation:\n" + "\n".join(sorted(missing))


def test_no_translation_is_left_without_its_sentence() -> None:
    said = extracted()
    orphans = [f"{rows[0][0]}: {msgid!r}" for msgid, rows in translated().items() if msgid not in said]
    assert not orphans, "\n".join(sorted(orphans))


def test_no_sentence_is_translated_in_two_ways() -> None:
    differing = [
        f"{msgid!r}: {rows}"
        for msgid, rows in translated().items()
        if len({str(string) for _file, string in rows}) > 1
    ]
    assert not differing, "\n".join(differing)


def test_translations_keep_every_placeholder() -> None:
    wrong = [
        f"{file}: {msgid!r} -> {string!r}"
        for msgid, rows in translated().items()
        for file, string in rows
        for one in (string if isinstance(string, tuple) else (string,))
        if one and set(PLACEHOLDER.findall(str(one))) - set(PLACEHOLDER.findall(msgid)) - {"num"}
    ]
    assert not wrong, "\n".join(wrong)


def _is_filled(string: object) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


def test_two_files_that_disagree_are_refused_at_start(tmp_path: Path) -> None:
    folder = tmp_path / "ja" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "a.po").write_text('msgid "Cart"\nmsgstr "かご"\n', encoding="utf-8")
    (folder / "b.po").write_text('msgid "Cart"\nmsgstr "カート"\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"b\.po: 'Cart' is translated differently"):
        merged_catalog("ja", tmp_path)


@pytest.mark.parametrize(
    ("wish", "headers", "expected"),
    [
        ("", {}, "ja"),
        ("", {"Accept-Language": "en-GB,en;q=0.9"}, "en"),
        ("", {"Accept-Language": "fr"}, "ja"),
        ("?lang=en", {"Accept-Language": "ja"}, "en"),
        ("?lang=xx", {"Accept-Language": "en"}, "en"),
        ("?lang=../../etc", {}, "ja"),
    ],
)
def test_a_visitor_reads_the_language_asked_for(
    client: FlaskClient, wish: str, headers: dict[str, str], expected: str
) -> None:
    page = client.get(f"/login{wish}", headers=headers).get_data(as_text=True)
    assert f'<html lang="{expected}">' in page


def test_a_chosen_language_stays_chosen(client: FlaskClient) -> None:
    client.get("/login?lang=en")
    assert '<html lang="en">' in client.get("/login").get_data(as_text=True)


def test_texts_of_the_shop_fall_back_to_their_other_language(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        assert text({"ja": "個", "en": "pcs"}) == "pcs"
        assert text({"ja": "個"}) == "個"
        assert text(None) == ""


def test_values_are_put_in_and_percent_signs_stay(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        assert _("%(length)s of 100%%", length=5) == "5 of 100%"
        assert _("100%") == "100%"
        assert ngettext("%(num)s line", "%(num)s lines", 1) == "1 line"
        assert ngettext("%(num)s line", "%(num)s lines", 4) == "4 lines"
        language.speak("ja")
        assert ngettext("%(num)s line", "%(num)s lines", 4) == "4行"
