"""Writes docs/checks.md and checks.ja.md from CHECKS and tests/bad_rules: each check with a wrong and a right example.

Run as `python tests/support/checks_page.py`; a test compares the pages.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]
BAD_RULES = ROOT / "tests" / "bad_rules"
PAGES = {"en": ROOT / "docs" / "checks.md", "ja": ROOT / "docs" / "checks.ja.md"}
METHODS = ("bank_transfer", "dummy", "flat_rate", "net_terms", "table_rate")
TODAY = date(2026, 12, 1)
LONGEST = 2_000  # of an example in the page
# What the book of the language promises to check, in its words and order, and the checks that keep the promise.
BOOK = {
    "TOML syntax": ("toml-syntax", "not-utf8"),
    "unknown key": ("unknown-key",),
    "unknown fact": ("unknown-fact",),
    "unknown operator": ("unknown-operator",),
    "unknown category": ("unknown-category",),
    "unknown sku": ("unknown-sku",),
    "unknown group or customer": ("unknown-group", "unknown-customer"),
    "unknown method": ("unknown-method",),
    "wrong type": ("wrong-type", "wrong-value", "empty-value", "missing-key", "conflicting-keys"),
    "wrong unit": ("too-many-decimals", "wrong-value", "unknown-tax"),
    "wrong currency": ("wrong-value", "too-many-decimals"),
    "fact read before its stage": ("fact-too-early",),
    "tie": ("tie", "order-tie"),
    "no quantity allowed at all under minimum, multiple, maximum and allowed": ("no-quantity",),
    "maximum below minimum": ("maximum-below-minimum",),
    "overlapping or duplicate breaks and table rows": ("repeated-break", "repeated-row", "table-row"),
    "date window reversed": ("reversed-dates",),
    "code repeated": ("repeated-code", "file-name", "wrong-effect"),
    "beats an unknown rule or in a circle": ("unknown-rule", "beats-circle", "beats-needless"),
    "placeholder without a fact": ("placeholder",),
    "case that fails": ("case-fails",),
    "a file over 1 MB or nested too deep": ("too-large", "too-deep", "unreadable", "outside-folder"),
    "two equal exceptions on the same days": ("repeated-exception",),
    "a surcharge that does not say how often it is charged": ("surcharge-without-per",),
    "rule that can never apply": ("never-applies", "similar-names", "key-without-effect"),
    "allowed quantity or step that other rules make unreachable": ("unreachable-quantity",),
    "break below the minimum, off the multiple or above the maximum": ("break-off-quantity",),
    "minimum off the multiple": ("minimum-off-multiple",),
    "price below cost or above list": ("below-cost", "above-list"),
    "a later lane dearer than an earlier one": ("dearer-lane",),
    "price cliff (a larger quantity that costs less in total, with both quantities)": ("price-cliff",),
    "gap in dates": ("date-gap",),
    "rule without a case": ("rule-without-case",),
    "rule no case reaches": ("rule-not-covered",),
    "expired rule or exception": ("expired",),
    "accepted warning that is gone": ("stale-accept",),
}
_SEVERITIES = {"error": "誤り", "warning": "注意"}


def page(language: str) -> str:
    """The whole page as Markdown."""
    return "\n".join(_english() if language == "en" else _japanese()) + "\n"


def _japanese() -> Iterator[str]:
    from rules.check_table import CHECKS

    yield "# ルールの検査"
    yield ""
    yield "`koguchi rules check SHOP --lang ja` は、店のフォルダのファイルをすべて読み、次の検査をします。"
    yield "端末の言語が日本語なら `--lang ja` は要りません。[English](checks.md)"
    yield ""
    yield "- **誤り**が一つでもあるあいだ、その一式は使われません。店は、前の正しい一式のまま動き続けます。"
    yield "- **注意**は何も止めません。わかっていて残す注意は、そのルールのファイルの `code` の並びに"
    yield '  `accept = ["price-cliff"]` のように書きます。'
    yield ""
    yield "どのメッセージも、ファイル名と行番号、何がおかしいか、どう直すかの順に出ます。"
    yield "例は tests/bad_rules のフォルダと同じものです。"
    yield ""
    yield "| 検査 | 種類 | 意味 |"
    yield "|---|---|---|"
    for code, check in CHECKS.items():
        yield f"| [{code}](#{code}) | {_SEVERITIES[check.severity]} | {check.ja} |"
    for code, check in CHECKS.items():
        yield ""
        yield f"## {code}"
        yield ""
        yield f"{_SEVERITIES[check.severity]}。{check.ja}"
        yield from _example(code, "ja")


def _english() -> Iterator[str]:
    from rules.check_table import CHECKS

    yield "# Checks / 検査"
    yield ""
    yield "`koguchi rules check SHOP` reads every file and makes these checks. An error keeps the rules from use;"
    yield "a warning never stops anything. Each example is a folder of tests/bad_rules."
    yield ""
    yield "誤り(error)があるあいだ、その一式は使われません。注意(warning)は何も止めません。"
    yield ""
    yield 'A warning that is meant is accepted in its rule file, beside `code`: `accept = ["price-cliff"]`.'
    yield 'わかっていて残す注意は、そのルールのファイルの `code` の並びに `accept = ["price-cliff"]` と書きます。'
    yield ""
    yield "Messages are English; `--lang ja`, or a Japanese locale, makes them Japanese (JSON only with `--lang`)."
    yield "このページの日本語版は [checks.ja.md](checks.ja.md) です。"
    yield ""
    yield "| check | severity | meaning | 意味 |"
    yield "|---|---|---|---|"
    for code, check in CHECKS.items():
        yield f"| [{code}](#{code}) | {check.severity} | {check.en} | {check.ja} |"
    yield ""
    yield "## What is checked"
    yield ""
    yield "| what | checks |"
    yield "|---|---|"
    for what, codes in BOOK.items():
        yield f"| {what} | {', '.join(f'[{code}](#{code})' for code in codes)} |"
    for code, check in CHECKS.items():
        yield ""
        yield f"## {code}"
        yield ""
        yield f"{check.en} {check.ja}"
        yield from _example(code, "en")


def _example(code: str, language: str) -> Iterator[str]:
    from rules import load_ruleset

    folder = BAD_RULES / code
    finding = load_ruleset(folder, methods=METHODS, today=TODAY).findings[0]
    yield ""
    yield "Wrong / 誤:" if language == "en" else "誤った例:"
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stem != "right"):
        yield from _file(folder, path)
    yield ""
    yield f"> {finding.printed(language)}"
    for right in folder.glob("right.*"):
        yield ""
        yield "Right / 正:" if language == "en" else "正しい例:"
        yield ""
        yield f"```{right.suffix[1:]}"
        yield right.read_text().rstrip()
        yield "```"


def _file(folder: Path, path: Path) -> Iterator[str]:
    text = path.read_bytes().decode(errors="replace").rstrip()
    yield ""
    yield f"`{path.relative_to(folder).as_posix()}`"
    yield ""
    yield f"```{path.suffix[1:]}"
    yield text if len(text) <= LONGEST else text[:200] + f" ... ({len(text):,} characters)"
    yield "```"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for language, path in PAGES.items():
        path.write_text(page(language))
