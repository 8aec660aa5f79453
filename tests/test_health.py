"""/health and `koguchi health` tell whether orders can be taken, and nothing that helps an attacker."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import cli
from support.shop import write_shop

BROKEN = 'id = "QT99"\n[quantity]\nminumum = 5\n'


def test_a_shop_in_order_says_so(client: FlaskClient) -> None:
    answer = client.get("/health")
    told = answer.get_json()
    assert answer.status_code == 200
    assert (told["ok"], told["database"], told["rules"]["state"], told["matcher"]) == (
        True,
        "ok",
        "current",
        "indexed",
    )
    assert told["rules"]["hash"].startswith("sha256:")


def test_a_broken_rule_file_keeps_the_shop_open_and_is_told(client: FlaskClient, shop_folder: Path) -> None:
    before = client.get("/health").get_json()["rules"]["hash"]
    (shop_folder / "rules" / "QT99.toml").write_text(BROKEN, encoding="utf-8")
    answer = client.get("/health")
    told = answer.get_json()["rules"]
    assert answer.status_code == 200
    assert (told["state"], told["hash"]) == ("stale", before)
    assert told["stale_since"]


def test_a_broken_shop_toml_keeps_the_plugins_and_is_told(
    app: Flask, client: FlaskClient, shop_folder: Path
) -> None:
    assert (
        app.extensions["koguchi"].plugins
        and client.get("/health").get_json()["plugins"]["state"] == "current"
    )
    text = (shop_folder / "shop.toml").read_text(encoding="utf-8")
    (shop_folder / "shop.toml").write_text("[broken", encoding="utf-8")
    answer = client.get("/health")
    assert answer.status_code == 200 and answer.get_json()["plugins"]["state"] == "stale"
    assert answer.get_json()["plugins"]["stale_since"] and "broken" not in answer.get_data(as_text=True)
    (shop_folder / "shop.toml").write_text(text, encoding="utf-8")
    assert client.get("/health").get_json()["plugins"] == {"state": "current", "stale_since": None}


def test_without_any_good_rules_no_order_can_be_taken(tmp_path: Path) -> None:
    from support.shop import make_app

    app = make_app(write_shop(tmp_path / "bad", rules={"QT99.toml": BROKEN}))
    answer = app.test_client().get("/health")
    app.extensions["koguchi"].close()
    assert answer.status_code == 503
    assert answer.get_json()["rules"] == {"state": "none"}


def test_a_database_that_does_not_answer_is_503_without_its_address(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    from storefront import health

    def gone() -> Any:
        raise OperationalError("SELECT 1", {}, Exception("connection to 10.0.0.5 refused"))

    monkeypatch.setattr(health, "get_session", gone)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.get_json()["database"] == "unavailable"
    assert "10.0.0.5" not in answer.get_data(as_text=True)


def test_the_command_tells_the_same_and_exits_by_it(
    shop_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert cli.main(["health", "--shop", str(shop_folder)]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
