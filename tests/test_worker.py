"""koguchi worker and koguchi plugins, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.cli import main
from storefront.database import write
from storefront.mail import Mail
from support.ordering import placed
from support.shop import SHOP_TOML, write_shop


def test_worker_once_does_what_is_due_and_ends(
    app: Flask, shop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 100})
    app.extensions["koguchi"].close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'shop.sqlite'}")
    assert main(["worker", str(shop_folder), "--once"]) == 0
    with app.app_context(), write() as session:
        assert session.scalars(select(Mail.to)).all() == ["hayashi@example.com"]


def test_worker_says_what_is_wrong_with_a_shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker", str(tmp_path), "--once"]) == 1
    assert "shop.toml" in capsys.readouterr().err


def test_plugins_lists_each_with_its_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", str(write_shop(tmp_path)), "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["bank_transfer"]["state"] == "active"
    assert rows["bank_transfer"]["kind"] == "payments"
    assert rows["dummy"]["state"] == "off"


def test_plugins_names_the_broken_one_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_shop(tmp_path, SHOP_TOML + "\n[plugins.table_rat]\nenabled = true\n")
    assert main(["plugins", str(folder)]) == 1
    assert "did you mean table_rate?" in capsys.readouterr().out
