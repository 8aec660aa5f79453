"""A shop with the test provider, told what to do; what happens at the provider; its signed messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.database import get_session
from storefront.incidents import Incident
from storefront.orders import Order
from storefront.payments import Payment, payment_of
from support.ordering import placed
from support.shop import SHOP_TOML, seeded_app, sign_in, write_shop

CART = {"N4-SUS": 100}
SECRET = "a-webhook-secret-of-tests"
_events = count(1)


@contextmanager
def dummy_shop(folder: Path, database_url: str, *, settings: str = "", **overrides: Any) -> Iterator[Flask]:
    """The seeded shop with the test provider enabled; `settings` are lines of [plugins.dummy]."""
    table = f'\n[plugins.dummy]\nenabled = true\nwebhook_secret = "{SECRET}"\n{settings}\n'
    app = seeded_app(write_shop(folder, SHOP_TOML + table), database_url, **overrides)
    app.config["WTF_CSRF_ENABLED"] = True  # providers post without a token
    yield app
    app.extensions["koguchi"].close()


def dummy(app: Flask) -> Any:
    """The provider itself."""
    return app.extensions["koguchi"].plugins.payments["dummy"]


def tell(app: Flask, **settings: Any) -> None:
    """tell(app, outcome="pending"): what the provider does from now on."""
    provider = dummy(app)
    provider.settings = provider.settings.model_copy(update=settings)


def pay_with(app: Flask, outcome: str, login: str = "hayashi") -> Payment:
    """A placed order whose payment's start ends so; needs an application context."""
    tell(app, outcome=outcome)
    payment = payment_of(get_session(), placed(login, CART, payment="dummy").id)
    assert payment is not None
    return payment


def newly() -> Session:
    """The reading session without the snapshot it may hold: what others wrote meanwhile is seen."""
    session = get_session()
    session.commit()
    return session


class Visitor:
    """A client whose requests have a context of their own, though the test stands inside one."""

    def __init__(self, app: Flask, login: str) -> None:
        self.client = app.test_client()
        sign_in(self.client, login)

    def get(self, path: str, **options: Any) -> Any:
        return Context().run(self.client.get, path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return Context().run(self.client.post, path, **options)


def again(payment: Payment) -> Payment:
    """The payment as it is now."""
    return newly().get_one(Payment, payment.id, populate_existing=True)


def order_of(payment: Payment) -> Order:
    return newly().get_one(Order, payment.order_id, populate_existing=True)


def incidents() -> list[str]:
    return list(newly().scalars(select(Incident.kind).order_by(Incident.id)))


def post(client: FlaskClient, payment: Payment, kind: str = "changed", event: str | None = None) -> int:
    """Post one signed event about a payment; the status of the answer."""
    app = client.application
    at = int(app.extensions["koguchi"].clock().timestamp())
    name = event or f"ev-{next(_events)}"
    headers, body = dummy(app).webhook(at, (name, payment.provider_ref or "", kind))
    return client.post("/webhooks/dummy", data=body, headers=headers).status_code
