"""A draft of the rules from files: another shop folder, or rule files that are laid over the shop's own.

Reads; nothing is written, and the shop's folder stays as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from rules import Catalog, Finding, Ruleset, load_ruleset
from rules.differences import rule_differences

ALLOWED = (
    "a shop folder (with shop.toml), a folder of rule files, a rule file (.toml) or a price table (.csv)"
)
_FOLDERS = ("rules", "exceptions", "prices")


class DraftError(Exception):
    """The draft cannot be used; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What to load: a folder, and files laid over it by path (None: gone)."""

    folder: Path
    overlay: Mapping[str, bytes | None] = field(default_factory=dict)


def read_draft(shop: Path, draft: Path) -> Draft:
    """The draft at a path. Raises DraftError."""
    if draft.is_dir():
        if (draft / "shop.toml").is_file():
            return Draft(draft)
        return Draft(shop, _folder_overlay(shop, draft))
    if not draft.is_file():
        raise DraftError(f"there is no draft {draft}. Allowed: {ALLOWED}.")
    try:
        return Draft(shop, overlay_of(shop, draft.name, draft.read_bytes()))
    except OSError as error:
        raise DraftError(f"{draft} cannot be read: {error.strerror or error}.") from None


def overlay_of(shop: Path, name: str, content: bytes) -> dict[str, bytes | None]:
    """One file laid over the shop: a rule takes the place of the rule with its code, whatever that file is called."""
    if name.endswith(".csv"):
        return {f"prices/{name}": content}
    if not name.endswith(".toml"):
        raise DraftError(f"{name} is no rule file. Allowed: {ALLOWED}.")
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DraftError(f"{name}: {error}.") from None
    if "code" not in data and "rule" in data:
        return {f"exceptions/{name}": content}
    code = data.get("code")
    if not isinstance(code, str):
        raise DraftError(f'{name} has no code = "..." and is no rule. Allowed: {ALLOWED}.')
    own = f"rules/{name}" if _is_called(name, code) else f"rules/{code}.toml"
    found: dict[str, bytes | None] = {f"rules/{other}": None for other in _files_of(shop, code)}
    return found | {own: content}


def _folder_overlay(shop: Path, draft: Path) -> dict[str, bytes | None]:
    files = [path for path in sorted(draft.iterdir()) if path.is_file() and path.suffix in (".toml", ".csv")]
    for inside in _FOLDERS:
        if (draft / inside).is_dir():
            files += [
                path for path in sorted((draft / inside).rglob("*")) if path.suffix in (".toml", ".csv")
            ]
    if not files:
        raise DraftError(f"{draft} holds no rule file. Allowed: {ALLOWED}.")
    found: dict[str, bytes | None] = {}
    for path in files:
        if path.parent == draft or path.parent.name == "rules":
            found |= overlay_of(shop, path.name, path.read_bytes())
        else:
            found[path.relative_to(draft).as_posix()] = path.read_bytes()
    return found


def _is_called(name: str, code: str) -> bool:
    stem = name[: -len(".toml")]
    return stem == code or stem.startswith(f"{code}_")


def _files_of(shop: Path, code: str) -> list[str]:
    """The names of the shop's own files of a rule."""
    try:
        return sorted(path.name for path in (shop / "rules").glob("*.toml") if _is_called(path.name, code))
    except OSError:
        return []


def load_draft(
    draft: Draft, catalog: Catalog, methods: Collection[str] | None, today: date
) -> tuple[Ruleset | None, tuple[Finding, ...]]:
    """The rule set, and what is wrong with it; None when it cannot be used.

    Where only cases fail it can: trying a draft is how its owner finds out which cases have to change with it.
    """
    loaded = load_ruleset(draft.folder, catalog, methods, today, overlay=draft.overlay)
    if loaded.ruleset is None and all(one.check == "case-fails" for one in loaded.errors):
        return loaded.parsed, loaded.errors
    return loaded.ruleset, loaded.errors


def as_if_begun(live: Ruleset, draft: Ruleset, today: date) -> tuple[Ruleset, list[str]]:
    """The draft with its rules that begin later in force all along, and their codes: past orders are to meet them."""
    states = rule_differences(live, draft)
    later = [
        rule.code
        for rule in draft.rules
        if rule.code in states and rule.from_on is not None and rule.from_on > today
    ]
    rules = tuple(replace(rule, from_on=None) if rule.code in later else rule for rule in draft.rules)
    return (replace(draft, rules=rules, compiled={}) if later else draft), later
