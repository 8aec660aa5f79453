"""Where a rule's file is, who changed it last, and which drafts wait: what the pages of the rules desk share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import abort
from sqlalchemy import select

from rules import Finding, Ruleset
from storefront.accounts import User
from storefront.database import get_session
from storefront.language import _
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop
from storefront.shop_folder.drafts import RuleDraft, open_drafts
from storefront.shop_folder.versions import BY_FILE, ShopFileVersion, newest_of_all

_CODE = re.compile(r"[A-Z]{2}[0-9]{1,6}", re.ASCII)
_FILE = re.compile(r"rules/([A-Z]{2}[0-9]{1,6})(?:_[^/]*)?\.toml", re.ASCII)


def path_of(code: str) -> str:
    """The file of a rule: in force, broken, waiting in the folder, or removed and remembered. Else 404."""
    if not _CODE.fullmatch(code):
        abort(404)
    book = current_shop().rulebook
    ruleset: Ruleset | None
    try:
        ruleset = book.current()
    except NoRulesError:
        ruleset = None
    for rule in ruleset.rules if ruleset is not None else ():
        if rule.code == code:
            return str(rule.path)
    told: Iterable[Finding] = book.findings
    known = [found.file for found in told if found.rule == code and code_of(found.file) == code]
    folder = current_shop().settings.folder / "rules"
    known += [f"rules/{file.name}" for file in sorted(folder.glob(f"{code}*.toml"))]
    known += sorted(path for path in newest_of_all(get_session(), None) if path.startswith(f"rules/{code}"))
    found = next((path for path in known if code_of(path) == code), None)
    if found is None:
        abort(404)
    return found


def code_of(path: str) -> str:
    """QT12 of rules/QT12_turned.toml; "" where the name holds none."""
    match = _FILE.fullmatch(path)
    return match[1] if match is not None else ""


def names_of(addresses: Iterable[str]) -> dict[str, str]:
    """What people of the shop are called, by the address that a version or a draft keeps."""
    wanted = {one for one in addresses if one != BY_FILE}
    found = (
        get_session().execute(select(User.email, User.name).where(User.email.in_(wanted))) if wanted else ()
    )
    names = {email: name or email for email, name in found}
    return {one: names.get(one, one) for one in wanted} | {BY_FILE: _("in the folder")}


@dataclass(frozen=True)
class Change:
    """The last change of a file, for a list."""

    at: datetime
    who: str


def last_changes() -> dict[str, Change]:
    """Who changed each file last, and when: two queries."""
    found = newest_of_all(get_session())
    names = names_of(version.actor for version in found.values())
    return {path: Change(version.at, names[version.actor]) for path, version in found.items() if version.sha}


def removed_rules() -> list[tuple[str, ShopFileVersion]]:
    """Rules whose files are gone, with the version that says so; they can be brought back."""
    found = newest_of_all(get_session()).items()
    return sorted((code_of(path), version) for path, version in found if not version.sha and code_of(path))


@dataclass(frozen=True)
class Waiting:
    """A draft as a list shows it."""

    draft: RuleDraft
    who: str

    @property
    def code(self) -> str:
        return code_of(self.draft.path) or self.draft.path


def waiting_drafts(path: str | None = None) -> list[Waiting]:
    """Open drafts, the last saved first."""
    drafts = open_drafts(get_session(), path)
    names = names_of(draft.actor for draft in drafts)
    return [Waiting(draft, names[draft.actor]) for draft in drafts]
