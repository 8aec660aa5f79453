"""What somebody wants a new API key to be, as typed at the desk or on the command line: understood, or why not.

Writes nothing; storefront/api/keys.py makes the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.accounts import Company
from storefront.api.keys import EVALUATE, LONGEST_NAME, SCOPES, end_of
from storefront.clock import today
from storefront.forms import clean
from storefront.language import _

MOST_YEARS = 10


@dataclass
class Wish:
    """A key to be made: for `company`, or for the shop itself when None. `errors` are sentences by field."""

    typed: dict[str, str]
    name: str = ""
    company: Company | None = None
    expires_at: datetime | None = None
    errors: dict[str, str] = field(default_factory=dict)


def read_wish(session: Session, *, name: str, scope: str, code: str, until: str) -> Wish:
    """Understand the four fields; a key of a company needs a code, one of the shop must not have one."""
    wish = Wish(
        {"name": clean(name), "scope": scope, "code": clean(code), "until": clean(until)}, name=clean(name)
    )
    if not wish.name:
        wish.errors["name"] = _("Write what the key is for, such as the name of the program.")
    elif len(wish.name) > LONGEST_NAME:
        wish.errors["name"] = _("At most %(most)s characters.", most=LONGEST_NAME)
    if scope not in SCOPES:
        wish.errors["scope"] = _("Choose one of the list.")
    elif scope == EVALUATE:
        _read_company(session, wish)
    elif wish.typed["code"]:
        wish.errors["code"] = _("A key of the shop itself has no customer. Leave this empty.")
    if wish.typed["until"]:
        _read_last_day(wish)
    return wish


def _read_company(session: Session, wish: Wish) -> None:
    code = wish.typed["code"]
    if not code:
        wish.errors["code"] = _("Write the code of the customer whose prices the key may ask for.")
        return
    if code.isprintable():
        wish.company = session.scalars(select(Company).where(Company.code == code)).one_or_none()
    if wish.company is None:
        wish.errors["code"] = _("There is no customer with the code %(code)s.", code=code[:64])


def _read_last_day(wish: Wish) -> None:
    first = today()
    try:
        last_day = date.fromisoformat(wish.typed["until"])
    except ValueError:
        last_day = date.min
    if first <= last_day and last_day.year <= first.year + MOST_YEARS:
        wish.expires_at = end_of(last_day)
    else:
        wish.errors["until"] = _(
            "Write a day from today on and within %(years)s years, like 2027-12-31.", years=MOST_YEARS
        )
