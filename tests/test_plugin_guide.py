"""The plugins that docs/plugins.md writes out: they keep every promise, and a shop takes orders with them."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from plugins.testing import Carrier, payments, shipping
from storefront.clock import now
from support.plugin_package import install
from support.shop import SHOP_TOML, make_app, seed, sign_in, write_shop
from test_checkout import add_address, confirm, fill, orders
from test_contract_kit import kit, outcome

GUIDE = (Path(__file__).resolve().parent.parent / "docs" / "plugins.md").read_text("utf-8")
ENABLED = """
[plugins.paybox]
enabled = true
api_key = "key-of-the-tests"
webhook_secret = "secret-of-the-tests"

[plugins.bicycle]
enabled = true
"""


def code(word: str) -> str:
    """The block of code after the first place where the guide names a file."""
    return GUIDE.split(f"`{word}`")[1].split("```python\n")[1].split("```")[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site")
    for name in ("paybox", "bicycle"):
        install(folder, name, "", target=name)
        (folder / f"{name}.py").write_text(code(f"{name}.py"), "utf-8")
    (folder / "test_paybox.py").write_text(code("test_paybox.py"), "utf-8")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def module(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None and spec.loader is not None
    sys.modules[name] = found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_paybox_keeps_every_promise(site: Path) -> None:
    subject = module(site, "test_paybox").subject.__wrapped__()
    found = {test: outcome(function, subject) for test, function in kit(payments).items()}
    assert {test: said for test, said in found.items() if said not in ("passed", "left out")} == {}
    assert sum(said == "passed" for said in found.values()) > 36


def test_the_bicycle_keeps_every_promise(site: Path) -> None:
    carrier = Carrier(module(site, "bicycle").Bicycle, wrong_settings={"price_minor": -1})
    found = {test: outcome(function, carrier) for test, function in kit(shipping).items()}
    assert {test: said for test, said in found.items() if said not in ("passed", "left out")} == {}


@pytest.fixture(scope="module")
def app(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("guide")
    app = make_app(
        write_shop(folder / "shop", SHOP_TOML + ENABLED), database_url=f"sqlite:///{folder / 'shop.db'}"
    )
    app.config["WTF_CSRF_ENABLED"] = False
    seed(app)
    add_address(app)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    sign_in(client, "hayashi")
    fill(app, "hayashi", {"M4-10": 40})
    return client


def test_a_buyer_pays_with_the_guides_plugin_and_has_it_sent_by_the_other(
    app: Flask, client: FlaskClient, site: Path
) -> None:
    provider: Any = app.extensions["koguchi"].plugins.payments["paybox"]
    tests = module(site, "test_paybox")
    provider._call = service = tests.Service()
    assert (
        "By bicycle within Osaka" in client.get("/checkout?lang=en").text
    )  # nobody knows what a screw weighs
    answer = confirm(client, payment="paybox")
    assert answer.status_code == 303
    away = client.get(f"/orders/{orders(app)[-1].number}/payment/go")  # where the order's own page leads
    assert "https://pay.paybox.example/pb_1" in away.text
    assert service.sent == [orders(app)[-1].total_minor]
    service.pay("pb_1")
    body = json.dumps({"id": "evt_1", "type": "payment", "payment": "pb_1"}).encode()
    forged = app.test_client().post("/webhooks/paybox", data=body, headers={"PayBox-Signature": "1.abc"})
    assert forged.status_code == 400
    assert orders(app)[-1].state == "awaiting_payment"
    with app.app_context():
        moment = now()
    signed = tests.webhook(provider, type("Payment", (), {"provider_ref": "pb_1"}), moment, "known")
    assert app.test_client().post(
        "/webhooks/paybox", data=signed.body, headers=signed.headers
    ).status_code in (200, 204)
    client.get(f"/orders/{orders(app)[-1].number}/payment")  # back from the page
    assert orders(app)[-1].state != "awaiting_payment"
