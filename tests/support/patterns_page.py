"""Writes docs/patterns.md and patterns.ja.md from PATTERNS: each with its fields and the file that comes out of it.

Run as `python tests/support/patterns_page.py`; a test compares the pages.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from storefront.patterns import PATTERNS, Field, Pattern, Setting, write_rule

ROOT = Path(__file__).parents[2]
PAGES = {"en": ROOT / "docs" / "patterns.md", "ja": ROOT / "docs" / "patterns.ja.md"}
# What is filled in for the example of each pattern; its sentence says the same.
SAMPLES: dict[str, dict[str, Any]] = {
    "minimum": {"category": "screws", "minimum": 100, "multiple": 10, "fee_from": 60, "amount": 800},
    "lot": {"category": "nuts", "multiple": 100},
    "maximum": {"category": "turned", "maximum": 2000},
    "small_lot_fee": {"category": "screws/machine", "below": 100, "amount": 800},
    "setup_charge": {"category": "specials", "amount": 2500},
    "opened_carton_fee": {"category": "nuts", "amount": 300},
    "customer_price": {"customer": "YAMATE", "sku": "P-15", "unit": 118},
    "volume_breaks": {
        "category": "turned",
        "breaks": [{"from": 200, "off_percent": 10}, {"from": 500, "off_percent": 15}],
    },
    "season_price": {"category": "knobs", "off_percent": 10, "until": date(2027, 2, 28)},
    "discount": {"subtotal": 50_000, "percent": 3, "at_most": 5_000},
    "order_minimum": {"minimum": 3_000, "fee_from": 1_000, "amount": 500},
    "order_maximum": {"maximum": 300_000},
    "lead_times": {
        "tiers": [
            {"code": "standard", "days": 5},
            {"code": "express", "days": 2, "percent": 20, "cutoff": "12:30"},
        ]
    },
    "free_shipping": {"free_from": 15_000, "methods": ["flat_rate"]},
    "new_customers": {"orders": 3, "hide": ["net_terms"]},
    "quotation_only": {"category": "screws/low"},
    "hide": {"sku": "HK-01", "only_for": "HAYASHI"},
}
_HEADS = {
    "en": """# Patterns

At the desk, *Shop rules, New rule* offers these forms. Each writes a rule file like the one shown, with comments and
with cases that were computed before they were written. A form opens an existing file as well and changes nothing but
what was changed in it; keys that it cannot show stay as they are. In Japanese: [patterns.ja.md](patterns.ja.md).

Every form also has the name and the reason in both languages (`name`, `because`), the first and the last day
(`from`, `until`), and the rules that it wins against (`beats`).
""",
    "ja": """# ルールの型

帳場の「ルール」から「新しいルール」を選ぶと、次のフォームが出ます。どれも、ここに見えるようなルールの
ファイルを、説明と事例をつけて書きます。事例は、書く前に計算してあります。いまあるファイルもフォームで開けます。
変えたところだけが変わり、フォームに出ない項目はそのまま残ります。英語は [patterns.md](patterns.md) です。

どのフォームにも、名前と理由(日本語と英語、`name`、`because`)、始まる日と終わる日(`from`、`until`)、
勝つ相手(`beats`)の欄があります。
""",
}
_WORDS = {
    "en": ("Field", "Key", "Allowed", "needed", "For example:", "several"),
    "ja": ("欄", "キー", "入れられるもの", "必須", "例:", "いくつでも"),
}
_COMMON = ("name_ja", "name_en", "because_ja", "because_en", "from", "until", "beats")


def page(language: str) -> str:
    """The whole page as Markdown."""
    parts = [_HEADS[language]]
    parts += [
        f"- [{one.title.in_(language)}](#{one.id}): {one.about.in_(language)}" for one in PATTERNS.values()
    ]
    parts += ["", *("\n".join(_pattern(one, language)) for one in PATTERNS.values())]
    return "\n".join(parts)


def _pattern(pattern: Pattern, language: str) -> Iterator[str]:
    label, key, bound, _needed, example, _several = _WORDS[language]
    yield f'<a id="{pattern.id}"></a>\n\n## {pattern.title.in_(language)}\n'
    yield f"{pattern.about.in_(language)} {example} {pattern.example.in_(language)}\n"
    yield f"| {label} | {key} | {bound} |\n|---|---|---|"
    for field in pattern.fields:
        if field.name not in _COMMON:
            yield from _field(field, language)
    text = write_rule(
        pattern.id, SAMPLES[pattern.id], code=f"{pattern.group}10", setting=Setting(), language=language
    )
    yield f"\n```toml\n{text}```\n"


def _field(field: Field, language: str) -> Iterator[str]:
    needed, several = _WORDS[language][3], _WORDS[language][5]
    label = f"**{field.label.in_(language)}**" + (f" ({needed})" if field.required else "")
    if field.help is not None:
        label += f"<br>{field.help.in_(language)}"
    where = ".".join(str(part) for part in field.at if not isinstance(part, int))
    bound = field.bound().in_(language) + (f" ({several})" if field.many else "")
    yield f"| {label} | `{where}` | {'' if field.columns else bound} |"
    for column in field.columns:
        yield from _field(column, language)


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(page(language), "utf-8")
        sys.stdout.write(f"{path}\n")
