"""Callers of the API for tests: a key made through the shop's own door, and a call with it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront.accounts import Company
from storefront.api.keys import create_key
from storefront.database import write

EVALUATE = "/api/v1/evaluate"


def make_key(app: Flask, code: str | None, *, expires_at: datetime | None = None) -> str:
    """A token of the company, or of the shop itself for None."""
    with app.app_context(), write() as session:
        company = None
        if code is not None:
            company = session.scalars(select(Company).where(Company.code == code)).one()
        return create_key(session, f"ERP of {code}", company, expires_at=expires_at, actor=None)[1]


def ask(app: Flask, token: str | None, body: Any, query: str = "", **headers: str) -> TestResponse:
    """POST a cart, or raw text or bytes, as a program does: without cookies, the answer read to its end."""
    sent = body if isinstance(body, str | bytes) else json.dumps(body)
    known = {"Content-Type": "application/json"} | headers
    if token is not None:
        known["Authorization"] = f"Bearer {token}"
    client = app.test_client(use_cookies=False)
    return client.post(EVALUATE + query, data=sent, headers=known, buffered=True)


def cart_of(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    """cart_of(("M4-10", 100), channel="api")."""
    return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], **more}
