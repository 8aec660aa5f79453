"""Form fields that clean what was typed and answer with a sentence; used by every feature's FlaskForms.

A refused field keeps what was typed. Nothing here knows a table or a price.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import email_validator
from flask_wtf import FlaskForm
from wtforms import Field, StringField, ValidationError
from wtforms.validators import StopValidation

from storefront.language import _
from storefront.regions import REGIONS, read_postcode

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def clean(typed: str | None, *, lines: bool = False) -> str:
    """What was typed without control characters and outer blanks; one line unless `lines`.

    Every letter stays as it is: normalising would turn 神 (U+FA19) into another character of somebody's name.
    """
    text = _CONTROLS.sub("", (typed or "").replace("\r\n", "\n")).strip()
    return text if lines else re.sub(r"[\s\u2028\u2029]+", " ", text)


class ShopForm(FlaskForm):  # type: ignore[misc, unused-ignore]
    """A form whose faults() go on top of the page, each linked to its field."""

    def faults(self) -> list[tuple[str, str]]:
        return [
            (name, str(errors[0]))
            for name, errors in self.errors.items()
            if name and errors and name != "csrf_token"
        ]

    def error(self, name: str) -> str:
        """The first sentence about a field, or nothing."""
        errors = self[name].errors
        return str(errors[0]) if errors else ""


class Text(StringField):
    """One line of text of at most `longest` characters, cleaned."""

    def __init__(
        self, longest: int, *, needed: str = "", validators: Sequence[Any] = (), **kwargs: Any
    ) -> None:
        self.longest, self.needed = longest, needed
        super().__init__("", validators=[_fits, *validators], **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean(str(valuelist[0])) if valuelist else ""


class Lines(Text):
    """Text of several lines."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = clean(str(valuelist[0]), lines=True) if valuelist else ""


def _fits(_form: Any, field: Field) -> None:
    if isinstance(field, Text):
        if field.needed and not _INVISIBLE.sub("", field.data or ""):
            raise StopValidation(_(field.needed))
        if len(field.data or "") > field.longest:
            raise StopValidation(
                _(
                    "This is %(length)s characters long; %(most)s fit here.",
                    length=len(field.data or ""),
                    most=field.longest,
                )
            )


def is_mail_address(form: Any, field: Field) -> None:
    """Normalises a mail address to lower case, or says how one looks."""
    try:
        field.data = email_validator.validate_email(field.data, check_deliverability=False).normalized.lower()
    except email_validator.EmailNotValidError:
        raise ValidationError(_("Enter a mail address, like name@example.com.")) from None


def is_postcode(form: Any, field: Field) -> None:
    """Keeps the seven digits of a postcode."""
    digits = read_postcode(field.data or "")
    if digits is None:
        raise ValidationError(_("Enter seven digits, like 577-0011."))
    field.data = digits


def is_region(form: Any, field: Field) -> None:
    """One of the prefectures."""
    if field.data not in REGIONS:
        raise ValidationError(_("Choose a prefecture."))


def is_phone(form: Any, field: Field) -> None:
    """Digits, with +, blanks, brackets and hyphens."""
    plain = unicodedata.normalize("NFKC", field.data or "").translate({ord(dash): "-" for dash in "‐‑–—―−ー"})
    if not re.fullmatch(r"[0-9+()\- ]{6,24}", plain) or sum(sign.isdigit() for sign in plain) < 6:
        raise ValidationError(_("Enter a phone number in digits, like 06-0000-0000."))
    field.data = plain
