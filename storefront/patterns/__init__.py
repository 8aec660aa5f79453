"""Rules from patterns: what an owner fills in becomes a rule file with comments and cases, a file a form again.

Pure: no Flask, no database, no clock; files are written by the desk (storefront/shop_folder/files.py).
"""

from collections.abc import Iterable, Mapping

from rules.ruleset import GROUPS
from storefront.patterns.forms import Form, apply_form, read_form
from storefront.patterns.kinds import Fault, Field, Pattern, PatternError, Said, read_values
from storefront.patterns.renewing import with_new_cases
from storefront.patterns.scenes import Setting
from storefront.patterns.table import PATTERNS
from storefront.patterns.writing import write

__all__ = [
    "PATTERNS",
    "Fault",
    "Field",
    "Form",
    "Pattern",
    "PatternError",
    "Said",
    "Setting",
    "apply_form",
    "next_code",
    "read_form",
    "read_values",
    "with_new_cases",
    "write_rule",
]


def write_rule(
    pattern_id: str,
    values: Mapping[str, object],
    *,
    code: str,
    setting: Setting | None = None,
    language: str = "ja",
) -> str:
    """A rule file as TOML text: name in ja and en, because, [when], effect, and cases that pass.

    `values` are those of PATTERNS[pattern_id].fields, typed or as text; PatternError names each wrong one.
    `setting` (rules, catalog, methods, today of the shop) makes cases with the shop's own products.
    """
    return write(PATTERNS[pattern_id], values, code=code, setting=setting, language=language)


def next_code(codes: Iterable[str], group: str) -> str:
    """A code of the group that is not among `codes`: the next ten after the highest, QT10 for the first."""
    if group not in GROUPS:
        raise ValueError(f"{group} is no group of rules; groups are {', '.join(GROUPS)}")
    taken = {int(code[2:]) for code in codes if code[:2] == group and code[2:].isdecimal()}
    highest = max(taken, default=0)
    free = (highest // 10 + 1) * 10
    if free < 1_000_000:
        return f"{group}{free}"
    return f"{group}{next(one for one in range(1, 1_000_000) if one not in taken)}"
