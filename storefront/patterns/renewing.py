"""The cases of a rule file written anew from its form, when its numbers have changed. Texts only."""

from __future__ import annotations

from dataclasses import replace

import tomlkit

from rules.one_rule import read_rule
from storefront.patterns.forms import read_form
from storefront.patterns.scenes import Setting, cases_of
from storefront.patterns.writing import case_text


def with_new_cases(text: str, setting: Setting, language: str = "ja") -> str:
    """The file with the cases of its pattern in place of its own; as it is where it has no form or has errors."""
    form = read_form(text, setting.currency)
    rule, _findings = (
        read_rule(text, f"rules/{form.code}.toml", policy=setting.ruleset.policy) if form else (None, ())
    )
    if form is None or rule is None:
        return text
    doc = tomlkit.parse(text)
    if "case" in doc:
        del doc["case"]
    cases = cases_of(form.pattern, form.values, replace(rule, cases=()), setting, language)
    return tomlkit.dumps(doc).rstrip("\n") + "\n" + "".join(case_text(case) for case in cases)
