"""Adds a person outside the web pages: for `koguchi user add` and for seeding. Passwords are hashed here."""

from __future__ import annotations

import email_validator
from flask_security import hash_password
from sqlalchemy import select

from storefront import audit
from storefront.accounts.models import BUYER_ROLES, ROLES, Company, User
from storefront.database import write

SHORTEST = 10
LONGEST = 200


class AddingError(ValueError):
    """The person cannot be added; the text says what is wrong and what is allowed."""


def add_person(
    email: str,
    password: str,
    *,
    name: str = "",
    role: str = "buyer",
    company: str | None = None,
    language: str = "ja",
) -> User:
    """A new person with a password. Raises AddingError with a sentence."""
    try:
        address = email_validator.validate_email(email, check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError as error:
        raise AddingError(f"{email}: {error}") from None
    if not SHORTEST <= len(password) <= LONGEST:
        raise AddingError(f"the password must have {SHORTEST} to {LONGEST} characters")
    if role not in ROLES:
        raise AddingError(f"{role} is no role; allowed: {', '.join(ROLES)}")
    if (role in BUYER_ROLES) != bool(company):
        raise AddingError("buyers need a company's code, and the shop's own people have none")
    with write() as session:
        if (
            session.scalars(select(User.id).where(User.email == address.normalized.lower())).first()
            is not None
        ):
            raise AddingError(f"{address.normalized} has an account already")
        company_id = (
            session.scalars(select(Company.id).where(Company.code == company)).one_or_none()
            if company
            else None
        )
        if company and company_id is None:
            raise AddingError(f"there is no company with the code {company}")
        user = User(
            email=address.normalized.lower(),
            name=name or address.local_part,
            role=role,
            company_id=company_id,
            language=language,
            password=hash_password(password),
        )
        session.add(user)
        audit.record(session, None, "add", f"user:{user.email}", after={"role": role, "company": company})
    return user
