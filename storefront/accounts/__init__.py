"""Accounts: companies, people, addresses; sign-in, applications and the team page live in the modules beside.

Features outside import the models from here and nothing deeper.
"""

from storefront.accounts.models import (
    APPLICATION_STATES,
    BUYER_ROLES,
    COMPANY_STATES,
    ROLES,
    STAFF_ROLES,
    Address,
    Application,
    Company,
    User,
)

__all__ = [
    "APPLICATION_STATES",
    "BUYER_ROLES",
    "COMPANY_STATES",
    "ROLES",
    "STAFF_ROLES",
    "Address",
    "Application",
    "Company",
    "User",
]
