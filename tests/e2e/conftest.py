"""The demo shop in a real browser: made once per process, copied for each test, served on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from storefront import create_app
from storefront.own_packages import examples_folder
from storefront.seed import demo_people, seed_shop
from support.demo_shop import Demo
from support.live_server import serving


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop with its database, made once."""
    folder = tmp_path_factory.mktemp("demo") / "neji"
    shutil.copytree(examples_folder() / "neji", folder)
    app = create_app(folder, rate_limits={"enabled": False})
    seed_shop(app)
    app.extensions["koguchi"].rulebook.current()
    app.extensions["koguchi"].close()
    return folder


@pytest.fixture
def demo(demo_folder: Path, tmp_path: Path, browser: Browser) -> Iterator[Demo]:
    folder = tmp_path / "neji"
    shutil.copytree(demo_folder, folder)
    app = create_app(folder, rate_limits={"enabled": False})
    with serving(app) as address:
        yield Demo(address, folder, app, demo_people(folder)[0], browser)
        for context in browser.contexts:
            context.close()
    app.extensions["koguchi"].close()
