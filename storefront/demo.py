"""The demo shop: a copy of examples/neji with its own SQLite database, people and past orders, served locally.

Made once; afterwards the folder belongs to whoever plays with it, and no start writes over a rule or an order.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from storefront.own_packages import examples_folder

if TYPE_CHECKING:
    from flask import Flask

READY = Path("var") / "demo-ready"  # written last: a demo cut short is finished at the next start


class DemoError(Exception):
    """The demo cannot be made or served; the message says what to do."""


def make(folder: Path) -> None:
    """Make the demo shop in `folder` unless it is there; one of an older version gets the tables of this one.

    Raises DemoError, SeedError or SettingsError.
    """
    if (folder / READY).is_file():
        _bring_up_to_date(folder)
        return
    if not (folder / "shop.toml").is_file():
        _copy(folder)
    from storefront import create_app
    from storefront.demo_orders import place_past_orders
    from storefront.seed import seed_shop

    print("Making the demo shop, this happens once ...", file=sys.stderr, flush=True)
    app = create_app(folder)
    added = seed_shop(app)
    orders = place_past_orders(app, folder)
    counts = ", ".join(f"{added[kind]} {kind}" for kind in ("products", "customers", "people"))
    print(f"{folder}: {counts}, {orders} past orders.", file=sys.stderr, flush=True)
    app.extensions["koguchi"].close()
    (folder / READY).write_text("delete this folder to begin the demo afresh\n", encoding="utf-8")


def _bring_up_to_date(folder: Path) -> None:
    from storefront import schema
    from storefront.database import open_databases
    from storefront.settings import load_settings

    engine = open_databases(load_settings(folder).database_url).reading
    try:
        if schema.current(engine) != schema.newest():
            schema.upgrade(engine)
    finally:
        engine.dispose()


def _copy(folder: Path) -> None:
    """The example's files, all or none of them."""
    if folder.exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} is no shop folder and not empty: name another one with --folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(examples_folder() / "neji", half, ignore=shutil.ignore_patterns("var"))
    if folder.exists():
        folder.rmdir()
    half.rename(folder)


def serve(folder: Path, host: str, port: int) -> int:
    """Serve until interrupted. The address and the logins are printed when the door is open."""
    from storefront.commands.serve import server

    _must_be_free(host, port)
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  (only compared with)
    address = f"http://{shown}:{port}/"
    base_url = address.rstrip("/")

    def open_the_door(arbiter: Any) -> None:
        if os.fork() == 0:
            _work(arbiter.app.wsgi())
        print(welcome(folder, address), flush=True)

    options = {
        "bind": f"{host}:{port}",
        "workers": 2,
        "worker_class": "gthread",
        "threads": 4,
        "preload_app": True,  # one import serves all processes: the start is twice as quick
        "loglevel": "warning",
        "control_socket_disable": True,
        "when_ready": open_the_door,
    }
    server(folder, options, base_url=base_url).run()
    return 0


def _work(shop: Flask) -> NoReturn:
    """Do what orders leave behind, such as mails, beside the server and no longer than it lives."""
    from storefront.jobs import run_in

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)  # the server's own handlers came along with the fork
    server, never = os.getppid(), threading.Event()
    try:
        while os.getppid() == server:
            run_in(shop)
            never.wait(1)
    finally:
        os._exit(0)  # never back into the server's own code


def _must_be_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(f"port {port} cannot be used ({error.strerror}): try --port {port + 1}") from None


def welcome(folder: Path, address: str) -> str:
    """Address and logins, as they are printed."""
    from storefront.seed import demo_people

    password, people = demo_people(folder)
    width = max(len(person["email"]) for person in people)
    names = max(_columns(person["name"]) for person in people)
    lines = [
        f"\n  {address}    青柳螺子製作所 / Aoyagi Screw Works\n",
        f"  password of every login: {password}\n",
    ]
    for person in people:
        says = person.get("says", {})
        padded = person["name"] + " " * (names - _columns(person["name"]))
        lines.append(f"  {person['email']:<{width}}  {padded}  {says.get('ja', '')} / {says.get('en', '')}")
    lines.append(f"\n  rules: {folder / 'rules'} (edit one and reload the page); stop with Ctrl+C\n")
    return "\n".join(lines)


def _columns(text: str) -> int:
    """Terminal columns: a Japanese character takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
