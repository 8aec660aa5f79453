"""The demo shop with its twelve past orders, for tests of what was ordered once."""

import shutil
import tempfile
from pathlib import Path

from flask import Flask

from storefront import create_app
from storefront.clock import set_clock
from storefront.demo_orders import place_past_orders
from storefront.own_packages import examples_folder
from storefront.seed import seed_shop
from support.shop import FixedClock


def open_past_shop(folder: Path, database_url: str) -> Flask:
    """The demo's files in a new folder, over a database in which `with_past_orders` was done."""
    shutil.copytree(examples_folder() / "neji", folder, ignore=shutil.ignore_patterns("var"))
    app = create_app(folder, database_url=database_url)
    set_clock(app, FixedClock())
    return app


def with_past_orders(database_url: str) -> None:
    """Fills a new database: for `prepared_database`."""
    with tempfile.TemporaryDirectory() as place:
        app = open_past_shop(Path(place) / "neji", database_url)
        seed_shop(app)
        place_past_orders(app, app.extensions["koguchi"].settings.folder)
        app.extensions["koguchi"].close()
