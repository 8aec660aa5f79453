"""A payer's name as banks write it, made comparable: ｶ)ｱｵﾔｷﾞ, カブシキガイシャ アオヤギ and アオヤキ゛ are one. Pure."""

from __future__ import annotations

import re
import unicodedata

# How banks shorten the form of a company, before and after its name; and the forms written out.
_SHORT = "カ|ユ|ド|メ|シ|ザイ|シヤ|シャ|イ|フク|ガク"
_BEFORE = re.compile(rf"^\(?(?:{_SHORT})\)")
_AFTER = re.compile(rf"\((?:{_SHORT})\)?$")
_WHOLE = re.compile(
    "カブシキガイシヤ|カブシキガイシャ|ユウゲンガイシヤ|ユウゲンガイシャ|ゴウドウガイシヤ|ゴウドウガイシャ|株式会社|有限会社|合同会社"
)
_SMALL = str.maketrans("ァィゥェォッャュョヮ", "アイウエオツヤユヨワ")
_MARKS = frozenset("\u3099\u309a\u309b\u309c")
_IGNORED = frozenset(" 　.,・･-ー‐―−()「」｢｣/\\")


def comparable(name: str) -> str:
    """The name in full-width katakana without company form, blanks, small kana, voiced marks or long vowels."""
    text = unicodedata.normalize("NFKC", name).upper().strip()
    text = "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in text)
    text = _AFTER.sub("", _BEFORE.sub("", _WHOLE.sub("", text).strip()))
    # ガ and カ゛ are written both ways, and marks are left out by hand: compare without them.
    bare = (char for char in unicodedata.normalize("NFD", text) if char not in _MARKS)
    return "".join(char for char in "".join(bare).translate(_SMALL) if char not in _IGNORED)
