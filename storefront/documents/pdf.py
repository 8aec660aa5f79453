"""One template and its data become one PDF/A, byte for byte the same for the same data.

Texts reach the template as data, never as markup. A character without a glyph would vanish, so it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from storefront.own_packages import static_folder

FOLDER = Path(__file__).parent
FONT = "BIZ UDPGothic"
STAND_IN = "〓"  # the printers' mark for a character that is not in the fount


class MissingGlyphs(ValueError):
    """The font lacks characters of the data; `characters` names them."""

    def __init__(self, characters: str) -> None:
        super().__init__(f"the font {FONT} has no glyph for {', '.join(map(repr, characters))}")
        self.characters = characters


def as_pdf(template: str, data: Mapping[str, Any], *, most_pages: int | None = None) -> bytes | None:
    """The PDF of storefront/documents/TEMPLATE.typ. None when it has more than `most_pages`.

    Raises MissingGlyphs; without_missing_glyphs(data) never does.
    """
    missing = "".join(sorted(set(_characters(data)) - _glyphs()))
    if missing:
        raise MissingGlyphs(missing)
    options: dict[str, Any] = {
        "font_paths": [str(fonts_folder())],
        "ignore_system_fonts": True,
        "sys_inputs": {"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
    }
    path = FOLDER / f"{template}.typ"
    if most_pages is not None:
        pages = json.loads(typst.query(path, "<pages>", field="value", one=True, **options))
        if pages > most_pages:
            return None
    made: bytes = typst.compile(path, None, format="pdf", pdf_standards="a-3b", **options)
    return made


def without_missing_glyphs(data: Any) -> Any:
    """The same data with 〓 for every character that the font does not have, as printers do."""
    if isinstance(data, str):
        return "".join(char if char in _glyphs() else STAND_IN for char in data)
    if isinstance(data, Mapping):
        return {key: without_missing_glyphs(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_missing_glyphs(value) for value in data]
    return data


def fonts_folder() -> Path:
    """Where the vendored fonts stand."""
    return static_folder() / "fonts"


@cache
def _glyphs() -> frozenset[str]:
    """Every character of the font, and the line breaks that need no glyph."""
    with TTFont(fonts_folder() / "BIZUDPGothic-Regular.ttf", lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap())) | {"\n"}


def _characters(data: Any) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, Mapping):
        return "".join(_characters(value) for value in data.values())
    if isinstance(data, list | tuple):
        return "".join(_characters(value) for value in data)
    return ""
