"""What the processes of the crowd are forks of: imported once, it has loaded the whole shop and placed an order in one.

It keeps nothing open, no file, no connection and no thread: a fork would share them.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from support import once
from support.ordering import placed
from support.shop import make_app, seed, write_shop


def load() -> None:
    with TemporaryDirectory() as folder:
        app = make_app(write_shop(Path(folder)))
        seed(app)
        with app.app_context():
            placed("hayashi", {"N4-SUS": 1})
        app.extensions["koguchi"].close()


once.install()
load()
